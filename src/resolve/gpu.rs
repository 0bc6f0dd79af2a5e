//! Which GPUs a machine has, by the names in `/dev`.

use clap::ValueEnum;

use crate::cli::Gpu;

/// The choice that a configured name stands for.
pub fn from_name(name: &str) -> Option<Gpu> {
    Gpu::from_str(name, false).ok()
}

/// Apptainer's flags for a choice.
pub fn flags(choice: Gpu) -> Vec<String> {
    match choice {
        Gpu::None => Vec::new(),
        Gpu::Nvidia => vec!["--nv".into()],
        Gpu::Rocm => vec!["--rocm".into()],
        Gpu::Auto => {
            let devices = std::fs::read_dir("/dev").into_iter().flatten().flatten();
            let names: Vec<String> = devices
                .map(|device| device.file_name().to_string_lossy().into_owned())
                .collect();
            detected(&names)
        }
    }
}

fn detected(devices: &[String]) -> Vec<String> {
    let mut flags = Vec::new();
    if devices.iter().any(|name| name.contains("nvidia")) {
        flags.push("--nv".to_owned());
    }
    if devices.iter().any(|name| name == "kfd") {
        flags.push("--rocm".to_owned());
    }
    flags
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_name_the_flags() {
        let names = |list: &[&str]| list.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        assert_eq!(detected(&names(&["null", "nvidia0"])), ["--nv"]);
        assert_eq!(detected(&names(&["kfd"])), ["--rocm"]);
        assert!(detected(&names(&["null", "fuse"])).is_empty());
    }
}
