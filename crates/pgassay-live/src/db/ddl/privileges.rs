//! Owners, privileges and comments.

use super::super::catalog::Identity;
use super::{Writer, literal, quoted};

/// Letters of an access control list (manual, "Privileges").
const LETTERS: &[(char, &str)] = &[
    ('r', "SELECT"),
    ('a', "INSERT"),
    ('w', "UPDATE"),
    ('d', "DELETE"),
    ('D', "TRUNCATE"),
    ('x', "REFERENCES"),
    ('t', "TRIGGER"),
    ('m', "MAINTAIN"),
    ('X', "EXECUTE"),
    ('U', "USAGE"),
    ('C', "CREATE"),
];

/// `role=r*w/grantor`, taken apart.
struct Item {
    /// Empty: PUBLIC.
    grantee: String,
    plain: Vec<&'static str>,
    with_grant_option: Vec<&'static str>,
}

fn read_item(text: &str) -> Item {
    let (grantee, rest) = match text.strip_prefix('"') {
        Some(_) => {
            let end = text.rfind("\"=").map_or(text.len(), |at| at + 1);
            (text[1..end.saturating_sub(1).max(1)].replace("\"\"", "\""), text.get(end..).unwrap_or_default())
        }
        None => {
            let end = text.find('=').unwrap_or(text.len());
            (text[..end].to_owned(), &text[end..])
        }
    };
    let letters = rest.trim_start_matches('=').split('/').next().unwrap_or_default();
    let mut item = Item { grantee, plain: Vec::new(), with_grant_option: Vec::new() };
    let mut characters = letters.chars().peekable();
    while let Some(letter) = characters.next() {
        let with_option = characters.next_if_eq(&'*').is_some();
        if let Some((_, name)) = LETTERS.iter().find(|(known, _)| *known == letter) {
            if with_option { item.with_grant_option.push(name) } else { item.plain.push(name) }
        }
    }
    item
}

impl Writer<'_> {
    pub(super) fn owners_and_privileges(&mut self) {
        let catalog = self.catalog;
        for schema in &catalog.schemas {
            let name = quoted(&schema.name);
            self.identity("SCHEMA", &name, schema, "", true);
        }
        let mut types: Vec<_> = catalog.types.values().collect();
        types.sort_by(|one, other| super::order::by_name(&one.identity, &other.identity));
        for found in types {
            let name = found.identity.printed();
            self.identity("TYPE", &name, &found.identity, "USAGE", true);
        }
        for oid in self.relations("rpfvmS") {
            let Some(relation) = catalog.relations.get(&oid) else { continue };
            if matches!(relation.kind, 'v' | 'm') && relation.query.is_none() {
                continue;
            }
            let kind = match relation.kind {
                'v' => "VIEW",
                'm' => "MATERIALIZED VIEW",
                'f' => "FOREIGN TABLE",
                'S' => "SEQUENCE",
                _ => "TABLE",
            };
            let owned = catalog.sequences.get(&oid).is_some_and(|sequence| sequence.owner.is_some());
            let name = relation.identity.printed();
            // A sequence that belongs to a column has its table's owner.
            self.identity(kind, &name, &relation.identity, "", !owned);
            for column in catalog.columns.get(&oid).into_iter().flatten() {
                for item in column.privileges.iter().flatten().map(|item| read_item(item)) {
                    self.grant(&item, Some(&column.name), "TABLE", &name);
                }
            }
        }
        let mut routines: Vec<_> = catalog.routines.values().collect();
        routines.sort_by(|one, other| {
            super::order::by_name(&one.identity, &other.identity).then_with(|| one.arguments.cmp(&other.arguments))
        });
        for routine in routines {
            let kind = if &*routine.kind == "p" { "PROCEDURE" } else { "FUNCTION" };
            let name = format!("{}({})", routine.identity.printed(), routine.arguments);
            self.identity(kind, &name, &routine.identity, "EXECUTE", true);
        }
    }

    /// OWNER TO, then who else may use it. `public`: what PUBLIC may do with such an object by itself.
    fn identity(&mut self, kind: &str, name: &str, identity: &Identity, public: &str, own: bool) {
        if own {
            self.statement(&format!("ALTER {kind} {name} OWNER TO {}", quoted(&identity.owner)));
        }
        let Some(items) = &identity.privileges else { return };
        // GRANT knows no kinds of views and foreign tables.
        let kind = if kind.ends_with("VIEW") || kind == "FOREIGN TABLE" { "TABLE" } else { kind };
        let items: Vec<Item> = items.iter().map(|item| read_item(item)).collect();
        if !public.is_empty() && !items.iter().any(|item| item.grantee.is_empty()) {
            self.statement(&format!("REVOKE ALL ON {kind} {name} FROM PUBLIC"));
        }
        for item in items.iter().filter(|item| *item.grantee != *identity.owner) {
            if item.grantee.is_empty() && item.plain == [public] {
                continue;
            }
            self.grant(item, None, kind, name);
        }
    }

    fn grant(&mut self, item: &Item, column: Option<&str>, kind: &str, name: &str) {
        let grantee = if item.grantee.is_empty() { "PUBLIC".to_owned() } else { quoted(&item.grantee) };
        let column = column.map(|column| format!(" ({})", quoted(column))).unwrap_or_default();
        for (privileges, option) in [(&item.plain, ""), (&item.with_grant_option, " WITH GRANT OPTION")] {
            if !privileges.is_empty() {
                let list: Vec<String> = privileges.iter().map(|privilege| format!("{privilege}{column}")).collect();
                self.statement(&format!("GRANT {} ON {kind} {name} TO {grantee}{option}", list.join(", ")));
            }
        }
    }

    pub(super) fn comments(&mut self) {
        let catalog = self.catalog;
        let mut comments: Vec<String> = Vec::new();
        let mut add = |kind: &str, name: String, comment: &Option<Box<str>>| {
            if let Some(comment) = comment {
                comments.push(format!("COMMENT ON {kind} {name} IS {}", literal(comment)));
            }
        };
        for schema in &catalog.schemas {
            add("SCHEMA", quoted(&schema.name), &schema.comment);
        }
        for found in catalog.types.values() {
            add("TYPE", found.identity.printed(), &found.identity.comment);
        }
        for routine in catalog.routines.values() {
            let kind = if &*routine.kind == "p" { "PROCEDURE" } else { "FUNCTION" };
            add(kind, format!("{}({})", routine.identity.printed(), routine.arguments), &routine.identity.comment);
        }
        for (oid, relation) in &catalog.relations {
            let name = relation.identity.printed();
            let kind = match relation.kind {
                'v' | 'm' if relation.query.is_none() => continue,
                'v' => "VIEW",
                'm' => "MATERIALIZED VIEW",
                'f' => "FOREIGN TABLE",
                'S' => "SEQUENCE",
                'c' => continue,
                _ => "TABLE",
            };
            for column in catalog.columns.get(oid).into_iter().flatten() {
                add("COLUMN", format!("{name}.{}", quoted(&column.name)), &column.comment);
            }
            for index in catalog.indexes.get(oid).into_iter().flatten() {
                let schema = quoted(&relation.identity.schema);
                add("INDEX", format!("{schema}.{}", quoted(&index.name)), &index.comment);
            }
            add(kind, name, &relation.identity.comment);
        }
        comments.sort();
        for comment in comments {
            self.statement(&comment);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::read_item;

    #[test]
    fn access_control_items_are_taken_apart() {
        let item = read_item("app=r*wd/owner");
        assert_eq!(
            (item.grantee.as_str(), item.plain, item.with_grant_option),
            ("app", vec!["UPDATE", "DELETE"], vec!["SELECT"])
        );
        let item = read_item("=X/owner");
        assert_eq!((item.grantee.as_str(), item.plain), ("", vec!["EXECUTE"]));
        let item = read_item("\"a=\"\"b\"=U/\"x y\"");
        assert_eq!((item.grantee.as_str(), item.plain), ("a=\"b", vec!["USAGE"]));
    }
}
