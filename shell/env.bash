# shellcheck shell=bash
# Every statement here ends with `;`, so that it survives `eval $(…)` without quotes.

# Removes a variable, and not what it is another name of (`declare -n`, since bash 4.3).
function __ctr_unset() {
    if ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 403)); then
        \builtin unset -n "$1" 2>/dev/null || \builtin return 1;
    fi;
    \builtin unset -v "$1" 2>/dev/null;
};
# Sets a variable. What this shell alone knows of it (that it is not exported, an
# integer, an array) no child could hand back, so it is kept in a variable beside it, which no child
# is given: what a child finds under that name is nothing of its own.
function __ctr_set() {
    \builtin unset -v "__ctr_was_$1" 2>/dev/null || \builtin :;
    if \builtin declare -p "$1" >/dev/null 2>&1; then
        \builtin local __ctr_was;
        __ctr_was="$(\builtin declare -p "$1")";
        if [[ "${__ctr_was#"declare -x $1="}" == "$__ctr_was" ]]; then
            # A failed assignment would end the evaluation; a failed unset does not.
            if ! __ctr_unset "$1"; then
                \builtin printf 'ctr: %s is read-only in this shell, and stays as it is\n' "$1" >&2;
                \builtin return 0;
            fi;
            \builtin eval "__ctr_was_$1=\$__ctr_was";
            # `set -a` has exported it.
            \builtin export -n "__ctr_was_$1";
        fi;
    fi;
    \builtin export "$1=$2";
};
# Gives a variable back: what this shell knew of it, else what the environment held ($2), else unset.
function __ctr_restore() {
    \builtin local __ctr_was;
    __ctr_was="$(\builtin declare -p "__ctr_was_$1" 2>/dev/null)" || __ctr_was='';
    # One that is exported came from the environment, and is evaluated by nobody.
    if [[ -n "$__ctr_was" && "${__ctr_was#"declare -- __ctr_was_$1="}" == "$__ctr_was" ]]; then
        __ctr_was='';
    elif [[ -n "$__ctr_was" ]]; then
        \builtin eval "__ctr_was=\"\${__ctr_was_$1}\"";
    fi;
    \builtin unset -v "__ctr_was_$1" 2>/dev/null || \builtin :;
    if ! __ctr_unset "$1"; then
        \builtin printf 'ctr: %s is read-only in this shell, and stays as it is\n' "$1" >&2;
    elif [[ -n "$__ctr_was" ]]; then
        if [[ "${__ctr_was#declare -- }" != "$__ctr_was" ]]; then
            \builtin eval "${__ctr_was#declare -- }";
        else
            # Any other way to write this, and an array is a syntax error.
            \builtin eval "declare -g ${__ctr_was#declare }";
        fi;
        # `set -a` has exported it; and what is another name of a variable is never exported itself.
        __ctr_was="${__ctr_was%%" $1"*}";
        [[ "$__ctr_was" == *[nx]* ]] || \builtin export -n "${1?}";
    elif [[ "$#" -gt 1 ]]; then
        \builtin export "$1=$2";
    fi;
};
# Tells the prompt hook, where there is one, of a folder that this shell has put on PATH, or taken off.
function __ctr_tell() {
    if [[ -n "${__ctr_held+x}" ]]; then
        [[ "${__ctr_held//":$1:"/}" != "$__ctr_held" ]] || __ctr_held="${__ctr_held:-:}$1:";
        __ctr_seen="${CTR_PATH_ENTRY-}:${PATH-}";
        \builtin export -n __ctr_held __ctr_seen;
    fi;
};
