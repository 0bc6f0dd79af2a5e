//! The direct way into an instance, and what is remembered of it.

use crate::bounds::{LEARNING, SAVING};
use crate::engine::{Direct, JoinProfile, Probe, Run};
use crate::instance::session::Session;
use crate::instance::status::Instance;
use crate::shims;
use crate::state::State;

/// The direct way for a command, or why there is none. What was learned for it is kept with the
/// state: of several that come at once one learns, and the others wait for that.
pub fn direct<'a>(
    run: &Run<'a>,
    instance: &Instance,
    learn: Probe,
    session: &Session,
) -> Result<Direct<'a>, String> {
    let process = instance.process.as_ref();
    let process = process.ok_or("it has no process")?;
    let known = instance.state.as_ref().map_or_else(Vec::new, State::joins);
    if learn != Probe::Force {
        let plan = session.engine.plan_join(run, process, &known, Probe::Never);
        if !plan.is_unknown || learn == Probe::Never {
            return plan.direct;
        }
    }

    let store = &session.store;
    let tell = |what: &str| {
        if session.context.terminals.stderr {
            session.output.note(what);
        }
    };
    let turn = store.turn_to_learn(&instance.name, LEARNING, &tell);
    let turn = turn.map_err(|error| error.message)?;
    let now = store.load(&instance.name).ok().flatten();
    let now = now.filter(|now| now.process.as_ref() == Some(process));
    let known = now.as_ref().map_or(known, State::joins);
    let learn = match turn {
        Some(_) => learn,
        None => Probe::Never,
    };
    let plan = session.engine.plan_join(run, process, &known, learn);
    if let Some(learned) = plan.learned {
        remember(learned, instance, session);
    }
    match learn {
        Probe::Never if plan.is_unknown => {
            Err("whoever learns the direct way does not get on".into())
        }
        _ => plan.direct,
    }
}

/// Keeps what was learned, unless somebody is about to change the state: then it is learned again.
fn remember(learned: JoinProfile, instance: &Instance, session: &Session) {
    let store = &session.store;
    let Ok(Some(_lock)) = store.lock_within(&instance.name, SAVING) else {
        return;
    };
    let was = instance
        .state
        .as_ref()
        .and_then(|state| state.process.as_ref());
    match store.load(&instance.name) {
        Ok(Some(state)) if state.process.as_ref() == was => {
            let mut state = state.knowing(learned);
            let saved = store.save(&mut state);
            if let Err(error) = saved.and_then(|()| shims::publish(&state, session)) {
                session.output.detail(&error.message);
            }
        }
        _ => {}
    }
}
