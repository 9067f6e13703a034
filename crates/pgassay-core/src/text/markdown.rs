//! Text that means itself in GitHub's and GitLab's Markdown.

use super::plain::{one_line, visible};

/// Prose in one line. Every character with a meaning is escaped; a name behind `@` is not told of it.
pub fn prose(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in one_line(text).chars() {
        match character {
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '<' | '>' | '#' | '|' | '~' | '&' | '!' | '$' => {
                out.push('\\');
                out.push(character);
            }
            '@' => out.push_str("@<!-- -->"),
            other => out.push(other),
        }
    }
    out
}

/// Text inside of an HTML element.
pub fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in one_line(text).chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '@' => out.push_str("@<!-- -->"),
            other => out.push(other),
        }
    }
    out
}

/// A code span in one line: more backticks around it than in it.
pub fn code(text: &str) -> String {
    let text = one_line(text);
    let ticks = "`".repeat(longest_run(&text) + 1);
    match text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']) || text.is_empty() {
        true => format!("{ticks} {text} {ticks}"),
        false => format!("{ticks}{text}{ticks}"),
    }
}

/// A code span in the cell of a table, where `|` would end the cell.
pub fn table_code(text: &str) -> String {
    code(text).replace('|', "\\|")
}

/// A block of SQL: more backticks around it than in it.
pub fn fence(sql: &str) -> String {
    format!("{}\n", block("sql", sql))
}

/// A block in any language, without a line end behind it.
pub fn block(language: &str, text: &str) -> String {
    let text = visible(text);
    let ticks = "`".repeat((longest_run(&text) + 1).max(3));
    format!("{ticks}{language}\n{text}\n{ticks}")
}

fn longest_run(text: &str) -> usize {
    text.split(|character| character != '`').map(str::len).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_holds_backticks_and_pipes() {
        assert_eq!(code("a"), "`a`");
        assert_eq!(code("a`b``c"), "```a`b``c```");
        assert_eq!(code("`a\n"), "`` `a  ``");
        assert_eq!(table_code("a|b"), "`a\\|b`");
        assert_eq!(fence("```\r\n\u{1b}"), "````sql\n```\n\u{FFFD}\n````\n");
    }

    #[test]
    fn prose_has_no_markup() {
        assert_eq!(prose("a_b *c* <d> @e\n# f"), "a\\_b \\*c\\* \\<d\\> @<!-- -->e \\# f");
        assert_eq!(html("<a> & \"b\""), "&lt;a&gt; &amp; &quot;b&quot;");
    }
}
