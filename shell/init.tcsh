# The `ctr` command: `use` and `leave` act on this shell, everything else is the program. All of this
# is evaluated as one line, so every statement is a line and ends with `;`. An empty pair of quotes
# keeps an alias of the user's out, as a backslash would, which keeps out what is built in as well.
""set __ctr_binary = '__ctr_binary__';
# An alias can be told apart by its words in one way: they become the name of another alias. The
# program must be the one command in it, to have the streams of a pipeline, and the last word is
# there for when there is no other.
alias __ctr_cmd__ '__ctr_cmd__-__ctr_go \!* __ctr_end';
alias __ctr_cmd__-__ctr_go '__ctr_cmd__-\!:1 \!*';
alias __ctr_cmd__-__ctr_end '$__ctr_binary:q \!:2*';
alias __ctr_cmd__-__ctr_word__ '$__ctr_binary:q \!:1-';
# Only `source` takes words as they are and acts on this shell; the program makes the file. No value may
# stand in backquotes within double quotes: `:q` protects nothing there.
alias __ctr_cmd__-use '""source `$__ctr_binary:q init tcsh --command-file` \!:1-';
alias __ctr_cmd__-leave '""source `$__ctr_binary:q init tcsh --command-file` \!:1-';
alias __ctr_cmd__-shim '""source `$__ctr_binary:q init tcsh --command-file` \!:1-';
