//! One arm a [`Change`]: each calls the function that knows it.

use super::call::Call;
use super::predictor::Predictor;
use super::{Context, FailsWhen, Prediction};
use crate::change::Change;
use crate::source::Span;

/// Predicts what PostgreSQL does for one change.
pub fn predict(change: &Change, context: Context) -> Prediction {
    let mut predictor = Predictor::new(context);
    predictor.change(change);
    predictor.finish()
}

/// As [`predict`], with the reasons for which the server refuses the statement, which stands at `span`.
pub fn predict_statement(change: &Change, span: Span, context: Context) -> Prediction {
    let mut predictor = Predictor::new(context);
    predictor.refuse(change, span);
    predictor.change(change);
    predictor.finish()
}

/// As [`predict_statement`], without what routines do: they are returned.
pub fn predict_without_calls(change: &Change, span: Span, context: Context) -> (Prediction, Vec<Call>) {
    let mut predictor = Predictor::new(context);
    predictor.calls = Some(Vec::new());
    predictor.refuse(change, span);
    predictor.change(change);
    let calls = predictor.calls.take().unwrap_or_default();
    (predictor.finish(), calls)
}

impl Predictor<'_> {
    pub fn change(&mut self, change: &Change) {
        match change {
            Change::CreateTable(create) => self.create_table(create),
            Change::CreateTableAs(create) => self.create_table_as(create),
            Change::AlterTable(alter) => self.alter_table(change, alter),
            Change::Truncate(truncate) => self.truncate(truncate),
            Change::LockTable(lock) => self.lock_table(lock),
            Change::CreateIndex(create) => self.create_index(change, create),
            Change::Reindex(reindex) => self.reindex(reindex),
            Change::Cluster(cluster) => self.cluster(cluster),
            Change::Vacuum(vacuum) => self.vacuum(vacuum),
            Change::Analyze(analyze) => self.analyze_tables(&analyze.tables, &analyze.only),
            Change::CreateStatistics(create) => self.create_statistics(create),
            Change::CreateView(create) => self.create_view(create),
            Change::CreateMaterializedView(create) => self.create_materialized_view(create),
            Change::RefreshMaterializedView(refresh) => self.refresh(refresh),
            Change::CreateSequence(create) => self.sequence_owner_lock(&create.options),
            Change::AlterSequence(alter) => self.sequence_owner_lock(&alter.options),
            Change::AlterCompositeType(alter) => self.alter_composite_type(alter),
            Change::AlterDomain(alter) => self.alter_domain(alter),
            Change::CreateRoutine(create) => self.create_routine(create),
            Change::CreateTrigger(create) => self.create_trigger(create),
            Change::CreateRule(create) => self.create_rule(create),
            Change::CreatePolicy(create) => {
                self.policy(&create.table, &[create.using.as_ref(), create.with_check.as_ref()]);
            }
            Change::AlterPolicy(alter) => {
                self.policy(&alter.table, &[alter.using.as_ref(), alter.with_check.as_ref()]);
            }
            Change::CreateSchema(create) => self.create_schema(create),
            Change::CreatePublication(create) => self.publication_objects(&create.objects),
            Change::AlterPublication(alter) => self.alter_publication(alter),
            Change::CreateDatabase(create) => {
                self.forbid_in_transaction(create.name.span, &create.name, "CREATE DATABASE");
            }
            Change::CreateOther(create) => self.create_other(create),
            Change::Drop(drop) => self.drop(drop),
            Change::AlterObject(alter) => self.alter_object(alter),
            Change::Grant(grant) => self.grant(grant),
            Change::Comment(comment) => self.comment(comment),
            Change::Insert(insert) => self.insert(insert),
            Change::Update(update) => self.update(update),
            Change::Delete(delete) => self.delete(delete),
            Change::Merge(merge) => self.merge(merge),
            Change::Select(select) => self.select(select),
            Change::Copy(copy) => self.copy(copy),
            Change::Explain { analyze, change } => self.explain(*analyze, change),
            Change::Do(block) => self.do_block(block),
            Change::Nothing(nothing) if nothing.forbidden_in_transaction => self.forbid_in_block(),
            Change::Call(call) => self.call(call),
            Change::AlterExtension(alter) => self.alter_extension(alter),
            Change::Owned(owned) => self.owned(owned),
            Change::Prepare { change, .. } => self.analyze(change),
            Change::DeclareCursor { name, hold, change } => {
                self.plan(change);
                // FETCH runs it.
                if let Change::Select(select) = &**change {
                    self.run_called(&select.tree.0, select.span);
                }
                if !hold {
                    let message = "DECLARE CURSOR can only be used in transaction blocks".to_owned();
                    self.fail(FailsWhen::OutsideTransactionBlock, name.span, &name.name, message);
                }
            }
            Change::Execute(name) => {
                if let Some(prepared) = self.prepared(name) {
                    self.change(&prepared);
                }
            }
            Change::CreateEventTrigger(_)
            | Change::CreateType(_)
            | Change::AlterEnum(_)
            | Change::CreateDomain(_)
            | Change::AlterRoutine(_)
            | Change::CreateExtension(_)
            | Change::AlterDefaultPrivileges(_)
            | Change::Deallocate(_)
            | Change::Transaction(_)
            | Change::Set(_)
            | Change::Nothing(_) => {}
            Change::Reset(reset) if reset.discard_all => self.forbid_in_block(),
            Change::Reset(_) => {}
        }
    }

    /// A statement without a span of its own that a transaction block refuses.
    fn forbid_in_block(&mut self) {
        self.out.effect.in_transaction_block = super::InTransactionBlock::Forbidden;
    }

    /// The procedure that a name means, where there is only one.
    fn call(&mut self, call: &crate::change::Call) {
        let found = self.schema().find_routines(&call.procedure, self.context.session);
        if let [only] = found.map(|it| it.id).collect::<Vec<_>>()[..] {
            self.run_procedure(only, Some(&call.tree.0), call.procedure.span);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::apply::apply;
    use crate::catalog::LockMode;
    use crate::change::Statement;
    use crate::effect::{Context, FailsWhen, Prediction, predict};
    use crate::schema::{Schema, Session};
    use crate::source::{SourceFile, Sources};
    use crate::sql::read_script;
    use crate::version::PgVersion;

    fn statements(text: &str) -> Vec<Statement> {
        let mut sources = Sources::default();
        let file = sources.add(SourceFile::new("test", text));
        read_script(file, sources.file(file)).statements
    }

    fn predicted(complete: bool, setup: &str, run: &str) -> Prediction {
        let (mut schema, session, version) = (Schema::new(complete), Session::default(), PgVersion::default());
        for statement in statements(setup) {
            apply(&mut schema, &statement.change.expect("a readable setup"), &session, version);
        }
        let change = statements(run).remove(0).change.expect("a readable statement");
        predict(&change, Context { schema: &schema, session: &session, version })
    }

    #[test]
    fn a_volatile_default_rewrites_and_a_stable_one_does_not() {
        let setup = "CREATE TABLE t (id int PRIMARY KEY)";
        let volatile = predicted(true, setup, "ALTER TABLE t ADD COLUMN u uuid DEFAULT gen_random_uuid()");
        assert!(
            volatile.effect.rewrites.contains("public.t") && volatile.effect.index_builds.contains("public.t_pkey")
        );
        assert_eq!(volatile.work[0].under, LockMode::AccessExclusive);
        assert!(
            predicted(true, setup, "ALTER TABLE t ADD COLUMN u timestamptz DEFAULT now()").effect.rewrites.is_empty()
        );
    }

    #[test]
    fn the_query_of_a_failure_names_the_users_columns() {
        let setup = r#"CREATE TABLE t (id int PRIMARY KEY, "Odd" int)"#;
        let found = predicted(true, setup, r#"ALTER TABLE t ALTER "Odd" SET NOT NULL"#);
        let query = r#"SELECT * FROM public.t WHERE "Odd" IS NULL LIMIT 1"#.to_owned();
        assert_eq!(found.failures[0].when, FailsWhen::SomeRow { query });
    }

    #[test]
    fn a_partial_history_is_predicted_from_the_statement_alone() {
        let found = predicted(false, "", "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES s.u (id)");
        let modes: Vec<_> = found.effect.locks.iter().map(|(name, mode)| (name.as_str(), *mode)).collect();
        assert_eq!(modes, [("public.t", LockMode::ShareRowExclusive), ("s.u", LockMode::ShareRowExclusive)]);
        assert!(found.effect.scans.contains("public.t"));
    }

    #[test]
    fn a_function_that_calls_itself_ends() {
        let setup = "CREATE TABLE t (id int); CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'INSERT INTO t SELECT f() RETURNING id'";
        assert!(predicted(true, setup, "SELECT f()").effect.locks.contains_key("public.t"));
    }
}
