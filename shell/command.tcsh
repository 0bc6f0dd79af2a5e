# `use`, `leave` and `shim` in tcsh, with these words in $argv. None may stand in backquotes within double
# quotes: there `:q` protects nothing. An empty pair of quotes keeps an alias of the user's out.
""set __ctr_do = $argv[1]:q
if ( $#argv > 1 ) then
    # Without the x, a word such as -d would be a question about a file.
    if ( "x$argv[2]:q" == x-h || "x$argv[2]:q" == x--help ) ""set __ctr_do = help
endif
if ( "$__ctr_do:q" == use ) then
    ""set __ctr_code = `$__ctr_binary:q env --shell tcsh $argv[2-]:q`
    ""set __ctr_status = $status
    ""eval $__ctr_code:q
else if ( "$__ctr_do:q" == leave ) then
    ""set __ctr_code = `$__ctr_binary:q env --shell tcsh --unset $argv[2-]:q`
    ""set __ctr_status = $status
    ""eval $__ctr_code:q
else
    $__ctr_binary:q $argv:q
    ""set __ctr_status = $status
    # What is in the folders of `path` is remembered, and `shim` changes it.
    ""rehash
endif
# The end of a block would be a success.
""set status = $__ctr_status
