//! What tells a program, and a person at a prompt, which instance they are in.

use crate::env::activation::INSTANCE;
use crate::host::context::LEVEL;

/// The variables that an instance has for it.
pub fn variables(name: &str, level: u32) -> [String; 3] {
    [
        format!("PS1={}", prompt(name, level, "bash")),
        format!("{LEVEL}={level}"),
        format!("{INSTANCE}={name}"),
    ]
}

/// The prompt for the shell of that name: the instance, its level from the second on, the folder.
pub fn prompt(name: &str, level: u32, shell: &str) -> String {
    let depth = if level > 1 {
        format!("_{level}")
    } else {
        String::new()
    };
    // As in zsh-5.9 and bash5.
    let version = |c: char| c.is_ascii_digit() || c == '.' || c == '-';
    match shell.trim_end_matches(version) {
        "bash" | "rbash" | "busybox" => {
            format!("{name}{depth} \\[\\e[0;34m\\]\\w\\[\\e[0m\\]> ")
        }
        // The integration, when the user's .zshrc loads it inside too, shows the instance through
        // psvar[9]; it sees that this does so already, and adds nothing.
        "zsh" => format!("%(9V.%9v.{name}){depth} %F{{blue}}%~%f> "),
        // POSIX has parameters and no more: every other shell shows a backslash as it is.
        _ => format!("{name}{depth} $PWD> "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shell_is_given_what_it_understands() {
        assert_eq!(prompt("bio", 1, "dash"), "bio $PWD> ");
        assert_eq!(prompt("bio", 2, "ksh93"), "bio_2 $PWD> ");
        assert_eq!(
            prompt("bio", 2, "bash"),
            "bio_2 \\[\\e[0;34m\\]\\w\\[\\e[0m\\]> "
        );
        assert_eq!(
            prompt("bio", 2, "zsh-5.9"),
            "%(9V.%9v.bio)_2 %F{blue}%~%f> "
        );
    }
}
