//! What the configuration does to findings: severities by rule and by path, and areas.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use glob::{MatchOptions, Pattern};

use super::accepted::Accepted;
use super::{Located, OptionValue};
use crate::area::Areas;
use crate::finding::{Category, Finding, Severity};
use crate::rules::RuleOptions;
use crate::source::Sources;

/// A rule's severity, or none at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    Off,
    At(Severity),
}

impl Level {
    pub const ALL: [Level; 4] =
        [Level::Off, Level::At(Severity::Info), Level::At(Severity::Warning), Level::At(Severity::Error)];

    pub fn name(self) -> &'static str {
        match self {
            Level::Off => "off",
            Level::At(severity) => severity.name(),
        }
    }

    pub(super) fn find(name: &str) -> Option<Level> {
        Level::ALL.into_iter().find(|level| level.name() == name)
    }
}

/// Severities by the names of rules.
pub type Levels = BTreeMap<&'static str, Located<Level>>;

/// Other severities for some paths.
#[derive(Debug, Clone, PartialEq)]
pub struct Override {
    pub patterns: Vec<Pattern>,
    pub levels: Levels,
}

/// All that the configuration says about findings.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settings {
    pub levels: Levels,
    /// The options that the file sets, by rule and name.
    pub given_options: BTreeMap<(&'static str, &'static str), Located<OptionValue>>,
    pub options: RuleOptions,
    pub overrides: Vec<Override>,
    pub areas: Areas,
    /// Findings of an audit that are known and accepted.
    pub accepted: Vec<Accepted>,
    /// The configuration file's folder, from which patterns of paths count.
    pub root: PathBuf,
    /// The working directory, from which names of files count.
    pub here: PathBuf,
}

impl Settings {
    /// Sets severities, takes out what is switched off, lowers what only concerns internal tables and experiments. A finding on a
    /// protected area keeps at least its severity.
    pub fn apply(&self, findings: &mut Vec<Finding>, sources: &Sources) {
        findings.retain_mut(|finding| {
            let level = self.level(finding, &sources.file(finding.span.file).name);
            match settle(finding, level) {
                Level::Off => false,
                Level::At(severity) => {
                    finding.severity = severity;
                    true
                }
            }
        });
    }

    /// What the file says of the finding's rule at its place.
    fn level(&self, finding: &Finding, file: &str) -> Option<Level> {
        let path = self.overrides.first().map(|_| self.path_below_root(file));
        let matching = |over: &&Override| path.as_ref().is_some_and(|path| over.matches(path));
        let here = self.overrides.iter().rev().filter(matching).find_map(|over| over.levels.get(finding.rule.name));
        here.or_else(|| self.levels.get(finding.rule.name)).map(|level| level.value)
    }

    /// A file's path from the configuration file's folder on; as it is where it stands elsewhere.
    fn path_below_root(&self, file: &str) -> PathBuf {
        let path = normal(&self.here.join(file));
        path.strip_prefix(normal(&self.root)).map_or_else(|_| PathBuf::from(file), Path::to_owned)
    }
}

impl Override {
    fn matches(&self, path: &Path) -> bool {
        // A * stays within a folder.
        let options = MatchOptions { require_literal_separator: true, ..MatchOptions::default() };
        self.patterns.iter().any(|pattern| pattern.matches_path_with(path, options))
    }
}

/// Without `.`, and with `..` taken away where a folder stands before it.
fn normal(path: &Path) -> PathBuf {
    let mut parts = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(parts.components().next_back(), Some(Component::Normal(_))) => {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    parts
}

/// The severity in the end.
fn settle(finding: &Finding, level: Option<Level>) -> Level {
    let usual = finding.rule.severity;
    let told = match level {
        // What a rule, or --strict, knows to weigh less or more than usual still does.
        Some(_) if finding.severity > usual => Level::At(finding.severity),
        Some(Level::Off) => Level::Off,
        Some(Level::At(severity)) if finding.severity < usual => Level::At(severity.min(finding.severity)),
        Some(Level::At(severity)) => Level::At(severity),
        None => Level::At(finding.severity),
    };
    match (finding.area, told) {
        (Some(area), Level::Off) if area.is_protected() => Level::At(finding.severity),
        (Some(area), Level::At(severity)) if area.is_protected() => Level::At(severity.max(finding.severity)),
        (Some(_), Level::At(severity)) if is_cosmetic(finding.category) => Level::At(lowered(severity)),
        (_, told) => told,
    }
}

/// Data that is lost and statements that fail are wrong whoever uses the table.
fn is_cosmetic(category: Category) -> bool {
    !matches!(category, Category::DataLoss | Category::Failing)
}

fn lowered(severity: Severity) -> Severity {
    match severity {
        Severity::Error => Severity::Warning,
        Severity::Warning | Severity::Info => Severity::Info,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::area::Area;
    use crate::rules;
    use crate::source::{SourceFile, Span};

    const ERROR: Level = Level::At(Severity::Error);
    const WARNING: Level = Level::At(Severity::Warning);
    const INFO: Level = Level::At(Severity::Info);

    fn settled(rule: &str, area: Option<Area>, severity: Option<Severity>, level: Option<Level>) -> Level {
        let mut sources = Sources::default();
        let file = sources.add(SourceFile::new("a.sql", "select 1"));
        let mut finding = rules::find(rule).unwrap().finding(Span::new(file, 0, 1), "");
        finding.area = area;
        finding.severity = severity.unwrap_or(finding.severity);
        settle(&finding, level)
    }

    #[test]
    fn the_file_sets_severities() {
        assert_eq!(settled("blocking-rewrite", None, None, None), ERROR);
        assert_eq!(settled("blocking-rewrite", None, None, Some(Level::Off)), Level::Off);
        assert_eq!(settled("blocking-rewrite", None, None, Some(INFO)), INFO);
        assert_eq!(settled("not-rerunnable", None, None, Some(ERROR)), ERROR);
    }

    #[test]
    fn what_a_rule_lowered_itself_is_not_raised() {
        let info = Some(Severity::Info);
        assert_eq!(settled("many-locks-in-transaction", None, info, Some(ERROR)), INFO);
    }

    #[test]
    fn what_strict_raised_is_not_lowered() {
        let error = Some(Severity::Error);
        assert_eq!(settled("unreadable-statement", None, error, Some(INFO)), ERROR);
        assert_eq!(settled("unreadable-statement", None, error, Some(Level::Off)), ERROR);
    }

    #[test]
    fn protected_areas_keep_their_severity_and_may_get_a_higher_one() {
        for area in [Area::Payments, Area::Permissions, Area::PersonalData] {
            assert_eq!(settled("blocking-rewrite", Some(area), None, Some(Level::Off)), ERROR);
            assert_eq!(settled("blocking-rewrite", Some(area), None, Some(INFO)), ERROR);
            assert_eq!(settled("missing-lock-timeout", Some(area), None, Some(ERROR)), ERROR);
            assert_eq!(settled("missing-lock-timeout", Some(area), None, None), WARNING);
        }
    }

    #[test]
    fn internal_and_experiment_lower_a_step_but_for_correctness() {
        for area in [Area::Internal, Area::Experiment] {
            assert_eq!(settled("blocking-rewrite", Some(area), None, None), WARNING);
            assert_eq!(settled("missing-lock-timeout", Some(area), None, None), INFO);
            assert_eq!(settled("missing-lock-timeout", Some(area), None, Some(ERROR)), WARNING);
            assert_eq!(settled("discouraged-types", Some(area), None, None), INFO);
            assert_eq!(settled("dropped-data", Some(area), None, None), ERROR);
            assert_eq!(settled("fails-on-rows", Some(area), None, None), ERROR);
            assert_eq!(settled("dropped-data", Some(area), None, Some(Level::Off)), Level::Off);
        }
    }

    #[test]
    fn paths_count_from_the_folder_of_the_file() {
        let settings =
            Settings { root: "/repository".into(), here: "/repository/services/a".into(), ..Settings::default() };
        assert_eq!(settings.path_below_root("../b/1.sql"), Path::new("services/b/1.sql"));
        assert_eq!(settings.path_below_root("./1.sql"), Path::new("services/a/1.sql"));
        assert_eq!(settings.path_below_root("/elsewhere/1.sql"), Path::new("/elsewhere/1.sql"));
    }
}
