# shellcheck shell=bash
# shellcheck disable=SC2154 # scripts/test sets what is used here
# The tests on the real thing, as an unprivileged user. Sourced by scripts/test.

stop_leftovers() { # of the test user, each by its pid, until there are none
  local pid stat what found=1
  while [[ $found ]]; do
    found=
    while read -r pid stat what; do
      [[ $stat != Z* ]] || continue # dead already, and waiting for init
      found=1
      say "stopping what the tests left: $pid $what"
      kill -KILL "$pid" 2>/dev/null || true
    done < <(ps -U "$uid" -o pid=,stat=,args=)
    sleep 0.1
  done
}

clean_up() {
  stop_leftovers
  rm -rf "$stage" "$sudo_rule" "$home"/.apptainer/instances "$home"/.local/state/ctr "$home"/ctr-test-* "/tmp/ctr-$uid"
}

build_real() { # sets $harness and $ctr
  local made
  made=$(cargo test --locked --test real --no-run --message-format=json-render-diagnostics |
    sed -n 's/.*"executable":"\([^"]*\)".*/\1/p')
  harness=$(grep '/deps/real-[^/]*$' <<<"$made") && ctr=$(grep '/ctr$' <<<"$made")
}

# An hour of silence helps nobody: a test that hangs ends in a failure.
run=(timeout --foreground 15m)

# With this a user may become what they are already, and is not asked for a password.
sudo_line() { echo "$1 ALL=($1) NOPASSWD: ALL"; }

real_as_me() {
  local me
  me=$(id -un)
  sudo -n -u "$me" true || { say "sudo asks for a password: put \`$(sudo_line "$me")\` into /etc/sudoers.d/"; return 1; }
  build_real && CTR_TEST_BIN=$ctr CTR_TEST_TOOL=$tool "${run[@]}" "$harness" "${filter[@]}" "${skips[@]}" </dev/null
}

# Where all tests run, what they execute is held against scripts/programs. Only root can log it.
log=()
if [[ $EUID = 0 && ! ${filter[*]} ]]; then
  executed=$(mktemp)
  log=("$PWD/scripts/executed" "$executed" "$test_user")
fi

only_programs_that_are_listed() {
  local path program package listed_files=' ' listed_packages=' ' status=0
  while read -r program package _; do
    [[ ! $program ]] || listed_packages+="$package "
    ! program=$(PATH=$test_path type -P "$program") || listed_files+="$(realpath "$program") " # python3.11
  done < <(sed 's/#.*//' scripts/programs)
  while read -r path; do
    # A package may have put it into /bin, which is /usr/bin.
    package=$(dpkg-query -S "$path" "${path#/usr}" 2>/dev/null | sed -n 's/^\([^ :]*\).*: .*/\1/p' | sed q)
    if [[ $listed_files != *" $path "* && $listed_packages != *" ${package:-?} "* ]] &&
      [[ ! $package || $(dpkg-query -Wf '${Essential} ${Priority}' "$package") != *@(yes|required)* ]]; then
      say "$path was run, and ${package:-it} is not in scripts/programs"
      status=1
    fi
  done < <(sort -u "$executed")
  [[ -s $executed ]] || { say 'nothing was run'; status=1; }
  rm "$executed"
  return $status
}

as_test_user() { # FOLDER [KEY=VALUE...] COMMAND...
  (cd "$1" && exec "${log[@]}" setpriv --reuid="$test_user" --regid="$(id -g "$test_user")" --init-groups --inh-caps=-all \
    env -i HOME="$home" USER="$test_user" LOGNAME="$test_user" SHELL=/bin/bash PATH="$test_path" \
    LANG=C.UTF-8 TERM=xterm-256color "${@:2}" </dev/null)
}

# Real users are not root, so root becomes one: all that the tests need is put where that user
# can read it, since the checkout and cargo's folders may be closed.
real_as_user() {
  build_real || return
  id -u "$test_user" >/dev/null 2>&1 || useradd -m -s /bin/bash "$test_user" || return
  for file in /etc/subuid /etc/subgid; do
    grep -qs "^$test_user:" "$file" || { say "$test_user has no line in $file, which fakeroot needs"; return 1; }
  done
  uid=$(id -u "$test_user")
  home=$(getent passwd "$test_user" | cut -d: -f6)

  sudo_rule=/etc/sudoers.d/$test_user
  exec 9>"/var/lock/$test_user.lock"
  flock 9 # two runs at once would stop each other's instances
  stage=$(mktemp -d "/var/tmp/$test_user.XXXXXX") || return
  trap clean_up EXIT
  trap 'exit 1' INT TERM HUP
  stop_leftovers
  chmod 755 "$stage"
  (umask 337; sudo_line "$test_user" >"$sudo_rule") || return
  install -d -o "$test_user" -g "$(id -g "$test_user")" "$stage/cwd"
  install "$harness" "$stage/real"
  install "$ctr" "$stage/ctr"
  cp -r "$tool" "$stage/tool"
  if [[ ${CTR_TEST_LONG-} ]]; then
    mkdir "$stage/long"
    for file in "$CTR_TEST_LONG"/*; do
      [[ ! -f $file ]] || cp -P "$file" "$stage/long"
    done
  fi

  local status=0
  as_test_user "$stage/cwd" CTR_APPTAINER="$CTR_APPTAINER" CTR_TEST_BIN="$stage/ctr" \
    CTR_TEST_LONG="$stage/long" CTR_TEST_TOOL="$stage/tool" RUST_TEST_THREADS="$RUST_TEST_THREADS" \
    ${CTR_TEST_SHELLS+"CTR_TEST_SHELLS=$CTR_TEST_SHELLS"} \
    "${run[@]}" "$stage/real" "${filter[@]}" "${skips[@]}" 9>&- &
  wait $! || status=$? # in the background, so that a signal to this script acts at once
  clean_up
  return $status
}

# An ordinary user has no cargo here: they measure the ctr that is on their PATH.
benches_as_user() {
  local folder status=0 bench few=(--runs 2)
  folder=$(mktemp -d "/var/tmp/$test_user.XXXXXX") || return
  cp -r benches scripts "$folder"
  install -D "$ctr" "$folder/bin/ctr"
  chown -R "$test_user" "$folder"
  for bench in run join shim shell soak; do
    [[ $bench != soak ]] || few=(--instances 5 --commands 200)
    # That Apptainer is on the PATH, as it would be: getting another one runs apt, and what apt runs.
    as_test_user "$folder" PATH="$folder/bin:${CTR_APPTAINER%/*}:$test_path" timeout 10m "benches/$bench" "${few[@]}" || status=1
  done
  rm -rf "$folder"
  return $status
}
