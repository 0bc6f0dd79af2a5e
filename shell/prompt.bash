# The prompt hook. While the process of the active instance is the one that was made active, it only
# reads that process's start from /proc: no program, no fork, no file of a home. The folder of its shims
# goes with the user's last session on some hosts, and is made again.
function __ctr_hook() {
    \builtin local __ctr_status=$?
    if [[ -n "${CTR_PROCESS-}" ]]; then
        \builtin local IFS=' ' __ctr_stat
        __ctr_stat=()
        { \builtin read -r -a __ctr_stat || \builtin :; } 2>/dev/null <"/proc/${CTR_PROCESS%:*}/stat"
        # Field 22 is the start, field 3 the condition (Z: ended).
        if [[ "${__ctr_stat[21]-}" != "${CTR_PROCESS#*:}" || "${__ctr_stat[2]-}" == [ZX] ||
            ! -d "${CTR_PATH_ENTRY-/}" ]]; then
            \builtin eval "$(\command '__ctr_binary__' env --shell bash --refresh)"
        fi
    fi
    # PS1 gets one parameter, once, when all else that sets it has been loaded.
    if [[ -z "${__ctr_marked-}" ]]; then
        __ctr_marked=1
        if [[ "${CTR_PROMPT-}" != off && "${PS1-}" != *'{CTR_INSTANCE'* ]] && \builtin shopt -q promptvars; then
            # shellcheck disable=SC2016
            PS1='${CTR_INSTANCE:+(ctr:$CTR_INSTANCE) }'"${PS1-}"
        fi
    fi
    \builtin return "$__ctr_status"
}
# Where other hooks are: in ble.sh, in bash-preexec, in an array (bash 5.1), in a string.
if [[ $- == *i* ]]; then
    if [[ -n "${BLE_VERSION-}" ]]; then
        blehook PRECMD!=__ctr_hook
    elif [[ -n "${bash_preexec_imported-}${__bp_imported-}" ]]; then
        if [[ " ${precmd_functions[*]-} " != *' __ctr_hook '* ]]; then
            precmd_functions+=(__ctr_hook)
        fi
    elif [[ "${PROMPT_COMMAND[*]-}" != *__ctr_hook* ]]; then
        if ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] < 501)); then
            PROMPT_COMMAND="${PROMPT_COMMAND:+$PROMPT_COMMAND$'\n'}__ctr_hook"
        elif [[ -z "${PROMPT_COMMAND+set}" || "${PROMPT_COMMAND@a}" == *a* ]]; then
            PROMPT_COMMAND+=(__ctr_hook)
        else
            \builtin printf -v PROMPT_COMMAND '%s\n__ctr_hook' "${PROMPT_COMMAND[0]}"
        fi
    fi
fi
