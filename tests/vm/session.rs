//! The session: that it is one, and the private folder that comes and goes with it.

use crate::machine::Machine;

#[test]
fn the_machine_is_what_the_tests_take_it_for() {
    let machine = Machine::new();
    let script = r#"
        cat /proc/1/comm; stat -f -c %T /sys/fs/cgroup; id -un
        echo "$XDG_RUNTIME_DIR $DBUS_SESSION_BUS_ADDRESS"
        grep -o "session-$XDG_SESSION_ID.scope" /proc/self/cgroup | sed 's/[0-9]\+/N/'
        busctl --user call org.freedesktop.DBus / org.freedesktop.DBus.Peer Ping && echo 'its bus answers'
        busctl get-property org.freedesktop.login1 /org/freedesktop/login1 \
            org.freedesktop.login1.Manager KillUserProcesses
        bare env | cut -d= -f1 | grep -Ex 'XDG_RUNTIME_DIR|DBUS_SESSION_BUS_ADDRESS' || echo 'bare is bare'
    "#;
    machine.login(script).ok().prints(&[
        "systemd",
        "cgroup2fs",
        "user",
        "/run/user/1000 unix:path=/run/user/1000/bus",
        "session-N.scope",
        "its bus answers",
        "b false",
        "bare is bare",
    ]);
}

/// The folder is in `/tmp` while nobody has logged in. A login brings `/run/user/UID`, and the shims
/// are there from then on.
#[test]
fn the_private_folder_moves_at_a_login() {
    let machine = Machine::new();
    machine.end_sessions();
    let script = r#"
        ctr --quiet start -o demo/1.0 -e K=v bio
        ctr --quiet shim add bio --all
        eval "$(ctr env bio)"; type -P demo; demo; [ ! -e /run/user/1000 ]
    "#;
    let output = machine.job(script).ok();
    let expected = ["/tmp/ctr-1000/shims/bio/demo", "demo: /cnt/demo/1.0"];
    assert_eq!(output.lines(), expected, "{output}");

    let script =
        r#"eval "$(ctr env bio)"; type -P demo; demo; echo $K; stat -c '%a %U' /run/user/1000/ctr"#;
    machine.login(script).ok().prints(&[
        "/run/user/1000/ctr/shims/bio/demo",
        "demo: /cnt/demo/1.0",
        "v",
        "700 user",
    ]);
    machine.login("ctr stop bio").ok();
    machine.assert_clean();
}
