//! Do the folders answer in which `ctr` has its files? They are on a home, whose file server may be down.
//! Whoever looks there then may not even be ended by Ctrl-C, so another process looks first.

use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::Duration;

use crate::config;
use crate::engine::answers;
use crate::engine::{self, Patience};
use crate::error::Result;
use crate::host::context::Context;
use crate::state::Store;

/// Waits until they answer, for no longer than the time `most`; after a while `tell` takes what is waited
/// for.
///
/// # Errors
/// One does not answer.
pub fn wait(context: &Context, most: Duration, tell: &dyn Fn(&str)) -> Result<()> {
    let store = Store::new(context);
    // What every command reads: the configuration, the states, what is kept in the cache, and the records
    // of Apptainer.
    let mut paths = vec![config::user_file(context)];
    paths.extend(store.on_the_way());
    paths.push(context.cache_home().join("ctr"));
    paths.push(engine::records_folder(context));
    ask(&paths, most, tell)?;
    // Which folder this host's is, is said in a file: only now it can be read.
    let folder = store.folder();
    match paths.contains(&folder) {
        true => Ok(()),
        false => ask(&[folder], most, tell),
    }
}

fn ask(paths: &[PathBuf], most: Duration, tell: &dyn Fn(&str)) -> Result<()> {
    let names: Vec<CString> = paths
        .iter()
        .filter_map(|path| CString::new(path.as_os_str().as_bytes()).ok())
        .collect();
    let patience = Patience {
        tell: &|at| {
            tell(&format!(
                "waiting for {}, which does not answer",
                paths[at].display()
            ))
        },
        ..Patience::of(most)
    };
    engine::open_in_turn(&names, &patience).map_err(|at| answers::no_answer(&paths[at]))
}
