# The `ctr` function: `use` and `leave` act on this shell, everything else is the program.
# An alias of the user's would stand before it.
\builtin unalias __ctr_cmd__ 2>/dev/null || \builtin :
function __ctr_cmd__() {
    case "${1-}" in
    use | leave)
        \builtin local code
        case "${2-}" in
        # In quotes, since an alias of the user's may stand for any word (`alias -g`).
        '-h' | '--help')
            \builtin command '__ctr_binary__' "$@"
            \builtin return
            ;;
        esac
        if [[ "$1" == use ]]; then
            \builtin shift
            code="$(\builtin command '__ctr_binary__' env --shell zsh "$@")" || \builtin return
        else
            \builtin shift
            code="$(\builtin command '__ctr_binary__' env --shell zsh --unset "$@")" || \builtin return
        fi
        \builtin eval "$code"
        ;;
    shim | -*)
        \builtin command '__ctr_binary__' "$@" || \builtin return
        # The shell remembers where it found a command that has a shim by now, or none any more.
        \builtin hash -r 2>/dev/null || \builtin :
        ;;
    *)
        \builtin command '__ctr_binary__' "$@"
        ;;
    esac
}
