//! Logging out, where logind leaves alone what still runs (`KillUserProcesses=no`, the default).

use crate::machine::{Machine, eventually};

/// Waits until logind has taken note that a session was logged out of: it is gone, or it is closing
/// while something in it still runs.
#[track_caller]
fn assert_logged_out(machine: &Machine, session: &str) {
    let script = format!("loginctl show-session {session} --property State --value || echo gone");
    eventually("the session is logged out of", || {
        let state = machine.root(&script).ok().stdout;
        ["gone\n", "closing\n"].contains(&&*state).then_some(())
    });
}

#[test]
fn an_instance_lives_on_and_the_next_login_has_it() {
    let machine = Machine::new();
    let script = r#"
        ctr --quiet start -o demo/1.0 -e K=v bio; ctr --quiet shim add bio --all
        echo "$XDG_SESSION_ID" >session; ctr list --json
    "#;
    let before = machine.login(script).ok().listed("bio");
    let session = machine.root("cat /home/user/session").ok();
    assert_logged_out(&machine, session.stdout.trim());

    // Longer than logind waits before it ends the manager of a user with no session left.
    machine.root("sleep 15").ok();
    let after = machine.listed("bio");
    assert_eq!(after["status"], "running");
    assert_eq!(after["pid"], before["pid"]);

    let script = r#"
        [ "$XDG_SESSION_ID" != "$(cat session)" ]; ctr exec bio sh -c 'echo $K'
        eval "$(ctr env bio)"; type -P demo; demo
    "#;
    let output = machine.login(script).ok();
    let expected = [
        "v",
        "/run/user/1000/ctr/shims/bio/demo",
        "demo: /cnt/demo/1.0",
    ];
    assert_eq!(output.lines(), expected, "{output}");
    machine.login("ctr stop bio").ok();
    machine.assert_clean();
}

#[test]
fn the_session_of_an_instance_that_was_stopped_goes() {
    let machine = Machine::new();
    let output = machine
        .login("ctr --quiet start bio; echo $XDG_SESSION_ID")
        .ok();
    let session = output.stdout.trim().to_owned();
    let scope = format!("systemctl is-active session-{session}.scope || true");
    assert_logged_out(&machine, &session);
    assert_eq!(machine.root(&scope).ok().stdout, "active\n");
    machine.login("ctr stop bio").ok();
    eventually("nothing holds the session any longer", || {
        (machine.root(&scope).ok().stdout == "inactive\n").then_some(())
    });
}
