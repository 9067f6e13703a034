//! What is worked out of an object once, when somebody asks, and kept with it.

use std::sync::{Arc, OnceLock};

/// It follows from the rest of the object, so that it is no part of what is compared.
#[derive(Debug, Clone)]
pub struct Kept<T>(Arc<OnceLock<T>>);

impl<T> Kept<T> {
    pub fn get_or(&self, work_out: impl FnOnce() -> T) -> &T {
        self.0.get_or_init(work_out)
    }
}

impl<T> Default for Kept<T> {
    fn default() -> Kept<T> {
        Kept(Arc::default())
    }
}

impl<T> PartialEq for Kept<T> {
    fn eq(&self, _: &Kept<T>) -> bool {
        true
    }
}
