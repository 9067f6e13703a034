//! CREATE TABLE, CREATE VIEW, CREATE SEQUENCE.

use std::fmt::Write;

use super::super::catalog::{Column, Constraint, Oid, Relation, Sequence};
use super::{Writer, comma, options, quoted};

impl Writer<'_> {
    pub(super) fn relation(&mut self, oid: Oid) {
        let Some(relation) = self.catalog.relations.get(&oid) else { return };
        match relation.kind {
            'r' | 'p' | 'f' => self.table(oid, relation),
            'v' | 'm' => self.view(relation),
            'S' => self.sequence(oid, relation),
            _ => {}
        }
    }

    fn table(&mut self, oid: Oid, relation: &Relation) {
        // The text is put together aside, and belongs to no one until it is whole.
        let mut text = String::from("CREATE ");
        text.push_str(match (relation.kind, relation.unlogged) {
            ('f', _) => "FOREIGN TABLE ",
            (_, true) => "UNLOGGED TABLE ",
            (_, false) => "TABLE ",
        });
        _ = write!(text, "{}", relation.identity.printed());
        if let Some(of_type) = &relation.of_type {
            _ = write!(text, " OF {of_type}");
        }
        let mut elements = Vec::new();
        for column in self.own_columns(oid) {
            if relation.of_type.is_none() {
                elements.push(self.column(oid, column));
            } else if column.default.is_some() || column.not_null {
                elements.push(self.column(oid, column).replacen(&*column.data_type, "WITH OPTIONS", 1));
            }
        }
        let constraints = self.catalog.constraints.get(&oid).into_iter().flatten();
        elements.extend(constraints.filter(|it| self.is_inline(oid, it)).map(constraint));
        if elements.is_empty() && relation.of_type.is_some() {
            // A typed table without options has no parentheses.
        } else if elements.is_empty() {
            text.push_str(" ()");
        } else {
            text.push_str(" (\n    ");
            let mut first = true;
            for element in elements {
                comma(&mut text, &mut first, ",\n    ");
                text.push_str(&element);
            }
            text.push_str("\n)");
        }
        self.table_tail(oid, relation, &mut text);
        self.statement(&text);
    }

    fn table_tail(&self, oid: Oid, relation: &Relation, text: &mut String) {
        if self.inherits(oid) {
            let parents: Vec<String> = relation.parents.iter().map(|parent| self.name(*parent)).collect();
            _ = write!(text, "\nINHERITS ({})", parents.join(", "));
        }
        if let Some(key) = &relation.partition_key {
            _ = write!(text, "\nPARTITION BY {key}");
        }
        if let Some(server) = &relation.server {
            _ = write!(text, "\nSERVER {}", quoted(server));
            if !relation.server_options.is_empty() {
                _ = write!(text, " OPTIONS ({})", relation.server_options.join(", "));
            }
        }
        if let Some(method) = &relation.access_method {
            _ = write!(text, "\nUSING {}", quoted(method));
        }
        if !relation.options.is_empty() {
            _ = write!(text, "\nWITH ({})", options(&relation.options));
        }
        if let Some(tablespace) = &relation.tablespace {
            _ = write!(text, "\nTABLESPACE {}", quoted(tablespace));
        }
    }

    /// Made with INHERITS: some columns are only the parents'. Otherwise it is made alone and joined later, which keeps its
    /// columns in their order.
    fn inherits(&self, oid: Oid) -> bool {
        let Some(relation) = self.catalog.relations.get(&oid) else { return false };
        let columns = self.catalog.columns.get(&oid).map(Vec::as_slice).unwrap_or_default();
        !relation.parents.is_empty() && !relation.is_partition && columns.iter().any(|column| !column.local)
    }

    /// The parents that are joined later.
    pub(super) fn joined_later(&self, oid: Oid) -> &[Oid] {
        match self.catalog.relations.get(&oid) {
            Some(relation) if !self.inherits(oid) => &relation.parents,
            _ => &[],
        }
    }

    fn own_columns(&self, oid: Oid) -> impl Iterator<Item = &Column> {
        let all = !self.inherits(oid);
        self.catalog.columns.get(&oid).into_iter().flatten().filter(move |column| all || column.local)
    }

    fn column(&self, oid: Oid, column: &Column) -> String {
        let mut text = format!("{} {}", quoted(&column.name), column.data_type);
        if !column.foreign_options.is_empty() {
            _ = write!(text, " OPTIONS ({})", column.foreign_options.join(", "));
        }
        if let Some(collation) = &column.collation {
            _ = write!(text, " COLLATE {collation}");
        }
        match (&column.default, column.generated) {
            (Some(expression), Some(kind)) => {
                let kind = if kind == 'v' { "VIRTUAL" } else { "STORED" };
                _ = write!(text, " GENERATED ALWAYS AS ({expression}) {kind}");
            }
            (Some(default), None) => _ = write!(text, " DEFAULT {default}"),
            (None, _) => {}
        }
        if let Some(kind) = column.identity {
            let kind = if kind == 'a' { "ALWAYS" } else { "BY DEFAULT" };
            _ = write!(text, " GENERATED {kind} AS IDENTITY{}", self.identity_options(oid, column));
        }
        match self.not_null(oid, column) {
            Some(named) if named.validated => {
                let usual = format!("{}_{}_not_null", self.table_name(oid), column.name);
                if *named.name != *usual {
                    _ = write!(text, " CONSTRAINT {}", quoted(&named.name));
                }
                text.push_str(if named.no_inherit { " NOT NULL NO INHERIT" } else { " NOT NULL" });
            }
            // NOT VALID is said behind the table.
            Some(_) => {}
            None if column.not_null => text.push_str(" NOT NULL"),
            None => {}
        }
        text
    }

    fn table_name(&self, oid: Oid) -> &str {
        self.catalog.relations.get(&oid).map(|relation| &*relation.identity.name).unwrap_or_default()
    }

    /// The constraint behind NOT NULL: 18 and later.
    fn not_null(&self, oid: Oid, column: &Column) -> Option<&Constraint> {
        let constraints = self.catalog.constraints.get(&oid)?;
        constraints.iter().find(|it| it.kind == 'n' && it.columns == [column.number])
    }

    fn identity_options(&self, oid: Oid, column: &Column) -> String {
        let found = self.identities.get(&(oid, column.number));
        let Some((sequence_oid, sequence)) = found.and_then(|oid| Some((oid, self.catalog.sequences.get(oid)?))) else {
            return String::new();
        };
        let mut parts = sequence_options(sequence);
        let usual = format!("{}_{}_seq", self.table_name(oid), column.name);
        if let Some(relation) = self.catalog.relations.get(sequence_oid)
            && *relation.identity.name != *usual
        {
            parts.insert(0, format!("SEQUENCE NAME {}", relation.identity.printed()));
        }
        if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(" ")) }
    }

    /// Said within CREATE TABLE; foreign keys and what is not valid come later.
    fn is_inline(&self, oid: Oid, constraint: &Constraint) -> bool {
        let wanted = match constraint.kind {
            'p' | 'u' | 'x' => true,
            'c' => constraint.validated,
            _ => false,
        };
        // A child gets the parent's checks with INHERITS.
        wanted
            && !self.is_repeated(oid, constraint)
            && (constraint.local || !constraint.inherited || !self.inherits(oid))
    }

    /// A key on the same columns as one before it: CREATE TABLE would make one index of both (transformIndexConstraints), ALTER TABLE makes two.
    pub(super) fn is_repeated(&self, oid: Oid, constraint: &Constraint) -> bool {
        let key = |it: &Constraint| {
            let keys = matches!(it.kind, 'p' | 'u').then_some(&*it.definition)?;
            keys.strip_prefix("PRIMARY KEY ").or(keys.strip_prefix("UNIQUE ")).map(str::to_owned)
        };
        let Some(own) = key(constraint).filter(|_| constraint.kind == 'u' && !constraint.inherited) else {
            return false;
        };
        let all = self.catalog.constraints.get(&oid).into_iter().flatten();
        let alike = |it: &&Constraint| key(it).is_some_and(|its| its == own);
        let first = all.clone().filter(alike).min_by_key(|it| (it.kind != 'p', &it.name));
        first.is_some_and(|first| first.name != constraint.name)
    }

    fn view(&mut self, relation: &Relation) {
        let name = relation.identity.printed();
        let Some(query) = &relation.query else {
            self.line(&format!("-- {name}: its query could not be read"));
            return;
        };
        let materialized = relation.kind == 'm';
        let mut text = format!("CREATE {}VIEW {name}", if materialized { "MATERIALIZED " } else { "" });
        if let (Some(method), true) = (&relation.access_method, materialized) {
            _ = write!(text, " USING {}", quoted(method));
        }
        if !relation.options.is_empty() {
            _ = write!(text, " WITH ({})", options(&relation.options));
        }
        _ = write!(text, " AS\n{}", query.trim_end().trim_end_matches(';'));
        if materialized && !relation.populated {
            text.push_str("\n WITH NO DATA");
        }
        self.statement(&text);
    }

    fn sequence(&mut self, oid: Oid, relation: &Relation) {
        let Some(sequence) = self.catalog.sequences.get(&oid) else { return };
        if sequence.owner.is_some_and(|(_, _, identity)| identity) {
            return;
        }
        let mut text = format!(
            "CREATE {}SEQUENCE {}",
            if relation.unlogged { "UNLOGGED " } else { "" },
            relation.identity.printed()
        );
        if &*sequence.data_type != "bigint" {
            _ = write!(text, " AS {}", sequence.data_type);
        }
        for option in sequence_options(sequence) {
            _ = write!(text, " {option}");
        }
        self.statement(&text);
    }

    pub(super) fn owned_sequences(&mut self) {
        for oid in self.relations("S") {
            let Some(Sequence { owner: Some((table, number, false)), .. }) = self.catalog.sequences.get(&oid) else {
                continue;
            };
            let columns = self.catalog.columns.get(table).into_iter().flatten();
            let Some(column) = columns.into_iter().find(|column| column.number == *number) else { continue };
            let owner = format!("{}.{}", self.name(*table), quoted(&column.name));
            let name = self.name(oid);
            self.statement(&format!("ALTER SEQUENCE {name} OWNED BY {owner}"));
        }
    }
}

/// Options that are not what CREATE SEQUENCE gives by itself.
fn sequence_options(sequence: &Sequence) -> Vec<String> {
    let (low, high) = match &*sequence.data_type {
        "smallint" => (i64::from(i16::MIN), i64::from(i16::MAX)),
        "integer" => (i64::from(i32::MIN), i64::from(i32::MAX)),
        _ => (i64::MIN, i64::MAX),
    };
    let up = sequence.increment > 0;
    let (min, max) = if up { (1, high) } else { (low, -1) };
    let start = if up { sequence.min_value } else { sequence.max_value };
    let all = [
        (sequence.increment != 1, format!("INCREMENT BY {}", sequence.increment)),
        (sequence.min_value != min, format!("MINVALUE {}", sequence.min_value)),
        (sequence.max_value != max, format!("MAXVALUE {}", sequence.max_value)),
        (sequence.start != start, format!("START WITH {}", sequence.start)),
        (sequence.cache != 1, format!("CACHE {}", sequence.cache)),
        (sequence.cycle, "CYCLE".to_owned()),
    ];
    all.into_iter().filter(|(said, _)| *said).map(|(_, text)| text).collect()
}

pub(super) fn constraint(constraint: &Constraint) -> String {
    format!("CONSTRAINT {} {}", quoted(&constraint.name), constraint.definition)
}
