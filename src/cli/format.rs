//! Which formats a report is shown in, and where: one on standard output, any number in files.

use std::collections::BTreeSet;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, ValueEnum};
use pgassay::finding::Severity;
use pgassay::report::{Github, Gitlab, Json, Junit, Markdown, Renderer, Report, Sarif, Text};
use pgassay::sql::Sources;

use super::output;

#[derive(Debug, Args)]
pub struct FormatArguments {
    /// How to show the result on standard output
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    /// Also write the result to a file, such as sarif=pgassay.sarif (repeatable)
    #[arg(long = "output", value_name = "FORMAT=FILE", value_parser = output_file)]
    outputs: Vec<OutputFile>,

    /// A table for files without findings too
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
    /// A comment for a pull request
    Markdown,
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

/// Shows a report in every format asked for. `fail_on` is the least severity that fails, if any does.
pub fn show(
    arguments: &FormatArguments,
    fail_on: Option<Severity>,
    report: &Report,
    sources: &Sources,
) -> anyhow::Result<()> {
    let written = arguments.write_files(fail_on, report, sources);
    // The result is shown even where a file could not be written.
    arguments.print(fail_on, report, sources)?;
    written
}

impl FormatArguments {
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
        let renderer = self.renderer(format, output::FILE_WIDTH, fail_on);
        output::replace_file(path, |out| match format {
            Format::Text => {
                let mut plain = anstream::StripStream::new(Vec::new());
                renderer.render(report, sources, &mut plain)?;
                out.write_all(&plain.into_inner())
            }
            _ => renderer.render(report, sources, out),
        })
    }

    fn print(&self, fail_on: Option<Severity>, report: &Report, sources: &Sources) -> anyhow::Result<()> {
        let renderer = self.renderer(self.format, output::width(), fail_on);
        let mut out: Box<dyn Write> = match self.format {
            Format::Text => Box::new(BufWriter::new(anstream::stdout())),
            _ => Box::new(BufWriter::new(io::stdout())),
        };
        renderer.render(report, sources, &mut out)?;
        out.flush()?;
        if self.format == Format::Gitlab {
            for error in &report.errors {
                anstream::eprintln!("error: {error}");
            }
        }
        Ok(())
    }

    fn renderer(&self, format: Format, width: u16, fail_on: Option<Severity>) -> Box<dyn Renderer> {
        let paths = output::paths();
        match format {
            Format::Text => Box::new(Text { verbose: self.verbose, width }),
            Format::Json => Box::new(Json),
            Format::Sarif => Box::new(Sarif { paths }),
            Format::Github => Box::new(Github { paths }),
            Format::Gitlab => Box::new(Gitlab { paths }),
            Format::Junit => Box::new(Junit { paths, fail_on }),
            Format::Markdown => Box::new(Markdown { paths }),
        }
    }
}
