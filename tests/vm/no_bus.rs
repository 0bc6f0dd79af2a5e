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
