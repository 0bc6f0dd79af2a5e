//! What only the shell itself knows of a variable: that it is not exported, read-only, an array, an
//! integer. No child can give that back.

use crate::support::{Place, Shell, here};

/// Definitions, and what shows them as they are.
fn definitions(shell: Shell) -> (&'static str, &'static str) {
    match shell {
        Shell::Bash => (
            "PLAIN=plain; EMPTY=; declare -i NUMBER=3; declare -ix EXPORTED=4; LIST=(1 'b c'); \
             declare -A MAP=([k]=v); declare -x NAMED; declare -u UPPER=u; readonly FIXED=fixed",
            "declare -p PLAIN EMPTY NUMBER EXPORTED LIST MAP NAMED UPPER FIXED; declare -p UNSET 2> /dev/null || echo UNSET",
        ),
        Shell::Zsh => (
            "PLAIN=plain; EMPTY=; typeset -i NUMBER=3; typeset -ix EXPORTED=4; LIST=(1 'b c'); \
             typeset -A MAP; MAP=(k v); typeset -x NAMED; typeset -u UPPER=u; readonly FIXED=fixed",
            "typeset -p PLAIN EMPTY NUMBER EXPORTED LIST MAP NAMED UPPER FIXED; typeset -p UNSET 2> /dev/null || echo UNSET",
        ),
        Shell::Fish => (
            "set -g PLAIN plain; set -g EMPTY; set -g NUMBER 3; set -gx EXPORTED 4; set -g LIST 1 'b c'; \
             set -g MAP k; set -gx NAMED ''; set -g UPPER U; set -g FIXED fixed",
            "set --show PLAIN EMPTY NUMBER EXPORTED LIST MAP NAMED UPPER FIXED UNSET",
        ),
        other => panic!("{other:?} is not in Shell::ALL"),
    }
}

const NAMES: [&str; 10] = [
    "PLAIN", "EMPTY", "NUMBER", "EXPORTED", "LIST", "MAP", "NAMED", "UPPER", "FIXED", "UNSET",
];

fn place() -> Place {
    let place = Place::new();
    let values = NAMES.map(|name| format!("{name}=of bio"));
    let options: Vec<&str> = values.iter().flat_map(|value| ["-e", value]).collect();
    place.start("bio", &options);
    place
}

#[test]
fn leaving_gives_back_what_only_the_shell_knew() {
    let place = place();
    for shell in Shell::ALL {
        let (define, show) = definitions(shell);
        let init = shell.eval(&format!("ctr init {}", shell.name()));
        let (enter, leave) = (shell.eval("ctr env bio"), shell.eval("ctr env --unset"));
        for (enter, leave) in [
            (&*enter, &*leave),
            ("ctr use bio", "ctr leave"),
            (&enter, "ctr leave"),
        ] {
            let strict = if shell == Shell::Fish { "" } else { "set -eu" };
            let script = format!(
                "{strict}\n{init}\n{define}\n{show}\necho ACTIVE\n{enter}\n\
                 command env | command grep 'of bio$' | command sort\n{leave}\necho LEFT\n{show}"
            );
            let output = shell.script(&place, &script).ok();
            let mut changed = NAMES.to_vec();
            if shell == Shell::Fish {
                output.quiet();
            } else {
                changed.retain(|name| *name != "FIXED");
                output.says(&["FIXED is read-only"]);
            }
            changed.sort_unstable();
            let expected: String = changed.iter().map(|n| format!("{n}=of bio\n")).collect();
            let (before, rest) = output.text().split_once("ACTIVE\n").unwrap();
            let (active, after) = rest.split_once("LEFT\n").unwrap();
            assert_eq!(active, expected, "{shell:?} {enter}");
            assert_eq!(after, before, "{shell:?} {enter} {leave}");
        }
    }
}

#[test]
fn nothing_of_it_stays_behind_in_the_shell() {
    let place = place();
    for (shell, list) in here([
        (Shell::Bash, "compgen -v; compgen -A function || :"),
        (Shell::Zsh, "print -l ${(ok)parameters} ${(ok)functions}"),
        (Shell::Fish, "set --names; functions --names --all"),
    ]) {
        let (define, _) = definitions(shell);
        let (enter, leave) = (shell.eval("ctr env bio"), shell.eval("ctr env --unset"));
        let change = match shell {
            Shell::Fish => "set -gx PLAIN changed",
            _ => "PLAIN=changed",
        };
        let script = format!("{define}\n{enter}\n{change}\n{leave}\n{list}");
        let output = shell.script(&place, &script).ok();
        let is_ours = |name: &&str| {
            ["CTR_", "ctr_", "__ctr"]
                .iter()
                .any(|own| name.starts_with(own))
        };
        let ours = output.lines().into_iter().filter(is_ours);
        let ours: Vec<&str> = ours.filter(|name| !KNOWN.contains(name)).collect();
        assert_eq!(ours, [""; 0], "{shell:?}");
    }
}

/// Variables of the tests' own environment.
const KNOWN: [&str; 4] = [
    "CTR_APPTAINER",
    "CTR_BASE_IMAGE",
    "CTR_OVERLAY_PATH",
    "CTR_STATE_DIR",
];

#[test]
fn a_read_only_path_does_not_keep_the_rest() {
    let place = Place::new();
    place.start("bio", &["-e", "K=v"]);
    for (shell, fix) in here([
        (Shell::Bash, "readonly PATH"),
        (Shell::Zsh, "typeset -r PATH"),
    ]) {
        let (enter, leave) = (shell.eval("ctr env bio"), shell.eval("ctr env --unset"));
        let script = format!(
            "{fix}\n{enter}\necho \"$CTR_INSTANCE $K\"\n{leave}\necho \"[${{CTR_INSTANCE-}}${{K-}}]\""
        );
        let output = shell.script(&place, &script).ok();
        assert_eq!(output.text(), "bio v\n[]\n", "{shell:?}: {output}");
        output.says(&["PATH is read-only"]);
    }
}
