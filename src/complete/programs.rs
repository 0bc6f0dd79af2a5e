//! The command of a `ctr exec`: programs that exist inside.

use std::path::Path;

use super::line::Word;
use super::reply::{Candidate, Reply};
use super::world::World;
use crate::engine::{DEFAULT_PATH, Health, in_force};
use crate::env::{activation, rules};

/// Completes the first word after the name of an instance; `before` are the words before it.
pub fn complete(world: &World, typed: &Word, before: &[String]) -> Reply {
    let word = typed.text.as_str();
    let is_escaped = before.last().is_some_and(|last| last == "--");
    if word.starts_with('-') && !is_escaped {
        // Options of ctr stand before the name.
        let escape = Some("--".to_owned()).filter(|escape| escape.starts_with(word));
        return Reply::Words(escape.and_then(Candidate::plain).into_iter().collect());
    }
    if typed.is_expanded {
        return Reply::Files;
    }
    let name = world.given().next().unwrap_or_default();
    let found = inside(world, name, word).unwrap_or_default();
    Reply::Words(found.into_iter().filter_map(Candidate::plain).collect())
}

/// The programs of an instance that begin as `word` does: names in its `PATH`, or paths.
pub fn inside(world: &World, name: &str, word: &str) -> Option<Vec<String>> {
    let instance = world.instance(name)?;
    let process = instance.process?;
    let engine = world.engine();
    if engine.health(&process) != Health::Running {
        return None;
    }
    let spec = instance.state.map(|state| state.spec).unwrap_or_default();
    let inside = engine.inside(&process, spec.fakeroot);
    let cwd = world.context.cwd.as_deref().unwrap_or(Path::new("/"));
    if word.contains('/') {
        return Some(inside.program_paths(word, cwd));
    }
    let folded = rules::fold(spec.env.iter().map(String::as_str));
    let callers = activation::callers_path(&world.context.variables);
    let is_clean = in_force(&spec.apptainer_flags).clean;
    let own = match callers.filter(|_| spec.is_hostos() && !is_clean) {
        Some(callers) => callers,
        None => inside.image_path(DEFAULT_PATH),
    };
    let search = folded.path.applied_to(&own);
    Some(inside.programs(word, cwd, &search))
}
