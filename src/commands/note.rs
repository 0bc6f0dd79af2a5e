//! `ctr note`: reads and writes the notes of an instance.

use crate::cli;
use crate::error::{Error, Kind, Result};
use crate::instance::session::Session;
use crate::names::is_variable_name;
use crate::spec::InstanceSpec;
use crate::ui::output::{print, printable};

/// What is asked of the notes.
enum Request<'a> {
    All,
    Read(&'a str),
    Write(&'a str, &'a str),
    Remove(&'a str),
    OnInstance(&'a str),
}

/// Runs `ctr note`.
///
/// # Errors
/// There is no such instance or note; the state cannot be written.
pub fn run(args: &cli::Note, session: &Session) -> Result<()> {
    let request = request(args)?;
    let name = session.name(Some(&args.name))?;
    let load = || {
        session
            .store
            .load(name.as_str())?
            .ok_or_else(|| session.not_found(name.as_str()))
    };
    if let Request::All | Request::Read(_) = request {
        return show(&request, &load()?.spec);
    }
    // Read again under the lock: another command may have written it.
    let _lock = session.lock(&name)?;
    let mut state = load()?;
    change(&request, &mut state.spec)?;
    session.store.save(&mut state)
}

fn request(args: &cli::Note) -> Result<Request<'_>> {
    if let Some(text) = &args.message {
        return Ok(Request::OnInstance(text));
    }
    let Some(word) = &args.note else {
        return Ok(Request::All);
    };
    let (key, text) = match word.split_once('=') {
        Some((key, text)) => (key, Some(text)),
        None => (word.as_str(), None),
    };
    if !is_variable_name(key) {
        let message = format!("`{}` is not the name of a variable", key.escape_debug());
        return Err(Error::new(Kind::Usage, message));
    }
    Ok(match (args.remove, text) {
        (true, None) => Request::Remove(key),
        (true, Some(_)) => {
            return Err(Error::new(
                Kind::Usage,
                "--remove takes the name of a variable alone",
            ));
        }
        (false, Some(text)) => Request::Write(key, text),
        (false, None) => Request::Read(key),
    })
}

fn show(request: &Request, spec: &InstanceSpec) -> Result<()> {
    if let Request::Read(key) = request {
        let note = spec
            .notes
            .get(*key)
            .ok_or_else(|| no_such_note(key, spec))?;
        print(format!("{}\n", printable(note)).as_bytes());
        return Ok(());
    }
    let own = spec
        .note
        .iter()
        .map(|note| format!("{}\n", printable(note)));
    let others = spec
        .notes
        .iter()
        .map(|(key, note)| format!("{key}: {}\n", printable(note)));
    print(own.chain(others).collect::<String>().as_bytes());
    Ok(())
}

fn change(request: &Request, spec: &mut InstanceSpec) -> Result<()> {
    match request {
        Request::OnInstance(text) => {
            spec.note = Some((*text).to_owned()).filter(|text| !text.is_empty());
        }
        Request::Write(key, text) => {
            spec.notes.insert((*key).to_owned(), (*text).to_owned());
        }
        Request::Remove(key) => {
            spec.notes
                .remove(*key)
                .ok_or_else(|| no_such_note(key, spec))?;
        }
        Request::All | Request::Read(_) => {}
    }
    Ok(())
}

fn no_such_note(key: &str, spec: &InstanceSpec) -> Error {
    Error::new(
        Kind::NotFound,
        format!("no note on {key} in `{}`", spec.name),
    )
    .hint(format!("`ctr note {}` shows them all", spec.name))
}
