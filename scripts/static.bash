# shellcheck shell=bash
# The checks that need no Apptainer: formatting, lints, unit tests. Sourced by scripts/test.

shopt -s nullglob
each() { # COMMAND... -- FILE...: every file is looked at, also after a bad one
  local command=() status=0
  while [[ $1 != -- ]]; do command+=("$1"); shift; done
  shift
  for file; do "${command[@]}" "$file" || status=1; done
  return $status
}

# What is printed for shells must please them as much as what is shipped.
emitted() {
  local folder ctr=${CARGO_TARGET_DIR:-target}/debug/ctr status=0 shell
  folder=$(mktemp -d) || return
  # An environment to leave: A was set to nothing (which is what the hash is of) over an old value.
  local leave=(env -i HOME="$folder" XDG_RUNTIME_DIR="$folder" PATH="/ctr/shims/x:$PATH"
    CTR_PATH_ENTRY=/ctr/shims/x
    CTR_INSTANCE=x A= CTR_OLD_A="it's \`\$x\`!" CTR_RESTORE=A:cbf29ce484222325:o)
  for shell in bash zsh fish sh tcsh elvish xonsh; do
    "$ctr" init "$shell" >"$folder/init.$shell" || status=1
    "${leave[@]}" "$ctr" env --unset --shell "$shell" >"$folder/env.$shell" || status=1
    [[ -s $folder/init.$shell && -s $folder/env.$shell ]] || { say "nothing for $shell"; status=1; }
  done
  # A value means what it says: nothing in it expands.
  each shellcheck -e SC2016 -s bash -- "$folder"/*.bash || status=1
  each shellcheck -e SC2016 -s sh -- "$folder"/*.sh || status=1
  each bash -n -- "$folder"/*.bash || status=1
  each zsh -n -- "$folder"/*.zsh || status=1
  each dash -n -- "$folder"/*.sh || status=1
  each fish --no-execute -- "$folder"/*.fish || status=1
  each tcsh -n -- "$folder"/*.tcsh "$folder"/ctr/code/.tmp* || status=1
  each elvish -compileonly -- "$folder"/env.elvish || status=1
  each python3 -c 'import ast, sys; ast.parse(open(sys.argv[1]).read())' -- "$folder"/*.xonsh || status=1
  rm -rf "$folder"
  return $status
}

shell_syntax() {
  local status=0
  each bash -n -- shell/*.bash completions/*.bash || status=1
  each dash -n -- shell/*.sh || status=1
  each zsh -n -- shell/*.zsh completions/*.zsh || status=1
  each fish --no-execute -- shell/*.fish completions/*.fish || status=1
  each tcsh -n -- shell/*.tcsh || status=1
  each python3 -c 'import ast, sys; ast.parse(open(sys.argv[1]).read())' -- shell/*.xsh || status=1
  return $status
}

static_checks() {
  local bash_files unit
  mapfile -t bash_files < <(grep -lE '^#!.*bash$' scripts/* .ci/run; ls scripts/*.bash shell/*.bash completions/*.bash)
  unit=(--bins --test fresh --test rooms)
  [[ ! -e src/lib.rs ]] || unit+=(--lib)

  check 'cargo fmt' cargo fmt --check
  check 'cargo clippy' cargo clippy --all-targets --locked -- -D warnings
  check 'cargo clippy of tests/vm' cargo clippy --test vm --locked -- -D warnings
  check shellcheck shellcheck "${bash_files[@]}" shell/*.sh
  check 'bash -n' each bash -n -- "${bash_files[@]}"
  check 'the syntax of what is shipped for shells' shell_syntax
  check 'fish_indent' each fish_indent --check -- shell/*.fish
  check 'mandoc -Tlint' each mandoc -Tlint -Wwarning -- man/*
  check 'unit tests' cargo test --locked "${unit[@]}"
  check 'what is emitted' emitted
}
