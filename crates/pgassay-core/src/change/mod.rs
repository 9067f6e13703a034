//! What a statement asks for, as typed steps.
//!
//! In: nothing but data; `sql` fills these types from text. Out: [`Change`], read by `schema` (apply), `effect` (predict)
//! and the rules. Names are as written: which object they mean is for `schema` to say.

mod alter_table;
mod code;
mod data;
mod event;
mod expression;
mod index;
mod keyword;
mod name;
mod object;
mod printed;
mod publication;
mod routine;
mod session;
mod statement;
mod table;
mod types;
mod view;

pub use alter_table::*;
pub use code::*;
pub use data::*;
pub use event::*;
pub use expression::*;
pub use index::*;
pub use name::*;
pub use object::*;
pub use printed::PrintedName;
pub use publication::*;
pub use routine::*;
pub use session::*;
pub use statement::*;
pub use table::*;
pub use types::*;
pub use view::*;

/// One step that a statement asks for.
///
/// One statement is one `Change`; ALTER TABLE with several actions is one change with several actions, because
/// PostgreSQL runs them together: one lock, one rewrite, one scan.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    CreateTable(Box<CreateTable>),
    CreateTableAs(CreateTableAs),
    AlterTable(AlterTable),
    Truncate(Truncate),
    LockTable(LockTable),

    CreateIndex(Box<CreateIndex>),
    Reindex(Reindex),
    Cluster(Cluster),
    Vacuum(Vacuum),
    Analyze(Analyze),
    CreateStatistics(CreateStatistics),

    CreateView(CreateView),
    CreateMaterializedView(CreateMaterializedView),
    RefreshMaterializedView(RefreshMaterializedView),

    CreateSequence(CreateSequence),
    AlterSequence(AlterSequence),

    CreateType(CreateType),
    AlterEnum(AlterEnum),
    AlterCompositeType(AlterCompositeType),
    CreateDomain(CreateDomain),
    AlterDomain(AlterDomain),

    CreateRoutine(Box<CreateRoutine>),
    AlterRoutine(AlterRoutine),
    CreateTrigger(Box<CreateTrigger>),
    CreateRule(CreateRule),
    CreateEventTrigger(CreateEventTrigger),
    CreatePolicy(CreatePolicy),
    AlterPolicy(AlterPolicy),

    CreateSchema(CreateSchema),
    CreateExtension(CreateExtension),
    AlterExtension(AlterExtension),
    CreatePublication(CreatePublication),
    AlterPublication(AlterPublication),
    CreateDatabase(CreateDatabase),
    /// CREATE of a kind that holds no relation's data and is only tracked by name: roles, casts, operators, collations,
    /// aggregates, text search objects, servers, subscriptions, languages, tablespaces …
    CreateOther(CreateOther),

    Drop(Drop),
    /// RENAME TO, SET SCHEMA, OWNER TO and the like of objects that are not relations.
    AlterObject(AlterObject),
    Comment(Comment),
    Grant(Grant),
    AlterDefaultPrivileges(Grant),
    /// REASSIGN OWNED, DROP OWNED.
    Owned(Owned),

    Insert(Insert),
    Update(Update),
    Delete(Delete),
    Merge(Merge),
    Select(Select),
    Copy(Copy),
    /// `EXPLAIN [ANALYZE]` of another change; without ANALYZE nothing runs.
    Explain {
        analyze: bool,
        change: Box<Change>,
    },

    /// PREPARE name AS change.
    Prepare {
        name: Ident,
        change: Box<Change>,
    },
    /// EXECUTE of what was prepared in the session.
    Execute(Ident),
    /// `None` is ALL.
    Deallocate(Option<Ident>),
    /// DECLARE … CURSOR FOR change: planned and started, not run.
    /// `hold`: it outlives the transaction, and needs none.
    DeclareCursor {
        name: Ident,
        hold: bool,
        change: Box<Change>,
    },

    Transaction(TransactionControl),
    Set(Set),
    Reset(Reset),
    Do(Do),
    Call(Call),
    /// Read and known to touch no relation: LISTEN, NOTIFY, FETCH, CLOSE, CHECKPOINT, LOAD, SECURITY LABEL …
    Nothing(Nothing),
}

impl Change {
    /// The kebab-case names of the steps, as JSON gives them.
    pub fn names(&self) -> Vec<&'static str> {
        let one = |name| vec![name];
        match self {
            Change::AlterTable(alter) => alter.actions.iter().map(|action| action.kind.name()).collect(),
            Change::Do(block) => block
                .code
                .statements
                .iter()
                .filter_map(|statement| statement.change.as_ref().ok())
                .flat_map(Change::names)
                .collect(),
            Change::Explain { .. } => one("explain"),
            Change::Prepare { .. } => one("prepare"),
            Change::Execute(_) => one("execute"),
            Change::Deallocate(_) => one("deallocate"),
            Change::DeclareCursor { .. } => one("declare"),
            Change::CreateTable(_) => one("create-table"),
            Change::CreateTableAs(_) => one("create-table-as"),
            Change::Truncate(_) => one("truncate"),
            Change::LockTable(_) => one("lock-table"),
            Change::CreateIndex(_) => one("create-index"),
            Change::Reindex(_) => one("reindex"),
            Change::Cluster(_) => one("cluster"),
            Change::Vacuum(_) => one("vacuum"),
            Change::Analyze(_) => one("analyze"),
            Change::CreateStatistics(_) => one("create-statistics"),
            Change::CreateView(_) => one("create-view"),
            Change::CreateMaterializedView(_) => one("create-materialized-view"),
            Change::RefreshMaterializedView(_) => one("refresh-materialized-view"),
            Change::CreateSequence(_) => one("create-sequence"),
            Change::AlterSequence(_) => one("alter-sequence"),
            Change::CreateType(_) => one("create-type"),
            Change::AlterEnum(_) => one("alter-enum"),
            Change::AlterCompositeType(_) => one("alter-composite-type"),
            Change::CreateDomain(_) => one("create-domain"),
            Change::AlterDomain(_) => one("alter-domain"),
            Change::CreateRoutine(_) => one("create-routine"),
            Change::AlterRoutine(_) => one("alter-routine"),
            Change::CreateTrigger(_) => one("create-trigger"),
            Change::CreateEventTrigger(_) => one("create-event-trigger"),
            Change::CreateRule(_) => one("create-rule"),
            Change::CreatePolicy(_) => one("create-policy"),
            Change::AlterPolicy(_) => one("alter-policy"),
            Change::CreateSchema(_) => one("create-schema"),
            Change::CreateExtension(_) => one("create-extension"),
            Change::AlterExtension(_) => one("alter-extension"),
            Change::CreatePublication(_) => one("create-publication"),
            Change::AlterPublication(_) => one("alter-publication"),
            Change::CreateDatabase(_) => one("create-database"),
            Change::CreateOther(_) => one("create-other"),
            Change::Drop(drop) => one(drop.kind.drop_name()),
            Change::AlterObject(alter) => one(alter.action.name()),
            Change::Comment(_) => one("comment"),
            Change::Grant(grant) => one(if grant.revoke { "revoke" } else { "grant" }),
            Change::AlterDefaultPrivileges(_) => one("alter-default-privileges"),
            Change::Owned(_) => one("owned"),
            Change::Insert(_) => one("insert"),
            Change::Update(_) => one("update"),
            Change::Delete(_) => one("delete"),
            Change::Merge(_) => one("merge"),
            Change::Select(_) => one("select"),
            Change::Copy(_) => one("copy"),
            Change::Transaction(control) => one(control.name()),
            Change::Set(_) => one("set"),
            Change::Reset(_) => one("reset"),
            Change::Call(_) => one("call"),
            Change::Nothing(nothing) => one(nothing.name),
        }
    }
}
