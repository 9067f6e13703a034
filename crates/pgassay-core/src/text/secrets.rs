//! What values tell: whether a text is a secret, by the shape that those who hand out secrets give them, or the number of a payment card.
//!
//! Takes a value, and says its kind; never keeps or prints it.

use super::words::Secret;

/// What tokens and keys begin with, by those who hand them out, so that they are found where they do not belong.
#[rustfmt::skip]
const PREFIXES: &[&str] = &[
    "sk_live_", "sk_test_", "rk_live_", "rk_test_", "whsec_", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_",
    "glpat-", "xoxb-", "xoxp-", "xoxa-", "xoxr-", "xapp-", "AIza", "ya29.", "npm_", "pypi-", "SG.", "shpat_", "shpss_",
    "dop_v1_", "hvs.", "sq0csp-", "sq0atp-", "AGE-SECRET-KEY-", "PuTTY-User-Key-File", "Bearer ", "bearer ", "Basic ",
    "lin_api_", "sk-ant-", "sk-proj-", "r8_", "hf_", "rubygems_", "key-",
];

/// Shorter texts with such a beginning are words.
const SHORTEST_TOKEN: usize = 20;

/// The kind of secret that a value is by its shape.
pub fn kind_of(value: &str) -> Option<Secret> {
    let has_prefix = |prefix: &&str| value.starts_with(*prefix);
    if value.starts_with("otpauth://") {
        return Some(Secret::OneTime);
    }
    if is_private_key(value) || is_json_web_token(value) || has_password_in_address(value) {
        return Some(Secret::Token);
    }
    if value.len() >= SHORTEST_TOKEN && PREFIXES.iter().any(has_prefix) && is_random(value) {
        return Some(Secret::Token);
    }
    is_card_number(value).then_some(Secret::CardNumber)
}

/// The kind that nine of ten values are, if enough are known.
pub fn kind_of_all(values: &[String]) -> Option<Secret> {
    let kinds: Vec<Secret> = values.iter().filter_map(|value| kind_of(value)).collect();
    let first = *kinds.first()?;
    let fits = kinds.iter().filter(|kind| **kind == first).count();
    (values.len() >= 3 && fits * 10 >= values.len() * 9).then_some(first)
}

/// Letters and digits mixed, as a generator gives them.
fn is_random(value: &str) -> bool {
    value.bytes().filter(u8::is_ascii_digit).count() >= 2 && value.bytes().filter(u8::is_ascii_alphabetic).count() >= 6
}

/// PEM, as RFC 7468 writes it.
fn is_private_key(value: &str) -> bool {
    let first = value.trim_start().lines().next().unwrap_or_default();
    first.starts_with("-----BEGIN ") && first.contains("PRIVATE KEY")
}

/// A header and claims in base64url (RFC 7519): both begin with `{"`.
fn is_json_web_token(value: &str) -> bool {
    let mut parts = value.split('.');
    let is_object = |part: Option<&str>| part.is_some_and(|part| part.starts_with("eyJ"));
    is_object(parts.next()) && is_object(parts.next()) && parts.next().is_some()
}

/// `scheme://user:password@host`
fn has_password_in_address(value: &str) -> bool {
    let Some((scheme, rest)) = value.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let password = authority.rsplit_once('@').and_then(|(user, _)| user.split_once(':')).map(|(_, password)| password);
    scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
        && password.is_some_and(|password| !password.is_empty() && !password.contains(['*', '<', '$', '{']))
}

/// The number of a payment card: 13 to 19 digits of which the last checks the others (ISO/IEC 7812), and the beginning and length
/// that a card scheme gives. Numbers of phones and of SIM cards have such a check digit as well, and other beginnings.
pub fn is_card_number(value: &str) -> bool {
    let written: Vec<char> = value.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    let digits: Vec<u32> = written.iter().map_while(|c| c.to_digit(10)).collect();
    let doubled = |digit: u32| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
    let sum: u32 =
        digits.iter().rev().enumerate().map(|(at, digit)| if at % 2 == 1 { doubled(*digit) } else { *digit }).sum();
    let is_all_one = digits.windows(2).all(|pair| pair[0] == pair[1]);
    digits.len() == written.len() && is_of_a_scheme(&digits) && !is_all_one && sum.is_multiple_of(10)
}

fn is_of_a_scheme(digits: &[u32]) -> bool {
    if !(13..=19).contains(&digits.len()) {
        return false;
    }
    let first = |count: usize| digits[..count].iter().fold(0, |number, digit| number * 10 + digit);
    let length = digits.len();
    match first(4) {
        4000..=4999 => matches!(length, 13 | 16 | 19),
        5100..=5599 | 2221..=2720 => length == 16,
        3400..=3499 | 3700..=3799 => length == 15,
        3000..=3059 | 3600..=3699 | 3800..=3999 => (14..=19).contains(&length),
        3528..=3589 | 6011 | 6200..=6299 | 6440..=6599 => (16..=19).contains(&length),
        _ => false,
    }
}

/// A hash that is made fast, in hexadecimal digits: MD5, SHA-1.
pub fn is_fast_hash(value: &str) -> bool {
    let digits = value.strip_prefix("md5").unwrap_or(value);
    matches!(digits.len(), 32 | 40) && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_known_by_their_shape() {
        for value in [
            "sk_live_9f86d081884c7d659a2feaa0",
            "whsec_5f4dcc3b5aa765d61d8327deb882cf99",
            "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
            "-----BEGIN RSA PRIVATE KEY-----\nMIIEow==",
            "postgres://shop:hunter2@db.internal/shop",
            "Bearer 1f3870be274f6c49b3e31a0c6728957f",
        ] {
            assert_eq!(kind_of(value), Some(Secret::Token), "{value}");
        }
        assert_eq!(kind_of("otpauth://totp/shop:ann?secret=JBSWY3DP"), Some(Secret::OneTime));
        for value in [
            "sk_live_",
            "ghp_help",
            "-----BEGIN PUBLIC KEY-----",
            "https://example.com/a@b",
            "postgres://shop@db/shop",
            "postgres://shop:***@db/shop",
            "eyJ",
            "Bearer of good news, as ever",
            "key-account-manager",
        ] {
            assert_eq!(kind_of(value), None, "{value}");
        }
    }

    #[test]
    fn numbers_of_cards_have_a_scheme_and_a_check_digit() {
        for value in ["4111111111111111", "5500 0055 5555 5559", "3782-822463-10005", "6011000990139424"] {
            assert!(is_card_number(value), "{value}");
        }
        // A wrong check digit, an IMEI, a SIM card, an EAN, an account of noughts.
        for value in ["4111111111111112", "356938035643809", "8944500102198304826", "4006381333931", "0000000000000000"]
        {
            assert!(!is_card_number(value), "{value}");
        }
    }
}
