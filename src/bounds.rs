//! How long anything is waited for that is not `ctr`'s own, and how much is read of it. Nothing waits or
//! reads without one of these; what `ctr stop -t` says is the user's own limit.

use std::time::Duration;

// ---- file systems ----

/// For an instance's file system to answer, before a list calls it broken. A helper that works takes
/// less than a millisecond.
pub const FILE_SYSTEM: Duration = Duration::from_millis(200);
/// The same where it is the one that is wanted: its file server may only be slow.
pub const WANTED_FILE_SYSTEM: Duration = Duration::from_secs(2);
/// For each of several, before the next is asked beside it: ten that hang are found out in one go.
pub const NEXT_BESIDE: Duration = Duration::from_millis(20);
/// More where somebody has work to do and is not given the processor, on a machine that is busy.
pub const BUSY_MACHINE: Duration = Duration::from_secs(5);

/// For the folders of `ctr` itself, on a home that may be slow.
pub const HOME: Duration = Duration::from_secs(30);
/// The same for a prompt, and for a line of an rc file, which is passed over then.
pub const PROMPT: Duration = Duration::from_secs(2);
/// For all that TAB offers: somebody has a finger on the key.
pub const COMPLETION: Duration = Duration::from_secs(1);

/// For a path of the host that a start looks at: an automount takes its time.
pub const HOST_PATH: Duration = Duration::from_secs(10);
/// For the table of contents of an overlay, however many files it has.
pub const CONTENTS: Duration = Duration::from_secs(30);

// ---- programs ----

/// For what Apptainer says of itself: its version, where its configuration is.
pub const QUESTION: Duration = Duration::from_secs(20);
/// For each command that is run inside to learn what a direct join needs, or the image's `PATH`.
pub const LOOK_INSIDE: Duration = Duration::from_secs(10);

/// For the bus of the session, and systemd behind it, to answer each question.
pub const BUS: Duration = Duration::from_secs(5);

/// For another to learn what a direct join needs, from its own start on: three looks inside, and what is
/// between them.
pub const LEARNING: Duration = Duration::from_secs(40);
/// For the state to be free to take up what was learned: only a note or a look is that short.
pub const SAVING: Duration = Duration::from_secs(1);

// ---- other ctr commands ----

/// Before a terminal is told what is waited for.
pub const TELL: Duration = Duration::from_secs(2);
/// For whoever has the name of a lock to answer, before the next name is the lock: the kernel answers for it,
/// but between two calls of whoever takes it.
pub const LOCK_ANSWER: Duration = Duration::from_millis(500);
/// For Apptainer at a start, or another command, that lives and does nothing: neither it nor what it
/// started computes, reads or writes. A start that gets on is waited for as long as it takes.
pub const STALLED: Duration = Duration::from_secs(300);
/// For Apptainer to come to an end with a start whose `ctr` was killed.
pub const ORPHANED_START: Duration = Duration::from_secs(60);
/// For one that a signal has stopped, as Ctrl-Z does.
pub const STOPPED: Duration = Duration::from_secs(10);

// ---- sizes ----

/// Of a configuration file, a sidecar, a script of an image's environment.
pub const TEXT: u64 = 1 << 20;
/// Of a file that `ctr` or Apptainer wrote: a state, a record, an answer that is kept.
pub const RECORD: u64 = 16 << 20;
/// Of what a program prints that is asked something.
pub const ANSWER: u64 = 16 << 20;
