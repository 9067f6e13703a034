//! goose: `<version>_<name>.sql` with `-- +goose Up`, `-- +goose Down` and more annotations.
//!
//! Recognised by a line `-- +goose Up`. goose reads line by line and sends one statement at a time: up to a line that ends with a
//! semicolon, or from `StatementBegin` to `StatementEnd`. It knows nothing of literals, so neither does this reader: an annotation
//! inside of a dollar quote counts, and a line that ends with a semicolon inside of one cuts it (which is noted).

use std::ops::Range;

use super::folder::{File, Folder};
use super::line::{Line, lines};
use super::order::has_version;
use super::scan::is_quoted;
use super::tools::{Entry, Input, Order, Part, Split, Tool};
use super::variables::Style;
use super::{Direction, Framework, TransactionMode};

pub(super) struct Goose;

impl Tool for Goose {
    fn framework(&self) -> Framework {
        Framework::Goose
    }

    fn fails_on_byte_order_mark(&self) -> bool {
        true
    }

    fn detect(&self, folder: &Folder) -> bool {
        let is_up = |line: Line<'_>| annotation(line.text).as_deref() == Some("UP");
        let has_up = |text: &str| text.contains("+goose") && lines(text).any(is_up);
        folder.is_mostly(|file| has_up(file.text()))
    }

    fn order(&self, folder: &Folder) -> Order {
        let files = folder.own_sql().filter(|file| has_version(file.name()));
        let mut order = Order::by_number("goose", files.map(|file| Entry::new(file.stem(), file)));
        order.note_ignored("goose", "its name does not start with a version and _", folder.own_sql());
        for file in folder.own().filter(|file| file.has_extension("go") && has_version(file.name())) {
            order.notes.push((file.path.clone(), "a migration written in Go is not read".to_owned()));
        }
        order
    }

    fn split(&self, input: &Input<'_>) -> Split {
        let read = Annotated::read(input.text);
        let mut split = Split { notes: read.notes, ..Split::default() };
        let transaction = if read.transaction { TransactionMode::Wrapped } else { TransactionMode::OneString };
        for (direction, span) in [(Direction::Up, &read.up), (Direction::Down, &read.down)] {
            let Some(span) = span else { continue };
            let statements = read.statements.iter().filter(|(of, _)| *of == direction);
            // Where it cuts a text in quotes, the server gets the halves.
            let parts = if read.transaction && !read.cut.contains(&direction) {
                vec![Part { range: span.clone(), transaction }]
            } else {
                statements.map(|(_, range)| Part { range: range.clone(), transaction }).collect()
            };
            split = split.with(direction, parts);
        }
        split
    }

    fn placeholders(&self, file: &File) -> Style {
        let on = lines(file.text()).any(|line| annotation(line.text).as_deref() == Some("ENVSUB ON"));
        if on { Style::Defaulted } else { Style::None }
    }
}

/// The annotation of a line, in upper case. goose refuses one with blank before it.
fn annotation(line: &str) -> Option<String> {
    let rest = line.strip_prefix("--")?;
    let (before, after) = rest.split_once("+goose")?;
    let words = format!("{before}{after}").replace("--", "");
    Some(words.split_whitespace().collect::<Vec<_>>().join(" ").to_ascii_uppercase())
}

/// A file as goose reads it.
struct Annotated {
    up: Option<Range<usize>>,
    down: Option<Range<usize>>,
    /// What goose sends one by one.
    statements: Vec<(Direction, Range<usize>)>,
    transaction: bool,
    notes: Vec<(Range<usize>, String)>,
    /// The directions with a statement that is cut inside of a quoted text.
    cut: Vec<Direction>,
    /// The direction that the reader is in.
    direction: Option<Direction>,
    in_block: bool,
    /// Where the statement that is not complete yet starts.
    open: Option<usize>,
}

impl Annotated {
    fn read(text: &str) -> Annotated {
        let mut file = Annotated {
            up: None,
            down: None,
            statements: Vec::new(),
            transaction: true,
            notes: Vec::new(),
            cut: Vec::new(),
            direction: None,
            in_block: false,
            open: None,
        };
        for line in lines(text) {
            match annotation(line.text) {
                Some(annotation) => file.annotation(&annotation, line),
                None => file.sql(line, text),
            }
        }
        file.end_part(text.len());
        if let Some(open) = file.open {
            let message = "goose refuses a statement without a semicolon at the end of a line".to_owned();
            file.notes.push((open..text.trim_end().len().max(open), message));
        }
        if file.up.is_none() {
            file.notes.push((0..0, "goose refuses a file without -- +goose Up".to_owned()));
        }
        file
    }

    fn annotation(&mut self, annotation: &str, line: Line<'_>) {
        match annotation {
            "UP" => self.start_part(Direction::Up, line),
            "DOWN" => self.start_part(Direction::Down, line),
            "STATEMENTBEGIN" => (self.in_block, self.open) = (true, Some(line.next)),
            "STATEMENTEND" => {
                self.in_block = false;
                self.end_statement(line.start);
            }
            "NO TRANSACTION" => self.transaction = false,
            "ENVSUB ON" | "ENVSUB OFF" => {}
            _ => self.notes.push((line.range(), "goose does not know this annotation and refuses the file".to_owned())),
        }
    }

    fn sql(&mut self, line: Line<'_>, text: &str) {
        let code = line.text.trim();
        if code.is_empty() || code.starts_with("--") {
            return;
        }
        let Some(direction) = self.direction else {
            let message = "goose refuses SQL before -- +goose Up".to_owned();
            return self.notes.push((line.range(), message));
        };
        let start = *self.open.get_or_insert(line.start);
        if self.in_block || !ends_with_semicolon(line.text) {
            return;
        }
        let end = line.start + line.text.trim_end().len();
        let statement = &text[start..end];
        if statement.rfind(';').is_some_and(|last| is_quoted(statement, last)) {
            let message =
                "goose cuts the statement here, inside of a quoted text: it needs -- +goose StatementBegin".to_owned();
            self.notes.push((line.range(), message));
            self.cut.push(direction);
        }
        self.end_statement(end);
    }

    fn end_statement(&mut self, end: usize) {
        if let (Some(direction), Some(start)) = (self.direction, self.open.take()) {
            self.statements.push((direction, start..end));
        }
    }

    fn start_part(&mut self, direction: Direction, line: Line<'_>) {
        self.end_part(line.start);
        let part = match direction {
            Direction::Up => &mut self.up,
            Direction::Down => &mut self.down,
        };
        *part = Some(line.next..line.next);
        self.direction = Some(direction);
    }

    fn end_part(&mut self, end: usize) {
        let part = match self.direction {
            Some(Direction::Up) => self.up.as_mut(),
            Some(Direction::Down) => self.down.as_mut(),
            None => None,
        };
        if let Some(part) = part {
            part.end = end;
        }
    }
}

/// As goose sees it: the last word before one that starts with `--`.
fn ends_with_semicolon(line: &str) -> bool {
    let words = line.split_whitespace().take_while(|word| !word.starts_with("--"));
    words.last().is_some_and(|word| word.ends_with(';'))
}
