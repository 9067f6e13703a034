//! The numbers that migrations go by: read from a name, and the next one after them.

/// A number as it is written: `0042`, `20240131235959`, `2024-01-31-235959-0000`, `1.2`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Number {
    /// Digits with what stands between them.
    text: String,
    /// Flyway's, in parts: another part comes between it and the next.
    dotted: bool,
    /// The tool compares names as texts, `10` before `2`: what comes after the number in them.
    by_text: Option<u8>,
}

impl Number {
    /// The number that a name begins with, and the rest of the name. `between` may stand between its digits.
    pub fn read<'n>(name: &'n str, between: &[char]) -> Option<(Number, &'n str)> {
        let mut end = 0;
        for (at, letter) in name.char_indices() {
            if letter.is_ascii_digit() {
                end = at + 1;
            } else if !between.contains(&letter) {
                break;
            }
        }
        let (text, rest) = name.split_at(end);
        text.starts_with(|letter: char| letter.is_ascii_digit())
            .then(|| (Number { text: text.to_owned(), dotted: false, by_text: None }, rest))
    }

    /// Flyway's version: parts set off by dots or underscores, up to two underscores or what else sets off the words.
    pub fn read_version(name: &str) -> Option<(Number, &str)> {
        let is_part = |letter: char| letter.is_ascii_digit() || letter == '.' || letter == '_';
        let other = name.find(|letter| !is_part(letter)).unwrap_or(name.len());
        let end = name.find("__").map_or(other, |end| end.min(other));
        let (text, rest) = name.split_at(end);
        let is_version = !text.is_empty() && text.split(['.', '_']).all(|part| part.parse::<u64>().is_ok());
        is_version.then(|| (Number { text: text.to_owned(), dotted: true, by_text: None }, rest))
    }

    /// To compare numbers of one tool by.
    pub fn key(&self) -> Vec<u128> {
        if self.dotted {
            let mut parts: Vec<u128> = self.text.split(['.', '_']).map(|part| part.parse().unwrap_or(0)).collect();
            while parts.len() > 1 && parts.last() == Some(&0) {
                parts.pop();
            }
            return parts;
        }
        if let Some(after) = self.by_text {
            return self.digits().bytes().chain([after]).map(u128::from).collect();
        }
        vec![self.digits().parse().unwrap_or(0)]
    }

    /// The same, compared as the tool does.
    pub fn compared_as_text(self, by_text: Option<u8>) -> Number {
        Number { by_text, ..self }
    }

    /// The same, compared as another one is.
    pub fn compared_as(self, other: &Number) -> Number {
        Number { by_text: other.by_text, dotted: other.dotted, ..self }
    }

    /// The next that may follow it; `None` where there is none of its width.
    pub fn next(&self) -> Option<Number> {
        if self.dotted {
            return self.next_version();
        }
        let digits = self.digits();
        let next = match next_second(&digits) {
            Some(next) => next,
            None => format!("{:0width$}", digits.parse::<u128>().ok()?.checked_add(1)?, width = digits.len()),
        };
        // A longer number is another order where names are compared as text: there a digit more comes next.
        if next.len() != digits.len() {
            if let Some(after) = self.by_text {
                // `91.a` comes after `9.a`, and `91_a` before `9_a`.
                let longer = || Number { text: format!("{}1", self.text), ..self.clone() };
                return (after < b'0').then(longer);
            }
            if digits.starts_with('0') {
                return None;
            }
        }
        let mut new = next.chars();
        let between = |letter: char| if letter.is_ascii_digit() { new.next() } else { Some(letter) };
        let mut text: String = self.text.chars().filter_map(between).collect();
        text.extend(new);
        Some(Number { text, ..self.clone() })
    }

    /// `5` to `5.1`, `5.1` to `5.2`.
    fn next_version(&self) -> Option<Number> {
        let at = self.text.rfind(['.', '_']);
        let text = match at {
            None => format!("{}.1", self.text),
            Some(at) => {
                let last: u64 = self.text.get(at + 1..)?.parse().ok()?;
                format!("{}{}", self.text.get(..=at)?, last.checked_add(1)?)
            }
        };
        Some(Number { text, dotted: true, by_text: None })
    }

    /// A part more, so that it comes between this and whatever is next.
    pub fn below(&self) -> Option<Number> {
        let separator = if self.text.contains('_') { '_' } else { '.' };
        self.dotted.then(|| Number { text: format!("{}{separator}1", self.text), dotted: true, by_text: None })
    }

    /// A number of this form that says a time: `now` is 14 digits.
    pub fn at(&self, now: &str) -> Option<Number> {
        let digits = self.digits();
        next_second(digits.get(..14)?)?;
        let padded = format!("{now:0<width$}", width = digits.len());
        let mut new = padded.chars();
        let text = self.text.chars().filter_map(|it| if it.is_ascii_digit() { new.next() } else { Some(it) }).collect();
        Some(Number { text, ..self.clone() })
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    fn digits(&self) -> String {
        self.text.chars().filter(char::is_ascii_digit).collect()
    }
}

/// A second later, for 14 digits that are a time.
fn next_second(digits: &str) -> Option<String> {
    if digits.len() != 14 {
        return None;
    }
    let part = |from: usize, to: usize| digits.get(from..to)?.parse::<u32>().ok();
    let (year, month, day) = (part(0, 4)?, part(4, 6)?, part(6, 8)?);
    let (hour, minute, second) = (part(8, 10)?, part(10, 12)?, part(12, 14)?);
    let is_time = (1970..2200).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    if !is_time {
        return None;
    }
    let (second, carry) = ((second + 1) % 60, (second + 1) / 60);
    let (minute, carry) = ((minute + carry) % 60, (minute + carry) / 60);
    let (hour, carry) = ((hour + carry) % 24, (hour + carry) / 24);
    let last = match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    };
    let (day, carry) = if day + carry > last { (1, 1) } else { (day + carry, 0) };
    let (month, carry) = if month + carry > 12 { (1, 1) } else { (month + carry, 0) };
    Some(format!("{:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}", year + carry))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(name: &str) -> Option<String> {
        Some(Number::read(name, &['-'])?.0.next()?.text().to_owned())
    }

    #[test]
    fn where_names_are_texts_a_digit_more_comes_next_or_not_at_all() {
        let from = |after: u8| {
            let mut number = Number::read("8", &[]).map(|(number, _)| number.compared_as_text(Some(after)));
            let (mut texts, mut keys) = (Vec::new(), Vec::new());
            while let Some(it) = number.filter(|_| texts.len() < 4) {
                texts.push(it.text().to_owned());
                keys.push(it.key());
                number = it.next();
            }
            assert!(keys.is_sorted());
            texts
        };
        assert_eq!(from(b'.'), ["8", "9", "91", "92"]);
        assert_eq!(from(b'_'), ["8", "9"]);
    }

    #[test]
    fn a_time_goes_on_by_seconds() {
        assert_eq!(next("20240131235959_a.sql").as_deref(), Some("20240201000000"));
        assert_eq!(next("20231231235959_a.sql").as_deref(), Some("20240101000000"));
        assert_eq!(next("20240228235959_a").as_deref(), Some("20240229000000"));
        assert_eq!(next("2024-03-01-080059_a").as_deref(), Some("2024-03-01-080100"));
        assert_eq!(next("2024-03-01-080000-0000_a").as_deref(), Some("2024-03-01-080000-0001"));
    }

    #[test]
    fn a_number_goes_on_by_one() {
        assert_eq!(next("0009_a.sql").as_deref(), Some("0010"));
        assert_eq!(next("9_a.sql").as_deref(), Some("10"));
        assert_eq!(next("0999").as_deref(), Some("1000"));
        assert_eq!(next("1704879000000_a").as_deref(), Some("1704879000001"));
        assert_eq!(next("a_1.sql"), None);
    }

    #[test]
    fn a_version_of_flyway_has_room_below_it() {
        let version = |name: &str| Number::read_version(name).map(|(number, _)| number);
        let five = version("5__a.sql").expect("a version");
        let between = five.next().expect("the next");
        assert_eq!(between.text(), "5.1");
        assert!(five.key() < between.key() && between.key() < version("6__b.sql").expect("a version").key());
        assert_eq!(
            version("1.2__a.sql").and_then(|it| it.next()).map(|it| it.text().to_owned()).as_deref(),
            Some("1.3")
        );
        assert_eq!(
            version("1.2__a.sql").and_then(|it| it.below()).map(|it| it.text().to_owned()).as_deref(),
            Some("1.2.1")
        );
        assert_eq!(version("x__a.sql"), None);
    }
}
