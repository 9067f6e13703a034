//! Plain text that is safe to show: one line, no control characters, cut to a length.

/// "1 error", "2 errors".
pub fn counted(number: usize, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        many => format!("{many} {noun}s"),
    }
}

/// A name or a sentence as one line: what stands behind a line break could pass for a line of ours, or for a command to a CI
/// runner.
pub fn one_line(text: &str) -> String {
    visible(text).replace(char::is_whitespace, " ")
}

/// Text without control characters other than line ends and tabs: they would be commands to a terminal.
pub fn visible(text: &str) -> String {
    let is_command = |character: char| character.is_control() && !matches!(character, '\n' | '\r' | '\t');
    text.replace("\r\n", "\n").replace(is_command, "\u{FFFD}")
}

/// At most so many characters; `…` where something is cut.
pub fn cut(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
