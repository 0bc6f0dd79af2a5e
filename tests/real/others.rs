//! The prompt hook beside those of starship and bash-preexec, in any order, each loaded twice. What
//! no Debian 12 has: `scripts/test --long` gets it.

use crate::support::{Place, Session, Shell, long_tool};

const CONFIG: &str = r#"
add_newline = false
format = "${env_var.CTR_INSTANCE}$status READY> "
[status]
disabled = false
format = "<$status>"
[env_var.CTR_INSTANCE]
format = '\(ctr:$env_value\)'
"#;

fn pipe_and_statuses(shell: Shell) -> (&'static str, &'static str) {
    let pipe = "sh -c 'exit 3' | sh -c 'exit 5'";
    match shell {
        Shell::Bash => (pipe, "${PIPESTATUS[*]}"),
        _ => (pipe, "$pipestatus"),
    }
}

/// Every order of the two, each loaded twice.
fn orders(shell: Shell, theirs: &str) -> [String; 3] {
    let ours = shell.eval(&format!("ctr init {}", shell.name()));
    [
        format!("{ours}\n{theirs}\n{ours}\n{theirs}"),
        format!("{theirs}\n{theirs}\n{ours}\n{ours}"),
        format!("{ours}\n{ours}\n{theirs}\n{theirs}"),
    ]
}

#[track_caller]
fn assert_statuses_are_kept(session: &mut Session, shell: Shell, order: &str) {
    let (pipe, statuses) = pipe_and_statuses(shell);
    session.line(pipe);
    session.line(&format!("echo statuses: {statuses}"));
    session.until(order, |terminal| {
        terminal.screen().contains("\nstatuses: 3 5").then_some(())
    });
}

#[track_caller]
fn assert_left_when_stopped(place: &Place, session: &mut Session, order: &str) {
    place.ctr(["stop", "bio"]).ok();
    session.eval(":");
    session.eval(":");
    assert_eq!(session.eval("echo \"[$CTR_INSTANCE]\""), "[]\n", "{order}");
    let screen = session.screen().replace('\n', " ");
    assert_eq!(screen.matches("left `bio`").count(), 1, "{order}\n{screen}");
}

#[test]
fn starship_draws_the_instance_and_the_status() {
    for shell in Shell::ALL {
        let mut place = Place::new();
        let folder = long_tool("starship").parent().unwrap().to_owned();
        let mut path = folder.into_os_string();
        path.push(":");
        path.push(&place.environment()[std::ffi::OsStr::new("PATH")]);
        place.set("PATH", path);
        let config = place.write("starship.toml", CONFIG);
        place.set("STARSHIP_CONFIG", config);
        place.set("CTR_PROMPT", "off");
        let theirs = shell.eval(&format!("starship init {}", shell.name()));
        for order in orders(shell, &theirs) {
            place.start("bio", &["--if-needed"]);
            let mut session = shell.interactive(&place, &order);
            session.eval(&shell.eval("ctr env bio"));
            assert_eq!(session.prompt(), "(ctr:bio) READY>", "{shell:?} {order}");
            session.line("sh -c 'exit 42'");
            session.wait_for("(ctr:bio)<42> READY>");
            session.eval(":");
            assert_statuses_are_kept(&mut session, shell, &order);
            assert_left_when_stopped(&place, &mut session, &order);
            assert_eq!(session.prompt(), " READY>", "{shell:?} {order}");
        }
    }
}

#[test]
fn bash_preexec_sees_each_command_once_and_its_status() {
    let place = Place::new();
    let theirs = format!("source {}", long_tool("bash-preexec.sh").display());
    let log = place.path("log").display().to_string();
    let hooks = format!(
        "theirs() {{ echo \"ended:$?\" >> {log}; }}; precmd_functions+=(theirs)
         begun() {{ echo \"begun:$1\" >> {log}; }}; preexec_functions+=(begun)"
    );
    for order in orders(Shell::Bash, &theirs) {
        place.start("bio", &["--if-needed"]);
        let mut session = Shell::Bash.interactive(&place, &format!("{order}\n{hooks}"));
        session.eval("eval \"$(ctr env bio)\"");
        assert_eq!(session.prompt(), "(ctr:bio) READY>", "{order}");
        std::fs::write(&log, "").unwrap();
        session.line("sh -c 'exit 42'");
        session.wait_for("exit 42'\n(ctr:bio) READY>");
        let seen = std::fs::read_to_string(&log).unwrap();
        assert_eq!(seen, "begun:sh -c 'exit 42'\nended:42\n", "{order}");
        assert_statuses_are_kept(&mut session, Shell::Bash, &order);
        assert_left_when_stopped(&place, &mut session, &order);
    }
}
