//! What is said where no rule has a tip: that all is well is a claim that needs a reason.

use crate::plan::{NodeId, Plan, Shares};

/// A plan that took less is fast, in milliseconds.
const FAST: f64 = 100.0;

/// Of the whole: one node's own part from which it is named.
const MOST: f64 = 0.5;

/// Why there is no tip.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Verdict {
    /// Milliseconds that are little.
    Fast(f64),
    /// One node takes most of the time, and no rule knows a remedy: its share.
    OneNode(NodeId, f64),
    /// No node takes most of the time.
    Spread,
    /// Only estimates are known.
    Estimated,
    /// Neither costs nor times are known.
    Unknown,
}

/// Why a plan without tips has none.
pub fn verdict(plan: &Plan, shares: &Shares) -> Verdict {
    if !plan.is_analyzed() {
        return if plan.root().estimate.is_some() { Verdict::Estimated } else { Verdict::Unknown };
    }
    let Some(total) = plan.total_time() else { return Verdict::Estimated };
    if total < FAST {
        return Verdict::Fast(total);
    }
    let most = plan.ids().max_by(|a, b| shares[*a].own_share.total_cmp(&shares[*b].own_share));
    match most.map(|id| (id, shares[id].own_share)) {
        Some((id, share)) if share >= MOST => Verdict::OneNode(id, share),
        _ => Verdict::Spread,
    }
}
