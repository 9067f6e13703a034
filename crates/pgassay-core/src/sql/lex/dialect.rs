//! sqlparser's PostgreSQL dialect, with what it cannot read of PostgreSQL's expressions.

use std::any::TypeId;

use sqlparser::ast::{Expr, Ident, ObjectNamePart};
use sqlparser::dialect::{Dialect, PostgreSqlDialect, Precedence};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::Token;

use super::keyword::{can_be_bare_label, can_name_column};
use super::special;
use super::token::nth;
use crate::sql::kept;

/// Reads as [`PostgreSqlDialect`] does, and `COLLATE` behind any operand: that one reads it behind names and literals only.
#[derive(Debug)]
pub(crate) struct Postgres;

/// The word that was just taken; nothing where it is quoted, which every name may be.
fn current_word<'a>(parser: &'a Parser) -> &'a str {
    match &parser.get_current_token().token {
        Token::Word(word) if word.quote_style.is_none() => &word.value,
        _ => "",
    }
}

/// Whether SET, which was just taken, begins the assignments of UPDATE (gram.y, `relation_expr_opt_alias`: no alias there).
fn assigns(parser: &Parser) -> bool {
    let next = |n: usize| nth(parser, n);
    match next(0) {
        Token::Word(_) => matches!(next(1), Token::Eq | Token::Period | Token::LBracket),
        Token::LParen => {
            let mut depth = 0usize;
            let close = (0..).find(|n| {
                match next(*n) {
                    Token::LParen => depth += 1,
                    Token::RParen => depth -= 1,
                    _ => {}
                }
                depth == 0 || *next(*n) == Token::EOF
            });
            *next(close.unwrap_or_default() + 1) == Token::Eq
        }
        _ => false,
    }
}

const BASE: PostgreSqlDialect = PostgreSqlDialect {};

/// Methods that PostgreSqlDialect answers.
macro_rules! as_base {
    ($($name:ident($($argument:ident: $type:ty),*) -> $result:ty;)*) => {
        $(fn $name(&self $(, $argument: $type)*) -> $result {
            BASE.$name($($argument),*)
        })*
    };
}

impl Dialect for Postgres {
    /// How the columns of SEARCH and CYCLE are kept (`repair::operator`).
    fn supports_from_first_insert(&self) -> bool {
        true
    }

    /// What a name has no place for is kept in it as a call.
    fn is_identifier_generating_function_name(&self, ident: &Ident, _: &[ObjectNamePart]) -> bool {
        kept::calls(ident)
    }

    /// The parser asks which dialect it has in many places.
    fn dialect(&self) -> TypeId {
        BASE.dialect()
    }

    fn parse_prefix(&self, parser: &mut Parser) -> Option<Result<Expr, ParserError>> {
        special::prefix(parser)
    }

    fn parse_infix(&self, parser: &mut Parser, expr: &Expr, _: u8) -> Option<Result<Expr, ParserError>> {
        if parser.parse_keyword(Keyword::COLLATE) {
            let collation = parser.parse_object_name(false);
            return Some(collation.map(|collation| Expr::Collate { expr: Box::new(expr.clone()), collation }));
        }
        special::infix(parser, expr)
    }

    /// `f(name := value)`, beside `f(name => value)`.
    fn supports_named_fn_args_with_assignment_operator(&self) -> bool {
        true
    }

    fn get_next_precedence(&self, parser: &Parser) -> Option<Result<u8, ParserError>> {
        // No operator: it ends the name of an argument.
        if special::is_label(parser) || *nth(parser, 0) == Token::Assignment {
            return Some(Ok(self.prec_unknown()));
        }
        match special::binds_as(parser) {
            Some(Keyword::AT) => Some(Ok(self.prec_value(Precedence::AtTz))),
            Some(_) => Some(Ok(self.prec_value(Precedence::Is))),
            None => BASE.get_next_precedence(parser),
        }
    }

    /// `SELECT x label`: every key word but those that gram.y marks AS_LABEL.
    fn is_column_alias(&self, _: &Keyword, parser: &mut Parser) -> bool {
        can_be_bare_label(current_word(parser))
    }

    /// `FROM t alias`: a name of a column or table (gram.y, `ColId`).
    fn is_table_alias(&self, _: &Keyword, parser: &mut Parser) -> bool {
        let word = current_word(parser);
        can_name_column(word) && !(word.eq_ignore_ascii_case("set") && assigns(parser))
    }

    /// After AS the same names are allowed.
    fn is_table_factor_alias(&self, _: bool, keyword: &Keyword, parser: &mut Parser) -> bool {
        self.is_table_alias(keyword, parser)
    }

    fn is_table_factor(&self, keyword: &Keyword, parser: &mut Parser) -> bool {
        BASE.is_table_factor(keyword, parser)
    }

    as_base! {
        identifier_quote_style(identifier: &str) -> Option<char>;
        is_delimited_identifier_start(ch: char) -> bool;
        is_identifier_start(ch: char) -> bool;
        is_identifier_part(ch: char) -> bool;
        supports_unicode_string_literal() -> bool;
        is_reserved_for_identifier(keyword: Keyword) -> bool;
        is_custom_operator_part(ch: char) -> bool;
        supports_filter_during_aggregation() -> bool;
        supports_group_by_expr() -> bool;
        supports_alter_user_as_alter_role() -> bool;
        prec_value(precedence: Precedence) -> u8;
        allow_extract_custom() -> bool;
        allow_extract_single_quotes() -> bool;
        supports_create_index_with_clause() -> bool;
        supports_explain_with_utility_options() -> bool;
        supports_listen_notify() -> bool;
        supports_exclude_constraint() -> bool;
        supports_factorial_operator() -> bool;
        supports_bitwise_shift_operators() -> bool;
        supports_comment_on() -> bool;
        supports_load_extension() -> bool;
        supports_named_fn_args_with_colon_operator() -> bool;
        supports_named_fn_args_with_expr_name() -> bool;
        supports_empty_projections() -> bool;
        supports_nested_comments() -> bool;
        supports_string_escape_constant() -> bool;
        supports_numeric_literal_underscores() -> bool;
        supports_array_typedef_with_brackets() -> bool;
        supports_geometric_types() -> bool;
        supports_order_by_using_operator() -> bool;
        supports_set_names() -> bool;
        supports_alter_column_type_using() -> bool;
        supports_left_associative_joins_without_parens() -> bool;
        supports_notnull_operator() -> bool;
        supports_interval_options() -> bool;
        supports_insert_table_alias() -> bool;
        supports_create_table_like_parenthesized() -> bool;
        supports_select_wildcard_with_alias() -> bool;
        supports_comma_separated_trim() -> bool;
        supports_xml_expressions() -> bool;
        supports_aliased_function_args() -> bool;
        supports_comment_optimizer_hint() -> bool;
    }
}
