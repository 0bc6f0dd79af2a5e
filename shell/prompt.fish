# The prompt hook. While nothing has changed it only reads the start of the active instance's process
# from /proc, and looks at PATH and the prompt: no program, no fork, no file of a home. The folder of its
# shims goes with the user's last session on some hosts, and is made again.
function __ctr_hook --on-event fish_prompt
    if set -q CTR_PROCESS
        set -l process (builtin string split : -- $CTR_PROCESS)
        set -l folder $CTR_PATH_ENTRY /
        set -l stat
        if test -r /proc/$process[1]/stat
            read -a -d ' ' stat </proc/$process[1]/stat
        end
        # Field 22 is the start, field 3 the condition (Z: ended). Who unsets CTR_INSTANCE leaves.
        if test "$stat[22]" != "$process[2]"; or builtin contains -- "$stat[3]" Z X
            or not test -d $folder[1]; or test -z "$CTR_INSTANCE"
            command __ctr_binary__ env --shell fish --refresh | builtin source
        end
    end
    # Others put a whole PATH of before back: a virtual environment that is left, direnv.
    if test "$CTR_PATH_ENTRY:$PATH" != "$__ctr_seen"
        if set -q __ctr_held[1]
            set -l held (builtin string join : -- $__ctr_held)
            command __ctr_binary__ env --shell fish --hold "$held" | builtin source
        end
        set -gu __ctr_seen "$CTR_PATH_ENTRY:$PATH"
    end
    # The prompt is wrapped when all else that defines it has been loaded, and again when it is another.
    set -gu __ctr_depth
    if test "$CTR_PROMPT" != off; and not builtin string match -q '*: the active instance' -- (builtin functions -Dv fish_prompt)[5]
        __ctr_wrap
    end
end
# Puts the active instance before the prompt that there is. One that was wrapped before may be inside:
# the outermost shows it.
function __ctr_wrap
    set -gu __ctr_wraps (builtin math $__ctr_wraps + 1)
    builtin functions -c fish_prompt __ctr_fish_prompt_$__ctr_wraps
    function fish_prompt -d 'ctr: the active instance' -V __ctr_wraps
        # Nothing here before it touches the status of the last command, which it may show.
        set -gua __ctr_depth x
        set -l prompt (__ctr_fish_prompt_$__ctr_wraps $argv | builtin string collect -N)
        set -eg __ctr_depth[-1]
        if test -n "$CTR_INSTANCE"; and not set -qg __ctr_depth[1]
            builtin printf '(ctr:%s) ' "$CTR_INSTANCE"
        end
        builtin printf %s $prompt
    end
end
if status is-interactive
    # What the environment has under these names is no memory of this shell's.
    set -gu __ctr_seen
    if not set -qgu __ctr_held
        set -gu __ctr_held
    end
    if not set -qgu __ctr_wraps
        set -gu __ctr_wraps 0
    end
else
    builtin functions -e __ctr_hook
end
