//! Links the library that unwinds the stack into the program, instead of having it loaded at each start:
//! that takes a tenth of what `ctr --version` takes. Where the compiler has no static form of it, it
//! is loaded as ever.

use std::env;
use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let is_for_this_machine = env::var_os("HOST") == env::var_os("TARGET");
    let is_gnu = env::var("CARGO_CFG_TARGET_ENV").is_ok_and(|name| name == "gnu");
    if is_for_this_machine && is_gnu && is_static_there("gcc_eh") {
        println!("cargo:rustc-link-lib=static=gcc_eh");
    }
}

/// A compiler that does not have a file gives back its name alone.
fn is_static_there(library: &str) -> bool {
    let question = format!("-print-file-name=lib{library}.a");
    let answer = Command::new("cc").arg(question).output();
    answer.is_ok_and(|answer| {
        let path = String::from_utf8_lossy(&answer.stdout);
        Path::new(path.trim()).is_absolute()
    })
}
