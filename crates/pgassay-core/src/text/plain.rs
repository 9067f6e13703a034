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
    // Most texts are.
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return text.to_owned();
    }
    visible(text).replace(char::is_whitespace, " ")
}

/// Text without what does something to its reader: commands to a terminal, text in another order.
pub fn visible(text: &str) -> String {
    text.replace("\r\n", "\n").replace(is_hidden, "\u{FFFD}")
}

/// Whether a character does something to its reader besides being there: control characters of both sets, what changes the direction of
/// text (UAX #9), line ends that are none to most programs, and what is never seen.
pub fn is_hidden(character: char) -> bool {
    match character {
        '\n' | '\t' => false,
        '\u{61C}' | '\u{200B}' | '\u{200E}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' => true,
        '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}' => true,
        other => other.is_control(),
    }
}

/// The beginning of a query for a sentence, on one line.
pub fn shortened(query: &str) -> String {
    beginning(query, 160)
}

/// The beginning of a query, on one line.
pub fn beginning(query: &str, characters: usize) -> String {
    cut(&query.split_whitespace().collect::<Vec<_>>().join(" "), characters)
}

/// Up to that many characters; `…` where something is cut.
pub fn cut(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// As [`visible`], for HTML: text within an element or an attribute in double quotes.
pub fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in visible(text).chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}
