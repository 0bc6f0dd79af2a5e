# shellcheck shell=sh
# Every statement here ends with `;`, so that it survives `eval $(…)` without quotes.

# Sets a variable of the instance; what was not exported is kept in a variable beside it, since no
# child could hand it back. A failed assignment would end the evaluation, were it not for `command`.
__ctr_set() {
    case "$-" in
    # What is kept is not for children, and this would export it.
    *a*) \set +a; __ctr_set "$@"; \set -a; return 0;;
    esac;
    \command unset -v "__ctr_was_$1" 2>/dev/null || :;
    case "$3" in
    new) \eval "[ -z \"\${$1+x}\" ] || __ctr_was_$1=\$$1";;
    esac;
    \command export "$1=$2" || :;
};
# Gives a variable back: what this shell knew of it, else what the environment held ($2), else unset.
__ctr_restore() {
    case "$-" in
    *a*) \set +a; __ctr_restore "$@"; \set -a; return 0;;
    esac;
    \command unset -v "$1" || return 0;
    if \eval "[ -n \"\${__ctr_was_$1+x}\" ]"; then
        case "$(\command export -p)" in
        # One that is exported came from the environment, and is nothing that this shell knew.
        *" __ctr_was_$1="*) \command unset -v "__ctr_was_$1" || :;;
        esac;
    fi;
    if \eval "[ -n \"\${__ctr_was_$1+x}\" ]"; then
        \eval "$1=\$__ctr_was_$1";
        \command unset -v "__ctr_was_$1";
    elif [ "$#" -gt 1 ]; then
        \command export "$1=$2" || :;
    fi;
};
