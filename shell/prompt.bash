# The active instance before the prompt. PS1 gets one parameter, once, and is not looked at again.
if [[ $- == *i* && "${CTR_PROMPT-}" != off && "${PS1-}" != *'{CTR_INSTANCE'* ]]; then
    # shellcheck disable=SC2016
    PS1='${CTR_INSTANCE:+(ctr:$CTR_INSTANCE) }'"${PS1-}"
fi
