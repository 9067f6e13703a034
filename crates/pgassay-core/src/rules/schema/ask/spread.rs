//! How the numbers of a column lie, by the histogram of ANALYZE: where they are dense, and where single ones are far from the others.
//!
//! The bounds of a histogram part the rows into buckets of equal numbers of rows (`compute_scalar_stats`, analyze.c): the narrower a
//! bucket, the denser its numbers. Knows one column; which sequence numbers it, and what is to be done, is the rules'.

use crate::rules::schema::SchemaContext;
use crate::schema::{Column, Relation};

/// A bucket with less than this share of the usual density holds numbers that were not given in order.
const SPARSE: f64 = 0.1;

/// Numbers that a sequence gives out before it meets taken ones, where the table has fewer rows than that.
const SOON: f64 = 10_000.0;

#[derive(Debug, Clone, PartialEq)]
pub struct Spread {
    /// At least two, in order.
    bounds: Vec<i64>,
    rows_per_bucket: f64,
    usual_density: f64,
    rows: f64,
}

/// What a sequence meets.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Meets {
    /// It is among the numbers of rows, of which this share is taken.
    Now { taken: f64 },
    /// It gets there after so many more.
    After { numbers: i64 },
}

impl Spread {
    /// None without a histogram.
    pub fn of(context: &SchemaContext, table: &Relation, column: &Column) -> Option<Spread> {
        let facts = context.column_facts(table, column)?;
        let bounds: Vec<i64> =
            facts.histogram.as_ref()?.values().into_iter().filter_map(|value| value.parse().ok()).collect();
        let common: f64 = facts.most_common_frequencies.iter().map(|share| f64::from(*share)).sum();
        let rows = context.rows(table)? * (1.0 - f64::from(facts.null_fraction) - common).max(0.0);
        Spread::new(bounds, rows)
    }

    fn new(bounds: Vec<i64>, rows: f64) -> Option<Spread> {
        let buckets = bounds.len().checked_sub(1).filter(|buckets| *buckets > 0)?;
        let mut spread = Spread { bounds, rows_per_bucket: rows / buckets as f64, usual_density: 0.0, rows };
        let mut densities: Vec<f64> = (0..buckets).map(|bucket| spread.density(bucket)).collect();
        densities.sort_by(f64::total_cmp);
        spread.usual_density = densities[buckets / 2];
        Some(spread)
    }

    /// Rows for each number of a bucket.
    fn density(&self, bucket: usize) -> f64 {
        let width = self.bounds[bucket + 1] as f64 - self.bounds[bucket] as f64;
        self.rows_per_bucket / width.max(1.0)
    }

    fn is_sparse(&self, bucket: usize) -> bool {
        self.density(bucket) < self.usual_density * SPARSE
    }

    /// The bounds up to which numbers were given in order: without those at the top that are far above the others.
    fn in_order(&self) -> usize {
        let mut last = self.bounds.len() - 1;
        while last > 0 && self.is_sparse(last - 1) {
            last -= 1;
        }
        last
    }

    /// The largest number that ANALYZE saw, but for single ones far above the others.
    pub fn reached(&self) -> i64 {
        self.bounds[self.in_order()]
    }

    /// Whether no number is far from the others.
    pub fn is_whole(&self) -> bool {
        (0..self.bounds.len() - 1).all(|bucket| !self.is_sparse(bucket))
    }

    /// No two numbers given in order are as far from each other.
    pub fn gap(&self) -> i64 {
        ((1.0 / (self.usual_density * SPARSE)).ceil() as i64).max(1000)
    }

    /// What a sequence meets whose next number is `next`: it gives every `increment`-th one.
    pub fn meets(&self, next: i64, increment: i64) -> Option<Meets> {
        let ahead = |bucket: &usize| self.bounds[bucket + 1] >= next && !self.is_sparse(*bucket);
        let bucket = (0..self.in_order()).find(ahead)?;
        // Another site that counts with the same step takes none of these.
        let step = increment as f64;
        let same = |bound: &i64| *bound >= next && (i128::from(*bound) - i128::from(next)) % i128::from(increment) == 0;
        let is_met = increment == 1
            || self.density(bucket) > (step - 1.0) / step + 0.02
            || self.bounds[..=self.in_order()].iter().any(same);
        if !is_met {
            return None;
        }
        let start = self.bounds[bucket];
        if start <= next {
            return Some(Meets::Now { taken: self.density(bucket) });
        }
        let numbers = (start as f64 - next as f64) / step;
        // Just before them, as far from the first as they are from each other.
        if numbers * step <= 10.0 / self.density(bucket) {
            return Some(Meets::Now { taken: self.density(bucket) });
        }
        (numbers <= self.rows.max(SOON)).then_some(Meets::After { numbers: numbers as i64 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 101 bounds of numbers given in order, and what is beside them.
    fn spread(end: i64, beside: &[i64]) -> Spread {
        let mut bounds: Vec<i64> = (0..=100).map(|at| 1 + at * (end - 1) / 100).collect();
        bounds.extend(beside);
        Spread::new(bounds, end as f64).expect("bounds")
    }

    #[test]
    fn a_number_far_above_the_others_is_in_nobodys_way() {
        for beside in [&[i64::from(i32::MAX)][..], &[999_999_999], &[1_000_000, i64::MAX], &[i64::MAX]] {
            let spread = spread(20_000, beside);
            assert_eq!((spread.reached(), spread.is_whole()), (20_000, false), "{beside:?}");
            assert_eq!(spread.meets(20_001, 1), None, "{beside:?}");
            assert!(matches!(spread.meets(7, 1), Some(Meets::Now { taken }) if taken > 0.9), "{beside:?}");
        }
    }

    #[test]
    fn a_sequence_at_the_end_of_its_rows_meets_none() {
        assert_eq!(spread(20_000, &[]).meets(20_001, 1), None);
        assert!(matches!(spread(20_000, &[]).meets(19_990, 1), Some(Meets::Now { .. })));
    }

    #[test]
    fn what_another_site_gives_is_not_taken() {
        // Odd numbers here, even ones from there.
        let even = |end: i64| (0..=100).map(|at| 2 + at * (end / 100)).collect::<Vec<_>>();
        let other = Spread::new(even(80_000), 40_000.0).expect("bounds");
        assert_eq!(other.meets(40_001, 2), None);
        assert!(matches!(other.meets(40_002, 2), Some(Meets::Now { .. })));
        // All numbers are there: whatever the step, some of its own are.
        let all = spread(80_000, &[]);
        assert!(matches!(all.meets(401, 50), Some(Meets::Now { .. })));
    }

    #[test]
    fn a_gap_before_taken_numbers_is_a_warning_in_time() {
        let block: Vec<i64> = (0..=100).map(|at| 5_000 + at * 100).collect();
        let imported = Spread::new([vec![1], block].concat(), 10_000.0).expect("bounds");
        assert_eq!(imported.meets(1_000, 1), Some(Meets::After { numbers: 4_000 }));
        let far: Vec<i64> = (0..=100).map(|at| 1_000_000_000 + at * 100).collect();
        let of_another = Spread::new([vec![1], far].concat(), 10_000.0).expect("bounds");
        assert_eq!(of_another.meets(1_000, 1), None);
    }
}
