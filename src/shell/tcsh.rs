//! Tcsh. What it evaluates from backquotes loses its newlines and is split into words, so it is given
//! a file to `source`.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::{HELD, Shell, Snippets, code_lines};
use crate::env::activation::Statement;

/// Tcsh, and csh where it is tcsh.
pub struct Tcsh;

impl Shell for Tcsh {
    fn code(&self, statements: &[Statement]) -> Vec<u8> {
        code(statements)
    }

    fn quote(&self, value: &OsStr) -> Vec<u8> {
        quote(value)
    }

    fn snippets(&self) -> Snippets {
        Snippets {
            function: include_str!("../../shell/init.tcsh"),
            prompt: include_str!("../../shell/prompt.tcsh"),
            completion: "",
        }
    }

    fn evaluation(&self, program: &str, words: &str) -> String {
        format!("eval \"`{program} {words}`\"")
    }

    fn rc_line(&self, program: &str, load: &str) -> String {
        format!("which {program} >& /dev/null && {load}")
    }
}

/// What the file holds. Its environment is apart from the shell's own variables, and nothing in it
/// can be read-only: there is nothing to remember beside it. An empty pair of quotes keeps an alias of
/// the user's out.
fn code(statements: &[Statement]) -> Vec<u8> {
    code_lines(statements, |statement| match statement {
        Statement::Export { name, value }
        | Statement::Override { name, value, .. }
        | Statement::Restore {
            name,
            old: Some(value),
        } => [format!("\"\"setenv {name} ").as_bytes(), &quote(value)].concat(),
        Statement::Unset { name } | Statement::Restore { name, old: None } => {
            format!("\"\"unsetenv {name}").into_bytes()
        }
        Statement::Forget { .. } => Vec::new(),
        Statement::Hold { folder } => hold(folder),
    })
}

/// Where there is a hook, there is what it remembers: a variable of the shell's, while to `$?` one of the
/// environment would do. A block, since an `if` of one line would look at a variable that is not set;
/// and nothing else stands where its end is looked for.
fn hold(folder: &OsStr) -> Vec<u8> {
    let folder = quote(folder);
    [
        format!("\"\"unsetenv {HELD}\nif ($?{HELD}) then\n\"\"set {HELD} = \"${{{HELD}:q}}:\"")
            .as_bytes(),
        &folder,
        b"\nendif\n",
    ]
    .concat()
}

/// In single quotes, except for what may be special even there: `!` and whatever else `histchars`
/// names, a newline, and a backslash when `backslash_quote` is set. Those stand outside with a
/// backslash, but for the newline, which would be a blank there.
pub fn quote(value: &OsStr) -> Vec<u8> {
    // `~` and `=` are special at the start of a word, also after a backslash.
    let is_plain = |byte: &u8| !byte.is_ascii_punctuation() || b"_/.-+~=".contains(byte);
    let quoted = value.as_bytes().iter().flat_map(|byte| match byte {
        b'\n' => b"\\\n".to_vec(),
        byte if is_plain(byte) => vec![*byte],
        byte => vec![b'\'', b'\\', *byte, b'\''],
    });
    let quoted: Vec<u8> = quoted.collect();
    [b"'", quoted.as_slice(), b"'"].concat()
}

/// What a file holds whose first act is to remove itself, so that no value stays behind.
pub fn self_removing(file: &Path, code: &[u8]) -> Vec<u8> {
    let file = quote(file.as_os_str());
    [b"\\rm -f ", file.as_slice(), b";\n", code].concat()
}

/// One line that is evaluated: it reads a file, whose path [`arrives`].
pub fn source(file: &Path) -> Vec<u8> {
    [b"\"\"source ", file.as_os_str().as_bytes(), b";\n"].concat()
}

/// True for the path of a file that is the same after backquotes, by which it may be split into words and
/// taken for a pattern. No way to quote helps against all of that.
pub fn arrives(file: &Path) -> bool {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/_.-+,@:".contains(byte);
    file.is_absolute() && file.as_os_str().as_bytes().iter().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quoted(value: &str) -> String {
        String::from_utf8(quote(OsStr::new(value))).unwrap()
    }

    #[test]
    fn what_is_special_in_quotes_stands_outside_of_them() {
        assert_eq!(quoted(""), "''");
        assert_eq!(quoted("/a b/~"), "'/a b/~'");
        assert_eq!(quoted("it's!"), "'it'\\''s'\\!''");
        assert_eq!(quoted("a\nb"), "'a\\\nb'");
        assert_eq!(quoted("\\"), "''\\\\''");
    }

    #[test]
    fn a_file_removes_itself_first() {
        let file = Path::new("/run/x y");
        assert_eq!(
            self_removing(file, b"setenv A 1;\n"),
            b"\\rm -f '/run/x y';\nsetenv A 1;\n"
        );
        assert!(!arrives(file) && !arrives(Path::new("/run/{a,b}")));
        let file = Path::new("/run/user/1000/ctr/code/.tmpaB3");
        assert!(arrives(file));
        assert_eq!(
            source(file),
            b"\"\"source /run/user/1000/ctr/code/.tmpaB3;\n"
        );
    }
}
