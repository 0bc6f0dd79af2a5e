//! Can this user appear as root?

use std::fs;

use crate::error::{Error, Kind, Result};
use crate::host::context::Context;

/// Refuses a fakeroot start for a user without a range of subordinate ids: Apptainer would fall
/// back silently, and then every command inside a small image fails.
///
/// # Errors
/// `/etc/subuid` or `/etc/subgid` has no line for the user.
pub fn check_mapping(context: &Context) -> Result<()> {
    if context.uid == 0 || ids_come_from_elsewhere() {
        return Ok(());
    }
    let user = nix::unistd::User::from_uid(context.uid.into())
        .ok()
        .flatten();
    let name = user.map_or_else(|| context.uid.to_string(), |user| user.name);
    for file in ["/etc/subuid", "/etc/subgid"] {
        let text = fs::read_to_string(file).unwrap_or_default();
        if !has_line(&text, &name, context.uid) {
            return Err(Error::new(
                Kind::Setup,
                format!("no fakeroot for {name}: {file} has no line for this user"),
            )
            .hint(format!(
                "ask the administrator: usermod --add-subuids 100000-165535 \
                 --add-subgids 100000-165535 {name}"
            )));
        }
    }
    Ok(())
}

/// True when the system looks such ranges up in a directory (`subid:` in nsswitch.conf).
fn ids_come_from_elsewhere() -> bool {
    let text = fs::read_to_string("/etc/nsswitch.conf").unwrap_or_default();
    text.lines()
        .filter_map(|line| line.strip_prefix("subid:"))
        .any(|list| list.split_whitespace().any(|source| source != "files"))
}

fn has_line(text: &str, name: &str, uid: u32) -> bool {
    text.lines()
        .filter_map(|line| line.split(':').next())
        .any(|owner| owner == name || owner == uid.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_found_by_name_or_number() {
        let text = "root:1:65536\nana:100000:65536\n1007:300000:65536\n";
        assert!(has_line(text, "ana", 5) && has_line(text, "bob", 1007));
        assert!(!has_line(text, "an", 100));
    }
}
