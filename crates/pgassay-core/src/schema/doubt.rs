//! What may not be as the schema says: code that may have run or not changed it, or a statement that nobody could read.
//!
//! In: the schema before and after a statement that may not have run. Out: whether a refusal by reason of an object can be claimed.

use imbl::OrdSet;
use imbl::ordmap::DiffItem;

use super::{Relation, Schema};
use crate::change::{PrintedName, QualifiedName};

/// Names of which the schema cannot be sure.
#[derive(Debug, Clone, Default)]
pub(super) struct Doubt {
    names: OrdSet<QualifiedName>,
    /// Objects made before this id may have been changed by a text that is not known.
    older_than: u32,
}

impl Schema {
    /// A text that is not known ran: whatever is there may be gone or changed.
    pub fn disturb(&mut self) {
        self.doubt.older_than = self.next_id;
    }

    /// Whether something ran that may have changed all there was.
    pub fn is_disturbed(&self) -> bool {
        self.doubt.older_than > 0
    }

    /// Whether the relation may not be as it is here.
    pub fn is_doubtful(&self, relation: &Relation) -> bool {
        relation.id.0 < self.doubt.older_than || self.doubt.names.contains(&relation.name)
    }

    /// Whether there is doubt about any object of this name, in whatever schema.
    pub fn is_doubtful_name(&self, name: &str) -> bool {
        self.doubt.names.iter().any(|doubtful| doubtful.name == *name)
    }

    /// Notes what a statement changed from `before`: for certain, or perhaps.
    pub fn note_certainty(&mut self, before: &Schema, certain: bool) {
        if certain && self.doubt.names.is_empty() {
            return;
        }
        let mut names: Vec<QualifiedName> = Vec::new();
        for item in before.relations.diff(&self.relations) {
            match item {
                DiffItem::Add(_, relation) | DiffItem::Remove(_, relation) => names.push(relation.name.clone()),
                DiffItem::Update { old: (_, old), new: (_, new) } => {
                    if old.name != new.name || !certain {
                        names.extend([old.name.clone(), new.name.clone()]);
                    }
                }
            }
        }
        // A name that nobody had seen before it was dropped.
        names.extend(self.gone.iter().filter(|name| !before.gone.contains(*name)).cloned());
        for item in before.types.diff(&self.types) {
            match item {
                DiffItem::Add(_, of) | DiffItem::Remove(_, of) | DiffItem::Update { new: (_, of), .. } => {
                    names.push(of.name.clone());
                }
            }
        }
        for item in before.routines.diff(&self.routines) {
            match item {
                DiffItem::Add(_, of) | DiffItem::Remove(_, of) | DiffItem::Update { new: (_, of), .. } => {
                    names.push(of.name.clone());
                }
            }
        }
        for name in names {
            if certain {
                self.doubt.names.remove(&name);
            } else {
                self.doubt.names.insert(name);
            }
        }
    }

    /// Whether a relation, a part of one, a type or a routine of this name may be otherwise: nothing can be said to be refused by
    /// reason of it.
    pub fn doubts_object(&self, object: &PrintedName) -> bool {
        if self.doubt.names.is_empty() && !self.is_disturbed() {
            return false;
        }
        let about = |name: &QualifiedName| object.is_of(name);
        if self.doubt.names.iter().any(about) {
            return true;
        }
        let older = |id: u32| id < self.doubt.older_than;
        match self.relations.values().find(|relation| about(&relation.name)) {
            Some(relation) => older(relation.id.0),
            None => self.is_disturbed(),
        }
    }
}
