# Completion is loaded at the first TAB.
if status is-interactive
    function __ctr_complete
        complete -e -c __ctr_cmd__
        command __ctr_binary__ completions fish 2>/dev/null | source
        complete -C (commandline -cp)
    end
    complete -c __ctr_cmd__ -f -a '(__ctr_complete)'
end
