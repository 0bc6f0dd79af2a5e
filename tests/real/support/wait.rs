//! Waiting for what happens elsewhere.

use std::thread;
use std::time::{Duration, Instant};

/// Long enough for a loaded machine: only a failing test ever waits that long.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Asks again until `ask` gives something, and gives that. Panics with `what` when it never does.
#[track_caller]
pub fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "never happened: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}
