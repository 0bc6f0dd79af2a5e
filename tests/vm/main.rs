//! What only a machine with systemd, logind, cgroup v2 and logins can show.
//!
//! `scripts/test --vm` runs these: it boots such a machine (`scripts/vm`), and puts `ctr`, Apptainer, a
//! base image and the overlay `demo/1.0` there. Plain `cargo test` leaves them out (`test = false`).

mod machine;

mod lifecycle;
mod logout;
mod no_bus;
mod reboot;
mod session;
