//! The bus of the user's session, over which systemd gives an instance a cgroup of its own.
//!
//! Where Apptainer finds it, every instance gets one, for Apptainer's own `stats` alone. Then no command
//! can join directly, and where the bus is not (`cron`, `su`, jobs) none can go in at all. So it is
//! kept from a start, unless limits are asked for, which only a cgroup holds.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::engine::Engine;
use crate::engine::apptainer::environment::OLD_CARRIER;
use crate::engine::apptainer::flags;
use crate::engine::local::answers;
use crate::env::rules::CARRIER;
use crate::error::{Error, Kind, Result};
use crate::host::context::{Context, Variables};
use crate::spec::InstanceSpec;

/// Where the bus is, as an address.
const BUS: &str = "DBUS_SESSION_BUS_ADDRESS";
/// The folder of the session, without which Apptainer does not look for a bus.
const SESSION: &str = "XDG_RUNTIME_DIR";
/// How the address of a socket begins.
const SOCKET: &str = "unix:path=";

/// Takes it from Apptainer, and hands it in for the inside, as far as that has the caller's variables.
fn withhold(variables: &mut Variables, is_clean: bool) {
    let Some(address) = variables.remove(std::ffi::OsStr::new(BUS)) else {
        return;
    };
    let carriers = [CARRIER, OLD_CARRIER].map(|carrier| OsString::from(format!("{carrier}{BUS}")));
    let [carrier, _] = &carriers;
    if !is_clean && !carriers.iter().any(|name| variables.contains_key(name)) {
        variables.insert(carrier.clone(), address);
    }
}

/// The variables with which Apptainer finds the bus; `None` where there is none.
fn find(context: &Context) -> Option<[(OsString, OsString); 2]> {
    let answers = |path: &Path| answers::passes(path, context);
    let is_socket = |socket: PathBuf| answers(&socket) && socket.exists();
    let is_there = |address: &&str| of_socket(address).is_none_or(is_socket);
    let address = context.setting(BUS).filter(is_there);
    let sessions = context.setting(SESSION).map(PathBuf::from).into_iter();
    let usual = PathBuf::from(format!("/run/user/{}", context.uid));
    let mut sessions: Vec<PathBuf> = sessions.chain([usual]).collect();
    sessions.retain(|session| answers(session));
    let pair = |session: &Path, address: String| {
        [
            (SESSION.into(), session.into()),
            (BUS.into(), address.into()),
        ]
    };
    if let Some(address) = address {
        let session = sessions.iter().find(|session| session.is_dir())?;
        return Some(pair(session, address.to_owned()));
    }
    let session = sessions
        .iter()
        .find(|session| session.join("bus").exists())?;
    Some(pair(session, format!("{SOCKET}{}/bus", session.display())))
}

/// The socket behind its address; `None` where there is none, or no file.
pub fn socket(context: &Context) -> Option<PathBuf> {
    let [_, (_, address)] = find(context)?;
    of_socket(address.to_str()?)
}

/// The path in the address of a socket.
fn of_socket(address: &str) -> Option<PathBuf> {
    let path = address.strip_prefix(SOCKET)?.split([',', ';']).next()?;
    Some(path.into())
}

impl Engine<'_> {
    /// Makes the variables of a start those with which Apptainer makes a cgroup where limits are asked
    /// for, and none elsewhere.
    pub(in crate::engine) fn set_bus(&self, variables: &mut Variables, handed_on: &[String]) {
        match flags::asks_for_limits(handed_on) {
            true => variables.extend(find(self.context).into_iter().flatten()),
            false => withhold(variables, flags::in_force(handed_on).clean),
        }
    }

    /// Refuses limits that cannot be had, before anything is stopped for them.
    ///
    /// # Errors
    /// The setup has some, and there is no bus.
    pub fn check_limits_of(&self, spec: &InstanceSpec) -> Result<()> {
        let asks = flags::asks_for_limits(&spec.apptainer_flags);
        if !asks || self.context.uid == 0 || find(self.context).is_some() {
            return Ok(());
        }
        let message = format!(
            "the limits of `{}` take systemd, and there is no bus to it",
            spec.name
        );
        Err(Error::new(Kind::Engine, message).hint(
            "run it in a login session; a job or `su` may find its bus by XDG_RUNTIME_DIR=/run/user/UID",
        ))
    }

    /// The variables with which Apptainer puts a command into the cgroup of an instance; none where that
    /// has no cgroup of its own.
    ///
    /// # Errors
    /// It has one, and there is no bus.
    pub(in crate::engine) fn bus_for(&self, name: &str) -> Result<Vec<(OsString, OsString)>> {
        let record = self.record(name)?;
        if !record.is_some_and(|record| record.has_cgroup) || self.context.uid == 0 {
            return Ok(Vec::new());
        }
        let message = || {
            format!(
                "`{name}` has a cgroup of its own, and there is no bus to systemd, which puts commands into it"
            )
        };
        let bus = find(self.context).ok_or_else(|| {
            Error::new(Kind::Engine, message())
                .hint(format!("run it in a login session; without limits, `ctr restart {name}` starts it with none"))
        })?;
        Ok(bus.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::context::tests::context;

    const ADDRESS: &str = "unix:path=/run/user/1000/bus,guid=1";

    #[test]
    fn it_is_withheld_from_a_start_and_handed_in_for_the_inside() {
        let carried = |name: &str| format!("{name}{BUS}");
        let withheld = |variables: &[(&str, &str)], is_clean| {
            let mut variables: Variables = variables
                .iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect();
            withhold(&mut variables, is_clean);
            let shown = variables
                .into_iter()
                .map(|(name, value)| (name.into_string().unwrap(), value.into_string().unwrap()));
            shown.collect::<Vec<_>>()
        };
        let handed_in = [(carried(CARRIER), ADDRESS.to_owned())];
        assert_eq!(withheld(&[(BUS, ADDRESS)], false), handed_in);
        assert_eq!(withheld(&[(BUS, ADDRESS)], true), []);
        assert_eq!(withheld(&[], false), []);
        // What the user hands in stands.
        for carrier in [CARRIER, OLD_CARRIER] {
            let own = [(carried(carrier), "mine".to_owned())];
            let variables = [(BUS, ADDRESS), (&*own[0].0, "mine")];
            assert_eq!(withheld(&variables, false), own);
        }
    }

    #[test]
    fn it_is_found_by_its_address_or_by_the_session() {
        let session = tempfile::tempdir().unwrap();
        let folder = session.path().to_str().unwrap();
        let found = |variables: &[(&str, &str)]| {
            let mut context = context(variables);
            context.uid = u32::MAX; // whose usual folder is nowhere
            find(&context).map(|[_, (_, address)]| address.into_string().unwrap())
        };
        let (here, dead) = (
            format!("{SOCKET}{folder}/bus"),
            format!("{SOCKET}/nosuch/bus"),
        );
        assert_eq!(found(&[(SESSION, folder)]), None);
        assert_eq!(found(&[(SESSION, folder), (BUS, &dead)]), None);
        std::fs::write(session.path().join("bus"), "").unwrap();
        assert_eq!(found(&[(SESSION, folder)]), Some(here.clone()));
        assert_eq!(
            found(&[(SESSION, folder), (BUS, &dead)]),
            Some(here.clone())
        );
        let with_guid = format!("{here},guid=1");
        assert_eq!(
            found(&[(SESSION, folder), (BUS, &with_guid)]),
            Some(with_guid)
        );
        assert_eq!(found(&[(BUS, &here)]), None);
    }
}
