//! What a view's query and its options may not be (DefineView, view.c; `transformCreateTableAsStmt`, analyze.c).

use sqlparser::ast::SetExpr;

use super::super::predictor::Predictor;
use crate::change::{CreateMaterializedView, CreateView, Persistence, Query, StorageOption};
use crate::expression;

impl Predictor<'_> {
    pub(super) fn refuse_view(&mut self, create: &CreateView) {
        if self.refuse_view_query(&create.query, "views must not contain data-modifying statements in WITH", true) {
            return;
        }
        self.refuse_view_options(&create.options);
        let checks = create.check_option || create.options.iter().any(|it| &*it.name == "check_option");
        let schema = self.context.schema;
        if checks && expression::takes_no_writes(&create.query.tree, schema, self.context.version) {
            let message = "WITH CHECK OPTION is supported only on automatically updatable views";
            self.refused(create.query.span, &create.name, message);
        }
    }

    pub(super) fn refuse_materialized_view(&mut self, create: &CreateMaterializedView) {
        let message = "materialized views must not use data-modifying statements in WITH";
        if self.refuse_view_query(&create.query, message, false) {
            return;
        }
        let analysis = expression::analyze_query(&create.query.tree, self.scope(None));
        let temporary = analysis.uses.iter().any(|(id, _)| {
            self.relation(*id).is_some_and(|it| it.persistence == Persistence::Temporary || it.name.schema == "pg_temp")
        });
        if temporary {
            let message = "materialized views must not use temporary tables or views";
            self.refused(create.query.span, &create.name, message);
        }
    }

    fn refuse_view_query(&mut self, query: &Query, modifying: &str, into: bool) -> bool {
        let ctes = query.tree.with.iter().flat_map(|with| &with.cte_tables);
        let writes = |body: &SetExpr| {
            matches!(body, SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_))
        };
        if ctes.into_iter().any(|cte| writes(&cte.query.body)) {
            self.refused(query.span, "", modifying);
            return true;
        }
        let selects_into = matches!(&*query.tree.body, SetExpr::Select(select) if select.into.is_some());
        if selects_into && into {
            self.refused(query.span, "", "views must not contain SELECT INTO");
        }
        selects_into
    }

    /// WITH (…) of a view.
    fn refuse_view_options(&mut self, options: &[StorageOption]) {
        for option in options {
            let value = option.value.as_deref().map(|it| it.trim_matches('\'').to_ascii_lowercase());
            let message = match (&*option.name, value.as_deref()) {
                ("check_option", Some("local" | "cascaded") | None) => continue,
                ("check_option", Some(value)) => format!("invalid value for enum option \"check_option\": {value}"),
                ("security_barrier" | "security_invoker", _) => continue,
                (name, _) => format!("unrecognized parameter \"{name}\""),
            };
            return self.refused(option.span, &*option.name, message);
        }
    }

    /// REINDEX of what is no index, or no table (`RangeVarCallbackForReindexIndex`, indexcmds.c).
    pub(super) fn refuse_reindexed(&mut self, reindex: &crate::change::Reindex) {
        use crate::change::ReindexTarget::{Index, Table};
        let (name, wants_index) = match &reindex.target {
            Index(name) => (name, true),
            Table(name) => (name, false),
            _ => return,
        };
        let Some(found) = self.find(name).filter(|it| it.known) else { return };
        let relation = found.name.name.as_str();
        let message = match (wants_index, found.as_index().is_some()) {
            (true, false) => format!("\"{relation}\" is not an index"),
            (false, _) if !found.is_table() && !found.has_storage() => {
                format!("\"{relation}\" is not a table or materialized view")
            }
            _ => return,
        };
        self.refused(name.span, name, message);
    }
}
