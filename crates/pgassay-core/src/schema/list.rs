//! The parts of an object that there may be thousands of: policies, triggers, constraints, privileges.

use std::fmt;
use std::slice;
use std::sync::Arc;

use imbl::Vector;
use imbl::vector;

/// Parts in the order of their making. A copy shares them, and a change copies what it changes: each statement of a history keeps the
/// schema that it meets.
pub struct List<T>(Vector<Arc<T>>);

impl<T> List<T> {
    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> Iter<'_, T> {
        Iter { lots: self.0.leaves(), front: [].iter(), back: [].iter(), left: self.0.len() }
    }

    pub fn get(&self, at: usize) -> Option<&T> {
        self.0.get(at).map(|part| &**part)
    }

    pub fn first(&self) -> Option<&T> {
        self.get(0)
    }

    pub fn last(&self) -> Option<&T> {
        self.0.last().map(|part| &**part)
    }

    pub fn push(&mut self, part: T) {
        self.0.push_back(Arc::new(part));
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Keeps the parts of which the test is true; where all are kept, nothing is copied.
    pub fn retain(&mut self, mut keep: impl FnMut(&T) -> bool) {
        let Some(first) = self.iter().position(|part| !keep(part)) else { return };
        let mut kept = self.0.take(first);
        kept.extend(self.0.iter().skip(first + 1).filter(|part| keep(part)).cloned());
        self.0 = kept;
    }
}

impl<T: PartialEq> List<T> {
    pub fn contains(&self, part: &T) -> bool {
        self.iter().any(|it| it == part)
    }
}

impl<T: Clone> List<T> {
    /// Changes the parts of which the test is true; the others stay shared.
    pub fn change(&mut self, is: impl Fn(&T) -> bool, mut change: impl FnMut(&mut T)) {
        let chosen: Vec<usize> = self.iter().enumerate().filter(|(_, part)| is(part)).map(|(at, _)| at).collect();
        for at in chosen {
            if let Some(part) = self.0.get_mut(at) {
                change(Arc::make_mut(part));
            }
        }
    }

    /// Takes a part out of the list.
    pub fn remove(&mut self, at: usize) -> T {
        Arc::unwrap_or_clone(self.0.remove(at))
    }

    /// The first part of which the test is true.
    pub fn find_mut(&mut self, is: impl Fn(&T) -> bool) -> Option<&mut T> {
        let at = self.iter().position(is)?;
        self.0.get_mut(at).map(Arc::make_mut)
    }
}

impl<T> Clone for List<T> {
    fn clone(&self) -> List<T> {
        List(self.0.clone())
    }
}

impl<T> Default for List<T> {
    fn default() -> List<T> {
        List(Vector::new())
    }
}

impl<T: fmt::Debug> fmt::Debug for List<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self).finish()
    }
}

impl<T: PartialEq> PartialEq for List<T> {
    fn eq(&self, other: &List<T>) -> bool {
        let same = |(one, other): (&Arc<T>, &Arc<T>)| Arc::ptr_eq(one, other) || one == other;
        self.0.ptr_eq(&other.0) || (self.0.len() == other.0.len() && self.0.iter().zip(&other.0).all(same))
    }
}

impl<T> FromIterator<T> for List<T> {
    fn from_iter<I: IntoIterator<Item = T>>(parts: I) -> List<T> {
        List(parts.into_iter().map(Arc::new).collect())
    }
}

impl<T> Extend<T> for List<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, parts: I) {
        self.0.extend(parts.into_iter().map(Arc::new));
    }
}

impl<T> From<Vec<T>> for List<T> {
    fn from(parts: Vec<T>) -> List<T> {
        parts.into_iter().collect()
    }
}

impl<'a, T> IntoIterator for &'a List<T> {
    type Item = &'a T;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

/// Walks the parts lot by lot, as they lie in memory: one by one, the vector looks each of them up.
pub struct Iter<'a, T> {
    lots: vector::Chunks<'a, Arc<T>, imbl::shared_ptr::DefaultSharedPtr>,
    front: slice::Iter<'a, Arc<T>>,
    back: slice::Iter<'a, Arc<T>>,
    left: usize,
}

impl<'a, T> Iterator for Iter<'a, T> {
    type Item = &'a T;

    fn next(&mut self) -> Option<&'a T> {
        let part = loop {
            if let Some(part) = self.front.next() {
                break part;
            }
            match self.lots.next() {
                Some(lot) => self.front = lot.iter(),
                None => break self.back.next()?,
            }
        };
        self.left -= 1;
        Some(part)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<T> DoubleEndedIterator for Iter<'_, T> {
    fn next_back(&mut self) -> Option<Self::Item> {
        let part = loop {
            if let Some(part) = self.back.next_back() {
                break part;
            }
            match self.lots.next_back() {
                Some(lot) => self.back = lot.iter(),
                None => break self.front.next_back()?,
            }
        };
        self.left -= 1;
        Some(part)
    }
}

impl<T> ExactSizeIterator for Iter<'_, T> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_walked_from_both_ends() {
        let list: List<u32> = (0..1_000).collect();
        assert!(list.iter().copied().eq(0..1_000));
        assert!(list.iter().rev().copied().eq((0..1_000).rev()));
        let mut iter = list.iter();
        let (mut front, mut back) = (Vec::new(), Vec::new());
        while iter.len() > 0 {
            front.extend(iter.next());
            back.extend(iter.next_back());
        }
        assert!(iter.next().is_none() && iter.next_back().is_none());
        assert!(front.into_iter().chain(back.into_iter().rev()).copied().eq(0..1_000));
    }

    #[test]
    fn what_is_not_kept_goes() {
        let mut list: List<u32> = (0..300).collect();
        list.retain(|part| part % 7 != 3);
        assert!(list.iter().copied().eq((0..300).filter(|part| part % 7 != 3)));
        let whole = list.clone();
        list.retain(|_| true);
        assert!(list.0.ptr_eq(&whole.0));
    }
}
