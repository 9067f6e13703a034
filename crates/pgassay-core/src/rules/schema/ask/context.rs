//! What a rule about schemas sees, and what it says.

use std::collections::{BTreeMap, BTreeSet};

use crate::area::{Area, Areas};
use crate::change::{Name, PrintedName, QualifiedName};
use crate::contract::Subject;
use crate::facts::{ColumnFacts, Facts, IndexFacts, RelationFacts, Samples, Workload};
use crate::finding::{Advice, Confidence, Evidence, Finding, FixStep, Severity};
use crate::history::Places;
use crate::rules::schema::ask::queries::Use;
use crate::rules::{Rule, RuleOptions};
use crate::schema::{
    Column, ColumnId, Index, NotNull, Relation, RelationId, RelationKind, Schema, Type, TypeDefinition,
};
use crate::source::{FileId, Span};
use crate::version::PgVersion;

/// Shares of fewer rows say how the table began, not how it is used.
const FEWEST_ROWS: f64 = 1000.0;

/// By the table.
pub type LeftAlone = BTreeMap<RelationId, BTreeSet<ColumnId>>;

/// A schema under judgement.
#[derive(Clone, Copy)]
pub struct SchemaContext<'a> {
    pub schema: &'a Schema,
    pub version: PgVersion,
    pub places: &'a Places,
    pub areas: &'a Areas,
    pub options: &'a RuleOptions,
    /// What is measured, of a live database or a snapshot.
    pub facts: Option<&'a Facts>,
    pub workload: Option<&'a Workload>,
    /// What its statements do with columns.
    pub uses: &'a [Use],
    /// What a sample of rows says, where one was taken.
    pub samples: Option<&'a Samples>,
    /// The relations to look at; all if there is no such list.
    pub scope: Option<&'a BTreeSet<RelationId>>,
    /// Columns that the judged migration left as they were, of the tables of which it also left the constraints and indexes.
    pub left_alone: Option<&'a LeftAlone>,
    /// The routines to look at are those that are not in this schema, or not the same; all if there is none.
    pub earlier: Option<&'a Schema>,
}

/// Something a rule has to say about an object, before its place is looked up.
#[derive(Debug, Clone)]
pub struct Discovery {
    pub subject: Subject,
    /// The table that it is listed under.
    pub table: Option<RelationId>,
    pub finding: Finding,
    /// Other objects that belong to it, each with a few words.
    pub related: Vec<(Subject, String)>,
    /// Stands in one finding with the others of the same rule about the same table.
    pub group: Option<Group>,
    /// Where it is shown instead of at its subject.
    pub place: Option<Span>,
    /// What to write instead while the table is still to be made.
    pub when_new: Option<String>,
    /// What is said of many tables with this in common is said once; by default what is said but for their names.
    pub habit: Option<String>,
}

/// How a discovery reads in one finding with others: `{head} {item}, {item}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    pub head: String,
    pub item: String,
}

impl<'a> SchemaContext<'a> {
    /// All of a schema, of which nothing is measured.
    pub fn of(
        schema: &'a Schema,
        version: PgVersion,
        places: &'a Places,
        areas: &'a Areas,
        options: &'a RuleOptions,
    ) -> SchemaContext<'a> {
        SchemaContext {
            schema,
            version,
            places,
            areas,
            options,
            facts: None,
            workload: None,
            uses: &[],
            samples: None,
            scope: None,
            left_alone: None,
            earlier: None,
        }
    }

    /// Ordinary and partitioned tables whose columns are all known, each partitioned table once, temporary ones left out.
    pub fn tables(&self) -> impl Iterator<Item = &'a Relation> + use<'a> {
        self.any_tables().filter(|table| table.known)
    }

    /// As [`SchemaContext::tables`], with those of which only some columns are known: a partial history spoke of them.
    pub fn any_tables(&self) -> impl Iterator<Item = &'a Relation> + use<'a> {
        let scope = self.scope;
        let schema = self.schema;
        let context = *self;
        let wanted = move |relation: &&Relation| {
            matches!(relation.kind, RelationKind::Table | RelationKind::PartitionedTable(_))
                && !relation.is_partition()
                && relation.name.schema != "pg_temp"
                && context.is_read_whole(relation)
        };
        let all = scope.is_none().then(|| schema.relations.values().map(|relation| &**relation));
        let some = scope.into_iter().flatten().filter_map(|id| schema.relation(*id)).map(|relation| &**relation);
        all.into_iter().flatten().chain(some).filter(wanted)
    }

    /// Whether all that belongs to a table was read. While another session holds ACCESS EXCLUSIVE its indexes and conditions cannot be
    /// printed: what is missing then is not absent, and nothing is said of the table.
    fn is_read_whole(&self, table: &Relation) -> bool {
        let Some(facts) = self.facts else { return true };
        let parts = || self.schema.children_closure(table.id).into_iter().filter_map(|id| self.schema.relation(id));
        let is_locked = |name: &QualifiedName| facts.relation(name).is_some_and(|facts| facts.locked);
        let locked = is_locked(&table.name) || table.is_partitioned() && parts().any(|part| is_locked(&part.name));
        !locked && !facts.is_partly_read(&table.name)
    }

    /// Columns of which a rule may have something new to say that looks at a column, its type, and the table's constraints and
    /// indexes: all, but for those that the judged migration left as they were.
    pub fn changed_columns(&self, table: &'a Relation) -> impl Iterator<Item = &'a Column> + use<'a> {
        let left_alone = self.left_alone.and_then(|all| all.get(&table.id));
        table.columns.iter().filter(move |column| left_alone.is_none_or(|columns| !columns.contains(&column.id)))
    }

    /// The table as the judged migration found it, in the schema of then.
    pub fn before(&self, table: &Relation) -> Option<(&'a Schema, &'a Relation)> {
        // Rules also look at the schema before the migration, for what they would have said of it: nothing is before that.
        let earlier = self.earlier.filter(|earlier| self.scope.is_some() && !std::ptr::eq(*earlier, self.schema))?;
        earlier.relation(table.id).map(|before| (earlier, &**before))
    }

    /// The valid indexes of a table.
    pub fn indexes(&self, table: &'a Relation) -> impl Iterator<Item = (&'a Relation, &'a Index)> + use<'a> {
        self.schema.indexes_of(table.id).filter_map(|relation| Some((&**relation, relation.as_index()?)))
    }

    pub fn column_name(&self, table: &Relation, id: ColumnId) -> String {
        table.column_by_id(id).map(|column| column.name.to_string()).unwrap_or_default()
    }

    /// `a, b`
    pub fn column_names(&self, table: &Relation, ids: &[ColumnId]) -> String {
        ids.iter().map(|id| self.column_name(table, *id)).collect::<Vec<_>>().join(", ")
    }

    /// The catalog name of a column's type, domains looked through, arrays with a leading underscore; none for a type of the schema.
    pub fn type_name(&self, column: &'a Column) -> Option<&'a str> {
        let base = self.schema.base_type(&column.data_type);
        let built_in =
            matches!(base.resolved, crate::schema::ResolvedType::BuiltIn | crate::schema::ResolvedType::Unknown);
        (built_in && base.written.array_dimensions == 0).then(|| base.written.name.as_str())
    }

    pub fn is_text(&self, column: &'a Column) -> bool {
        matches!(self.type_name(column), Some("text" | "varchar" | "bpchar" | "citext"))
    }

    pub fn is_json(&self, column: &'a Column) -> bool {
        matches!(self.type_name(column), Some("json" | "jsonb" | "hstore"))
    }

    pub fn is_boolean(&self, column: &'a Column) -> bool {
        self.type_name(column) == Some("bool")
    }

    /// Whether a column can hold NULL: neither it nor a domain that is its type says NOT NULL.
    pub fn is_nullable(&self, column: &Column) -> bool {
        column.not_null == NotNull::No && !self.domain_refuses_null(column)
    }

    fn domain_refuses_null(&self, column: &Column) -> bool {
        let mut at = &column.data_type;
        // A domain's base exists before it; the bound is for damaged input.
        for _ in 0..32 {
            let crate::schema::ResolvedType::User(id) = at.resolved else { return false };
            match self.schema.types.get(&id).map(|found| &found.definition) {
                Some(TypeDefinition::Domain(domain)) if at.written.array_dimensions == 0 => {
                    if domain.not_null {
                        return true;
                    }
                    at = &domain.base;
                }
                _ => return false,
            }
        }
        false
    }

    pub fn enum_type(&self, column: &Column) -> Option<&'a Type> {
        let crate::schema::ResolvedType::User(id) = column.data_type.resolved else { return None };
        let found = self.schema.types.get(&id)?;
        matches!(found.definition, TypeDefinition::Enum(_)).then_some(&**found)
    }

    pub fn table_facts(&self, table: &Relation) -> Option<&'a RelationFacts> {
        self.facts?.relation(&table.name)
    }

    pub fn index_facts(&self, index: &Relation) -> Option<&'a IndexFacts> {
        self.facts?.index(&index.name)
    }

    pub fn column_facts(&self, table: &Relation, column: &Column) -> Option<&'a ColumnFacts> {
        self.facts?.column(&table.name, &column.name)
    }

    /// The share of NULLs, where ANALYZE saw enough rows for it to mean something.
    pub fn null_share(&self, table: &Relation, column: &Column) -> Option<f64> {
        let enough = self.table_facts(table)?.rows.is_some_and(|rows| rows >= FEWEST_ROWS);
        self.column_facts(table, column).filter(|_| enough).map(|facts| f64::from(facts.null_fraction))
    }

    /// Rows as far as they are known.
    pub fn rows(&self, table: &Relation) -> Option<f64> {
        self.table_facts(table)?.row_estimate()
    }

    /// Where what belongs to no object is shown: the beginning of the text.
    pub fn first_place(&self) -> Option<Span> {
        self.schema.relations.keys().find_map(|id| self.places.of(&Subject::Relation(*id)))
    }

    pub fn area(&self, table: &Relation) -> Option<Area> {
        self.areas.of(&table.name)
    }

    pub fn discovery(&self, rule: &'static Rule, subject: Subject, message: impl Into<String>) -> Discovery {
        let table = match &subject {
            Subject::Relation(id) => {
                let relation = self.schema.relation(*id);
                Some(relation.and_then(|it| it.as_index()).map_or(*id, |index| index.table))
            }
            Subject::Column(id, _) | Subject::Part(id, _) => Some(*id),
            Subject::Type(_) | Subject::Routine(_) | Subject::Schema(_) => None,
        };
        let mut finding = rule.finding(NOWHERE, message);
        finding.object = self.printed(&subject);
        Discovery {
            subject,
            table,
            finding,
            related: Vec::new(),
            group: None,
            place: None,
            when_new: None,
            habit: None,
        }
    }

    fn printed(&self, subject: &Subject) -> Option<PrintedName> {
        match subject {
            Subject::Relation(id) => self.schema.relation(*id).map(|it| PrintedName::from(&it.name)),
            Subject::Column(id, column) => {
                let relation = self.schema.relation(*id)?;
                Some(PrintedName::part(&relation.name, &relation.column_by_id(*column)?.name))
            }
            Subject::Part(id, name) => Some(PrintedName::part(&self.schema.relation(*id)?.name, name)),
            Subject::Type(id) => self.schema.types.get(id).map(|it| PrintedName::from(&it.name)),
            Subject::Routine(id) => self.schema.routines.get(id).map(|it| PrintedName::from(&it.name)),
            Subject::Schema(name) => Some(PrintedName::from(name)),
        }
    }

    /// A name for something new beside a table, that nothing in its schema has.
    pub fn free_name(&self, table: &Relation, columns: &str, label: &str) -> Name {
        let columns = Some(columns).filter(|columns| !columns.is_empty());
        let whole =
            [Some(table.name.name.as_str()), columns, Some(label)].into_iter().flatten().collect::<Vec<_>>().join("_");
        let base = crate::schema::make_object_name(table.name.name.as_str(), columns, label);
        // What is cut off told two names of one table apart: a few letters of its hash do that instead.
        let marked = (base.as_str() != whole).then(|| format!("{:04x}_{label}", short_hash(&whole)));
        let label = marked.as_deref().unwrap_or(label);
        let base = crate::schema::make_object_name(table.name.name.as_str(), columns, label);
        let taken = |name: &Name| {
            let at = QualifiedName { schema: table.name.schema.clone(), name: name.clone() };
            self.schema.relation_at(&at).is_some() || table.constraint(name).is_some()
        };
        if !taken(&base) {
            return base;
        }
        (1..)
            .map(|n| crate::schema::make_object_name(table.name.name.as_str(), columns, &format!("{label}{n}")))
            .take(1000)
            .find(|name| !taken(name))
            .unwrap_or(base)
    }
}

/// FNV-1a folded to 16 bits: the same on every machine and in every release.
fn short_hash(text: &str) -> u32 {
    let hash = text.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    (hash >> 16) ^ (hash & 0xffff)
}

/// Stands in a finding until its place is looked up.
pub const NOWHERE: Span = Span { file: FileId(0), start: 0, end: 0 };

impl Discovery {
    pub fn severity(mut self, severity: Severity) -> Discovery {
        self.finding.severity = severity;
        self
    }

    pub fn confidence(mut self, confidence: Confidence) -> Discovery {
        self.finding.confidence = Some(confidence);
        self
    }

    pub fn declared(mut self, fact: impl Into<String>) -> Discovery {
        self.finding.evidence.push(Evidence::declared(fact));
        self
    }

    pub fn measured(mut self, fact: impl Into<String>) -> Discovery {
        self.finding.evidence.push(Evidence::measured(fact));
        self
    }

    pub fn advice(mut self, text: impl Into<String>, steps: Vec<FixStep>) -> Discovery {
        self.finding.advice = Advice::steps(text, steps);
        self
    }

    pub fn related(mut self, subject: Subject, label: impl Into<String>) -> Discovery {
        self.related.push((subject, label.into()));
        self
    }

    pub fn grouped(mut self, head: impl Into<String>, item: impl Into<String>) -> Discovery {
        self.group = Some(Group { head: head.into(), item: item.into() });
        self
    }

    /// The advice for a table that the same migration makes.
    pub fn when_new(mut self, text: impl Into<String>) -> Discovery {
        self.when_new = Some(text.into());
        self
    }

    pub fn at(mut self, place: Option<Span>) -> Discovery {
        self.place = place;
        self
    }
}
