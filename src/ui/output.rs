//! What people read: messages on stderr, tables and JSON on stdout.

use std::io::{ErrorKind, IsTerminal, Write};

use anstyle::{AnsiColor, Style};

use crate::cli::{Color, Global};
use crate::error::Error;

const BOLD: Style = Style::new().bold();
const RED: Style = AnsiColor::Red.on_default().bold();
const YELLOW: Style = AnsiColor::Yellow.on_default();
const GREEN: Style = AnsiColor::Green.on_default();
const DIM: Style = Style::new().dimmed();

/// Exit status of a program that a closed pipe ended: 128 + SIGPIPE.
const CLOSED_PIPE: i32 = 141;

/// How to speak to this caller.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    quiet: bool,
    verbose: bool,
    color_out: bool,
    color_err: bool,
}

/// The tone of a word in a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Good,
    Bad,
    Unsure,
    Faint,
    Plain,
}

impl Output {
    /// The way that the global options ask for.
    pub fn new(global: &Global, no_color: bool) -> Self {
        let when = |is_terminal: bool| match global.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => is_terminal && !no_color,
        };
        Output {
            quiet: global.quiet,
            verbose: global.verbose,
            color_out: when(std::io::stdout().is_terminal()),
            color_err: when(std::io::stderr().is_terminal()),
        }
    }

    /// Plain words, without colour.
    pub fn bare() -> Self {
        Output {
            quiet: false,
            verbose: false,
            color_out: false,
            color_err: false,
        }
    }

    /// Says what is wrong and what to do.
    pub fn error(&self, error: &Error) {
        self.say("error", RED, &error.message);
        if let Some(hint) = &error.hint {
            self.say(" hint", GREEN, hint);
        }
    }

    /// Says what might be wrong.
    pub fn warn(&self, message: &str) {
        self.say("warning", YELLOW, message);
    }

    /// Says what was done, unless `--quiet`.
    pub fn note(&self, message: &str) {
        if !self.quiet {
            eprint_line(&format!("ctr: {}", printable(message)));
        }
    }

    /// Says how it was decided, with `--verbose`.
    pub fn detail(&self, message: &str) {
        if self.verbose {
            self.say("ctr", DIM, message);
        }
    }

    /// True unless `--quiet`.
    pub fn shows_notes(&self) -> bool {
        !self.quiet
    }

    /// A word for stdout in its tone.
    pub fn tinted(&self, word: &str, tone: Tone) -> String {
        let style = match tone {
            Tone::Good => GREEN,
            Tone::Bad => RED,
            Tone::Unsure => YELLOW,
            Tone::Faint => DIM,
            Tone::Plain => return word.to_owned(),
        };
        if self.color_out {
            format!("{style}{word}{style:#}")
        } else {
            word.to_owned()
        }
    }

    /// A heading for stdout.
    pub fn heading(&self, text: &str) -> String {
        if self.color_out {
            format!("{BOLD}{text}{BOLD:#}")
        } else {
            text.to_owned()
        }
    }

    /// A table with aligned columns; the last one is not padded.
    pub fn table(&self, header: &[&str], rows: &[Vec<(String, Tone)>]) {
        let width = |column: usize| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells
                .map(|(text, _)| text.chars().count())
                .chain([header[column].chars().count()])
                .max()
                .unwrap_or(0)
        };
        let widths: Vec<usize> = (0..header.len()).map(width).collect();
        let line = |cells: Vec<(String, usize)>| -> String {
            let padded: Vec<String> = cells
                .into_iter()
                .zip(&widths)
                .map(|((text, length), width)| format!("{text}{}", " ".repeat(width - length)))
                .collect();
            format!("{}\n", padded.join("  ").trim_end())
        };
        let mut text = line(
            header
                .iter()
                .map(|h| (self.heading(h), h.chars().count()))
                .collect(),
        );
        for row in rows {
            let cells = row
                .iter()
                .map(|(text, tone)| (self.tinted(text, *tone), text.chars().count()));
            text.push_str(&line(cells.collect()));
        }
        print(text.as_bytes());
    }

    /// One JSON document.
    pub fn json(&self, document: &serde_json::Value) {
        print_json(document);
    }

    fn say(&self, label: &str, style: Style, message: &str) {
        let message = printable(message);
        eprint_line(&if self.color_err {
            format!("{style}{label}{style:#}: {message}")
        } else {
            format!("{label}: {message}")
        });
    }
}

/// Writes to stdout. A reader that has closed its end wants no more, and no complaint.
pub fn print(bytes: &[u8]) {
    let mut stdout = std::io::stdout().lock();
    if let Err(error) = stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        if error.kind() != ErrorKind::BrokenPipe {
            eprint_line(&format!("error: cannot write to standard output: {error}"));
            std::process::exit(1);
        }
        std::process::exit(CLOSED_PIPE);
    }
}

/// Prints one JSON document that a terminal can be shown: what it may act on is escaped, which a reader of
/// JSON undoes.
pub fn print_json(document: &serde_json::Value) {
    print(json_text(document).as_bytes());
}

fn json_text(document: &serde_json::Value) -> String {
    let mut text = String::new();
    for c in format!("{document:#}\n").chars() {
        // All else that is no ASCII is in strings.
        match c != '\n' && (is_unprintable(c) || is_format(c)) {
            false => text.push(c),
            true => {
                let units = c.encode_utf16(&mut [0; 2]).to_vec();
                text.extend(units.iter().map(|unit| format!("\\u{unit:04x}")));
            }
        }
    }
    text
}

/// True for a character that shows nothing and changes what is around it, and for what breaks a line (the
/// general categories `Cf`, `Zl` and `Zp` of Unicode 16).
fn is_format(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}'
        | '\u{8e2}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}'
        | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e007f}')
}

/// True for a character that a terminal acts on, or that reorders what it shows.
pub fn is_unprintable(c: char) -> bool {
    const BIDIRECTIONAL: [char; 12] = [
        '\u{61c}', '\u{200e}', '\u{200f}', '\u{202a}', '\u{202b}', '\u{202c}', '\u{202d}',
        '\u{202e}', '\u{2066}', '\u{2067}', '\u{2068}', '\u{2069}',
    ];
    c.is_control() || BIDIRECTIONAL.contains(&c)
}

/// Text that came from a file, safe for a terminal: control characters are escaped.
pub fn printable(text: &str) -> String {
    if !text.contains(is_unprintable) {
        return text.to_owned();
    }
    text.chars()
        .map(|c| {
            if is_unprintable(c) {
                c.escape_default().to_string()
            } else {
                c.to_string()
            }
        })
        .collect()
}

/// Text of others that comes in pieces, as a log does: lines and tabs as they are, all else that
/// [`is_unprintable`] escaped, and bytes that are no text.
#[derive(Debug, Default)]
pub struct Escaped {
    /// The start of a character whose rest is yet to come.
    cut: Vec<u8>,
}

impl Escaped {
    /// The next piece; `is_last` tells that nothing comes after.
    pub fn more(&mut self, piece: &[u8], is_last: bool) -> String {
        const LONGEST_CHARACTER: usize = 4;
        let bytes = [std::mem::take(&mut self.cut).as_slice(), piece].concat();
        let mut text = String::with_capacity(bytes.len());
        let mut seen = 0;
        for chunk in bytes.utf8_chunks() {
            for c in chunk.valid().chars() {
                match c {
                    '\n' | '\t' => text.push(c),
                    c if is_unprintable(c) => text.extend(c.escape_default()),
                    c => text.push(c),
                }
            }
            seen += chunk.valid().len() + chunk.invalid().len();
            let invalid = chunk.invalid();
            let may_go_on = std::str::from_utf8(invalid).is_err_and(|e| e.error_len().is_none());
            if !is_last && seen == bytes.len() && invalid.len() < LONGEST_CHARACTER && may_go_on {
                self.cut = invalid.to_vec();
            } else {
                text.extend(invalid.iter().map(|byte| format!("\\x{byte:02x}")));
            }
        }
        text
    }
}

fn eprint_line(line: &str) {
    // In one piece, since others may write there too. Nobody is left to hear of a failure.
    let _ = std::io::stderr().write_all(format!("{line}\n").as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_shown_not_sent() {
        assert_eq!(
            printable("a\x1b[31m\nä\u{202e}"),
            "a\\u{1b}[31m\\nä\\u{202e}"
        );
    }

    #[test]
    fn json_is_ascii_where_a_terminal_would_act_on_it_and_says_the_same() {
        let text = "\u{1b}]\u{7f}\u{9b}\u{ad}\u{202e}\u{2028}\u{feff}\u{e0041}\n\"ä€\u{1f9ec}\\";
        let document = serde_json::json!({ text: [text] });
        let shown = json_text(&document);
        let escaped =
            r#""\u001b]\u007f\u009b\u00ad\u202e\u2028\ufeff\udb40\udc41\n\"ä€\u{1f9ec}\\""#;
        let escaped = escaped.replace("\\u{1f9ec}", "\u{1f9ec}");
        assert_eq!(
            shown,
            format!("{{\n  {escaped}: [\n    {escaped}\n  ]\n}}\n")
        );
        let read: serde_json::Value = serde_json::from_str(&shown).unwrap();
        assert_eq!(read, document);
    }

    #[test]
    fn a_character_in_two_pieces_is_one() {
        let mut escaped = Escaped::default();
        let mut text = escaped.more(b"a\tb\n\x1b[31m\xe2\x82", false);
        text += &escaped.more(b"\xac\xff\xe2", false);
        text += &escaped.more(b"\x82", true);
        assert_eq!(text, "a\tb\n\\u{1b}[31m\u{20ac}\\xff\\xe2\\x82");
        assert_eq!(escaped.more(b"\xe2\x80\xae\r", true), "\\u{202e}\\r");
    }
}
