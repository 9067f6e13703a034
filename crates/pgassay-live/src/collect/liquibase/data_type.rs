//! The types that Liquibase knows by its own names, as it spells them for PostgreSQL (`datatype/core/*.java`).

/// A type for PostgreSQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DataType {
    pub sql: String,
    /// Described as a serial: `createTable` makes an identity column of it.
    pub is_serial: bool,
    pub kind: Kind,
}

/// How a literal of the type is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Boolean,
    Number,
    /// A date or a time, whose default may be a function's name.
    Time,
    Other,
}

/// A description in parts: `VARCHAR(10 char)`, `timestamp(3) with time zone`.
struct Description<'a> {
    name: String,
    parameters: Vec<&'a str>,
    /// What follows the name: `with time zone`, `precision`.
    rest: String,
    raw: &'a str,
}

fn described(raw: &str) -> Description<'_> {
    let raw = raw.trim();
    let (before, inside, after) = match (raw.find('('), raw.rfind(')')) {
        (Some(open), Some(close)) if open < close => (&raw[..open], &raw[open + 1..close], &raw[close + 1..]),
        _ => (raw, "", ""),
    };
    let before = before.split('{').next().unwrap_or_default().trim();
    let whole_names =
        ["character varying", "bit varying", "long varchar", "long nvarchar", "long binary", "long varbinary"];
    let lower = before.to_ascii_lowercase();
    let name_length = match whole_names.iter().find(|name| lower.starts_with(*name)) {
        Some(name) => name.len(),
        None => before.find(char::is_whitespace).unwrap_or(before.len()),
    };
    let (name, rest) = before.split_at(name_length);
    let rest = format!("{} {}", rest.trim(), after.trim()).trim().to_owned();
    let parameters = inside.split(',').map(str::trim).filter(|parameter| !parameter.is_empty()).collect();
    Description { name: name.to_ascii_lowercase(), parameters, rest, raw }
}

impl Description<'_> {
    fn with_parameters(&self, name: &str) -> String {
        match self.parameters.is_empty() {
            true => name.to_owned(),
            false => format!("{name}({})", self.parameters.join(", ")),
        }
    }

    fn has_time_zone(&self) -> bool {
        let raw = self.raw.to_ascii_lowercase();
        raw.contains("tz") || raw.contains("with time zone") || raw.contains("with timezone")
    }

    fn time(&self, name: &str) -> String {
        let zone = if self.has_time_zone() { "WITH TIME ZONE" } else { "WITHOUT TIME ZONE" };
        let precision = self.parameters.last().map(|digits| format!("({digits})")).unwrap_or_default();
        format!("{name}{precision} {zone}")
    }

    /// The length counts characters, whatever the description says it counts.
    fn characters(&self, name: &str) -> String {
        let Some(length) = self.parameters.first().and_then(|length| length.split_whitespace().next()) else {
            return name.to_owned();
        };
        if length == "2147483647" { "CHARACTER VARYING".to_owned() } else { format!("{name}({length})") }
    }
}

/// What Liquibase makes of a description.
pub(super) fn data_type(raw: &str) -> DataType {
    let found = described(raw);
    let short = found.name.strip_prefix("java.sql.types.").or(found.name.strip_prefix("java.lang."));
    let (sql, kind) = match short.unwrap_or(&found.name) {
        "int" | "integer" | "int4" | "serial" | "serial4" | "mediumint" => ("INTEGER".to_owned(), Kind::Number),
        "bigint" | "int8" | "integer8" | "bigserial" | "serial8" | "long" | "java.math.biginteger" => {
            ("BIGINT".to_owned(), Kind::Number)
        }
        "smallint" | "int2" | "smallserial" | "tinyint" => ("SMALLINT".to_owned(), Kind::Number),
        "boolean" | "bool" => ("BOOLEAN".to_owned(), Kind::Boolean),
        "bit" => (found.with_parameters("BIT"), Kind::Boolean),
        "varchar" | "varchar2" | "string" | "character varying" | "nvarchar" | "nvarchar2" => {
            (found.characters("VARCHAR"), Kind::Other)
        }
        "char" | "bpchar" | "character" | "nchar" => (found.characters("CHAR"), Kind::Other),
        "clob" | "text" | "longtext" | "mediumtext" | "tinytext" | "ntext" | "nclob" | "longvarchar"
        | "longnvarchar" | "long varchar" | "long nvarchar" => ("TEXT".to_owned(), Kind::Other),
        "blob" => ("OID".to_owned(), Kind::Other),
        "longblob" | "mediumblob" | "tinyblob" | "longvarbinary" | "varbinary" | "binary" | "image" | "long binary"
        | "long varbinary" => ("BYTEA".to_owned(), Kind::Other),
        "datetime"
        | "datetime2"
        | "smalldatetime"
        | "java.util.date"
        | "timestamp"
        | "timestamptz"
        | "timestamp_with_timezone"
        | "java.sql.timestamp" => (found.time("TIMESTAMP"), Kind::Time),
        "time" | "timetz" | "java.sql.time" => (found.time("TIME"), Kind::Time),
        "date" | "java.sql.date" => ("date".to_owned(), Kind::Time),
        "double" => ("DOUBLE PRECISION".to_owned(), Kind::Number),
        "float" => (found.with_parameters("FLOAT"), Kind::Number),
        "real" => ("REAL".to_owned(), Kind::Number),
        "number" | "numeric" => (found.with_parameters("numeric"), Kind::Number),
        "decimal" | "java.math.bigdecimal" => (found.with_parameters("DECIMAL"), Kind::Number),
        "currency" | "money" | "smallmoney" => ("MONEY".to_owned(), Kind::Number),
        "uuid" | "uniqueidentifier" | "java.util.uuid" => ("UUID".to_owned(), Kind::Other),
        "xml" | "xmltype" | "sqlxml" => ("XML".to_owned(), Kind::Other),
        _ => (found.raw.split('{').next().unwrap_or_default().trim().to_owned(), Kind::Other),
    };
    let is_serial = matches!(found.name.as_str(), "serial" | "serial4" | "bigserial" | "serial8" | "smallserial")
        || found.rest.eq_ignore_ascii_case("identity");
    DataType { sql, is_serial, kind }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_spelled_for_postgresql() {
        let sql = |raw: &str| data_type(raw).sql;
        for (raw, expected) in [
            ("int", "INTEGER"),
            ("BIGINT", "BIGINT"),
            ("tinyint(1)", "SMALLINT"),
            ("varchar(255)", "VARCHAR(255)"),
            ("VARCHAR2(40 CHAR)", "VARCHAR(40)"),
            ("character varying(20)", "VARCHAR(20)"),
            ("java.sql.Types.VARCHAR(9)", "VARCHAR(9)"),
            ("clob", "TEXT"),
            ("blob", "OID"),
            ("longblob", "BYTEA"),
            ("datetime", "TIMESTAMP WITHOUT TIME ZONE"),
            ("timestamp", "TIMESTAMP WITHOUT TIME ZONE"),
            ("timestamp(3) with time zone", "TIMESTAMP(3) WITH TIME ZONE"),
            ("timestamptz", "TIMESTAMP WITH TIME ZONE"),
            ("double precision", "DOUBLE PRECISION"),
            ("decimal(10, 2)", "DECIMAL(10, 2)"),
            ("number(21,0)", "numeric(21, 0)"),
            ("jsonb", "jsonb"),
            ("text[]", "text[]"),
            ("my_schema.mood", "my_schema.mood"),
            ("interval day to second", "interval day to second"),
        ] {
            assert_eq!(sql(raw), expected, "{raw}");
        }
        assert!(data_type("bigserial").is_serial && !data_type("bigint").is_serial);
    }
}
