//! Is this process inside an instance itself, and of which?

use std::fmt;
use std::path::Path;

use crate::engine::Process;
use crate::engine::local::processes;
use crate::host::context::Context;

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

/// The container that this process is in, by its root: what a job was handed that was submitted from
/// inside of one says nothing, since it runs outside. Variables only tell the name.
pub fn around(context: &Context) -> Option<Surrounding<'_>> {
    let is_inside = Path::new(MARK).is_dir() || is_a_folder_as_image(context);
    is_inside.then(|| name(context))
}

/// A folder that was never built by Apptainer has no mark. Only where the variables speak of a container
/// is the root looked at more closely.
fn is_a_folder_as_image(context: &Context) -> bool {
    let image = ["APPTAINER_CONTAINER", "SINGULARITY_CONTAINER"]
        .iter()
        .find_map(|name| context.setting(name));
    image.is_some_and(|image| {
        let mounts = std::fs::read_to_string("/proc/self/mountinfo");
        mounts.is_ok_and(|mounts| has_root_of(&mounts, image))
    })
}

/// True when the root is one that Apptainer has made of `image`, in the words of
/// `/proc/self/mountinfo`: layers in its session folder, its folder of binds, or the image itself.
fn has_root_of(mounts: &str, image: &str) -> bool {
    let mut lines = mounts.lines().map(|line| (line, line.split(' ')));
    let root = lines.find_map(|(line, mut fields)| {
        let (shown, place) = (fields.nth(3)?, fields.next()?);
        (place == "/").then_some((line, shown))
    });
    root.is_some_and(|(line, shown)| {
        line.contains("/mnt/session/")
            || shown == "/underlay"
            || shown != "/" && is_end_of_other(shown, image)
    })
}

/// True when one path is the end of the other. A file system may be mounted somewhere (`/home`), and the
/// root of this machine may itself be a folder of one.
fn is_end_of_other(one: &str, other: &str) -> bool {
    let ends_with = |one: &str, end: &str| Path::new(one).ends_with(end.trim_start_matches('/'));
    ends_with(one, other) || ends_with(other, one)
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
        user_namespace: None,
        boot_id: context.pid_scope.boot_id.clone(),
        pid_namespace: context.pid_scope.pid_namespace,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::context::tests::context;

    #[test]
    fn the_instance_is_the_one_that_apptainer_names() {
        let name = |variables: &[(&str, &str)]| name(&context(variables)).to_string();
        assert_eq!(name(&[("CTR_INSTANCE", "bio")]), "a container");
        let joined = [("APPTAINER_INSTANCE", "a"), ("CTR_INSTANCE", "b")];
        assert_eq!(name(&joined), "`a`");
    }

    #[test]
    fn variables_alone_make_no_container() {
        let handed_on = context(&[
            ("APPTAINER_CONTAINER", "/b.sif"),
            ("APPTAINER_INSTANCE", "a"),
        ]);
        let around = around(&handed_on);
        // Where these tests themselves are run inside of one, its root decides.
        assert_eq!(around.is_some(), Path::new(MARK).is_dir());
    }

    #[test]
    fn a_root_that_apptainer_has_made_is_known() {
        for (root, is_one) in [
            (
                "353 255 0:70 / / rw unbindable - overlay overlay ro,lowerdir=/v/apptainer/mnt/session/rootfs",
                true,
            ),
            (
                "361 255 0:69 /underlay / ro,nosuid master:119 - tmpfs tmpfs rw",
                true,
            ),
            (
                "349 255 254:0 /u/plain / rw,nosuid master:98 - ext4 /dev/vda rw",
                true,
            ),
            (
                "349 255 254:0 /machines/one/home/u/plain / rw,nosuid master:98 - ext4 /dev/vda rw",
                true,
            ),
            ("66 1 254:0 / / rw,relatime - ext4 /dev/vda rw", false),
            (
                "66 1 254:0 /machines/one / rw,relatime - ext4 /dev/vda rw",
                false,
            ),
            (
                "66 1 0:26 /@ / rw,relatime - btrfs /dev/vda rw,subvol=/@",
                false,
            ),
            (
                "67 66 0:70 / /mnt rw - overlay overlay ro,lowerdir=/v/apptainer/mnt/session/rootfs",
                false,
            ),
        ] {
            let mounts = format!("{root}\n66 1 254:0 /x /y rw - ext4 /dev/vda rw\n");
            assert_eq!(has_root_of(&mounts, "/home/u/plain"), is_one, "{root}");
        }
    }
}
