//! What people would rather see than read: bars of what is measured.

/// Bars with one meaning.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    pub title: String,
    /// What the parts of a bar are.
    pub parts: Vec<&'static str>,
    pub bars: Vec<Bar>,
    /// What a full bar is; the longest if none.
    pub full: Option<f64>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    pub name: String,
    /// One after the other, as long as each.
    pub parts: Vec<f64>,
    /// As people read it.
    pub value: String,
}
