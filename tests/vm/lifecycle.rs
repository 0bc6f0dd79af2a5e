//! An instance from start to stop, for someone who has logged in through ssh.

use crate::machine::Machine;

#[test]
fn it_starts_and_runs_commands_as_if_they_were_local() {
    let machine = Machine::new();
    let script = r#"
        ctr --quiet start -o demo/1.0 -e 'K=a "b" $(c)' bio
        echo in | ctr exec bio cat
        ctr exec bio sh -c 'echo "$K"'
        cd /tmp; ctr exec bio pwd; ctr exec bio demo
        for command in true false 'sh -c "exit 7"' nosuch /etc; do
            eval "ctr exec bio $command" 2>/dev/null && echo 0 || echo $?
        done
    "#;
    let expected = [
        "in",
        "a \"b\" $(c)",
        "/tmp",
        "demo: /cnt/demo/1.0",
        "0",
        "1",
        "7",
        "127",
        "126",
    ];
    let output = machine.login(script).ok();
    assert_eq!(output.lines(), expected, "{output}");
}

#[test]
fn it_is_listed_shown_and_measured() {
    let machine = Machine::new();
    let output = machine.login("ctr --quiet start -o demo/1.0 --note K=why bio; ctr list --json");
    let bio = output.ok().listed("bio");
    assert_eq!(bio["status"], "running");
    assert_eq!(bio["host"], "ctr-vm");

    let shown = machine.login("ctr show bio").ok();
    for line in ["status       running", "note         K: why"] {
        assert!(shown.lines().contains(&line), "{line}: {shown}");
    }

    let stats = machine.login("ctr stats --json").ok().listed("bio");
    assert_eq!(stats["processes"], 1, "{stats}");
    let memory = stats["memory_bytes"].as_u64().expect("a number");
    assert!((1..256_000_000).contains(&memory), "{stats}");
}

#[test]
fn a_shell_has_its_variables_and_commands_until_it_leaves() {
    let machine = Machine::new();
    let script = r#"
        ctr --quiet start -o demo/1.0 -e 'K=a "b"' bio
        ctr --quiet shim add bio --all
        env | sort >before
        eval "$(ctr env bio)"
        echo "$CTR_INSTANCE, $K, $DEMO_HOME"; type -P demo; demo | tr a-z A-Z
        eval "$(ctr env --unset)"
        env | sort | diff before -
        type -P demo || echo none
    "#;
    machine.login(script).ok().prints(&[
        "bio, a \"b\", /cnt/demo/1.0",
        "/run/user/1000/ctr/shims/bio/demo",
        "DEMO: /CNT/DEMO/1.0",
        "none",
    ]);
}

#[test]
fn stopping_it_leaves_nothing() {
    let machine = Machine::new();
    let script = "ctr --quiet start -o demo/1.0 bio; ctr --quiet shim add bio --all";
    machine.login(script).ok();
    let traces = machine.traces();
    for trace in ["appinit", "squashfuse_ll", "/bio.json", "/shims/bio/demo"] {
        let found = traces.iter().any(|line| line.contains(trace));
        assert!(found, "no {trace} in {traces:#?}");
    }
    machine.login("ctr stop bio").ok();
    machine.assert_clean();
}

#[test]
fn it_starts_again_in_place() {
    let machine = Machine::new();
    let start = "ctr --quiet start -o demo/1.0 -e K=v bio; ctr list --json";
    let before = machine.login(start).ok().listed("bio");
    machine.login("ctr restart bio").ok();
    let output = machine.login("ctr exec bio sh -c 'echo $K; demo'").ok();
    assert_eq!(output.lines(), ["v", "demo: /cnt/demo/1.0"]);
    let after = machine.listed("bio");
    assert_eq!(after["status"], "running");
    assert_ne!(after["pid"], before["pid"]);
}

#[test]
fn the_hosts_own_system_is_a_base_with_the_users_session_in_it() {
    let machine = Machine::new();
    let script = r#"
        ctr --quiet start -b hostos -o demo/1.0 bio
        ctr exec bio whoami
        ctr exec bio hostname
        ctr exec bio demo
        ctr exec bio busctl --user call org.freedesktop.DBus / org.freedesktop.DBus.Peer Ping && echo 'its bus answers'
        ctr exec bio loginctl --no-legend list-users | grep -ow user
    "#;
    let output = machine.login(script).ok();
    let expected = [
        "user",
        "ctr-vm",
        "demo: /cnt/demo/1.0",
        "its bus answers",
        "user",
    ];
    assert_eq!(output.lines(), expected, "{output}");
}

#[test]
fn one_is_root_inside_with_fakeroot() {
    let machine = Machine::new();
    let script = "ctr --quiet start --fakeroot bio; ctr exec bio id -u; ctr exec bio touch /tmp/it; \
        stat -c %U /tmp/it; rm /tmp/it";
    let output = machine.login(script).ok();
    assert_eq!(output.lines(), ["0", "user"], "{output}");
}
