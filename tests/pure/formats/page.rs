//! The HTML page.

use super::*;

/// A page of these migrations on a schema with two tables.
fn page(migrations: &[(&str, &str)]) -> String {
    let mut sources = Sources::default();
    let mut plain = |name: &str, text: &str| {
        let file = sources.add(SourceFile::new(name, text));
        Migration::plain(name, file, text.len())
    };
    let given = "CREATE TABLE orders (id bigint PRIMARY KEY, note text); CREATE TABLE \"<b>\" (id int);";
    let base = vec![plain("given.sql", given)];
    let migrations = migrations.iter().map(|(name, text)| plain(name, text)).collect();
    let report = check(&Job { base, migrations, ..Job::default() }, &sources);
    let mut out = Vec::new();
    Html.render(&report, &sources, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn the_page_of_a_check_has_the_deploy_as_a_timeline() {
    let scan =
        "BEGIN;\nALTER TABLE orders ADD COLUMN n int;\nALTER TABLE orders ALTER COLUMN note SET NOT NULL;\nCOMMIT;\n";
    let page = page(&[("1_quiet.sql", "CREATE TABLE fresh (id int);"), ("2_scan.sql", scan)]);
    // The lock is taken in line 2 and held to the COMMIT, which is said and drawn.
    let held = "<code>public.orders</code>: <span class=\"w3\">reads and writes wait</span> from line 2 to line 4 (ACCESS EXCLUSIVE): grows with the table";
    assert!(page.contains(held), "{page}");
    assert!(page.contains("<i class=\"w3 unknown\" style=\"grid-column:2/5\""), "{page}");
    // What makes nobody wait is listed, and not drawn.
    assert!(page.contains("<td>1_quiet.sql</td><td class=\"n\">1</td><td>nobody</td>") && !page.contains("id=\"m0\""));
    assert!(page.contains("<a href=\"#m1\">2_scan.sql</a>") && page.contains("id=\"m1\""));
    // The finding has its place, and its plan of change in migrations.
    assert!(
        page.contains(
            "2_scan.sql:3:33</p>\n<pre>ALTER TABLE orders ALTER COLUMN <mark>note</mark> SET NOT NULL;</pre>"
        ),
        "{page}"
    );
    assert!(page.contains("<b>Deploy 1</b>") && page.contains("<p>migration 3</p>"));
}

#[test]
fn a_page_is_well_formed_and_takes_nothing_for_markup() {
    let odd = "ALTER TABLE \"<b>\" ADD COLUMN \"</code><script>\" int DEFAULT random();";
    let page = page(&[("<i>.sql", odd), ("x.sql", "VACUUM FULL orders;")]);
    assert!(!page.contains("<b>\"") && page.matches("<script>").count() == 1 && !page.contains("<i>."), "{page}");
    assert!(!page.contains("http:") && !page.contains("https:"));
    // As XML, but for what HTML leaves open.
    let body = &page[page.find("<main>").unwrap()..page.find("<script>").unwrap()];
    let closed = body.replace("<br>", "<br/>").replace(" open>", ">").replace("&nbsp;", " ");
    let input = closed
        .split("<input")
        .enumerate()
        .map(|(at, part)| if at == 0 { part.to_owned() } else { part.replacen('>', "/>", 1) });
    let text = input.collect::<Vec<_>>().join("<input");
    roxmltree::Document::parse(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
}
