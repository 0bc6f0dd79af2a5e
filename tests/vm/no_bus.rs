//! Callers who have no bus of a session: `cron`, `su`, `sudo -u`, units of the system. (`bare` is one
//! inside of a session.)

use crate::machine::Machine;

#[test]
fn what_a_session_started_is_seen_and_stopped_without_its_bus() {
    let machine = Machine::new();
    machine
        .login("ctr --quiet start -o demo/1.0 -e K=v bio")
        .ok();
    let script = r#"
        bare ctr list --names
        bare ctr show bio | grep ^status
        bare ctr stats bio | cut -d' ' -f1
        eval "$(bare ctr env bio)"; echo $K
    "#;
    machine
        .login(script)
        .ok()
        .prints(&["bio", "status       running", "NAME", "bio", "v"]);
    let unit = machine
        .unit("ctr list --names; ctr show bio | grep ^status")
        .ok();
    unit.prints(&["bio", "status       running"]);
    machine.login("bare ctr stop bio").ok();
    machine.assert_clean();
}

/// Such an instance has no cgroup of its own, and is joined directly by everyone.
#[test]
fn what_was_started_without_the_bus_serves_everyone() {
    let machine = Machine::new();
    machine.job("ctr --quiet start -o demo/1.0 -e K=v bio").ok();
    let script =
        "ctr exec -v bio demo; ctr exec --join direct bio sh -c 'echo $K; exit 7' || echo $?";
    let expected = ["demo: /cnt/demo/1.0", "v", "7"];
    for output in [
        machine.login(script),
        machine.login(&script.replace("ctr exec", "bare ctr exec")),
        machine.job(script),
        machine.unit(script),
    ] {
        let output = output.ok();
        assert_eq!(output.lines(), expected, "{output}");
        assert!(!output.stderr.contains("through Apptainer"), "{output}");
    }
    let script = r#"
        ctr --quiet shim add bio --all; eval "$(ctr env bio)"; demo
        ctr --quiet restart bio; demo
        ctr --quiet stop bio
    "#;
    let output = machine.job(script).ok();
    assert_eq!(output.lines(), ["demo: /cnt/demo/1.0"; 2], "{output}");
    machine.assert_clean();
}

/// A session's bus would have Apptainer make a cgroup, which no other place can put a command into.
#[test]
fn what_was_started_in_a_session_serves_everyone_and_has_its_bus() {
    let machine = Machine::new();
    let script = r#"
        ctr --quiet start -o demo/1.0 -e K=v bio
        grep -o '"cgroup": *[a-z]*' ~/.apptainer/instances/app/ctr-vm/user/bio/bio.json
        ctr exec bio sh -c 'echo $DBUS_SESSION_BUS_ADDRESS'
    "#;
    let output = machine.login(script).ok();
    let expected = ["\"cgroup\":false", "unix:path=/run/user/1000/bus"];
    assert_eq!(output.lines(), expected, "{output}");
    let script =
        "ctr exec -v bio demo; ctr exec --join direct bio sh -c 'echo $K; exit 7' || echo $?";
    for output in [
        machine.login(script),
        machine.login(&script.replace("ctr exec", "bare ctr exec")),
        machine.job(script),
        machine.unit(script),
    ] {
        let output = output.ok();
        assert_eq!(
            output.lines(),
            ["demo: /cnt/demo/1.0", "v", "7"],
            "{output}"
        );
        assert!(!output.stderr.contains("through Apptainer"), "{output}");
    }
    machine.login("ctr stop bio").ok();
    machine.assert_clean();
}

/// A session that is half dead names a bus that is not there.
#[test]
fn a_start_does_not_need_the_bus_that_it_is_told_of() {
    let machine = Machine::new();
    let script = r#"
        export DBUS_SESSION_BUS_ADDRESS=unix:path=/nosuch/bus
        ctr --quiet start bio; ctr exec bio echo inside; ctr --quiet restart bio; ctr exec bio echo again
    "#;
    machine.login(script).ok().prints(&["inside", "again"]);
    machine.login("ctr stop bio").ok();
    machine.assert_clean();
}

/// Limits are held by a cgroup, which a command is put into over the bus: from the session, and from
/// where its address is not known, as long as it is there; directly, and through Apptainer.
#[test]
fn limits_hold_for_commands_from_everywhere_and_after_a_restart() {
    let machine = Machine::new();
    let limit = r#"
        pid=$(ctr list --json | grep -o '"pid": *[0-9]*' | tr -dc 0-9)
        for join in direct apptainer; do
            for ctr in ctr 'bare ctr'; do
                scope=$($ctr exec --join $join bio cat /proc/self/cgroup)
                [ "$scope" = "$(cat /proc/$pid/cgroup)" ] && cat "/sys/fs/cgroup${scope#0::}/pids.max"
            done
        done
    "#;
    let script = "ctr --quiet start -o demo/1.0 bio -- --pids-limit 50".to_owned() + limit;
    machine.login(&script).ok().prints(&["50"; 4]);
    let script = "ctr --quiet restart bio".to_owned() + limit;
    machine.login(&script).ok().prints(&["50"; 4]);
    // A shim is in it too, and what it starts: no more of them than the limit lets.
    let script = r#"
        ctr --quiet shim add bio demo; eval "$(ctr env bio)"; demo
        ctr exec bio sh -c 'for i in $(seq 60); do sleep 60 & done; true' 2>&1 | grep -o "can't fork" | head -n 1
        ctr exec -v bio true
    "#;
    let output = machine.login(script).ok();
    assert_eq!(
        output.lines(),
        ["demo: /cnt/demo/1.0", "can't fork"],
        "{output}"
    );
    assert!(output.stderr.contains("joins directly"), "{output}");
    machine.login("ctr stop bio").ok();
    machine.assert_clean();
}

/// Once the bus is gone, nobody can be put into the cgroup.
#[test]
fn an_instance_with_limits_whose_bus_is_gone_says_so() {
    let machine = Machine::new();
    let script = r#"
        ctr --quiet start bio -- --pids-limit 50; ctr exec bio true
        export DBUS_SESSION_BUS_ADDRESS=unix:path=/nosuch XDG_RUNTIME_DIR=/tmp
        mkdir /tmp/empty; unshare --map-root-user --mount sh -c '
            mount --bind /tmp/empty /run/user; exec unshare --user --map-user=1000 --map-group=1000 -- "$@"' \
            sh ctr exec bio true || echo $?
    "#;
    let output = machine.login(script).ok();
    assert_eq!(output.lines(), ["125"], "{output}");
    for said in ["`bio` has a cgroup of its own", "no bus", "hint: "] {
        assert!(output.stderr.contains(said), "{said}: {output}");
    }
    machine.login("rmdir /tmp/empty; ctr stop bio").ok();
    machine.assert_clean();
}
