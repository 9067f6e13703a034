//! Tokens to a [`Change`](crate::change::Change): one file for each kind of statement, and for the parts that several have.

mod alter_column;
mod alter_object;
mod alter_table;
mod column;
mod command;
mod constraint;
mod copy;
mod create_other;
mod data;
mod ddl;
mod element;
mod foreign;
mod grant;
mod index;
mod maintenance;
mod name;
mod object;
mod operator;
mod partition;
mod publication;
pub(super) mod reader;
mod reference;
mod role;
pub(super) mod routine;
mod schema;
mod sequence;
mod session;
mod set_config;
mod setting;
pub(super) mod statement;
mod table;
mod table_name;
mod trigger;
mod type_name;
mod types;
pub(super) mod uses;
mod view;

#[cfg(test)]
pub(super) mod testing;
