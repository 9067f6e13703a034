//! SET of a value that the parameter does not take (`parse_and_validate_value`, guc.c): a time, an amount of memory, a flag.

use super::super::predictor::Predictor;
use crate::change::Set;

/// Milliseconds from 0 up; `lock_timeout` and its kin.
const TIMEOUTS: &[&str] = &[
    "idle_in_transaction_session_timeout",
    "idle_session_timeout",
    "lock_timeout",
    "statement_timeout",
    "transaction_timeout",
];

/// Kilobytes.
const MEMORY: &[&str] = &["logical_decoding_work_mem", "maintenance_work_mem", "work_mem"];

const FLAGS: &[&str] = &[
    "allow_system_table_mods",
    "check_function_bodies",
    "default_transaction_read_only",
    "escape_string_warning",
    "jit",
    "row_security",
    "standard_conforming_strings",
    "transform_null_equals",
];

const TIME_UNITS: &[&str] = &["us", "ms", "s", "min", "h", "d"];
const MEMORY_UNITS: &[&str] = &["B", "kB", "MB", "GB", "TB"];

impl Predictor<'_> {
    pub(super) fn refuse_setting(&mut self, set: &Set) {
        let (parameter, [value]) = (&*set.parameter, &set.values[..]) else { return };
        let plain = value.chars().all(|it| it.is_ascii_alphanumeric() || " .+-_".contains(it));
        let among = |list: &[&str]| plain && list.contains(&parameter);
        let message = if among(TIMEOUTS) {
            match amount(value, TIME_UNITS) {
                Some(number) if number >= 0.0 => return,
                Some(_) => format!("{value} is outside the valid range for parameter \"{parameter}\""),
                None => format!("invalid value for parameter \"{parameter}\": \"{value}\""),
            }
        } else if among(MEMORY) && amount(value, MEMORY_UNITS).is_none() {
            format!("invalid value for parameter \"{parameter}\": \"{value}\"")
        } else if among(FLAGS) && !is_flag(value) {
            format!("parameter \"{parameter}\" requires a Boolean value")
        } else {
            return;
        };
        self.refused(set.span, parameter, message);
    }
}

/// A number with or without one of the units (`parse_int`); what is written in another base counts as 0.
fn amount(value: &str, units: &[&str]) -> Option<f64> {
    let value = value.trim();
    let digits = value.trim_start_matches(['+', '-']);
    if digits.starts_with("0x") || digits.starts_with("0X") {
        return Some(0.0);
    }
    let end = value.find(|it: char| !it.is_ascii_digit() && !"+-.".contains(it)).unwrap_or(value.len());
    let (number, unit) = value.split_at(end);
    let number = number.parse().ok()?;
    let unit = unit.trim();
    // `1e3` is a number too.
    let exponent = unit.starts_with(['e', 'E']);
    (unit.is_empty() || exponent || units.contains(&unit)).then_some(number)
}

/// A prefix of a word that is not one of another (`parse_bool`, bool.c).
fn is_flag(value: &str) -> bool {
    let lower = value.trim().to_ascii_lowercase();
    let begins = |word: &str, least: usize| lower.len() >= least && word.starts_with(&lower);
    let words = [("true", 1), ("false", 1), ("yes", 1), ("no", 1), ("on", 2), ("off", 2)];
    words.into_iter().any(|(word, least)| begins(word, least)) || lower == "1" || lower == "0"
}
