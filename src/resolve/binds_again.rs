//! The binds of a saved setup, when it is started again: what was asked for has to be there, what came by
//! itself is left out while it is gone.

use std::path::{Path, PathBuf};

use super::Surroundings;
use super::binds::{asked_by_variables, missing, place, shielded_records, source, unseen};
use crate::engine::answers;
use crate::error::Result;
use crate::spec::InstanceSpec;

/// The binds that the user asked for, which have to answer.
pub fn asked_for(spec: &InstanceSpec) -> impl Iterator<Item = &str> {
    let implicit = implicit(spec);
    let binds = spec.bind_paths.iter().map(String::as_str);
    binds.filter(move |bind| !comes_by_itself(bind, &implicit, spec.is_hostos()))
}

/// Checks the binds, and leaves out what came by itself and is gone; what was left out once and is there
/// again comes back.
///
/// # Errors
/// One that was asked for does not exist any more.
pub fn check(spec: &mut InstanceSpec, around: &Surroundings) -> Result<()> {
    let shields = shielded_records(around)?;
    let mut implicit = implicit(spec);
    // The cache, with the empty folder in it, may be elsewhere now.
    for bind in spec.bind_paths.iter_mut().chain(&mut implicit) {
        let same_place = |shield: &&String| place(shield) == place(bind);
        if let Some(shield) = shields.iter().find(same_place) {
            *bind = shield.clone();
        }
    }
    let all = spec.bind_paths.iter().chain(&implicit);
    let optional = all.filter(|bind| comes_by_itself(bind, &implicit, spec.is_hostos()));
    let paths: Vec<PathBuf> = optional.map(|bind| source(bind).into()).collect();
    let silent = answers::unanswered(&paths, around.context);
    let fault = |bind: &str| {
        let path = Path::new(source(bind));
        match silent.iter().any(|(silent, _)| *silent == path) {
            true => Some("does not answer"),
            false => (!path.exists()).then_some("is gone"),
        }
    };
    let mut kept = Vec::new();
    for bind in &spec.bind_paths {
        let path = source(bind);
        match fault(bind) {
            None => kept.push(bind.clone()),
            Some(_) if !comes_by_itself(bind, &implicit, spec.is_hostos()) => {
                let looked_at = Path::new(path).metadata();
                return Err(looked_at.map_or_else(|error| unseen(path, &error), |_| missing(path)));
            }
            Some(fault) if implicit.contains(bind) => {
                (around.note)(&format!("{path} is not bound: it {fault}"));
            }
            Some(fault) => (around.verbose)(&format!("{path} is left out: it {fault}")),
        }
    }
    let is_back = |bind: &&String| !spec.bind_paths.contains(bind) && fault(bind).is_none();
    let back: Vec<String> = implicit.iter().filter(is_back).cloned().collect();
    // Over the host's own, and under what was asked for.
    let at = kept.iter().position(|bind| !is_of_the_host(bind));
    let at = at.unwrap_or(kept.len());
    kept.splice(at..at, back);
    if spec.implicit_binds.is_none() {
        kept.extend(asked_by_variables(around)?);
    }
    spec.bind_paths = kept;
    spec.implicit_binds = Some(implicit);
    Ok(())
}

/// What nobody asked for. A state of an earlier release tells of the working folder alone.
fn implicit(spec: &InstanceSpec) -> Vec<String> {
    let known = spec.implicit_binds.clone();
    known.unwrap_or_else(|| spec.working_folder.iter().cloned().collect())
}

fn comes_by_itself(bind: &str, implicit: &[String], is_hostos: bool) -> bool {
    implicit.iter().any(|known| known == bind) || (is_hostos && is_of_the_host(bind))
}

/// True for a folder at the top of the host, in its place.
fn is_of_the_host(bind: &str) -> bool {
    let path = source(bind);
    path.matches('/').count() == 1 && bind.starts_with(&format!("{path}:{path}"))
}
