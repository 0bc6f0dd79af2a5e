//! The cgroup of an instance with limits: a scope of the user's own systemd, which alone puts a process into it.
//! It is asked over the bus of the session, by `AttachProcessesToUnit` (`org.freedesktop.systemd1(5)`, from
//! systemd 238 on). The form of a message is that of the D-Bus specification.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use nix::unistd::getuid;

use crate::bounds::BUS;
use crate::engine::local::Unknown;

const SYSTEMD: [(u8, &str); 3] = [
    (DESTINATION, "org.freedesktop.systemd1"),
    (PATH, "/org/freedesktop/systemd1"),
    (INTERFACE, "org.freedesktop.systemd1.Manager"),
];
const OF_THE_BUS: [(u8, &str); 3] = [
    (DESTINATION, "org.freedesktop.DBus"),
    (PATH, "/org/freedesktop/DBus"),
    (INTERFACE, "org.freedesktop.DBus"),
];

// Fields of a header, and types of a message.
const PATH: u8 = 1;
const INTERFACE: u8 = 2;
const MEMBER: u8 = 3;
const DESTINATION: u8 = 6;
const SIGNATURE: u8 = 8;
const CALL: u8 = 1;
const ANSWER: u8 = 2;
const ERROR: u8 = 3;

/// What a message begins with: its first byte, its type, two more, the lengths of its body and its
/// fields, and its number between them.
const HEADER: usize = 16;
/// More than anybody answers to what is asked here, in bytes.
const LONGEST: usize = 1 << 16;

/// The name of the scope that a process is in, by its `/proc/PID/cgroup`; `None` when its cgroup is none that
/// systemd has made for this user.
pub fn unit_of(cgroup: &str) -> Option<String> {
    let path = cgroup.lines().find_map(|line| line.strip_prefix("0::"))?;
    let manager = format!("/user@{}.service/", getuid());
    let unit = path.rsplit_once('/')?.1;
    (path.contains(&manager) && unit.ends_with(".scope")).then(|| unit.to_owned())
}

/// A scope, and the bus by which it is reached.
pub struct Scope {
    pub unit: String,
    pub socket: PathBuf,
}

impl Scope {
    /// Puts this process into it, and all that it starts from now on.
    ///
    /// # Errors
    /// systemd is not to be reached, or refuses.
    pub fn enter(&self) -> Result<(), Unknown> {
        let failed = |why: &dyn std::fmt::Display| {
            format!("systemd does not put a command into {}: {why}", self.unit)
        };
        ask(&self.socket, &self.unit)
            .map_err(|error| failed(&error))?
            .map_err(|why| failed(&why))
    }
}

/// Asks, and gives what systemd says against it.
fn ask(socket: &Path, unit: &str) -> std::io::Result<Result<(), String>> {
    let mut bus = UnixStream::connect(socket)?;
    bus.set_read_timeout(Some(BUS))?;
    bus.set_write_timeout(Some(BUS))?;
    // The bus takes them one after the other, so that all can be said at once.
    let uid = getuid().to_string();
    let uid: String = uid.bytes().map(|byte| format!("{byte:02x}")).collect();
    let mut said = format!("\0AUTH EXTERNAL {uid}\r\nBEGIN\r\n").into_bytes();
    said.extend(call(1, OF_THE_BUS, "Hello", "", &[]));
    let mut body = Vec::new();
    put_text(&mut body, unit);
    put_text(&mut body, ""); // the scope itself, no cgroup below
    put_number(&mut body, 4); // bytes of a list
    put_number(&mut body, 0); // with whoever asks
    said.extend(call(2, SYSTEMD, "AttachProcessesToUnit", "ssau", &body));
    bus.write_all(&said)?;
    let welcome = line(&mut bus)?;
    if !welcome.starts_with("OK ") {
        return Ok(Err(welcome));
    }
    for _ in ["Hello", "AttachProcessesToUnit"] {
        if let Err(why) = answer(&mut bus)? {
            return Ok(Err(why));
        }
    }
    Ok(Ok(()))
}

/// A call of a method, as a message.
fn call(number: u32, to: [(u8, &str); 3], method: &str, signature: &str, body: &[u8]) -> Vec<u8> {
    let mut message = vec![b'l', CALL, 0, 1];
    put_number(&mut message, body.len() as u32);
    put_number(&mut message, number);
    put_number(&mut message, 0); // the length of the fields, known below
    let signature = Some((SIGNATURE, signature)).filter(|(_, text)| !text.is_empty());
    for (field, text) in to.into_iter().chain([(MEMBER, method)]).chain(signature) {
        align(&mut message, 8);
        let kind = match field {
            PATH => b'o',
            SIGNATURE => b'g',
            _ => b's',
        };
        message.extend([field, 1, kind, 0]);
        match field {
            SIGNATURE => message.push(text.len() as u8),
            _ => put_number(&mut message, text.len() as u32),
        }
        message.extend(text.as_bytes());
        message.push(0);
    }
    let fields = (message.len() - HEADER) as u32;
    message[HEADER - 4..HEADER].copy_from_slice(&fields.to_le_bytes());
    align(&mut message, 8);
    message.extend(body);
    message
}

/// Reads what is said until an answer comes.
fn answer(bus: &mut UnixStream) -> std::io::Result<Result<(), String>> {
    loop {
        let mut header = [0; HEADER];
        bus.read_exact(&mut header)?;
        let number = |at: usize| {
            let bytes = header[at..at + 4].try_into().unwrap_or_default();
            match header[0] {
                b'l' => u32::from_le_bytes(bytes) as usize,
                _ => u32::from_be_bytes(bytes) as usize,
            }
        };
        let (body, fields) = (number(4), number(12).next_multiple_of(8));
        if body.saturating_add(fields) > LONGEST {
            return Ok(Err("it says too much".to_owned()));
        }
        let mut rest = vec![0; fields + body];
        bus.read_exact(&mut rest)?;
        match header[1] {
            ANSWER => return Ok(Ok(())),
            // Its body begins with a text: the length, then what it says.
            ERROR => return Ok(Err(text(rest.get(fields + 4..).unwrap_or_default()))),
            _ => {} // a signal
        }
    }
}

fn line(bus: &mut UnixStream) -> std::io::Result<String> {
    let mut line = Vec::new();
    let mut byte = [0];
    while !line.ends_with(b"\r\n") && line.len() < LONGEST {
        bus.read_exact(&mut byte)?;
        line.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&line).trim().to_owned())
}

fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0);
    String::from_utf8_lossy(&bytes[..end.unwrap_or(bytes.len())]).into_owned()
}

fn put_number(to: &mut Vec<u8>, number: u32) {
    align(to, 4);
    to.extend(number.to_le_bytes());
}

fn put_text(to: &mut Vec<u8>, text: &str) {
    put_number(to, text.len() as u32);
    to.extend(text.as_bytes());
    to.push(0);
}

fn align(message: &mut Vec<u8>, to: usize) {
    message.resize(message.len().next_multiple_of(to), 0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixListener;
    use std::thread;

    #[test]
    fn a_scope_of_the_users_own_systemd_is_one() {
        let uid = getuid();
        let below = |path: &str| format!("0::/user.slice/user-{uid}.slice/{path}\n");
        let own = below(&format!(
            "user@{uid}.service/user.slice/apptainer-644.scope"
        ));
        assert_eq!(unit_of(&own).as_deref(), Some("apptainer-644.scope"));
        for other in [
            below("session-3.scope"),
            below(&format!("user@{uid}.service/init")),
            "0::/\n".to_owned(),
            format!("1:name=systemd:/user@{uid}.service/a.scope\n"),
        ] {
            assert_eq!(unit_of(&other), None, "{other}");
        }
    }

    /// Whoever listens answers with these bytes.
    fn asked(answers: Vec<u8>) -> (Result<(), Unknown>, Vec<u8>) {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("bus");
        let listener = UnixListener::bind(&socket).unwrap();
        let bus = thread::spawn(move || {
            let (mut caller, _) = listener.accept().unwrap();
            caller.write_all(&answers).unwrap();
            let mut said = Vec::new();
            let _ = caller.read_to_end(&mut said); // it hangs up in the middle of a long answer
            said
        });
        let unit = "apptainer-1.scope".to_owned();
        let outcome = Scope { unit, socket }.enter();
        (outcome, bus.join().unwrap())
    }

    fn message(kind: u8, body: &str) -> Vec<u8> {
        let mut content = Vec::new();
        put_text(&mut content, body);
        let mut message = call(7, OF_THE_BUS, "Any", "s", &content);
        message[1] = kind;
        message
    }

    #[test]
    fn what_the_bus_says_is_understood() {
        let welcome = b"OK 0123\r\n".to_vec();
        let signal = 4;
        let all = |messages: [Vec<u8>; 3]| [welcome.clone(), messages.concat()].concat();
        let hello = message(ANSWER, ":1.7");
        let (outcome, said) = asked(all([
            hello.clone(),
            message(signal, ":1.7"),
            message(ANSWER, ""),
        ]));
        assert_eq!(outcome, Ok(()));
        let said = String::from_utf8_lossy(&said);
        for part in [
            "AUTH EXTERNAL",
            "apptainer-1.scope",
            "AttachProcessesToUnit",
        ] {
            assert!(said.contains(part), "{said:?}");
        }
        let refusal = message(ERROR, "Unit is not loaded.");
        let (outcome, _) = asked(all([hello, message(signal, ""), refusal]));
        let why = "systemd does not put a command into apptainer-1.scope: Unit is not loaded.";
        assert_eq!(outcome, Err(why.to_owned()));
        let (outcome, _) = asked(b"REJECTED EXTERNAL\r\n".to_vec());
        assert!(outcome.unwrap_err().ends_with("REJECTED EXTERNAL"));
        let mut long = message(ANSWER, "");
        long[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
        let (outcome, _) = asked([welcome.clone(), long].concat());
        assert!(outcome.unwrap_err().ends_with("it says too much"));
        // One that hangs up is no answer.
        let (outcome, _) = asked(welcome);
        assert!(outcome.is_err());
    }
}
