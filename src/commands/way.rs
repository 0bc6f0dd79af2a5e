//! Which way into an instance a command takes: directly, or through Apptainer.

use crate::engine::{Direct, Join, Knowledge, Run};
use crate::error::{Error, Kind, Result};
use crate::session::Session;
use crate::status::Instance;

/// The direct way when it is asked for or as good as Apptainer's, ready to run a command; `None` for
/// Apptainer's. What was learned for it is kept with the state.
///
/// # Errors
/// The direct way is asked for, and impossible.
pub fn choose<'a>(
    run: &Run<'a>,
    instance: &Instance,
    asked: Option<Join>,
    session: &Session,
) -> Result<Option<Direct<'a>>> {
    let join = asked.unwrap_or(session.config.join.value);
    let why = match join {
        Join::Apptainer => "as asked for".to_owned(),
        Join::Auto | Join::Direct => match direct(run, instance, join, session) {
            Ok(direct) => {
                session.output.detail("joins directly");
                return Ok(Some(direct));
            }
            Err(why) => why,
        },
    };
    if join == Join::Direct {
        let message = format!("`{}` cannot be joined directly: {why}", run.name);
        return Err(Error::new(Kind::Engine, message)
            .hint("without `--join direct` and `join = \"direct\"` Apptainer is used instead"));
    }
    session
        .output
        .detail(&format!("goes through Apptainer: {why}"));
    Ok(None)
}

fn direct<'a>(
    run: &Run<'a>,
    instance: &Instance,
    join: Join,
    session: &Session,
) -> std::result::Result<Direct<'a>, String> {
    let state = instance.state.as_ref();
    let state = state.ok_or("it was started without ctr")?;
    let process = state.process.as_ref();
    let process = process.ok_or("its state does not say which process it is")?;
    let anew = join == Join::Direct;
    let way = session.engine.way_in(run, process, &state.joins, anew);
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
            if let Err(error) = store.save(&mut state.knowing(learned)) {
                session.output.detail(&error.message);
            }
        }
        _ => {}
    }
}
