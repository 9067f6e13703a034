//! What names tell: the words of an identifier, and whether they are those of money, a secret or a person.
//!
//! A name is a hint, never a fact: whatever rests on one says how sure it is. The lists are in [`super::word_lists`].

use std::borrow::Cow;

use super::word_lists::{self as lists, parts};

/// The words of a name in lower case: `customerEmail_2` is customer, email, and so is `customeremail`, for both words are known.
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
    let mut any_part = |word: &str| match parts(word) {
        Some(parts) => parts.iter().any(|part| fits(part)),
        None => fits(word),
    };
    for letter in name.chars() {
        let starts = letter.is_uppercase() && lower;
        if (!letter.is_alphabetic() || starts) && !word.is_empty() {
            if any_part(&word) {
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
    !word.is_empty() && any_part(&word)
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

/// A name that a sum of money would have.
pub fn is_amount(name: &str) -> bool {
    let all = words(name);
    let is_one = |word: &String, list: &[&str]| list.contains(&word.as_str()) || list.contains(&&*singular(word));
    // A price per kg, on a day or at the time of an order is a price; priced_at is a moment.
    let is_price = |words: &[String]| words.iter().any(|word| is_one(word, lists::PRICE));
    let of_what = all.iter().enumerate().position(|(at, word)| {
        let last = at + 1 == all.len();
        !last && at > 0 && (word == "per" || (word == "at" || word == "on") && is_price(&all[..at]))
    });
    let words = &all[..of_what.unwrap_or(all.len())];
    // A limit by itself is one of anything.
    if words.windows(2).any(|pair| lists::AMOUNT_PAIRS.contains(&(pair[0].as_str(), pair[1].as_str()))) {
        return true;
    }
    if words.iter().any(|word| is_one(word, lists::NOT_MONEY)) {
        return false;
    }
    if words.iter().any(|word| is_one(word, lists::AMOUNT)) {
        return true;
    }
    // A total is one of whatever stands beside it, and so is a sum; what is counted in euros is money.
    let beside = |word: &String| is_one(word, &["total"]) || is_one(word, lists::BESIDE_TOTAL);
    let of_money = |word: &String| is_one(word, &["total"]) || is_one(word, lists::CURRENCY_CODE);
    let sum_of = words.len() > 1 && words.iter().any(|word| is_one(word, &["sum"]));
    (sum_of || words.iter().any(of_money)) && words.iter().all(beside)
}

/// A name that a price has: what one of something costs, which is no record of a payment.
pub fn is_price(name: &str) -> bool {
    has_word(name, lists::PRICE) || has_word(name, &["discount", "tariff", "toll", "markdown", "budget"])
}

/// A name that a number has which is no sum of money, even beside a currency.
pub fn is_no_money(name: &str) -> bool {
    has_word(name, lists::NOT_MONEY)
}

/// A name that says nothing of what is counted: beside a currency it is a sum of money.
pub fn is_bare_sum(name: &str) -> bool {
    let words = words(name);
    let beside = |word: &String| {
        lists::BESIDE_TOTAL.contains(&word.as_str())
            || ["total", "value", "amount", "original", "local", "base", "foreign"].contains(&word.as_str())
    };
    !words.is_empty() && words.iter().all(beside)
}

/// A table that keeps money: what is charged, owed or paid.
pub fn is_money_table(name: &str) -> bool {
    has_word(name, lists::MONEY_TABLE)
}

/// What a name says of a secret: a password, or another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secret {
    Password,
    Token,
    /// What is on the back of a card.
    SecurityCode,
    /// The whole number of a payment card.
    CardNumber,
    /// What proves a login or a reset once: one-time codes, their seeds, codes for recovery.
    OneTime,
    /// A password as MD5 or SHA-1 gives it, which are made to be fast.
    FastHash,
}

/// A name that a secret would have. Hashes, dates and references to secrets kept elsewhere are none.
pub fn secret(name: &str) -> Option<Secret> {
    let words = words(name);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let has = |wanted: &[&str]| words.iter().any(|word| wanted.contains(word));
    if has(&["md"]) && has(lists::PASSWORD) {
        return Some(Secret::FastHash);
    }
    let followed_by_key =
        |word: &&str| words.windows(2).any(|pair| pair[0] == *word && ["key", "keys", "secret"].contains(&pair[1]));
    // The key of an HMAC is a secret, and so is the secret of what is public.
    let harmless = |word: &&str| match *word {
        "hmac" | "mac" => !followed_by_key(word),
        "public" => !has(&["secret", "private", "password"]),
        _ => true,
    };
    if words.iter().any(|word| lists::NOT_PLAIN.contains(word) && harmless(word)) {
        return None;
    }
    // What the name is about comes last: credential_library is a library, password_changed_at a moment.
    let is_about = |end: usize| !words[end..].iter().any(|word| lists::OF_A_SECRET.contains(word));
    let after = |wanted: &[&str]| words.iter().rposition(|word| wanted.contains(word)).map(|at| at + 1);
    let after_pair = |(first, second): &(&str, &str)| {
        words.windows(2).rposition(|pair| pair[0] == *first && *singular(pair[1]) == **second).map(|at| at + 2)
    };
    let any_pair = |pairs: &[(&str, &str)]| pairs.iter().filter_map(after_pair).any(is_about);
    if after(&["cvv", "cvc", "cvn"]).is_some_and(is_about) {
        return Some(Secret::SecurityCode);
    }
    if !has(lists::NOT_A_PAYMENT_CARD) && (any_pair(lists::CARD_NUMBER) || words[..] == ["pan"]) {
        return Some(Secret::CardNumber);
    }
    let is_token = words.last() == Some(&"token") && !has(lists::TOKEN_OF_NO_WORTH);
    let once = words.last() == Some(&"otp") || any_pair(lists::ONE_TIME);
    if once || is_token && has(&["reset", "magic", "verification", "confirmation", "recovery", "invitation", "invite"])
    {
        return Some(Secret::OneTime);
    }
    // What a password is reset with is told above; that it was is no secret.
    if !has(&["reset"]) && after(lists::PASSWORD).is_some_and(is_about) {
        return Some(Secret::Password);
    }
    let token = is_token
        || matches!(
            words.last(),
            Some(&("secret" | "secrets" | "apikey" | "credential" | "credentials" | "jwt" | "mnemonic"))
        )
        || words[..] == ["bearer"]
        || words.last() == Some(&"pem") && has(&["private", "secret"])
        || any_pair(lists::TOKEN);
    token.then_some(Secret::Token)
}

/// What a person could be known by, or is nobody's business, if a name says so.
pub fn personal(name: &str) -> bool {
    let words = words(name);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let has = |wanted: &[&str]| words.iter().any(|word| wanted.contains(word) || wanted.contains(&&*singular(word)));
    let pair = |(first, second): &(&str, &str)| words.windows(2).any(|pair| pair[0] == *first && pair[1] == *second);
    if has(lists::NOT_PERSONAL) {
        return false;
    }
    // The number that a state gives to a person is called an id, and is no key of a table.
    if lists::NUMBER_OF_A_PERSON.iter().any(pair) {
        return true;
    }
    if has(&["id"]) {
        return false;
    }
    has(lists::PERSONAL)
        || lists::PERSONAL_PAIRS.iter().any(pair)
        || has(&["date"]) && has(&["birth"])
        || has(lists::SOMEBODY) && has(lists::WHERE)
}

/// Whether the values of a column might be personal or secret, to be left out of what is kept or sent: more than [`personal`] says.
pub fn may_be_personal(name: &str) -> bool {
    let words = words(name);
    let is_one = |word: &str| {
        lists::PERHAPS_PERSONAL.contains(&word) || lists::PERHAPS_PERSONAL.contains(&word.trim_end_matches('s'))
    };
    words.iter().any(|word| is_one(word))
        || words.windows(2).any(|pair| is_one(&pair.join("_")) || is_one(&pair.concat()))
        || personal(name)
        || secret(name).is_some()
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
    fn splits_what_has_no_separators_into_words_it_knows() {
        assert_eq!(words("unitprice"), ["unit", "price"]);
        assert_eq!(words("EMAILADDRESS"), ["email", "address"]);
        assert_eq!(words("creditcardapprovalcode"), ["credit", "card", "approval", "code"]);
        assert_eq!(words("nationalidnumber"), ["national", "id", "number"]);
        assert_eq!(joined("customerid"), "customer_id");
        // Words of the language that only look like two of ours.
        for name in
            ["station", "together", "costume", "target", "password", "subtotal", "pinnacle", "taxonomy", "format"]
        {
            assert_eq!(words(name), [name]);
        }
    }

    #[test]
    fn money_is_money_and_nothing_else() {
        for name in [
            "amount",
            "unit_price",
            "totalAmount",
            "tax_cents",
            "prices",
            "freight",
            "tip",
            "mrr",
            "bonus",
            "rent",
            "gmv",
            "total",
            "total_due",
            "unitprice",
            "monthly_salary",
            "price_per_kg",
            "fee_per_item",
            "price_on_day",
            "total_price_at_order",
            "cost_per_hour",
            "levy",
            "arrears",
            "sum_paid",
            "eur_net",
        ] {
            assert!(is_amount(name), "{name}");
        }
        for name in [
            "tax_rate",
            "price_id",
            "total_count",
            "discount_percent",
            "charge_status",
            "created_at",
            "charge_level",
            "total_distance",
            "cost_center",
            "charge_model",
            "regroup_paid_fees",
            "total_users",
            "tip_length",
            "priced_at",
            "charge_at_start",
            "sum",
            "requests_per_day",
            "net_weight",
            "price_updated_on",
        ] {
            assert!(!is_amount(name), "{name}");
        }
    }

    #[test]
    fn secrets_are_not_their_hashes() {
        assert_eq!(secret("password"), Some(Secret::Password));
        assert_eq!(secret("api_key"), Some(Secret::Token));
        assert_eq!(secret("accessToken"), Some(Secret::Token));
        assert_eq!((secret("card_cvv"), secret("cvv_result_at")), (Some(Secret::SecurityCode), None));
        for name in ["reset_password_token", "magic_link_token", "otp_seed", "recovery_codes", "verification_code"] {
            assert_eq!(secret(name), Some(Secret::OneTime), "{name}");
        }
        for name in ["card_number", "cardnumber", "credit_card_number", "pan"] {
            assert_eq!(secret(name), Some(Secret::CardNumber), "{name}");
        }
        assert_eq!(secret("oauth_token"), Some(Secret::Token));
        assert_eq!((secret("pwd_md5"), secret("passcode")), (Some(Secret::FastHash), Some(Secret::Password)));
        for name in [
            "hmac_key",
            "hmac_secret",
            "last_access_token",
            "public_api_secret",
            "jwt",
            "seed_phrase",
            "service_account_json",
        ] {
            assert_eq!(secret(name), Some(Secret::Token), "{name}");
        }
        for name in ["reset_link", "magic_link", "activation_code"] {
            assert_eq!(secret(name), Some(Secret::OneTime), "{name}");
        }
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
            "lock_token",
            "next_page_token",
            "password_reset",
            "library_card_number",
            "reset_password_sent_at",
            "public_key",
            "payload_hmac",
            "reset_link_sent_at",
            "hmac_key_id",
            "password_last_changed_at",
            "last_password_change",
        ] {
            assert_eq!(secret(name), None, "{name}");
        }
    }

    #[test]
    fn personal_data_by_name() {
        for name in [
            "email",
            "phone_number",
            "first_name",
            "date_of_birth",
            "billing_email",
            "telephone",
            "gender",
            "diagnosis",
            "salary",
            "national_id",
            "tax_id",
            "home_lat",
            "emailaddress",
        ] {
            assert!(personal(name), "{name}");
        }
        for name in ["email_count", "email_verified", "name", "date_of_order", "email_template", "email_id", "lat"] {
            assert!(!personal(name), "{name}");
        }
    }

    #[test]
    fn what_is_personal_is_left_out_of_what_is_kept() {
        for name in lists::PERSONAL.iter().chain(lists::PASSWORD).chain(&["tax_id", "home_lng", "note", "otp_seed"]) {
            assert!(may_be_personal(name), "{name}");
        }
        for name in ["status", "quantity", "created_at", "kind"] {
            assert!(!may_be_personal(name), "{name}");
        }
    }
}
