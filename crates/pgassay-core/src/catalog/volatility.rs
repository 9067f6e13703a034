//! How far the result of a function may change (manual, "Function Volatility Categories").

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub enum Volatility {
    Immutable,
    Stable,
    #[default]
    Volatile,
}
