//! The flags of `apptainer instance start` that are handed on as they are: which of them hold a
//! path, and which go on to act on each command inside. Pure.

use std::path::Path;

/// The short flags (1.4.5, `--help`) that take a value.
pub(in crate::engine) const SHORT_WITH_VALUE: &str = "BoHSW";

/// The long ones that take none.
pub(in crate::engine) const LONG_WITHOUT_VALUE: [&str; 27] = [
    "--allow-setuid",
    "--boot",
    "--cleanenv",
    "--compat",
    "--contain",
    "--containall",
    "--disable-cache",
    "--docker-login",
    "--fakeroot",
    "--ipc",
    "--keep-privs",
    "--net",
    "--no-eval",
    "--no-home",
    "--no-https",
    "--no-init",
    "--no-privs",
    "--no-umask",
    "--nv",
    "--nvccli",
    "--oom-kill-disable",
    "--passphrase",
    "--unsquash",
    "--userns",
    "--uts",
    "--writable",
    "--writable-tmpfs",
];

/// Those whose value is a path of the host.
const PATHS: [&str; 7] = [
    "--workdir",
    "-W",
    "--apply-cgroups",
    "--authfile",
    "--netns-path",
    "--pem-path",
    "--pid-file",
];

/// Those that empty the environment.
const EMPTYING: [&str; 5] = ["--cleanenv", "-e", "--containall", "-C", "--compat"];

/// Those under which a command has the usual umask, not its caller's.
const USUAL_UMASK: [&str; 2] = ["--no-umask", "--compat"];

/// Those that Apptainer wants again for each command. A direct join knows nothing of them.
const WANTED_AGAIN: [&str; 3] = ["--add-caps", "--drop-caps", "--security"];

/// Those for which Apptainer makes a cgroup.
const LIMITS: [&str; 12] = [
    "--apply-cgroups",
    "--blkio-weight",
    "--blkio-weight-device",
    "--cpu-shares",
    "--cpus",
    "--cpuset-cpus",
    "--cpuset-mems",
    "--memory",
    "--memory-reservation",
    "--memory-swap",
    "--oom-kill-disable",
    "--pids-limit",
];

/// One flag, and its value when it takes one.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Flag {
    /// As `--home` or `-H`.
    name: String,
    value: Option<String>,
    /// The value was a word of its own.
    is_apart: bool,
}

/// What flags of the start mean to each command inside.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InForce {
    /// The environment starts empty.
    pub clean: bool,
    /// The umask is the usual one.
    pub usual_umask: bool,
    /// Apptainer is told them again.
    pub again: Vec<String>,
}

/// What the flags of a start mean to each command that is run inside later.
pub fn in_force(flags: &[String]) -> InForce {
    let mut in_force = InForce::default();
    for flag in parse(flags) {
        let name = flag.name.as_str();
        in_force.clean |= EMPTYING.contains(&name);
        in_force.usual_umask |= USUAL_UMASK.contains(&name);
        if WANTED_AGAIN.contains(&name) {
            in_force.again.extend(flag.words());
        }
    }
    in_force
}

/// True for flags that limit what an instance may use, which takes a cgroup.
pub(in crate::engine) fn asks_for_limits(flags: &[String]) -> bool {
    let flags = parse(flags);
    flags.iter().any(|flag| LIMITS.contains(&&*flag.name))
}

/// Takes `--env-file` out of the flags for Apptainer, which would forget what is in them once the
/// instance is started: the files, in order, and the other flags.
pub fn take_env_files(flags: &[String]) -> (Vec<String>, Vec<String>) {
    let (taken, others): (Vec<_>, Vec<_>) = parse(flags)
        .into_iter()
        .partition(|flag| flag.name == "--env-file" && flag.value.is_some());
    let files = taken.into_iter().filter_map(|flag| flag.value);
    let files: Vec<String> = files
        .flat_map(|files| files.split(',').map(str::to_owned).collect::<Vec<_>>())
        .filter(|file| !file.is_empty())
        .collect();
    (files, others.into_iter().flat_map(Flag::words).collect())
}

/// A path of the host, whole.
pub(in crate::engine) fn path(text: &str, cwd: &Path) -> String {
    cwd.join(text).display().to_string()
}

/// `SRC[:DST]`, its source whole.
pub(in crate::engine) fn first(text: &str, cwd: &Path) -> String {
    match text.split_once(':') {
        Some((source, rest)) => format!("{}:{rest}", path(source, cwd)),
        None => path(text, cwd),
    }
}

/// The same flags, with the paths of the host in them whole: they mean the same wherever the instance
/// is started again.
pub fn whole(flags: &[String], cwd: &Path) -> Vec<String> {
    let path = |text: &str| path(text, cwd);
    // `type=bind,source=SRC,…`; one that quotes is left as it is.
    let mount = |text: &str| {
        let part = |part: &str| match part.split_once('=') {
            Some((key @ ("source" | "src"), source)) => format!("{key}={}", path(source)),
            _ => part.to_owned(),
        };
        match text.contains('"') {
            true => text.to_owned(),
            false => text.split(',').map(part).collect::<Vec<_>>().join(","),
        }
    };
    let security = |text: &str| {
        let part = |part: &str| match part.strip_prefix("seccomp:") {
            Some(file) => format!("seccomp:{}", path(file)),
            None => part.to_owned(),
        };
        text.split(',').map(part).collect::<Vec<_>>().join(",")
    };
    let change = |mut flag: Flag| {
        flag.value = flag.value.map(|value| match flag.name.as_str() {
            _ if value.is_empty() => value,
            "--home" | "-H" => first(&value, cwd),
            "--mount" => mount(&value),
            "--security" => security(&value),
            name if PATHS.contains(&name) => path(&value),
            _ => value,
        });
        flag.words()
    };
    parse(flags).into_iter().flat_map(change).collect()
}

impl Flag {
    /// The words that it was written in, but for letters that were joined.
    fn words(self) -> Vec<String> {
        match self.value {
            None => vec![self.name],
            Some(value) if self.is_apart => vec![self.name, value],
            Some(value) if self.name.starts_with("--") => vec![format!("{}={value}", self.name)],
            Some(value) => vec![self.name + &value],
        }
    }
}

/// Takes words apart as Apptainer does (the Go package pflag). What is no flag stays as it is.
fn parse(words: &[String]) -> Vec<Flag> {
    let mut flags: Vec<Flag> = Vec::new();
    let mut is_awaited = false;
    let flag = |name: &str, value: Option<&str>| Flag {
        name: name.to_owned(),
        value: value.map(str::to_owned),
        is_apart: false,
    };
    for word in words {
        match flags.last_mut().filter(|_| is_awaited) {
            Some(last) => {
                last.value = Some(word.clone());
                last.is_apart = true;
                is_awaited = false;
            }
            None if word.starts_with("--") => {
                let (name, value) = match word.split_once('=') {
                    Some((name, value)) => (name, Some(value)),
                    None => (word.as_str(), None),
                };
                is_awaited = value.is_none() && !LONG_WITHOUT_VALUE.contains(&name);
                flags.push(flag(name, value));
            }
            None if word.starts_with('-') && word.len() > 1 => {
                let letters = &word[1..];
                let at = letters.find(|letter| SHORT_WITH_VALUE.contains(letter));
                let alone = &letters[..at.unwrap_or(letters.len())];
                flags.extend(
                    alone
                        .chars()
                        .map(|letter| flag(&format!("-{letter}"), None)),
                );
                if let Some(at) = at {
                    let rest = letters[at + 1..].trim_start_matches('=');
                    let value = Some(rest).filter(|rest| !rest.is_empty());
                    is_awaited = value.is_none();
                    flags.push(flag(&format!("-{}", &letters[at..=at]), value));
                }
            }
            None => flags.push(flag(word, None)),
        }
    }
    flags
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn paths_are_made_whole_in_every_way_to_write_them() {
        for (given, expected) in [
            ("-H hh:/home/t", "-H /here/hh:/home/t"),
            ("-Hhh:/home/t", "-H/here/hh:/home/t"),
            ("-H=hh", "-H/here/hh"),
            ("-cHhh", "-c -H/here/hh"),
            ("--home hh", "--home /here/hh"),
            ("--home=/abs:/x", "--home=/abs:/x"),
            ("-W w --contain", "-W /here/w --contain"),
            ("--pid-file p", "--pid-file /here/p"),
            ("--apply-cgroups=c.toml", "--apply-cgroups=/here/c.toml"),
            (
                "--mount type=bind,src=d,dst=/d,ro",
                "--mount type=bind,src=/here/d,dst=/d,ro",
            ),
            (
                "--security uid:0,seccomp:f.json",
                "--security uid:0,seccomp:/here/f.json",
            ),
            // No paths of the host.
            ("--hostname h -S scratch", "--hostname h -S scratch"),
            ("--no-home -c --dns=1.1.1.1", "--no-home -c --dns=1.1.1.1"),
        ] {
            let made = whole(&words(given), Path::new("/here"));
            assert_eq!(made.join(" "), expected, "{given}");
            assert_eq!(whole(&made, Path::new("/elsewhere")), made, "{given}");
        }
    }

    #[test]
    fn what_empties_the_environment_is_in_force_for_commands() {
        for flags in ["--cleanenv", "-e", "-ce", "-C", "--containall", "--compat"] {
            assert!(in_force(&words(flags)).clean, "{flags}");
        }
        for flags in ["", "-c --contain", "--hostname --cleanenv", "-W e"] {
            assert!(!in_force(&words(flags)).clean, "{flags}");
        }
        assert!(in_force(&words("--no-umask")).usual_umask);
        let again = in_force(&words("-c --drop-caps CAP_KILL --add-caps=a")).again;
        assert_eq!(again, ["--drop-caps", "CAP_KILL", "--add-caps=a"]);
    }

    #[test]
    fn limits_are_told_from_values() {
        for (flags, limits) in [
            ("--memory 64M", true),
            ("-c --cpus=0.5", true),
            ("--oom-kill-disable", true),
            ("--hostname --memory", false),
            ("-c --contain", false),
            ("", false),
        ] {
            assert_eq!(asks_for_limits(&words(flags)), limits, "{flags}");
        }
    }

    #[test]
    fn files_of_variables_are_taken_from_among_the_flags() {
        let flags = words("-ce --env-file a,b --hostname h --env-file=c");
        let (files, others) = take_env_files(&flags);
        assert_eq!(files, ["a", "b", "c"]);
        assert_eq!(others, ["-c", "-e", "--hostname", "h"]);
    }
}
