# Completion is loaded at the first TAB.
function __ctr_complete() {
    \builtin eval "$(\command '__ctr_binary__' completions bash 2>/dev/null)"
    # 124 asks bash to begin again with what is loaded now.
    \builtin complete -F _ctr -o bashdefault -o default __ctr_cmd__ && \builtin return 124
}
if [[ $- == *i* ]]; then
    \builtin complete -F __ctr_complete -o bashdefault -o default __ctr_cmd__
fi
