//! Tests that need no PostgreSQL server. tests/README.md says where a test belongs.

mod audit_cases;
mod audit_trades;
mod baseline;
mod calls;
mod command_line;
mod config;
mod contract;
mod coverage;
mod develop;
mod documentation;
mod explain;
mod first_run;
mod fix;
mod formats;
mod frameworks;
mod frameworks_edges;
mod histories;
mod init;
mod layers;
mod linter_mistakes;
mod liquibase;
mod lsp;
mod mcp;
mod own_times;
mod packaging;
mod partial;
mod plan_advice;
mod plan_conditions;
mod plan_decorations;
mod plan_log;
mod plan_remedies;
mod plans;
#[path = "properties.rs"]
mod properties_hold;
mod psql;
mod reads_ddl;
mod rules;
mod schema;
mod since;
mod tool_settings;
mod transactions;
mod untrusted;

#[path = "../support/contract_cases.rs"]
mod contract_cases;
#[path = "../support/properties.rs"]
mod properties;
#[path = "../support/repository.rs"]
mod repository;
#[path = "../support/rule_pages.rs"]
mod rule_pages;
#[path = "../../examples/develop/scaffold.rs"]
mod scaffold;
