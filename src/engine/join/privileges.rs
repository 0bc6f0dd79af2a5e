//! What a process may do, as `/proc/<pid>/status` shows them.

use nix::errno::Errno;
use nix::sys::prctl::set_no_new_privs;
use rustix::thread::{
    CapabilitySet, CapabilitySets, configure_capability_in_ambient_set,
    remove_capability_from_bounding_set, set_capabilities,
};
use serde::{Deserialize, Serialize};

/// The five sets of capabilities, a bit each, and whether a program can bring more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Privileges {
    inheritable: u64,
    permitted: u64,
    effective: u64,
    bounding: u64,
    ambient: u64,
    no_new: bool,
}

impl Privileges {
    /// Reads them from the lines of a `status` file (`proc(5)`).
    pub fn read(status: &str) -> Option<Self> {
        let set = |name: &str| {
            let mut lines = status.lines();
            let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
            u64::from_str_radix(value.trim(), 16).ok()
        };
        Some(Privileges {
            inheritable: set("CapInh")?,
            permitted: set("CapPrm")?,
            effective: set("CapEff")?,
            bounding: set("CapBnd")?,
            ambient: set("CapAmb")?,
            no_new: set("NoNewPrivs")? == 1,
        })
    }

    /// Takes them on, in the order in which each step is still allowed: a process that has just
    /// joined a user namespace has all but those in the ambient set.
    ///
    /// # Errors
    /// One is not to be had.
    pub fn take_on(self) -> Result<(), Errno> {
        if self.no_new {
            set_no_new_privs()?;
        }
        let wrong = |error: rustix::io::Errno| Errno::from_raw(error.raw_os_error());
        for capability in every() {
            if self.bounding & capability.bits() == 0 {
                match remove_capability_from_bounding_set(capability) {
                    Err(rustix::io::Errno::INVAL) => break, // this kernel has no more
                    other => other.map_err(wrong)?,
                }
            }
        }
        let set = CapabilitySet::from_bits_retain;
        let sets = CapabilitySets {
            effective: set(self.effective),
            permitted: set(self.permitted),
            inheritable: set(self.inheritable),
        };
        set_capabilities(None, sets).map_err(wrong)?;
        for capability in every().filter(|one| self.ambient & one.bits() != 0) {
            configure_capability_in_ambient_set(capability, true).map_err(wrong)?;
        }
        Ok(())
    }
}

fn every() -> impl Iterator<Item = CapabilitySet> {
    (0..u64::BITS).map(|bit| CapabilitySet::from_bits_retain(1 << bit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sets_are_read_from_a_status_file() {
        let status = "Name:\tx\nCapInh:\t0000000000000001\nCapPrm:\t0000000000000002\n\
                      CapEff:\t0000000000000004\nCapBnd:\t000001ffffffffff\nCapAmb:\t0000000000000000\n\
                      NoNewPrivs:\t1\n";
        let read = Privileges::read(status).unwrap();
        assert_eq!(
            (read.inheritable, read.permitted, read.effective),
            (1, 2, 4)
        );
        assert_eq!((read.bounding, read.ambient), (0x1ff_ffff_ffff, 0));
        assert!(read.no_new);
        assert_eq!(Privileges::read("CapInh:\tx\n"), None);
    }
}
