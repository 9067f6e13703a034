//! What is wrong with a configuration file, shown at its place.

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

/// One mistake, with its place in the file's bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub span: Range<usize>,
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

/// A configuration file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfigError {
    /// It could not be read at all.
    Unreadable { path: PathBuf, message: String },
    /// In the order of the text.
    Invalid { path: PathBuf, text: String, problems: Vec<Problem> },
}

impl std::error::Error for ConfigError {}

impl fmt::Display for ConfigError {
    /// `pgassay.toml:3:1: unknown key "pg_version"; did you mean pg-version?`, a line for each.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (path, text, problems) = match self {
            ConfigError::Unreadable { path, message } => return write!(f, "{}: {message}", path.display()),
            ConfigError::Invalid { path, text, problems } => (path, text, problems),
        };
        for (number, problem) in problems.iter().enumerate() {
            let (line, column) = position(text, problem.span.start);
            let separator = if number > 0 { "\n" } else { "" };
            write!(f, "{separator}{}:{line}:{column}: {}", path.display(), problem.message)?;
            if let Some(help) = &problem.help {
                write!(f, "; {help}")?;
            }
        }
        Ok(())
    }
}

impl ConfigError {
    /// Every mistake with the lines around it; `width` is the terminal's.
    pub fn render(&self, width: u16) -> String {
        let ConfigError::Invalid { path, text, problems } = self else { return format!("error: {self}") };
        let path = path.display().to_string();
        let renderer = Renderer::styled().term_width(width.into());
        let excerpt = |problem: &Problem| {
            let span = within(text, &problem.span);
            let snippet = Snippet::source(text.as_str())
                .path(path.as_str())
                .fold(true)
                .annotation(AnnotationKind::Primary.span(span));
            let mut group = Level::ERROR.primary_title(problem.message.as_str()).element(snippet);
            if let Some(help) = &problem.help {
                group = group.element(Level::HELP.message(help.as_str()));
            }
            renderer.render(&[group])
        };
        problems.iter().map(excerpt).collect::<Vec<_>>().join("\n\n")
    }
}

/// Line and column of a byte, from 1; the column counts characters.
pub(super) fn position(text: &str, offset: usize) -> (u32, u32) {
    let mut end = offset.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let before = &text[..end];
    let line = before.matches('\n').count() as u32 + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() as u32 + 1;
    (line, column)
}

/// A mistake over several lines is shown by its first; never outside the text.
fn within(text: &str, span: &Range<usize>) -> Range<usize> {
    let start = span.start.min(text.len());
    let end = span.end.clamp(start, text.len());
    match text.get(start..end).and_then(|part| part.find('\n')) {
        Some(line) => start..start + line.max(1),
        None => start..end,
    }
}
