//! What to do about a finding: its steps in place of the statement, as new migrations, or beside it; and an allow comment.

use lsp_types::{
    CodeAction, CodeActionKind, CodeActionOrCommand, CodeActionParams, Command, CreateFile, CreateFileOptions,
    DocumentChangeOperation, DocumentChanges, OneOf, OptionalVersionedTextDocumentIdentifier, Range, ResourceOp,
    TextDocumentEdit, TextEdit, WorkspaceEdit,
};
use pgassay::finding::{Finding, FixStep, StepTransaction};
use pgassay::migration::Framework;
use pgassay::report::{StatementRecord, edit};
use pgassay::text::plain;
use serde_json::{Value, json};

use super::Refused;
use super::diagnostics::{diagnostic, range};
use super::place::uri_of;
use super::server::{Server, View, value};
use crate::project::words;

pub fn actions(server: &mut Server, params: CodeActionParams) -> Result<Value, Refused> {
    let (asks_reason, makes_files) = (server.asks_reason, server.makes_files);
    let Some(view) = server.view(&params.text_document.uri) else { return Ok(Value::Null) };
    let lines = view.lines();
    let mut found = Vec::new();
    for finding in &view.judged.report.findings {
        let place = range(finding.span, &view, &lines);
        if place.end < params.range.start || params.range.end < place.start {
            continue;
        }
        let record = view.judged.report.statements.iter().find(|record| record.span.contains(finding.span));
        let steps = record.and_then(|record| in_place(finding, record, &view));
        let has_edit = steps.is_some();
        found.extend(steps);
        if let Some(record) = record.filter(|_| !has_edit && !finding.advice.steps.is_empty()) {
            found.extend(Some(finding).filter(|_| makes_files).and_then(|it| new_files(it, record, &view)));
            found.push(beside(finding, record, &view));
        }
        found.push(allow(finding, &view, asks_reason));
    }
    value(found.into_iter().map(CodeActionOrCommand::CodeAction).collect::<Vec<_>>())
}

fn action(title: String, finding: &Finding, view: &View, edits: Vec<TextEdit>) -> CodeAction {
    #[allow(clippy::mutable_key_type)] // The protocol's type; the key does not change.
    let changes = [(view.document.uri.clone(), edits)].into_iter().collect();
    CodeAction {
        title,
        kind: Some(CodeActionKind::QUICKFIX),
        diagnostics: Some(vec![diagnostic(finding, view, &view.lines())]),
        edit: Some(WorkspaceEdit { changes: Some(changes), ..WorkspaceEdit::default() }),
        ..CodeAction::default()
    }
}

/// The advice as a change of this file, where it is one.
fn in_place(finding: &Finding, record: &StatementRecord, view: &View) -> Option<CodeAction> {
    let (deleted, text) = edit(finding, record, &view.project.sources)?;
    let range = view.lines().of_span(view.project.sources.file(deleted.file), deleted);
    let title = match range.start == range.end {
        true => format!("Add {}", plain::cut(&plain::one_line(text.trim()), 60)),
        false => format!("Do it in {}", plain::counted(finding.advice.steps.len(), "step")),
    };
    let edits = vec![TextEdit { range, new_text: text }];
    Some(CodeAction { is_preferred: Some(true), ..action(title, finding, view, edits) })
}

/// The beginning of the statement's first line, and its indentation.
fn above(record: Option<&StatementRecord>, finding: &Finding, view: &View) -> (Range, String) {
    let span = record.map_or(finding.span, |record| record.span);
    let start = view.project.sources.file(span.file).original_range(span).start;
    let text = &view.document.text;
    let line = text.get(..start).and_then(|before| before.rfind('\n')).map_or(0, |end| end + 1);
    let before = text.get(line..start).unwrap_or_default();
    let (at, indent) = match before.trim().is_empty() {
        true => (line, before.to_owned()),
        // Something else is on the line: the comment goes between.
        false => (start, String::new()),
    };
    (view.lines().range(at..at), indent)
}

/// The steps above the statement, as a comment: they belong into migrations of their own.
fn beside(finding: &Finding, record: &StatementRecord, view: &View) -> CodeAction {
    let (range, indent) = above(Some(record), finding, view);
    let mut text = String::new();
    let title = format!("Instead: {}", plain::one_line(&finding.advice.text));
    let steps = words::steps(&finding.advice.steps);
    for line in std::iter::once(title.as_str()).chain(steps.lines()) {
        text.push_str(format!("{indent}-- {}", line.trim_start_matches("-- ")).trim_end());
        text.push('\n');
    }
    action(
        "Write the safe steps above, as a comment".to_owned(),
        finding,
        view,
        vec![TextEdit { range, new_text: text }],
    )
}

/// A comment that allows the finding. The editor that asks for a reason gets a command instead of an edit.
fn allow(finding: &Finding, view: &View, asks_reason: bool) -> CodeAction {
    let record = view.judged.report.statements.iter().find(|record| record.span.contains(finding.span));
    let (range, indent) = above(record, finding, view);
    let title = format!("Allow {} here", finding.rule);
    let text = format!("{indent}-- pgassay: allow({}) ", finding.rule);
    if asks_reason {
        let arguments = json!({
            "uri": view.document.uri,
            "position": range.start,
            "text": text,
        });
        let command =
            Command { title: title.clone(), command: "pgassay.allow".to_owned(), arguments: Some(vec![arguments]) };
        let plain = action(title, finding, view, Vec::new());
        return CodeAction { edit: None, command: Some(command), ..plain };
    }
    action(title, finding, view, vec![TextEdit { range, new_text: format!("{}\n", text.trim_end()) }])
}

/// The steps as migrations of their own, where the names of this one's tool say how: a number or a time, then words.
fn new_files(finding: &Finding, record: &StatementRecord, view: &View) -> Option<CodeAction> {
    let path = view.document.path.as_ref()?;
    let tool = view.project.tool_of(path)?;
    let name = Numbered::read(path.file_name()?.to_str()?)?;
    if view.project.is_last(path) != Some(true) {
        return None;
    }
    let mut operations = Vec::new();
    let mut names = Vec::new();
    for (number, step) in finding.advice.steps.iter().enumerate() {
        let text = file_text(step, tool)?;
        let file = name.next(number as u64 + 1)?;
        let uri = uri_of(&path.with_file_name(&file))?;
        names.push(file);
        let options = CreateFileOptions { overwrite: Some(false), ignore_if_exists: Some(false) };
        let create = CreateFile { uri: uri.clone(), options: Some(options), annotation_id: None };
        operations.push(DocumentChangeOperation::Op(ResourceOp::Create(create)));
        operations.push(DocumentChangeOperation::Edit(document_edit(uri, Range::default(), text)));
    }
    let range = view.lines().of_span(view.project.sources.file(record.span.file), record.span);
    let own = document_edit(view.document.uri.clone(), range, format!("-- see {}", names.join(", ")));
    operations.push(DocumentChangeOperation::Edit(own));
    let title = format!("Move to {}, a step each", plain::counted(names.len(), "new migration"));
    let edit =
        WorkspaceEdit { document_changes: Some(DocumentChanges::Operations(operations)), ..WorkspaceEdit::default() };
    Some(CodeAction { edit: Some(edit), ..action(title, finding, view, Vec::new()) })
}

fn document_edit(uri: lsp_types::Uri, range: Range, new_text: String) -> TextDocumentEdit {
    let text_document = OptionalVersionedTextDocumentIdentifier { uri, version: None };
    TextDocumentEdit { text_document, edits: vec![OneOf::Left(TextEdit { range, new_text })] }
}

/// What stands in a new file of the tool for one step; none where the tool is not known to take it so.
fn file_text(step: &FixStep, framework: Framework) -> Option<String> {
    let alone = step.transaction == StepTransaction::None;
    let head = match (framework, alone) {
        (Framework::Goose, true) => "-- +goose NO TRANSACTION\n-- +goose Up\n",
        (Framework::Goose, false) => "-- +goose Up\n",
        (Framework::Dbmate, true) => "-- migrate:up transaction:false\n",
        (Framework::Dbmate, false) => "-- migrate:up\n",
        (Framework::SqlMigrate, true) => "-- +migrate Up notransaction\n",
        (Framework::SqlMigrate, false) => "-- +migrate Up\n",
        (Framework::Tern, true) => "---- tern: disable-tx ----\n",
        (Framework::Sqlx, true) => "-- no-transaction\n",
        // One statement in a string of its own is in no transaction block.
        (Framework::Sqlx | Framework::GolangMigrate | Framework::Plain, _) => "",
        _ => return None,
    };
    Some(format!("{head}{}\n", step.sql.trim_end()))
}

/// `0042_add_note.up.sql`.
struct Numbered<'n> {
    number: u64,
    width: usize,
    rest: &'n str,
}

impl Numbered<'_> {
    fn read(name: &str) -> Option<Numbered<'_>> {
        let width = name.find(|letter: char| !letter.is_ascii_digit())?;
        let (number, rest) = name.split_at(width);
        let is_plain = rest.starts_with(['_', '-']) && rest.ends_with(".sql") && !rest.ends_with(".down.sql");
        Some(Numbered { number: number.parse().ok()?, width, rest }).filter(|_| is_plain)
    }

    /// The name so many further on.
    fn next(&self, step: u64) -> Option<String> {
        let number = self.number.checked_add(step)?;
        let (words, end) = match self.rest.strip_suffix(".up.sql") {
            Some(words) => (words, ".up.sql"),
            None => (self.rest.strip_suffix(".sql")?, ".sql"),
        };
        Some(format!("{number:0width$}{words}_{step}{end}", width = self.width))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_names_follow_the_old_one() {
        let next = |name: &str| Numbered::read(name).and_then(|name| name.next(2));
        assert_eq!(next("0042_add_note.up.sql").as_deref(), Some("0044_add_note_2.up.sql"));
        assert_eq!(next("20240131235959-x.sql").as_deref(), Some("20240131235961-x_2.sql"));
        assert_eq!(next("0042_add_note.down.sql"), None);
        assert_eq!(next("V1__x.sql"), None);
        assert_eq!(next("readme.sql"), None);
    }
}
