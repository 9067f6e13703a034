//! Findings about what a called routine does: they are reported at the statement that calls it.
//!
//! In: the findings of one statement of a routine's body. Out: the same, at the call; steps that change the text of a statement go, for
//! the text is the routine's.

use crate::finding::{Evidence, Finding};
use crate::history::Step;

/// `first` is the index of the step's first finding.
pub(super) fn tell_at_call(step: &Step, findings: &mut Vec<Finding>, first: usize) {
    let new = findings.split_off(first);
    for mut finding in new {
        finding.span = step.span();
        finding.advice.steps.clear();
        finding.evidence.push(Evidence::declared("a routine does it that this statement calls"));
        let same = |other: &Finding| {
            (other.rule, other.span, &other.object, &other.message)
                == (finding.rule, finding.span, &finding.object, &finding.message)
        };
        if !findings.iter().any(same) {
            findings.push(finding);
        }
    }
}
