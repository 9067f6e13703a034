//! Where strings, comments and words end (manual, 4.1). All offsets are bytes; `None` means never.

pub(super) fn begins_word(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80
}

/// The end of the word (or number) at an offset.
pub(super) fn word_end(bytes: &[u8], start: usize) -> usize {
    let inside = |byte: &u8| begins_word(*byte) || byte.is_ascii_digit() || *byte == b'$';
    let start = start.min(bytes.len());
    bytes[start..].iter().position(|byte| !inside(byte)).map_or(bytes.len(), |length| start + length)
}

/// The end of the string whose opening quote is at an offset.
pub(super) fn string_end(bytes: &[u8], start: usize, escapes: bool) -> Option<usize> {
    let mut at = start + 1;
    loop {
        match bytes.get(at)? {
            b'\\' if escapes => at += 2,
            b'\'' if bytes.get(at + 1) == Some(&b'\'') => at += 2,
            b'\'' => return Some(at + 1),
            _ => at += 1,
        }
    }
}

/// The end of the quoted identifier at an offset.
pub(super) fn quoted_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        match bytes.get(at)? {
            b'"' if bytes.get(at + 1) == Some(&b'"') => at += 2,
            b'"' => return Some(at + 1),
            _ => at += 1,
        }
    }
}

/// The end of the comment, with the comments nested in it.
pub(super) fn block_comment_end(bytes: &[u8], start: usize) -> Option<usize> {
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

/// The length of `$tag$` at an offset; `None` when it is a parameter or a lone dollar.
pub(super) fn dollar_tag(bytes: &[u8], start: usize) -> Option<usize> {
    let tag = bytes.get(start + 1..)?;
    if tag.first()?.is_ascii_digit() {
        return None;
    }
    let length = tag.iter().position(|byte| !(begins_word(*byte) || byte.is_ascii_digit()))?;
    (tag[length] == b'$').then_some(length + 2)
}

/// The end of the dollar-quoted string, whose opening has this length.
pub(super) fn dollar_quote_end(text: &str, start: usize, opening: usize) -> Option<usize> {
    let tag = text.get(start..start + opening)?;
    text.get(start + opening..)?.find(tag).map(|length| start + opening + length + opening)
}

/// Behind the next semicolon that ends a line.
pub(super) fn statement_end(bytes: &[u8], start: usize) -> Option<usize> {
    let ends = |window: &[u8]| matches!(window, [b';', b'\n' | b'\r']);
    bytes.get(start..)?.windows(2).position(ends).map(|length| start + length + 1)
}

/// Where the rows of COPY that begin at an offset end, and the place behind their `\.`.
pub(super) fn copy_data_end(text: &str, start: usize) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let mut from = start;
    loop {
        let at = from + text.get(from..)?.find("\\.")?;
        let begins_line = at == start || bytes[at - 1] == b'\n';
        let ends_line = matches!(bytes.get(at + 2), None | Some(b'\n' | b'\r'));
        if begins_line && ends_line {
            return Some((at, at + 2));
        }
        from = at + 2;
    }
}
