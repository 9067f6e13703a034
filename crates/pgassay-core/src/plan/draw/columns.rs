//! The numbers beside the tree: which of them there are, how wide, and each node's.

use super::super::{NodeId, amount};
use super::line::{self, BOLD, DIM, PLAIN, RED, YELLOW};
use super::{Assayed, Options};

/// What stands in one column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    /// Own time or own cost.
    Own,
    Bar(usize),
    Share,
    ActualRows,
    ExpectedRows,
    /// How far the estimate is off.
    Factor,
    Blocks,
}

pub(super) struct Columns {
    columns: Vec<Column>,
    timed: bool,
    /// Digits of the greatest node number.
    pub number_width: usize,
    pub tree_width: usize,
}

/// Between columns.
const GAP: usize = 1;

/// A share or more of the whole is red, or yellow.
const MUCH: f64 = 0.4;
const SOME: f64 = 0.1;

impl Columns {
    pub fn of(assayed: &Assayed, options: Options) -> Columns {
        let plan = &assayed.plan;
        let width = options.width;
        let costs = plan.nodes.iter().any(|node| node.estimate.is_some());
        let mut columns = Vec::new();
        if assayed.shares.timed || costs {
            columns.push(Column::Own);
            if width >= 72 {
                columns.push(Column::Bar(if width >= 110 { 10 } else { 6 }));
            }
            columns.push(Column::Share);
        }
        if plan.is_analyzed() && width >= 50 {
            columns.push(Column::ActualRows);
        }
        if costs && width >= 60 {
            columns.push(Column::ExpectedRows);
        }
        if plan.is_analyzed() && costs && width >= 90 {
            columns.push(Column::Factor);
        }
        if plan.has_buffers() && width >= 80 {
            columns.push(Column::Blocks);
        }
        let number_width = plan.nodes.len().to_string().len().max(2);
        let taken: usize = columns.iter().map(|column| column.width() + GAP).sum();
        let tree_width = width.saturating_sub(taken + number_width + 2);
        Columns { columns, timed: assayed.shares.timed, number_width, tree_width }
    }

    pub fn header(&self) -> String {
        let titles = self.columns.iter().map(|column| {
            let title = match column {
                Column::Own if self.timed => "own time",
                Column::Own => "own cost",
                Column::Bar(_) => "",
                Column::Share => "",
                Column::ActualRows => "rows",
                Column::ExpectedRows => "est.",
                Column::Factor => "off by",
                Column::Blocks => "blocks",
            };
            format!(" {}", line::right(title, column.width()))
        });
        titles.collect()
    }

    pub fn row(&self, assayed: &Assayed, id: NodeId) -> String {
        self.columns.iter().map(|column| format!(" {}", self.cell(*column, assayed, id))).collect()
    }

    fn cell(&self, column: Column, assayed: &Assayed, id: NodeId) -> String {
        let (node, own) = (assayed.plan.node(id), assayed.shares[id]);
        let width = column.width();
        let hot = match own.own_share {
            share if share >= MUCH => RED,
            share if share >= SOME => YELLOW,
            _ => PLAIN,
        };
        let never = node.never_executed();
        match column {
            Column::Own if never => line::paint(DIM, &line::right("never", width)),
            Column::Own if self.timed => {
                let text = own.own_time.map(amount::time).unwrap_or_default();
                line::paint(if hot == PLAIN { BOLD } else { hot }, &line::right(&text, width))
            }
            Column::Own => line::paint(BOLD, &line::right(&amount::short(own.own_cost), width)),
            Column::Bar(_) if never => " ".repeat(width),
            Column::Bar(_) => line::paint(hot, &line::bar(own.own_share, width)),
            Column::Share if never => " ".repeat(width),
            Column::Share => line::paint(hot, &line::right(&amount::percent(own.own_share), width)),
            Column::ActualRows if never => line::paint(DIM, &line::right("–", width)),
            Column::ActualRows => {
                let rows = node.actual_rows().map(amount::short).unwrap_or_default();
                line::paint(off_style(assayed.plan.rows_ratio(id)), &line::right(&rows, width))
            }
            Column::ExpectedRows => {
                let rows = if never { node.estimate.map(|estimate| estimate.rows) } else { node.expected_rows() };
                line::paint(DIM, &line::right(&rows.map(amount::short).unwrap_or_default(), width))
            }
            Column::Factor => {
                let ratio = assayed.plan.rows_ratio(id);
                line::paint(off_style(ratio), &line::right(&ratio.map(off_by).unwrap_or_default(), width))
            }
            Column::Blocks => {
                let blocks = own.own_buffers.accessed();
                let text = if blocks > 0.0 { amount::blocks(blocks) } else { String::new() };
                line::right(&text, width)
            }
        }
    }
}

impl Column {
    fn width(self) -> usize {
        match self {
            Column::Own => 8,
            Column::Bar(width) => width,
            Column::Share => 4,
            Column::ActualRows | Column::ExpectedRows => 5,
            Column::Factor => 7,
            Column::Blocks => 7,
        }
    }
}

/// `▲ 12×` for more rows than expected, `▼ 12×` for fewer; nothing below a factor of 2.
pub(super) fn off_by(ratio: f64) -> String {
    match ratio {
        ratio if ratio >= 2.0 => format!("▲ {}", amount::factor(ratio)),
        ratio if ratio <= 0.5 => format!("▼ {}", amount::factor(1.0 / ratio)),
        _ => String::new(),
    }
}

fn off_style(ratio: Option<f64>) -> anstyle::Style {
    match ratio.map(|ratio| ratio.max(1.0 / ratio)) {
        Some(factor) if factor >= 100.0 => RED,
        Some(factor) if factor >= 10.0 => YELLOW,
        _ => PLAIN,
    }
}
