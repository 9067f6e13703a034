//! Tests that start throwaway PostgreSQL servers. tests/README.md says where a test belongs.

mod advice;
mod audit;
mod audited;
mod boxes;
mod connections;
mod damaged;
mod database;
mod differential;
mod fix;
mod hostile;
mod indexes;
mod observation;
mod only_read;
mod plans;
mod predicted_against_observed;
mod prove;
mod prove_clients;
mod prove_queries;
mod prove_witnesses;
mod queries;
mod recorded;
mod refusals;
mod refused;
mod restored;
mod shop;
mod twin;
mod witnesses;

#[path = "../support/contract_cases.rs"]
mod contract_cases;
#[path = "../support/mod.rs"]
mod support;
