# The prompt hook. While the process of the active instance is the one that was made active, it only
# reads that process's start from /proc: no program, no fork, no file of a home. The folder of its shims
# goes with the user's last session on some hosts, and is made again.
function __ctr_hook --on-event fish_prompt
    if set -q CTR_PROCESS
        set -l process (string split : -- $CTR_PROCESS)
        set -l folder $CTR_PATH_ENTRY /
        set -l stat
        if test -r /proc/$process[1]/stat
            read -a -d ' ' stat </proc/$process[1]/stat
        end
        # Field 22 is the start, field 3 the condition (Z: ended).
        if test "$stat[22]" != "$process[2]"; or contains -- "$stat[3]" Z X
            or not test -d $folder[1]
            command __ctr_binary__ env --shell fish --refresh | source
        end
    end
    # The prompt is wrapped once, when all else that defines it has been loaded.
    if not set -q __ctr_marked
        set -g __ctr_marked
        if test "$CTR_PROMPT" != off; and not functions -q __ctr_fish_prompt
            functions -c fish_prompt __ctr_fish_prompt
            function fish_prompt
                # Before anything else here: it may look at the status of the last command.
                set -l prompt (__ctr_fish_prompt | string collect -N)
                if test -n "$CTR_INSTANCE"
                    printf '(ctr:%s) ' "$CTR_INSTANCE"
                end
                printf %s $prompt
            end
        end
    end
end
if not status is-interactive
    functions -e __ctr_hook
end
