//! Making an instance active in an environment, and leaving it exactly. Pure: from variables to
//! statements for a shell.
//!
//! What is needed to leave travels in the environment itself, so that child shells have it too:
//! `CTR_RESTORE` lists each variable with a hash of what was set and whether there was an old
//! value; the old values are in variables of their own, as bytes.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use crate::env::rules::{LONGEST_STRING, is_never_on_host};
use crate::host::context::{PidScope, Variables};
use crate::host::stable_hash;
use crate::names::is_variable_name;
use crate::shim_call;

#[cfg(test)]
mod tests;

/// The active instance's name.
pub const INSTANCE: &str = "CTR_INSTANCE";
/// Where the activation was made, and so where it holds.
const PLACE: &str = "CTR_PLACE";
const RESTORE: &str = "CTR_RESTORE";
/// The instance's process, `PID:START`, its start in clock ticks since boot (`proc(5)`, field 22 of
/// `stat`): a prompt sees by it, without a program, that this very process still runs.
const PROCESS: &str = "CTR_PROCESS";
/// The member of `PATH` that was put there.
pub const PATH_ENTRY: &str = "CTR_PATH_ENTRY";
const OLD: &str = "CTR_OLD_";

/// One thing for a shell to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Statement {
    /// Sets a variable of `ctr`'s own.
    Export { name: String, value: OsString },
    /// Removes a variable of `ctr`'s own.
    Unset { name: String },
    /// Sets a variable of the instance, over whatever the shell has under that name. `exported`
    /// tells that the environment has one, whose value is remembered elsewhere.
    Override {
        name: String,
        value: OsString,
        exported: bool,
    },
    /// Gives a variable back as it was: in the shell, else in the environment, else not set.
    Restore { name: String, old: Option<OsString> },
    /// Drops what the shell remembers of a variable that stays as it is.
    Forget { name: String },
    /// Tells the prompt hook, where there is one, of a folder that this shell has put on `PATH` or taken
    /// off it: see [`hold`].
    Hold { folder: OsString },
}

impl Statement {
    /// The variable that it is about. Where it came from an environment or a file, it may be any text.
    pub fn name(&self) -> Option<&str> {
        match self {
            Statement::Export { name, .. }
            | Statement::Unset { name }
            | Statement::Override { name, .. }
            | Statement::Restore { name, .. }
            | Statement::Forget { name } => Some(name),
            Statement::Hold { .. } => None,
        }
    }
}

/// An instance as a shell sees it while it is active.
#[derive(Debug, Clone, Copy)]
pub struct Activation<'a> {
    pub instance: &'a str,
    /// Its process and the start of that.
    pub process: (i32, u64),
    /// The folder that goes to the head of `PATH`.
    pub path_entry: &'a OsStr,
    pub here: &'a PidScope,
}

/// The instance that is active in an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Active {
    pub name: String,
    /// Its process when it was made active, and the start of that; `None` when not known.
    pub process: Option<(i32, u64)>,
    /// False when the activation came from another host or pid namespace.
    pub here: bool,
}

/// What entering or leaving comes to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    pub statements: Vec<Statement>,
    /// Variables that stay as they are: changed by the user since, or too long to remember.
    pub kept: Vec<String>,
}

/// A variable that was set, as `CTR_RESTORE` remembers it: `NAME:hash:u` when it was unset
/// before, `NAME:hash:o` when `CTR_OLD_NAME` has the old value.
struct Remembered<'a> {
    name: &'a str,
    hash: &'a str,
    had_value: bool,
}

/// The active instance; a name in `CTR_INSTANCE` alone, without its companions, counts as made
/// here: a user may set it for one command.
pub fn active(variables: &Variables, here: &PidScope) -> Option<Active> {
    let name = text(variables, INSTANCE).filter(|name| !name.is_empty())?;
    let place = variables.get(OsStr::new(PLACE));
    Some(Active {
        name: name.to_owned(),
        process: text(variables, PROCESS).and_then(read_process),
        here: place.is_none_or(|place| place.as_os_str() == OsStr::new(&label(here))),
    })
}

/// The environment from before the activation, with none of its companions, and no shims on `PATH`:
/// inside an instance there are none.
pub fn without(variables: &Variables) -> Variables {
    let mut before = variables.clone();
    apply(&mut before, &leave(variables).statements);
    before.retain(|name, _| !is_companion(name));
    if let Some(path) = before.get_mut(OsStr::new("PATH")) {
        let members = path.as_bytes().split(|byte| *byte == b':');
        let is_other =
            |member: &&[u8]| !shim_call::is_shim_folder(Path::new(OsStr::from_bytes(member)));
        let others: Vec<&[u8]> = members.filter(is_other).collect();
        *path = OsString::from_vec(others.join(&b':'));
    }
    before
}

/// The `PATH` from before the activation, when it is text.
pub fn callers_path(variables: &Variables) -> Option<String> {
    let path = without(variables).remove(OsStr::new("PATH"))?;
    path.into_string().ok()
}

/// What leaves the active instance: nothing when there is none.
pub fn leave(variables: &Variables) -> Change {
    let mut change = Change::default();
    for remembered in remembered(text(variables, RESTORE).unwrap_or_default()) {
        let name = remembered.name.to_owned();
        let now = variables.get(OsStr::new(&name));
        if now.map(|value| hash(value)).as_deref() != Some(remembered.hash) {
            change.kept.push(name.clone());
            change.statements.push(Statement::Forget { name });
            continue;
        }
        let old = variables.get(OsStr::new(&format!("{OLD}{name}")));
        let old = old.filter(|_| remembered.had_value).cloned();
        change.statements.push(Statement::Restore { name, old });
    }
    change.statements.extend(path_without_entry(variables));
    // One whose name no shell can hold is nothing that any has set.
    let companions = variables.keys().filter(|name| is_companion(name));
    let names = companions.filter_map(|name| name.to_str());
    let names = names.filter(|name| is_variable_name(name));
    change.statements.extend(names.map(|name| Statement::Unset {
        name: name.to_owned(),
    }));
    let entry = variables.get(OsStr::new(PATH_ENTRY));
    let entry = entry.filter(|entry| shim_call::is_shim_folder(Path::new(entry)));
    change
        .statements
        .extend(entry.cloned().map(|folder| Statement::Hold { folder }));
    change
}

/// What makes `instance` active: leaves the one that is, then sets its variables.
pub fn enter<'a>(
    variables: &Variables,
    activation: &Activation,
    set: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Change {
    let mut change = leave(variables);
    let mut now = variables.clone();
    apply(&mut now, &change.statements);

    let mut list = Vec::new();
    for (name, value) in set.into_iter().filter(|(name, _)| can_be_set(name)) {
        let value = OsString::from(value);
        let old = now.get(OsStr::new(name));
        let old_name = format!("{OLD}{name}");
        if old.is_some_and(|old| old_name.len() + old.len() + 2 > LONGEST_STRING) {
            change.kept.push(name.to_owned());
            continue;
        }
        let kind = if old.is_some() { 'o' } else { 'u' };
        list.push(format!("{name}:{}:{kind}", hash(&value)));
        if let Some(old) = old {
            change.statements.push(export(&old_name, old.clone()));
        }
        change.statements.push(Statement::Override {
            name: name.to_owned(),
            value,
            exported: old.is_some(),
        });
    }
    let mut path = activation.path_entry.to_owned();
    if let Some(old) = now.get(OsStr::new("PATH")) {
        path.push(":");
        path.push(old);
    }
    change.statements.extend([
        set_path(path),
        export(PATH_ENTRY, activation.path_entry.to_owned()),
        export(RESTORE, list.join(",").into()),
        export(PLACE, label(activation.here).into()),
        export(PROCESS, write_process(activation.process).into()),
        export(INSTANCE, activation.instance.into()),
        Statement::Hold {
            folder: activation.path_entry.to_owned(),
        },
    ]);
    change
}

/// What holds `PATH` against what is active, when others have put a whole `PATH` of before back: of the
/// folders of shims in `held`, with `:` between them, that of the active instance is there once, where it
/// is or else at the head, and no other. `None` when it is so.
pub fn hold(variables: &Variables, held: &OsStr) -> Option<Statement> {
    let held: Vec<&[u8]> = held
        .as_bytes()
        .split(|byte| *byte == b':')
        .filter(|folder| shim_call::is_shim_folder(Path::new(OsStr::from_bytes(folder))))
        .collect();
    let active = variables.get(OsStr::new(PATH_ENTRY));
    let active = active
        .map(|entry| entry.as_bytes())
        .filter(|entry| held.contains(entry));
    let path = variables.get(OsStr::new("PATH"))?.as_bytes();
    let mut is_there = false;
    let mut members: Vec<&[u8]> = Vec::new();
    for member in path.split(|byte| *byte == b':') {
        let is_active = active == Some(member);
        if !held.contains(&member) || is_active && !is_there {
            members.push(member);
        }
        is_there |= is_active;
    }
    if let Some(active) = active.filter(|_| !is_there) {
        members.insert(0, active);
    }
    let held_path = members.join(&b':');
    (held_path != path).then(|| set_path(OsString::from_vec(held_path)))
}

/// Does to an environment what a shell would do to its own.
fn apply(variables: &mut Variables, statements: &[Statement]) {
    for statement in statements {
        match statement {
            Statement::Export { name, value }
            | Statement::Override { name, value, .. }
            | Statement::Restore {
                name,
                old: Some(value),
            } => {
                variables.insert(name.into(), value.clone());
            }
            Statement::Unset { name } | Statement::Restore { name, old: None } => {
                variables.remove(OsStr::new(name));
            }
            Statement::Forget { .. } | Statement::Hold { .. } => {}
        }
    }
}

/// Takes the one member from `PATH` that was put there; `None` when it is not there.
fn path_without_entry(variables: &Variables) -> Option<Statement> {
    let entry = variables.get(OsStr::new(PATH_ENTRY))?.as_bytes();
    let path = variables.get(OsStr::new("PATH"))?.as_bytes();
    let mut members: Vec<&[u8]> = path.split(|byte| *byte == b':').collect();
    let at = members.iter().position(|member| *member == entry)?;
    members.remove(at);
    let name = "PATH".to_owned();
    Some(match members.is_empty() {
        true => Statement::Restore { name, old: None },
        false => set_path(OsString::from_vec(members.join(&b':'))),
    })
}

fn remembered(list: &str) -> impl Iterator<Item = Remembered<'_>> {
    list.split(',').filter_map(|item| {
        let mut parts = item.split(':');
        Some(Remembered {
            name: parts.next().filter(|name| can_be_set(name))?,
            hash: parts.next()?,
            had_value: parts.next()? == "o",
        })
    })
}

/// True for a variable that an activation may have set. `CTR_RESTORE` is the environment's word: what
/// it says of any other is not believed.
fn can_be_set(name: &str) -> bool {
    is_variable_name(name) && !is_never_on_host(name)
}

fn is_companion(name: &OsStr) -> bool {
    let name = name.as_bytes();
    [INSTANCE, PLACE, PROCESS, RESTORE, PATH_ENTRY]
        .iter()
        .any(|own| own.as_bytes() == name)
        || name.starts_with(OLD.as_bytes())
}

fn export(name: &str, value: OsString) -> Statement {
    Statement::Export {
        name: name.to_owned(),
        value,
    }
}

/// `PATH` is special or read-only in some shells, as a variable of the instance may be.
fn set_path(value: OsString) -> Statement {
    Statement::Override {
        name: "PATH".to_owned(),
        value,
        exported: true,
    }
}

fn text<'a>(variables: &'a Variables, name: &str) -> Option<&'a str> {
    variables.get(OsStr::new(name))?.to_str()
}

fn read_process(text: &str) -> Option<(i32, u64)> {
    let (pid, start) = text.split_once(':')?;
    Some((pid.parse().ok()?, start.parse().ok()?))
}

fn write_process((pid, start): (i32, u64)) -> String {
    format!("{pid}:{start}")
}

fn label(place: &PidScope) -> String {
    format!("{}:{}", place.boot_id, place.pid_namespace)
}

/// Tells a value from another.
fn hash(value: &OsStr) -> String {
    stable_hash::of_value(value.as_bytes())
}
