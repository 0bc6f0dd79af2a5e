//! The prompt hook beside ble.sh, which draws bash's prompt and reads its lines itself.
//! `scripts/test --shells` has it where Debian does.

use crate::support::{Place, Shell, long_tool};

#[test]
fn the_prompt_follows_the_instance_under_ble_sh() {
    let place = Place::new();
    place.start("bio", &[]);
    let ble = long_tool("ble.sh").canonicalize().expect("it is there");
    let ours = "eval \"$(ctr init bash)\"";
    let theirs = format!("source {} --attach=none --norc", ble.display());
    for rc in [
        format!("{theirs}\n{ours}\nble-attach"),
        format!("{ours}\n{theirs}\nble-attach"),
    ] {
        place.start("bio", &["--if-needed"]);
        let mut session = Shell::Bash.interactive(&place, &rc);
        session.eval("eval \"$(ctr env bio)\"");
        session.wait_for("(ctr:bio) READY>");
        assert_eq!(session.eval("echo \"[$CTR_INSTANCE]\""), "[bio]\n", "{rc}");
        session.line("sh -c 'exit 42'");
        assert_eq!(session.eval("echo \"after it\""), "after it\n", "{rc}");
        place.ctr(["stop", "bio"]).ok();
        session.eval(":");
        session.eval(":");
        assert_eq!(session.eval("echo \"[$CTR_INSTANCE]\""), "[]\n", "{rc}");
    }
}
