//! A plan to show to others: names and constants replaced, alike ones by alike ones, and nothing else changed.
//!
//! Kept are the words of SQL, types, functions that PostgreSQL brings along, and the numbers that say what nodes took.

use std::collections::HashMap;

use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, Tokenizer};

use super::Plan;
use super::node::Node;

/// Replaces the names and constants of plans; the same name gives the same replacement in all of them.
#[derive(Default)]
pub struct Anonymizer {
    names: HashMap<(char, String), String>,
    counts: HashMap<char, usize>,
}

/// Words that conditions are made of besides keywords in capitals.
const KEPT_WORDS: &[&str] =
    &["hashed", "SubPlan", "InitPlan", "true", "false", "null", "numeric", "integer", "text", "bigint"];

/// Functions that are in every database; the names of others are replaced.
const KEPT_FUNCTIONS: &[&str] = &[
    "lower",
    "upper",
    "abs",
    "length",
    "md5",
    "coalesce",
    "nullif",
    "round",
    "floor",
    "ceil",
    "trunc",
    "sqrt",
    "left",
    "right",
    "substr",
    "substring",
    "replace",
    "split_part",
    "date_trunc",
    "date_part",
    "extract",
    "to_char",
    "to_date",
    "now",
    "random",
    "count",
    "sum",
    "avg",
    "min",
    "max",
    "array_agg",
    "string_agg",
    "row_number",
    "rank",
    "dense_rank",
    "generate_series",
    "unnest",
    "jsonb_array_elements",
    "timezone",
    "concat",
    "greatest",
    "least",
    "bool_and",
    "bool_or",
    "jsonb_build_object",
    "json_agg",
    "jsonb_agg",
    "lag",
    "lead",
    "first_value",
    "last_value",
];

/// Words of the server's own types; others are an enum's, a domain's, an extension's.
const KEPT_TYPES: &[&str] = &[
    "text",
    "character",
    "varying",
    "varchar",
    "bpchar",
    "char",
    "name",
    "integer",
    "bigint",
    "smallint",
    "int2",
    "int4",
    "int8",
    "numeric",
    "double",
    "precision",
    "real",
    "float4",
    "float8",
    "boolean",
    "bool",
    "date",
    "time",
    "timestamp",
    "timestamptz",
    "timetz",
    "interval",
    "with",
    "without",
    "zone",
    "uuid",
    "json",
    "jsonb",
    "jsonpath",
    "xml",
    "bytea",
    "bit",
    "inet",
    "cidr",
    "macaddr",
    "money",
    "oid",
    "regclass",
    "regtype",
    "regproc",
    "regprocedure",
    "regconfig",
    "tsvector",
    "tsquery",
    "point",
    "line",
    "lseg",
    "box",
    "path",
    "polygon",
    "circle",
    "int4range",
    "int8range",
    "numrange",
    "tsrange",
    "tstzrange",
    "daterange",
    "int4multirange",
    "int8multirange",
    "nummultirange",
    "tsmultirange",
    "tstzmultirange",
    "datemultirange",
    "record",
    "xid",
    "tid",
    "unknown",
    "year",
    "month",
    "day",
    "hour",
    "minute",
    "second",
    "to",
];

impl Anonymizer {
    pub fn plan(&mut self, plan: &mut Plan) {
        // A query is nothing but names and constants.
        (plan.query, plan.parameters, plan.identifier) = (None, None, None);
        plan.settings.retain(|(name, _)| name != "search_path" && !name.contains('.'));
        for node in &mut plan.nodes {
            self.node(node);
        }
        for trigger in &mut plan.triggers {
            for (kind, name) in [('g', &mut trigger.name), ('k', &mut trigger.constraint), ('t', &mut trigger.relation)]
            {
                *name = name.take().map(|name| self.name(kind, &name));
            }
        }
    }

    fn node(&mut self, node: &mut Node) {
        for (kind, name) in [
            ('s', &mut node.schema),
            ('t', &mut node.relation),
            ('a', &mut node.alias),
            ('i', &mut node.index),
            ('w', &mut node.cte),
        ] {
            *name = name.take().map(|name| self.name(kind, &name));
        }
        node.function = node.function.take().map(|name| self.function(&name));
        node.subplan_name = node.subplan_name.take().map(|name| match name.strip_prefix("CTE ") {
            Some(cte) => format!("CTE {}", self.name('w', cte)),
            None => name,
        });
        for condition in &mut node.conditions {
            condition.text = self.sql(&condition.text);
        }
        let lists = [&mut node.sort_key, &mut node.presorted_key, &mut node.output];
        for text in lists.into_iter().flatten().chain(node.group_keys.iter_mut().flatten()) {
            *text = self.sql(text);
        }
        node.cache_key = node.cache_key.take().map(|key| self.sql(&key));
        node.other.retain(|(_, value)| value.parse::<f64>().is_ok());
    }

    fn name(&mut self, kind: char, name: &str) -> String {
        if let Some(known) = self.names.get(&(kind, name.to_owned())) {
            return known.clone();
        }
        let count = self.counts.entry(kind).or_default();
        *count += 1;
        let new = format!("{kind}{count}");
        self.names.insert((kind, name.to_owned()), new.clone());
        new
    }

    fn function(&mut self, name: &str) -> String {
        if KEPT_FUNCTIONS.contains(&name.to_lowercase().as_str()) { name.to_owned() } else { self.name('f', name) }
    }

    /// An expression with its names and constants replaced; one that cannot be read is left out.
    fn sql(&mut self, text: &str) -> String {
        let Ok(tokens) = Tokenizer::new(&PostgreSqlDialect {}, text).tokenize() else { return "(…)".to_owned() };
        let mut out = String::new();
        // Behind `::` a type goes on over words.
        let mut in_type = false;
        for (at, token) in tokens.iter().enumerate() {
            let next = tokens[at + 1..].iter().find(|token| !matches!(token, Token::Whitespace(_)));
            in_type = match token {
                Token::DoubleColon => true,
                Token::Word(_) | Token::Whitespace(_) | Token::Period => in_type,
                _ => false,
            };
            match token {
                Token::Word(word) => {
                    let keyword = word.keyword != Keyword::NoKeyword
                        && word.quote_style.is_none()
                        && word.value.chars().all(|c| c.is_ascii_uppercase() || c == '_');
                    let of_server = in_type && word.quote_style.is_none() && KEPT_TYPES.contains(&word.value.as_str());
                    if in_type && !keyword && !of_server && !matches!(next, Some(Token::Period)) {
                        let name = self.name('y', &word.value);
                        out.push_str(&name);
                        in_type = false;
                    } else if in_type && matches!(next, Some(Token::Period)) {
                        let name = self.name('s', &word.value);
                        out.push_str(&name);
                    } else if keyword || of_server || KEPT_WORDS.contains(&word.value.as_str()) {
                        in_type &= !keyword;
                        out.push_str(&word.value);
                    } else if matches!(next, Some(Token::LParen)) {
                        let name = self.function(&word.value);
                        out.push_str(&name);
                    } else if matches!(next, Some(Token::Period)) {
                        let name = self.qualifier(&word.value);
                        out.push_str(&name);
                    } else {
                        let name = self.name('c', &word.value);
                        out.push_str(&name);
                    }
                }
                // The number of a subplan is no constant.
                Token::Number(..) if out.trim_end().ends_with("Plan") => out.push_str(&token.to_string()),
                Token::Number(..) => out.push('0'),
                Token::SingleQuotedString(text)
                | Token::EscapedStringLiteral(text)
                | Token::NationalStringLiteral(text) => {
                    let name = self.name('v', text);
                    out.push_str(&format!("'{name}'"));
                }
                Token::Whitespace(_) => out.push(' '),
                other => out.push_str(&other.to_string()),
            }
        }
        out
    }

    /// What a column is qualified with: an alias or a table.
    fn qualifier(&mut self, name: &str) -> String {
        let known = ['a', 't', 'w', 's'].into_iter().find_map(|kind| self.names.get(&(kind, name.to_owned())).cloned());
        known.unwrap_or_else(|| self.name('a', name))
    }
}
