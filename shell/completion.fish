# What TAB offers: the program answers, from the line as it is typed.
function __ctr_complete
    set -l line (commandline -cp | string collect)
    set -l answer (CTR_COMPLETE=fish command __ctr_binary__ -- "$line" 2>/dev/null)
    switch "$answer[1]"
        case ctr:words
            set -e answer[1]
            set -q answer[1]; and builtin printf '%s\n' $answer
        case ctr:files
            # As the argument of a command that has no completion of its own.
            complete -C "'' "(commandline -ct | string collect)
        case 'ctr:command *'
            set -l place (string replace 'ctr:command ' '' -- $answer[1])
            complete -C (string sub -s (builtin math $place + 1) -- "$line")
    end
end
if status is-interactive
    complete -e -c __ctr_cmd__
    complete -c __ctr_cmd__ -k -f -a '(__ctr_complete)'
end
