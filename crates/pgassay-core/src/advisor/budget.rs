//! What of the advice fits into a size.
//!
//! The sets to choose from do not depend on the size, and the best that fits is taken: with more room nothing is worse, and a size that does not
//! bind changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::choose::{Plans, Work};

/// Smaller indexes that are tried in the place of one.
const SMALLER: usize = 3;

/// Indexes, how large they are together, and how long all queries take with them.
struct Set {
    chosen: BTreeSet<usize>,
    bytes: f64,
    left: f64,
}

impl Work<'_> {
    pub(super) fn within_budget(&mut self, chosen: BTreeSet<usize>, plans: Plans) -> (BTreeSet<usize>, Plans) {
        let size = |work: &Self, set: &BTreeSet<usize>| work.bytes(&set.iter().copied().collect::<Vec<_>>());
        let Some(budget) = self.limits.size_budget.map(|budget| budget as f64) else { return (chosen, plans) };
        if size(self, &chosen) <= budget {
            return (chosen, plans);
        }
        let fits = self.sets(&chosen, &plans).into_iter().filter(|set| set.bytes <= budget);
        let best = fits.min_by(|a, b| a.left.total_cmp(&b.left).then(a.bytes.total_cmp(&b.bytes)));
        let chosen = best.map(|set| set.chosen).unwrap_or_default();
        let plans = self.plan_all(&chosen);
        (chosen, plans)
    }

    /// From all indexes down to none, at each step the one that saves least for its size gone or made smaller; and each of those sets filled up
    /// with what went before, while it stays smaller than the set above it.
    fn sets(&mut self, all: &BTreeSet<usize>, plans: &Plans) -> Vec<Set> {
        let mut path = vec![self.set(all.clone(), plans)];
        let mut steps = vec![plans.clone()];
        let mut gone: Vec<usize> = Vec::new();
        while let (Some(now), Some(plans)) = (path.last().map(|set| set.chosen.clone()), steps.last().cloned()) {
            let Some((chosen, plans, place)) = self.cheapest_step(&now, &plans) else { break };
            if !chosen.contains(&place) {
                gone.push(place);
            }
            path.push(self.set(chosen, &plans));
            steps.push(plans);
        }
        let mut filled = Vec::new();
        for pair in 1..path.len() {
            let limit = path[pair - 1].bytes;
            let mut chosen = path[pair].chosen.clone();
            for place in gone.iter().rev() {
                let more: BTreeSet<usize> = chosen.iter().copied().chain([*place]).collect();
                let bytes = self.bytes(&more.iter().copied().collect::<Vec<_>>());
                if more.len() > chosen.len() && bytes < limit {
                    chosen = more;
                    let plans = self.plan_all(&chosen);
                    filled.push(self.set(chosen.clone(), &plans));
                }
            }
        }
        path.into_iter().chain(filled).collect()
    }

    fn set(&self, chosen: BTreeSet<usize>, plans: &Plans) -> Set {
        let bytes = self.bytes(&chosen.iter().copied().collect::<Vec<_>>());
        Set { chosen, bytes, left: self.likely_left(plans) }
    }

    /// The step that loses least for the bytes it frees: the set after it, its plans, and the index that went.
    fn cheapest_step(&mut self, chosen: &BTreeSet<usize>, plans: &Plans) -> Option<(BTreeSet<usize>, Plans, usize)> {
        let mut best: Option<(f64, BTreeSet<usize>, Plans, usize)> = None;
        for place in chosen {
            let mut instead: Vec<Option<usize>> = vec![None];
            instead.extend(self.smaller(*place, chosen).into_iter().take(SMALLER).map(Some));
            for other in instead {
                let mut others: BTreeSet<usize> = chosen.clone();
                others.remove(place);
                others.extend(other);
                let Some(change) = self.change(&[*place], &others, plans, f64::INFINITY) else { continue };
                let bytes = |place: usize| self.offers[place].estimate.bytes;
                let freed = bytes(*place) - other.map_or(0.0, bytes);
                let worth = change.loss / freed.max(1.0);
                if best.as_ref().is_none_or(|(least, ..)| worth < *least) {
                    let mut after: BTreeMap<_, _> = plans.clone();
                    after.extend(change.plans);
                    best = Some((worth, others, after, *place));
                }
            }
        }
        best.map(|(_, chosen, plans, place)| (chosen, plans, place))
    }
}
