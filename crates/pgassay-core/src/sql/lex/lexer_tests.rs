use super::*;

fn lexemes(text: &str) -> Vec<(Lexeme, &str)> {
    let (mut found, mut at) = (Vec::new(), 0);
    while at < text.len() {
        let (lexeme, end) = lexeme(text.as_bytes(), at, Rules::default());
        if lexeme != Lexeme::Space {
            found.push((lexeme, &text[at..end]));
        }
        at = end;
    }
    found
}

fn texts(text: &str) -> Vec<&str> {
    lexemes(text).into_iter().map(|(_, text)| text).collect()
}

fn value(text: &str) -> String {
    let (found, end) = lexeme(text.as_bytes(), 0, Rules::default());
    let Lexeme::String(quoting) = found else { panic!("{text} is {found:?}") };
    assert_eq!(end, text.len(), "{text}");
    String::from_utf8(string_value(text, quoting).bytes).unwrap()
}

#[test]
fn both_newlines_end_a_line_comment() {
    assert_eq!(texts("-- a\rb"), ["-- a", "b"]);
    assert_eq!(texts("-- a\nb--"), ["-- a", "b", "--"]);
}

#[test]
fn a_string_goes_on_behind_a_newline_and_keeps_its_kind() {
    assert_eq!(value("'a'\n 'b'"), "ab");
    assert_eq!(value("'a'\r\t'b'"), "ab");
    assert_eq!(value("E'a'\n'b\\'c'"), "ab'c");
    assert_eq!(value("'a' -- why\n--\n'b\\'"), "ab\\");
    assert_eq!(value("B'01'\n'10'"), "0110");
    assert_eq!(texts("'a' 'b'"), ["'a'", "'b'"]);
    assert_eq!(texts("'a' /* \n */ 'b'"), ["'a'", "/* \n */", "'b'"]);
    assert_eq!(texts("'a' - \n 'b'"), ["'a'", "-", "'b'"]);
}

#[test]
fn escapes_are_those_of_the_server() {
    assert_eq!(value("E'\\n\\b\\\\\\'\\q'''"), "\n\u{8}\\'q'");
    assert_eq!(value("e'\\101\\x42\\u0043\\U0001F600'"), "ABC😀");
    assert_eq!(value("'\\'''"), "\\'");
    assert_eq!(unicode_value("d\\0061t\\+000061 \\\\", '\\').as_deref(), Some("data \\"));
    assert_eq!(unicode_value("!D83D!DE00", '!').as_deref(), Some("😀"));
    assert_eq!(unicode_value("\\006", '\\'), None);
    assert_eq!(unicode_value("\\D83Dx", '\\'), None);
}

#[test]
fn every_byte_of_a_value_knows_where_it_was_written() {
    let raw = "E'a\\'é'\n 'b'";
    let found = string_value(raw, Quoting::Escapes);
    assert_eq!((found.bytes.as_slice(), found.offsets.as_slice()), ("a'éb".as_bytes(), &[2, 3, 5, 6, 11, 12][..]));
}

#[test]
fn strings_without_standard_conformance_have_escapes() {
    let rules = Rules { standard_conforming_strings: false };
    assert_eq!(lexeme(b"'\\'' x", 0, rules), (Lexeme::String(Quoting::Escapes), 4));
    assert_eq!(lexeme(b"'\\'' x", 0, Rules::default()), (Lexeme::Unclosed(Unclosed::String), 6));
    assert_eq!(lexeme(b"n'\\'' x", 0, rules), (Lexeme::String(Quoting::Escapes), 5));
}

#[test]
fn operators_end_before_comments_and_signs() {
    assert_eq!(texts("a>=-1"), ["a", ">=", "-", "1"]);
    assert_eq!(texts("a||-1"), ["a", "||-", "1"]);
    assert_eq!(texts("a @-- b\n+/* c */@"), ["a", "@", "-- b", "+", "/* c */", "@"]);
    assert_eq!(texts("-+-1"), ["-", "+", "-", "1"]);
    assert_eq!(texts("a<=>b!~~*c"), ["a", "<=>", "b", "!~~*", "c"]);
    assert_eq!(texts("x=>1, y:=2, z::int, w[1:2]").len(), 18);
}

#[test]
fn numbers_end_where_the_server_ends_them() {
    assert_eq!(texts("1..2"), ["1", "..", "2"]);
    assert_eq!(
        texts("1.e5 1e 1_000_ .5 0x1F 0b12 1.2.3"),
        ["1.e5", "1", "e", "1_000", "_", ".5", "0x1F", "0b1", "2", "1.2", ".3"]
    );
}

#[test]
fn dollars_are_tags_parameters_or_alone() {
    assert_eq!(texts("$$a$b$$ $1 $x$ $$ $xx$ $x$ $ a$b$c"), ["$$a$b$$", "$1", "$x$ $$ $xx$ $x$", "$", "a$b$c"]);
    assert_eq!(lexemes("$é$ $a$b$é$")[0].0, Lexeme::DollarString(4));
    assert_eq!(lexemes("$a$ $b$")[0].0, Lexeme::Unclosed(Unclosed::DollarString(3)));
}

#[test]
fn prefixes_belong_to_their_quote_only_when_they_touch_it() {
    let kinds: Vec<Lexeme> =
        lexemes("E'' be'' U&'' u&\"a\" n'' x'' B'' u &''").into_iter().map(|(kind, _)| kind).collect();
    use Lexeme::{Operator, String, UnicodeName, Word};
    use Quoting::{Bits, Escapes, Hexadecimal, National, Standard, Unicode};
    let strings = [String(National), String(Hexadecimal), String(Bits)];
    let expected = [String(Escapes), Word, String(Standard), String(Unicode), UnicodeName];
    assert_eq!(kinds, [&expected[..], &strings, &[Word, Operator, String(Standard)]].concat());
}

#[test]
fn every_cut_ends() {
    let text = "E'\\'é' U&\"a\" $x$ 1.e-5 /* /* */ */ ||- 'a'\n'b' 0x_f .. :: \"";
    for start in text.char_indices().map(|(at, _)| at) {
        for end in start..=text.len() {
            let bytes = &text.as_bytes()[start..end];
            let mut at = 0;
            while at < bytes.len() {
                let (_, next) = lexeme(bytes, at, Rules::default());
                assert!(next > at && next <= bytes.len() + 1, "{bytes:?} {at} {next}");
                at = next;
            }
        }
    }
}
