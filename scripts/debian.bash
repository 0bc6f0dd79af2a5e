# shellcheck shell=bash
# What several scripts need to know of a Debian. Sourced, not run.

# Installs packages and prints nothing but errors. The package lists are fetched only when they are
# missing or out of date. Needs root.
install_packages() { # PACKAGE...
  local command=(apt-get -qq -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=600)
  local install=(env DEBIAN_FRONTEND=noninteractive "${command[@]}" install -y --no-install-recommends "$@")
  "${install[@]}" >/dev/null 2>&1 || { "${command[@]}" update && "${install[@]}"; } >/dev/null
}

# Prints the address of the Debian archive that this machine's apt uses. Works before any
# `apt-get update`, where `apt-get indextargets` prints nothing.
debian_archive() {
  apt-get update --print-uris | sed -n "s|^'\(.*/debian/\)dists/.*|\1|p" | sort -u | sed q
}

# True when this Debian offers a package.
is_offered() { # PACKAGE
  [[ -n $(ls /var/lib/apt/lists/*Packages* 2>/dev/null) ]] || apt-get -qq update
  apt-cache policy "$1" | grep -q 'Candidate: [^(]'
}

is_here() { # PROGRAM or a file with its path
  if [[ $1 = /* ]]; then [[ -e $1 ]]; else type -P "$1" >/dev/null; fi
}

# Installs what scripts/programs lists for these occasions and is not here. Where that is not for this
# user to do, says what is missing, and fails.
get_programs() { # WHEN...
  local program package when why missing=()
  while read -r program package when why; do
    if [[ ! $program || " $* " != *" $when "* ]] || is_here "$program"; then continue; fi
    if [[ $when = offered ]] && ! is_offered "$package"; then continue; fi
    say "missing: $package ($why)"
    missing+=("$package")
  done < <(sed 's/#.*//' "$(dirname "${BASH_SOURCE[0]}")/programs")
  ((${#missing[@]})) || return 0
  [[ $EUID = 0 ]] || { say "as root: apt-get install ${missing[*]}" >&2; return 1; }
  [[ " ${missing[*]} " != *' gcc '* ]] || missing+=(libc6-dev)
  install_packages "${missing[@]}"
}
