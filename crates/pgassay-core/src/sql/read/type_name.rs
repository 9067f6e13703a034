//! Type names, in all the spellings that SQL and PostgreSQL give them (manual, chapter 8).

use std::sync::Arc;

use sqlparser::tokenizer::Token;

use super::reader::{Reader, Result};
use crate::change::{Name, TypeName};

impl Reader<'_> {
    /// A type: `SETOF int[]`, `character varying(20)`, `timestamp(3) with time zone`, `public.geometry(Point, 4326)`, `t.c%TYPE`.
    pub(in crate::sql) fn type_name(&mut self) -> Result<TypeName> {
        let start = self.position();
        let set_of = self.take_word("SETOF");
        let mut found = match self.sql_type_name()? {
            Some(found) => found,
            None => self.plain_type_name()?,
        };
        found.set_of = set_of;
        found.array_dimensions = self.array_dimensions()?;
        found.span = self.span_from(start);
        Ok(found)
    }

    /// The types whose names are syntax of their own.
    fn sql_type_name(&mut self) -> Result<Option<TypeName>> {
        // A qualified name is never one of them, not even pg_catalog.int.
        if matches!(self.peek_nth(1), Token::Period) {
            return Ok(None);
        }
        let Token::Word(word) = self.peek() else { return Err(self.error("a type")) };
        if word.quote_style.is_some() {
            return Ok(None);
        }
        let word = word.value.to_ascii_lowercase();
        let fixed = match word.as_str() {
            "int" | "integer" => "int4",
            "smallint" => "int2",
            "bigint" => "int8",
            "real" => "float4",
            "boolean" => "bool",
            "serial" => "serial4",
            "bigserial" => "serial8",
            "smallserial" => "serial2",
            "double" if self.at_nth_word(1, "PRECISION") => {
                self.advance();
                "float8"
            }
            "float" => return self.float().map(Some),
            "dec" | "decimal" | "numeric" => return self.with_modifiers("numeric").map(Some),
            "bit" => return self.bit().map(Some),
            "varchar" => return self.with_modifiers("varchar").map(Some),
            "char" | "character" | "nchar" | "national" => return self.character().map(Some),
            "timestamp" | "time" => return self.time(&word).map(Some),
            "interval" => return self.interval().map(Some),
            _ => return Ok(None),
        };
        self.advance();
        Ok(Some(self.named(fixed)))
    }

    fn named(&self, name: &str) -> TypeName {
        let (schema, name) = (None, Name::new(name));
        TypeName {
            schema,
            name,
            modifiers: Vec::new(),
            other_modifiers: Vec::new(),
            array_dimensions: 0,
            set_of: false,
            span: self.span(),
        }
    }

    fn with_modifiers(&mut self, name: &str) -> Result<TypeName> {
        self.advance();
        let mut found = self.named(name);
        self.modifiers(&mut found)?;
        Ok(found)
    }

    /// float(1) to float(24) is real (manual, 8.1.3).
    fn float(&mut self) -> Result<TypeName> {
        let precise = self.with_modifiers("float8")?;
        let single = precise.modifiers.first().is_some_and(|bits| *bits <= 24);
        Ok(self.named(if single { "float4" } else { "float8" }))
    }

    fn bit(&mut self) -> Result<TypeName> {
        if self.at_nth_word(1, "VARYING") {
            self.advance();
            return self.with_modifiers("varbit");
        }
        let mut found = self.with_modifiers("bit")?;
        if found.modifiers.is_empty() {
            found.modifiers.push(1);
        }
        Ok(found)
    }

    fn character(&mut self) -> Result<TypeName> {
        if self.at_word("NATIONAL") {
            self.advance();
        }
        if self.at_nth_word(1, "VARYING") {
            self.advance();
            return self.with_modifiers("varchar");
        }
        let mut found = self.with_modifiers("bpchar")?;
        if found.modifiers.is_empty() {
            found.modifiers.push(1);
        }
        Ok(found)
    }

    fn time(&mut self, word: &str) -> Result<TypeName> {
        let mut found = self.with_modifiers(word)?;
        if self.take_words(&["WITH", "TIME", "ZONE"]) {
            found.name = Name::new(&format!("{word}tz"));
        } else {
            self.take_words(&["WITHOUT", "TIME", "ZONE"]);
        }
        Ok(found)
    }

    fn interval(&mut self) -> Result<TypeName> {
        const FIELDS: &[&str] = &["YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"];
        let mut found = self.with_modifiers("interval")?;
        let start = self.position();
        if self.take_any_word(FIELDS).is_some() {
            if self.at_word("TO") && FIELDS.iter().any(|field| self.at_nth_word(1, field)) {
                self.advance();
                self.advance();
            }
            let words = self.text_from(start).split_whitespace().map(str::to_ascii_lowercase).collect::<Vec<_>>();
            self.modifiers(&mut found)?;
            found.other_modifiers.push(words.join(" ").into());
        }
        Ok(found)
    }

    fn plain_type_name(&mut self) -> Result<TypeName> {
        let start = self.position();
        let object = match self.function_name() {
            Ok(object) => object,
            Err(_) => return Err(self.error("a type")),
        };
        let mut found = TypeName { schema: object.schema, ..self.named(object.name.as_str()) };
        if self.at(&Token::Mod) && self.at_nth_word(1, "TYPE") {
            let path = self.text_from(start).to_string();
            self.advance();
            self.advance();
            (found.schema, found.name) = (None, Name::folded(&format!("{path}%type")));
            return Ok(found);
        }
        self.modifiers(&mut found)?;
        Ok(found)
    }

    /// `(10, 2)`, `(Point, 4326)`.
    fn modifiers(&mut self, found: &mut TypeName) -> Result<()> {
        if !self.at(&Token::LParen) {
            return Ok(());
        }
        self.parenthesized(|reader| {
            reader.comma_separated(|reader| {
                match reader.peek() {
                    Token::Number(..) | Token::Minus | Token::Plus => {
                        let value = reader.integer()?;
                        found.modifiers.push(value.clamp(i32::MIN.into(), i32::MAX.into()) as i32);
                    }
                    Token::Word(word) => {
                        let word: Arc<str> = word.value.as_str().into();
                        reader.advance();
                        found.other_modifiers.push(word);
                    }
                    _ => {
                        let text = reader.string_literal()?;
                        found.other_modifiers.push(text);
                    }
                }
                Ok(())
            })
        })?;
        Ok(())
    }

    /// `[]`, `[3][3]`, `ARRAY`, `ARRAY[3]`.
    fn array_dimensions(&mut self) -> Result<u8> {
        if self.take_word("ARRAY") {
            if self.at(&Token::LBracket) {
                self.array_bound()?;
            }
            return Ok(1);
        }
        let mut dimensions = 0u8;
        while self.at(&Token::LBracket) {
            self.array_bound()?;
            dimensions = dimensions.saturating_add(1);
        }
        Ok(dimensions)
    }

    fn array_bound(&mut self) -> Result<()> {
        self.expect(&Token::LBracket)?;
        if matches!(self.peek(), Token::Number(..)) {
            self.advance();
        }
        self.expect(&Token::RBracket)
    }
}

#[cfg(test)]
mod tests {
    use crate::sql::read::testing::read;

    fn shown(text: &str) -> String {
        read(text, |reader| {
            let found = reader.type_name()?;
            reader.expect_end()?;
            Ok(found.to_string())
        })
        .unwrap()
    }

    #[test]
    fn sql_spellings_become_the_catalogs() {
        for (written, expected) in [
            ("INT", "integer"),
            ("pg_catalog.int4", "integer"),
            ("float(24)", "real"),
            ("FLOAT(25)", "double precision"),
            ("double precision[]", "double precision[]"),
            ("dec(10, 2)", "numeric(10,2)"),
            ("numeric(3,-2)", "numeric(3,-2)"),
            ("national character varying (7)", "character varying(7)"),
            ("nchar", "character(1)"),
            ("\"char\"", "\"char\""),
            ("bit varying(3)", "bit varying(3)"),
            ("bit", "bit(1)"),
            ("timestamp(3) without time zone", "timestamp(3) without time zone"),
            ("TIME WITH TIME ZONE", "time with time zone"),
            ("timestamptz(6)", "timestamp(6) with time zone"),
            ("INTERVAL Year  TO month", "interval year to month"),
            ("interval second(3)", "interval second(3)"),
            ("SETOF text ARRAY[3]", "SETOF text[]"),
            ("int[3][3]", "integer[]"),
            ("bigserial", "serial8"),
            ("geometry(Point, 4326)", "geometry(4326,Point)"),
            ("My.\"Type\"", "my.\"Type\""),
        ] {
            assert_eq!(shown(written), expected, "{written}");
        }
    }

    #[test]
    fn a_reserved_word_is_no_type() {
        let error = read("select", |reader| reader.type_name()).unwrap_err();
        assert_eq!(error.message, "expected a type, found 'select'");
    }
}
