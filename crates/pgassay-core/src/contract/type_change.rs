//! Column types that changed: whether old values, old parameters and old reads still fit.
//!
//! Judged by what the server does with a value on its way in (assignment casts, length and range checks) and on its way out (the
//! type that drivers see), not by the name of the target alone.

use super::built_in_change::built_in;
use super::pair::Pair;
use super::witness::{differs, insert, refused, select};
use super::{Breakage, BreakageKind, Grade, check, values};
use crate::change::TypeName;
use crate::schema::{Column, ColumnType, ResolvedType, Schema, TypeDefinition};
use crate::text::quoting;

/// Why the new type does not do for clients of the old one.
pub(super) struct Misfit {
    pub(super) grade: Grade,
    pub(super) why: String,
    pub(super) probe: Probe,
}

/// What shows it.
pub(super) enum Probe {
    /// A literal that the old type took: SQLSTATE and message.
    Write(String, &'static str, String),
    /// A predicate on the column, written with `{}` for its name.
    Filter(String, &'static str, String),
    /// A literal that both take, what is read of it (`{}` for the column), and how that differs.
    Store(String, &'static str, String),
    /// `pg_typeof` differs.
    Type,
}

pub(super) fn diff(pair: Pair, old: &Column, new: &Column) -> Option<Breakage> {
    if old.data_type == new.data_type && pair.same() {
        return None;
    }
    let types = Types { before: pair.context.before, after: pair.context.after };
    let misfit = types.misfit(&old.data_type, &new.data_type)?;
    let object = pair.column_object(old);
    let from = values::type_name(pair.context.before, &old.data_type);
    let to = values::type_name(pair.context.after, &new.data_type);
    let writable = pair.old.is_table() && old.generated.is_none();
    let schema = pair.context.before;
    let witness = match misfit.probe {
        Probe::Write(value, code, message) if writable => {
            refused(insert(schema, pair.old, &[(old.id, value)], 1), code, message)
        }
        Probe::Filter(predicate, code, message) => {
            let predicate = predicate.replace("{}", &old.name.to_string());
            refused(format!("SELECT * FROM {} WHERE {predicate}", pair.old.name), code, message)
        }
        Probe::Store(value, read, after) if writable => {
            let returning = read.replace("{}", &old.name.to_string());
            differs(format!("{} RETURNING {returning}", insert(schema, pair.old, &[(old.id, value)], 1)), after)
        }
        Probe::Type | Probe::Write(..) | Probe::Store(..) => differs(
            format!("SELECT pg_typeof(({}))", select(pair.old, &old.name)),
            match is_unknown(&old.data_type) {
                true => format!("answers {to}, whatever it was before"),
                false => format!("answers {to} instead of {from}"),
            },
        ),
    };
    Some(Breakage {
        kind: if pair.old.is_table() { BreakageKind::ColumnTypeChanged } else { BreakageKind::ViewColumnsChanged },
        grade: misfit.grade,
        subject: pair.column_subject(old),
        message: match is_unknown(&old.data_type) {
            true => format!("{object} is now {to}: {}", misfit.why),
            false => format!("{object} changes from {from} to {to}: {}", misfit.why),
        },
        object,
        witness,
    })
}

/// Whether clients see another type in a routine's result or an attribute.
pub(super) fn reads_differently(before: &Schema, after: &Schema, old: &ColumnType, new: &ColumnType) -> bool {
    (Types { before, after }).misfit(old, new).is_some()
}

/// The type of a column that a partial history only names.
fn is_unknown(data_type: &ColumnType) -> bool {
    data_type.resolved == ResolvedType::Unknown
        && data_type.written.schema.is_none()
        && data_type.written.name == "unknown"
}

pub(super) struct Types<'a> {
    before: &'a Schema,
    after: &'a Schema,
}

pub(super) fn certain(why: impl Into<String>, probe: Probe) -> Option<Misfit> {
    Some(Misfit { grade: Grade::Certain, why: why.into(), probe })
}

pub(super) fn possible(why: impl Into<String>, probe: Probe) -> Option<Misfit> {
    Some(Misfit { grade: Grade::Possible, why: why.into(), probe })
}

pub(super) const INTEGERS: [&str; 3] = ["int2", "int4", "int8"];
pub(super) const FLOATS: [&str; 2] = ["float4", "float8"];

pub(super) fn is_integer(name: &str) -> bool {
    INTEGERS.contains(&name)
}

pub(super) fn is_number(name: &str) -> bool {
    is_integer(name) || FLOATS.contains(&name) || name == "numeric"
}

pub(super) fn is_text(name: &str) -> bool {
    matches!(name, "text" | "varchar" | "bpchar")
}

impl Types<'_> {
    fn misfit(&self, old: &ColumnType, new: &ColumnType) -> Option<Misfit> {
        if self.same_to_clients(old, new) {
            return None;
        }
        if is_unknown(old) {
            return possible("what its type was is not known here", Probe::Type);
        }
        if (old.written.array_dimensions > 0) != (new.written.array_dimensions > 0) {
            return certain("values of the old type are refused and the new one reads back differently", Probe::Type);
        }
        if old.written.array_dimensions > 0 {
            let grade = self.misfit(&old.element(), &new.element())?.grade;
            return Some(Misfit {
                grade,
                why: "elements are taken and read differently".to_owned(),
                probe: Probe::Type,
            });
        }
        let base_old = values::base_type(self.before, old);
        let base_new = values::base_type(self.after, new);
        let misfit = match (base_old.resolved, base_new.resolved) {
            _ if self.same_to_clients(base_old, base_new) => None,
            (ResolvedType::BuiltIn, ResolvedType::BuiltIn) => built_in(base_old, base_new),
            (ResolvedType::User(_), ResolvedType::BuiltIn) if is_text(base_new.written.name.as_str()) => {
                self.enum_to_text(base_old, base_new)
            }
            (_, ResolvedType::User(_)) => self.to_user_type(base_old, base_new),
            _ => certain("values and reads of the old type do not fit", Probe::Type),
        };
        misfit.or_else(|| self.domain_refuses(old, new))
    }

    /// The same type under the same name, whatever its id: what became of its labels is told of the type.
    fn same_to_clients(&self, old: &ColumnType, new: &ColumnType) -> bool {
        let arrays = (old.written.array_dimensions > 0) == (new.written.array_dimensions > 0);
        match (old.resolved, new.resolved) {
            (ResolvedType::User(a), ResolvedType::User(b)) => {
                let name = self.before.types.get(&a).map(|it| &it.name);
                arrays && (a == b || name.is_some() && name == self.after.types.get(&b).map(|it| &it.name))
            }
            (ResolvedType::Row(a), ResolvedType::Row(b)) => arrays && a == b,
            _ => old.written == new.written,
        }
    }

    fn labels(&self, schema: &Schema, data_type: &ColumnType) -> Option<Vec<String>> {
        let ResolvedType::User(id) = data_type.resolved else { return None };
        match &schema.types.get(&id)?.definition {
            TypeDefinition::Enum(labels) => Some(labels.iter().map(|label| label.to_string()).collect()),
            _ => None,
        }
    }

    fn enum_to_text(&self, old: &ColumnType, new: &ColumnType) -> Option<Misfit> {
        let name = values::type_name(self.before, old);
        let shown = name.strip_prefix("public.").unwrap_or(&name).to_owned();
        match self.labels(self.before, old) {
            Some(labels) => possible(
                "comparisons with values cast to the old type fail, and labels sort as text",
                Probe::Filter(
                    format!("{{}} = {}::{name}", quoting::literal(labels.first().map_or("", String::as_str))),
                    "42883",
                    format!("operator does not exist: {} = {shown}", spoken(new)),
                ),
            ),
            None => certain("values and reads of the old type do not fit", Probe::Type),
        }
    }

    fn to_user_type(&self, old: &ColumnType, new: &ColumnType) -> Option<Misfit> {
        let name = values::type_name(self.after, new);
        let shown = name.strip_prefix("public.").unwrap_or(&name).to_owned();
        let answer = |value: &str| format!("invalid input value for enum {shown}: \"{value}\"");
        let Some(after) = self.labels(self.after, new) else {
            return certain("values and reads of the old type do not fit", Probe::Type);
        };
        match self.labels(self.before, old) {
            Some(before) => match before.iter().find(|label| !after.contains(label)) {
                Some(lost) => certain(
                    format!("'{lost}' is not a value of {name}"),
                    Probe::Write(quoting::literal(lost), "22P02", answer(lost)),
                ),
                None => possible("values cast to the old type are refused", Probe::Type),
            },
            None if is_text(old.written.name.as_str()) => {
                let stranger = if after.iter().any(|label| label == "x") { "y" } else { "x" };
                certain(
                    format!("anything but {} is refused", after.join(", ")),
                    Probe::Write(quoting::literal(stranger), "22P02", answer(stranger)),
                )
            }
            None => certain("values and reads of the old type do not fit", Probe::Type),
        }
    }

    /// The base fits: what the domain's own checks and NOT NULL refuse.
    fn domain_refuses(&self, old: &ColumnType, new: &ColumnType) -> Option<Misfit> {
        let ResolvedType::User(id) = new.resolved else { return None };
        let domain = values::domain(self.after, id)?;
        let constraint = domain.constraints.first()?;
        let parts = check::conjuncts(&constraint.expression.tree, &|_| None);
        let name = values::type_name(self.after, new);
        let shown = name.strip_prefix("public.").unwrap_or(&name).to_owned();
        let why = format!("values outside {} are refused", constraint.expression.text);
        let value = parts.iter().find_map(|part| check::violating_value(self.before, old, part, &[]));
        let answer = format!("value for domain {shown} violates check constraint \"{}\"", constraint.name.as_str());
        match value {
            Some(value) => certain(why, Probe::Write(value, "23514", answer)),
            None => certain(why, Probe::Type),
        }
    }
}

/// The type as operators' messages name it: without length.
pub(super) fn spoken(data_type: &ColumnType) -> String {
    let mut plain = TypeName::clone(&data_type.written);
    plain.modifiers.clear();
    plain.to_string()
}
