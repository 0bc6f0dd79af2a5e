//! A reboot: nothing runs any longer, all in memory is lost, and the setups are still there.

use crate::machine::Machine;

#[test]
fn instances_are_dead_and_start_and_restart_make_them_again() {
    let machine = Machine::new();
    let script = r"
        for name in one two; do
            ctr --quiet start -o demo/1.0 -e K=$name $name; ctr --quiet shim add $name --all
        done
        ls /run/user/1000/ctr/shims
    ";
    machine.login(script).ok().prints(&["one", "two"]);
    machine.reboot();

    let list = machine
        .login("[ ! -e /run/user/1000/ctr ]; ctr list --json")
        .ok();
    for name in ["one", "two"] {
        let listed = list.listed(name);
        assert_eq!(listed["status"], "dead", "{list}");
        assert_eq!(listed["reason"], "the host was booted since", "{list}");
    }
    let refused = machine.login("ctr exec one true && echo 0 || echo $?").ok();
    assert_eq!(refused.lines(), ["125"], "{refused}");
    let reason = "`one` is dead: the host was booted since";
    assert!(refused.stderr.contains(reason), "{refused}");

    // `start` makes it anew, as it is told to; `restart` has the setup and the shims of before.
    let start = "ctr start -o demo/1.0 -e K=anew one; ctr restart two";
    machine.login(start).ok();
    let script = r#"
        ctr exec one sh -c 'echo "$K"; demo'
        eval "$(ctr env two)"; type -P demo; demo; ctr exec . sh -c 'echo "$K"'
        stat -c '%a %U' /run/user/1000/ctr
    "#;
    let output = machine.login(script).ok();
    let expected = [
        "anew",
        "demo: /cnt/demo/1.0",
        "/run/user/1000/ctr/shims/two/demo",
        "demo: /cnt/demo/1.0",
        "two",
        "700 user",
    ];
    assert_eq!(output.lines(), expected, "{output}");
    machine.login("ctr stop one two").ok();
    machine.assert_clean();
}
