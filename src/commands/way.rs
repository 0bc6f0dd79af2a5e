//! The direct way into an instance, and what is remembered of it.

use crate::engine::{Direct, Knowledge, Learn, Run};
use crate::session::Session;
use crate::shims;
use crate::state::State;
use crate::status::Instance;

/// The direct way for a command, or why there is none. What was learned for it is kept with the
/// state.
pub fn direct<'a>(
    run: &Run<'a>,
    instance: &Instance,
    learn: Learn,
    session: &Session,
) -> Result<Direct<'a>, String> {
    let state = instance.state.as_ref();
    let known = state.map_or_else(Vec::new, State::joins);
    let process = instance.process.as_ref();
    let process = process.ok_or("it has no process")?;
    let way = session.engine.way_in(run, process, &known, learn);
    if let Some(learned) = way.learned {
        remember(learned, instance, session);
    }
    way.direct
}

/// Keeps what was learned, unless somebody is about to change the state: then it is learned again.
fn remember(learned: Knowledge, instance: &Instance, session: &Session) {
    let store = &session.store;
    let Ok(Some(_lock)) = store.try_lock(&instance.name) else {
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
