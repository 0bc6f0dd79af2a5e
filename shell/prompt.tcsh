# The prompt hook. While the process of the active instance is there, it only looks at /proc, PATH and
# the prompt: no program, no fork, no file of a home. A variable is looked at in an alias of its own, since an `if`
# would complain of one that is not set whatever it finds. Who unsets CTR_INSTANCE leaves.
alias __ctr_refresh '""eval `$__ctr_binary:q env --shell tcsh --refresh`';
alias __ctr_check 'if (! $?CTR_INSTANCE || ! -o "/proc/$CTR_PROCESS:s/:/./:r:q") ""eval __ctr_refresh';
# Others put a whole PATH of before back: a virtual environment that is left, direnv. To `$?` a variable of
# the environment is one as well, and that is no memory of this shell's. Without `:q` a newline ends double quotes, and in
# backquotes within those even `:q` protects nothing.
""unsetenv __ctr_held;
""set __ctr_seen = "";
alias __ctr_keep '""set __ctr_held = ""';
if (! $?__ctr_held) ""eval __ctr_keep;
alias __ctr_entry '""set __ctr_now = "${CTR_PATH_ENTRY:q}:$PATH:q"';
alias __ctr_hold '""eval `$__ctr_binary:q env --shell tcsh --hold $__ctr_held:q`';
alias __ctr_look '""set __ctr_seen = "$__ctr_now:q"; if ("$__ctr_held:q" \!= "") ""eval __ctr_hold';
alias __ctr_path '""set __ctr_now = ":$PATH:q"; if ($?CTR_PATH_ENTRY) ""eval __ctr_entry; if ("$__ctr_now:q" \!= "$__ctr_seen:q") ""eval __ctr_look';
alias __ctr_show '""set __ctr_marker = "(ctr:${CTR_INSTANCE:q}) "';
alias __ctr_off 'if ("$CTR_PROMPT:q" == off) ""set __ctr_marker = ""';
# The prompt gets one parameter; who sets another prompt, at each folder say, gets it again.
alias __ctr_mark 'if ("$prompt:q" \!~ *{__ctr_marker}*) ""set prompt = %\$\{__ctr_marker\}"$prompt:q"';
alias __ctr_hook '""set __ctr_marker = ""; if ($?CTR_PROCESS) ""eval __ctr_check; __ctr_path; if ($?CTR_INSTANCE) ""eval __ctr_show; if ($?CTR_PROMPT) ""eval __ctr_off; if ("$__ctr_marker:q" \!= "") ""eval __ctr_mark';
# What others do before the prompt goes on, and only once.
alias __ctr_add '""set __ctr_others = "`alias precmd`"; if ("$__ctr_others:q" == "") alias precmd __ctr_hook; if ("$__ctr_others:q" \!~ *__ctr_hook*) alias precmd "$__ctr_others:q; __ctr_hook"; ""unset __ctr_others';
if ($?prompt) ""eval __ctr_add;
