//! `ctr start`: names to paths, paths to a plan, the plan to Apptainer, the outcome to the state.

use std::path::Path;

use crate::cli;
use crate::engine::{self, StopMode, interrupted};
use crate::error::{Error, Kind, Result};
use crate::instance::session::Session;
use crate::instance::status::{Instance, Status};
use crate::names::InstanceName;
use crate::plan::{self, Message, Plan};
use crate::resolve::{self, Holders, Surroundings};
use crate::shims;
use crate::spec::InstanceSpec;
use crate::state::State;
use crate::ui::output::{print, printable};

/// Runs `ctr start`.
///
/// # Errors
/// See [`resolve::start`], [`plan::start`] and [`launch`]; it runs already.
pub fn run(args: &cli::Start, session: &Session) -> Result<()> {
    engine::check_flags(&args.apptainer_flags)?;
    engine::check_flags(&session.config.apptainer_flags.value).map_err(|error| {
        let message = format!("apptainer_flags in the configuration: {}", error.message);
        Error::new(Kind::Config, message).hint("`ctr config` shows where it is set")
    })?;
    if args.dry_run {
        let plan = make_plan(args, session)?;
        check(&plan.spec, session)?;
        print_plan(&plan, session);
        return Ok(());
    }
    let (_lock, mut existing) = session.locked(&args.name)?;
    if args.if_needed {
        session.look_into(existing.as_mut_slice());
    }
    if let Some(existing) = &existing {
        refuse_existing(existing, args)?;
        session.end_what_is_left(existing)?;
    }
    let plan = make_plan(args, session)?;
    check(&plan.spec, session)?;
    if let Some(existing) = &existing {
        if args.if_needed && is_as_needed(existing, &plan.spec, session)? {
            return Ok(());
        }
    }
    let before = existing
        .as_ref()
        .and_then(|existing| existing.state.as_ref());
    let before = before.map_or_else(Before::default, |state| Before {
        generation: state.generation,
        shims: match state.spec.difference(&plan.spec) {
            None => state.shims.clone(),
            Some(_) => Vec::new(),
        },
        kept: None,
    });
    launch(plan.spec, &plan.image, before, session, || {
        if let Some(existing) = &existing {
            clear_the_way(existing, session)?;
            session.engine.turn_to_the_caller();
        }
        // Those of an instance that was lost with its state would be taken for this one's.
        shims::remove_all(session.context, &args.name);
        Ok(())
    })?;
    session.output.note(&format!("`{}` is running", args.name));
    Ok(())
}

/// Refuses a setup that Apptainer could not start, before anything is stopped for it.
///
/// # Errors
/// No Apptainer; no mapping for fakeroot; more variables than it carries; limits that cannot be had.
pub fn check(spec: &InstanceSpec, session: &Session) -> Result<()> {
    session.engine.binary()?;
    session.engine.check_configuration_of(spec)?;
    session.engine.check_size_of(spec)?;
    session.engine.check_limits_of(spec)?;
    if spec.fakeroot {
        resolve::check_mapping(session.context)?;
    }
    Ok(())
}

/// What a start takes over from the state that it replaces.
#[derive(Debug, Default)]
pub struct Before {
    pub generation: u64,
    pub shims: Vec<String>,
    /// What is kept of a restart when the start fails.
    pub kept: Option<State>,
}

/// Starts a setup and saves its state, under the instance's lock. `clear_the_way` stops what it
/// replaces, once it is sure that the state can be written. When it fails, nothing is left but the
/// setup of a restart.
///
/// # Errors
/// The state cannot be saved; what it replaces cannot be stopped; Apptainer cannot start it.
pub fn launch(
    spec: InstanceSpec,
    image: &str,
    before: Before,
    session: &Session,
    clear_the_way: impl FnOnce() -> Result<()>,
) -> Result<()> {
    let (store, engine, context) = (&session.store, &session.engine, session.context);
    let mut state = State::starting(spec, before.generation, &context.host, &context.pid_scope);
    state.shims = before.shims;
    state.is_restart = before.kept.is_some();
    let name = state.spec.name.clone();
    let what = format!("cannot start `{name}`");
    let prepared = store.prepare(&mut state)?;
    clear_the_way()?;
    // From here on a signal ends nothing in the middle.
    let interruptions = engine.hold_interruptions(&what)?;
    prepared.commit()?;
    let generation = state.generation;
    let undo = || match before.kept.clone() {
        // It can be tried again.
        Some(kept) => {
            let mut kept = kept.stopped();
            kept.generation = generation;
            store.save(&mut kept)
        }
        None => store.remove(&name),
    };
    let started = engine
        .start(
            &state.spec,
            image,
            context.terminals.stderr && session.output.shows_notes(),
            &interruptions,
        )
        .inspect_err(|_| {
            let _ = undo();
        })?;
    started
        .warnings
        .iter()
        .for_each(|warning| session.output.warn(warning));
    let process = started.process.clone();
    let mut state = state.running(started);
    let saved = store.save(&mut state).and_then(|()| {
        let signal = interruptions.came();
        signal.map_or(Ok(()), |signal| Err(interrupted(&what, signal)))
    });
    saved.inspect_err(|_| {
        // Without memory, or when it is not wanted any more, it must not run.
        let _ = engine.stop(&name, &process, &StopMode::Kill);
        engine.forget(&name);
        let _ = undo();
    })?;
    if let Err(error) = shims::publish(&state, session) {
        session.output.warn(&error.message);
    }
    Ok(())
}

/// What resolving needs of a session; the hold of `replaced` on an image does not count.
pub fn resolving<T>(
    session: &Session,
    replaced: Option<&InstanceName>,
    dry_run: bool,
    resolve: impl FnOnce(&Surroundings) -> Result<T>,
) -> Result<T> {
    let find = |path: &Path| holders(path, session);
    let end_what_is_left = |path: &Path| !dry_run && end_what_holds(path, session);
    let note = |message: &str| session.output.note(message);
    let verbose = |message: &str| session.output.detail(message);
    resolve(&Surroundings {
        context: session.context,
        config: session.config,
        engine: &session.engine,
        cache: session.cache,
        holders: Holders {
            find: &find,
            end_what_is_left: &end_what_is_left,
            replaced: replaced.map(InstanceName::as_str),
        },
        dry_run,
        note: &note,
        verbose: &verbose,
    })
}

fn make_plan(args: &cli::Start, session: &Session) -> Result<Plan> {
    // What runs under this name is refused before, or replaced.
    let replaced = Some(&args.name);
    let resolved = resolving(session, replaced, args.dry_run, |around| {
        resolve::start(args, around)
    })?;
    let plan = plan::start(resolved)?;
    for message in &plan.messages {
        match message {
            Message::Warning(text) => session.output.warn(text),
            Message::Note(text) => session.output.note(text),
        }
    }
    Ok(plan)
}

/// The instances that hold an image, by their states.
fn holders(path: &Path, session: &Session) -> Vec<String> {
    let mut users = users_of(path, session);
    users.retain(|instance| instance.status.is_alive());
    users.into_iter().map(|instance| instance.name).collect()
}

/// Ends what dead instances have left that were started with an image; false when nothing of them ran.
fn end_what_holds(path: &Path, session: &Session) -> bool {
    let mut ended = false;
    for instance in users_of(path, session) {
        let locked = instance
            .checked_name()
            .map(|name| session.locked_now(&name));
        // One that another command is at work on is left to that.
        if let Ok(Ok(Some((_lock, Some(instance))))) = locked {
            ended |= session.end_what_is_left(&instance).unwrap_or(false);
        }
    }
    ended
}

/// The instances that were started with an image as an overlay.
fn users_of(path: &Path, session: &Session) -> Vec<Instance> {
    let uses = |state: &State| state.spec.overlays.iter().any(|o| Path::new(o) == path);
    let mut all = session.instances().unwrap_or_default();
    all.retain(|instance| instance.state.as_ref().is_some_and(uses));
    all
}

/// Refuses a name that is taken, as far as that can be said before the plan is made.
fn refuse_existing(existing: &Instance, args: &cli::Start) -> Result<()> {
    let name = &existing.name;
    let taken = |what: &str, hint: String| {
        Err(Error::new(Kind::Exists, format!("`{name}` {what}")).hint(hint))
    };
    match existing.status {
        Status::Elsewhere => taken(
            &format!("exists {}", existing.reason),
            format!("choose another name, or stop it there; `ctr stop -F {name}` forgets it"),
        ),
        _ if args.replace => Ok(()),
        Status::Running | Status::Broken if args.if_needed => Ok(()),
        Status::Running | Status::Broken => taken(
            "runs already",
            format!("`ctr enter {name}` goes in; `ctr start --replace …` starts it anew"),
        ),
        Status::Untracked => taken(
            "runs already, started without ctr",
            "choose another name, or pass --replace to stop it first".into(),
        ),
        Status::Stopped if !args.if_needed => taken(
            &format!("exists, stopped: {}", existing.reason),
            format!("`ctr restart {name}` starts it; `ctr start --replace …` forgets its setup"),
        ),
        Status::Stopped | Status::Dead => Ok(()),
    }
}

/// With `--if-needed`: true when it runs with this setup already.
fn is_as_needed(existing: &Instance, spec: &InstanceSpec, session: &Session) -> Result<bool> {
    let name = &existing.name;
    let difference = existing
        .state
        .as_ref()
        .and_then(|state| state.spec.difference(spec));
    match (existing.status, difference) {
        (Status::Dead, _) => Ok(false),
        (Status::Broken, _) => Err(session.not_running(existing)),
        (_, Some(difference)) => Err(Error::new(
            Kind::Exists,
            format!(
                "`{name}` is {} with another setup: {difference}",
                existing.status.word()
            ),
        )
        .hint("pass --replace to start it anew with this one")),
        (Status::Running, None) => {
            session
                .output
                .note(&format!("`{name}` runs already with this setup"));
            Ok(true)
        }
        (_, None) => Ok(false),
    }
}

/// Stops what is to be replaced, and removes what is left of what has ended.
fn clear_the_way(existing: &Instance, session: &Session) -> Result<()> {
    let name = &existing.name;
    match &existing.process {
        Some(process) => {
            let manner = StopMode::default();
            session.engine.stop(name, process, &manner)?;
            session
                .output
                .note(&format!("`{name}` was stopped, to be replaced"));
        }
        None if existing.status == Status::Dead => {
            let reason = &existing.reason;
            session
                .output
                .note(&format!("`{name}` was dead ({reason}); it is started anew"));
            session.engine.forget(name);
        }
        None => {}
    }
    Ok(())
}

fn print_plan(plan: &Plan, session: &Session) {
    let spec = &plan.spec;
    let mut rows: Vec<(&str, String)> = vec![("name", spec.name.clone())];
    rows.push((
        "image",
        match spec.is_hostos() {
            true => format!("{} ({})", spec.base_image, plan.image),
            false => plan.image.clone(),
        },
    ));
    rows.extend(
        spec.overlays
            .iter()
            .map(|overlay| ("overlay", overlay.clone())),
    );
    rows.extend(spec.bind_paths.iter().map(|bind| ("bind", bind.clone())));
    rows.extend(spec.env.iter().map(|entry| ("env", entry.clone())));
    rows.extend(spec.host_env.iter().map(|name| ("host env", name.clone())));
    for withheld in &spec.withheld {
        let names = withheld.names.join(" ");
        rows.push(("withheld", format!("{names}: {}", withheld.reason)));
    }
    rows.extend(
        spec.notes
            .iter()
            .map(|(key, note)| ("note", format!("{key}: {note}"))),
    );
    let arguments = session.engine.start_arguments(spec, &plan.image);
    rows.push((
        "command",
        format!("apptainer {}", shell_words::join(&arguments)),
    ));
    for (label, text) in rows {
        let label = session.output.heading(&format!("{label:<9}"));
        print(format!("{label} {}\n", printable(&text)).as_bytes());
    }
}
