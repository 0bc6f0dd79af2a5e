# shellcheck shell=bash
# The `ctr` function: `use` and `leave` act on this shell, everything else is the program.
# An alias of the user's would stand before it.
\builtin unalias __ctr_cmd__ 2>/dev/null || \builtin :
function __ctr_cmd__() {
    case "${1-}" in
    use | leave)
        \builtin local code
        case "${2-}" in
        -h | --help)
            \builtin command '__ctr_binary__' "$@"
            \builtin return
            ;;
        esac
        if [[ "$1" == use ]]; then
            \builtin shift
            code="$(\builtin command '__ctr_binary__' env --shell bash "$@")" || \builtin return
        else
            \builtin shift
            code="$(\builtin command '__ctr_binary__' env --shell bash --unset "$@")" || \builtin return
        fi
        \builtin eval "$code"
        ;;
    shim | -*)
        \builtin command '__ctr_binary__' "$@" || \builtin return
        # The shell remembers where it found a command that has a shim by now, or none any more.
        \builtin hash -r 2>/dev/null || \builtin :
        ;;
    *)
        # With the words in it, for `jobs` to show.
        \builtin local __ctr_line
        \builtin printf -v __ctr_line ' %q' '__ctr_binary__' "$@"
        \builtin eval "\\builtin command$__ctr_line"
        ;;
    esac
}
