//! The rows that psql sends behind COPY … FROM stdin: from the next line to a line `\\.`. Lines end in LF, or in CR and LF.

/// Where the line behind an offset begins; the offset is at the end of a line.
pub(super) fn next_line(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    rest.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |length| at + length + 1)
}

/// Where the rows that begin at an offset end, and the place behind their `\\.`.
pub(super) fn end(text: &str, start: usize) -> Option<(usize, usize)> {
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
