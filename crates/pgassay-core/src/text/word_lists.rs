//! The lists of words that rules look for in names, and the cutting of names that have no separators.
//!
//! One list for each question, asked by rules, samples and snapshots alike. Words are in lower case and in the singular.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::LazyLock;

/// A sum of money, whatever stands beside it.
#[rustfmt::skip]
pub(super) const AMOUNT: &[&str] = &[
    "amount", "amt", "price", "subtotal", "cost", "balance", "fee", "tax", "salary", "payout", "refund", "discount",
    "charge", "deposit", "credit", "debit", "revenue", "wage", "cent", "pence", "vat", "overdraft", "premium", "fare",
    "commission", "surcharge", "turnover", "earning", "expense", "income", "budget", "freight", "tip", "mrr", "bonus",
    "rent", "gmv", "payable", "receivable", "royalty", "dividend", "proceed", "penalty", "stipend", "tuition",
    "donation", "toll", "tariff", "cogs", "markdown", "payroll", "levy", "arrear", "remittance", "rebate", "cashback",
];

/// What one of something costs.
pub(super) const PRICE: &[&str] = &["price", "cost", "fee", "fare", "rent", "rate", "freight", "salary", "wage"];

/// Codes of ISO 4217 that are no words.
#[rustfmt::skip]
pub(super) const CURRENCY_CODE: &[&str] = &[
    "usd", "eur", "gbp", "chf", "jpy", "cny", "inr", "aud", "nzd", "sek", "nok", "dkk", "pln", "czk", "huf", "brl",
    "mxn", "zar", "sgd", "hkd", "krw", "ngn", "kes", "aed", "ils",
];

/// What a total of money has beside it.
#[rustfmt::skip]
pub(super) const BESIDE_TOTAL: &[&str] = &[
    "due", "paid", "net", "gross", "open", "owed", "grand", "order", "invoice", "line", "payment", "sale", "usd",
    "eur", "gbp", "excl", "incl", "sum", "outstanding", "chf", "jpy", "cny", "inr", "aud", "nzd", "sek", "nok", "dkk",
    "pln", "czk", "huf", "brl", "mxn", "zar", "sgd", "hkd", "krw", "ngn", "kes", "aed", "ils",
];

/// Words that make a number something else than money, whatever else the name says.
#[rustfmt::skip]
pub(super) const NOT_MONEY: &[&str] = &[
    "count", "rate", "percent", "percentage", "ratio", "pct", "id", "weight", "score", "quantity", "qty", "number",
    "hour", "minute", "second", "day", "ms", "byte", "size", "factor", "multiplier", "point", "item", "row",
    "attempt", "code", "type", "at", "on", "time", "status", "usage", "token", "is", "has", "level", "distance",
    "center", "centre", "model", "mode", "method", "kind", "category", "strategy", "policy", "behavior", "behaviour",
    "option", "group", "regroup", "grouping", "interval", "length", "width", "height", "depth", "volume", "area",
    "temperature", "speed", "pressure", "voltage", "radius", "angle", "km", "mile", "kg", "duration", "age", "year",
    "month", "position", "rank", "index", "version", "battery", "calorie", "user", "limit", "priority", "tier",
];

/// Words that stand for money together only.
pub(super) const AMOUNT_PAIRS: &[(&str, &str)] =
    &[("credit", "limit"), ("spending", "limit"), ("overdraft", "limit"), ("price", "limit"), ("credit", "line")];

/// Tables that keep money.
#[rustfmt::skip]
pub(super) const MONEY_TABLE: &[&str] = &[
    "payment", "invoice", "charge", "refund", "payout", "transaction", "ledger", "billing", "subscription",
    "settlement", "deposit", "withdrawal", "transfer", "voucher", "wallet", "cheque",
];

/// What somebody proves with who he is.
pub(super) const PASSWORD: &[&str] = &[
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "passcode",
    "pin",
    "passwort",
    "kennwort",
    "passe",
    "senha",
    "wachtwoord",
];

/// Words that make a secret harmless wherever they stand: it is a hash, is encrypted, or is not the secret itself.
#[rustfmt::skip]
pub(super) const NOT_PLAIN: &[&str] = &[
    "hash", "hashed", "hmac", "mac", "digest", "encrypted", "cipher", "ciphertext", "salt", "sha", "bcrypt", "argon",
    "scrypt", "crypt", "enc", "masked", "public", "vault", "is", "has", "requires", "max", "min", "allow",
    "allowed",
];

/// Words that say, after the secret's, what of it the column holds: a date, a number, a name.
#[rustfmt::skip]
pub(super) const OF_A_SECRET: &[&str] = &[
    "at", "on", "by", "id", "ids", "count", "expires", "expired", "expiry", "expiration", "type", "hint", "name",
    "url", "uri", "fingerprint", "prefix", "suffix", "ref", "arn", "path", "algorithm", "policy", "version", "status",
    "scope", "scopes", "kind", "purpose", "attribute", "display", "group", "label", "description", "format", "source",
    "username", "login", "user", "account", "owner", "library", "strength", "changed", "set", "enabled", "required",
    "method", "provider", "lifetime", "ttl", "age", "length", "title", "field", "mode", "date", "time", "timestamp",
    "attempts", "history", "digits", "nonce", "iv", "sent", "brand", "bin", "country", "change", "rotation",
];

/// Tokens that open nothing: of locks and who holds them, of domains, which publish them, of pages and streams, of devices, of language models.
#[rustfmt::skip]
pub(super) const TOKEN_OF_NO_WORTH: &[&str] = &[
    "lock", "lease", "claim", "fencing", "page", "next", "cursor", "continuation", "sync", "stream", "push", "device",
    "fcm", "apns", "apn", "challenge", "cancel", "cancellation", "concurrency", "idempotency", "version", "change", "position",
    "nft", "symbol", "contract", "max", "input", "output", "prompt", "completion", "total", "price", "since", "from",
    "to", "csrf", "xsrf", "owner", "worker", "epoch", "domain", "dns",
];

/// Two words that follow each other and are a secret.
#[rustfmt::skip]
pub(super) const TOKEN: &[(&str, &str)] = &[
    ("api", "key"), ("private", "key"), ("secret", "key"), ("secret", "value"), ("access", "token"),
    ("refresh", "token"), ("auth", "token"), ("bearer", "token"), ("api", "token"), ("session", "token"),
    ("access", "key"), ("signing", "key"), ("encryption", "key"), ("authentication", "token"), ("oauth", "token"),
    ("hmac", "key"), ("mac", "key"), ("seed", "phrase"), ("account", "json"), ("connection", "string"),
];

/// Two words for what proves a login or a reset once.
#[rustfmt::skip]
pub(super) const ONE_TIME: &[(&str, &str)] = &[
    ("otp", "seed"), ("otp", "secret"), ("otp", "code"), ("totp", "secret"), ("totp", "seed"), ("recovery", "code"),
    ("backup", "code"), ("verification", "code"), ("confirmation", "code"), ("reset", "code"), ("login", "code"),
    ("sms", "code"), ("mfa", "secret"), ("mfa", "code"), ("reset", "link"), ("magic", "link"),
    ("activation", "code"), ("activation", "link"), ("reset", "key"),
];

/// Two words for the number of a payment card.
#[rustfmt::skip]
pub(super) const CARD_NUMBER: &[(&str, &str)] = &[
    ("card", "number"), ("card", "no"), ("card", "num"), ("cc", "number"), ("cc", "no"), ("credit", "card"),
    ("debit", "card"), ("primary", "account"),
];

/// Cards that nobody pays with, and what of a card may be kept.
#[rustfmt::skip]
pub(super) const NOT_A_PAYMENT_CARD: &[&str] = &[
    "library", "loyalty", "gift", "id", "identity", "sim", "member", "membership", "fuel", "access", "visitor",
    "report", "time", "patron", "health", "insurance", "last", "four", "last4", "masked", "truncated", "bin", "brand",
    "type", "expiry", "exp", "month", "year", "token", "holder", "name", "hint", "approval", "code",
];

/// What a person could be known by, or is nobody's business.
#[rustfmt::skip]
pub(super) const PERSONAL: &[&str] = &[
    "email", "phone", "telephone", "mobile", "cellphone", "fax", "birthday", "birthdate", "birthplace", "dob", "ssn",
    "passport", "iban", "surname", "lastname", "firstname", "fullname", "forename", "postcode", "zipcode", "gender",
    "sex", "ethnicity", "religion", "nationality", "diagnosis", "prescription", "allergy", "medical", "salary",
    "wage", "pesel", "nino", "bsn", "disability", "pregnancy",
];

/// Two words that follow each other and are personal.
#[rustfmt::skip]
pub(super) const PERSONAL_PAIRS: &[(&str, &str)] = &[
    ("first", "name"), ("last", "name"), ("full", "name"), ("family", "name"), ("given", "name"), ("middle", "name"),
    ("maiden", "name"), ("card", "number"), ("passport", "number"), ("birth", "date"), ("tax", "number"),
    ("national", "number"), ("street", "address"), ("address", "line"), ("postal", "code"), ("zip", "code"),
    ("ip", "address"), ("ip", "addr"), ("home", "address"), ("social", "security"), ("bank", "account"),
    ("credit", "card"), ("licence", "number"), ("license", "number"), ("driver", "licence"), ("driver", "license"),
    ("identity", "number"), ("insurance", "number"), ("blood", "type"), ("blood", "group"), ("marital", "status"),
    ("sexual", "orientation"), ("mother", "maiden"),
];

/// Numbers that a state gives to a person.
#[rustfmt::skip]
pub(super) const NUMBER_OF_A_PERSON: &[(&str, &str)] = &[
    ("national", "id"), ("tax", "id"), ("personal", "id"), ("government", "id"), ("citizen", "id"),
    ("identity", "id"), ("passport", "id"), ("voter", "id"),
];

/// Words that make it something about the data instead.
#[rustfmt::skip]
pub(super) const NOT_PERSONAL: &[&str] = &[
    "count", "at", "verified", "confirmed", "is", "has", "template", "subject", "status", "enabled", "opt", "type",
    "sent", "hash", "country", "domain", "provider", "queue", "log", "campaign", "notification", "change", "band",
    "grade",
];

/// Whose place it is.
pub(super) const SOMEBODY: &[&str] =
    &["home", "user", "customer", "patient", "rider", "driver", "person", "member", "employee", "guest"];

/// A place on the earth.
pub(super) const WHERE: &[&str] = &["lat", "lng", "lon", "latitude", "longitude", "geo", "location", "address"];

/// Words, or two that follow each other, of columns whose values are never written to a snapshot: they might be personal or secret.
#[rustfmt::skip]
pub const PERHAPS_PERSONAL: &[&str] = &[
    "account_number", "address", "avatar", "bank", "bic", "bio", "biography", "birth", "birthdate", "birthday",
    "blood", "body", "card", "cell", "city", "comment", "company", "contact", "content", "credit", "cvc", "cvv",
    "description", "device", "diagnosis", "dob", "driver", "email", "ethnicity", "fax", "fingerprint", "firstname",
    "forename", "fullname", "gender", "geo", "given_name", "hash", "health", "iban", "insurance", "ip", "ipaddr",
    "key", "lastname", "lat", "latitude", "license", "lng", "location", "login", "lon", "longitude", "mac", "maiden",
    "mail", "medical", "message", "metadata", "middlename", "mobile", "name", "national_id", "nationality",
    "nickname", "note", "notes", "passport", "passwd", "password", "payload", "pesel", "phone", "photo", "picture",
    "pin", "postal", "postcode", "prescription", "pwd", "race", "recipient", "religion", "salary", "salt", "secret",
    "session", "sex", "signature", "sin", "social", "ssn", "street", "subject", "surname", "tax", "tel", "telephone",
    "token", "url", "user_agent", "username", "vat", "zip", "zipcode",
];

/// Words that names are made of besides, so that one without separators can be cut.
#[rustfmt::skip]
pub(super) const COMMON: &[&str] = &[
    "account", "active", "actual", "address", "approval", "approved", "arrival", "author", "available", "average",
    "bank", "base", "begin", "billing", "birth", "body", "book", "booking", "branch", "brand", "building", "business",
    "campaign", "cancel", "card", "carrier", "category", "city", "client", "closed", "code", "color", "colour",
    "company", "contact", "content", "contract", "country", "created", "credit", "currency", "current", "customer",
    "daily", "data", "date", "deleted", "delivery", "department", "description", "device", "discount", "document",
    "driver", "due", "duration", "email", "employee", "end", "ended", "entity", "entry", "event", "exchange",
    "expiry", "external", "file", "final", "first", "flag", "form", "from", "full", "gender", "given", "group",
    "guest", "hire", "holder", "home", "hour", "house", "image", "internal", "invoice", "is", "item", "job", "key",
    "kind", "language", "last", "legal", "level", "limit", "line", "link", "list", "local", "location", "login",
    "maiden", "manager", "max", "member", "message", "method", "middle", "min", "minimum", "maximum", "mobile",
    "modified", "month", "monthly", "name", "national", "net", "next", "note", "number", "object", "open", "order",
    "original", "owner", "parent", "part", "partner", "party", "patient", "pay", "payment", "period", "person",
    "personal", "phone", "place", "plan", "postal", "primary", "private", "product", "profile", "project",
    "promotion", "property", "provider", "public", "purchase", "quantity", "rating", "reason", "received", "record",
    "reference", "region", "registration", "remark", "report", "request", "reservation", "resource", "response",
    "room", "sale", "sales", "schedule", "seat", "second", "secret", "security", "sender", "sequence", "serial",
    "service", "session", "shift", "ship", "shipment", "shipping", "shop", "social", "source", "staff", "standard",
    "start", "started", "state", "status", "step", "stock", "stop", "store", "street", "subject", "supplier",
    "support", "tag", "target", "task", "team", "template", "term", "territory", "text", "ticket", "time", "title",
    "total", "track", "transaction", "transfer", "type", "unit", "update", "updated", "user", "username", "valid",
    "value", "vehicle", "vendor", "version", "vin", "visit", "warehouse", "week", "work", "year", "yearly", "zip",
    "quota", "amount", "price", "cost", "fee", "approval", "expected", "scheduled", "shelf", "tracking", "comment",
    "hash", "salt", "access", "refresh", "token", "api", "apikey", "password", "rate", "percent", "quarter", "header",
    "detail", "subcategory", "model", "measure", "weight", "size", "style", "class", "review", "resume", "candidate",
    "history", "rowguid", "guid", "uuid", "due", "freight", "standard", "list", "commission", "bonus", "salaried",
    "vacation", "sick", "leave", "gender", "marital", "organization", "organisation", "pin", "board", "feedback",
];

/// A name is not cut into more words than this.
const MOST_PARTS: usize = 5;

/// Words of two letters that names end with, or begin with.
const SHORT_LAST: &[&str] = &["id", "no", "at", "by", "on", "ip"];
const SHORT_FIRST: &[&str] = &["is", "ip", "id"];

/// What names may be cut into.
static KNOWN: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    let lists = [AMOUNT, NOT_MONEY, MONEY_TABLE, PASSWORD, OF_A_SECRET, PERSONAL, COMMON];
    let pairs = [TOKEN, ONE_TIME, CARD_NUMBER, PERSONAL_PAIRS, NUMBER_OF_A_PERSON];
    let single = lists.into_iter().flatten().copied();
    let paired = pairs.into_iter().flatten().flat_map(|(one, other)| [*one, *other]);
    single.chain(paired).filter(|word| word.len() > 2).collect()
});

/// Whole words that could be cut into known ones, and mean something of their own.
#[rustfmt::skip]
const WHOLE: &[&str] = &[
    "username", "filename", "hostname", "nickname", "password", "passport", "subtotal", "pinboard", "feedback",
    "homepage", "timezone", "timestamp", "database", "metadata", "lifetime", "deadline", "keyword", "website",
    "warehouse", "percentage", "format", "information", "pinnacle", "costume", "station", "formation", "taxonomy",
    "listing", "postage", "message", "microphone", "headphone", "headphones", "megaphone",
];

/// So many names are kept cut; a schema has fewer words.
const MOST_KEPT: usize = 20_000;

type Parts = Option<Rc<[Box<str>]>>;

thread_local! {
    static CUT: RefCell<HashMap<Box<str>, Parts>> = RefCell::default();
}

/// The known words that a word without separators is made of; none for a word that is whole. Unquoted capitals fold to such words:
/// `UnitPrice` is `unitprice` to the server.
pub(super) fn parts(word: &str) -> Parts {
    if word.len() < 6 || !word.is_ascii() {
        return None;
    }
    CUT.with_borrow_mut(|kept| {
        if let Some(parts) = kept.get(word) {
            return parts.clone();
        }
        if kept.len() > MOST_KEPT {
            kept.clear();
        }
        let parts = cut(word);
        kept.insert(word.into(), parts.clone());
        parts
    })
}

fn is_known(word: &str) -> bool {
    KNOWN.contains(word) || word.len() > 3 && word.strip_suffix('s').is_some_and(|stem| KNOWN.contains(stem))
}

/// A word of the trade in front of a long one that is known: `portalpassword`, `udderweight`. Shorter ones end too many words.
fn known_ending(word: &str) -> Parts {
    const ENDS_WORDS: &[&str] = &["position", "section", "state", "house", "ground", "score"];
    let at =
        (4..word.len().saturating_sub(4)).find(|at| is_known(&word[*at..]) && !ENDS_WORDS.contains(&&word[*at..]))?;
    Some([Box::from(&word[..at]), Box::from(&word[at..])].into())
}

/// The fewest words that cover all of it.
fn cut(word: &str) -> Parts {
    if is_known(word) || WHOLE.contains(&word) {
        return None;
    }
    // For every end the beginning of the last word, and how many words there are up to it.
    let mut best: Vec<Option<(usize, usize)>> = vec![None; word.len() + 1];
    best[0] = Some((0, 0));
    for end in 2..=word.len() {
        for start in 0..end - 1 {
            let Some((_, words)) = best[start].filter(|(_, words)| *words < MOST_PARTS) else { continue };
            let part = &word[start..end];
            let short = part.len() == 2
                && (SHORT_FIRST.contains(&part) && start == 0 || SHORT_LAST.contains(&part) && start > 0);
            if (short || part.len() > 2 && is_known(part)) && best[end].is_none_or(|(_, least)| words + 1 < least) {
                best[end] = Some((start, words + 1));
            }
        }
    }
    if best[word.len()].is_none() {
        return known_ending(word);
    }
    let mut parts: Vec<Box<str>> = Vec::new();
    let mut end = word.len();
    while end > 0 {
        let (start, _) = best[end]?;
        parts.push(word[start..end].into());
        end = start;
    }
    parts.reverse();
    (parts.len() > 1).then(|| parts.into())
}
