# The prompt hook. While the process of the active instance is the one that was made active, it only
# reads that process's start from /proc: no program, no fork, no file of a home. The folder of its shims
# goes with the user's last session on some hosts, and is made again.
function __ctr_hook() {
    \builtin local __ctr_status=$?
    \builtin emulate -L zsh
    if [[ -n "${CTR_PROCESS-}" ]]; then
        \builtin local __ctr_file="/proc/${CTR_PROCESS%:*}/stat"
        \builtin local -a __ctr_stat
        # This form of `$(…)` forks nothing, and is faster than `read`, which takes a byte at a time.
        [[ -r "$__ctr_file" ]] && __ctr_stat=(${(s: :)"$(<$__ctr_file)"})
        # Field 22 is the start, field 3 the condition (Z: ended).
        if [[ "${__ctr_stat[22]-}" != "${CTR_PROCESS#*:}" || "${__ctr_stat[3]-}" == [ZX] ||
            ! -d "${CTR_PATH_ENTRY-/}" ]]; then
            \builtin eval "$(\command '__ctr_binary__' env --shell zsh --refresh)"
        fi
    fi
    # A parameter of the prompt's own: a `%` in a value would be expanded in the prompt itself.
    psvar[9]="${CTR_INSTANCE-}"
    # PS1 gets it once, when all else that sets it has been loaded.
    if [[ -z "${__ctr_marked-}" ]]; then
        \builtin typeset -g __ctr_marked=1
        if [[ "${CTR_PROMPT-}" != off && "${PS1-}" != *'%(9V.'* ]]; then
            PS1='%(9V.(ctr:%9v) .)'"${PS1-}"
        fi
    fi
    \builtin return "$__ctr_status"
}
if [[ -o interactive ]]; then
    \builtin autoload -Uz add-zsh-hook
    add-zsh-hook -d precmd __ctr_hook
    add-zsh-hook precmd __ctr_hook
fi
