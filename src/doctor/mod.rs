//! What this machine must have for instances to run, looked at one by one.

mod integration;
mod rc;

use serde::Serialize;

use crate::engine;
use crate::engine::answers;
use crate::error::Error;
use crate::instance::session::Session;
use crate::private_dir;
use crate::resolve;

/// The outcome of one check.
#[derive(Debug, Serialize)]
pub struct Check {
    pub name: &'static str,
    pub ok: bool,
    /// What was found.
    pub detail: String,
    /// What to do when it is not well; empty when it is.
    pub fix: String,
}

impl Check {
    fn well(name: &'static str, detail: impl Into<String>) -> Self {
        Check {
            name,
            ok: true,
            detail: detail.into(),
            fix: String::new(),
        }
    }

    fn ill(name: &'static str, detail: impl Into<String>, fix: impl Into<String>) -> Self {
        Check {
            name,
            ok: false,
            detail: detail.into(),
            fix: fix.into(),
        }
    }

    fn of(name: &'static str, error: Error) -> Self {
        Check::ill(name, error.message, error.hint.unwrap_or_default())
    }
}

/// Every check; inside an instance only those that mean something there.
pub fn checks(session: &Session) -> Vec<Check> {
    if let Some(around) = session.engine.surrounding() {
        let detail = format!(
            "inside {around}: Apptainer, the machine and the rc files are checked from outside"
        );
        return vec![
            Check::well("place", detail),
            integration::active_instance(session.context),
        ];
    }
    let mut checks = vec![
        apptainer(session),
        limits(session),
        user_namespaces(session),
        fuse_device(),
        program(
            session,
            "squashfuse",
            &["squashfuse_ll", "squashfuse"],
            "squashfs overlays",
        ),
        program(session, "fuse2fs", &["fuse2fs"], "ext3 overlays"),
        program(
            session,
            "fuse-overlayfs",
            &["fuse-overlayfs"],
            "overlays on old kernels",
        ),
        fakeroot(session),
        state_folder(session),
        runtime_folder(session),
    ];
    checks.extend(integration::checks(session));
    checks
}

fn apptainer(session: &Session) -> Check {
    match session.engine.binary() {
        Ok(binary) => Check::well(
            "apptainer",
            format!("{} ({})", binary.path.display(), binary.version),
        ),
        Err(error) => Check::of("apptainer", error),
    }
}

fn limits(session: &Session) -> Check {
    const NAME: &str = "apptainer.conf";
    if session.engine.binary().is_err() {
        return Check::ill(NAME, "there is no Apptainer to ask", "see above");
    }
    match session.engine.limits() {
        Ok((file, limits)) if limits.is_empty() => {
            Check::well(NAME, format!("{} sets no limits", file.display()))
        }
        Ok((file, limits)) => Check::ill(
            NAME,
            format!("{}: {}", file.display(), limits.join("; ")),
            "these are the administrator's: ask, when they are in your way",
        ),
        Err(why) => Check::ill(NAME, why, "ask the administrator to make it readable"),
    }
}

fn user_namespaces(session: &Session) -> Check {
    const NAME: &str = "user namespaces";
    match engine::make_user_namespace(session.context) {
        Ok(()) => Check::well(NAME, "can be made"),
        Err(_) if session.engine.is_setuid().unwrap_or(false) => Check::well(
            NAME,
            "cannot be made, and a setuid installation does without; --fakeroot does not",
        ),
        Err(why) => Check::ill(
            NAME,
            why,
            "ask the administrator: sysctl user.max_user_namespaces, \
             kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns",
        ),
    }
}

fn fuse_device() -> Check {
    const NAME: &str = "/dev/fuse";
    match std::fs::File::options().read(true).write(true).open(NAME) {
        Ok(_) => Check::well(NAME, "can be opened"),
        Err(error) => Check::ill(
            NAME,
            error.to_string(),
            "ask the administrator: modprobe fuse; chmod 666 /dev/fuse",
        ),
    }
}

fn program(session: &Session, name: &'static str, programs: &[&str], what: &str) -> Check {
    let beside = session.engine.binary().ok().and_then(|binary| {
        // Apptainer's own helpers, where a package brings them.
        let prefix = binary.path.parent()?.parent()?.to_owned();
        Some([prefix.join("libexec/apptainer/bin"), prefix.join("bin")])
    });
    let found = programs.iter().find_map(|program| {
        answers::find_program(program, session.context).or_else(|| {
            let folders = beside.iter().flatten();
            folders
                .map(|folder| folder.join(program))
                .find(|path| path.is_file())
        })
    });
    match found {
        Some(path) => Check::well(name, path.display().to_string()),
        None => Check::ill(
            name,
            format!("not found; {what} need it"),
            format!("install the package {name}"),
        ),
    }
}

fn fakeroot(session: &Session) -> Check {
    const NAME: &str = "fakeroot";
    if let Err(error) = resolve::check_mapping(session.context) {
        return Check::of(NAME, error);
    }
    if session.context.uid != 0 && answers::find_program("newuidmap", session.context).is_none() {
        return Check::ill(NAME, "newuidmap is not there", "install the package uidmap");
    }
    Check::well(NAME, "this user has a range of subordinate ids")
}

fn state_folder(session: &Session) -> Check {
    const NAME: &str = "state folder";
    match session.store.try_writing() {
        Ok(()) => Check::well(NAME, session.store.folder().display().to_string()),
        Err(error) => Check::of(NAME, error),
    }
}

fn runtime_folder(session: &Session) -> Check {
    const NAME: &str = "runtime folder";
    let folder = private_dir::private_folder(session.context);
    match folder.map(|folder| (private_dir::passed_over(session.context, &folder), folder)) {
        Ok((None, folder)) => Check::well(NAME, folder.display().to_string()),
        Ok((Some(why), folder)) => {
            let folder = folder.display();
            Check::well(NAME, format!("{folder}, since {}", why.message))
        }
        Err(error) => Check::of(NAME, error),
    }
}
