# shellcheck shell=sh
# Every statement here ends with `;`, so that it survives `eval $(…)` without quotes.

# Fails, and says so, for a variable that is read-only: to touch it would end the shell, so a child of it tries. No
# `command`, which would prevent that as well, since it may be a function of the user's.
__ctr_can() {
    (\unset -v "$1") 2>/dev/null && return 0;
    \echo "ctr: $1 is read-only in this shell, and stays as it is" >&2;
    return 1;
};
# Sets a variable; what was not exported is kept in a variable beside it, since no child could hand it back.
__ctr_set() {
    case "$-" in
    # What is kept is not for children, and this would export it.
    *a*) \set +a; __ctr_set "$@"; \set -a; return 0;;
    esac;
    __ctr_can "$1" || return 0;
    if __ctr_can "__ctr_was_$1"; then
        \unset -v "__ctr_was_$1";
        case "$3" in
        new) \eval "[ -z \"\${$1+x}\" ] || __ctr_was_$1=\$$1";;
        esac;
    fi;
    \export "$1=$2";
};
# Gives a variable back: what this shell knew of it, else what the environment held ($2), else unset.
__ctr_restore() {
    case "$-" in
    *a*) \set +a; __ctr_restore "$@"; \set -a; return 0;;
    esac;
    __ctr_can "$1" || return 0;
    \unset -v "$1";
    if \eval "[ -n \"\${__ctr_was_$1+x}\" ]"; then
        case "$(\export -p)" in
        # One that is exported came from the environment, and is nothing that this shell knew.
        *" __ctr_was_$1="*) ! __ctr_can "__ctr_was_$1" || \unset -v "__ctr_was_$1";;
        esac;
    fi;
    if \eval "[ -n \"\${__ctr_was_$1+x}\" ]"; then
        \eval "$1=\$__ctr_was_$1";
        ! __ctr_can "__ctr_was_$1" || \unset -v "__ctr_was_$1";
    elif [ "$#" -gt 1 ]; then
        \export "$1=$2";
    fi;
};
