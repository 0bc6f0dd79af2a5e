# What TAB offers: the program answers, from the words before the cursor.
function __ctr_complete() {
    \builtin local -a answer whole open
    \builtin local line place found=1
    answer=("${(@f)$(CTR_COMPLETE=zsh \builtin command '__ctr_binary__' -- "${(@Q)words[1,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}")
    case "$answer[1]" in
    ctr:words)
        for line in "${(@)answer[2,-1]}"; do
            # After a folder the path goes on.
            if [[ "$line" == */ ]]; then
                open+=("$line")
            else
                whole+=("$line")
            fi
        done
        (( $#whole )) && _describe -V -t values 'ctr' whole && found=0
        (( $#open )) && _describe -V -t folders 'folder' open -S '' && found=0
        \builtin return found
        ;;
    ctr:files)
        compset -P '--*='
        _files
        ;;
    'ctr:command '*)
        place="${answer[1]#ctr:command }"
        \builtin shift $place words
        (( CURRENT -= place ))
        _normal
        ;;
    *)
        \builtin return 1
        ;;
    esac
}
if [[ "${funcstack[1]-}" == _ctr ]]; then
    # Loaded by the completion system itself, to complete this very word.
    __ctr_complete "$@"
elif [[ -o interactive ]] && (( ${+functions[compdef]} )); then
    compdef __ctr_complete __ctr_cmd__
elif [[ -o interactive && "${(t)precmd_functions-}" != *readonly* ]]; then
    # The rc file may come to `compinit` yet: looked at once more, at the first prompt.
    function __ctr_register_completion() {
        add-zsh-hook -d precmd __ctr_register_completion
        (( ${+functions[compdef]} )) && compdef __ctr_complete __ctr_cmd__
    }
    \builtin autoload -Uz add-zsh-hook
    add-zsh-hook precmd __ctr_register_completion
fi
