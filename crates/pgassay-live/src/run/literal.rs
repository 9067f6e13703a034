//! Parameters as literals: a recorded statement that is judged and run again has its values in its text.

use super::record::Parameter;

/// Type OIDs (src/include/catalog/pg_type.dat).
const BOOL: u32 = 16;
const INT8: u32 = 20;
const INT2: u32 = 21;
const INT4: u32 = 23;
const OID: u32 = 26;
const FLOAT4: u32 = 700;
const FLOAT8: u32 = 701;
const UUID: u32 = 2950;
const JSONB: u32 = 3802;
/// text, name, char, bpchar, varchar, json, xml, unknown: the same in both formats.
const TEXTS: [u32; 8] = [25, 19, 18, 1042, 1043, 114, 142, 705];

impl Parameter {
    /// As a literal; `None` for a binary value of a type whose format is not known here.
    pub fn literal(&self) -> Option<String> {
        let Some(bytes) = &self.bytes else { return Some("NULL".to_owned()) };
        self.value(bytes).map(|value| crate::text::quoting::literal(&value))
    }

    /// As text, for names and versions.
    pub fn text(&self) -> Option<String> {
        self.value(self.bytes.as_ref()?)
    }

    fn value(&self, bytes: &[u8]) -> Option<String> {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
        if !self.is_binary || TEXTS.contains(&self.type_oid) {
            return text(bytes);
        }
        let number = || -> Option<i64> {
            Some(match bytes.len() {
                2 => i16::from_be_bytes(bytes.try_into().ok()?).into(),
                4 => i32::from_be_bytes(bytes.try_into().ok()?).into(),
                8 => i64::from_be_bytes(bytes.try_into().ok()?),
                _ => return None,
            })
        };
        match self.type_oid {
            BOOL => Some(if bytes == [0] { "f" } else { "t" }.to_owned()),
            INT2 | INT4 | INT8 | OID => number().map(|number| number.to_string()),
            FLOAT4 => Some(f32::from_be_bytes(bytes.try_into().ok()?).to_string()),
            FLOAT8 => Some(f64::from_be_bytes(bytes.try_into().ok()?).to_string()),
            UUID if bytes.len() == 16 => Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect()),
            // A version byte comes first.
            JSONB => text(bytes.get(1..)?),
            _ => None,
        }
    }
}

/// A statement with its parameters written into it. A parameter that cannot be written stays as it is.
pub(super) fn inlined(sql: &str, parameters: &[Parameter]) -> String {
    if parameters.is_empty() {
        return sql.to_owned();
    }
    let mut text = String::with_capacity(sql.len());
    let mut at = 0;
    for token in crate::collect::tokens(sql) {
        let number = sql[token.clone()].strip_prefix('$').and_then(|digits| digits.parse::<usize>().ok());
        let parameter = number.and_then(|number| parameters.get(number.checked_sub(1)?));
        if let Some(literal) = parameter.and_then(Parameter::literal) {
            text.push_str(&sql[at..token.start]);
            text.push_str(&literal);
            at = token.end;
        }
    }
    text.push_str(&sql[at..]);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &str) -> Parameter {
        Parameter { bytes: Some(value.as_bytes().to_vec()), is_binary: false, type_oid: 0 }
    }

    #[test]
    fn values_are_written_where_parameters_are() {
        let sql = "INSERT INTO t VALUES ($1, '$1', $2, $10) -- $1";
        assert_eq!(
            inlined(sql, &[text("it's"), Parameter { bytes: None, is_binary: false, type_oid: 0 }]),
            "INSERT INTO t VALUES ('it''s', '$1', NULL, $10) -- $1"
        );
    }

    #[test]
    fn binary_values_are_read_by_their_type() {
        let binary = |bytes: &[u8], type_oid| Parameter { bytes: Some(bytes.to_vec()), is_binary: true, type_oid };
        assert_eq!(binary(&7_i64.to_be_bytes(), INT8).text().as_deref(), Some("7"));
        assert_eq!(binary(&[1], BOOL).literal().as_deref(), Some("'t'"));
        assert_eq!(binary(b"\x01{}", JSONB).literal().as_deref(), Some("'{}'"));
        assert_eq!(binary(&[1, 2, 3], 1700).literal(), None);
    }
}
