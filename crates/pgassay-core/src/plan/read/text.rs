//! EXPLAIN (FORMAT TEXT) to raw properties: the place of an arrow says which node a node belongs to.

use serde_json::Value;

use super::raw::{NUMBERS, Properties, RawNode, RawPlan, get};
use super::text_summary::{self, Section, is_summary, summary_key};
use super::undecorate::Line;
use super::{ReadError, find, measure, number_line, shape, text_node, text_property};

/// What an open indentation belongs to.
enum Open {
    Node(usize),
    /// `CTE x`, `InitPlan 1`, `SubPlan 2` of a node.
    Header {
        node: usize,
        name: String,
    },
    /// `Worker 0` of a node.
    Worker {
        node: usize,
        worker: usize,
    },
}

/// By what a node is known to belong to another.
#[derive(Clone, Copy, PartialEq)]
enum Tree {
    /// The columns of the arrows.
    Columns,
    /// The number of inputs that each type of node has.
    Inputs,
}

struct Reader {
    plan: RawPlan,
    /// Columns of what is open, outermost first.
    open: Vec<(usize, Open)>,
    /// With [`Tree::Inputs`]: nodes that wait for inputs, and how many.
    waiting: Vec<(usize, usize)>,
    /// By node: how many plain children it has so far.
    inputs: Vec<usize>,
    section: Section,
    tree: Tree,
    bare: bool,
    cut: Option<String>,
}

/// Whether a line can be the first of a plan; `bare` means one without costs and times.
pub(super) fn is_root(line: &str, bare: bool) -> bool {
    let line = line.trim_start();
    !line.starts_with("->")
        && (text_node::read(line, false).is_some()
            || bare && !has_numbers(line) && text_node::read_bare(line, false).is_some()
            || number_line::is_open(line) && text_node::read_cut(line, false).is_some())
}

/// Whether a line begins with the arrow of a node that has costs or times.
pub(super) fn is_arrow(content: &str) -> bool {
    content.strip_prefix("->").is_some_and(|name| text_node::read(name.trim_start(), true).is_some())
}

/// Whether a line has the costs or times of a node.
pub(super) fn has_numbers(line: &str) -> bool {
    number_line::is_one(line)
}

/// Whether a line begins something below a node: `Key: value`, a worker, a subplan.
pub(super) fn begins_property(content: &str) -> bool {
    is_header(content) || worker_line(content).is_some() || key_and_value(content).is_some()
}

pub(super) fn is_header(content: &str) -> bool {
    let marked = ["CTE ", "InitPlan ", "SubPlan "].iter().any(|mark| content.starts_with(mark));
    // Without a number before 9.1.
    (marked || matches!(content, "InitPlan" | "SubPlan")) && !content.contains(": ")
}

/// What a text without its indentation is refused with.
const LOST: &str = "the indentation is lost, and with it which node belongs to which: copy the plan with it, or use EXPLAIN (FORMAT JSON)";

/// What the line of a node itself tells, besides its numbers.
const OF_FIRST_LINE: &[&str] = &[
    "Node Type",
    "Strategy",
    "Command",
    "Operation",
    "Join Type",
    "Partial Mode",
    "Parallel Aware",
    "Async Capable",
    "Scan Direction",
    "Index Name",
    "Schema",
    "Relation Name",
    "Alias",
    "Function Name",
    "Table Function Name",
    "CTE Name",
    "Tuplestore Name",
    "Custom Plan Provider",
    "Parent Relationship",
    "Subplan Name",
    "Annotation",
];

fn is_of_first_line(key: &str) -> bool {
    OF_FIRST_LINE.contains(&key) || NUMBERS.contains(&key)
}

/// What a plan is refused with whose times are of an unknown number of loops.
const WITHOUT_LOOPS: &str =
    "rows= or loops= is missing after the times of a node: without them its total time is unknown";

/// What is said of a property whose numbers would be lost.
const UNMEASURED: &str = "the numbers of this property cannot be read";

/// What was read of one plan.
pub(super) struct Read {
    pub plan: RawPlan,
    /// What is missing at its end.
    pub cut: Option<String>,
}

/// Reads the lines of one plan.
///
/// # Errors
/// With the line and column of what is no node although it has a node's numbers, or of an arrow that points at no node.
pub(super) fn read(lines: &[Line], bare: bool) -> Result<Read, ReadError> {
    if !is_indented(lines) {
        return by_inputs(lines, bare);
    }
    let read = run(lines, bare, Tree::Columns)?;
    match shape::has_too_many(&read.plan) {
        true => by_inputs(lines, bare),
        false => Ok(read),
    }
}

fn by_inputs(lines: &[Line], bare: bool) -> Result<Read, ReadError> {
    let read = run(lines, bare, Tree::Inputs);
    match read {
        Ok(read) if shape::missing(&read.plan).is_none() => Ok(read),
        // Lines that cannot be read are named as such.
        Err(error) if error.message != LOST => Err(error),
        _ => {
            let arrow = lines.iter().find(|line| line.text.trim_start().starts_with("->")).unwrap_or(&lines[0]);
            Err(ReadError::at(arrow, column(&arrow.text), LOST))
        }
    }
}

fn column(text: &str) -> usize {
    text.chars().take_while(|c| c.is_whitespace()).count()
}

/// Whether every arrow stands right of the plan's first line, and what is said of a node right of its arrow.
fn is_indented(lines: &[Line]) -> bool {
    let Some(first) = lines.iter().position(|line| !line.text.trim().is_empty()) else { return true };
    let root = column(&lines[first].text);
    let mut last = None;
    for line in &lines[first + 1..] {
        let content = line.text.trim_start();
        let at = column(&line.text);
        if content.starts_with("->") {
            if at <= root {
                return false;
            }
            last = Some(at);
        } else if is_summary(content) {
            return true;
        } else if last.is_some_and(|arrow| at <= arrow) && key_and_value(content).is_some() && !is_header(content) {
            return false;
        }
    }
    true
}

fn run(lines: &[Line], bare: bool, tree: Tree) -> Result<Read, ReadError> {
    let mut reader = Reader {
        plan: RawPlan::default(),
        open: Vec::new(),
        waiting: Vec::new(),
        inputs: Vec::new(),
        section: Section::Nodes,
        tree,
        bare,
        cut: None,
    };
    let last = lines.iter().rposition(|line| !line.text.trim().is_empty()).unwrap_or(0);
    for (at, line) in lines.iter().enumerate() {
        reader.line(line, at == last)?;
    }
    if !shape::complete_loops(&mut reader.plan) {
        return Err(ReadError::at(&lines[0], column(&lines[0].text), WITHOUT_LOOPS));
    }
    let cut = reader.cut.or_else(|| shape::missing(&reader.plan));
    Ok(Read { plan: reader.plan, cut })
}

impl Reader {
    fn line(&mut self, line: &Line, last: bool) -> Result<(), ReadError> {
        let text = line.text.trim_end();
        let content = text.trim_start();
        let column = text.chars().count() - content.chars().count();
        if content.is_empty() {
            return Ok(());
        }
        let first = self.plan.nodes.is_empty();
        let arrow = content.strip_prefix("->").map(str::trim_start);
        if first || arrow.is_some() {
            let name = arrow.unwrap_or(content);
            let Some(properties) = self.node_line(name, arrow.is_some(), last) else {
                return Err(ReadError::at(line, column, "the node's costs or times cannot be read"));
            };
            if !first {
                self.close(column);
            }
            return self.node(column, properties).map_err(|message| ReadError::at(line, column, message));
        }
        if (has_numbers(content) || number_line::is_rest(content)) && self.section == Section::Nodes {
            let message = "this line has the costs or times of a node, and no arrow before them";
            return Err(ReadError::at(line, column, message));
        }
        let in_worker = matches!(self.open.last(), Some((at, Open::Worker { .. })) if *at < column);
        if let Some((key, value)) = summary_key(content).filter(|(key, _)| !(in_worker && *key == "JIT")) {
            self.section = text_summary::begin(key, value, &mut self.plan.properties);
            return Ok(());
        }
        match self.section {
            Section::Nodes if self.tree == Tree::Inputs => {
                self.flat_property(content).map_err(|message| ReadError::at(line, column, message))?
            }
            Section::Nodes => self.property(column, content).map_err(|message| ReadError::at(line, column, message))?,
            section => text_summary::detail(section, content, &mut self.plan.properties),
        }
        Ok(())
    }

    /// Reads a node; one that the text ends in, as far as it goes.
    fn node_line(&mut self, name: &str, arrow: bool, last: bool) -> Option<Properties> {
        if let Some(properties) = text_node::read(name, arrow) {
            return Some(properties);
        }
        if last && (number_line::is_open(name) || name.ends_with('(')) {
            self.cut = Some("the plan is cut in its last line".to_owned());
            return text_node::read_cut(name, arrow);
        }
        if has_numbers(name) || number_line::is_open(name) || !arrow && !self.bare {
            return None;
        }
        // In the middle of its name.
        if last && !self.bare && text_node::read_bare(name, false).is_none() {
            self.cut = Some("the plan is cut in its last line".to_owned());
        }
        text_node::read_bare(name, arrow)
    }

    /// Closes what begins at this column or right of it.
    fn close(&mut self, column: usize) {
        while self.open.last().is_some_and(|(at, _)| *at >= column) {
            self.open.pop();
        }
    }

    fn node(&mut self, column: usize, properties: Properties) -> Result<(), &'static str> {
        if self.tree == Tree::Inputs {
            return self.flat_node(properties);
        }
        let mut properties = properties;
        let mut set = |key: &str, value: &str| properties.push((key.to_owned(), value.into()));
        let parent = match self.open.last() {
            None => None,
            Some((_, Open::Header { node, name })) => {
                set("Parent Relationship", if name.starts_with("SubPlan") { "SubPlan" } else { "InitPlan" });
                set("Subplan Name", name);
                Some(*node)
            }
            Some((_, Open::Node(node) | Open::Worker { node, .. })) => {
                set("Parent Relationship", self.relationship(*node));
                Some(*node)
            }
        };
        let at = self.push(parent, properties);
        self.open.push((column, Open::Node(at)));
        Ok(())
    }

    fn push(&mut self, parent: Option<usize>, properties: Properties) -> usize {
        let node = RawNode { parent, properties, ..RawNode::default() };
        if let Some(parent) = parent.filter(|_| matches!(relationship_of(&node), Some("Outer" | "Inner"))) {
            self.inputs[parent] += 1;
        }
        self.plan.nodes.push(node);
        self.inputs.push(0);
        self.section = Section::Nodes;
        self.plan.nodes.len() - 1
    }

    /// Without indentation, a node is an input of the last one that waits for some.
    fn flat_node(&mut self, mut properties: Properties) -> Result<(), &'static str> {
        while self.waiting.last().is_some_and(|(_, inputs)| *inputs == 0) {
            self.waiting.pop();
        }
        let parent = match self.waiting.last_mut() {
            Some((parent, inputs)) => {
                *inputs -= 1;
                Some(*parent)
            }
            None if self.plan.nodes.is_empty() => None,
            None => return Err(LOST),
        };
        if let Some(parent) = parent {
            properties.push(("Parent Relationship".to_owned(), self.relationship(parent).into()));
        }
        let at = self.push(parent, properties);
        let inputs = shape::inputs_without_indentation(self.node_type(at)).ok_or(LOST)?;
        self.waiting.push((at, inputs));
        self.open = vec![(0, Open::Node(at))];
        Ok(())
    }

    fn flat_property(&mut self, content: &str) -> Result<(), &'static str> {
        if is_header(content) {
            return Err(LOST);
        }
        // Below the last node, whatever the column.
        self.property(usize::MAX, content)
    }

    /// Of the next plain child of a node, as JSON says it.
    fn relationship(&self, parent: usize) -> &'static str {
        match self.node_type(parent) {
            "Append" | "Merge Append" | "BitmapAnd" | "BitmapOr" => return "Member",
            "Subquery Scan" => return "Subquery",
            _ => {}
        }
        if self.inputs[parent] > 0 { "Inner" } else { "Outer" }
    }

    fn node_type(&self, node: usize) -> &str {
        get(&self.plan.nodes[node].properties, "Node Type").and_then(Value::as_str).unwrap_or_default()
    }

    fn property(&mut self, column: usize, content: &str) -> Result<(), &'static str> {
        // A literal with line breaks goes on at any column, as does a condition that a terminal broke.
        if begins_property(content) || !self.is_in_condition() {
            self.close(column);
        }
        let (node, worker) = match self.open.last() {
            Some((_, Open::Node(node) | Open::Header { node, .. })) => (*node, None),
            Some((_, Open::Worker { node, worker })) => (*node, Some(*worker)),
            // A copy may have lost the root's own indentation.
            None => (0, None),
        };
        if self.open.is_empty() {
            self.open.push((0, Open::Node(0)));
        }
        if let Some((number, rest)) = worker_line(content) {
            let at = self.worker(node, number);
            self.open.push((column, Open::Worker { node, worker: at }));
            return self.worker_property(node, at, rest.trim());
        }
        if let Some(worker) = worker {
            return self.worker_property(node, worker, content);
        }
        if is_header(content) {
            self.open.push((column, Open::Header { node, name: content.to_owned() }));
            return Ok(());
        }
        let node_type = self.node_type(node).to_owned();
        let properties = &mut self.plan.nodes[node].properties;
        match key_and_value(content) {
            Some((key, value)) => {
                let value = measure::value(key, value).ok_or(UNMEASURED)?;
                text_property::read(&node_type, key, value, properties);
            }
            // The further tables of an UPDATE of partitions stand without a key.
            None if node_type == "ModifyTable" && content.contains(" on ") => {
                properties.push(("Target".to_owned(), content.into()));
            }
            None if self.bare && text_node::begins_with_known(content) => return Err(LOST),
            // What is said of the node has not begun.
            None if properties.iter().all(|(key, _)| is_of_first_line(key)) => {
                properties.push(("Note".to_owned(), content.into()));
            }
            // A literal with line breaks goes on, or a condition.
            None => match properties.last_mut() {
                Some((_, Value::String(text))) if find::is_open(text) => {
                    if text.matches('\'').count() % 2 == 1 {
                        text.push('\n');
                    }
                    text.push_str(content);
                }
                Some((_, Value::Array(items))) if matches!(items.last(), Some(Value::String(_))) => {
                    if let Some(Value::String(text)) = items.last_mut() {
                        text.push(' ');
                        text.push_str(content);
                    }
                }
                _ => properties.push(("Note".to_owned(), content.into())),
            },
        }
        Ok(())
    }

    /// Whether the last condition ends in the middle of a literal or a parenthesis.
    fn is_in_condition(&self) -> bool {
        let Some((_, Open::Node(node))) = self.open.last() else { return false };
        let last = self.plan.nodes[*node].properties.last().and_then(|(_, value)| value.as_str());
        last.is_some_and(find::is_open)
    }

    /// The place of a worker in its node, by its number.
    fn worker(&mut self, node: usize, number: u32) -> usize {
        let workers = &mut self.plan.nodes[node].workers;
        let known = workers
            .iter()
            .position(|worker| get(worker, "Worker Number").and_then(Value::as_u64) == Some(number.into()));
        known.unwrap_or_else(|| {
            workers.push(vec![("Worker Number".to_owned(), number.into())]);
            workers.len() - 1
        })
    }

    fn worker_property(&mut self, node: usize, worker: usize, content: &str) -> Result<(), &'static str> {
        let node_type = self.node_type(node).to_owned();
        let properties = &mut self.plan.nodes[node].workers[worker];
        if let Some(actual) = content.strip_prefix("actual ") {
            for word in actual.split_whitespace() {
                match word.split_once('=') {
                    Some(("time", times)) => {
                        if let Some((first, last)) = times.split_once("..") {
                            properties.push(("Actual Startup Time".to_owned(), first.into()));
                            properties.push(("Actual Total Time".to_owned(), last.into()));
                        }
                    }
                    Some(("rows", rows)) => properties.push(("Actual Rows".to_owned(), rows.into())),
                    Some(("loops", loops)) => properties.push(("Actual Loops".to_owned(), loops.into())),
                    _ => {}
                }
            }
        } else if let Some((key, value)) = key_and_value(content) {
            let value = measure::value(key, value).ok_or(UNMEASURED)?;
            text_property::read(&node_type, key, value, properties);
        }
        Ok(())
    }
}

fn relationship_of(node: &RawNode) -> Option<&str> {
    get(&node.properties, "Parent Relationship").and_then(Value::as_str)
}

/// `Worker 1:  actual time=…` to the number and the rest.
fn worker_line(content: &str) -> Option<(u32, &str)> {
    let (number, rest) = content.strip_prefix("Worker ")?.split_once(':')?;
    Some((number.parse().ok()?, rest))
}

/// Splits `Key: value`. A key begins with a capital and holds no quotes or parentheses.
pub(super) fn key_and_value(content: &str) -> Option<(&str, &str)> {
    let (key, value) = content.split_once(": ").or_else(|| content.strip_suffix(':').map(|key| (key, "")))?;
    let plausible = key.starts_with(|c: char| c.is_ascii_uppercase())
        && key.len() <= 40
        && !key.contains(['(', ')', '\'', '"', '=', ',']);
    plausible.then_some((key, value))
}
