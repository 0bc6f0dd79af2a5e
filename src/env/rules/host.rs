//! What may come out of an instance, into the shell of the host. Pure.

use super::CA_FILES;

/// Names that never reach the host's shell: they are the user's own, steer the host's programs,
/// or mean something to a shell. A `*` at the end stands for any rest.
const NEVER_ON_HOST: [&str; 81] = [
    "PATH",
    "HOME",
    "SHELL",
    "USER",
    "LOGNAME",
    "PWD",
    "OLDPWD",
    "SHLVL",
    "_",
    "TERM",
    "DISPLAY",
    "LD_*",
    "DYLD_*",
    "IFS",
    "BASH_ENV",
    "ENV",
    "PS0",
    "PS1",
    "PS2",
    "PS3",
    "PS4",
    "RPROMPT",
    "PROMPT",
    "PROMPT_COMMAND",
    "SHELLOPTS",
    "BASHOPTS",
    "BASH_*",
    "ZDOTDIR",
    "FPATH",
    "CDPATH",
    "UID",
    "EUID",
    "GID",
    "PPID",
    "TMUX*",
    "SSH_*",
    "XDG_*",
    "COMP_WORDBREAKS",
    "fish_*",
    "__fish*",
    "path",
    "cdpath",
    "fpath",
    "manpath",
    "status",
    "argv",
    "prompt",
    "psvar",
    // Zsh loads libraries from there.
    "MODULE_PATH",
    "module_path",
    // To fish it is what the shell keeps others out with.
    "umask",
    "PYTHON*",
    "PERL5*",
    "PERLLIB",
    "LUA_*",
    "RUBYOPT",
    "RUBYLIB",
    "GEM_*",
    "NODE_*",
    "JAVA_TOOL_OPTIONS",
    "JDK_JAVA_OPTIONS",
    "_JAVA_OPTIONS",
    "CLASSPATH",
    "R_*",
    "GIT_*",
    "OPENSSL_*",
    "LESS*",
    "PAGER",
    "MANPAGER",
    "EDITOR",
    "VISUAL",
    "BROWSER",
    "MODULEPATH",
    "GCONV_PATH",
    "LANG",
    "LANGUAGE",
    "LC_*",
    "CTR_*",
    "__ctr*",
    "APPTAINER*",
    "SINGULARITY*",
];

/// Names that a sidecar never sets in the host's shell, whatever its lines say, while the user's own
/// `-e` does: a shell executes their value or takes them for something of its own, or a tool of the
/// host runs what they name. A `*` at either end stands for anything.
const NEVER_FROM_SIDECAR: [&str; 106] = [
    "RPS1",
    "RPS2",
    "RPROMPT*",
    "PROMPT*",
    "SPROMPT",
    "PSVAR",
    "POSTEDIT",
    "TIMEFMT",
    "TIMEFORMAT",
    "TMOUT",
    "PERIOD",
    "*_functions",
    "precmd",
    "preexec",
    "chpwd",
    "periodic",
    "histchars",
    "HISTCHARS",
    "HISTCMD",
    "HISTCONTROL",
    "HISTFILE*",
    "HISTIGNORE",
    "HISTSIZE",
    "HISTTIMEFORMAT",
    "SAVEHIST",
    "FCEDIT",
    "SUDO_*",
    "NULLCMD",
    "READNULLCMD",
    "FIGNORE",
    "GLOBIGNORE",
    "EXECIGNORE",
    "INPUTRC",
    "READLINE_*",
    "KEYTIMEOUT",
    "MAIL",
    "MAILCHECK",
    "MAILPATH",
    "WATCH",
    "WATCHFMT",
    "OPTARG",
    "OPTERR",
    "OPTIND",
    "RANDOM",
    "SECONDS",
    "FUNCNEST",
    "ZLE_*",
    "STTY",
    "cwd",
    "home",
    "user",
    "shell",
    "term",
    "group",
    "tty",
    "owd",
    "dirstack",
    "fignore",
    "mailpath",
    "watch",
    "aliases",
    "functions",
    "commands",
    "options",
    "parameters",
    "USERNAME",
    "EGID",
    "ARGV0",
    "TRY_BLOCK_*",
    "ZSH",
    "ZSH_*",
    "COLUMNS",
    "LINES",
    "HOSTFILE",
    "IGNOREEOF",
    "DIRSTACK",
    "GROUPS",
    "COMP_*",
    "COMPREPLY",
    "REPLY",
    "auto_resume",
    "history",
    "version",
    "hostname",
    "pipestatus",
    "*PAGER",
    "*EDITOR",
    "VIMINIT",
    "EXINIT",
    "MYVIMRC",
    "VIMRUNTIME",
    "SCREENRC",
    "PSQLRC",
    "WGETRC",
    "CURL_HOME",
    "STARSHIP_*",
    "DIRENV_*",
    "POSIXLY_CORRECT",
    "TAR_OPTIONS",
    "RSYNC_*",
    "*MAKEFLAGS",
    "RUSTC*",
    "CARGO_*",
    "*PRELOAD*",
    "*_ASKPASS",
    "*_COMMAND",
];

/// Names that a sidecar sets in the host's shell only with a line for it, though their value be a
/// path: tools of the host look there for what is theirs.
const ONLY_WITH_A_LINE: [&str; 12] = [
    "TMP",
    "TEMP",
    "TMPDIR",
    "TEMPDIR",
    "LOCPATH",
    "NLSPATH",
    "TZDIR",
    "TERMINFO*",
    "GNUPGHOME",
    "KUBECONFIG",
    "DOCKER_*",
    "HOSTALIASES",
];

/// True for a name that is never exported in the host's shell.
pub fn is_never_on_host(key: &str) -> bool {
    CA_FILES.contains(&key) || is_one_of(key, &NEVER_ON_HOST)
}

/// True for a name that no sidecar sets in the host's shell.
pub fn is_kept_from_sidecars(key: &str) -> bool {
    is_never_on_host(key) || is_one_of(key, &NEVER_FROM_SIDECAR)
}

/// True for a name that a sidecar sets in the host's shell only where a line of it says so.
pub fn needs_a_line(key: &str) -> bool {
    is_one_of(key, &ONLY_WITH_A_LINE)
}

/// True for a path below one of the folders, or several with `:` between them, in which no character
/// means anything to a shell.
pub fn is_path_below(value: &str, folders: &[String]) -> bool {
    let is_plain = |c: char| match c {
        '/' | '.' | '_' | '-' | '+' | ',' | '=' | '@' | ':' | ' ' => true,
        c if c.is_ascii() => c.is_ascii_alphanumeric(),
        c => c.is_alphanumeric(),
    };
    let is_below = |path: &str| {
        let starts = |folder: &String| path.strip_prefix(folder.as_str());
        let rest = folders.iter().find_map(starts).unwrap_or_default();
        rest.starts_with('/') && rest.len() > 1 && !rest.split('/').any(|part| part == "..")
    };
    value.chars().all(is_plain) && value.split(':').all(is_below)
}

fn is_one_of(key: &str, patterns: &[&str]) -> bool {
    patterns.iter().any(|pattern| {
        let (start, end) = (pattern.strip_suffix('*'), pattern.strip_prefix('*'));
        match (start, end) {
            (Some(_), Some(_)) => key.contains(pattern.trim_matches('*')),
            (Some(start), None) => key.starts_with(start),
            (None, Some(end)) => key.ends_with(end),
            (None, None) => *pattern == key,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_steer_the_host_never_reach_it() {
        for name in [
            "PATH",
            "LD_AUDIT",
            "PYTHONPATH",
            "GIT_SSH",
            "R_HOME",
            "CTR_INSTANCE",
            "MODULE_PATH",
        ] {
            assert!(is_never_on_host(name), "{name}");
        }
        for name in ["GENOME", "REFERENCE", "RSTUDIO_PANDOC", "PATHS"] {
            assert!(!is_never_on_host(name), "{name}");
        }
    }

    #[test]
    fn a_sidecar_gives_less_than_the_user() {
        for name in [
            "RPS1",
            "precmd_functions",
            "TMOUT",
            "GNUMAKEFLAGS",
            "cwd",
            "AWS_PAGER",
            "version",
        ] {
            assert!(
                is_kept_from_sidecars(name) && !is_never_on_host(name),
                "{name}"
            );
        }
        for name in ["TMPDIR", "KUBECONFIG", "TERMINFO_DIRS", "LOCPATH"] {
            assert!(needs_a_line(name) && !is_kept_from_sidecars(name), "{name}");
        }
        for name in ["GENOME", "PRIMER3_CONFIG", "http_proxy", "HOMER", "OPTS"] {
            assert!(!needs_a_line(name), "{name}");
        }
    }

    #[test]
    fn only_plain_paths_below_the_folder_are_such() {
        let folders = ["/cnt/demo".to_owned()];
        for value in [
            "/cnt/demo/1.0/genome.fa",
            "/cnt/demo/x/",
            "/cnt/demo/a:/cnt/demo/b c",
            "/cnt/demo/genöme",
        ] {
            assert!(is_path_below(value, &folders), "{value}");
        }
        for value in [
            "",
            "/cnt/demo",
            "/cnt/demo/",
            "/cnt/demolition/x",
            "/cnt/other/x",
            "/cnt/demo/../../etc",
            "/cnt/demo/..",
            "/cnt/demo/x:/etc",
            "/cnt/demo/x:",
            "/cnt/demo/$(touch x)",
            "/cnt/demo/`x`",
            "/cnt/demo/x\n",
            "/cnt/demo/%x",
            "/cnt/demo/\u{202e}x",
            "x/cnt/demo/x",
        ] {
            assert!(!is_path_below(value, &folders), "{value}");
        }
    }
}
