//! `[[accepted]]`: findings of an audit that somebody knows and accepts, with a reason and perhaps an end. A live database has no file
//! for an allow comment to be in.

use glob::Pattern;

use crate::finding::Finding;

#[derive(Debug, Clone, PartialEq)]
pub struct Accepted {
    /// Of the object's printed name.
    pub object: Pattern,
    pub rule: &'static str,
    pub reason: String,
    /// The last day on which it counts, `2027-03-31`.
    pub until: Option<String>,
    /// In the file.
    pub line: u32,
}

impl Accepted {
    pub fn covers(&self, finding: &Finding) -> bool {
        let named = |name: Option<&str>| name.is_some_and(|name| self.object.matches(name));
        self.rule == finding.rule.name
            && (named(finding.object.as_deref()) || finding.object.is_none() && named(finding.table.as_deref()))
    }

    /// Days of this form are in order as texts.
    pub fn counts_on(&self, today: &str) -> bool {
        self.until.as_ref().is_none_or(|until| today <= until.as_str())
    }

    pub fn is_day(text: &str) -> bool {
        let parts: Vec<&str> = text.split('-').collect();
        let number = |text: &str, digits: usize| -> Option<u32> {
            (text.len() == digits && text.bytes().all(|c| c.is_ascii_digit())).then(|| text.parse().ok()).flatten()
        };
        let [year, month, day] = parts[..] else { return false };
        let in_range = |value: Option<u32>, most: u32| value.is_some_and(|value| (1..=most).contains(&value));
        number(year, 4).is_some() && in_range(number(month, 2), 12) && in_range(number(day, 2), 31)
    }

    /// One line for the report.
    pub fn tell(&self, used: usize, over: usize) -> String {
        let what =
            format!("{} of {} (line {} of the configuration: {})", self.rule, self.object, self.line, self.reason);
        let until = self.until.as_deref().unwrap_or_default();
        match (used, over) {
            (0, 0) => format!("accepted, and nothing is found any more: {what}"),
            (_, 1..) => format!("no longer accepted, for it ended on {until}: {what}"),
            (1, _) if until.is_empty() => format!("accepted: {what}"),
            (1, _) => format!("accepted until {until}: {what}"),
            (many, _) if until.is_empty() => format!("accepted, {many} findings: {what}"),
            (many, _) => format!("accepted until {until}, {many} findings: {what}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_a_day_and_ends() {
        let accepted = Accepted {
            object: Pattern::new("public.lock*.token").unwrap_or_default(),
            rule: "plaintext-secret",
            reason: "opens nothing".to_owned(),
            until: Some("2027-03-31".to_owned()),
            line: 1,
        };
        assert!(accepted.counts_on("2027-03-31") && !accepted.counts_on("2027-04-01"));
        assert!(Accepted::is_day("2027-03-31") && !Accepted::is_day("2027-3-31") && !Accepted::is_day("2027-13-01"));
        assert!(accepted.tell(0, 1).contains("ended on 2027-03-31") && accepted.tell(1, 0).contains("opens nothing"));
    }
}
