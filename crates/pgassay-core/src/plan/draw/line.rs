//! Texts of a known number of columns.

use anstyle::{Ansi256Color, AnsiColor, Style};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::text::plain;

pub(super) const PLAIN: Style = Style::new();
pub(super) const BOLD: Style = Style::new().bold();
pub(super) const DIM: Style = Style::new().dimmed();
pub(super) const RED: Style = AnsiColor::Red.on_default().bold();
/// An orange that can be read on black and on white.
pub(super) const YELLOW: Style = Ansi256Color(172).on_default();
pub(super) const GREEN: Style = AnsiColor::Green.on_default();
pub(super) const CYAN: Style = AnsiColor::Cyan.on_default();

/// A text in a style; nothing around an empty or plain one.
pub(super) fn paint(style: Style, text: &str) -> String {
    if text.is_empty() || style == PLAIN { text.to_owned() } else { format!("{style}{text}{style:#}") }
}

pub(super) fn columns(text: &str) -> usize {
    let plain = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if plain { text.len() } else { text.width() }
}

/// The text in exactly so many columns, cut with `…` or filled up behind.
pub(super) fn left(text: &str, width: usize) -> String {
    let text = cut(text, width);
    format!("{text}{}", " ".repeat(width.saturating_sub(columns(&text))))
}

/// The same, filled up before.
pub(super) fn right(text: &str, width: usize) -> String {
    let text = cut(text, width);
    format!("{}{text}", " ".repeat(width.saturating_sub(columns(&text))))
}

/// At most so many columns, on one line; `…` where something is cut.
pub(super) fn cut(text: &str, width: usize) -> String {
    let text = plain::one_line(text);
    if columns(&text) <= width {
        return text;
    }
    let mut kept = String::new();
    let mut used = 0;
    for character in text.chars() {
        let columns = character.width().unwrap_or(0);
        if used + columns + 1 > width {
            break;
        }
        kept.push(character);
        used += columns;
    }
    if width > 0 {
        kept.push('…');
    }
    kept
}

/// A bar of at most `width` columns for a share of 0 to 1, in eighths of a column; a share that is there shows.
pub(super) fn bar(share: f64, width: usize) -> String {
    const EIGHTHS: [char; 9] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];
    let eighths = (share.clamp(0.0, 1.0) * width as f64 * 8.0).round() as usize;
    let eighths = if share >= 0.005 { eighths.max(1) } else { eighths };
    let mut bar = "█".repeat(eighths / 8);
    if eighths % 8 > 0 {
        bar.push(EIGHTHS[eighths % 8]);
    }
    left(&bar, width)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_have_the_width_asked_for() {
        assert_eq!(left("abc", 5), "abc  ");
        assert_eq!(right("abc", 5), "  abc");
        assert_eq!(left("abcdef", 4), "abc…");
        assert_eq!(left("漢字漢字", 5), "漢字…");
        assert_eq!(columns(&left("漢字漢字", 4)), 4);
        assert_eq!(cut("a\nb\u{1b}[31m", 20), "a b\u{FFFD}[31m");
        assert_eq!(cut("abc", 0), "");
    }

    #[test]
    fn bars_are_as_long_as_the_share() {
        assert_eq!(bar(1.0, 4), "████");
        assert_eq!(bar(0.5, 4), "██  ");
        assert_eq!(bar(0.51, 4), "██  ");
        assert_eq!(bar(0.54, 4), "██▏ ");
        assert_eq!(bar(0.01, 4), "▏   ");
        assert_eq!(bar(0.0, 4), "    ");
        assert_eq!(bar(f64::NAN, 2), "  ");
    }
}
