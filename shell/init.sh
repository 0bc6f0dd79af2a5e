# shellcheck shell=sh
# The `ctr` function: `use` and `leave` act on this shell, everything else is the program. No
# `command` before it, which may be a function of the user's; a whole path is none.
__ctr_main() {
    case "${1-} ${2-}" in
    'use -h' | 'use --help' | 'leave -h' | 'leave --help')
        '__ctr_binary__' "$@"
        ;;
    use\ *)
        \shift
        __ctr_code="$('__ctr_binary__' env --shell sh "$@")" && \eval "$__ctr_code"
        ;;
    leave\ *)
        \shift
        __ctr_code="$('__ctr_binary__' env --shell sh --unset "$@")" && \eval "$__ctr_code"
        ;;
    shim\ * | -*)
        # The shell remembers where it found a command that has a shim by now, or none any more.
        '__ctr_binary__' "$@" && \hash -r
        ;;
    *)
        '__ctr_binary__' "$@"
        ;;
    esac
}
# An alias of the user's would stand before it, and in its very definition: that is read afterwards.
\unalias __ctr_cmd__ 2>/dev/null || :
\eval '__ctr_cmd__() { __ctr_main "$@"; }'
