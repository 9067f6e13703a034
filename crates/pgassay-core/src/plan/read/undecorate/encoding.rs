//! How a text is written: what ends its lines, characters that stand for others, the encoding of mails.

use super::Line;

/// The lines of a text, with its characters as EXPLAIN prints them.
pub(super) fn plain(text: &str) -> Vec<Line> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    // Where no such character stands for itself, all of them are written as entities.
    let twice = is_escaped_twice(text).then(|| super::page::without_entities(text));
    let text = twice.as_deref().unwrap_or(text);
    let entities = has_entities(text);
    let straight = straightened(text);
    let text = straight.as_deref().unwrap_or(text);
    // An editor that shows blanks.
    let dots = text.contains("·(cost=") || text.contains("·(actual");
    let ends: &[char] = match text.contains('\n') {
        true => &['\n', '\u{2028}', '\u{2029}', '\u{85}'],
        false => &['\r', '\u{2028}', '\u{2029}', '\u{85}'],
    };
    // Blanks of a page in a text that has its arrows as they are.
    let blanks = !entities && ["&nbsp;->", "&nbsp;(cost=", "&nbsp;(actual "].iter().any(|mark| text.contains(mark));
    let line = |(at, raw): (usize, &str)| {
        let text = match (dots, blanks) {
            (false, false) => cleaned(raw, entities),
            (true, _) => cleaned(&raw.replace('·', " "), entities),
            (false, true) => cleaned(&raw.replace("&nbsp;", " "), entities),
        };
        Line { text, number: at + 1, offset: 0, begins_entry: false }
    };
    // Most texts are long and have no characters beyond ASCII.
    let mut lines: Vec<Line> = match text.is_ascii() && ends[0] == '\n' {
        true => text.split('\n').enumerate().map(line).collect(),
        false => text.split(ends).enumerate().map(line).collect(),
    };
    quoted_printable(&mut lines);
    decimal_points(&mut lines);
    lines
}

/// A locale's commas in decimal numbers, where every cost has them: `cost=4436,60..16824,16`.
fn decimal_points(lines: &mut [Line]) {
    let with_comma = |text: &str| {
        let (_, cost) = text.split_once("(cost=")?;
        let number = cost.split("..").next()?;
        Some(number.bytes().all(|byte| byte.is_ascii_digit() || byte == b',') && number.contains(','))
    };
    let mut costs = lines.iter().filter_map(|line| with_comma(&line.text)).peekable();
    if costs.peek().is_none() || !costs.all(|it| it) {
        return;
    }
    for line in lines {
        let measured = line.text.find("(cost=").or_else(|| line.text.find("(actual ")).map(|at| at..line.text.len());
        let range = measured.or_else(|| line.text.trim_end().ends_with(" ms").then_some(0..line.text.len()));
        let Some(range) = range else { continue };
        let bytes = line.text.as_bytes();
        let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
        let commas: Vec<usize> =
            range.filter(|at| *at > 0 && bytes[*at] == b',' && is_digit(at - 1) && is_digit(at + 1)).collect();
        for at in commas {
            line.text.replace_range(at..=at, ".");
        }
    }
}

/// Whether the characters that a web page cannot hold are written as entities: an arrow is, or one of them and never itself.
fn has_entities(text: &str) -> bool {
    const ARROWS: &[&str] = &["-&gt;", "-&#62;", "-&#x3E;", "-&#x3e;", "&quot;Node Type&quot;"];
    // A plan as XML has its own.
    if !text.contains('&') || text.contains("<Node-Type>") {
        return false;
    }
    let instead = |names: &[&str], raw: &[char]| names.iter().any(|name| text.contains(name)) && !text.contains(raw);
    ARROWS.iter().any(|arrow| text.contains(arrow))
        || instead(&["&gt;", "&lt;"], &['<', '>'])
        || instead(&["&#39;", "&#x27;", "&apos;"], &['\''])
        || instead(&["&quot;", "&#34;", "&#x22;"], &['"'])
}

/// Whether every `&` is written as an entity, and some of those begin another one.
fn is_escaped_twice(text: &str) -> bool {
    const INNER: &[&str] = &["gt;", "lt;", "quot;", "#x27;", "#39;", "#34;"];
    if !text.contains("&amp;") || text.contains("<Node-Type>") {
        return false;
    }
    let mut inner = false;
    for (at, _) in text.match_indices('&') {
        let Some(behind) = text[at..].strip_prefix("&amp;") else { return false };
        inner |= INNER.iter().any(|name| behind.starts_with(name));
    }
    inner
}

/// A text whose quotes a word processor made typographic ones, with straight quotes. `None` where it has straight ones of its own.
fn straightened(text: &str) -> Option<String> {
    if text.is_ascii() {
        return None;
    }
    const KINDS: &[(&[char], char)] = &[(&['‘', '’'], '\''), (&['“', '”', '„'], '"')];
    let curly = |(curly, straight): &&(&[char], char)| text.contains(*curly) && !text.contains(*straight);
    let kinds: Vec<_> = KINDS.iter().filter(curly).collect();
    let all = |text: String, (curly, straight): &&(&[char], char)| text.replace(*curly, &straight.to_string());
    (!kinds.is_empty() && (super::number_line::is_marked(text) || text.contains("Node Type")))
        .then(|| kinds.iter().fold(text.to_owned(), all))
}

/// Characters that chats, web pages and terminals put in the place of others.
fn cleaned(raw: &str, entities: bool) -> String {
    let raw = raw.trim_end_matches('\r');
    let mut text = if raw.is_ascii() { raw.to_owned() } else { typeset(raw) };
    if entities && text.contains('&') {
        text = super::page::without_entities(&text);
    }
    while let Some(start) = text.find("\u{1b}[") {
        let end =
            text[start + 2..].find(|c: char| c.is_ascii_alphabetic()).map_or(text.len(), |end| start + 2 + end + 1);
        text.replace_range(start..end, "");
    }
    // Bold, as man and old terminals write it: a character, a step back, the character again.
    if text.contains('\u{8}') {
        let overstruck = std::mem::take(&mut text);
        for c in overstruck.chars() {
            match c {
                '\u{8}' => drop(text.pop()),
                c => text.push(c),
            }
        }
    }
    text
}

/// Blanks, arrows and points as a word processor or an editor sets them.
fn typeset(raw: &str) -> String {
    // A wide blank stands for two.
    let blanks = |c: char| matches!(c, '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}');
    let mut text = raw.replace(blanks, " ").replace(['\u{200b}', '\u{feff}'], "");
    if text.trim_start().len() < text.len() || text.contains("\u{3000}(") {
        text = outside_of_quotes(&text, '\u{3000}', "  ");
    }
    // An editor that shows them where they indent.
    if text.starts_with('·') {
        let dots = text.chars().take_while(|c| *c == '·').count();
        text = format!("{}{}", " ".repeat(dots), text.trim_start_matches('·'));
    }
    let between_digits = |at: usize| {
        text[..at].ends_with(|c: char| c.is_ascii_digit())
            && text[at + '…'.len_utf8()..].starts_with(|c: char| c.is_ascii_digit())
    };
    if text.match_indices('…').any(|(at, _)| between_digits(at)) {
        text = text.replace('…', "..");
    }
    let content = text.trim_start();
    let arrow = ["→", "⇒", "➔", "⟶", "–>", "—>", "\u{f0e0}"].iter().find(|arrow| content.starts_with(**arrow));
    match arrow {
        Some(arrow) => text.replacen(arrow, "->", 1),
        None => text,
    }
}

/// Replaces a character, but not in literals.
fn outside_of_quotes(text: &str, wanted: char, with: &str) -> String {
    let mut quoted = false;
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        quoted ^= c == '\'';
        if c == wanted && !quoted { out.push_str(with) } else { out.push(c) }
    }
    out
}

/// RFC 2045: `=3D` for `=`, and `=` at the end of a line that goes on.
fn quoted_printable(lines: &mut Vec<Line>) {
    if !lines.iter().any(|line| line.text.contains("(cost=3D") || line.text.contains("(actual time=3D")) {
        return;
    }
    let mut out: Vec<Line> = Vec::with_capacity(lines.len());
    let mut goes_on = false;
    for line in lines.drain(..) {
        let (part, soft) = match line.text.strip_suffix('=') {
            Some(part) => (part, true),
            None => (line.text.as_str(), false),
        };
        match out.last_mut().filter(|_| goes_on) {
            Some(last) => last.text.push_str(part),
            None => out.push(Line { text: part.to_owned(), ..line }),
        }
        goes_on = soft;
    }
    for line in &mut out {
        line.text = decoded(&line.text);
    }
    *lines = out;
}

fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while let Some(byte) = bytes.get(at) {
        match (byte, digit(at + 1), digit(at + 2)) {
            (b'=', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 3;
            }
            _ => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
