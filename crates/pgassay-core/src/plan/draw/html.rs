//! One HTML file to send: no network, and no script needed to read it.
//!
//! The tree is nested elements that fold by themselves; the advice stands below its node. Light and dark follow the reader's system.

use std::io::{self, Write};

use super::super::compare::Comparison;
use super::super::{NodeId, Tip, amount};
use super::{Assayed, columns, comparison, detail, summary, tips, title};
use crate::text::{page, plain};

const STYLE: &str = include_str!("html.css");

/// Writes plans as one HTML document.
///
/// # Errors
/// Those of the writer.
pub fn html(plans: &[Assayed], out: &mut dyn Write) -> io::Result<()> {
    page::begin("Query plan", STYLE, out)?;
    for (at, assayed) in plans.iter().enumerate() {
        if plans.len() > 1 {
            writeln!(out, "<h2>Plan {} of {}</h2>", at + 1, plans.len())?;
        }
        plan(assayed, &prefix(at, plans.len()), out)?;
    }
    page::end("", out)
}

/// Writes what changed between two plans, and the plans, as one HTML document.
///
/// # Errors
/// Those of the writer.
pub fn comparison_html(before: &Assayed, after: &Assayed, found: &Comparison, out: &mut dyn Write) -> io::Result<()> {
    page::begin("Two query plans", STYLE, out)?;
    writeln!(out, "<main>\n<p class=\"totals\">{}</p>", plain::html(&comparison::headline(found)))?;
    if found.changes.is_empty() {
        writeln!(out, "<p>The plans are of the same shape.</p>")?;
    } else {
        writeln!(out, "<ul class=\"changes\">")?;
        for change in &found.changes {
            writeln!(out, "<li><b>{}</b> {}</li>", change.kind.name(), plain::html(&change.text))?;
        }
        writeln!(out, "</ul>")?;
    }
    let show = |number: f64| if found.timed { amount::time(number) } else { amount::short(number) };
    let mut parts = comparison::material(found).peekable();
    if parts.peek().is_some() {
        let what = if found.timed { "own time" } else { "own cost" };
        writeln!(
            out,
            "<table class=\"parts\">\n<tr><th>before</th><th>after</th><th>where it comes from, by {what}</th></tr>"
        )?;
        for part in parts {
            let class = if part.own_after > part.own_before { "worse" } else { "better" };
            let (was, is) = (plain::html(&show(part.own_before)), plain::html(&show(part.own_after)));
            writeln!(
                out,
                "<tr><td>{was}</td><td class=\"{class}\">{is}</td><td>{}</td></tr>",
                plain::html(&part.text)
            )?;
        }
        writeln!(out, "</table>")?;
    }
    writeln!(out, "</main>")?;
    for (at, (name, assayed)) in [("Before", before), ("After", after)].into_iter().enumerate() {
        writeln!(out, "<h2>{name}</h2>")?;
        plan(assayed, &prefix(at, 2), out)?;
    }
    page::end("", out)
}

/// What the names of a plan's nodes begin with in a document of several.
fn prefix(at: usize, plans: usize) -> String {
    if plans > 1 { format!("p{}n", at + 1) } else { "n".to_owned() }
}

fn plan(assayed: &Assayed, prefix: &str, out: &mut dyn Write) -> io::Result<()> {
    let plan = &assayed.plan;
    writeln!(out, "<main>\n<p class=\"totals\">{}</p>", plain::html(&summary::totals(plan).join(" · ")))?;
    if let Some(cut) = &plan.cut {
        writeln!(out, "<p class=\"warning\">{}</p>", plain::html(cut))?;
    }
    if let Some(query) = &plan.query {
        writeln!(out, "<details class=\"query\"><summary>Query</summary><pre>{}</pre></details>", plain::html(query))?;
    }
    advice_of_plan(assayed, prefix, out)?;
    writeln!(
        out,
        "<div class=\"head\"><span>{}</span><span>share</span><span>rows</span><span>expected</span><span>off by</span><span>blocks</span></div>",
        if assayed.shares.timed { "own time" } else { "own cost" }
    )?;
    tree(assayed, prefix, out)?;
    let behind = summary::lines_behind(assayed, true);
    if !behind.is_empty() {
        writeln!(out, "<ul class=\"behind\">")?;
        for line in behind {
            writeln!(out, "<li>{}</li>", plain::html(&line))?;
        }
        writeln!(out, "</ul>")?;
    }
    if !plan.settings.is_empty() {
        let settings: Vec<String> = plan.settings.iter().map(|(name, value)| format!("{name} = {value}")).collect();
        writeln!(out, "<p class=\"settings\">{}</p>", plain::html(&settings.join(", ")))?;
    }
    writeln!(out, "</main>")
}

/// What is said of the plan as a whole, and where its nodes' advice is.
fn advice_of_plan(assayed: &Assayed, prefix: &str, out: &mut dyn Write) -> io::Result<()> {
    if assayed.tips.is_empty() {
        return writeln!(out, "<p class=\"clear\">{}</p>", plain::html(&tips::nothing(assayed)));
    }
    writeln!(out, "<ol class=\"found\">")?;
    for tip in &assayed.tips {
        match tip.node {
            Some(id) => writeln!(
                out,
                "<li><a href=\"#{prefix}{0}\">node {0}</a> {1}.</li>",
                id.number(),
                plain::html(&tip.message)
            )?,
            None => writeln!(out, "<li>{}. {}{}</li>", plain::html(&tip.message), plain::html(&tip.advice), sql(tip))?,
        }
    }
    writeln!(out, "</ol>")
}

/// The nodes nested as they are in the plan. A deep plan nests deeply, which is why this does not call itself.
fn tree(assayed: &Assayed, prefix: &str, out: &mut dyn Write) -> io::Result<()> {
    let plan = &assayed.plan;
    let mut open: Vec<NodeId> = Vec::new();
    for id in plan.ids() {
        while open.last().copied() != plan.node(id).parent && open.pop().is_some() {
            writeln!(out, "{CLOSE}")?;
        }
        node(assayed, id, prefix, out)?;
        open.push(id);
    }
    open.iter().try_for_each(|_| writeln!(out, "{CLOSE}"))
}

/// What ends a node.
const CLOSE: &str = "</div></details>";

fn node(assayed: &Assayed, id: NodeId, prefix: &str, out: &mut dyn Write) -> io::Result<()> {
    let (node, own) = (assayed.plan.node(id), assayed.shares[id]);
    let heat = match own.own_share {
        share if share >= 0.4 => "hot",
        share if share >= 0.1 => "warm",
        _ => "cool",
    };
    let size = match (assayed.shares.timed, own.own_time) {
        _ if node.never_executed() => "never".to_owned(),
        (true, Some(time)) => amount::time(time),
        (true, None) => String::new(),
        (false, _) => amount::short(own.own_cost),
    };
    let rows = node.actual_rows().map(amount::short).unwrap_or_default();
    let expected = node.expected_rows().map(amount::short).unwrap_or_default();
    let off = assayed.plan.rows_ratio(id).map(columns::off_by).unwrap_or_default();
    let blocks = own.own_buffers.accessed();
    let blocks = if blocks > 0.0 { amount::blocks(blocks) } else { String::new() };
    let tipped = if assayed.tips_of(id).next().is_some() { " tipped" } else { "" };
    writeln!(
        out,
        "<details open class=\"node {heat}{tipped}\" id=\"{prefix}{}\"><summary><b class=\"number\">{}</b><span class=\"title\">{}</span><span class=\"numbers\"><span>{}</span><span class=\"bar\"><i style=\"width:{:.1}%\"></i><em>{}</em></span><span data-name=\"rows\">{}</span><span data-name=\"expected\">{}</span><span data-name=\"off by\">{}</span><span data-name=\"blocks\">{}</span></span></summary><div>",
        id.number(),
        id.number(),
        plain::html(&title::full(node)),
        plain::html(&size),
        own.own_share * 100.0,
        amount::percent(own.own_share).replace('<', "&lt;"),
        plain::html(&rows),
        plain::html(&expected),
        plain::html(&off),
        plain::html(&blocks)
    )?;
    let shown = detail::lines(assayed, id, false).len();
    let details = detail::lines(assayed, id, true);
    for detail in details.iter().take(shown) {
        writeln!(out, "<p class=\"detail\">{}{}</p>", plain::html(&detail.text), plain::html(&detail.behind))?;
    }
    if details.len() > shown {
        writeln!(out, "<details class=\"more\"><summary>more</summary>")?;
        for detail in details.iter().skip(shown) {
            writeln!(out, "<p class=\"detail\">{}{}</p>", plain::html(&detail.text), plain::html(&detail.behind))?;
        }
        writeln!(out, "</details>")?;
    }
    for tip in assayed.tips_of(id) {
        writeln!(
            out,
            "<div class=\"tip\"><p><strong>{}.</strong></p><p>{}</p>{}<p class=\"kind\">{}, confidence {}</p></div>",
            plain::html(&tip.message),
            plain::html(&tip.advice),
            sql(tip),
            tip.kind,
            tip.confidence.name()
        )?;
    }
    Ok(())
}

fn sql(tip: &Tip) -> String {
    if tip.sql.is_empty() { String::new() } else { format!("<pre>{}</pre>", plain::html(&tip.sql.join("\n"))) }
}
