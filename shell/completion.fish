# What TAB offers: the program answers, from the line as it is typed.
function __ctr_complete
    set -l line (builtin commandline -cp | builtin string collect)
    set -l answer (CTR_COMPLETE=fish command __ctr_binary__ -- "$line" 2>/dev/null)
    switch "$answer[1]"
        case ctr:words
            set -e answer[1]
            set -q answer[1]; and builtin printf '%s\n' $answer
        case ctr:files
            # As the argument of a command that has no completion of its own.
            builtin complete -C "'' "(builtin commandline -ct | builtin string collect)
        case 'ctr:command *'
            set -l place (builtin string replace 'ctr:command ' '' -- $answer[1])
            builtin complete -C (builtin string sub -s (builtin math $place + 1) -- "$line")
    end
end
if status is-interactive
    builtin complete -e -c __ctr_cmd__
    builtin complete -c __ctr_cmd__ -k -f -a '(__ctr_complete)'
end
