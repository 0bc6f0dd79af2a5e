# The prompt hook. While nothing has changed it only reads the start of the active instance's process
# from /proc, and looks at PATH and PS1: no program, no fork, no file of a home. The folder of its shims
# goes with the user's last session on some hosts, and is made again. The shell itself keeps the status.
function __ctr_hook() {
    # How PS1 is read, before all options become those of zsh: a `%` in a value would be read too, so
    # the name is in a parameter of the prompt's own.
    \builtin local __ctr_mark='' __ctr_known='' __ctr_old=''
    if [[ -o promptpercent && "${(t)psvar}" != *readonly* ]]; then
        __ctr_known='V.(ctr:%'
    elif [[ -o promptsubst ]]; then
        __ctr_mark='${CTR_INSTANCE:+(ctr:$CTR_INSTANCE) }' __ctr_known='{CTR_INSTANCE'
    fi
    \builtin emulate -L zsh
    if [[ -n "${CTR_PROCESS-}" ]]; then
        \builtin local __ctr_file="/proc/${CTR_PROCESS%:*}/stat"
        \builtin local -a __ctr_stat
        # This form of `$(…)` forks nothing, and is faster than `read`, which takes a byte at a time.
        [[ -r "$__ctr_file" ]] && __ctr_stat=(${(s: :)"$(<$__ctr_file)"})
        # Field 22 is the start, field 3 the condition (Z: ended). Who unsets CTR_INSTANCE leaves.
        if [[ "${__ctr_stat[22]-}" != "${CTR_PROCESS#*:}" || "${__ctr_stat[3]-}" == [ZX] ||
            -z "${CTR_INSTANCE-}" || ! -d "${CTR_PATH_ENTRY-/}" ]]; then
            \builtin eval "$(\builtin command '__ctr_binary__' env --shell zsh --refresh)" || \builtin :
        fi
    fi
    # Others put a whole PATH of before back: a virtual environment that is left, direnv.
    if [[ "${CTR_PATH_ENTRY-}:${PATH-}" != "${__ctr_seen-}" ]]; then
        if [[ -n "${__ctr_held-}" ]]; then
            \builtin eval "$(\builtin command '__ctr_binary__' env --shell zsh --hold "$__ctr_held")" || \builtin :
        fi
        \builtin typeset -g +x __ctr_seen="${CTR_PATH_ENTRY-}:${PATH-}"
    fi
    __ctr_old="%(${__ctr_place}V.(ctr:%${__ctr_place}v) .)"
    if [[ "$__ctr_known" == V* ]]; then
        # A place in `psvar` that the user has taken is the user's.
        while [[ -n "${psvar[__ctr_place]-}" && "${psvar[__ctr_place]}" != "$__ctr_shown" ]]; do
            (( __ctr_place += 1 ))
        done
        psvar[__ctr_place]="${CTR_INSTANCE-}"
        \builtin typeset -g +x __ctr_place __ctr_shown="${CTR_INSTANCE-}"
        __ctr_mark="%(${__ctr_place}V.(ctr:%${__ctr_place}v) .)"
    fi
    if [[ "$__ctr_mark" != "$__ctr_old" && "${(t)PS1}" != *readonly* ]]; then
        PS1="${PS1//"$__ctr_old"/}"
    fi
    # Inside of an instance there is one that shows it already.
    if [[ -n "$__ctr_mark" && "${PS1-}" != *"$__ctr_known"* && "${PS1-}" != *'%(9V.%9v.'* && "${CTR_PROMPT-}" != off && "${(t)PS1}" != *readonly* ]]; then
        PS1="$__ctr_mark${PS1-}"
    fi
    # Whoever makes the prompt anew at each prompt comes before.
    if [[ "${precmd_functions[-1]-}" != __ctr_hook && -n "${precmd_functions[(r)__ctr_hook]-}" ]]; then
        precmd_functions=("${(@)precmd_functions:#__ctr_hook}" __ctr_hook)
    fi
    \builtin return 0
}
if [[ -o interactive ]]; then
    # What the environment has under these names is no memory of this shell's.
    \builtin unset __ctr_seen
    [[ "${(t)__ctr_place-} ${(t)__ctr_shown-}" == *export* ]] && \builtin unset __ctr_place __ctr_shown
    \builtin typeset -g +x __ctr_place="${__ctr_place-9}" __ctr_shown="${__ctr_shown-}"
    [[ "${(t)__ctr_held-}" == *export* ]] && \builtin unset __ctr_held
    \builtin typeset -g +x __ctr_held="${__ctr_held-}"
    if [[ "${(t)precmd_functions-}" != *readonly* ]]; then
        \builtin autoload -Uz add-zsh-hook
        add-zsh-hook -d precmd __ctr_hook
        add-zsh-hook precmd __ctr_hook
    fi
fi
