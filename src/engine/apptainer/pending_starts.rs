//! Is Apptainer still starting an instance whose `ctr` is gone? It goes on without its caller.

use std::path::Path;

use procfs::process::{Process as Proc, all_processes};

/// True while a process of Apptainer's is at the start of `name`, with the configuration folder
/// `config`. That of an instance that has started and is recorded counts too.
pub fn is_starting(name: &str, config: &Path) -> bool {
    let Ok(all) = all_processes() else {
        return false;
    };
    all.flatten()
        .any(|process| is_call(&process, name, config) || is_starter(&process, name, config))
}

/// `apptainer instance start … NAME`.
fn is_call(process: &Proc, name: &str, config: &Path) -> bool {
    let Ok(words) = process.cmdline() else {
        return false;
    };
    let starts = words.windows(2).any(|pair| pair == ["instance", "start"]);
    if !starts || words.last().map(String::as_str) != Some(name) {
        return false;
    }
    process.environ().is_ok_and(|environment| {
        let get = |key: &str| environment.get(std::ffi::OsStr::new(key)).map(Path::new);
        let named = ["APPTAINER_CONFIGDIR", "SINGULARITY_CONFIGDIR"].into_iter();
        let mut named = named
            .filter_map(get)
            .filter(|folder| !folder.as_os_str().is_empty());
        match (named.next(), get("HOME")) {
            (Some(folder), _) => folder == config,
            (None, Some(home)) => home.join(".apptainer") == config,
            (None, None) => true,
        }
    })
}

/// The program that Apptainer hands over to, which has its orders in its environment.
fn is_starter(process: &Proc, name: &str, config: &Path) -> bool {
    let has = |orders: &str, key: &str, value: &str| {
        orders.contains(&format!("\"{key}\":{}", serde_json::Value::from(value)))
    };
    let (Ok(environment), Some(config)) = (process.environ(), config.to_str()) else {
        return false;
    };
    environment
        .iter()
        .filter(|(key, _)| key.to_string_lossy().starts_with("ENGINE_CONFIG"))
        .any(|(_, orders)| {
            let orders = orders.to_string_lossy();
            has(&orders, "containerID", name) && has(&orders, "configdir", config)
        })
}
