//! Comparing names as people count: `2_x` before `10_x`.

use std::cmp::Ordering;
use std::path::Path;

/// Runs of digits compare as numbers, everything else as text.
pub(super) fn natural(left: &str, right: &str) -> Ordering {
    let (mut a, mut b) = (left, right);
    loop {
        let (Some(x), Some(y)) = (a.chars().next(), b.chars().next()) else {
            return a.len().cmp(&b.len()).then_with(|| left.cmp(right));
        };
        let step = if x.is_ascii_digit() && y.is_ascii_digit() {
            let (digits_a, digits_b) = (leading_digits(a), leading_digits(b));
            (a, b) = (&a[digits_a.len()..], &b[digits_b.len()..]);
            number(digits_a, digits_b)
        } else {
            (a, b) = (&a[x.len_utf8()..], &b[y.len_utf8()..]);
            x.cmp(&y)
        };
        if step != Ordering::Equal {
            return step;
        }
    }
}

/// Component by component, so that a folder's files stay together.
pub(super) fn natural_path(left: &Path, right: &Path) -> Ordering {
    let (left, right) = behind_common_folders(left, right);
    let (mut a, mut b) = (left.components(), right.components());
    loop {
        match (a.next(), b.next()) {
            (Some(x), Some(y)) => {
                let step = natural(&x.as_os_str().to_string_lossy(), &y.as_os_str().to_string_lossy());
                if step != Ordering::Equal {
                    return step;
                }
            }
            (x, y) => return x.is_some().cmp(&y.is_some()),
        }
    }
}

/// What two paths of one folder differ in: most files that are compared stand close to each other.
fn behind_common_folders<'a>(left: &'a Path, right: &'a Path) -> (&'a Path, &'a Path) {
    let (Some(a), Some(b)) = (left.to_str(), right.to_str()) else { return (left, right) };
    let same = a.bytes().zip(b.bytes()).take_while(|(x, y)| x == y).count();
    let folders = a.as_bytes()[..same].iter().rposition(|byte| *byte == b'/').map_or(0, |at| at + 1);
    (Path::new(&a[folders..]), Path::new(&b[folders..]))
}

/// Two runs of digits of any length, as numbers.
pub(super) fn number(left: &str, right: &str) -> Ordering {
    let (a, b) = (left.trim_start_matches('0'), right.trim_start_matches('0'));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

pub(super) fn leading_digits(text: &str) -> &str {
    let end = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    &text[..end]
}

/// Whether a file's name starts with a number and `_`.
pub(super) fn has_version(name: &str) -> bool {
    let digits = leading_digits(name);
    !digits.is_empty() && name[digits.len()..].starts_with('_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_as_people_do() {
        let mut names = vec!["V10__c.sql", "v2.sql", "V2__b.sql", "V2.1__x.sql", "V02__b.sql", "V1__a.sql", "V.sql"];
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(names, ["V.sql", "V1__a.sql", "V2.1__x.sql", "V02__b.sql", "V2__b.sql", "V10__c.sql", "v2.sql"]);
    }

    #[test]
    fn a_folder_stays_together() {
        assert_eq!(natural_path(Path::new("a/2.sql"), Path::new("a/10.sql")), Ordering::Less);
        assert_eq!(natural_path(Path::new("a"), Path::new("a/1.sql")), Ordering::Less);
    }
}
