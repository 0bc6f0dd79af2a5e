# shellcheck shell=bash
# The prompt hook. While nothing has changed it only reads the start of the active instance's process
# from /proc, and looks at PATH and PS1: no program, no fork, no file of a home. The folder of its shims
# goes with the user's last session on some hosts, and is made again. Where a status would be lost, it
# is called with `keep`. An assignment that is a word of a command is in quotes, for `set -k` would take it off.
function __ctr_hook() {
    \builtin local "__ctr_status=$?"
    if [[ -n "${CTR_PROCESS-}" ]]; then
        # Not split by IFS, which may be read-only, nor matched, which the user may yet ask of.
        \builtin local REPLY __ctr_at __ctr_stat
        REPLY=''
        { \builtin read -r || \builtin :; } 2>/dev/null <"/proc/${CTR_PROCESS%:*}/stat" || \builtin :
        REPLY="${REPLY#* }"
        __ctr_stat="${REPLY#* }"
        for ((__ctr_at = 2; __ctr_at < 22; __ctr_at++)); do
            REPLY="${REPLY#* }"
        done
        # Field 22 is the start, field 3 the condition (Z: ended). Who unsets CTR_INSTANCE leaves.
        if [[ "${REPLY%% *}" != "${CTR_PROCESS#*:}" || "$__ctr_stat" == [ZX]* ||
            -z "${CTR_INSTANCE-}" || ! -d "${CTR_PATH_ENTRY-/}" ]]; then
            \builtin eval "$(\builtin command '__ctr_binary__' env --shell bash --refresh)" || \builtin :
        fi
    fi
    # Others put a whole PATH of before back: a virtual environment that is left, direnv.
    if [[ "${CTR_PATH_ENTRY-}:${PATH-}" != "${__ctr_seen-}" ]]; then
        if [[ -n "${__ctr_held-}" ]]; then
            \builtin eval "$(\builtin command '__ctr_binary__' env --shell bash --hold "$__ctr_held")" || \builtin :
        fi
        __ctr_seen="${CTR_PATH_ENTRY-}:${PATH-}"
        \builtin export -n __ctr_seen
    fi
    [[ "${PS1-}" == *'{CTR_INSTANCE'* ]] || __ctr_mark
    # Whoever makes the prompt anew at each prompt comes before; but bash-preexec has to be the last.
    if [[ -n "${__ctr_is_listed-}" && "${PROMPT_COMMAND[*]: -1}" != __ctr_hook &&
        -z "${bash_preexec_imported-}${__bp_imported-}" ]]; then
        __ctr_list
    fi
    if [[ "${1-}" == keep ]]; then
        # shellcheck disable=SC2154
        \builtin return "$__ctr_status"
    fi
    \builtin return 0
}
# PS1 gets one parameter, which the shell expands itself.
function __ctr_mark() {
    if [[ "${CTR_PROMPT-}" != off && "${PS1+${PS1@a}}" != *r* ]] && \builtin shopt -q promptvars; then
        # shellcheck disable=SC2016
        PS1='${CTR_INSTANCE:+(ctr:$CTR_INSTANCE) }'"${PS1-}"
    fi
    \builtin return 0
}
# Makes the hook the last of the list, and leaves the first place to those who know of no list.
function __ctr_list() {
    \builtin local __ctr_at __ctr_next
    __ctr_next=1
    for __ctr_at in "${!PROMPT_COMMAND[@]}"; do
        if [[ "${PROMPT_COMMAND[__ctr_at]}" == __ctr_hook ]]; then
            \builtin unset -v "PROMPT_COMMAND[$__ctr_at]"
        elif ((__ctr_at >= __ctr_next)); then
            __ctr_next=$((__ctr_at + 1))
        fi
    done
    PROMPT_COMMAND[__ctr_next]=__ctr_hook
    __ctr_is_listed=1
    \builtin export -n __ctr_is_listed
}
# Where other hooks are: in ble.sh, in bash-preexec, in a list (bash 5.1), in a string.
if [[ $- == *i* ]]; then
    # What the environment has under these names is no memory of this shell's.
    \builtin unset -v __ctr_seen __ctr_is_listed
    __ctr_was="$(\builtin declare -p __ctr_held 2>/dev/null)" || \builtin :
    [[ "$__ctr_was" == 'declare -- '* ]] || \builtin unset -v __ctr_held
    __ctr_held="${__ctr_held-}"
    \builtin export -n __ctr_held
    __ctr_was="$(\builtin declare -p PROMPT_COMMAND 2>/dev/null)" || \builtin :
    __ctr_was="${__ctr_was#declare -}"
    if [[ -n "${BLE_VERSION-}" ]]; then
        blehook PRECMD!=__ctr_hook
    elif [[ -n "${bash_preexec_imported-}${__bp_imported-}" ]]; then
        if [[ " ${precmd_functions[*]-} " != *' __ctr_hook '* ]]; then
            precmd_functions+=(__ctr_hook)
        fi
    elif [[ "${__ctr_was%% *}" == *r* ]]; then
        # There is no hook in this shell, but the mark that needs none.
        [[ "${PS1-}" == *'{CTR_INSTANCE'* ]] || __ctr_mark
    elif ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 501)); then
        # A list is in no child's environment, where the hook would be a command that is not found. A
        # string that an older hook of ours was put into has it no more.
        PROMPT_COMMAND[0]="${PROMPT_COMMAND[0]-}"
        PROMPT_COMMAND[0]="${PROMPT_COMMAND[0]%$'\n'__ctr_hook}"
        [[ -n "${PROMPT_COMMAND[0]}" ]] || \builtin unset -v 'PROMPT_COMMAND[0]'
        __ctr_list
    else
        PROMPT_COMMAND="${PROMPT_COMMAND%$'\n'__ctr_hook}"
        if [[ "$PROMPT_COMMAND" != *__ctr_hook* ]]; then
            PROMPT_COMMAND="${PROMPT_COMMAND:+$PROMPT_COMMAND$'\n'}__ctr_hook keep && :"
        fi
        \builtin export -n PROMPT_COMMAND
    fi
    \builtin unset -v __ctr_was
fi
