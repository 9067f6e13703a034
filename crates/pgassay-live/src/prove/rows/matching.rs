//! Texts that match a regular expression.
//!
//! In: a pattern of a check. Out: some different texts that it matches; none for one that cannot be read (PostgreSQL's expressions have
//! forms that others lack) or that looks around itself.

use regex_syntax::hir::{Class, Hir, HirKind};

/// So many different texts at most.
const MOST: usize = 40;

/// A text is no longer than this.
const LONGEST: usize = 500;

/// Texts that match, all different.
pub(super) fn samples(pattern: &str) -> Vec<String> {
    let Ok(parsed) = regex_syntax::Parser::new().parse(pattern) else { return Vec::new() };
    let mut found: Vec<String> = Vec::new();
    for seed in 0..MOST {
        let mut text = String::new();
        let mut choice = seed;
        if !write(&parsed, &mut choice, &mut text) {
            return Vec::new();
        }
        if !found.contains(&text) {
            found.push(text);
        }
    }
    found
}

/// Takes the next of so many choices.
fn choose(choice: &mut usize, from: usize) -> usize {
    let from = from.max(1);
    let chosen = *choice % from;
    *choice /= from;
    chosen
}

fn write(hir: &Hir, choice: &mut usize, text: &mut String) -> bool {
    if text.len() > LONGEST {
        return false;
    }
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => true,
        HirKind::Literal(literal) => std::str::from_utf8(&literal.0).map(|part| text.push_str(part)).is_ok(),
        HirKind::Class(class) => character(class, choice).map(|chosen| text.push(chosen)).is_some(),
        HirKind::Repetition(repetition) => {
            let fewest = repetition.min.max(1).min(repetition.max.unwrap_or(u32::MAX));
            (0..fewest).all(|_| write(&repetition.sub, choice, text))
        }
        HirKind::Capture(capture) => write(&capture.sub, choice, text),
        HirKind::Concat(parts) => parts.iter().all(|part| write(part, choice, text)),
        HirKind::Alternation(parts) => {
            let chosen = choose(choice, parts.len());
            write(&parts[chosen], choice, text)
        }
    }
}

/// A character of the class, a printable one of ASCII where it has one.
fn character(class: &Class, choice: &mut usize) -> Option<char> {
    let printable = |character: &char| character.is_ascii_graphic();
    let fitting: Vec<char> = match class {
        Class::Unicode(class) => class.iter().flat_map(|range| (range.start()..=range.end()).take(200)).collect(),
        Class::Bytes(class) => class.iter().flat_map(|range| (range.start()..=range.end()).map(char::from)).collect(),
    };
    let good: Vec<char> = fitting.iter().copied().filter(|it| printable(it)).collect();
    let from = if good.is_empty() { &fitting } else { &good };
    from.get(choose(choice, from.len())).copied()
}

#[cfg(test)]
mod tests {
    use super::samples;

    #[test]
    fn samples_are_as_the_pattern_says() {
        let codes = samples("^[A-Z]{2}[0-9]{2,4}(-x|-y)?$");
        assert!(codes.len() > 20, "{codes:?}");
        let fits = |code: &String| {
            let (head, rest) = code.split_at(2);
            head.chars().all(|c| c.is_ascii_uppercase()) && rest[..2].chars().all(|c| c.is_ascii_digit())
        };
        assert!(codes.iter().all(fits), "{codes:?}");
        assert_eq!(samples("^abc$"), ["abc"]);
        assert_eq!(samples("(["), [""; 0]);
    }
}
