//! The numbers beside the tree: which of them there are, how wide, and each node's.

use super::super::{NodeId, amount};
use super::line::{self, BOLD, DIM, PLAIN, RED, YELLOW};
use super::{Assayed, Bars, Options, title};

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
    /// With the columns of the terminal that each takes.
    columns: Vec<(Column, usize)>,
    timed: bool,
    measured: Measured,
    /// Digits of the greatest node number.
    pub number_width: usize,
    pub tree_width: usize,
}

/// The share of each node in what the bars measure.
struct Measured {
    bars: Bars,
    /// By node.
    shares: Vec<f64>,
}

impl Measured {
    fn of(assayed: &Assayed, bars: Bars) -> Measured {
        let plan = &assayed.plan;
        let values: Vec<f64> = plan.ids().map(|id| measure(assayed, id, bars)).collect();
        let greatest = values.iter().copied().fold(0.0, f64::max);
        // Blocks and waits add up to the whole; rows and errors do not.
        let whole = match bars {
            Bars::Rows | Bars::Error => greatest,
            _ => values.iter().sum(),
        };
        Measured { bars, shares: values.iter().map(|value| if whole > 0.0 { value / whole } else { 0.0 }).collect() }
    }

    fn share(&self, assayed: &Assayed, id: NodeId) -> f64 {
        match self.bars {
            Bars::Time => assayed.shares[id].own_share,
            _ => self.shares[id.0],
        }
    }
}

fn measure(assayed: &Assayed, id: NodeId, bars: Bars) -> f64 {
    let node = assayed.plan.node(id);
    match bars {
        Bars::Time => assayed.shares[id].own_share,
        Bars::Rows => node.actual_rows().or_else(|| node.expected_rows()).unwrap_or(0.0),
        Bars::Buffers => assayed.shares[id].own_buffers.accessed(),
        Bars::Io => {
            let below: f64 = assayed.plan.children(id).map(|child| child.counters.io.total()).sum();
            let waited = assayed.plan.nodes.iter().any(|node| node.counters.io.total() > 0.0);
            if waited { (node.counters.io.total() - below).max(0.0) } else { assayed.shares[id].own_buffers.read() }
        }
        Bars::Error => assayed.plan.rows_ratio(id).map_or(0.0, |ratio| ratio.max(f64::MIN_POSITIVE).log10().abs()),
    }
}

/// Between columns.
const GAP: usize = 1;

/// Columns that names have at least, and those that the other columns give way for.
const SHORTEST_NAMES: usize = 20;
const MOST_FOR_NAMES: usize = 44;

/// A share or more of the whole is red, or yellow.
const MUCH: f64 = 0.4;
const SOME: f64 = 0.1;

impl Columns {
    pub fn of(assayed: &Assayed, options: Options) -> Columns {
        let plan = &assayed.plan;
        let width = options.width;
        let costs = plan.nodes.iter().any(|node| node.estimate.is_some());
        let mut columns = Vec::new();
        if assayed.shares.timed || costs || options.bars != Bars::Time {
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
        let mut drawn = Columns {
            columns: Vec::new(),
            timed: assayed.shares.timed,
            measured: Measured::of(assayed, options.bars),
            number_width,
            tree_width: 0,
        };
        // As wide as the widest value, and the title.
        drawn.columns = columns
            .into_iter()
            .map(|column| {
                let values = plan.ids().map(|id| line::columns(&drawn.value(column, assayed, id).0));
                let title = line::columns(drawn.title(column)).max(column.least_width());
                (column, values.fold(title, usize::max))
            })
            .collect();
        drawn.tree_width = drawn.tree_width(assayed, width);
        drawn
    }

    /// What the other columns leave, but no more than the longest title needs.
    fn tree_width(&mut self, assayed: &Assayed, width: usize) -> usize {
        let longest = assayed.plan.ids().map(|id| {
            let depth = assayed.plan.ancestors(id).count();
            3 * depth + line::columns(&title::full(assayed.plan.node(id)))
        });
        let longest = longest.max().unwrap_or(0).max(SHORTEST_NAMES);
        let room = |columns: &[(Column, usize)]| {
            let taken: usize = columns.iter().map(|(_, width)| width + GAP).sum();
            width.saturating_sub(taken + self.number_width + 2)
        };
        // Where names would be cut, the bar goes first, then the blocks and what was expected: which table it is matters more.
        let mut columns = self.columns.clone();
        for spare in [Column::Bar(0), Column::Blocks, Column::ExpectedRows] {
            if room(&columns) < longest.min(MOST_FOR_NAMES) {
                columns.retain(|(column, _)| std::mem::discriminant(column) != std::mem::discriminant(&spare));
            }
        }
        let names = room(&columns).min(longest);
        self.columns = columns;
        names
    }

    pub fn header(&self) -> String {
        self.columns.iter().map(|(column, width)| format!(" {}", line::right(self.title(*column), *width))).collect()
    }

    fn title(&self, column: Column) -> &'static str {
        match column {
            Column::Own if self.timed => "own time",
            Column::Own => "own cost",
            Column::Bar(_) => "",
            Column::Share => match self.measured.bars {
                Bars::Time => "",
                Bars::Rows => "by rows",
                Bars::Buffers => "by blocks",
                Bars::Io => "by I/O",
                Bars::Error => "by error",
            },
            Column::ActualRows => "rows",
            Column::ExpectedRows => "est.",
            Column::Factor => "off by",
            Column::Blocks => "blocks",
        }
    }

    pub fn row(&self, assayed: &Assayed, id: NodeId) -> String {
        let cells = self.columns.iter().map(|(column, width)| {
            let (text, style) = self.value(*column, assayed, id);
            let text =
                if matches!(column, Column::Bar(_)) { line::left(&text, *width) } else { line::right(&text, *width) };
            format!(" {}", line::paint(style, &text))
        });
        cells.collect()
    }

    fn value(&self, column: Column, assayed: &Assayed, id: NodeId) -> (String, anstyle::Style) {
        let (node, own) = (assayed.plan.node(id), assayed.shares[id]);
        let hot = match self.measured.share(assayed, id) {
            share if share >= MUCH => RED,
            share if share >= SOME => YELLOW,
            _ => PLAIN,
        };
        let never = node.never_executed();
        match column {
            Column::Own if never => ("never".to_owned(), DIM),
            Column::Own if self.timed => {
                (own.own_time.map(amount::time).unwrap_or_default(), if hot == PLAIN { BOLD } else { hot })
            }
            Column::Own => (amount::short(own.own_cost), BOLD),
            Column::Bar(_) | Column::Share if never => (String::new(), PLAIN),
            Column::Bar(width) => (line::bar(self.measured.share(assayed, id), width), hot),
            // They do not add up to a whole.
            Column::Share if matches!(self.measured.bars, Bars::Rows | Bars::Error) => (String::new(), PLAIN),
            Column::Share => (amount::percent(self.measured.share(assayed, id)), hot),
            Column::ActualRows if never => ("–".to_owned(), DIM),
            Column::ActualRows => {
                (node.actual_rows().map(amount::short).unwrap_or_default(), off_style(assayed.plan.rows_ratio(id)))
            }
            Column::ExpectedRows => {
                let rows = if never { node.estimate.map(|estimate| estimate.rows) } else { node.expected_rows() };
                (rows.map(amount::short).unwrap_or_default(), DIM)
            }
            Column::Factor => {
                let ratio = assayed.plan.rows_ratio(id);
                (ratio.map(off_by).unwrap_or_default(), off_style(ratio))
            }
            Column::Blocks => {
                let blocks = own.own_buffers.accessed();
                (if blocks > 0.0 { amount::blocks(blocks) } else { String::new() }, PLAIN)
            }
        }
    }
}

impl Column {
    fn least_width(self) -> usize {
        match self {
            Column::Own => 8,
            Column::Bar(width) => width,
            Column::Share => 4,
            Column::ActualRows | Column::ExpectedRows => 5,
            Column::Factor | Column::Blocks => 7,
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
