# shellcheck shell=bash
# What some tests need and Debian 12 has no package of, or none that is to be installed. Sourced by
# scripts/test.

# A compiled program with the data that it needs, as an overlay would bring it: from its package,
# which is not installed, so that the host has no such command.
# shellcheck disable=SC2034 # for scripts/real.bash
tool=${XDG_CACHE_HOME:-$HOME/.cache}/ctr-test/primer3
get_tool() {
  [[ ! -x $tool/usr/bin/ntthal ]] || return 0
  local folder apt=(apt-get -qq -o APT::Sandbox::User=root)
  folder=$(mktemp -d)
  (cd "$folder" && { "${apt[@]}" download primer3 || { "${apt[@]}" update && "${apt[@]}" download primer3; }; })
  mkdir -p "$tool"
  dpkg-deb -x "$folder"/primer3_*.deb "$tool"
  rm -rf "$folder"
}
# What no Debian 12 has: a shell, and two whose hooks are beside ours in many prompts.
get_long() { # into $CTR_TEST_LONG; each only the first time
  export CTR_TEST_LONG=${XDG_CACHE_HOME:-$HOME/.cache}/ctr-test/long
  local npm=(npm --silent --no-audit --no-fund) folder
  mkdir -p "$CTR_TEST_LONG"
  if [[ ! -x $CTR_TEST_LONG/nu ]]; then
    folder=$(mktemp -d)
    "${npm[@]}" install --prefix "$folder" "@nushell/linux-$(node -p process.arch)"
    install "$folder"/node_modules/@nushell/*/bin/nu "$CTR_TEST_LONG/nu"
    rm -rf "$folder"
  fi
  if [[ ! -e $CTR_TEST_LONG/bash-preexec.sh ]]; then
    folder=$(mktemp -d)
    # A package that brings bash-preexec along, in the last version that does.
    "${npm[@]}" pack --pack-destination "$folder" @microsoft/inshellisense@0.0.1-rc.16 >/dev/null
    tar -xzf "$folder"/*.tgz -C "$folder" package/shell/bash-preexec.sh
    install -m 644 "$folder/package/shell/bash-preexec.sh" "$CTR_TEST_LONG/"
    rm -rf "$folder"
  fi
  if [[ ! -x $CTR_TEST_LONG/starship ]]; then
    say 'building starship, which takes some minutes'
    cargo install --quiet --locked --root "$CTR_TEST_LONG/cargo" starship
    install "$CTR_TEST_LONG/cargo/bin/starship" "$CTR_TEST_LONG/"
  fi
  if [[ ! -x $CTR_TEST_LONG/ctr-before ]]; then
    build_before "$CTR_TEST_LONG/ctr-before"
  fi
  skips+=(--skip blesh::)
}

# A version whose shells, instances and state must go on working with what comes after it.
build_before() { # FILE
  local commit=f242c754f2f76bd308daf21ab0734ac70a2d0743 folder
  git cat-file -e "$commit^{commit}" 2>/dev/null ||
    die "this clone does not go back to $commit, which is to be built: git fetch --unshallow"
  say 'building the version before, which takes some minutes'
  folder=$(mktemp -d)
  git archive "$commit" | tar -x -C "$folder"
  CARGO_TARGET_DIR=$folder/target cargo build --quiet --locked --manifest-path "$folder/Cargo.toml"
  install "$folder/target/debug/ctr" "$1"
  rm -rf "$folder"
}

# For --shells: the tests that concern shells, in those that this Debian has in a release that ctr
# supports, and beside what else draws prompts here.
choose_shells() {
  filter+=(activate:: at_prompt:: completion:: dash:: enter:: evaluate:: forged:: held:: hook::
    prompt:: remade:: shell_options:: shells:: shim_completion:: shim_shells:: tcsh:: tcsh_words::
    whose::)
  export CTR_TEST_LONG=${XDG_CACHE_HOME:-$HOME/.cache}/ctr-test/shells
  mkdir -p "$CTR_TEST_LONG"
  skips+=(--skip others::bash_preexec)
  if type -P starship >/dev/null; then
    ln -sf "$(type -P starship)" "$CTR_TEST_LONG/starship"
    filter+=(others::)
  fi
  if [[ -e /usr/share/blesh/ble.sh ]]; then
    ln -sf /usr/share/blesh/ble.sh "$CTR_TEST_LONG/ble.sh"
    filter+=(blesh::)
  fi
  if grep -q '^VERSION_CODENAME=bullseye$' /etc/os-release; then
    export CTR_TEST_SHELLS='bash zsh sh tcsh' # its fish is 3.1, its elvish 0.15
    skips+=(--skip at_prompt:: --skip fish --skip elvish --skip xonsh)
  fi
}
