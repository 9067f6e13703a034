//! PostgreSQL's lexical rules (scan.l; manual, 4.1). Nothing else in the tree knows where a token ends.
//!
//! In: text and an offset. Out: what begins there, and where it ends; what a string constant or quoted name stands for, and where each
//! byte of that was written. Knows no key words and no statements, reads every byte once, and never fails: what is never closed is a
//! lexeme of its own. All offsets are bytes.

/// Settings that change how text is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rules {
    /// Off: `'…'` is read as `E'…'`.
    pub standard_conforming_strings: bool,
}

impl Default for Rules {
    fn default() -> Rules {
        Rules { standard_conforming_strings: true }
    }
}

/// What begins at an offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sql) enum Lexeme {
    Space,
    LineComment,
    BlockComment,
    /// A name or key word without quotes.
    Word,
    QuotedName,
    /// `U&"…"`.
    UnicodeName,
    String(Quoting),
    /// `$tag$ … $tag$`; the length of the opening.
    DollarString(usize),
    Number,
    /// `$1`.
    Parameter,
    Operator,
    /// One of `,()[].;:` or `::`, `:=`, `..`, or a character that no token begins with.
    Symbol,
    /// It reaches to the end of the text.
    Unclosed(Unclosed),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sql) enum Unclosed {
    Comment,
    String,
    QuotedName,
    /// The length of the opening.
    DollarString(usize),
}

/// How the inside of a string constant is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sql) enum Quoting {
    Standard,
    /// `E'…'`.
    Escapes,
    /// `U&'…'`.
    Unicode,
    /// `B'…'`.
    Bits,
    /// `X'…'`.
    Hexadecimal,
    /// `N'…'`.
    National,
}

/// What begins at an offset of the text, and where it ends. The offset is inside of the text.
pub(in crate::sql) fn lexeme(bytes: &[u8], at: usize, rules: Rules) -> (Lexeme, usize) {
    let next = bytes.get(at + 1).copied().unwrap_or_default();
    match bytes[at] {
        byte if is_space(byte) => (Lexeme::Space, run_end(bytes, at, is_space)),
        b'-' if next == b'-' => (Lexeme::LineComment, line_end(bytes, at)),
        b'/' if next == b'*' => closed(bytes, block_comment_end(bytes, at), Lexeme::BlockComment, Unclosed::Comment),
        b'\'' => string(bytes, at, plain_quoting(rules)),
        b'"' => closed(bytes, quoted_name_end(bytes, at), Lexeme::QuotedName, Unclosed::QuotedName),
        b'$' => dollar(bytes, at),
        byte if begins_word(byte) => word(bytes, at, rules),
        byte if byte.is_ascii_digit() => (Lexeme::Number, number_end(bytes, at)),
        b'.' if next.is_ascii_digit() => (Lexeme::Number, number_end(bytes, at)),
        byte if is_operator(byte) => (Lexeme::Operator, operator_end(bytes, at)),
        b':' if matches!(next, b':' | b'=') => (Lexeme::Symbol, at + 2),
        b'.' if next == b'.' => (Lexeme::Symbol, at + 2),
        _ => (Lexeme::Symbol, at + 1),
    }
}

/// As the server's lexer from 16 on, which counts a vertical tab.
pub(in crate::sql) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'\x0b' | b'\x0c')
}

fn is_newline(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

pub(in crate::sql) fn begins_word(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80
}

fn continues_word(byte: u8) -> bool {
    begins_word(byte) || byte.is_ascii_digit() || byte == b'$'
}

fn is_operator(byte: u8) -> bool {
    matches!(
        byte,
        b'~' | b'!'
            | b'@'
            | b'#'
            | b'^'
            | b'&'
            | b'|'
            | b'`'
            | b'?'
            | b'+'
            | b'-'
            | b'*'
            | b'/'
            | b'%'
            | b'<'
            | b'>'
            | b'='
    )
}

/// The end of the bytes of one kind that begin at an offset.
fn run_end(bytes: &[u8], at: usize, inside: impl Fn(u8) -> bool) -> usize {
    bytes[at..].iter().position(|byte| !inside(*byte)).map_or(bytes.len(), |length| at + length)
}

/// The end of the line; a line ends before LF, before CR, and at the end of the text.
pub(in crate::sql) fn line_end(bytes: &[u8], at: usize) -> usize {
    run_end(bytes, at.min(bytes.len()), |byte| !is_newline(byte))
}

/// The end of the word at an offset.
pub(in crate::sql) fn word_end(bytes: &[u8], at: usize) -> usize {
    run_end(bytes, at.min(bytes.len()), continues_word)
}

fn closed(bytes: &[u8], end: Option<usize>, lexeme: Lexeme, unclosed: Unclosed) -> (Lexeme, usize) {
    end.map_or((Lexeme::Unclosed(unclosed), bytes.len()), |end| (lexeme, end))
}

/// The end of the comment, with the comments nested in it.
fn block_comment_end(bytes: &[u8], start: usize) -> Option<usize> {
    let (mut at, mut depth) = (start, 0usize);
    loop {
        match (bytes.get(at)?, bytes.get(at + 1)) {
            (b'/', Some(b'*')) => (depth, at) = (depth + 1, at + 2),
            (b'*', Some(b'/')) => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return Some(at);
        }
    }
}

fn quoted_name_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        match bytes.get(at)? {
            b'"' if bytes.get(at + 1) == Some(&b'"') => at += 2,
            b'"' => return Some(at + 1),
            _ => at += 1,
        }
    }
}

fn word(bytes: &[u8], at: usize, rules: Rules) -> (Lexeme, usize) {
    let quoting = match (bytes[at], bytes.get(at + 1)) {
        (b'e' | b'E', Some(b'\'')) => Quoting::Escapes,
        (b'b' | b'B', Some(b'\'')) => Quoting::Bits,
        (b'x' | b'X', Some(b'\'')) => Quoting::Hexadecimal,
        (b'n' | b'N', Some(b'\'')) if rules.standard_conforming_strings => Quoting::National,
        (b'n' | b'N', Some(b'\'')) => Quoting::Escapes,
        (b'u' | b'U', Some(b'&')) if bytes.get(at + 2) == Some(&b'\'') => {
            return string(bytes, at + 2, Quoting::Unicode);
        }
        (b'u' | b'U', Some(b'&')) if bytes.get(at + 2) == Some(&b'"') => {
            return closed(bytes, quoted_name_end(bytes, at + 2), Lexeme::UnicodeName, Unclosed::QuotedName);
        }
        _ => return (Lexeme::Word, word_end(bytes, at)),
    };
    string(bytes, at + 1, quoting)
}

fn plain_quoting(rules: Rules) -> Quoting {
    if rules.standard_conforming_strings { Quoting::Standard } else { Quoting::Escapes }
}

/// The string constant whose first quote is at an offset, with all its continuations.
fn string(bytes: &[u8], quote: usize, quoting: Quoting) -> (Lexeme, usize) {
    let mut at = quote + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' if quoting == Quoting::Escapes => at += 2,
            b'\'' if bytes.get(at + 1) == Some(&b'\'') && doubles(quoting) => at += 2,
            b'\'' => match continuation(bytes, at + 1) {
                Some(next) => at = next + 1,
                None => return (Lexeme::String(quoting), at + 1),
            },
            _ => at += 1,
        }
    }
    (Lexeme::Unclosed(Unclosed::String), bytes.len())
}

/// Whether two quotes stand for one: in a string of bits the second one begins another string.
fn doubles(quoting: Quoting) -> bool {
    !matches!(quoting, Quoting::Bits | Quoting::Hexadecimal)
}

/// The next quote of a string that goes on behind a closing quote: only spaces and line comments are between, and a line end
/// (`quotecontinue` in scan.l). Both parts are read alike.
fn continuation(bytes: &[u8], mut at: usize) -> Option<usize> {
    let mut newline = false;
    loop {
        match bytes.get(at)? {
            b'\'' => return newline.then_some(at),
            b'-' if bytes.get(at + 1) == Some(&b'-') => at = line_end(bytes, at),
            byte if is_space(*byte) => {
                newline |= is_newline(*byte);
                at += 1;
            }
            _ => return None,
        }
    }
}

/// `$tag$ … $tag$`, `$1`, or a lone dollar.
fn dollar(bytes: &[u8], at: usize) -> (Lexeme, usize) {
    if bytes.get(at + 1).is_some_and(u8::is_ascii_digit) {
        return (Lexeme::Parameter, run_end(bytes, at + 1, |byte| byte.is_ascii_digit()));
    }
    let Some(opening) = dollar_tag(bytes, at) else { return (Lexeme::Symbol, at + 1) };
    let tag = &bytes[at..at + opening];
    let body = at + opening;
    // Searching for whole tags is what scan.l does: a `$` that ends a wrong tag may begin the right one.
    let dollars = bytes[body..].iter().enumerate().filter(|(_, byte)| **byte == b'$');
    let mut ends = dollars.map(|(length, _)| body + length).filter(|end| bytes[*end..].starts_with(tag));
    let end = ends.next().map(|end| end + opening);
    closed(bytes, end, Lexeme::DollarString(opening), Unclosed::DollarString(opening))
}

/// The length of `$tag$` at an offset.
fn dollar_tag(bytes: &[u8], at: usize) -> Option<usize> {
    let tag = bytes.get(at + 1..)?;
    let length = tag.iter().position(|byte| !(begins_word(*byte) || byte.is_ascii_digit()))?;
    (tag[length] == b'$').then_some(length + 2)
}

/// The end of a number. Digits may have single underscores between them, and a prefix for another base (both from 16 on).
fn number_end(bytes: &[u8], start: usize) -> usize {
    let based = match bytes.get(start + 1) {
        Some(b'x' | b'X') => Some(digits_end(bytes, start + 2, true, |byte| byte.is_ascii_hexdigit())),
        Some(b'o' | b'O') => Some(digits_end(bytes, start + 2, true, |byte| matches!(byte, b'0'..=b'7'))),
        Some(b'b' | b'B') => Some(digits_end(bytes, start + 2, true, |byte| matches!(byte, b'0' | b'1'))),
        _ => None,
    };
    if let Some(end) = based.filter(|end| bytes[start] == b'0' && *end > start + 2) {
        return end;
    }
    let decimal = |at: usize| digits_end(bytes, at, false, |byte| byte.is_ascii_digit());
    let mut end = decimal(start);
    if bytes.get(end) == Some(&b'.') && bytes.get(end + 1) != Some(&b'.') {
        end = decimal(end + 1);
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let exponent = decimal(end + 1 + sign);
        if exponent > end + 1 + sign {
            end = exponent;
        }
    }
    end
}

/// The end of digits, where one underscore may be before each digit: before the first one only when asked for.
fn digits_end(bytes: &[u8], start: usize, underscore_first: bool, digit: impl Fn(u8) -> bool) -> usize {
    let mut at = start;
    loop {
        let underscore = usize::from(bytes.get(at) == Some(&b'_') && (underscore_first || at > start));
        match bytes.get(at + underscore) {
            Some(byte) if digit(*byte) => at += underscore + 1,
            _ => return at,
        }
    }
}

/// The end of an operator: a comment ends it, and a sign belongs to it only when it has a character that no operator of the
/// standard has (manual, 4.1.3): `=-` is two, `@-` is one.
fn operator_end(bytes: &[u8], start: usize) -> usize {
    let longest = run_end(bytes, start, is_operator);
    let comment = bytes[start..longest].windows(2).position(|pair| matches!(pair, b"/*" | b"--"));
    let mut end = comment.map_or(longest, |length| start + length);
    let is_own = |byte: &u8| matches!(byte, b'~' | b'!' | b'@' | b'#' | b'^' | b'&' | b'|' | b'`' | b'?' | b'%');
    if !bytes[start..end - 1].iter().any(is_own) {
        while end > start + 1 && matches!(bytes[end - 1], b'+' | b'-') {
            end -= 1;
        }
    }
    end
}

/// What a string constant or quoted name stands for: its bytes, each with the offset where it was written, and the offset of the
/// closing quote.
pub(in crate::sql) struct Value {
    pub bytes: Vec<u8>,
    pub offsets: Vec<usize>,
}

impl Value {
    fn put(&mut self, bytes: &[u8], at: usize) {
        self.bytes.extend_from_slice(bytes);
        self.offsets.extend(bytes.iter().map(|_| at));
    }

    fn put_char(&mut self, code: u32, at: usize) {
        let mut buffer = [0; 4];
        let character = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
        self.put(character.encode_utf8(&mut buffer).as_bytes(), at);
    }
}

/// The value of the string constant that a text is, all of it.
pub(in crate::sql) fn string_value(raw: &str, quoting: Quoting) -> Value {
    let bytes = raw.as_bytes();
    let mut value = Value { bytes: Vec::with_capacity(raw.len()), offsets: Vec::with_capacity(raw.len()) };
    let mut at = bytes.iter().position(|byte| *byte == b'\'').map_or(bytes.len(), |quote| quote + 1);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' if quoting == Quoting::Escapes => at = escape(bytes, at, &mut value),
            b'\'' if bytes.get(at + 1) == Some(&b'\'') && doubles(quoting) => {
                value.put(b"'", at);
                at += 2;
            }
            b'\'' => match continuation(bytes, at + 1) {
                Some(next) => at = next + 1,
                None => break,
            },
            byte => {
                value.put(&[*byte], at);
                at += 1;
            }
        }
    }
    value.offsets.push(at.min(bytes.len()));
    value
}

/// One escape of `E'…'` (manual, 4.1.2.2); returns where it ends.
fn escape(bytes: &[u8], at: usize, value: &mut Value) -> usize {
    let digits = |from: usize, longest: usize, radix: u32| {
        let found = bytes[from.min(bytes.len())..].iter().take(longest);
        let length = found.take_while(|byte| char::from(**byte).is_digit(radix)).count();
        let text = std::str::from_utf8(&bytes[from.min(bytes.len())..][..length]).unwrap_or_default();
        (u32::from_str_radix(text, radix).ok(), from + length)
    };
    let simple = |byte: u8, value: &mut Value| {
        value.put(&[byte], at);
        at + 2
    };
    match bytes.get(at + 1) {
        None => at + 1,
        Some(b'b') => simple(8, value),
        Some(b'f') => simple(12, value),
        Some(b'n') => simple(b'\n', value),
        Some(b'r') => simple(b'\r', value),
        Some(b't') => simple(b'\t', value),
        Some(b'v') => simple(11, value),
        Some(b'0'..=b'7') => {
            let (code, end) = digits(at + 1, 3, 8);
            value.put(&[code.unwrap_or_default() as u8], at);
            end
        }
        Some(letter @ (b'x' | b'u' | b'U')) => {
            let length = match letter {
                b'x' => 2,
                b'u' => 4,
                _ => 8,
            };
            match digits(at + 2, length, 16) {
                (Some(code), end) if *letter == b'x' => {
                    value.put(&[code as u8], at);
                    end
                }
                (Some(code), end) => {
                    value.put_char(code, at);
                    end
                }
                (None, _) => simple(*letter, value),
            }
        }
        Some(other) => simple(*other, value),
    }
}

/// What is between the double quotes.
pub(in crate::sql) fn name_value(raw: &str) -> String {
    let open = raw.find('"').map_or(0, |quote| quote + 1);
    let inside = raw.get(open..raw.len().saturating_sub(1)).unwrap_or_default();
    inside.replace("\"\"", "\"")
}

/// The characters that `\0061` and `\+000061` stand for, with another escape character behind UESCAPE; `None` where an escape is wrong.
pub(in crate::sql) fn unicode_value(text: &str, escape: char) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut high: Option<u32> = None;
    let mut rest = text.chars();
    while let Some(letter) = rest.next() {
        let code = match letter {
            letter if letter != escape => None,
            _ if rest.as_str().starts_with(escape) => {
                rest.next();
                None
            }
            _ => Some(unicode_escape(&mut rest)?),
        };
        match (code, high.take()) {
            (Some(code @ 0xD800..=0xDBFF), None) => high = Some(code),
            (Some(low @ 0xDC00..=0xDFFF), Some(high)) => {
                out.push(char::from_u32(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))?);
            }
            (Some(code), None) => out.push(char::from_u32(code)?),
            (None, None) => out.push(letter),
            (_, Some(_)) => return None,
        }
    }
    high.is_none().then_some(out)
}

fn unicode_escape(rest: &mut std::str::Chars) -> Option<u32> {
    let (skip, length) = if rest.as_str().starts_with('+') { (1, 6) } else { (0, 4) };
    let digits = rest.as_str().get(skip..skip + length)?;
    let code = digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok())??;
    rest.nth(skip + length - 1);
    Some(code)
}

#[cfg(test)]
#[path = "lexer_tests.rs"]
mod tests;
