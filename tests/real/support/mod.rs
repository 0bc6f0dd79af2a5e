//! The harness. A test looks like this:
//!
//! ```text
//! #[test]
//! fn exec_hands_on_the_status_of_the_command() {
//!     let place = Place::new();                             // a world of its own
//!     place.start("bio", &["-e", "K=v"]);                   // `ctr start -e K=v bio`, which must succeed
//!     place.ctr(["exec", "bio", "sh", "-c", "exit 7"]).fails(7);
//!     let output = place.ctr(["exec", "bio", "pwd"]).ok();  // .run() where the status is open
//!     assert_eq!(output.text(), format!("{}\n", place.work().display()));
//!     output.quiet();                                       // nothing on stderr
//! }                                                         // all of its instances end here
//! ```
//!
//! | what | where |
//! | --- | --- |
//! | `Place`: folders, environment, `ctr`, `apptainer`, records of Apptainer, processes | `place.rs` |
//! | `Run`: `.arg .args .env .env_remove .cwd .stdin`, then `.run .ok .fails .spawn .terminal` | `run.rs` |
//! | `Output`: `.text .lines .json .quiet .says` | `run.rs` |
//! | images, `place.overlay .sidecar .ext3 .sandbox` | `fixtures.rs` |
//! | `Terminal`: a program in a pty: `.send .line .ctrl .wait_for .screen .wait` | `terminal.rs` |
//! | `Shell`: bash, zsh, fish in `ALL`, more in `OTHERS`: `.script`, `.interactive` → `Session`, with `.eval` | `shell.rs` |
//! | `Script`: a script of any shell that notes its environment, and `noted` to read that | `script.rs` |
//! | `place.hanging`: a file system of the host that answers nobody | `hanging.rs` |
//! | `eventually("…", || …)`: wait for something, with a deadline and no fixed sleep | `wait.rs` |
//! | `processes`: who runs, and which belong to a place | `processes.rs` |
//! | `place.assert_clean .assert_forgotten .state .edit_state .listed .status`, changed worlds, slow starts | `traces.rs` |
//!
//! The base image is a busybox (`CTR_BASE_IMAGE`; `place.set` and `place.unset` change the environment).
//! Its environment script puts `/image/bin` before `PATH` and sets `FROM_IMAGE=yes`.

mod fixtures;
mod hanging;
mod place;
pub mod processes;
mod run;
mod script;
mod shell;
mod terminal;
mod traces;
mod wait;

pub use fixtures::images;
pub use place::{Place, long_tool};
pub use run::{Output, Run, code};
pub use script::{Script, get, noted};
pub use shell::{Session, Shell, Shells, here};
pub use terminal::Terminal;
pub use traces::{Bystander, is_waiting};
pub use wait::{PATIENCE, eventually};
