# The prompt hook. While the process of the active instance is the one that was made active, it only
# reads that process's start from /proc: no program, no file of a home.
def __ctr_is_here [process: string] {
    let parts = $process | split row ":"
    let stat = try { open --raw $"/proc/($parts.0)/stat" | split row " " } catch { [] }
    # Field 22 is the start, field 3 the condition (Z: ended).
    $stat.21? == $parts.1? and $stat.2? not-in [Z X]
}
def --env __ctr_hook [] {
    # Who unsets CTR_INSTANCE leaves.
    if "CTR_PROCESS" in $env and not ("CTR_INSTANCE" in $env and (__ctr_is_here $env.CTR_PROCESS)) {
        __ctr_apply (^'__ctr_binary__' env --shell nushell --refresh | from json)
    }
    __ctr_hold
}
# Others put a whole PATH of before back: a virtual environment that is left, direnv. What this shell
# has put there, and the last PATH, are in a list: no list is in an environment, but that of PATH.
def --env __ctr_hold [] {
    let entry = $env.CTR_PATH_ENTRY? | default ""
    let held = $env.__ctr_held
    let held = if $entry != "" and $entry != $held.0 and $entry not-in $held { $held | append $entry } else { $held }
    let seen = [$entry ...$env.PATH]
    if $seen != $env.__ctr_seen and ($held | length) > 1 {
        __ctr_apply (^'__ctr_binary__' env --shell nushell --hold ($held | skip 1 | str join ":") | from json)
    }
    $env.__ctr_held = $held
    $env.__ctr_seen = [$entry ...$env.PATH]
}
$env.__ctr_held = [($env.CTR_PATH_ENTRY? | default "")]
$env.__ctr_seen = []
$env.config.hooks.pre_prompt = ($env.config.hooks.pre_prompt? | default [] | append {|| __ctr_hook })
let __ctr_prompt = $env.PROMPT_COMMAND? | default ""
$env.PROMPT_COMMAND = {||
    let prompt = if ($__ctr_prompt | describe) == closure { do $__ctr_prompt } else { $__ctr_prompt }
    if "CTR_INSTANCE" in $env and $env.CTR_PROMPT? != off {
        $"(char lparen)ctr:($env.CTR_INSTANCE)(char rparen) ($prompt)"
    } else {
        $prompt
    }
}
