#compdef ctr

autoload -U is-at-least

_ctr() {
    typeset -A opt_args
    typeset -a _arguments_options
    local ret=1

    if is-at-least 5.2; then
        _arguments_options=(-s -S -C)
    else
        _arguments_options=(-s -C)
    fi

    local context curcontext="$curcontext" state line
    _arguments "${_arguments_options[@]}" : \
'--color=[When to use colour]:WHEN:((auto\:"On a terminal, unless \`NO_COLOR\` is set"
always\:""
never\:""))' \
'(-v --verbose)-q[Say only what went wrong]' \
'(-v --verbose)--quiet[Say only what went wrong]' \
'-v[Say what is decided on the way, and why]' \
'--verbose[Say what is decided on the way, and why]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'-V[Print version]' \
'--version[Print version]' \
":: :_ctr_commands" \
"*::: :->ctr" \
&& ret=0
    case $state in
    (ctr)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:ctr-command-$line[1]:"
        case $line[1] in
            (start)
_arguments "${_arguments_options[@]}" : \
'*-o+[Overlay\: a name (\`samtools/1.22\`) or a file; later ones win]:OVERLAY[:ro|:rw]:_default' \
'*--overlay=[Overlay\: a name (\`samtools/1.22\`) or a file; later ones win]:OVERLAY[:ro|:rw]:_default' \
'-b+[Base image\: a SIF, a sandbox folder, a URI, or \`hostos\`]:IMAGE:_default' \
'--base-image=[Base image\: a SIF, a sandbox folder, a URI, or \`hostos\`]:IMAGE:_default' \
'*--bind=[Bind a path of the host into the instance]:SRC[:DST[:OPTS]]:_default' \
'*-e+[Set a variable inside; the value is literal]:KEY=VALUE:_default' \
'*--env=[Set a variable inside; the value is literal]:KEY=VALUE:_default' \
'*--note=[Attach a note to a variable]:KEY=TEXT:_default' \
'--gpu=[Which GPUs to bring in]:GPU:((auto\:"Those that \`/dev\` shows"
none\:""
nvidia\:""
rocm\:""))' \
'--color=[When to use colour]:WHEN:((auto\:"On a terminal, unless \`NO_COLOR\` is set"
always\:""
never\:""))' \
'-w[Open the ext3 overlay for writing]' \
'--writable[Open the ext3 overlay for writing]' \
'-f[Appear as root inside]' \
'--fakeroot[Appear as root inside]' \
'--dry-run[Print what would be done, and do nothing]' \
'(--replace)--if-needed[Succeed when it runs already with this setup]' \
'--replace[Stop it first when it runs]' \
'(-v --verbose)-q[Say only what went wrong]' \
'(-v --verbose)--quiet[Say only what went wrong]' \
'-v[Say what is decided on the way, and why]' \
'--verbose[Say what is decided on the way, and why]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'-V[Print version]' \
'--version[Print version]' \
':name -- Name of the instance:_default' \
'*::apptainer_flags -- Flags for `apptainer instance start`:_default' \
&& ret=0
;;
(exec)
_arguments "${_arguments_options[@]}" : \
'*-e+[Set a variable for this command; the value is literal]:KEY=VALUE:_default' \
'*--env=[Set a variable for this command; the value is literal]:KEY=VALUE:_default' \
'--cwd=[Run in this folder of the instance]:DIR:_default' \
'--color=[When to use colour]:WHEN:((auto\:"On a terminal, unless \`NO_COLOR\` is set"
always\:""
never\:""))' \
'--cleanenv[Start from an empty environment instead of the caller'\''s]' \
'--keep-env[Keep the caller'\''s variables that would break a foreign image]' \
'(-v --verbose)-q[Say only what went wrong]' \
'(-v --verbose)--quiet[Say only what went wrong]' \
'-v[Say what is decided on the way, and why]' \
'--verbose[Say what is decided on the way, and why]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'-V[Print version]' \
'--version[Print version]' \
'*::words -- The instance (`.` is the active one), then the command and its arguments:_default' \
&& ret=0
;;
(enter)
_arguments "${_arguments_options[@]}" : \
'*-e+[Set a variable for this shell; the value is literal]:KEY=VALUE:_default' \
'*--env=[Set a variable for this shell; the value is literal]:KEY=VALUE:_default' \
'--shell=[The shell to run inside]:PATH:_default' \
'--color=[When to use colour]:WHEN:((auto\:"On a terminal, unless \`NO_COLOR\` is set"
always\:""
never\:""))' \
'(-v --verbose)-q[Say only what went wrong]' \
'(-v --verbose)--quiet[Say only what went wrong]' \
'-v[Say what is decided on the way, and why]' \
'--verbose[Say what is decided on the way, and why]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'-V[Print version]' \
'--version[Print version]' \
'::name -- The instance; the active one when not given:_default' \
&& ret=0
;;
(env)
_arguments "${_arguments_options[@]}" : \
'--shell=[The shell to print code for; found from the calling process when not given]:SHELL:((bash\:""
zsh\:""
fish\:""
sh\:"POSIX\: dash, ash, ksh"
tcsh\:""
elvish\:""
xonsh\:""
nushell\:""
powershell\:"Experimental"))' \
'--color=[When to use colour]:WHEN:((auto\:"On a terminal, unless \`NO_COLOR\` is set"
always\:""
never\:""))' \
'--if-running[Print nothing and succeed when the instance does not run]' \
'(--json --if-running)--unset[Leave the active instance]' \
'--json[Print one JSON document instead of code]' \
'(--json --if-running --unset)--refresh[Bring the shell up to date with its active instance\: what the prompt hook evaluates]' \
'(-v --verbose)-q[Say only what went wrong]' \
'(-v --verbose)--quiet[Say only what went wrong]' \
'-v[Say what is decided on the way, and why]' \
'--verbose[Say what is decided on the way, and why]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'-V[Print version]' \
'--version[Print version]' \
'::name -- The instance; the active one when not given:_default' \
&& ret=0
;;
(init)
_arguments "${_arguments_options[@]}" : \
'--cmd=[Name of the shell function]:NAME:_default' \
'--color=[When to use colour]:WHEN:((auto\:"On a terminal, unless \`NO_COLOR\` is set"
always\:""
never\:""))' \
'--no-prompt[Leave the prompt alone]' \
'--no-completion[Do not load completion]' \
'--command-file[Make the file that is tcsh'\''s function, and print its path\: what its alias calls]' \
'(-v --verbose)-q[Say only what went wrong]' \
'(-v --verbose)--quiet[Say only what went wrong]' \
'-v[Say what is decided on the way, and why]' \
'--verbose[Say what is decided on the way, and why]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'-V[Print version]' \
'--version[Print version]' \
':shell -- The shell of the rc file:((bash\:""
zsh\:""
fish\:""
sh\:"POSIX\: dash, ash, ksh"
tcsh\:""
elvish\:""
xonsh\:""
nushell\:""
powershell\:"Experimental"))' \
&& ret=0
;;
(use)
_arguments "${_arguments_options[@]}" : \
'--color=[When to use colour]:WHEN:((auto\:"On a terminal, unless \`NO_COLOR\` is set"
always\:""
never\:""))' \
'(-v --verbose)-q[Say only what went wrong]' \
'(-v --verbose)--quiet[Say only what went wrong]' \
'-v[Say what is decided on the way, and why]' \
'--verbose[Say what is decided on the way, and why]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'-V[Print version]' \
'--version[Print version]' \
':name -- The instance:_default' \
&& ret=0
;;
(leave)
_arguments "${_arguments_options[@]}" : \
'--color=[When to use colour]:WHEN:((auto\:"On a terminal, unless \`NO_COLOR\` is set"
always\:""
never\:""))' \
'(-v --verbose)-q[Say only what went wrong]' \
'(-v --verbose)--quiet[Say only what went wrong]' \
'-v[Say what is decided on the way, and why]' \
'--verbose[Say what is decided on the way, and why]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'-V[Print version]' \
'--version[Print version]' \
&& ret=0
;;
(stop)
_arguments "${_arguments_options[@]}" : \
'-s+[The signal that asks the processes to end]:SIGNAL:_default' \
'--signal=[The signal that asks the processes to end]:SIGNAL:_default' \
'-t+[Seconds until they are killed]:SECONDS:_default' \
'--timeout=[Seconds until they are killed]:SECONDS:_default' \
'--color=[When to use colour]:WHEN:((auto\:"On a terminal, unless \`NO_COLOR\` is set"
always\:""
never\:""))' \
'()-a[All that \`ctr\` tracks on this host]' \
'()--all[All that \`ctr\` tracks on this host]' \
'--untracked[Also instances that were started without \`ctr\`]' \
'--keep[Keep the setup, for \`ctr restart\`]' \
'(-s --signal -t --timeout)-F[Kill at once, without asking the processes to end]' \
'(-s --signal -t --timeout)--force[Kill at once, without asking the processes to end]' \
'(-v --verbose)-q[Say only what went wrong]' \
'(-v --verbose)--quiet[Say only what went wrong]' \
'-v[Say what is decided on the way, and why]' \
'--verbose[Say what is decided on the way, and why]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'-V[Print version]' \
'--version[Print version]' \
'*::patterns -- Names or shell patterns:_default' \
&& ret=0
;;
(restart)
_arguments "${_arguments_options[@]}" : \
'--color=[When to use colour]:WHEN:((auto\:"On a terminal, unless \`NO_COLOR\` is set"
always\:""
never\:""))' \
'(-v --verbose)-q[Say only what went wrong]' \
'(-v --verbose)--quiet[Say only what went wrong]' \
'-v[Say what is decided on the way, and why]' \
'--verbose[Say what is decided on the way, and why]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'-V[Print version]' \
'--version[Print version]' \
'*::patterns -- Names or shell patterns; the active one when not given:_default' \
&& ret=0
;;
(list)
_arguments "${_arguments_options[@]}" : \
'--color=[When to use colour]:WHEN:((auto\:"On a terminal, unless \`NO_COLOR\` is set"
always\:""
never\:""))' \
'--json[Print one JSON document]' \
'(--json)--names[Print only the names]' \
'--all-hosts[Also the instances of other hosts that share this home]' \
'(-v --verbose)-q[Say only what went wrong]' \
'(-v --verbose)--quiet[Say only what went wrong]' \
'-v[Say what is decided on the way, and why]' \
'--verbose[Say what is decided on the way, and why]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'-V[Print version]' \
'--version[Print version]' \
'::pattern -- Only names that match:_default' \
&& ret=0
;;
(stats)
_arguments "${_arguments_options[@]}" : \
'--color=[When to use colour]:WHEN:((auto\:"On a terminal, unless \`NO_COLOR\` is set"
always\:""
never\:""))' \
'--json[Print one JSON document]' \
'(--json)--watch[Redraw until interrupted]' \
'(-v --verbose)-q[Say only what went wrong]' \
'(-v --verbose)--quiet[Say only what went wrong]' \
'-v[Say what is decided on the way, and why]' \
'--verbose[Say what is decided on the way, and why]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'-V[Print version]' \
'--version[Print version]' \
'*::patterns -- Names or shell patterns; every running instance when not given:_default' \
&& ret=0
;;
(show)
_arguments "${_arguments_options[@]}" : \
'--color=[When to use colour]:WHEN:((auto\:"On a terminal, unless \`NO_COLOR\` is set"
always\:""
never\:""))' \
'--json[Print one JSON document]' \
'(-v --verbose)-q[Say only what went wrong]' \
'(-v --verbose)--quiet[Say only what went wrong]' \
'-v[Say what is decided on the way, and why]' \
'--verbose[Say what is decided on the way, and why]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'-V[Print version]' \
'--version[Print version]' \
'::name -- The instance; the active one when not given:_default' \
&& ret=0
;;
(note)
_arguments "${_arguments_options[@]}" : \
'(--remove)-m+[The note on the instance itself]:TEXT:_default' \
'--color=[When to use colour]:WHEN:((auto\:"On a terminal, unless \`NO_COLOR\` is set"
always\:""
never\:""))' \
'--remove[Remove the note on a variable]' \
'(-v --verbose)-q[Say only what went wrong]' \
'(-v --verbose)--quiet[Say only what went wrong]' \
'-v[Say what is decided on the way, and why]' \
'--verbose[Say what is decided on the way, and why]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'-V[Print version]' \
'--version[Print version]' \
':name -- The instance:_default' \
'::note -- A variable, to read its note, or KEY=TEXT, to write it:_default' \
&& ret=0
;;
(logs)
_arguments "${_arguments_options[@]}" : \
'--color=[When to use colour]:WHEN:((auto\:"On a terminal, unless \`NO_COLOR\` is set"
always\:""
never\:""))' \
'--follow[Go on as it grows, until the instance ends]' \
'(--stdout)--stderr[Only standard error]' \
'--stdout[Only standard output]' \
'(-v --verbose)-q[Say only what went wrong]' \
'(-v --verbose)--quiet[Say only what went wrong]' \
'-v[Say what is decided on the way, and why]' \
'--verbose[Say what is decided on the way, and why]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'-V[Print version]' \
'--version[Print version]' \
'::name -- The instance; the active one when not given:_default' \
&& ret=0
;;
(prune)
_arguments "${_arguments_options[@]}" : \
'--color=[When to use colour]:WHEN:((auto\:"On a terminal, unless \`NO_COLOR\` is set"
always\:""
never\:""))' \
'--dry-run[Print what would be removed, and remove nothing]' \
'(-v --verbose)-q[Say only what went wrong]' \
'(-v --verbose)--quiet[Say only what went wrong]' \
'-v[Say what is decided on the way, and why]' \
'--verbose[Say what is decided on the way, and why]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'-V[Print version]' \
'--version[Print version]' \
&& ret=0
;;
(overlays)
_arguments "${_arguments_options[@]}" : \
'--color=[When to use colour]:WHEN:((auto\:"On a terminal, unless \`NO_COLOR\` is set"
always\:""
never\:""))' \
'--json[Print one JSON document]' \
'(-v --verbose)-q[Say only what went wrong]' \
'(-v --verbose)--quiet[Say only what went wrong]' \
'-v[Say what is decided on the way, and why]' \
'--verbose[Say what is decided on the way, and why]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'-V[Print version]' \
'--version[Print version]' \
'::pattern -- Only names that match:_default' \
&& ret=0
;;
(config)
_arguments "${_arguments_options[@]}" : \
'--color=[When to use colour]:WHEN:((auto\:"On a terminal, unless \`NO_COLOR\` is set"
always\:""
never\:""))' \
'--json[Print one JSON document]' \
'(-v --verbose)-q[Say only what went wrong]' \
'(-v --verbose)--quiet[Say only what went wrong]' \
'-v[Say what is decided on the way, and why]' \
'--verbose[Say what is decided on the way, and why]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'-V[Print version]' \
'--version[Print version]' \
&& ret=0
;;
(doctor)
_arguments "${_arguments_options[@]}" : \
'--color=[When to use colour]:WHEN:((auto\:"On a terminal, unless \`NO_COLOR\` is set"
always\:""
never\:""))' \
'--json[Print one JSON document]' \
'(-v --verbose)-q[Say only what went wrong]' \
'(-v --verbose)--quiet[Say only what went wrong]' \
'-v[Say what is decided on the way, and why]' \
'--verbose[Say what is decided on the way, and why]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'-V[Print version]' \
'--version[Print version]' \
&& ret=0
;;
(completions)
_arguments "${_arguments_options[@]}" : \
'--color=[When to use colour]:WHEN:((auto\:"On a terminal, unless \`NO_COLOR\` is set"
always\:""
never\:""))' \
'(-v --verbose)-q[Say only what went wrong]' \
'(-v --verbose)--quiet[Say only what went wrong]' \
'-v[Say what is decided on the way, and why]' \
'--verbose[Say what is decided on the way, and why]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'-V[Print version]' \
'--version[Print version]' \
':shell -- The shell:(bash elvish fish powershell zsh)' \
&& ret=0
;;
(man)
_arguments "${_arguments_options[@]}" : \
'--out=[Write one file a page into this folder, instead of \`ctr(1)\` to stdout]:DIR:_files' \
'--color=[When to use colour]:WHEN:((auto\:"On a terminal, unless \`NO_COLOR\` is set"
always\:""
never\:""))' \
'(-v --verbose)-q[Say only what went wrong]' \
'(-v --verbose)--quiet[Say only what went wrong]' \
'-v[Say what is decided on the way, and why]' \
'--verbose[Say what is decided on the way, and why]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'-V[Print version]' \
'--version[Print version]' \
&& ret=0
;;
(help)
_arguments "${_arguments_options[@]}" : \
":: :_ctr__subcmd__help_commands" \
"*::: :->help" \
&& ret=0

    case $state in
    (help)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:ctr-help-command-$line[1]:"
        case $line[1] in
            (start)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(exec)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(enter)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(env)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(init)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(use)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(leave)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(stop)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(restart)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(list)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(stats)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(show)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(note)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(logs)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(prune)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(overlays)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(config)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(doctor)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(completions)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(man)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(help)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
        esac
    ;;
esac
;;
        esac
    ;;
esac
}

(( $+functions[_ctr_commands] )) ||
_ctr_commands() {
    local commands; commands=(
'start:Start an instance and remember its setup' \
'exec:Run a command inside an instance' \
'enter:Become an interactive shell inside an instance' \
'env:Print shell code that makes an instance active, or leaves it' \
'init:Print the shell integration for an rc file' \
'use:Make an instance active in this shell (needs the integration)' \
'leave:Leave the active instance (needs the integration)' \
'stop:Stop instances and remove what is left of them' \
'restart:Start instances again with the setup that was saved' \
'list:List instances' \
'stats:Show what instances use\: CPU, memory, I/O' \
'show:Show all that is known of an instance' \
'note:Read and write the notes of an instance' \
'logs:Show what an instance'\''s start script printed' \
'prune:Remove the state of instances that are gone' \
'overlays:List the overlays that names resolve to' \
'config:Show every setting in force, and where it came from' \
'doctor:Check that this machine can run instances' \
'completions:Print the completion file for a shell' \
'man:Print or write the man pages' \
'help:Print this message or the help of the given subcommand(s)' \
    )
    _describe -t commands 'ctr commands' commands "$@"
}
(( $+functions[_ctr__subcmd__completions_commands] )) ||
_ctr__subcmd__completions_commands() {
    local commands; commands=()
    _describe -t commands 'ctr completions commands' commands "$@"
}
(( $+functions[_ctr__subcmd__config_commands] )) ||
_ctr__subcmd__config_commands() {
    local commands; commands=()
    _describe -t commands 'ctr config commands' commands "$@"
}
(( $+functions[_ctr__subcmd__doctor_commands] )) ||
_ctr__subcmd__doctor_commands() {
    local commands; commands=()
    _describe -t commands 'ctr doctor commands' commands "$@"
}
(( $+functions[_ctr__subcmd__enter_commands] )) ||
_ctr__subcmd__enter_commands() {
    local commands; commands=()
    _describe -t commands 'ctr enter commands' commands "$@"
}
(( $+functions[_ctr__subcmd__env_commands] )) ||
_ctr__subcmd__env_commands() {
    local commands; commands=()
    _describe -t commands 'ctr env commands' commands "$@"
}
(( $+functions[_ctr__subcmd__exec_commands] )) ||
_ctr__subcmd__exec_commands() {
    local commands; commands=()
    _describe -t commands 'ctr exec commands' commands "$@"
}
(( $+functions[_ctr__subcmd__help_commands] )) ||
_ctr__subcmd__help_commands() {
    local commands; commands=(
'start:Start an instance and remember its setup' \
'exec:Run a command inside an instance' \
'enter:Become an interactive shell inside an instance' \
'env:Print shell code that makes an instance active, or leaves it' \
'init:Print the shell integration for an rc file' \
'use:Make an instance active in this shell (needs the integration)' \
'leave:Leave the active instance (needs the integration)' \
'stop:Stop instances and remove what is left of them' \
'restart:Start instances again with the setup that was saved' \
'list:List instances' \
'stats:Show what instances use\: CPU, memory, I/O' \
'show:Show all that is known of an instance' \
'note:Read and write the notes of an instance' \
'logs:Show what an instance'\''s start script printed' \
'prune:Remove the state of instances that are gone' \
'overlays:List the overlays that names resolve to' \
'config:Show every setting in force, and where it came from' \
'doctor:Check that this machine can run instances' \
'completions:Print the completion file for a shell' \
'man:Print or write the man pages' \
'help:Print this message or the help of the given subcommand(s)' \
    )
    _describe -t commands 'ctr help commands' commands "$@"
}
(( $+functions[_ctr__subcmd__help__subcmd__completions_commands] )) ||
_ctr__subcmd__help__subcmd__completions_commands() {
    local commands; commands=()
    _describe -t commands 'ctr help completions commands' commands "$@"
}
(( $+functions[_ctr__subcmd__help__subcmd__config_commands] )) ||
_ctr__subcmd__help__subcmd__config_commands() {
    local commands; commands=()
    _describe -t commands 'ctr help config commands' commands "$@"
}
(( $+functions[_ctr__subcmd__help__subcmd__doctor_commands] )) ||
_ctr__subcmd__help__subcmd__doctor_commands() {
    local commands; commands=()
    _describe -t commands 'ctr help doctor commands' commands "$@"
}
(( $+functions[_ctr__subcmd__help__subcmd__enter_commands] )) ||
_ctr__subcmd__help__subcmd__enter_commands() {
    local commands; commands=()
    _describe -t commands 'ctr help enter commands' commands "$@"
}
(( $+functions[_ctr__subcmd__help__subcmd__env_commands] )) ||
_ctr__subcmd__help__subcmd__env_commands() {
    local commands; commands=()
    _describe -t commands 'ctr help env commands' commands "$@"
}
(( $+functions[_ctr__subcmd__help__subcmd__exec_commands] )) ||
_ctr__subcmd__help__subcmd__exec_commands() {
    local commands; commands=()
    _describe -t commands 'ctr help exec commands' commands "$@"
}
(( $+functions[_ctr__subcmd__help__subcmd__help_commands] )) ||
_ctr__subcmd__help__subcmd__help_commands() {
    local commands; commands=()
    _describe -t commands 'ctr help help commands' commands "$@"
}
(( $+functions[_ctr__subcmd__help__subcmd__init_commands] )) ||
_ctr__subcmd__help__subcmd__init_commands() {
    local commands; commands=()
    _describe -t commands 'ctr help init commands' commands "$@"
}
(( $+functions[_ctr__subcmd__help__subcmd__leave_commands] )) ||
_ctr__subcmd__help__subcmd__leave_commands() {
    local commands; commands=()
    _describe -t commands 'ctr help leave commands' commands "$@"
}
(( $+functions[_ctr__subcmd__help__subcmd__list_commands] )) ||
_ctr__subcmd__help__subcmd__list_commands() {
    local commands; commands=()
    _describe -t commands 'ctr help list commands' commands "$@"
}
(( $+functions[_ctr__subcmd__help__subcmd__logs_commands] )) ||
_ctr__subcmd__help__subcmd__logs_commands() {
    local commands; commands=()
    _describe -t commands 'ctr help logs commands' commands "$@"
}
(( $+functions[_ctr__subcmd__help__subcmd__man_commands] )) ||
_ctr__subcmd__help__subcmd__man_commands() {
    local commands; commands=()
    _describe -t commands 'ctr help man commands' commands "$@"
}
(( $+functions[_ctr__subcmd__help__subcmd__note_commands] )) ||
_ctr__subcmd__help__subcmd__note_commands() {
    local commands; commands=()
    _describe -t commands 'ctr help note commands' commands "$@"
}
(( $+functions[_ctr__subcmd__help__subcmd__overlays_commands] )) ||
_ctr__subcmd__help__subcmd__overlays_commands() {
    local commands; commands=()
    _describe -t commands 'ctr help overlays commands' commands "$@"
}
(( $+functions[_ctr__subcmd__help__subcmd__prune_commands] )) ||
_ctr__subcmd__help__subcmd__prune_commands() {
    local commands; commands=()
    _describe -t commands 'ctr help prune commands' commands "$@"
}
(( $+functions[_ctr__subcmd__help__subcmd__restart_commands] )) ||
_ctr__subcmd__help__subcmd__restart_commands() {
    local commands; commands=()
    _describe -t commands 'ctr help restart commands' commands "$@"
}
(( $+functions[_ctr__subcmd__help__subcmd__show_commands] )) ||
_ctr__subcmd__help__subcmd__show_commands() {
    local commands; commands=()
    _describe -t commands 'ctr help show commands' commands "$@"
}
(( $+functions[_ctr__subcmd__help__subcmd__start_commands] )) ||
_ctr__subcmd__help__subcmd__start_commands() {
    local commands; commands=()
    _describe -t commands 'ctr help start commands' commands "$@"
}
(( $+functions[_ctr__subcmd__help__subcmd__stats_commands] )) ||
_ctr__subcmd__help__subcmd__stats_commands() {
    local commands; commands=()
    _describe -t commands 'ctr help stats commands' commands "$@"
}
(( $+functions[_ctr__subcmd__help__subcmd__stop_commands] )) ||
_ctr__subcmd__help__subcmd__stop_commands() {
    local commands; commands=()
    _describe -t commands 'ctr help stop commands' commands "$@"
}
(( $+functions[_ctr__subcmd__help__subcmd__use_commands] )) ||
_ctr__subcmd__help__subcmd__use_commands() {
    local commands; commands=()
    _describe -t commands 'ctr help use commands' commands "$@"
}
(( $+functions[_ctr__subcmd__init_commands] )) ||
_ctr__subcmd__init_commands() {
    local commands; commands=()
    _describe -t commands 'ctr init commands' commands "$@"
}
(( $+functions[_ctr__subcmd__leave_commands] )) ||
_ctr__subcmd__leave_commands() {
    local commands; commands=()
    _describe -t commands 'ctr leave commands' commands "$@"
}
(( $+functions[_ctr__subcmd__list_commands] )) ||
_ctr__subcmd__list_commands() {
    local commands; commands=()
    _describe -t commands 'ctr list commands' commands "$@"
}
(( $+functions[_ctr__subcmd__logs_commands] )) ||
_ctr__subcmd__logs_commands() {
    local commands; commands=()
    _describe -t commands 'ctr logs commands' commands "$@"
}
(( $+functions[_ctr__subcmd__man_commands] )) ||
_ctr__subcmd__man_commands() {
    local commands; commands=()
    _describe -t commands 'ctr man commands' commands "$@"
}
(( $+functions[_ctr__subcmd__note_commands] )) ||
_ctr__subcmd__note_commands() {
    local commands; commands=()
    _describe -t commands 'ctr note commands' commands "$@"
}
(( $+functions[_ctr__subcmd__overlays_commands] )) ||
_ctr__subcmd__overlays_commands() {
    local commands; commands=()
    _describe -t commands 'ctr overlays commands' commands "$@"
}
(( $+functions[_ctr__subcmd__prune_commands] )) ||
_ctr__subcmd__prune_commands() {
    local commands; commands=()
    _describe -t commands 'ctr prune commands' commands "$@"
}
(( $+functions[_ctr__subcmd__restart_commands] )) ||
_ctr__subcmd__restart_commands() {
    local commands; commands=()
    _describe -t commands 'ctr restart commands' commands "$@"
}
(( $+functions[_ctr__subcmd__show_commands] )) ||
_ctr__subcmd__show_commands() {
    local commands; commands=()
    _describe -t commands 'ctr show commands' commands "$@"
}
(( $+functions[_ctr__subcmd__start_commands] )) ||
_ctr__subcmd__start_commands() {
    local commands; commands=()
    _describe -t commands 'ctr start commands' commands "$@"
}
(( $+functions[_ctr__subcmd__stats_commands] )) ||
_ctr__subcmd__stats_commands() {
    local commands; commands=()
    _describe -t commands 'ctr stats commands' commands "$@"
}
(( $+functions[_ctr__subcmd__stop_commands] )) ||
_ctr__subcmd__stop_commands() {
    local commands; commands=()
    _describe -t commands 'ctr stop commands' commands "$@"
}
(( $+functions[_ctr__subcmd__use_commands] )) ||
_ctr__subcmd__use_commands() {
    local commands; commands=()
    _describe -t commands 'ctr use commands' commands "$@"
}

if [ "$funcstack[1]" = "_ctr" ]; then
    _ctr "$@"
else
    compdef _ctr ctr
fi
