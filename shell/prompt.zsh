# The active instance before the prompt, through a parameter of its own: a `%` in a value would be
# expanded in the prompt itself.
if [[ -o interactive && "${CTR_PROMPT-}" != off ]]; then
    function __ctr_prompt() { psvar[9]="${CTR_INSTANCE-}"; }
    \builtin autoload -Uz add-zsh-hook
    add-zsh-hook -d precmd __ctr_prompt
    add-zsh-hook precmd __ctr_prompt
    if [[ "${PS1-}" != *'%(9V.'* ]]; then
        PS1='%(9V.(ctr:%9v) .)'"${PS1-}"
    fi
fi
