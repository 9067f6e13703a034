//! What every HTML page has in common: one file that loads nothing, in the light or dark of its reader.

use std::io::{self, Write};

use super::plain;

const STYLE: &str = include_str!("page.css");

/// The beginning, up to the body; `style` is what the page has besides the common one.
///
/// # Errors
/// Those of the writer.
pub fn begin(title: &str, style: &str, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{}</title>\n<style>\n{STYLE}{style}</style>\n</head>\n<body>",
        plain::html(title)
    )
}

/// The end; `script` may be empty.
///
/// # Errors
/// Those of the writer.
pub fn end(script: &str, out: &mut dyn Write) -> io::Result<()> {
    if !script.is_empty() {
        writeln!(out, "<script>\n{script}</script>")?;
    }
    writeln!(out, "</body>\n</html>")
}
