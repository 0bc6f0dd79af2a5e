//! The integration of the calling shell: is its line there, does it call this program, and are
//! the variables that it keeps in order?

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::Check;
use super::rc::{self, Line};
use crate::cli::ShellName;
use crate::engine::answers;
use crate::env::activation;
use crate::host::context::{Context, is_same_file};
use crate::instance::session::Session;
use crate::names::InstanceName;
use crate::shell;
use crate::ui::calling_shell;

/// The program that `ctr` on the command line stands for.
enum OnPath {
    This(PathBuf),
    /// containerd's, or another version of this one.
    Another(PathBuf),
    Nothing,
}

/// The checks on the calling shell.
pub fn checks(session: &Session) -> Vec<Check> {
    let context = session.context;
    let shell = calling_shell::detect(context);
    // In a container without /proc there is no telling: then the name must do.
    let this = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("ctr"));
    let found = on_path(context, &this);
    let line = rc::find(shell, context);
    vec![
        first_on_path(&found, &this, line.as_ref(), shell),
        rc_line(&found, &this, line.as_ref(), shell, context),
        active_instance(context),
    ]
}

fn on_path(context: &Context, this: &Path) -> OnPath {
    match answers::find_program("ctr", context) {
        Some(first) if is_same_file(&first, this) => OnPath::This(first),
        Some(first) => OnPath::Another(first),
        None => OnPath::Nothing,
    }
}

fn first_on_path(found: &OnPath, this: &Path, line: Option<&Line>, shell: ShellName) -> Check {
    const NAME: &str = "ctr on the PATH";
    let shown = this.display();
    let another = match found {
        OnPath::This(first) => return Check::well(NAME, first.display().to_string()),
        OnPath::Nothing => {
            let detail = format!("there is none; the line for the rc file is one with {shown}");
            return Check::well(NAME, detail);
        }
        OnPath::Another(first) => first.display(),
    };
    // Whoever calls this one by its whole path has settled it.
    let calls_this = |line: &&Line| line.program.is_absolute() && is_same_file(&line.program, this);
    match line.filter(calls_this) {
        Some(line) => Check::well(
            NAME,
            format!(
                "{another} comes first; {} calls this one, {shown}",
                line.file.display()
            ),
        ),
        None => Check::ill(
            NAME,
            format!("{another} comes first, and is another program than this one, {shown}"),
            format!(
                "call this one by its whole path in the rc file: {}; `--cmd NAME` there gives the \
                 function another name than ctr",
                line_with(Some(this), shell)
            ),
        ),
    }
}

fn rc_line(
    found: &OnPath,
    this: &Path,
    line: Option<&Line>,
    shell: ShellName,
    context: &Context,
) -> Check {
    const NAME: &str = "shell integration";
    let name = shell.name();
    if let Some(line) = line {
        let detail = format!("{} loads it, for {name}", line.file.display());
        return Check::well(NAME, detail);
    }
    let file = calling_shell::rc_file(shell, context);
    let whole_path = match found {
        OnPath::This(_) => None,
        OnPath::Another(_) | OnPath::Nothing => Some(this),
    };
    Check::ill(
        NAME,
        format!("{} does not load it, for {name}", file.display()),
        format!("add this line to it: {}", line_with(whole_path, shell)),
    )
}

/// The line for the rc file, with the program's whole path when its name would be another's.
fn line_with(program: Option<&Path>, shell: ShellName) -> String {
    let Some(program) = program else {
        return shell::rc_line(shell, "ctr");
    };
    let text = program.to_string_lossy();
    let is_plain = text
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "/._+-".contains(c));
    let word = match is_plain {
        true => text.into_owned(),
        false => String::from_utf8_lossy(&shell::quote(shell, program.as_os_str())).into_owned(),
    };
    shell::rc_line(shell, &word)
}

/// What activation left in the environment, held against where this shell is.
pub fn active_instance(context: &Context) -> Check {
    const NAME: &str = "active instance";
    let shell = calling_shell::detect(context);
    let variables = &context.variables;
    let leave = format!("leave it: {}", shell::evaluation("env --unset", shell));
    let Some(active) = activation::active(variables, &context.pid_scope) else {
        return match activation::leave(variables).statements.is_empty() {
            true => Check::well(NAME, "none"),
            false => Check::ill(
                NAME,
                "half of an activation: its variables are there, CTR_INSTANCE is not",
                leave,
            ),
        };
    };
    let name = &active.name;
    if name.parse::<InstanceName>().is_err() {
        let detail = format!("CTR_INSTANCE is not the name of an instance: {name}");
        return Check::ill(NAME, detail, "unset it");
    }
    if !active.here {
        let detail = format!("`{name}` was made active on another host, or in a container");
        return Check::ill(NAME, detail, leave);
    }
    let entry = variables.get(OsStr::new(activation::PATH_ENTRY));
    match entry.filter(|entry| !is_member_of_path(entry, context)) {
        Some(entry) => Check::ill(
            NAME,
            format!(
                "`{name}`, and its folder {} is gone from the PATH",
                entry.to_string_lossy()
            ),
            format!(
                "make it active again: {}",
                shell::evaluation(&format!("env {name}"), shell)
            ),
        ),
        None => Check::well(NAME, format!("`{name}`")),
    }
}

fn is_member_of_path(entry: &OsStr, context: &Context) -> bool {
    let mut folders = context.path_folders();
    folders.any(|folder| folder.as_os_str() == entry)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::context::tests::context;

    #[test]
    fn the_line_names_the_program_whole_where_its_name_is_anothers() {
        let path = Path::new("/opt/it's/ctr");
        assert_eq!(
            line_with(None, ShellName::Bash),
            "if command -v ctr >/dev/null; then eval \"$(ctr init bash)\"; fi"
        );
        assert_eq!(
            line_with(Some(Path::new("/opt/ctr")), ShellName::Fish),
            "if command -q /opt/ctr; /opt/ctr init fish | source; end"
        );
        assert_eq!(
            line_with(Some(path), ShellName::Zsh),
            "if command -v '/opt/it'\\''s/ctr' >/dev/null; then \
             eval \"$('/opt/it'\\''s/ctr' init zsh)\"; fi"
        );
        assert_eq!(
            shell::evaluation("env --unset", ShellName::Fish),
            "ctr env --unset | source"
        );
    }

    #[test]
    fn an_activation_is_held_against_this_place() {
        let look = |variables: &[(&str, &str)]| {
            let check = active_instance(&context(variables));
            (check.ok, check.detail)
        };
        assert_eq!(look(&[]), (true, "none".into()));
        assert_eq!(look(&[("CTR_INSTANCE", "bio")]), (true, "`bio`".into()));
        let here = ("CTR_PLACE", "boot:1");
        let (ok, _) = look(&[("CTR_INSTANCE", "bio"), here]);
        assert!(ok);
        let (ok, detail) = look(&[("CTR_INSTANCE", "bio"), ("CTR_PLACE", "other:1")]);
        assert!(!ok && detail.contains("another host"), "{detail}");
        let (ok, detail) = look(&[here]);
        assert!(!ok && detail.contains("half"), "{detail}");
        let (ok, detail) = look(&[("CTR_INSTANCE", "../x")]);
        assert!(!ok && detail.contains("../x"), "{detail}");
        let entry = ("CTR_PATH_ENTRY", "/run/shims");
        let (ok, _) = look(&[
            ("CTR_INSTANCE", "bio"),
            here,
            entry,
            ("PATH", "/a:/run/shims"),
        ]);
        assert!(ok);
        let (ok, detail) = look(&[("CTR_INSTANCE", "bio"), here, entry, ("PATH", "/a")]);
        assert!(!ok && detail.contains("/run/shims"), "{detail}");
    }
}
