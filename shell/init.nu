# The `ctr` command: `use` and `leave` act on this shell, everything else is the program. Nushell
# evaluates no code: it is given the variables to set and to unset.
def --env __ctr_apply [change: record] {
    hide-env --ignore-errors ...$change.unset
    load-env $change.set
}
def --env --wrapped __ctr_cmd__ [...words: string] {
    if $words.0? not-in [use leave] or $words.1? in ["-h" "--help"] {
        ^'__ctr_binary__' ...$words
    } else if $words.0 == use {
        __ctr_apply (^'__ctr_binary__' env --shell nushell ...($words | skip 1) | from json)
    } else {
        __ctr_apply (^'__ctr_binary__' env --shell nushell --unset ...($words | skip 1) | from json)
    }
}
