//! Whether a measured property is as EXPLAIN prints it: what is glued to its numbers was not taken off, and the numbers would be lost.

/// What of a value is EXPLAIN's, without what somebody wrote behind it. `None` if its numbers cannot be read.
pub(super) fn value<'v>(key: &str, value: &'v str) -> Option<&'v str> {
    let length = match key {
        "Buffers" | "I/O Timings" | "WAL" | "Heap Blocks" => words(value, &|word| {
            matches!(word, "shared" | "local" | "temp" | "shared/local") || is_pair(word.trim_end_matches(','))
        }),
        "Heap Fetches" | "Workers Planned" | "Workers Launched" | "Index Searches" | "Subplans Removed" => {
            words(value, &|word| word.parse::<f64>().is_ok())
        }
        _ if key.starts_with("Rows Removed by ") => words(value, &|word| word.parse::<f64>().is_ok()),
        "Sort Method" => sized(value, &[" Disk: ", " Memory: "])?,
        "Buckets" | "Batches" => sized(value, &[" Memory Usage: ", " Disk Usage: "])?,
        "Full-sort Groups" | "Pre-sorted Groups" => sized(value, &[" Peak Memory: ", " Peak Disk: "])?,
        // A heading of lines of its own: `Row Groups:`.
        _ => return Some(value),
    };
    let (own, behind) = value.split_at(length);
    (!own.trim().is_empty() && behind.chars().next().is_none_or(char::is_whitespace)).then_some(own)
}

fn is_pair(word: &str) -> bool {
    word.split_once('=').is_some_and(|(_, number)| number.parse::<f64>().is_ok())
}

/// The length of the words at the start that are of a kind.
fn words(value: &str, is: &dyn Fn(&str) -> bool) -> usize {
    let mut end = 0;
    let mut at = 0;
    for word in value.split(' ') {
        if !word.is_empty() {
            if !is(word) {
                // What is glued to a number hides it.
                if word.split_once('=').is_some_and(|(_, number)| number.starts_with(|c: char| c.is_ascii_digit())) {
                    return 0;
                }
                break;
            }
            end = at + word.len();
        }
        at += word.len() + 1;
    }
    end
}

/// The length up to the last amount behind one of these names, each of which has to be one in kB. EXPLAIN always prints one of them.
fn sized(value: &str, names: &[&str]) -> Option<usize> {
    let mut end = None;
    for name in names {
        for (at, _) in value.match_indices(name) {
            let amount = &value[at + name.len()..];
            let digits = amount.find(|c: char| !c.is_ascii_digit()).unwrap_or(amount.len());
            if digits == 0 || !amount[digits..].starts_with("kB") {
                return None;
            }
            end = end.max(Some(at + name.len() + digits + "kB".len()));
        }
    }
    end
}
