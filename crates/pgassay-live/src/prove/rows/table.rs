//! One table to make up rows for: its columns with the values to try for each, as the catalogs describe them.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::Rows;
use super::value::{Kind, candidates};
use crate::prove::server::ground::quote;
use crate::shadow::ServerError;

/// A table, and what is tried next for every column.
pub(super) struct Table {
    pub name: String,
    columns: Vec<Column>,
    keys: Vec<ForeignKey>,
    checks: Vec<Check>,
    /// Tables that it refers to and that have no rows yet: keys in a ring.
    absent: BTreeSet<String>,
    /// A partition gets rows with the table that it belongs to.
    pub is_partition: bool,
    /// 0 until values are mixed by chance.
    shuffles: u64,
    /// The column whose value was changed last: a value that does not fit is likely its own.
    last: Option<i16>,
    /// For each check, which of its nullable columns is the only one with a value, from 1; 0 where that is not tried.
    alone: Vec<usize>,
}

pub(super) struct Column {
    name: String,
    number: i16,
    domain: Option<String>,
    /// Expressions over `n`, best first.
    values: Vec<String>,
    /// So many at the front are those that a check may want.
    likely: usize,
    next: usize,
    nullable: bool,
    unique: bool,
    identity: bool,
}

pub(super) struct ForeignKey {
    pub columns: Vec<i16>,
    pub parent: String,
    pub parent_columns: Vec<String>,
    pub to_itself: bool,
}

pub(super) struct Check {
    pub name: String,
    pub columns: Vec<i16>,
}

impl Table {
    pub fn new(name: String, columns: Vec<Column>, keys: Vec<ForeignKey>, checks: Vec<Check>) -> Table {
        let alone = vec![0; checks.len()];
        let absent = BTreeSet::new();
        Table { name, columns, keys, checks, absent, is_partition: false, shuffles: 0, last: None, alone }
    }

    /// Says which of its parents have no rows yet. A key to one of them that must have a value gets the one that the parent's row will
    /// have; true if there is one.
    pub fn goes_before(&mut self, absent: BTreeSet<String>) -> bool {
        self.absent = absent;
        let required = |number: &i16| self.columns.iter().any(|column| column.number == *number && !column.nullable);
        self.keys.iter().any(|key| self.absent.contains(&key.parent) && key.columns.iter().any(required))
    }

    /// The tables that it refers to, but for itself.
    pub fn parents(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().filter(|key| !key.to_itself).map(|key| key.parent.as_str())
    }

    /// Which of each column's values is tried: what worked once is likely to work again.
    pub fn choices(&self) -> Vec<usize> {
        self.columns.iter().map(|column| column.next).chain(self.alone.iter().copied()).collect()
    }

    /// Goes on from choices of before.
    pub fn choose(&mut self, choices: &[usize]) {
        for (column, next) in self.columns.iter_mut().zip(choices) {
            column.next = *next;
        }
        for (alone, chosen) in self.alone.iter_mut().zip(choices.iter().skip(self.columns.len())) {
            *alone = *chosen;
        }
    }

    /// Stands for all that decides which values are taken, as far as the catalogs say.
    pub fn signature(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        for column in &self.columns {
            (&column.name, &column.values, column.nullable, column.unique).hash(&mut hasher);
        }
        for key in &self.keys {
            (&key.columns, &key.parent, &key.parent_columns).hash(&mut hasher);
        }
        for check in &self.checks {
            (&check.name, &check.columns).hash(&mut hasher);
        }
        hasher.finish()
    }

    /// An INSERT of that many rows, fewer where they would collide.
    pub fn insert(&self, rows: Rows) -> String {
        let mut values: Vec<String> = self.columns.iter().map(Column::value).collect();
        let mut joins = String::new();
        for (number, key) in self.keys.iter().enumerate() {
            let places: Vec<Option<usize>> =
                key.columns.iter().map(|column| self.columns.iter().position(|it| it.number == *column)).collect();
            if key.to_itself || self.absent.contains(&key.parent) {
                for place in places.into_iter().flatten().filter(|place| self.columns[*place].nullable) {
                    values[place] = "NULL".to_owned();
                }
                continue;
            }
            let source = format!("fk{number}");
            for (at, place) in places.iter().enumerate() {
                if let Some(place) = place {
                    values[*place] = format!("{source}.c{at}");
                }
            }
            // Numbered, so that they can be met by hashing: a look for each row's parent would take rows times parents.
            let named: Vec<String> =
                key.parent_columns.iter().enumerate().map(|(at, column)| format!("{column} AS c{at}")).collect();
            joins.push_str(&format!(
                " LEFT JOIN (SELECT {}, pg_catalog.row_number() OVER () AS place FROM {parent}) {source}
                    ON {source}.place = n % (SELECT greatest(pg_catalog.count(*), 1) FROM {parent}) + 1",
                named.join(", "),
                parent = key.parent
            ));
        }
        if self.columns.is_empty() {
            return format!("INSERT INTO {} DEFAULT VALUES", self.name);
        }
        for (value, column) in values.iter_mut().zip(&self.columns) {
            if self.is_left_out(column.number) {
                *value = "NULL".to_owned();
            }
        }
        let names: Vec<&str> = self.columns.iter().map(|column| column.name.as_str()).collect();
        format!(
            "INSERT INTO {} ({}){} SELECT {} FROM pg_catalog.generate_series({}, {}) n{joins} ON CONFLICT DO NOTHING",
            self.name,
            names.join(", "),
            if self.columns.iter().any(|column| column.identity) { " OVERRIDING SYSTEM VALUE" } else { "" },
            values.join(", "),
            rows.first,
            rows.first + rows.count - 1
        )
    }

    /// Chooses other values for what was refused; false if nothing is left to try.
    pub fn learn(&mut self, error: &ServerError) -> bool {
        match error.code.as_str() {
            "23514" if self.is_about_keys(error) => {
                self.try_alone(error) || (self.shuffles == 0 && self.vary_check(error)) || self.shuffle()
            }
            "23514" => (self.shuffles == 0 && self.vary_check(error)) || self.try_alone(error) || self.shuffle(),
            "23502" => error.column.as_ref().is_some_and(|name| {
                let quoted = [name.clone(), quote(name)];
                self.columns.iter_mut().find(|column| quoted.contains(&column.name)).is_some_and(Column::advance)
            }),
            // A value that does not fit its type: which column it was, the server does not say.
            code if code.starts_with("22") => self.vary_all(),
            _ => false,
        }
    }

    /// A check over columns of foreign keys is about which of them have a value, such as `num_nonnulls(a_id, b_id) = 1`.
    fn is_about_keys(&self, error: &ServerError) -> bool {
        let Some(check) = self.checks.iter().find(|check| Some(&check.name) == error.constraint.as_ref()) else {
            return false;
        };
        let in_key = |number: &&i16| self.keys.iter().any(|key| key.columns.contains(number));
        check.columns.iter().filter(in_key).count() > 1
    }

    /// Lets each nullable column of a check be the only one with a value; false once all were.
    fn try_alone(&mut self, error: &ServerError) -> bool {
        let found = self.checks.iter().position(|check| Some(&check.name) == error.constraint.as_ref());
        let Some(place) = found else { return false };
        let nullable = self.nullable_of(&self.checks[place]).len();
        if nullable < 2 || self.alone[place] > nullable {
            return false;
        }
        // Past the last one, all have values again.
        self.alone[place] += 1;
        self.alone[place] <= nullable
    }

    fn nullable_of(&self, check: &Check) -> Vec<i16> {
        let nullable = |number: &i16| self.columns.iter().any(|column| column.number == *number && column.nullable);
        check.columns.iter().copied().filter(nullable).collect()
    }

    /// Another column of a check is the only one with a value.
    fn is_left_out(&self, number: i16) -> bool {
        self.checks.iter().zip(&self.alone).any(|(check, alone)| {
            let nullable = self.nullable_of(check);
            let chosen = alone.checked_sub(1).and_then(|place| nullable.get(place));
            chosen.is_some_and(|chosen| nullable.contains(&number) && *chosen != number)
        })
    }

    /// Where checks overlap, going through one's columns spoils what another needs: then any mixture of likely values is tried. The same
    /// ones in the same order, so that runs do not differ.
    fn shuffle(&mut self) -> bool {
        let checked: BTreeSet<i16> = self.checks.iter().flat_map(|check| check.columns.clone()).collect();
        for column in self.columns.iter_mut().filter(|column| checked.contains(&column.number)) {
            // Knuth's MMIX generator; its high bits are good.
            self.shuffles =
                self.shuffles.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let likely = column.likely.clamp(1, column.values.len().max(1));
            column.next = usize::try_from(self.shuffles >> 33).unwrap_or(0) % likely;
        }
        !checked.is_empty()
    }

    fn vary_check(&mut self, error: &ServerError) -> bool {
        let domain = error.data_type.as_ref();
        if let Some(domain) = domain {
            let mut of_domain = self.columns.iter_mut().filter(|column| column.domain.as_ref() == Some(domain));
            return of_domain.any(Column::advance);
        }
        let name = error.constraint.clone().unwrap_or_default();
        let columns: Vec<i16> =
            self.checks.iter().filter(|check| check.name == name).flat_map(|check| check.columns.clone()).collect();
        // As an odometer: the first column that has another value takes it, those before it start anew.
        let mut chosen = self.columns.iter_mut().filter(|column| columns.contains(&column.number));
        let varied = chosen.find_map(|column| (column.advance() || column.restart()).then_some(column.number));
        self.last = varied.or(self.last);
        varied.is_some()
    }

    /// The column that was changed last; else one that need not differ from row to row; else any.
    fn vary_all(&mut self) -> bool {
        let last = self.last;
        let tries: [&dyn Fn(&Column) -> bool; 3] =
            [&|column| Some(column.number) == last, &|column| !column.unique, &|_| true];
        tries.iter().any(|wanted| self.columns.iter_mut().filter(|column| wanted(column)).any(Column::advance))
    }
}

impl Column {
    /// Reads what `seed_read` asks for, in its order.
    pub fn read(row: Vec<Option<String>>, checks: &[(Check, String)]) -> Option<Column> {
        let [
            name,
            number,
            base,
            full,
            kind,
            category,
            modifier,
            domain,
            not_null,
            domain_checks,
            labels,
            unique,
            identity,
        ]: [Option<String>; 13] = row.try_into().ok()?;
        let number: i16 = number?.parse().ok()?;
        let mut conditions = domain_checks.unwrap_or_default();
        for (_, text) in checks.iter().filter(|(check, _)| check.columns.contains(&number)) {
            conditions.push(' ');
            conditions.push_str(text);
        }
        let unique = unique? == "t";
        let kind = Kind {
            base: base?,
            full: full?,
            is_enum: kind? == "e",
            category: category?,
            modifier: modifier.and_then(|text| text.parse().ok()).unwrap_or(-1),
            labels: labels.map(|text| text.split('\u{1}').map(str::to_owned).collect()).unwrap_or_default(),
        };
        // Values that need not differ come twice, so that a new unique constraint has something to refuse.
        let n = if unique { "n" } else { "((n + 1) / 2)" };
        let nullable = not_null? == "f";
        let mut values = candidates(&kind, name.as_deref().unwrap_or_default(), &conditions, n);
        // Behind what the checks name, as several of them may belong together.
        let place = values.named.min(values.all.len());
        if nullable {
            values.all.insert(place, "NULL".to_owned());
            if !unique && let Some(first) = values.all.first().filter(|first| *first != "NULL") {
                // Some rows without a value, where that is allowed.
                let mixed = format!("CASE WHEN n % 5 = 0 THEN NULL ELSE {first} END");
                values.all.insert(0, mixed);
            }
        }
        let identity = identity? == "t";
        let (likely, values) = (place + 4, values.all);
        Some(Column { name: name?, number, domain, values, likely, next: 0, nullable, unique, identity })
    }

    fn value(&self) -> String {
        self.values.get(self.next).cloned().unwrap_or_else(|| "NULL".to_owned())
    }

    /// The next value, if there is one.
    fn advance(&mut self) -> bool {
        let more = self.next + 1 < self.values.len();
        self.next += usize::from(more);
        more
    }

    /// Starts anew, and says that others have to go on.
    fn restart(&mut self) -> bool {
        self.next = 0;
        false
    }
}

/// The numbers of an array or vector in its text form: `{1,2}` or `1 2`.
pub(super) fn numbers(text: &str) -> Vec<i16> {
    // An int2vector as an array counts from 0, and says so: `[0:1]={1,2}`.
    let text = text.rsplit('=').next().unwrap_or(text);
    let separated = text.trim_matches(['{', '}']).split([',', ' ']);
    separated.filter_map(|number| number.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(constraint: &str) -> ServerError {
        ServerError { code: "23514".to_owned(), constraint: Some(constraint.to_owned()), ..ServerError::default() }
    }

    #[test]
    fn each_column_of_an_exclusive_arc_is_tried_alone() {
        let column = |number: i16| Column {
            name: format!("c{number}"),
            number,
            domain: None,
            values: vec!["n".to_owned()],
            likely: 1,
            next: 0,
            nullable: true,
            unique: false,
            identity: false,
        };
        let key = |number: i16| ForeignKey {
            columns: vec![number],
            parent: format!("p{number}"),
            parent_columns: vec!["id".to_owned()],
            to_itself: false,
        };
        let check = Check { name: "one_of".to_owned(), columns: vec![1, 2] };
        let mut table = Table::new("t".to_owned(), vec![column(1), column(2)], vec![key(1), key(2)], vec![check]);
        let selected = |table: &Table| {
            let text = table.insert(Rows::from_one(3));
            let (_, rest) = text.split_once(" SELECT ").expect("a SELECT");
            rest.split_once(" FROM ").expect("a FROM").0.to_owned()
        };
        assert_eq!(selected(&table), "fk0.c0, fk1.c0");
        assert!(table.learn(&refused("one_of")));
        assert_eq!(selected(&table), "fk0.c0, NULL");
        assert!(table.learn(&refused("one_of")));
        assert_eq!(selected(&table), "NULL, fk1.c0");
        let choices = table.choices();
        table.learn(&refused("one_of"));
        assert_eq!(selected(&table), "fk0.c0, fk1.c0");
        table.choose(&choices);
        assert_eq!(selected(&table), "NULL, fk1.c0");
    }
}
