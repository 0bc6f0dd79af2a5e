//! A command line as it stands when TAB is pressed, taken apart as the shell would. Pure.
//!
//! Bash splits words for completion at `=`, `:` and `@` too, and hands them over with their quotes;
//! so the line itself is read here, and nothing depends on a user's `COMP_WORDBREAKS`.

/// How a shell quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    Bash,
    Fish,
}

/// A word of the line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Word {
    /// Without its quotes.
    pub text: String,
    /// Where it begins, in characters.
    pub start: usize,
    /// The quote that is still open at its end.
    pub open: Option<char>,
    /// It has a `~` or a `$` that the shell expands.
    pub is_expanded: bool,
    /// It names the file of a redirection (`> file`).
    pub is_redirected: bool,
}

/// The words of a line that ends at the cursor. The last one is being typed, and may be empty.
pub fn words(line: &str, dialect: Dialect) -> Vec<Word> {
    let mut reader = Reader::new(line, dialect);
    reader.read();
    reader.words
}

struct Reader<'a> {
    characters: std::iter::Peekable<std::iter::Enumerate<std::str::Chars<'a>>>,
    dialect: Dialect,
    words: Vec<Word>,
    /// The word that is being read.
    word: Option<Word>,
    /// The next word names the file of a redirection.
    redirects: bool,
    end: usize,
}

impl<'a> Reader<'a> {
    fn new(line: &'a str, dialect: Dialect) -> Self {
        Reader {
            characters: line.chars().enumerate().peekable(),
            dialect,
            words: Vec::new(),
            word: None,
            redirects: false,
            end: line.chars().count(),
        }
    }

    fn read(&mut self) {
        while let Some((at, character)) = self.characters.next() {
            match character {
                ' ' | '\t' | '\n' => self.finish(),
                '<' | '>' => self.redirect(),
                '\'' | '"' => self.quoted(at, character),
                '\\' => {
                    let next = self.characters.next();
                    // At the end of a line it joins the next one.
                    let text = next.map(|(_, next)| next).filter(|next| *next != '\n');
                    self.word_at(at).text.extend(text);
                }
                '~' if self.word.is_none() => self.expanded(at, '~'),
                '$' => self.expanded(at, '$'),
                other => self.word_at(at).text.push(other),
            }
        }
        let end = self.end;
        self.word_at(end);
        let typed = self.word.take();
        self.words.extend(typed);
    }

    /// The word that is being read, begun here when there is none.
    fn word_at(&mut self, at: usize) -> &mut Word {
        let is_redirected = self.redirects;
        self.word.get_or_insert_with(|| Word {
            start: at,
            is_redirected,
            ..Word::default()
        })
    }

    /// Ends a word. The files of redirections are no words of the command.
    fn finish(&mut self) {
        if let Some(word) = self.word.take() {
            self.redirects = false;
            if !word.is_redirected {
                self.words.push(word);
            }
        }
    }

    fn expanded(&mut self, at: usize, character: char) {
        let word = self.word_at(at);
        word.text.push(character);
        word.is_expanded = true;
    }

    /// `2>`, `>>`, `>&`, `<`: what is before is a number or a word of its own.
    fn redirect(&mut self) {
        let is_number = |word: &Word| word.text.chars().all(|c| c.is_ascii_digit() || c == '&');
        if self.word.as_ref().is_some_and(is_number) {
            self.word = None;
        }
        self.finish();
        self.redirects = true;
        while self
            .characters
            .next_if(|(_, c)| "<>&|?".contains(*c))
            .is_some()
        {}
    }

    fn quoted(&mut self, at: usize, quote: char) {
        let dialect = self.dialect;
        self.word_at(at).open = Some(quote);
        while let Some((_, character)) = self.characters.next() {
            if character == quote {
                self.word_at(at).open = None;
                return;
            }
            let next = self.characters.peek().map(|(_, next)| *next);
            let is_escape = character == '\\'
                && next.is_some_and(|next| match (dialect, quote) {
                    (Dialect::Bash, '\'') => false,
                    (Dialect::Fish, '\'') => "\\'".contains(next),
                    (Dialect::Bash, _) => "\\\"$`".contains(next),
                    (Dialect::Fish, _) => "\\\"$".contains(next),
                });
            let taken = if is_escape {
                self.characters.next().map(|(_, next)| next)
            } else {
                Some(character)
            };
            let word = self.word_at(at);
            word.is_expanded |= character == '$' && quote == '"';
            word.text.extend(taken);
        }
    }
}

/// The words of the command itself: without assignments and the words that may stand before a
/// command. Bash and zsh leave these out themselves.
pub fn command(words: &[Word]) -> &[Word] {
    const BEFORE: [&str; 14] = [
        "and", "begin", "builtin", "command", "else", "exec", "if", "not", "or", "time", "while",
        "!", "{", "env",
    ];
    let is_before = |word: &Word| {
        let is_assignment = word
            .text
            .split_once('=')
            .is_some_and(|(name, _)| crate::names::is_variable_name(name));
        is_assignment || BEFORE.contains(&word.text.as_str())
    };
    let last = words.len().saturating_sub(1);
    let first = words[..last].iter().position(|word| !is_before(word));
    &words[first.unwrap_or(0)..]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(line: &str, dialect: Dialect) -> Vec<String> {
        words(line, dialect)
            .into_iter()
            .map(|word| word.text)
            .collect()
    }

    #[test]
    fn names_with_signs_are_one_word() {
        assert_eq!(
            texts("ctr start -o samtools=1.22 x.img:ro a@", Dialect::Bash),
            ["ctr", "start", "-o", "samtools=1.22", "x.img:ro", "a@"]
        );
        assert_eq!(texts("ctr ", Dialect::Bash), ["ctr", ""]);
        assert_eq!(texts("", Dialect::Fish), [""]);
    }

    #[test]
    fn quotes_are_taken_off_as_each_shell_does() {
        let line = r#"a 'b c' "d \" $x" e\ f 'g\'"#;
        assert_eq!(
            texts(line, Dialect::Bash),
            ["a", "b c", "d \" $x", "e f", "g\\"]
        );
        assert_eq!(texts(r"'it\'s' x", Dialect::Fish), ["it's", "x"]);
        let typed = |line| words(line, Dialect::Bash).pop().unwrap();
        assert_eq!(typed("x \"my f").open, Some('"'));
        assert_eq!(typed("x \"my\" f").open, None);
        assert!(typed("x ~/a").is_expanded && typed("x $A/b").is_expanded);
        assert!(typed("x \"$A").is_expanded);
        assert!(!typed("x '$A").is_expanded && !typed("x a~").is_expanded);
    }

    #[test]
    fn words_know_where_they_begin() {
        let starts = |line| -> Vec<usize> {
            let words = words(line, Dialect::Bash);
            words.iter().map(|word| word.start).collect()
        };
        assert_eq!(starts("ctr  'ä b' c"), [0, 5, 11]);
        assert_eq!(starts("ctr  "), [0, 5]);
    }

    #[test]
    fn redirections_are_no_words() {
        assert_eq!(
            texts("ctr exec 2>/dev/null >> log bio ", Dialect::Bash),
            ["ctr", "exec", "bio", ""]
        );
        let typed = words("ctr exec bio cat >o", Dialect::Bash).pop().unwrap();
        assert_eq!((typed.text.as_str(), typed.is_redirected), ("o", true));
    }

    #[test]
    fn what_stands_before_the_command_is_left_out() {
        let words = words("A=1 not command ctr exec ", Dialect::Fish);
        let texts: Vec<&str> = command(&words).iter().map(|w| w.text.as_str()).collect();
        assert_eq!(texts, ["ctr", "exec", ""]);
    }
}
