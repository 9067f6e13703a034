//! A line per finding, as compilers write them: `file:line:column: severity: message [rule]`. Editors and log viewers jump to such lines.

use std::io::{self, Write};

use super::{Renderer, Report};
use crate::finding::Severity;
use crate::source::Sources;
use crate::text::plain;

pub struct Gcc;

impl Renderer for Gcc {
    fn render(&self, report: &Report, sources: &Sources, out: &mut dyn Write) -> io::Result<()> {
        for finding in &report.findings {
            let (at, _) = sources.positions(finding.span);
            let severity = match finding.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Info => "note",
            };
            let (name, message) =
                (plain::one_line(&sources.file(finding.span.file).name), plain::one_line(&finding.message));
            writeln!(out, "{name}:{}:{}: {severity}: {message} [{}]", at.line, at.column, finding.rule)?;
        }
        for error in &report.errors {
            writeln!(out, "pgassay: error: {}", plain::one_line(error))?;
        }
        Ok(())
    }
}
