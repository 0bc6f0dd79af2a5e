# shellcheck shell=sh
# The active instance before the prompt: one parameter, which the shell expands itself.
case "$-" in
*i*)
    case "${CTR_PROMPT-}:${PS1-}" in
    off:* | *'{CTR_INSTANCE'*) ;;
    *)
        # shellcheck disable=SC2016
        PS1='${CTR_INSTANCE:+(ctr:$CTR_INSTANCE) }'"${PS1-}"
        ;;
    esac
    ;;
esac
