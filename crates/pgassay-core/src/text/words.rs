//! What names tell: the words of an identifier, and the few lists of words that rules look for.
//!
//! A name is a hint, never a fact: whatever rests on one says how sure it is.

use std::borrow::Cow;

/// The words of a name in lower case: `customerEmail_2` is customer, email.
pub fn words(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    any_word(name, |word| {
        words.push(word.to_owned());
        false
    });
    words
}

/// The words of a name with `_` between them.
pub fn joined(name: &str) -> String {
    let mut joined = String::with_capacity(name.len() + 2);
    any_word(name, |word| {
        if !joined.is_empty() {
            joined.push('_');
        }
        joined.push_str(word);
        false
    });
    joined
}

/// Whether one of the words of a name fits. Rules ask this of every column of a schema: nothing is kept of a word.
fn any_word(name: &str, mut fits: impl FnMut(&str) -> bool) -> bool {
    let mut word = String::with_capacity(name.len());
    let mut lower = false;
    for letter in name.chars() {
        let starts = letter.is_uppercase() && lower;
        if (!letter.is_alphabetic() || starts) && !word.is_empty() {
            if fits(&word) {
                return true;
            }
            word.clear();
        }
        lower = letter.is_lowercase();
        if letter.is_ascii_alphabetic() {
            word.push(letter.to_ascii_lowercase());
        } else if letter.is_alphabetic() {
            word.extend(letter.to_lowercase());
        }
    }
    !word.is_empty() && fits(&word)
}

/// Whether a name has one of some words, as it is or in the plural.
pub fn has_word(name: &str, wanted: &[&str]) -> bool {
    any_word(name, |word| {
        let singular = singular(word);
        wanted.iter().any(|it| word == *it || singular == *it)
    })
}

/// Whether the last word of a name is one of some words.
pub fn ends_with_word(name: &str, wanted: &[&str]) -> bool {
    words(name).last().is_some_and(|last| wanted.iter().any(|it| last == it))
}

/// English singular of a word, for the common endings.
pub fn singular(word: &str) -> Cow<'_, str> {
    for (plural, singular) in
        [("ies", "y"), ("sses", "ss"), ("xes", "x"), ("ches", "ch"), ("shes", "sh"), ("statuses", "status")]
    {
        if let Some(stem) = word.strip_suffix(plural) {
            return Cow::Owned(format!("{stem}{singular}"));
        }
    }
    if word.ends_with("ss") || word.ends_with("us") || word.ends_with("is") {
        return Cow::Borrowed(word);
    }
    Cow::Borrowed(word.strip_suffix('s').unwrap_or(word))
}

const AMOUNT: &[&str] = &[
    "amount",
    "price",
    "total",
    "subtotal",
    "cost",
    "balance",
    "fee",
    "tax",
    "salary",
    "payout",
    "refund",
    "discount",
    "charge",
    "deposit",
    "credit",
    "debit",
    "revenue",
    "wage",
    "cents",
    "vat",
    "overdraft",
    "premium",
    "fare",
    "commission",
    "surcharge",
    "turnover",
    "earnings",
    "expense",
    "income",
    "budget",
];

/// Words that make a number something else than money, whatever else the name says.
const NOT_MONEY: &[&str] = &[
    "count",
    "rate",
    "percent",
    "percentage",
    "ratio",
    "pct",
    "id",
    "weight",
    "score",
    "quantity",
    "qty",
    "number",
    "hours",
    "minutes",
    "seconds",
    "days",
    "ms",
    "bytes",
    "size",
    "factor",
    "multiplier",
    "points",
    "items",
    "rows",
    "attempts",
    "code",
    "type",
    "at",
    "on",
    "time",
    "status",
    "usage",
    "tokens",
    "is",
    "has",
];

/// A name that a sum of money would have.
pub fn is_amount(name: &str) -> bool {
    has_word(name, AMOUNT) && !has_word(name, NOT_MONEY)
}

/// A table that keeps money: what is charged, owed or paid.
pub fn is_money_table(name: &str) -> bool {
    has_word(
        name,
        &[
            "payment",
            "invoice",
            "charge",
            "refund",
            "payout",
            "transaction",
            "ledger",
            "billing",
            "subscription",
            "settlement",
            "deposit",
            "withdrawal",
            "transfer",
        ],
    )
}

/// What a name says of a secret: a password, or another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secret {
    Password,
    Token,
    /// What stands on the back of a card.
    SecurityCode,
}

/// Words that make a secret harmless wherever they stand: it is a hash, is encrypted, or is not the secret itself.
const NOT_PLAIN: &[&str] = &[
    "hash",
    "hashed",
    "hmac",
    "mac",
    "digest",
    "encrypted",
    "cipher",
    "ciphertext",
    "salt",
    "sha",
    "bcrypt",
    "argon",
    "scrypt",
    "crypt",
    "enc",
    "masked",
    "public",
    "vault",
    "is",
    "has",
    "requires",
    "reset",
    "last",
    "max",
    "min",
    "allow",
    "allowed",
];

/// Words that say, behind the secret's, what of it the column holds: a date, a number, a name. What a name is about comes last.
const OF_A_SECRET: &[&str] = &[
    "at",
    "on",
    "by",
    "id",
    "ids",
    "count",
    "expires",
    "expired",
    "expiry",
    "expiration",
    "type",
    "hint",
    "name",
    "url",
    "uri",
    "fingerprint",
    "prefix",
    "suffix",
    "ref",
    "arn",
    "path",
    "algorithm",
    "policy",
    "version",
    "status",
    "scope",
    "scopes",
    "kind",
    "purpose",
    "attribute",
    "display",
    "group",
    "label",
    "description",
    "format",
    "source",
    "username",
    "login",
    "user",
    "account",
    "owner",
    "library",
    "strength",
    "changed",
    "set",
    "enabled",
    "required",
    "method",
    "provider",
    "lifetime",
    "ttl",
    "age",
    "length",
    "title",
    "field",
    "mode",
    "date",
    "time",
    "timestamp",
    "attempts",
    "history",
    "digits",
];

/// A name that a secret would have. Hashes, dates and references to secrets kept elsewhere are none.
pub fn secret(name: &str) -> Option<Secret> {
    let words = words(name);
    if words.iter().any(|word| NOT_PLAIN.contains(&word.as_str())) {
        return None;
    }
    let is_about = |end: usize| !words[end..].iter().any(|word| OF_A_SECRET.contains(&word.as_str()));
    let behind = |wanted: &[&str]| words.iter().rposition(|word| wanted.contains(&word.as_str())).map(|at| at + 1);
    if behind(&["cvv", "cvc"]).is_some_and(is_about) {
        return Some(Secret::SecurityCode);
    }
    if behind(&["password", "passwd", "pwd", "passphrase", "pin"]).is_some_and(is_about) {
        return Some(Secret::Password);
    }
    let pair = |(first, second): &(&str, &str)| {
        words.windows(2).rposition(|pair| pair[0] == *first && pair[1] == *second).map(|at| at + 2)
    };
    // What the name is about comes last: credential_library is a library.
    let last = words.last().map(String::as_str);
    let token = matches!(last, Some("secret" | "secrets" | "apikey" | "credential" | "credentials"))
        || [
            ("api", "key"),
            ("private", "key"),
            ("secret", "key"),
            ("secret", "value"),
            ("access", "token"),
            ("refresh", "token"),
            ("auth", "token"),
            ("bearer", "token"),
            ("api", "token"),
            ("session", "token"),
            ("access", "key"),
            ("signing", "key"),
            ("encryption", "key"),
            ("authentication", "token"),
        ]
        .iter()
        .filter_map(pair)
        .any(is_about)
        || words == ["token"];
    token.then_some(Secret::Token)
}

/// What a person could be known by, if a name says so.
pub fn personal(name: &str) -> bool {
    let words = words(name);
    let has = |wanted: &[&str]| words.iter().any(|word| wanted.contains(&word.as_str()));
    let pair = |first: &str, second: &str| words.windows(2).any(|pair| pair[0] == first && pair[1] == second);
    let other: &[&str] = &[
        "count",
        "id",
        "at",
        "verified",
        "confirmed",
        "is",
        "has",
        "template",
        "subject",
        "status",
        "enabled",
        "opt",
        "type",
        "sent",
        "hash",
        "country",
        "domain",
        "provider",
    ];
    if has(other) {
        return false;
    }
    has(&[
        "email",
        "phone",
        "mobile",
        "birthday",
        "birthdate",
        "dob",
        "ssn",
        "passport",
        "iban",
        "surname",
        "lastname",
        "firstname",
        "fullname",
        "postcode",
        "zipcode",
    ]) || [
        ("first", "name"),
        ("last", "name"),
        ("full", "name"),
        ("family", "name"),
        ("given", "name"),
        ("maiden", "name"),
        ("card", "number"),
        ("passport", "number"),
        ("birth", "date"),
        ("tax", "number"),
        ("national", "number"),
        ("street", "address"),
        ("date", "of"),
        ("ip", "address"),
        ("home", "address"),
        ("social", "security"),
    ]
    .iter()
    .any(|(first, second)| pair(first, second) && (*first != "date" || words.contains(&"birth".to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_names_into_words() {
        assert_eq!(words("customerEmail_2"), ["customer", "email"]);
        assert_eq!(words("OrderLines"), ["order", "lines"]);
        assert_eq!(words("__x9"), ["x"]);
    }

    #[test]
    fn money_is_money_and_nothing_else() {
        for name in ["amount", "unit_price", "totalAmount", "tax_cents", "prices"] {
            assert!(is_amount(name), "{name}");
        }
        for name in ["tax_rate", "price_id", "total_count", "discount_percent", "charge_status", "created_at"] {
            assert!(!is_amount(name), "{name}");
        }
    }

    #[test]
    fn secrets_are_not_their_hashes() {
        assert_eq!(secret("password"), Some(Secret::Password));
        assert_eq!(secret("api_key"), Some(Secret::Token));
        assert_eq!(secret("accessToken"), Some(Secret::Token));
        assert_eq!((secret("card_cvv"), secret("cvv_result_at")), (Some(Secret::SecurityCode), None));
        // Whose it is stands in front of it.
        for name in ["user_password", "account_pwd", "loginPassword", "owner_pin"] {
            assert_eq!(secret(name), Some(Secret::Password), "{name}");
        }
        for name in ["account_api_key", "user_access_token", "provider_client_secret"] {
            assert_eq!(secret(name), Some(Secret::Token), "{name}");
        }
        for name in [
            "password_hash",
            "password_digest",
            "encrypted_password",
            "api_key_id",
            "client_secret_hmac",
            "credential_username",
            "token_type",
            "password_changed_at",
            "tokens_used",
            "client_secret_hmac",
            "credential_library_username",
            "password_enabled",
            "access_token_expires_at",
            "api_key_owner",
            "pin_attempts",
        ] {
            assert_eq!(secret(name), None, "{name}");
        }
    }

    #[test]
    fn personal_data_by_name() {
        for name in ["email", "phone_number", "first_name", "date_of_birth", "billing_email"] {
            assert!(personal(name), "{name}");
        }
        for name in ["email_count", "email_verified", "name", "date_of_order", "email_template"] {
            assert!(!personal(name), "{name}");
        }
    }
}
