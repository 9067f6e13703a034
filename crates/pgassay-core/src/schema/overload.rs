//! The overloads of a routine's name, told apart without looking at each routine.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::{Routine, RoutineId};
use crate::change::TypeName;

/// One routine of a name, with what its arguments are called: types of different names differ, unless one is written as `table.column%TYPE`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Overload {
    pub id: RoutineId,
    /// Of the input arguments, and of all: a procedure may be named with its OUT arguments too. None where one is not told by its name.
    signatures: Option<[u64; 2]>,
}

impl Overload {
    pub fn of(routine: &Routine) -> Overload {
        let inputs = signature(routine.inputs().map(|it| &it.data_type));
        let all = signature(routine.arguments.iter().map(|it| &it.data_type));
        Overload { id: routine.id, signatures: inputs.zip(all).map(|(inputs, all)| [inputs, all]) }
    }
}

/// Those that may take arguments of these types, in the order of their creation.
pub(super) fn like(overloads: &[Overload], arguments: &[TypeName]) -> Vec<RoutineId> {
    let wanted = signature(arguments.iter());
    let may = |it: &&Overload| match (it.signatures, wanted) {
        (Some(signatures), Some(wanted)) => signatures.contains(&wanted),
        _ => true,
    };
    overloads.iter().filter(may).map(|it| it.id).collect()
}

fn signature<'a>(types: impl Iterator<Item = &'a TypeName>) -> Option<u64> {
    let mut hasher = DefaultHasher::new();
    for written in types {
        if written.name.as_str().contains('%') {
            return None;
        }
        (&written.name, written.array_dimensions > 0).hash(&mut hasher);
    }
    Some(hasher.finish())
}
