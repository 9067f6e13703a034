//! The six operators that compare by an order, and what follows from each.

use std::cmp::Ordering;

use sqlparser::ast::BinaryOperator;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    Less,
    LessOrEqual,
    Equal,
    GreaterOrEqual,
    Greater,
    NotEqual,
}

impl Comparison {
    pub fn of(op: &BinaryOperator) -> Option<Comparison> {
        Some(match op {
            BinaryOperator::Lt => Comparison::Less,
            BinaryOperator::LtEq => Comparison::LessOrEqual,
            BinaryOperator::Eq => Comparison::Equal,
            BinaryOperator::GtEq => Comparison::GreaterOrEqual,
            BinaryOperator::Gt => Comparison::Greater,
            BinaryOperator::NotEq => Comparison::NotEqual,
            _ => return None,
        })
    }

    pub fn operator(self) -> BinaryOperator {
        match self {
            Comparison::Less => BinaryOperator::Lt,
            Comparison::LessOrEqual => BinaryOperator::LtEq,
            Comparison::Equal => BinaryOperator::Eq,
            Comparison::GreaterOrEqual => BinaryOperator::GtEq,
            Comparison::Greater => BinaryOperator::Gt,
            Comparison::NotEqual => BinaryOperator::NotEq,
        }
    }

    pub fn negated(self) -> Comparison {
        match self {
            Comparison::Less => Comparison::GreaterOrEqual,
            Comparison::LessOrEqual => Comparison::Greater,
            Comparison::Equal => Comparison::NotEqual,
            Comparison::GreaterOrEqual => Comparison::Less,
            Comparison::Greater => Comparison::LessOrEqual,
            Comparison::NotEqual => Comparison::Equal,
        }
    }

    /// The same with its sides exchanged.
    pub fn commuted(self) -> Comparison {
        match self {
            Comparison::Less => Comparison::Greater,
            Comparison::LessOrEqual => Comparison::GreaterOrEqual,
            Comparison::GreaterOrEqual => Comparison::LessOrEqual,
            Comparison::Greater => Comparison::Less,
            Comparison::Equal | Comparison::NotEqual => self,
        }
    }

    /// Whether it holds for two values of this order.
    pub fn holds(self, order: Ordering) -> bool {
        match self {
            Comparison::Less => order.is_lt(),
            Comparison::LessOrEqual => order.is_le(),
            Comparison::Equal => order.is_eq(),
            Comparison::GreaterOrEqual => order.is_ge(),
            Comparison::Greater => order.is_gt(),
            Comparison::NotEqual => order.is_ne(),
        }
    }

    /// Whether `x self value` proves `x wanted limit`, with the order of value to limit (the table `BT_implies_table`, predtest.c).
    pub fn implies(self, wanted: Comparison, order: Ordering) -> bool {
        use Comparison::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
        match (self, wanted) {
            (Equal, wanted) => wanted.holds(order),
            (LessOrEqual, Less) => order.is_lt(),
            (Less | LessOrEqual, LessOrEqual) | (Less, Less) => order.is_le(),
            (GreaterOrEqual, Greater) => order.is_gt(),
            (Greater | GreaterOrEqual, GreaterOrEqual) | (Greater, Greater) => order.is_ge(),
            (NotEqual, NotEqual) => order.is_eq(),
            (Less, NotEqual) => order.is_le(),
            (LessOrEqual, NotEqual) => order.is_lt(),
            (Greater, NotEqual) => order.is_ge(),
            (GreaterOrEqual, NotEqual) => order.is_gt(),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Comparison; 6] = [
        Comparison::Less,
        Comparison::LessOrEqual,
        Comparison::Equal,
        Comparison::GreaterOrEqual,
        Comparison::Greater,
        Comparison::NotEqual,
    ];

    /// Of half numbers, so that there is a value between any two bounds.
    #[test]
    fn what_is_implied_holds_of_every_value_and_nothing_else_is() {
        for (known, wanted) in ALL.iter().flat_map(|known| ALL.map(|wanted| (*known, wanted))) {
            for (value, limit) in [(2, 6), (4, 4), (6, 2)] {
                let passes = |x: &i32| known.holds(x.cmp(&value));
                let all = (-2..12).filter(passes).all(|x| wanted.holds(x.cmp(&limit)));
                assert_eq!(
                    known.implies(wanted, value.cmp(&limit)),
                    all,
                    "x {known:?} {value} => x {wanted:?} {limit}"
                );
            }
        }
    }

    #[test]
    fn sides_and_negations_go_back_to_themselves() {
        for one in ALL {
            assert_eq!(one.commuted().commuted(), one);
            assert_eq!(one.negated().negated(), one);
            assert_eq!(Comparison::of(&one.operator()), Some(one));
        }
    }
}
