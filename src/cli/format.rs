//! Which formats a report is shown in, and where: one on standard output, any number in files.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, ValueEnum};
use pgassay::finding::Severity;
use pgassay::report::visible::{Kind, Visible};
use pgassay::report::{Gcc, Github, Gitlab, Html, Json, Junit, Markdown, Renderer, Report, Sarif, Text, View};
use pgassay::source::Sources;
use pgassay::version::PgVersion;

use super::output;

#[derive(Debug, Args)]
pub struct FormatArguments {
    /// How to show the result on standard output [default: text]
    #[arg(long, value_enum)]
    format: Option<Format>,

    /// Also write the result to a file, such as sarif=pgassay.sarif (repeatable)
    #[arg(long = "output", value_name = "FORMAT=FILE", value_parser = output_file)]
    outputs: Vec<OutputFile>,

    /// Show more: of a check a table for files without findings too, of an audit every info in full
    #[arg(long, short)]
    verbose: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For a terminal
    Text,
    /// All there is, with stable field names
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Workflow commands of GitHub Actions
    Github,
    /// GitLab's code quality report
    Gitlab,
    /// JUnit XML
    Junit,
    /// A comment for a pull request; of an audit, a whole page
    Markdown,
    /// One page with everything in it, to search and to keep
    Html,
    /// A line per finding, as compilers write them: file:line:column: severity: message [rule]
    Gcc,
}

#[derive(Debug, Clone)]
struct OutputFile {
    format: Format,
    path: PathBuf,
}

fn output_file(text: &str) -> Result<OutputFile, String> {
    let (format, path) = text.split_once('=').ok_or("write FORMAT=FILE")?;
    let format = Format::from_str(format, false).map_err(|_| {
        let names: Vec<String> = Format::value_variants()
            .iter()
            .filter_map(|format| Some(format.to_possible_value()?.get_name().to_owned()))
            .collect();
        format!("known formats are {}", names.join(", "))
    })?;
    match path {
        "" => Err("the file is missing".to_owned()),
        "-" => Err("standard output is for --format".to_owned()),
        path => Ok(OutputFile { format, path: path.into() }),
    }
}

/// Shows a report in every format asked for; `format` is that of standard output, as [`FORMATS`](pgassay::config::keys::FORMATS) has it; `view` is how much of it a
/// terminal gets. `fail_on` is the least severity that fails, if any does.
pub fn show(
    arguments: &FormatArguments,
    format: &str,
    view: View,
    fail_on: Option<Severity>,
    report: &Report,
    sources: &Sources,
) -> anyhow::Result<()> {
    let written = arguments.write_files(fail_on, report, sources);
    // The result is shown even where a file could not be written.
    arguments.print(Format::named(format), view, fail_on, report, sources)?;
    written
}

/// Shows that the run itself failed to whoever reads its result: a document of every format for programs that has the error in it.
/// `format` is that of standard output; people read the error where errors are read.
pub fn show_failure(arguments: &FormatArguments, format: &str, error: &anyhow::Error) -> anyhow::Result<()> {
    let mut report = Report::new(PgVersion::default());
    report.errors.push(format!("{error:#}"));
    let sources = Sources::default();
    let written = arguments.write_files(None, &report, &sources);
    match Format::named(format) {
        Format::Text => {}
        format => {
            if format == Format::Gitlab {
                // It has no place for errors, and people are told of this one anyway.
                report.errors.clear();
            }
            arguments.print(format, View::Full, None, &report, &sources)?;
        }
    }
    written
}

impl Format {
    /// As the command line and the configuration file spell it.
    fn name(self) -> &'static str {
        match self {
            Format::Text => "text",
            Format::Json => "json",
            Format::Sarif => "sarif",
            Format::Github => "github",
            Format::Gitlab => "gitlab",
            Format::Junit => "junit",
            Format::Markdown => "markdown",
            Format::Html => "html",
            Format::Gcc => "gcc",
        }
    }

    fn kind(self, colours: bool) -> Kind {
        match self {
            Format::Json => Kind::Json,
            Format::Github => Kind::Commands,
            Format::Text
            | Format::Sarif
            | Format::Gitlab
            | Format::Junit
            | Format::Markdown
            | Format::Html
            | Format::Gcc => Kind::Text { colours },
        }
    }

    fn named(name: &str) -> Format {
        Format::value_variants().iter().copied().find(|format| format.name() == name).unwrap_or(Format::Text)
    }
}

impl FormatArguments {
    /// Show all there is to show.
    pub fn verbose(&self) -> bool {
        self.verbose
    }

    /// The format of standard output, if the command line names one.
    pub fn name(&self) -> Option<&'static str> {
        self.format.map(Format::name)
    }

    fn write_files(&self, fail_on: Option<Severity>, report: &Report, sources: &Sources) -> anyhow::Result<()> {
        let mut written = Ok(());
        let mut paths = BTreeSet::new();
        for OutputFile { format, path } in &self.outputs {
            let result = if paths.insert(path) {
                self.write_file(*format, path, fail_on, report, sources)
                    .with_context(|| format!("{path:?} could not be written"))
            } else {
                Err(anyhow::anyhow!("{path:?} is the file of two --output options"))
            };
            written = written.and(result);
        }
        written
    }

    fn write_file(
        &self,
        format: Format,
        path: &Path,
        fail_on: Option<Severity>,
        report: &Report,
        sources: &Sources,
    ) -> io::Result<()> {
        let renderer = self.renderer(format, output::FILE_WIDTH, false, View::Full, fail_on);
        output::replace_file(path, |out| {
            let mut out = Visible::new(out, format.kind(false));
            renderer.render(report, sources, &mut out)?;
            out.flush()
        })
    }

    fn print(
        &self,
        format: Format,
        view: View,
        fail_on: Option<Severity>,
        report: &Report,
        sources: &Sources,
    ) -> anyhow::Result<()> {
        let styled = format == Format::Text && output::is_styled();
        let renderer = self.renderer(format, output::width(), styled, view, fail_on);
        let mut out = Visible::new(output::stdout(styled), format.kind(styled));
        renderer.render(report, sources, &mut out)?;
        out.flush()?;
        if format == Format::Gitlab {
            for line in report
                .coverage
                .iter()
                .flat_map(|coverage| coverage.lines().into_iter().chain(coverage.nothing_new.clone()))
            {
                say!("note: {line}");
            }
            for error in &report.errors {
                output::say(&format!("error: {error}"));
            }
        }
        Ok(())
    }

    fn renderer(
        &self,
        format: Format,
        width: u16,
        styled: bool,
        view: View,
        fail_on: Option<Severity>,
    ) -> Box<dyn Renderer> {
        let paths = output::paths();
        match format {
            Format::Text => {
                let pages = output::pages().filter(|_| styled);
                Box::new(Text { verbose: self.verbose, width, styled, pages, view })
            }
            Format::Json => Box::new(Json),
            Format::Sarif => Box::new(Sarif { paths }),
            Format::Github => Box::new(Github { paths }),
            Format::Gitlab => Box::new(Gitlab { paths }),
            Format::Junit => Box::new(Junit { paths, fail_on }),
            Format::Markdown => Box::new(Markdown { paths }),
            Format::Html => Box::new(Html),
            Format::Gcc => Box::new(Gcc),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_knows_every_format() {
        let value = |format: &Format| format.to_possible_value().map(|value| value.get_name().to_owned());
        let values: Vec<String> = Format::value_variants().iter().filter_map(value).collect();
        let names: Vec<&str> = Format::value_variants().iter().map(|format| format.name()).collect();
        assert_eq!(names, values);
        assert_eq!(names, pgassay::config::keys::FORMATS);
    }
}
