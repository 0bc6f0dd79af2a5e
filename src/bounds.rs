//! How long anything is waited for that is not `ctr`'s own, and how much is read of it. Nothing waits or
//! reads without one of these; what `ctr stop -t` says is the user's own limit.

use std::time::Duration;

// ---- file systems ----

/// For an instance's file system to answer, before it is called broken. A helper that works takes less
/// than a millisecond.
pub const FILE_SYSTEM: Duration = Duration::from_millis(200);
/// For each of several, before the next is asked beside it: ten that hang are found out in one go.
pub const NEXT_BESIDE: Duration = Duration::from_millis(20);
/// More for one that was not given the processor, on a machine that is busy.
pub const BUSY_MACHINE: Duration = Duration::from_secs(5);

/// For all that TAB offers: somebody has a finger on the key.
pub const COMPLETION: Duration = Duration::from_secs(1);

// ---- programs ----

/// For what Apptainer says of itself: its version, where its configuration is.
pub const QUESTION: Duration = Duration::from_secs(20);
/// For each command that is run inside to learn what a direct join needs, or the image's `PATH`.
pub const LOOK_INSIDE: Duration = Duration::from_secs(10);

// ---- sizes ----

/// Of a configuration file, a sidecar, a script of an image's environment.
pub const TEXT: u64 = 1 << 20;
/// Of a file that `ctr` or Apptainer wrote: a state, a record, an answer that is kept.
pub const RECORD: u64 = 16 << 20;
/// Of what a program prints that is asked something.
pub const ANSWER: u64 = 16 << 20;
