//! What is remembered of an instance's start, and holds whatever its caller has set since: which
//! Apptainer it was, and where that keeps its records.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::engine::apptainer::{limits, records, version};
use crate::engine::local::answers;
use crate::engine::{Binary, Engine, Record};
use crate::error::{Error, Kind, Result};
use crate::host::context::{Context, Variables, is_executable};
use crate::host::ownership;
use crate::spec::InstanceSpec;

/// Where Apptainer's records and logs lie, below its folder.
const INSTANCES: &str = "instances";

/// The variables that name that folder. Apptainer takes the first that says something.
const CONFIG_FOLDER: [&str; 2] = ["APPTAINER_CONFIGDIR", "SINGULARITY_CONFIGDIR"];

/// How one instance was started; nothing is known of one that is new, or was started without `ctr`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    apptainer: Option<PathBuf>,
    shelf: Option<Shelf>,
    /// Apptainer's configuration; empty for that of its installation.
    config_file: Option<PathBuf>,
}

/// Where the records of some instances are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shelf {
    /// Apptainer's own folder, `APPTAINER_CONFIGDIR`.
    config: PathBuf,
    /// What the host was called.
    pub host: String,
}

impl Origin {
    /// What a state says: Apptainer's binary, a log of the instance, which lies as
    /// `CONFIGDIR/instances/logs/HOST/USER/NAME.out`, and Apptainer's configuration.
    pub fn new(apptainer: &str, log: &str, config_file: Option<&str>) -> Self {
        let apptainer = Path::new(apptainer);
        Origin {
            apptainer: apptainer.is_absolute().then(|| apptainer.to_owned()),
            shelf: Shelf::of(Path::new(log)),
            config_file: config_file.map(PathBuf::from),
        }
    }
}

impl Shelf {
    fn of(log: &Path) -> Option<Self> {
        let host = log.parent()?.parent()?;
        let logs = host.parent().filter(|folder| folder.ends_with("logs"))?;
        let instances = logs.parent().filter(|folder| folder.ends_with(INSTANCES))?;
        Some(Shelf {
            config: instances
                .parent()
                .filter(|folder| folder.is_absolute())?
                .to_owned(),
            host: host.file_name()?.to_str()?.to_owned(),
        })
    }

    /// Where this caller's Apptainer puts those of new instances.
    pub(in crate::engine) fn of_caller(context: &Context) -> Self {
        let mut named = CONFIG_FOLDER
            .iter()
            .filter_map(|name| context.setting(name));
        Shelf {
            config: match named.next() {
                Some(folder) => whole(Path::new(folder), context),
                None => context.home.join(".apptainer"),
            },
            host: context.host.clone(),
        }
    }

    /// The folder of records.
    pub fn folder(&self) -> PathBuf {
        self.config.join(INSTANCES)
    }
}

/// The folder in which Apptainer keeps the records of a caller's new instances.
pub fn records_folder(context: &Context) -> PathBuf {
    Shelf::of_caller(context).folder()
}

/// Has Apptainer find the records among which an instance is that logs there, and read the configuration
/// that it was started with: those of a shim's instance, whatever its caller has set.
pub fn use_installation_of(context: &mut Context, log: &Path, config_file: Option<&str>) {
    if let Some(variables) = Shelf::of(log).and_then(|shelf| leading_to(&shelf, context)) {
        context.variables = variables;
    }
    if let Some(file) = config_file {
        let mut variables = Cow::Borrowed(&context.variables);
        limits::configure(&mut variables, Path::new(file));
        if let Cow::Owned(variables) = variables {
            context.variables = variables;
        }
    }
}

/// A path that a variable has, from the folder of the caller.
fn whole(path: &Path, context: &Context) -> PathBuf {
    context.cwd.as_deref().unwrap_or(Path::new("/")).join(path)
}

/// The variables with which Apptainer finds those records; `None` where the caller's own do.
fn leading_to(shelf: &Shelf, context: &Context) -> Option<Variables> {
    let names = CONFIG_FOLDER;
    let config = shelf.config.as_path();
    let leads_elsewhere = |name: &&str| {
        let value = context.variables.get(OsStr::new(name));
        value.is_some_and(|value| Path::new(value) != config)
    };
    let is_found = Shelf::of_caller(context).config == config;
    if is_found && !names.iter().any(leads_elsewhere) {
        return None;
    }
    let mut variables = context.variables.clone();
    for name in names.iter().filter(|name| leads_elsewhere(name)) {
        variables.remove(OsStr::new(name));
    }
    let at_home = context.home.join(".apptainer");
    let is_named = |name: &&str| variables.contains_key(OsStr::new(name));
    if !names.iter().any(is_named) && config != at_home {
        variables.insert(names[0].into(), config.into());
    }
    Some(variables)
}

impl Engine<'_> {
    /// Has what follows be about an instance of that origin.
    pub fn turn_to(&self, origin: Origin) {
        self.origin.replace(origin);
    }

    /// Has what is started anew be configured and recorded as this caller's Apptainer does that.
    pub fn turn_to_the_caller(&self) {
        let mut origin = self.origin.borrow_mut();
        (origin.shelf, origin.config_file) = (None, None);
    }

    /// Has what is started again be recorded under the name that this host has now.
    pub(in crate::engine) fn turn_to_this_host(&self) {
        if let Some(shelf) = &mut self.origin.borrow_mut().shelf {
            shelf.host.clone_from(&self.context.host);
        }
    }

    /// Where Apptainer's program is: the caller's, else the one that the instance was started with.
    ///
    /// # Errors
    /// There is none, or the one that was asked for by name is not there.
    pub(in crate::engine) fn program(&self) -> Result<PathBuf> {
        version::locate(self.context, self.config).or_else(|error| {
            let known = self.origin.borrow().apptainer.clone();
            let known =
                known.filter(|path| answers::program(path, self.context) && is_executable(path));
            match self.config.apptainer.value {
                None => known.ok_or(error),
                Some(_) => Err(error),
            }
        })
    }

    /// The Apptainer to use.
    ///
    /// # Errors
    /// There is none, it does not run, or it is too old; it would wait for its configuration.
    pub fn binary(&self) -> Result<Binary> {
        limits::check_named_file(&self.callers(), self.context)?;
        let path = self.program()?;
        if let Some(known) = self.binary.borrow().as_ref().filter(|b| b.path == path) {
            return Ok(known.clone());
        }
        let binary = version::find(path, self.cache)?;
        self.binary.replace(Some(binary.clone()));
        Ok(binary)
    }

    /// Where the records of the instance are.
    pub(in crate::engine) fn shelf(&self) -> Shelf {
        let known = self.origin.borrow().shelf.clone();
        known.unwrap_or_else(|| Shelf::of_caller(self.context))
    }

    /// The folder in which Apptainer keeps the records and logs of new instances.
    pub fn records_folder(&self) -> PathBuf {
        Shelf::of_caller(self.context).folder()
    }

    /// The caller's variables, which lead Apptainer to the records of the instance and to the configuration
    /// that it was started with.
    pub(in crate::engine) fn callers(&self) -> Cow<'_, Variables> {
        let origin = self.origin.borrow();
        // Also where it is the caller's own: Apptainer does not cope with one that is not whole.
        let shelf = self.shelf();
        let mut variables = match leading_to(&shelf, self.context) {
            Some(variables) => Cow::Owned(variables),
            None => Cow::Borrowed(&self.context.variables),
        };
        if let Some(file) = &origin.config_file {
            limits::configure(&mut variables, file);
        }
        variables
    }

    /// Refuses to call Apptainer where that would leave a folder in the home of another.
    pub(in crate::engine) fn check_place(&self) -> Result<()> {
        ownership::check_place(&self.shelf().config, &self.context.home, self.context.uid)
    }

    /// The configuration of Apptainer that this caller names, whole; empty for that of its installation.
    pub fn config_file(&self) -> PathBuf {
        let named = limits::named_file(&self.context.variables);
        let cwd = self.context.cwd.as_deref().unwrap_or(Path::new("/"));
        named.map_or_else(PathBuf::new, |file| cwd.join(file))
    }

    /// Refuses a setup whose configuration of Apptainer is gone.
    ///
    /// # Errors
    /// Names the file.
    pub fn check_configuration_of(&self, spec: &InstanceSpec) -> Result<()> {
        let file = spec.config_file.as_deref().filter(|file| !file.is_empty());
        file.map_or(Ok(()), |file| {
            limits::check_file(Path::new(file), self.context)
        })
    }

    /// The instances that Apptainer has a record of on this host and that live, by name.
    ///
    /// # Errors
    /// The folder of records cannot be read.
    pub fn list(&self) -> Result<Vec<Record>> {
        records::list(&Shelf::of_caller(self.context), self.context)
    }

    /// Apptainer's record of one instance, when it lives.
    ///
    /// # Errors
    /// The record cannot be read.
    pub fn record(&self, name: &str) -> Result<Option<Record>> {
        let records = records::list(&self.shelf(), self.context)?;
        Ok(records.into_iter().find(|record| record.name == name))
    }

    /// True for a setuid installation, which needs no user namespaces.
    ///
    /// # Errors
    /// There is no Apptainer, or it does not run.
    pub fn is_setuid(&self) -> Result<bool> {
        let path = self.program()?;
        self.cache.get_or_compute("setuid", &path, || {
            limits::is_setuid(&path).map_err(|why| Error::new(Kind::Engine, why))
        })
    }

    /// What a setuid installation must be told to go into an instance with a user namespace of its own,
    /// as `--fakeroot` gives it one: by its own way it refuses to.
    pub(in crate::engine) fn user_namespace_flag(
        &self,
        name: &str,
    ) -> Result<Option<&'static str>> {
        let record = self.record(name)?;
        let has_one = record.is_some_and(|record| record.has_user_namespace);
        Ok((has_one && self.is_setuid()?).then_some("--userns"))
    }

    /// Refuses an instance that Apptainer would not find: its own words would be all that is said, with
    /// a status that may as well be the command's.
    ///
    /// # Errors
    /// It has no record of it, or has it under another name of the host.
    pub fn check_record(&self, name: &str) -> Result<()> {
        let (was, is) = (self.shelf().host, &self.context.host);
        let message = if was != *is {
            format!("Apptainer does not find `{name}`: this host was called {was} at its start")
        } else if self.record(name)?.is_none() {
            format!("Apptainer has no record of `{name}` any more, though it runs")
        } else {
            return Ok(());
        };
        Err(Error::new(Kind::Engine, message)
            .hint(format!("`ctr restart {name}` starts it again, recorded")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::context::tests::context;

    const LOG: &str = "/c/instances/logs/node1/u/bio.out";

    #[test]
    fn a_log_says_where_the_records_are() {
        let shelf = Shelf::of(Path::new(LOG)).unwrap();
        assert_eq!(shelf.folder(), Path::new("/c/instances"));
        assert_eq!(shelf.host, "node1");
        for log in [
            "",
            "/c/bio.out",
            "/c/logs/node1/u/bio.out",
            "instances/logs/h/u/b.out",
        ] {
            assert_eq!(Shelf::of(Path::new(log)), None, "{log}");
        }
    }

    #[test]
    fn variables_lead_to_the_records_and_stay_where_they_do() {
        let shelf = Shelf::of(Path::new(LOG)).unwrap();
        let key = OsStr::new("APPTAINER_CONFIGDIR");
        for callers in [
            &[][..],
            &[("APPTAINER_CONFIGDIR", "/other")],
            &[("SINGULARITY_CONFIGDIR", "/other")],
        ] {
            let variables = leading_to(&shelf, &context(callers)).unwrap();
            assert_eq!(variables[key], "/c", "{callers:?}");
        }
        for callers in [
            &[("APPTAINER_CONFIGDIR", "/c")][..],
            &[("SINGULARITY_CONFIGDIR", "/c")],
        ] {
            assert_eq!(leading_to(&shelf, &context(callers)), None, "{callers:?}");
        }
        let at_home = Shelf {
            config: "/home/u/.apptainer".into(),
            host: "node1".into(),
        };
        assert_eq!(leading_to(&at_home, &context(&[])), None);
        let variables = leading_to(&at_home, &context(&[("APPTAINER_CONFIGDIR", "/c")])).unwrap();
        assert!(variables.is_empty());
    }
}
