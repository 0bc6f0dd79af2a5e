//! Is this process inside an instance itself, and of which?

use std::fmt;
use std::path::Path;

use super::{Process, processes};
use crate::context::Context;

/// What Apptainer's containers have at their root, and no host.
const MARK: &str = "/.singularity.d";

/// The first process of an instance, as its own processes see it.
const FIRST: i32 = 1;

/// The container that a process is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surrounding<'a> {
    /// An instance of this name.
    Instance(&'a str),
    /// One of Apptainer's that is no instance, or does not say which.
    Container,
}

impl fmt::Display for Surrounding<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Surrounding::Instance(name) => write!(f, "`{name}`"),
            Surrounding::Container => f.write_str("a container"),
        }
    }
}

/// The container that this process is in, by its variables, and by its root where these are lost.
pub fn find(context: &Context) -> Option<Surrounding<'_>> {
    let told = ["APPTAINER_CONTAINER", "SINGULARITY_CONTAINER"]
        .iter()
        .any(|name| context.setting(name).is_some());
    match told {
        true => Some(name(context)),
        false => around(context),
    }
}

/// The container that this process is in by its root alone: a job that was submitted from inside of one
/// has the variables, and runs outside.
pub fn around(context: &Context) -> Option<Surrounding<'_>> {
    Path::new(MARK).is_dir().then(|| name(context))
}

/// Apptainer tells every process of an instance, those of its start script too. `CTR_INSTANCE` is no
/// sign: the host's shell hands that to any container while an instance is active there.
fn name(context: &Context) -> Surrounding<'_> {
    ["APPTAINER_INSTANCE", "SINGULARITY_INSTANCE"]
        .iter()
        .find_map(|name| context.setting(name))
        .map_or(Surrounding::Container, Surrounding::Instance)
}

/// The instance that this process is in, as it is seen from here.
pub fn process(context: &Context) -> Option<Process> {
    Some(Process {
        pid: FIRST,
        pid_start_time: processes::start_time(FIRST)?,
        supervisor_pid: FIRST,
        boot_id: context.place.boot_id.clone(),
        pid_namespace: context.place.pid_namespace,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::tests::context;

    #[test]
    fn the_instance_is_the_one_that_apptainer_names() {
        let image = ("APPTAINER_CONTAINER", "/b.sif");
        let find =
            |variables: &[(&str, &str)]| find(&context(variables)).map(|around| around.to_string());
        assert_eq!(find(&[("CTR_INSTANCE", "bio")]), None);
        let joined = [image, ("APPTAINER_INSTANCE", "a"), ("CTR_INSTANCE", "b")];
        assert_eq!(find(&joined).unwrap(), "`a`");
        assert_eq!(
            find(&[image, ("CTR_INSTANCE", "b")]).unwrap(),
            "a container"
        );
    }
}
