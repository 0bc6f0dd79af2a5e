//! The configuration: `/etc/ctr/config.toml`, the user's own over it, variables over both.
//! Every setting knows where it came from.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::bounds::TEXT;
use crate::env::rules::{CA_FILES, STEERING};
use crate::error::{Error, Kind, Result};
use crate::host::context::Context;
use crate::host::{ownership, regular_file};
use crate::names::is_variable_name;

/// The system's file, under the user's.
const SYSTEM_FILE: &str = "/etc/ctr/config.toml";

/// Every key that a configuration file may have.
pub const KEYS: [&str; 12] = [
    "base_image",
    "overlay_path",
    "trusted",
    "apptainer",
    "default_distro",
    "bind",
    "env",
    "gpu",
    "apptainer_flags",
    "scrub",
    "join",
    "prompt",
];

/// Which way into an instance commands take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Join {
    /// Directly where that is the same, else through Apptainer
    Auto,
    /// Directly, or not at all
    Direct,
    /// Through Apptainer
    Apptainer,
}

/// Where a setting came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    Default,
    File(PathBuf),
    Variable(&'static str),
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Source::Default => f.write_str("default"),
            Source::File(path) => write!(f, "{}", path.display()),
            Source::Variable(name) => f.write_str(name),
        }
    }
}

/// A value and where it came from.
#[derive(Debug, Clone)]
pub struct Setting<T> {
    pub value: T,
    pub source: Source,
}

impl<T> Setting<T> {
    fn default(value: T) -> Self {
        Setting {
            value,
            source: Source::Default,
        }
    }

    fn take(&mut self, value: Option<T>, source: &Source) {
        if let Some(value) = value {
            self.value = value;
            self.source = source.clone();
        }
    }
}

/// Every setting in force.
#[derive(Debug, Clone)]
pub struct Config {
    /// Base image of a start without `-b`.
    pub base_image: Setting<String>,
    /// Folders of overlays, searched before those of the reference; the first match wins.
    pub overlay_path: Setting<Vec<PathBuf>>,
    /// Folders whose sidecars may set variables in the host's shell, whoever owns them.
    pub trusted: Setting<Vec<PathBuf>>,
    /// The Apptainer to use; the one on the `PATH` when not set.
    pub apptainer: Setting<Option<PathBuf>>,
    /// `igv` is also looked up as `<default_distro>/igv`.
    pub default_distro: Setting<String>,
    /// Binds of every start.
    pub bind: Setting<Vec<String>>,
    /// Variables of every start.
    pub env: Setting<Vec<(String, String)>>,
    /// `auto`, `none`, `nvidia` or `rocm`.
    pub gpu: Setting<String>,
    /// Flags of every `apptainer instance start`.
    pub apptainer_flags: Setting<Vec<String>>,
    /// Variables of the host that do not go in.
    pub scrub: Setting<Vec<String>>,
    /// Which way into an instance commands take.
    pub join: Setting<Join>,
    /// Format of the prompt segment.
    pub prompt_format: Setting<String>,
}

/// A configuration file, as it is written.
#[derive(Debug, Default, Deserialize)]
struct File {
    base_image: Option<String>,
    overlay_path: Option<Vec<PathBuf>>,
    trusted: Option<Vec<PathBuf>>,
    apptainer: Option<PathBuf>,
    default_distro: Option<String>,
    bind: Option<Vec<String>>,
    env: Option<toml::map::Map<String, toml::Value>>,
    gpu: Option<String>,
    apptainer_flags: Option<Vec<String>>,
    scrub: Option<Vec<String>>,
    join: Option<Join>,
    #[serde(default)]
    prompt: Prompt,
}

#[derive(Debug, Default, Deserialize)]
struct Prompt {
    format: Option<String>,
}

/// The user's own file: the one that `CTR_CONFIG` names, else the usual one.
pub fn user_file(context: &Context) -> PathBuf {
    let named = context.setting("CTR_CONFIG").map(PathBuf::from);
    named.unwrap_or_else(|| context.config_home().join("ctr/config.toml"))
}

impl Config {
    /// The settings in force for this caller.
    ///
    /// # Errors
    /// A file that `CTR_CONFIG` names and that is missing; a file that is not TOML, or has an
    /// unknown key or a value of another type, or that others can have written.
    pub fn load(context: &Context) -> Result<Self> {
        let mut config = Config::defaults(context);
        let path = user_file(context);
        // It names programs that are run, and what is handed to them.
        let fault = |path: &Path| ownership::fault_of_file(path, context.uid).map_or(Ok(()), Err);
        match context.setting("CTR_CONFIG") {
            Some(_) => {
                fault(&path)?;
                let text = regular_file::read_to_string(&path, TEXT).map_err(|error| {
                    Error::new(
                        Kind::Config,
                        format!("cannot read {}: {error}", path.display()),
                    )
                    .hint("CTR_CONFIG names it: correct or unset that variable")
                })?;
                config.apply(&path, &text, &context.home)?;
            }
            None => {
                for path in [Path::new(SYSTEM_FILE), &path] {
                    fault(path)?;
                    match regular_file::read_to_string(path, TEXT) {
                        Ok(text) => config.apply(path, &text, &context.home)?,
                        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                        Err(error) => {
                            let message = format!("cannot read {}: {error}", path.display());
                            let hint = "it is to be a text file that you may read, or none";
                            return Err(Error::new(Kind::Config, message).hint(hint));
                        }
                    }
                }
            }
        }
        config.apply_variables(context);
        Ok(config)
    }

    /// The settings where no file and no variable says anything.
    pub fn defaults(context: &Context) -> Self {
        Config {
            base_image: Setting::default("hostos".into()),
            overlay_path: Setting::default(vec![context.data_home().join("ctr/overlays")]),
            trusted: Setting::default(Vec::new()),
            apptainer: Setting::default(None),
            default_distro: Setting::default("ubuntu24".into()),
            bind: Setting::default(Vec::new()),
            env: Setting::default(Vec::new()),
            gpu: Setting::default("auto".into()),
            apptainer_flags: Setting::default(Vec::new()),
            scrub: Setting::default(
                [&STEERING[..], &CA_FILES[..]]
                    .concat()
                    .into_iter()
                    .map(Into::into)
                    .collect(),
            ),
            join: Setting::default(Join::Auto),
            prompt_format: Setting::default("(ctr:{name}) ".into()),
        }
    }

    /// Lays one file over what is there.
    fn apply(&mut self, path: &Path, text: &str, home: &Path) -> Result<()> {
        let wrong = |what: String| Error::new(Kind::Config, format!("{}: {what}", path.display()));
        let table: toml::Table = text
            .parse()
            .map_err(|error: toml::de::Error| wrong(in_one_line(&error)))?;
        check_keys(&table, &KEYS, "").map_err(wrong)?;
        if let Some(toml::Value::Table(prompt)) = table.get("prompt") {
            check_keys(prompt, &["format"], "prompt.").map_err(wrong)?;
        }
        let file: File = table
            .try_into()
            .map_err(|error: toml::de::Error| wrong(in_one_line(&error)))?;
        match file.gpu.as_deref() {
            None | Some("auto" | "none" | "nvidia" | "rocm") => {}
            Some(gpu) => {
                return Err(wrong(format!("gpu = {gpu:?} is not known"))
                    .hint("it is one of auto, none, nvidia, rocm"));
            }
        }
        let env = file.env.map(read_env).transpose().map_err(wrong)?;
        let expand = |paths: Vec<PathBuf>| -> Vec<PathBuf> {
            paths.iter().map(|path| expand_home(path, home)).collect()
        };

        let source = Source::File(path.to_owned());
        self.base_image.take(file.base_image, &source);
        self.overlay_path
            .take(file.overlay_path.map(expand), &source);
        self.trusted.take(file.trusted.map(expand), &source);
        self.apptainer.take(
            file.apptainer.map(|path| Some(expand_home(&path, home))),
            &source,
        );
        self.default_distro.take(file.default_distro, &source);
        let binds = file.bind.map(|binds| {
            let expand = |bind: &String| expand_home_of_binds(bind, home);
            binds.iter().map(expand).collect()
        });
        self.bind.take(binds, &source);
        self.env.take(env, &source);
        self.gpu.take(file.gpu, &source);
        self.apptainer_flags.take(file.apptainer_flags, &source);
        self.scrub.take(file.scrub, &source);
        self.join.take(file.join, &source);
        self.prompt_format.take(file.prompt.format, &source);
        Ok(())
    }

    fn apply_variables(&mut self, context: &Context) {
        let image = context.setting("CTR_BASE_IMAGE").map(str::to_owned);
        self.base_image
            .take(image, &Source::Variable("CTR_BASE_IMAGE"));
        let apptainer = context
            .setting("CTR_APPTAINER")
            .map(|path| Some(path.into()));
        self.apptainer
            .take(apptainer, &Source::Variable("CTR_APPTAINER"));
        let folders = context
            .setting("CTR_OVERLAY_PATH")
            .map(|value| std::env::split_paths(value).collect());
        self.overlay_path
            .take(folders, &Source::Variable("CTR_OVERLAY_PATH"));
    }
}

/// What TOML's reader says over several lines, the picture of the place left out.
fn in_one_line(error: &toml::de::Error) -> String {
    let whole = error.to_string();
    let place = whole
        .lines()
        .find(|line| line.starts_with("TOML parse error") || line.starts_with("in `"));
    match place {
        Some(place) => format!("{} ({place})", error.message().replace('\n', ", ")),
        None => error.message().replace('\n', ", "),
    }
}

/// Refuses a key that is not known, naming the nearest that is.
fn check_keys(
    table: &toml::Table,
    known: &[&str],
    prefix: &str,
) -> std::result::Result<(), String> {
    let Some(key) = table.keys().find(|key| !known.contains(&key.as_str())) else {
        return Ok(());
    };
    let nearest = known
        .iter()
        .max_by(|a, b| strsim::jaro(a, key).total_cmp(&strsim::jaro(b, key)))
        .unwrap_or(&"");
    Err(format!(
        "`{prefix}{key}` is not a setting; the nearest is `{prefix}{nearest}`"
    ))
}

fn read_env(
    table: toml::map::Map<String, toml::Value>,
) -> std::result::Result<Vec<(String, String)>, String> {
    table
        .into_iter()
        .map(|(key, value)| match value {
            _ if !is_variable_name(&key) => Err(format!("env: `{key}` is not a variable's name")),
            toml::Value::String(text) => Ok((key, text)),
            toml::Value::Integer(number) => Ok((key, number.to_string())),
            _ => Err(format!("env.{key} is not a string")),
        })
        .collect()
}

/// `~/x` in a configuration file means the user's home.
fn expand_home(path: &Path, home: &Path) -> PathBuf {
    match path.strip_prefix("~") {
        Ok(rest) => home.join(rest),
        Err(_) => path.to_owned(),
    }
}

/// The same of the source of each bind, which may have `:DST:OPTS` behind it and others after a comma.
fn expand_home_of_binds(binds: &str, home: &Path) -> String {
    let expand = |bind: &str| {
        let rest = bind.strip_prefix('~');
        match rest.filter(|rest| rest.is_empty() || rest.starts_with(['/', ':'])) {
            Some(rest) => format!("{}{rest}", home.display()),
            None => bind.to_owned(),
        }
    };
    binds.split(',').map(expand).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(text: &str) -> Result<Config> {
        let context = crate::host::context::tests::context(&[("HOME", "/home/u")]);
        let mut config = Config::defaults(&context);
        config.apply(Path::new("/x/config.toml"), text, &context.home)?;
        Ok(config)
    }

    #[test]
    fn an_unknown_key_names_the_nearest_known_one() {
        let error = applied("overlay_paths = []").unwrap_err();
        assert!(error.message.contains("`overlay_paths`"), "{error}");
        assert!(error.message.contains("`overlay_path`"), "{error}");
        let error = applied("[prompt]\nformt = ''").unwrap_err();
        assert!(error.message.contains("`prompt.format`"), "{error}");
    }

    #[test]
    fn a_file_wins_over_the_default_and_says_so() {
        let config = applied("trusted = ['~/sw']\nenv = {A = 'x,$y'}").unwrap();
        assert_eq!(config.trusted.value, [PathBuf::from("/home/u/sw")]);
        assert_eq!(config.trusted.source.to_string(), "/x/config.toml");
        assert_eq!(config.env.value, [("A".into(), "x,$y".into())]);
        assert_eq!(config.gpu.source, Source::Default);
    }

    #[test]
    fn home_is_meant_at_the_start_of_a_bind_and_nowhere_else() {
        let text = "bind = ['~/a:/b:ro', '~:/home', '/x:/~/y', '~other/x', '/x:/y:ro,~/z']";
        let binds = applied(text).unwrap().bind.value;
        let expected = [
            "/home/u/a:/b:ro",
            "/home/u:/home",
            "/x:/~/y",
            "~other/x",
            "/x:/y:ro,/home/u/z",
        ];
        assert_eq!(binds, expected);
    }

    #[test]
    fn a_wrong_type_or_value_is_refused() {
        assert!(applied("gpu = 'intel'").is_err());
        assert!(applied("bind = 3").is_err());
        assert!(applied("env = {'1A' = 'x'}").is_err());
        assert!(applied("base_image = ").is_err());
    }
}
