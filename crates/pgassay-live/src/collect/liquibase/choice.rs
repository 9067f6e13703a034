//! Which changesets run: contexts and labels as the project's settings choose them, servers, and preconditions.

use super::tree::Element;
use crate::collect::dialect::{is_postgres, other_server};
use crate::collect::project::{Project, read_yaml};

/// What `contexts` and `labels` of a run are, as far as a settings file says it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Choice {
    contexts: Option<Vec<String>>,
    labels: Option<String>,
    /// The changelog that is run.
    pub changelog: Option<String>,
}

impl Choice {
    /// `liquibase.properties`, and Spring's settings of it.
    pub fn of(project: &Project) -> Choice {
        let mut found = Choice::default();
        for name in ["liquibase.properties", "application.properties"] {
            for text in project.texts(name) {
                found.add(text.lines().filter_map(property).map(|(key, value)| (key.to_owned(), value.to_owned())));
            }
        }
        for name in ["application.yml", "application.yaml"] {
            for text in project.texts(name) {
                // The first document is for every profile.
                let first = text.split("\n---").next().unwrap_or_default();
                let tree = read_yaml(first).and_then(|tree| tree.get("spring")?.get("liquibase").cloned());
                let entries = tree.and_then(|tree| tree.as_object().cloned()).unwrap_or_default();
                let values = entries.into_iter().filter_map(|(key, value)| Some((key, value.as_str()?.to_owned())));
                found.add(values.map(|(key, value)| (format!("spring.liquibase.{key}"), value)));
            }
        }
        found
    }

    fn add(&mut self, settings: impl Iterator<Item = (String, String)>) {
        for (key, value) in settings.filter(|(_, value)| !value.is_empty() && !value.contains("${")) {
            let is_own =
                ["liquibase.command.", "liquibase.", "spring.liquibase."].iter().find_map(|it| key.strip_prefix(it));
            let key = is_own.unwrap_or(&key).replace('-', "").to_ascii_lowercase();
            match key.as_str() {
                "contexts" | "contextfilter" if self.contexts.is_none() => {
                    self.contexts = Some(value.split(',').map(|it| it.trim().to_lowercase()).collect());
                }
                "labels" | "labelfilter" if self.labels.is_none() => self.labels = Some(value),
                "changelog" | "changelogfile" if self.changelog.is_none() => self.changelog = Some(value),
                _ => {}
            }
        }
    }

    /// Whether a changeset of this context runs: where nothing says what the run chooses, all do but those that only another server's name
    /// chooses.
    pub fn runs_context(&self, expression: &str) -> bool {
        let Some(chosen) = &self.contexts else {
            // Any other context may be chosen or not.
            let may_hold =
                |other: bool| holds(expression, &|word| other_server(word).is_none() && (is_postgres(word) || other));
            return expression.trim().is_empty() || may_hold(true) || may_hold(false);
        };
        expression.trim().is_empty() || holds(expression, &|word| chosen.contains(&word.to_lowercase()))
    }

    pub fn runs_labels(&self, labels: &str) -> bool {
        let Some(filter) = &self.labels else { return true };
        let own: Vec<String> = labels.split(',').map(|label| label.trim().to_lowercase()).collect();
        labels.trim().is_empty() || holds(filter, &|word| own.contains(&word.to_lowercase()))
    }

    pub fn says_contexts(&self) -> bool {
        self.contexts.is_some()
    }
}

fn property(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    if line.starts_with(['#', '!']) {
        return None;
    }
    let at = line.find(['=', ':'])?;
    Some((line[..at].trim(), line[at + 1..].trim()))
}

/// `a and (b or !c), d`, as `ExpressionMatcher` reads it: a comma is an `or`, and `and` binds closer.
pub(super) fn holds(expression: &str, has: &dyn Fn(&str) -> bool) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace(',', " or ").replace('!', " not ");
    let words: Vec<&str> = spaced.split_whitespace().map(|word| word.trim_start_matches('@')).collect();
    let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
    let mut parser = Expression { words: &words, at: 0, has };
    parser.any(0)
}

struct Expression<'a> {
    words: &'a [&'a str],
    at: usize,
    has: &'a dyn Fn(&str) -> bool,
}

impl Expression<'_> {
    const DEEPEST: usize = 32;

    fn takes(&mut self, word: &str) -> bool {
        let found = self.words.get(self.at).is_some_and(|next| next.eq_ignore_ascii_case(word));
        self.at += usize::from(found);
        found
    }

    fn any(&mut self, depth: usize) -> bool {
        let mut holds = self.all(depth);
        while self.takes("or") {
            holds |= self.all(depth);
        }
        holds
    }

    fn all(&mut self, depth: usize) -> bool {
        let mut holds = self.one(depth);
        while self.takes("and") {
            holds &= self.one(depth);
        }
        holds
    }

    fn one(&mut self, depth: usize) -> bool {
        let mut is_not = false;
        while self.takes("not") {
            is_not = !is_not;
        }
        let holds = if depth < Self::DEEPEST && self.takes("(") {
            let inner = self.any(depth + 1);
            self.takes(")");
            inner
        } else {
            let word = self.words.get(self.at).copied().unwrap_or_default();
            self.at += 1;
            (self.has)(word)
        };
        holds != is_not
    }
}

/// Whether a list of servers, `postgresql, !mysql`, has PostgreSQL in it (`DatabaseList.definitionMatches`).
pub(in crate::collect) fn is_for_postgresql(list: &str) -> bool {
    let mut names =
        list.split(',').map(|name| name.trim().to_ascii_lowercase()).filter(|name| !name.is_empty()).peekable();
    if names.peek().is_none() {
        return true;
    }
    let names: Vec<String> = names.collect();
    let excludes = |name: &str| names.iter().any(|it| it == &format!("!{name}"));
    if names.iter().any(|name| name == "none") || excludes("postgresql") {
        return false;
    }
    names.iter().any(|name| name == "postgresql" || name == "all") || names.iter().all(|name| name.starts_with('!'))
}

/// What a changeset's preconditions say before anything is known of the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Precondition {
    Runs,
    /// It may be passed over: `onFail` is not HALT.
    MayRun,
    /// They are for another server.
    Never,
}

/// `onFail="HALT"`, the default, stops everything: what runs after it ran after this changeset.
pub(super) fn precondition(changeset: &Element) -> Precondition {
    let mut found = Precondition::Runs;
    for conditions in changeset.children.iter().filter(|child| child.name == "preConditions") {
        let passes_over = ["onFail", "onError"]
            .iter()
            .any(|when| conditions.value(when).is_some_and(|action| !action.eq_ignore_ascii_case("halt")));
        match known(conditions, true) {
            Some(true) => {}
            Some(false) => return Precondition::Never,
            None if passes_over => found = Precondition::MayRun,
            None => {}
        }
    }
    found
}

/// Whether conditions hold whatever is in the database; `all` of them, or any.
fn known(conditions: &Element, all: bool) -> Option<bool> {
    let mut is_open = false;
    for condition in conditions.children.iter().filter(|child| !child.is_attribute) {
        let holds = match condition.name.as_str() {
            "onFail" | "onError" | "onFailMessage" | "onErrorMessage" | "onSqlOutput" => continue,
            "dbms" => Some(is_for_postgresql(condition.value("type").unwrap_or_default())),
            "and" => known(condition, true),
            "or" => known(condition, false),
            "not" => known(condition, true).map(|holds| !holds),
            _ => None,
        };
        match holds {
            Some(holds) if holds != all => return Some(holds),
            Some(_) => {}
            None => is_open = true,
        }
    }
    (!is_open).then_some(all)
}

#[cfg(test)]
mod tests {
    use super::super::tree::read_xml;
    use super::*;

    #[test]
    fn contexts_are_expressions() {
        let choice = Choice { contexts: Some(vec!["prod".to_owned(), "eu".to_owned()]), ..Choice::default() };
        for (expression, runs) in [
            ("", true),
            ("prod", true),
            ("test", false),
            ("!test", true),
            ("test, prod", true),
            ("prod and us", false),
            ("prod and (us or eu)", true),
            ("not (prod and eu)", false),
            ("@PROD", true),
        ] {
            assert_eq!(choice.runs_context(expression), runs, "{expression}");
        }
        for (expression, runs) in [
            ("test", true),
            ("!initial", true),
            ("mysql", false),
            ("!mysql", true),
            ("mysql, test", true),
            ("test and h2", false),
            ("postgresql", true),
            ("!postgresql", false),
        ] {
            assert_eq!(Choice::default().runs_context(expression), runs, "{expression}");
        }
        let labels = Choice { labels: Some("!slow".to_owned()), ..Choice::default() };
        assert!(labels.runs_labels("") && labels.runs_labels("fast") && !labels.runs_labels("fast, slow"));
    }

    #[test]
    fn settings_choose() {
        let mut choice = Choice::default();
        let lines = "# x\ncontexts: prod\nliquibase.command.labelFilter=a\nchangeLogFile=db/main.xml\nurl=${env}";
        choice.add(lines.lines().filter_map(property).map(|(key, value)| (key.to_owned(), value.to_owned())));
        assert_eq!(choice.contexts, Some(vec!["prod".to_owned()]));
        assert_eq!((choice.labels.as_deref(), choice.changelog.as_deref()), (Some("a"), Some("db/main.xml")));
    }

    #[test]
    fn servers_and_preconditions() {
        for (list, is) in [
            ("", true),
            ("postgresql", true),
            ("mysql", false),
            ("!mysql", true),
            ("mysql, postgresql", true),
            ("all,!postgresql", false),
            ("none", false),
        ] {
            assert_eq!(is_for_postgresql(list), is, "{list}");
        }
        let of = |conditions: &str| precondition(&read_xml(&format!("<changeSet>{conditions}</changeSet>")).unwrap());
        assert_eq!(of(""), Precondition::Runs);
        assert_eq!(of("<preConditions><tableExists tableName='a'/></preConditions>"), Precondition::Runs);
        let marks = "<preConditions onFail='MARK_RAN'><not><tableExists tableName='a'/></not></preConditions>";
        assert_eq!(of(marks), Precondition::MayRun);
        assert_eq!(
            of("<preConditions onFail='MARK_RAN'><dbms type='postgresql'/></preConditions>"),
            Precondition::Runs
        );
        assert_eq!(
            of("<preConditions onFail='MARK_RAN'><not><dbms type='postgresql'/></not></preConditions>"),
            Precondition::Never
        );
        let either =
            "<preConditions onFail='CONTINUE'><or><dbms type='h2'/><tableExists tableName='a'/></or></preConditions>";
        assert_eq!(of(either), Precondition::MayRun);
    }
}
