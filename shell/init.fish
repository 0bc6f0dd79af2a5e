# The `ctr` function: `use` and `leave` act on this shell, everything else is the program. What
# may be a function of the user's has `builtin` before it.
function __ctr_cmd__
    if builtin contains -- "$argv[1]" use leave; and not builtin contains -- "$argv[2]" -h --help
        set -l code
        if test "$argv[1]" = use
            set code (command __ctr_binary__ env --shell fish $argv[2..-1] | builtin string collect)
            or return $pipestatus[1]
        else
            set code (command __ctr_binary__ env --shell fish --unset $argv[2..-1] | builtin string collect)
            or return $pipestatus[1]
        end
        eval "$code"
    else
        # With the words in it, for `jobs` to show.
        eval command (builtin string escape -- __ctr_binary__ $argv)
    end
end
