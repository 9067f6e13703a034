//! A long log in pieces that are read one by one, so that it need not be held whole.
//!
//! In: lines as they come. Out: texts that begin where a plan is logged. A document (JSON, a web page) is one piece: what it holds cannot be
//! told before its end.

use super::find;

/// A log is cut at the first plan after so many bytes.
const PIECE: usize = 1 << 20;

/// A part of a text that can be read by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Piece {
    pub text: String,
    /// Lines of the text before it.
    pub lines_before: usize,
    /// It is all of the text.
    pub whole: bool,
}

/// Puts lines together to pieces.
#[derive(Debug, Default)]
pub struct Pieces {
    text: String,
    lines: usize,
    lines_before: usize,
    /// Known from the first line that is not blank.
    document: Option<bool>,
}

impl Pieces {
    /// Adds a line with what ends it, and gives back the piece before it if one is long enough.
    pub fn add(&mut self, line: &str) -> Option<Piece> {
        if self.document.is_none() && !line.trim().is_empty() {
            self.document = Some(is_document(line.trim_start_matches('\u{feff}').trim()));
        }
        let ready = self.text.len() >= PIECE && self.document == Some(false) && find::logs_plan(line);
        let piece = ready.then(|| self.take(false));
        self.text.push_str(line);
        self.lines += 1;
        piece
    }

    /// What is left.
    pub fn finish(mut self) -> Piece {
        let whole = self.lines_before == 0;
        self.take(whole)
    }

    fn take(&mut self, whole: bool) -> Piece {
        let piece = Piece { text: std::mem::take(&mut self.text), lines_before: self.lines_before, whole };
        self.lines_before = self.lines;
        piece
    }
}

/// Whether a text that begins with this line is one document. The records of a JSON log end on their line.
fn is_document(line: &str) -> bool {
    match line.as_bytes() {
        [b'[' | b'{' | b'"', ..] => {
            serde_json::from_str::<serde::de::IgnoredAny>(line).is_err_and(|error| error.is_eof())
        }
        // Not the priority of syslog: `<134>`.
        [b'<', next, ..] => !next.is_ascii_digit(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(first: &str, entries: usize) -> Vec<Piece> {
        let mut pieces = Pieces::default();
        let mut all: Vec<Piece> = pieces.add(first).into_iter().collect();
        for at in 0..entries {
            let entry = format!(
                "2026-01-01 00:00:00 UTC [7] LOG:  duration: {at}.5 ms  plan:\n\tQuery Text: SELECT {at}\n\tResult  (cost=0.00..0.01 rows=1 width=4)\n{}\n",
                "x".repeat(1000)
            );
            all.extend(entry.split_inclusive('\n').filter_map(|line| pieces.add(line)));
        }
        all.push(pieces.finish());
        all
    }

    #[test]
    fn a_log_is_cut_where_plans_are_logged() {
        let cut = pieces("2026-01-01 00:00:00 UTC [7] LOG:  starting\n", 3000);
        assert!(cut.len() > 2 && cut.iter().all(|piece| piece.text.len() < 2 * PIECE && !piece.whole));
        assert!(cut[1].text.contains("duration: ") && cut[1].text.starts_with("2026"));
        let lines = cut[0].text.lines().count();
        assert_eq!((cut[0].lines_before, cut[1].lines_before), (0, lines));
    }

    #[test]
    fn a_document_and_a_short_log_are_whole() {
        for first in ["[\n", "<html>\n"] {
            assert!(matches!(&pieces(first, 3000)[..], [piece] if piece.whole), "{first}");
        }
        assert!(matches!(&pieces("x\n", 10)[..], [piece] if piece.whole));
        assert!(pieces("{\"log\":\"x\"}\n", 3000).len() > 2);
        assert!(pieces("<134>1 2026-01-01T00:00:00Z h postgres 7 - - x\n", 3000).len() > 2);
    }
}
