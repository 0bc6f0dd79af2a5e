# Completion is loaded at the first TAB.
function __ctr_complete() {
    \builtin unfunction __ctr_complete
    \builtin eval "$(\command '__ctr_binary__' completions zsh 2>/dev/null)"
    compdef _ctr __ctr_cmd__
    _ctr "$@"
}
if [[ -o interactive ]] && (( ${+functions[compdef]} )); then
    compdef __ctr_complete __ctr_cmd__
fi
