//! PL/pgSQL.

use super::token::Text;
use super::{Span, Statement};

pub(super) fn read_plpgsql(_text: &Text) -> (Vec<Statement>, Vec<Span>) {
    (Vec::new(), Vec::new())
}
