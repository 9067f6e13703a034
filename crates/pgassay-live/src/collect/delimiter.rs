//! Statements that end at something else than a semicolon, as a tool's setting says.

/// The text with every delimiter as a semicolon and blanks: of the same length, so that places stay. Where `whole_line`, only a line of
/// the delimiter alone is one.
pub(super) fn as_semicolons(text: &str, delimiter: &str, whole_line: bool) -> Option<String> {
    if delimiter.is_empty() || delimiter == ";" {
        return None;
    }
    let mut masked = text.to_owned().into_bytes();
    let mut found = false;
    for (at, part) in text.match_indices(delimiter) {
        let end = at + part.len();
        let before = text.get(..at).and_then(|text| text.rsplit('\n').next()).unwrap_or_default();
        let after = text.get(end..).and_then(|text| text.split('\n').next()).unwrap_or_default();
        if whole_line && !(before.trim().is_empty() && after.trim().is_empty()) {
            continue;
        }
        found = true;
        for (place, byte) in masked.iter_mut().enumerate().take(end).skip(at) {
            let blank = if *byte == b'\n' { b'\n' } else { b' ' };
            *byte = if place == at { b';' } else { blank };
        }
    }
    found.then(|| String::from_utf8(masked).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::as_semicolons;

    #[test]
    fn places_stay() {
        assert_eq!(as_semicolons("a\n@@\nb @@ c\n @@ \n", "@@", true).as_deref(), Some("a\n; \nb @@ c\n ;  \n"));
        assert_eq!(as_semicolons("a;\nb\n-- end\nc", "-- end", false).as_deref(), Some("a;\nb\n;     \nc"));
        assert_eq!(as_semicolons("a\n\n\nb", "\n\n\n", false).as_deref(), Some("a;\n\nb"));
        assert_eq!(as_semicolons("a;", ";", false), None);
        assert_eq!(as_semicolons("a;", "//", false), None);
    }
}
