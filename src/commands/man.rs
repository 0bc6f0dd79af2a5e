//! `ctr man`: the man pages. Those on commands come from the definitions of the command line, the
//! others are prose, kept in `man/`.

use std::io;

use clap::CommandFactory;
use clap_mangen::Man;

use crate::cli::{self, Cli};
use crate::error::{Error, Result};
use crate::ui::output::print;

/// The pages that are written by hand.
const WRITTEN: [(&str, &str); 3] = [
    ("ctr-shim.1", include_str!("../../man/ctr-shim.1")),
    ("ctr-shell.7", include_str!("../../man/ctr-shell.7")),
    ("ctr-state.5", include_str!("../../man/ctr-state.5")),
];

/// Says when this version was released, which is the date of its pages.
const CHANGELOG: &str = include_str!("../../CHANGELOG.md");

/// What holds for every command, after the options of `ctr` itself.
const STATUS: &str = r#".SH "EXIT STATUS"
.TP
0
It is done.
.TP
1
It failed; standard error says why, and what to do.
.TP
2
The command line is wrong.
.PP
.BR ctr\-exec (1)
hands on the status of the command, 128 and the signal's number when one ended it;
127 when the command does not exist inside, 126 when it cannot be run,
and 125 when
.B ctr
failed before it.
.BR ctr\-enter (1)
does the same until it has become the shell.
"#;

/// Runs `ctr man`.
///
/// # Errors
/// The folder cannot be written.
pub fn run(args: &cli::Man) -> Result<()> {
    let failed = |error| Error::io("cannot write the man pages", error);
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    let Some(folder) = &args.out else {
        print(page(&command).map_err(failed)?.as_bytes());
        return Ok(());
    };
    std::fs::create_dir_all(folder).map_err(failed)?;
    let shown = command.get_subcommands().filter(|sub| !sub.is_hide_set());
    for command in shown.chain([&command]) {
        let name = format!("{}.1", title(command));
        if WRITTEN.iter().any(|(written, _)| *written == name) {
            continue;
        }
        let file = folder.join(name);
        let text = page(command).map_err(failed)?;
        std::fs::write(file, text).map_err(failed)?;
    }
    for (name, text) in WRITTEN {
        std::fs::write(folder.join(name), text).map_err(failed)?;
    }
    Ok(())
}

/// The page of a command.
fn page(command: &clap::Command) -> io::Result<String> {
    let is_main = command.has_subcommands();
    let man = Man::new(command.clone())
        .title(title(command).to_uppercase())
        .date(date())
        .source(concat!("ctr ", env!("CARGO_PKG_VERSION")))
        .manual("Manual of ctr");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    let related = if is_main {
        man.render_subcommands_section(&mut page)?;
        page.extend_from_slice(STATUS.as_bytes());
        ["ctr-shell (7)", "ctr-state (5)", "apptainer (1)"]
    } else {
        ["ctr (1)", "ctr-shell (7)", "ctr-state (5)"]
    };
    page.extend_from_slice(b".SH \"SEE ALSO\"\n");
    page.extend_from_slice(references(&related).as_bytes());
    let page = String::from_utf8(page).map_err(io::Error::other)?;
    Ok(with_space(&page))
}

/// `ctr`, `ctr-exec`.
fn title(command: &clap::Command) -> &str {
    command
        .get_display_name()
        .unwrap_or_else(|| command.get_name())
}

fn references(pages: &[&str]) -> String {
    let lines = pages.iter().map(|page| page.replace('-', "\\-"));
    let lines: Vec<String> = lines.map(|page| format!(".BR {page}")).collect();
    format!("{}\n", lines.join(" ,\n"))
}

/// Before the values of an option, clap_mangen breaks the line, leaves an empty one, and breaks it
/// again. What it means is one vertical space, and roff has a request for that.
fn with_space(page: &str) -> String {
    page.replace("\n.br\n\n.br\n", "\n.sp\n")
}

/// The date of this version, as the changelog has it: `## [0.1.0] - 2026-11-24`.
fn date() -> &'static str {
    let mut headings = CHANGELOG
        .lines()
        .filter_map(|line| line.strip_prefix("## ["));
    headings
        .find_map(|heading| heading.strip_prefix(concat!(env!("CARGO_PKG_VERSION"), "] - ")))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;
    use crate::cli::ShellName;
    use crate::host::context::PidScope;
    use crate::spec::{InstanceSpec, Withheld};
    use crate::state::State;

    const SHIM: &str = WRITTEN[0].1;
    const STATE: &str = WRITTEN[2].1;

    /// Demands that `ctr-state(5)` has an entry for it.
    fn assert_described(macro_name: &str, name: &str) {
        let entry = format!(".It {macro_name} {name}");
        let described = STATE
            .lines()
            .any(|line| line == entry || line.starts_with(&format!("{entry} ")));
        assert!(described, "man/ctr-state.5 has no line `{entry}`");
    }

    #[test]
    fn the_pages_have_the_date_of_the_version() {
        assert_eq!(date().len(), "2026-11-24".len(), "{}", date());
    }

    #[test]
    fn every_field_of_the_state_file_is_described() {
        let place = PidScope {
            boot_id: String::new(),
            pid_namespace: 0,
        };
        let spec = InstanceSpec {
            note: Some(String::new()),
            withheld: vec![Withheld {
                file: String::new(),
                names: Vec::new(),
                reason: String::new(),
            }],
            ..InstanceSpec::default()
        };
        let mut state = State::starting(spec, 0, "", &place);
        state.shims = vec![String::new()];
        let document = serde_json::to_value(state).unwrap();
        for field in document.as_object().unwrap().keys() {
            assert_described("Va", field);
        }
    }

    #[test]
    fn every_part_of_the_command_that_has_a_page_of_prose_is_on_it() {
        let command = Cli::command();
        let shim = command.find_subcommand("shim").unwrap();
        for part in shim.get_subcommands() {
            assert!(SHIM.contains(&format!("\n.It Ic {}\n", part.get_name())));
            for long in part
                .get_arguments()
                .filter_map(|argument| argument.get_long())
            {
                assert!(SHIM.contains(&format!("Fl -{long}")), "{long}");
            }
        }
    }

    /// The examples of `ctr-state(5)`, each as it is shown: a state file, then a configuration.
    fn examples() -> Vec<String> {
        let blocks = STATE.split(".Bd -literal\n").skip(1);
        blocks
            .filter_map(|block| Some(block.split_once(".Ed")?.0.replace("\\e", "\\")))
            .collect()
    }

    #[test]
    fn the_examples_are_what_ctr_reads() {
        let [state, config] = &examples()[..] else {
            panic!("a state file and a configuration");
        };
        let shown: serde_json::Value = serde_json::from_str(state).unwrap();
        let state = State::from_json(state.as_bytes()).unwrap();
        assert_eq!(shown, serde_json::to_value(state).unwrap());

        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        std::fs::write(&file, config).unwrap();
        let context =
            crate::host::context::tests::context(&[("CTR_CONFIG", file.to_str().unwrap())]);
        let config = crate::config::Config::load(&context).unwrap();
        assert_eq!(config.prompt_format.value, "[{name}] ");
    }

    #[test]
    fn the_lines_for_rc_files_are_those_that_doctor_prints() {
        let page = include_str!("../../man/ctr-shell.7").replace("\\(ga", "`");
        let lines: Vec<&str> = page.lines().collect();
        for shell in ShellName::value_variants() {
            let line = crate::shell::rc_line(*shell, "ctr");
            assert!(lines.contains(&line.as_str()), "{line}");
        }
    }

    #[test]
    fn every_setting_is_described() {
        for key in crate::config::KEYS {
            match key {
                "prompt" => assert_described("Ic", "prompt.format"),
                key => assert_described("Ic", key),
            }
        }
    }
}
