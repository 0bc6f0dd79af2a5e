# Every statement here ends with `;`, so that it survives `eval $(…)` without quotes. It is evaluated,
# and run, in the manner of zsh, whatever shell the caller emulates.

# Sets a variable. What this shell alone knows of it (that it is not exported, an
# integer, an array) no child could hand back, so it is kept in a variable beside it, which no child
# is given: what a child finds under that name is nothing of its own.
function __ctr_set() {
    \builtin emulate -L zsh;
    \builtin unset "__ctr_was_$1" 2>/dev/null || \builtin :;
    \builtin local __ctr_type="${(Pt)1}";
    # One that is exported without a value is in no environment.
    case "$__ctr_type${(P)1:+ with a value}" in
    *readonly*)
        \builtin print -r -- "ctr: $1 is read-only in this shell, and stays as it is" >&2;
        \builtin return 0;;
    ("" | "scalar-export with a value" | *special*);;
    *)
        \builtin typeset -g +x "__ctr_was_$1=$(\builtin typeset -p "$1")";
        \builtin unset "$1";;
    esac;
    # What a special variable does not take would end the evaluation.
    { \builtin export "$1=$2"; } always { TRY_BLOCK_ERROR=0; };
};
# Gives a variable back: what this shell knew of it, else what the environment held ($2), else unset.
function __ctr_restore() {
    \builtin emulate -L zsh;
    \builtin local __ctr_was_name="__ctr_was_$1" __ctr_was="";
    # One that is exported came from the environment, and is evaluated by nobody.
    [[ "${(Pt)__ctr_was_name}" == *export* ]] || __ctr_was="${(P)__ctr_was_name}";
    if [[ "${(Pt)1}" == *readonly* ]]; then
        \builtin print -r -- "ctr: $1 is read-only in this shell, and stays as it is" >&2;
        \builtin return 0;
    fi;
    \builtin unset "$__ctr_was_name" "$1";
    if [[ -n "$__ctr_was" ]]; then
        # It says `export` or `typeset`, without or with `-g`, as it pleases.
        [[ "$__ctr_was" == export* ]] && __ctr_was="typeset -x${__ctr_was#export}";
        # Any other way to write this, and an array is a syntax error.
        \builtin eval "typeset -g ${__ctr_was#typeset }";
    elif (( $# > 1 )); then
        \builtin export "$1=$2";
    fi;
};
# Tells the prompt hook, where there is one, of a folder that this shell has put on PATH, or taken off.
function __ctr_tell() {
    \builtin emulate -L zsh;
    if [[ -n "${__ctr_held+x}" ]]; then
        [[ "${__ctr_held//":$1:"/}" != "$__ctr_held" ]] || __ctr_held="${__ctr_held:-:}$1:";
        __ctr_seen="${CTR_PATH_ENTRY-}:${PATH-}";
        \builtin typeset -g +x __ctr_held __ctr_seen;
    fi;
};
