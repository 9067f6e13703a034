//! What rules about schemas ask: the schema under judgement and what is measured of it, its keys, what queries do with its columns, and
//! the steps of an advice. No file here is a rule.

pub(super) mod context;
pub(super) mod example;
pub(super) mod json_sample;
pub(super) mod keys;
pub(crate) mod queries;
pub(super) mod shapes;
pub(super) mod spread;
pub(super) mod steps;
pub(super) mod type_change;
