# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_ctr_global_optspecs
    string join \n q/quiet v/verbose color= h/help V/version
end

function __fish_ctr_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_ctr_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_ctr_using_subcommand
    set -l cmd (__fish_ctr_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c ctr -n "__fish_ctr_needs_command" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t''
never\t''"
complete -c ctr -n "__fish_ctr_needs_command" -s q -l quiet -d 'Say only what went wrong'
complete -c ctr -n "__fish_ctr_needs_command" -s v -l verbose -d 'Say what is decided on the way, and why'
complete -c ctr -n "__fish_ctr_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ctr -n "__fish_ctr_needs_command" -s V -l version -d 'Print version'
complete -c ctr -n "__fish_ctr_needs_command" -f -a "start" -d 'Start an instance and remember its setup'
complete -c ctr -n "__fish_ctr_needs_command" -f -a "exec" -d 'Run a command inside an instance'
complete -c ctr -n "__fish_ctr_needs_command" -f -a "enter" -d 'Become an interactive shell inside an instance'
complete -c ctr -n "__fish_ctr_needs_command" -f -a "env" -d 'Print shell code that makes an instance active, or leaves it'
complete -c ctr -n "__fish_ctr_needs_command" -f -a "init" -d 'Print the shell integration for an rc file'
complete -c ctr -n "__fish_ctr_needs_command" -f -a "use" -d 'Make an instance active in this shell (needs the integration)'
complete -c ctr -n "__fish_ctr_needs_command" -f -a "leave" -d 'Leave the active instance (needs the integration)'
complete -c ctr -n "__fish_ctr_needs_command" -f -a "stop" -d 'Stop instances and remove what is left of them'
complete -c ctr -n "__fish_ctr_needs_command" -f -a "restart" -d 'Start instances again with the setup that was saved'
complete -c ctr -n "__fish_ctr_needs_command" -f -a "list" -d 'List instances'
complete -c ctr -n "__fish_ctr_needs_command" -f -a "stats" -d 'Show what instances use: CPU, memory, I/O'
complete -c ctr -n "__fish_ctr_needs_command" -f -a "show" -d 'Show all that is known of an instance'
complete -c ctr -n "__fish_ctr_needs_command" -f -a "note" -d 'Read and write the notes of an instance'
complete -c ctr -n "__fish_ctr_needs_command" -f -a "logs" -d 'Show what an instance\'s start script printed'
complete -c ctr -n "__fish_ctr_needs_command" -f -a "prune" -d 'Remove the state of instances that are gone'
complete -c ctr -n "__fish_ctr_needs_command" -f -a "overlays" -d 'List the overlays that names resolve to'
complete -c ctr -n "__fish_ctr_needs_command" -f -a "config" -d 'Show every setting in force, and where it came from'
complete -c ctr -n "__fish_ctr_needs_command" -f -a "doctor" -d 'Check that this machine can run instances'
complete -c ctr -n "__fish_ctr_needs_command" -f -a "completions" -d 'Print the completion file for a shell'
complete -c ctr -n "__fish_ctr_needs_command" -f -a "man" -d 'Print or write the man pages'
complete -c ctr -n "__fish_ctr_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c ctr -n "__fish_ctr_using_subcommand start" -s o -l overlay -d 'Overlay: a name (`samtools/1.22`) or a file; later ones win' -r
complete -c ctr -n "__fish_ctr_using_subcommand start" -s b -l base-image -d 'Base image: a SIF, a sandbox folder, a URI, or `hostos`' -r
complete -c ctr -n "__fish_ctr_using_subcommand start" -l bind -d 'Bind a path of the host into the instance' -r
complete -c ctr -n "__fish_ctr_using_subcommand start" -s e -l env -d 'Set a variable inside; the value is literal' -r
complete -c ctr -n "__fish_ctr_using_subcommand start" -l note -d 'Attach a note to a variable' -r
complete -c ctr -n "__fish_ctr_using_subcommand start" -l gpu -d 'Which GPUs to bring in' -r -f -a "auto\t'Those that `/dev` shows'
none\t''
nvidia\t''
rocm\t''"
complete -c ctr -n "__fish_ctr_using_subcommand start" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t''
never\t''"
complete -c ctr -n "__fish_ctr_using_subcommand start" -s w -l writable -d 'Open the ext3 overlay for writing'
complete -c ctr -n "__fish_ctr_using_subcommand start" -s f -l fakeroot -d 'Appear as root inside'
complete -c ctr -n "__fish_ctr_using_subcommand start" -l dry-run -d 'Print what would be done, and do nothing'
complete -c ctr -n "__fish_ctr_using_subcommand start" -l if-needed -d 'Succeed when it runs already with this setup'
complete -c ctr -n "__fish_ctr_using_subcommand start" -l replace -d 'Stop it first when it runs'
complete -c ctr -n "__fish_ctr_using_subcommand start" -s q -l quiet -d 'Say only what went wrong'
complete -c ctr -n "__fish_ctr_using_subcommand start" -s v -l verbose -d 'Say what is decided on the way, and why'
complete -c ctr -n "__fish_ctr_using_subcommand start" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ctr -n "__fish_ctr_using_subcommand start" -s V -l version -d 'Print version'
complete -c ctr -n "__fish_ctr_using_subcommand exec" -s e -l env -d 'Set a variable for this command; the value is literal' -r
complete -c ctr -n "__fish_ctr_using_subcommand exec" -l cwd -d 'Run in this folder of the instance' -r
complete -c ctr -n "__fish_ctr_using_subcommand exec" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t''
never\t''"
complete -c ctr -n "__fish_ctr_using_subcommand exec" -l cleanenv -d 'Start from an empty environment instead of the caller\'s'
complete -c ctr -n "__fish_ctr_using_subcommand exec" -l keep-env -d 'Keep the caller\'s variables that would break a foreign image'
complete -c ctr -n "__fish_ctr_using_subcommand exec" -s q -l quiet -d 'Say only what went wrong'
complete -c ctr -n "__fish_ctr_using_subcommand exec" -s v -l verbose -d 'Say what is decided on the way, and why'
complete -c ctr -n "__fish_ctr_using_subcommand exec" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ctr -n "__fish_ctr_using_subcommand exec" -s V -l version -d 'Print version'
complete -c ctr -n "__fish_ctr_using_subcommand enter" -s e -l env -d 'Set a variable for this shell; the value is literal' -r
complete -c ctr -n "__fish_ctr_using_subcommand enter" -l shell -d 'The shell to run inside' -r
complete -c ctr -n "__fish_ctr_using_subcommand enter" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t''
never\t''"
complete -c ctr -n "__fish_ctr_using_subcommand enter" -s q -l quiet -d 'Say only what went wrong'
complete -c ctr -n "__fish_ctr_using_subcommand enter" -s v -l verbose -d 'Say what is decided on the way, and why'
complete -c ctr -n "__fish_ctr_using_subcommand enter" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ctr -n "__fish_ctr_using_subcommand enter" -s V -l version -d 'Print version'
complete -c ctr -n "__fish_ctr_using_subcommand env" -l shell -d 'The shell to print code for; found from the calling process when not given' -r -f -a "bash\t''
zsh\t''
fish\t''
sh\t'POSIX: dash, ash, ksh'
tcsh\t''
elvish\t''
xonsh\t''
nushell\t''
powershell\t'Experimental'"
complete -c ctr -n "__fish_ctr_using_subcommand env" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t''
never\t''"
complete -c ctr -n "__fish_ctr_using_subcommand env" -l if-running -d 'Print nothing and succeed when the instance does not run'
complete -c ctr -n "__fish_ctr_using_subcommand env" -l unset -d 'Leave the active instance'
complete -c ctr -n "__fish_ctr_using_subcommand env" -l json -d 'Print one JSON document instead of code'
complete -c ctr -n "__fish_ctr_using_subcommand env" -l refresh -d 'Bring the shell up to date with its active instance: what the prompt hook evaluates'
complete -c ctr -n "__fish_ctr_using_subcommand env" -s q -l quiet -d 'Say only what went wrong'
complete -c ctr -n "__fish_ctr_using_subcommand env" -s v -l verbose -d 'Say what is decided on the way, and why'
complete -c ctr -n "__fish_ctr_using_subcommand env" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ctr -n "__fish_ctr_using_subcommand env" -s V -l version -d 'Print version'
complete -c ctr -n "__fish_ctr_using_subcommand init" -l cmd -d 'Name of the shell function' -r
complete -c ctr -n "__fish_ctr_using_subcommand init" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t''
never\t''"
complete -c ctr -n "__fish_ctr_using_subcommand init" -l no-prompt -d 'Leave the prompt alone'
complete -c ctr -n "__fish_ctr_using_subcommand init" -l no-completion -d 'Do not load completion'
complete -c ctr -n "__fish_ctr_using_subcommand init" -l command-file -d 'Make the file that is tcsh\'s function, and print its path: what its alias calls'
complete -c ctr -n "__fish_ctr_using_subcommand init" -s q -l quiet -d 'Say only what went wrong'
complete -c ctr -n "__fish_ctr_using_subcommand init" -s v -l verbose -d 'Say what is decided on the way, and why'
complete -c ctr -n "__fish_ctr_using_subcommand init" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ctr -n "__fish_ctr_using_subcommand init" -s V -l version -d 'Print version'
complete -c ctr -n "__fish_ctr_using_subcommand use" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t''
never\t''"
complete -c ctr -n "__fish_ctr_using_subcommand use" -s q -l quiet -d 'Say only what went wrong'
complete -c ctr -n "__fish_ctr_using_subcommand use" -s v -l verbose -d 'Say what is decided on the way, and why'
complete -c ctr -n "__fish_ctr_using_subcommand use" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ctr -n "__fish_ctr_using_subcommand use" -s V -l version -d 'Print version'
complete -c ctr -n "__fish_ctr_using_subcommand leave" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t''
never\t''"
complete -c ctr -n "__fish_ctr_using_subcommand leave" -s q -l quiet -d 'Say only what went wrong'
complete -c ctr -n "__fish_ctr_using_subcommand leave" -s v -l verbose -d 'Say what is decided on the way, and why'
complete -c ctr -n "__fish_ctr_using_subcommand leave" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ctr -n "__fish_ctr_using_subcommand leave" -s V -l version -d 'Print version'
complete -c ctr -n "__fish_ctr_using_subcommand stop" -s s -l signal -d 'The signal that asks the processes to end' -r
complete -c ctr -n "__fish_ctr_using_subcommand stop" -s t -l timeout -d 'Seconds until they are killed' -r
complete -c ctr -n "__fish_ctr_using_subcommand stop" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t''
never\t''"
complete -c ctr -n "__fish_ctr_using_subcommand stop" -s a -l all -d 'All that `ctr` tracks on this host'
complete -c ctr -n "__fish_ctr_using_subcommand stop" -l untracked -d 'Also instances that were started without `ctr`'
complete -c ctr -n "__fish_ctr_using_subcommand stop" -l keep -d 'Keep the setup, for `ctr restart`'
complete -c ctr -n "__fish_ctr_using_subcommand stop" -s F -l force -d 'Kill at once, without asking the processes to end'
complete -c ctr -n "__fish_ctr_using_subcommand stop" -s q -l quiet -d 'Say only what went wrong'
complete -c ctr -n "__fish_ctr_using_subcommand stop" -s v -l verbose -d 'Say what is decided on the way, and why'
complete -c ctr -n "__fish_ctr_using_subcommand stop" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ctr -n "__fish_ctr_using_subcommand stop" -s V -l version -d 'Print version'
complete -c ctr -n "__fish_ctr_using_subcommand restart" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t''
never\t''"
complete -c ctr -n "__fish_ctr_using_subcommand restart" -s q -l quiet -d 'Say only what went wrong'
complete -c ctr -n "__fish_ctr_using_subcommand restart" -s v -l verbose -d 'Say what is decided on the way, and why'
complete -c ctr -n "__fish_ctr_using_subcommand restart" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ctr -n "__fish_ctr_using_subcommand restart" -s V -l version -d 'Print version'
complete -c ctr -n "__fish_ctr_using_subcommand list" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t''
never\t''"
complete -c ctr -n "__fish_ctr_using_subcommand list" -l json -d 'Print one JSON document'
complete -c ctr -n "__fish_ctr_using_subcommand list" -l names -d 'Print only the names'
complete -c ctr -n "__fish_ctr_using_subcommand list" -l all-hosts -d 'Also the instances of other hosts that share this home'
complete -c ctr -n "__fish_ctr_using_subcommand list" -s q -l quiet -d 'Say only what went wrong'
complete -c ctr -n "__fish_ctr_using_subcommand list" -s v -l verbose -d 'Say what is decided on the way, and why'
complete -c ctr -n "__fish_ctr_using_subcommand list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ctr -n "__fish_ctr_using_subcommand list" -s V -l version -d 'Print version'
complete -c ctr -n "__fish_ctr_using_subcommand stats" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t''
never\t''"
complete -c ctr -n "__fish_ctr_using_subcommand stats" -l json -d 'Print one JSON document'
complete -c ctr -n "__fish_ctr_using_subcommand stats" -l watch -d 'Redraw until interrupted'
complete -c ctr -n "__fish_ctr_using_subcommand stats" -s q -l quiet -d 'Say only what went wrong'
complete -c ctr -n "__fish_ctr_using_subcommand stats" -s v -l verbose -d 'Say what is decided on the way, and why'
complete -c ctr -n "__fish_ctr_using_subcommand stats" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ctr -n "__fish_ctr_using_subcommand stats" -s V -l version -d 'Print version'
complete -c ctr -n "__fish_ctr_using_subcommand show" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t''
never\t''"
complete -c ctr -n "__fish_ctr_using_subcommand show" -l json -d 'Print one JSON document'
complete -c ctr -n "__fish_ctr_using_subcommand show" -s q -l quiet -d 'Say only what went wrong'
complete -c ctr -n "__fish_ctr_using_subcommand show" -s v -l verbose -d 'Say what is decided on the way, and why'
complete -c ctr -n "__fish_ctr_using_subcommand show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ctr -n "__fish_ctr_using_subcommand show" -s V -l version -d 'Print version'
complete -c ctr -n "__fish_ctr_using_subcommand note" -s m -d 'The note on the instance itself' -r
complete -c ctr -n "__fish_ctr_using_subcommand note" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t''
never\t''"
complete -c ctr -n "__fish_ctr_using_subcommand note" -l remove -d 'Remove the note on a variable'
complete -c ctr -n "__fish_ctr_using_subcommand note" -s q -l quiet -d 'Say only what went wrong'
complete -c ctr -n "__fish_ctr_using_subcommand note" -s v -l verbose -d 'Say what is decided on the way, and why'
complete -c ctr -n "__fish_ctr_using_subcommand note" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ctr -n "__fish_ctr_using_subcommand note" -s V -l version -d 'Print version'
complete -c ctr -n "__fish_ctr_using_subcommand logs" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t''
never\t''"
complete -c ctr -n "__fish_ctr_using_subcommand logs" -l follow -d 'Go on as it grows, until the instance ends'
complete -c ctr -n "__fish_ctr_using_subcommand logs" -l stderr -d 'Only standard error'
complete -c ctr -n "__fish_ctr_using_subcommand logs" -l stdout -d 'Only standard output'
complete -c ctr -n "__fish_ctr_using_subcommand logs" -s q -l quiet -d 'Say only what went wrong'
complete -c ctr -n "__fish_ctr_using_subcommand logs" -s v -l verbose -d 'Say what is decided on the way, and why'
complete -c ctr -n "__fish_ctr_using_subcommand logs" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ctr -n "__fish_ctr_using_subcommand logs" -s V -l version -d 'Print version'
complete -c ctr -n "__fish_ctr_using_subcommand prune" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t''
never\t''"
complete -c ctr -n "__fish_ctr_using_subcommand prune" -l dry-run -d 'Print what would be removed, and remove nothing'
complete -c ctr -n "__fish_ctr_using_subcommand prune" -s q -l quiet -d 'Say only what went wrong'
complete -c ctr -n "__fish_ctr_using_subcommand prune" -s v -l verbose -d 'Say what is decided on the way, and why'
complete -c ctr -n "__fish_ctr_using_subcommand prune" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ctr -n "__fish_ctr_using_subcommand prune" -s V -l version -d 'Print version'
complete -c ctr -n "__fish_ctr_using_subcommand overlays" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t''
never\t''"
complete -c ctr -n "__fish_ctr_using_subcommand overlays" -l json -d 'Print one JSON document'
complete -c ctr -n "__fish_ctr_using_subcommand overlays" -s q -l quiet -d 'Say only what went wrong'
complete -c ctr -n "__fish_ctr_using_subcommand overlays" -s v -l verbose -d 'Say what is decided on the way, and why'
complete -c ctr -n "__fish_ctr_using_subcommand overlays" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ctr -n "__fish_ctr_using_subcommand overlays" -s V -l version -d 'Print version'
complete -c ctr -n "__fish_ctr_using_subcommand config" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t''
never\t''"
complete -c ctr -n "__fish_ctr_using_subcommand config" -l json -d 'Print one JSON document'
complete -c ctr -n "__fish_ctr_using_subcommand config" -s q -l quiet -d 'Say only what went wrong'
complete -c ctr -n "__fish_ctr_using_subcommand config" -s v -l verbose -d 'Say what is decided on the way, and why'
complete -c ctr -n "__fish_ctr_using_subcommand config" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ctr -n "__fish_ctr_using_subcommand config" -s V -l version -d 'Print version'
complete -c ctr -n "__fish_ctr_using_subcommand doctor" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t''
never\t''"
complete -c ctr -n "__fish_ctr_using_subcommand doctor" -l json -d 'Print one JSON document'
complete -c ctr -n "__fish_ctr_using_subcommand doctor" -s q -l quiet -d 'Say only what went wrong'
complete -c ctr -n "__fish_ctr_using_subcommand doctor" -s v -l verbose -d 'Say what is decided on the way, and why'
complete -c ctr -n "__fish_ctr_using_subcommand doctor" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ctr -n "__fish_ctr_using_subcommand doctor" -s V -l version -d 'Print version'
complete -c ctr -n "__fish_ctr_using_subcommand completions" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t''
never\t''"
complete -c ctr -n "__fish_ctr_using_subcommand completions" -s q -l quiet -d 'Say only what went wrong'
complete -c ctr -n "__fish_ctr_using_subcommand completions" -s v -l verbose -d 'Say what is decided on the way, and why'
complete -c ctr -n "__fish_ctr_using_subcommand completions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ctr -n "__fish_ctr_using_subcommand completions" -s V -l version -d 'Print version'
complete -c ctr -n "__fish_ctr_using_subcommand man" -l out -d 'Write one file a page into this folder, instead of `ctr(1)` to stdout' -r -F
complete -c ctr -n "__fish_ctr_using_subcommand man" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t''
never\t''"
complete -c ctr -n "__fish_ctr_using_subcommand man" -s q -l quiet -d 'Say only what went wrong'
complete -c ctr -n "__fish_ctr_using_subcommand man" -s v -l verbose -d 'Say what is decided on the way, and why'
complete -c ctr -n "__fish_ctr_using_subcommand man" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ctr -n "__fish_ctr_using_subcommand man" -s V -l version -d 'Print version'
complete -c ctr -n "__fish_ctr_using_subcommand help; and not __fish_seen_subcommand_from start exec enter env init use leave stop restart list stats show note logs prune overlays config doctor completions man help" -f -a "start" -d 'Start an instance and remember its setup'
complete -c ctr -n "__fish_ctr_using_subcommand help; and not __fish_seen_subcommand_from start exec enter env init use leave stop restart list stats show note logs prune overlays config doctor completions man help" -f -a "exec" -d 'Run a command inside an instance'
complete -c ctr -n "__fish_ctr_using_subcommand help; and not __fish_seen_subcommand_from start exec enter env init use leave stop restart list stats show note logs prune overlays config doctor completions man help" -f -a "enter" -d 'Become an interactive shell inside an instance'
complete -c ctr -n "__fish_ctr_using_subcommand help; and not __fish_seen_subcommand_from start exec enter env init use leave stop restart list stats show note logs prune overlays config doctor completions man help" -f -a "env" -d 'Print shell code that makes an instance active, or leaves it'
complete -c ctr -n "__fish_ctr_using_subcommand help; and not __fish_seen_subcommand_from start exec enter env init use leave stop restart list stats show note logs prune overlays config doctor completions man help" -f -a "init" -d 'Print the shell integration for an rc file'
complete -c ctr -n "__fish_ctr_using_subcommand help; and not __fish_seen_subcommand_from start exec enter env init use leave stop restart list stats show note logs prune overlays config doctor completions man help" -f -a "use" -d 'Make an instance active in this shell (needs the integration)'
complete -c ctr -n "__fish_ctr_using_subcommand help; and not __fish_seen_subcommand_from start exec enter env init use leave stop restart list stats show note logs prune overlays config doctor completions man help" -f -a "leave" -d 'Leave the active instance (needs the integration)'
complete -c ctr -n "__fish_ctr_using_subcommand help; and not __fish_seen_subcommand_from start exec enter env init use leave stop restart list stats show note logs prune overlays config doctor completions man help" -f -a "stop" -d 'Stop instances and remove what is left of them'
complete -c ctr -n "__fish_ctr_using_subcommand help; and not __fish_seen_subcommand_from start exec enter env init use leave stop restart list stats show note logs prune overlays config doctor completions man help" -f -a "restart" -d 'Start instances again with the setup that was saved'
complete -c ctr -n "__fish_ctr_using_subcommand help; and not __fish_seen_subcommand_from start exec enter env init use leave stop restart list stats show note logs prune overlays config doctor completions man help" -f -a "list" -d 'List instances'
complete -c ctr -n "__fish_ctr_using_subcommand help; and not __fish_seen_subcommand_from start exec enter env init use leave stop restart list stats show note logs prune overlays config doctor completions man help" -f -a "stats" -d 'Show what instances use: CPU, memory, I/O'
complete -c ctr -n "__fish_ctr_using_subcommand help; and not __fish_seen_subcommand_from start exec enter env init use leave stop restart list stats show note logs prune overlays config doctor completions man help" -f -a "show" -d 'Show all that is known of an instance'
complete -c ctr -n "__fish_ctr_using_subcommand help; and not __fish_seen_subcommand_from start exec enter env init use leave stop restart list stats show note logs prune overlays config doctor completions man help" -f -a "note" -d 'Read and write the notes of an instance'
complete -c ctr -n "__fish_ctr_using_subcommand help; and not __fish_seen_subcommand_from start exec enter env init use leave stop restart list stats show note logs prune overlays config doctor completions man help" -f -a "logs" -d 'Show what an instance\'s start script printed'
complete -c ctr -n "__fish_ctr_using_subcommand help; and not __fish_seen_subcommand_from start exec enter env init use leave stop restart list stats show note logs prune overlays config doctor completions man help" -f -a "prune" -d 'Remove the state of instances that are gone'
complete -c ctr -n "__fish_ctr_using_subcommand help; and not __fish_seen_subcommand_from start exec enter env init use leave stop restart list stats show note logs prune overlays config doctor completions man help" -f -a "overlays" -d 'List the overlays that names resolve to'
complete -c ctr -n "__fish_ctr_using_subcommand help; and not __fish_seen_subcommand_from start exec enter env init use leave stop restart list stats show note logs prune overlays config doctor completions man help" -f -a "config" -d 'Show every setting in force, and where it came from'
complete -c ctr -n "__fish_ctr_using_subcommand help; and not __fish_seen_subcommand_from start exec enter env init use leave stop restart list stats show note logs prune overlays config doctor completions man help" -f -a "doctor" -d 'Check that this machine can run instances'
complete -c ctr -n "__fish_ctr_using_subcommand help; and not __fish_seen_subcommand_from start exec enter env init use leave stop restart list stats show note logs prune overlays config doctor completions man help" -f -a "completions" -d 'Print the completion file for a shell'
complete -c ctr -n "__fish_ctr_using_subcommand help; and not __fish_seen_subcommand_from start exec enter env init use leave stop restart list stats show note logs prune overlays config doctor completions man help" -f -a "man" -d 'Print or write the man pages'
complete -c ctr -n "__fish_ctr_using_subcommand help; and not __fish_seen_subcommand_from start exec enter env init use leave stop restart list stats show note logs prune overlays config doctor completions man help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
