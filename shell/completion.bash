# shellcheck shell=bash
# What TAB offers: the program answers, from the line as it is typed.
function __ctr_complete() {
    \builtin local answer place rest before
    COMPREPLY=()
    answer="$(CTR_COMPLETE=bash \builtin command '__ctr_binary__' -- "${COMP_LINE:0:COMP_POINT}" "${2-}" 2>/dev/null)" || \builtin return 0
    case "$answer" in
    'ctr:words'*)
        # A line each. A here-document would be a file, or a pipe that is read byte by byte.
        \builtin local globs
        globs=
        [[ $- == *f* ]] || globs=1
        \builtin set -f
        # One that is read-only stays, and most likely has the newline in it.
        { \builtin local IFS && IFS=$'\n'; } 2>/dev/null
        # shellcheck disable=SC2206
        COMPREPLY=(${answer#ctr:words})
        [[ -z "$globs" ]] || \builtin set +f
        # The order says which instances run. Bash 3.2 has no compopt.
        \builtin compopt -o nosort 2>/dev/null
        if [[ "${COMPREPLY[0]-}" == *[/=] ]]; then
            \builtin compopt -o nospace 2>/dev/null
        fi
        ;;
    'ctr:files'*)
        \builtin compopt -o default -o bashdefault 2>/dev/null
        ;;
    'ctr:command '*)
        # The command begins at a character of the line; bash-completion wants the number of its word.
        place="${answer#ctr:command }"
        rest="$COMP_LINE"
        before=0
        while rest="${rest#"${rest%%[![:space:]]*}"}" && ((${#COMP_LINE} - ${#rest} < place)); do
            rest="${rest#"${COMP_WORDS[before]}"}"
            before=$((before + 1))
        done
        if \builtin declare -F _comp_command_offset >/dev/null; then
            _comp_command_offset "$before"
        elif \builtin declare -F _command_offset >/dev/null; then
            _command_offset "$before"
        else
            \builtin compopt -o default -o bashdefault 2>/dev/null
        fi
        ;;
    esac
    \builtin return 0
}
if [[ $- == *i* ]]; then
    \builtin complete -F __ctr_complete __ctr_cmd__
fi
