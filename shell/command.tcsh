# `use`, `leave` and `shim` in tcsh, with these words in $argv.
set __ctr_do = $argv[1]
if ( $#argv > 1 ) then
    # Without the x, a word such as -d would be a question about a file.
    if ( "x$argv[2]:q" == x-h || "x$argv[2]:q" == x--help ) set __ctr_do = help
endif
switch ( $__ctr_do )
case use:
    set __ctr_code = "`'__ctr_binary__' env --shell tcsh $argv[2-]:q`"
    set __ctr_status = $status
    eval "$__ctr_code:q"
    breaksw
case leave:
    set __ctr_code = "`'__ctr_binary__' env --shell tcsh --unset $argv[2-]:q`"
    set __ctr_status = $status
    eval "$__ctr_code:q"
    breaksw
default:
    '__ctr_binary__' $argv:q
    set __ctr_status = $status
    # What is in the folders of `path` is remembered, and `shim` changes it.
    rehash
endsw
# The end of a block would be a success.
set status = $__ctr_status
