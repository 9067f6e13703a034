//! Of which other type the values of a text column are, by how all known ones are written.
//!
//! The name of the column is only asked whether its numbers are names: of rooms, of accounts, of articles.

use crate::text::words;

/// Fewer different values show no shape.
pub const FEWEST: usize = 8;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// ISO 8601, which the server reads whatever DateStyle is.
    Date,
    Timestamp,
    /// In another order, with another separator, with the month in letters.
    WrittenDate,
    WrittenMoment,
    Whole,
    Decimal,
    DecimalComma,
    Uuid,
    /// Of the internet, IPv4 or IPv6, with or without the length of a network.
    Address,
    Json,
    List(char),
    YesNo,
}

/// `n_distinct` as pg_stats has it. The values are different ones, none is empty.
pub fn of(values: &[String], name: &str, n_distinct: f32) -> Option<Shape> {
    let all = |fits: &dyn Fn(&str) -> bool| values.iter().all(|value| fits(value));
    if (2..=4).contains(&values.len()) && all(&is_yes_or_no) {
        return Some(Shape::YesNo);
    }
    // One document in every row is a document all the same, where the name says so.
    if !values.is_empty() && words::has_word(name, &["json"]) && all(&is_json) {
        return Some(Shape::Json);
    }
    if values.len() >= FEWEST {
        let shapes = [
            (Shape::Date, &is_date as &dyn Fn(&str) -> bool),
            (Shape::Timestamp, &is_moment),
            (Shape::Json, &is_json),
            (Shape::Uuid, &is_uuid),
            (Shape::Address, &|value| !words::has_word(name, &["version", "release"]) && is_address(value)),
            (Shape::WrittenDate, &|value| written_date(value) == Some(false)),
            (Shape::WrittenMoment, &|value| written_date(value) == Some(true)),
        ];
        if let Some((shape, _)) = shapes.iter().find(|(_, fits)| all(fits)) {
            return Some(*shape);
        }
        let counts = words::is_amount(name)
            || words::has_word(name, MEASURES)
            || are_counted(values, n_distinct)
            || are_measured(values);
        if counts && !names_something(name) {
            let numbers = [
                (Shape::Whole, &(|value: &str| value.parse::<i64>().is_ok()) as &dyn Fn(&str) -> bool),
                (Shape::Decimal, &is_decimal),
                (Shape::DecimalComma, &has_decimal_comma),
            ];
            if let Some((shape, _)) = numbers.iter().find(|(_, fits)| all(fits)) {
                return Some(*shape);
            }
        }
    }
    let enough = values.len() >= FEWEST.min(6);
    [',', ';', '|'].into_iter().filter(|_| enough).find(|mark| is_list(values, *mark, name)).map(Shape::List)
}

/// Of which type a single value is, as far as it shows.
pub fn kind(value: &str) -> &'static str {
    match value {
        _ if is_date(value) || is_moment(value) || written_date(value).is_some() => "dates",
        "true" | "false" | "yes" | "no" | "Y" | "N" => "yes and no",
        _ if is_decimal(value) => "numbers",
        _ if is_json(value) => "documents",
        _ if is_uuid(value) => "UUIDs",
        _ => "words",
    }
}

/// What is only ever named is no number to calculate with.
fn names_something(name: &str) -> bool {
    words::has_word(
        name,
        &[
            "phone",
            "code",
            "account",
            "card",
            "house",
            "serial",
            "reference",
            "ref",
            "id",
            "key",
            "no",
            "number",
            "room",
            "flat",
            "apartment",
            "floor",
            "zip",
            "postcode",
            "plz",
            "route",
            "line",
            "bus",
            "platform",
            "gate",
            "sku",
            "barcode",
            "ean",
            "gtin",
            "isbn",
            "plate",
            "version",
            "extension",
            "pin",
            "token",
            "building",
            "unit",
            "seat",
            "chapter",
            "section",
            "article",
            "model",
            "port",
            "mobile",
            "fax",
            "iban",
            "bic",
            "vat",
            "tax",
            "ticket",
        ],
    ) && !words::has_word(name, &["price", "amount", "total", "quantity", "qty", "weight"])
}

/// Numbers come again and are of several lengths, without noughts before them; names of things are of one length, or each there once.
fn are_counted(values: &[String], n_distinct: f32) -> bool {
    let digits = |value: &String| value.trim_start_matches('-').split(['.', ',']).next().unwrap_or_default().len();
    let has_nought = |value: &String| {
        let bare = value.trim_start_matches('-');
        bare.len() > 1 && bare.starts_with('0') && !bare.starts_with("0.") && !bare.starts_with("0,")
    };
    let lengths: std::collections::BTreeSet<usize> = values.iter().map(digits).collect();
    let decimals = values.iter().filter(|value| value.contains(['.', ','])).count() * 2 > values.len();
    n_distinct > -0.9 && (lengths.len() >= 3 || decimals && lengths.len() >= 2) && !values.iter().any(has_nought)
}

/// What is measured, by its unit or by what it is.
const MEASURES: &[&str] = &[
    "litre",
    "liter",
    "gallon",
    "kg",
    "kilo",
    "gram",
    "tonne",
    "metre",
    "meter",
    "km",
    "mile",
    "mm",
    "cm",
    "hectare",
    "weight",
    "height",
    "width",
    "depth",
    "length",
    "distance",
    "duration",
    "temperature",
    "quantity",
    "qty",
    "percent",
    "percentage",
    "latitude",
    "longitude",
    "lat",
    "lon",
    "lng",
    "kwh",
    "minute",
    "hour",
    "speed",
    "area",
    "volume",
];

/// Most have three decimals or more, and one point: no version and no number of a paragraph is written so.
fn are_measured(values: &[String]) -> bool {
    let decimals = |value: &String| value.split_once('.').is_some_and(|(_, decimals)| decimals.len() >= 3);
    values.iter().filter(|value| decimals(value)).count() * 2 > values.len()
}

fn is_address(value: &str) -> bool {
    let address = value.split_once('/').map_or(value, |(address, _)| address);
    address.parse::<core::net::IpAddr>().is_ok()
}

fn is_decimal(value: &str) -> bool {
    let written = value.bytes().all(|byte| byte.is_ascii_digit() || b".-+eE".contains(&byte));
    written && value.parse::<f64>().is_ok()
}

/// `1234,5`; `12,345` may be twelve thousand.
fn has_decimal_comma(value: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    match value.trim_start_matches('-').split_once(',') {
        Some((whole, decimals)) => digits(whole) && digits(decimals) && decimals.len() <= 2,
        None => digits(value.trim_start_matches('-')),
    }
}

/// Words that come again in several values, between commas without a blank behind them or with one: no sentences.
fn is_list(values: &[String], mark: char, name: &str) -> bool {
    let parts = |value: &str| value.split(mark).map(|part| part.trim().to_owned()).collect::<Vec<_>>();
    let is_word = |part: &String| !part.is_empty() && part.len() <= 24 && part.split_whitespace().count() <= 2;
    let lists = values.iter().filter(|value| value.contains(mark)).count();
    if lists * 2 < values.len() || lists < 3 || !values.iter().all(|value| parts(value).iter().all(is_word)) {
        return false;
    }
    let all: Vec<String> = values.iter().flat_map(|value| parts(value)).collect();
    // Numbers between commas are those of other rows, where there are three or the name says several.
    let numbers = all.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
    let several = words::ends_with_word(name, &["ids", "list", "refs", "keys", "codes", "numbers", "members"]);
    if numbers {
        return several || values.iter().any(|value| value.matches(mark).count() >= 2);
    }
    let different: std::collections::BTreeSet<&String> = all.iter().collect();
    different.len() * 2 <= all.len()
}

fn is_date(value: &str) -> bool {
    let bytes = value.as_bytes();
    value.is_ascii() && bytes.len() == 10 && bytes[4] == b'-' && bytes[7] == b'-' && {
        let parts: Vec<&str> = value.split('-').collect();
        matches!(parts[..], [year, month, day] if is_day(year, month, day))
    }
}

fn is_moment(value: &str) -> bool {
    value.is_ascii()
        && value.len() >= 16
        && is_date(&value[..10])
        && matches!(value.as_bytes()[10], b'T' | b' ')
        && value.as_bytes()[13] == b':'
}

/// Whether three texts of digits are a day that somebody means.
fn is_day(year: &str, month: &str, day: &str) -> bool {
    let number = |text: &str, range: std::ops::RangeInclusive<u32>| {
        text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u32>().is_ok_and(|it| range.contains(&it))
    };
    year.len() == 4
        && number(year, 1000..=2999)
        && month.len() <= 2
        && number(month, 1..=12)
        && day.len() <= 2
        && number(day, 1..=31)
}

/// 20260131
pub fn is_day_in_digits(value: &str) -> bool {
    value.len() == 8
        && value.is_ascii()
        && (value.starts_with("19") || value.starts_with("20"))
        && is_day(&value[..4], &value[4..6], &value[6..])
}

/// A day as people write it, and whether a time of day follows: 31.12.2026, 12/31/2026, 2026/12/31, 31 Dec 2026, Dec 31 2026, 20261231.
fn written_date(value: &str) -> Option<bool> {
    let (date, time) = match value.find(':') {
        // The hour is the last word before the colon.
        Some(colon) => value[..colon].rfind([' ', 'T']).map(|at| (&value[..at], &value[at + 1..]))?,
        None => (value, ""),
    };
    let is_time = time.bytes().all(|byte| byte.is_ascii_digit() || b":. APMZapm+-".contains(&byte));
    let parts: Vec<&str> = date.split(['.', '/', '-', ' ', ',']).filter(|part| !part.is_empty()).collect();
    let is_date = match parts[..] {
        [digits] => is_day_in_digits(digits),
        [one, two, three] if is_month(one) => is_day(three, "1", two),
        [one, two, three] if is_month(two) => is_day(three, "1", one) || is_day(one, "1", three),
        [one, two, three] => is_day(one, two, three) || is_day(three, two, one) || is_day(three, one, two),
        _ => false,
    };
    (is_date && is_time).then_some(!time.is_empty())
}

fn is_month(part: &str) -> bool {
    const MONTHS: &[&str] = &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    part.is_ascii()
        && part.len() >= 3
        && part.bytes().all(|byte| byte.is_ascii_alphabetic())
        && MONTHS.contains(&&*part[..3].to_ascii_lowercase())
}

fn is_uuid(value: &str) -> bool {
    let parts: Vec<&str> = value.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    lengths == [8, 4, 4, 4, 12] && parts.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn is_json(value: &str) -> bool {
    value.starts_with(['{', '[']) && serde_json::from_str::<serde_json::Value>(value).is_ok()
}

fn is_yes_or_no(value: &str) -> bool {
    [
        "y", "n", "yes", "no", "true", "false", "t", "f", "j", "ja", "nein", "nee", "oui", "non", "o", "si", "sí", "s",
        "sim", "não", "nao", "tak", "nie", "on", "off", "0", "1",
    ]
    .iter()
    .any(|it| value.to_lowercase() == *it)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(values: &[&str], name: &str) -> Option<Shape> {
        let values: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
        of(&values, name, -0.3)
    }

    #[test]
    fn dates_are_dates_however_they_are_written() {
        let days = |write: &dyn Fn(u32) -> String| (1..=9).map(write).collect::<Vec<_>>();
        let of = |values: Vec<String>| super::of(&values, "at", -0.3);
        assert_eq!(of(days(&|day| format!("2026-03-0{day}"))), Some(Shape::Date));
        assert_eq!(of(days(&|day| format!("0{day}/03/2026"))), Some(Shape::WrittenDate));
        assert_eq!(of(days(&|day| format!("2026030{day}"))), Some(Shape::WrittenDate));
        assert_eq!(of(days(&|day| format!("2{day}.12.2026 08:3{day}"))), Some(Shape::WrittenMoment));
        assert_eq!(of(days(&|day| format!("Mar 0{day} 2026"))), Some(Shape::WrittenDate));
        assert_eq!(of(days(&|day| format!("0{day}-Mar-2026"))), Some(Shape::WrittenDate));
        assert_eq!(of(days(&|day| format!("9902030{day}"))), None);
        assert_eq!(of(days(&|day| format!("192.168.1.{day}"))), Some(Shape::Address));
        assert_eq!(of(days(&|day| format!("1.2.{day}"))), None);
    }

    #[test]
    fn numbers_are_known_by_their_lengths_and_names_of_things_are_not_numbers() {
        let grown = ["7", "19", "105", "2300", "41", "8", "990", "12004"];
        assert_eq!(shape(&grown, "litres"), Some(Shape::Whole));
        assert_eq!(
            shape(&["0.5", "1.25", "12.5", "100.75", "7.25", "31.5", "3.5", "250.25"], "gross_kg"),
            Some(Shape::Decimal)
        );
        assert_eq!(
            shape(&["0,5", "1,25", "12,5", "100,75", "7,25", "31,5", "3,5", "250,25"], "gross_kg"),
            Some(Shape::DecimalComma)
        );
        for name in ["room_no", "account", "house_number", "bus_line"] {
            assert_eq!(shape(&grown, name), None, "{name}");
        }
        // Of one length, with noughts, or each there once.
        assert_eq!(shape(&["10001", "10002", "10003", "10004", "10005", "10006", "10007", "10008"], "batch"), None);
        assert_eq!(shape(&["007", "019", "105", "230", "41", "8", "990", "1204"], "batch"), None);
        let values: Vec<String> = grown.iter().map(|value| (*value).to_owned()).collect();
        assert_eq!(of(&values, "batch", -1.0), None);
    }

    #[test]
    fn what_is_measured_is_a_number_whatever_its_length() {
        let collected = ["1500", "2501", "3502", "4503", "1504", "2505", "3506", "4507"];
        assert_eq!(shape(&collected, "litres"), Some(Shape::Whole));
        assert_eq!(shape(&collected, "batch"), None);
        let places = ["51.0001", "51.0142", "51.1013", "51.2304", "51.3125", "51.4116", "51.5007", "51.6098"];
        assert_eq!(shape(&places, "north"), Some(Shape::Decimal));
        let versions = ["1.10", "1.11", "1.12", "1.13", "1.14", "1.15", "1.16", "1.17"];
        assert_eq!(shape(&versions, "firmware"), None);
    }

    #[test]
    fn addresses_and_documents() {
        let addresses: Vec<String> = (1..=9).map(|n| format!("10.0.{n}.{n}")).collect();
        assert_eq!(of(&addresses, "ip", -1.0), Some(Shape::Address));
        assert_eq!(of(&addresses, "agent_version", -1.0), None);
        assert_eq!(shape(&["{\"fat\": 4.1}"], "results_json"), Some(Shape::Json));
        assert_eq!(shape(&["{\"fat\": 4.1}"], "results"), None);
    }

    #[test]
    fn other_shapes() {
        assert_eq!(shape(&["ja", "nein"], "hazard"), Some(Shape::YesNo));
        assert_eq!(shape(&["an", "aus"], "hazard"), None);
        let ids = ["1,2", "7,9,12", "3,4", "12,5", "8,1", "2,2", "6,10", "5,3"];
        assert_eq!(shape(&ids, "crate"), Some(Shape::List(',')));
        let uuids: Vec<String> = (0..9).map(|n| format!("0f8fad5b-d9cb-469f-a165-7086772895{n}0")).collect();
        assert_eq!(of(&uuids, "session", -1.0), Some(Shape::Uuid));
    }
}
