//! Passwords that are written into migrations.

use crate::finding::{Advice, Category, Evidence, Finding, Severity};
use crate::rules::context::RunContext;
use crate::rules::{Example, Rule};
use crate::sql::secrets;

pub static RULE: Rule = Rule {
    name: "secret-in-migration",
    category: Category::Safety,
    severity: Severity::Warning,
    summary: "A migration has a password in it",
    explanation: "Whoever can read the repository, its history, or a log of statements has the password from then on, and every database that ever ran the migration has the same one. \
        Make the role without a password (it cannot log in with one then) and set it where the secret is kept: with ALTER ROLE by the deployment, or with psql's \\password, \
        which sends only a hash. A placeholder of the migration tool is no finding. Passwords are never shown: every report has asterisks in their place.",
    fires: Example { given: "", migration: "CREATE ROLE app LOGIN PASSWORD 'correct horse';" },
    quiet: Example { given: "", migration: "CREATE ROLE app LOGIN;" },
};

pub(super) fn check(context: &RunContext, findings: &mut Vec<Finding>) {
    for section in &context.run.migration.sections {
        let source = context.sources.file(section.span.file);
        for span in secrets(source, section.span) {
            let text = source.slice(span);
            if source.is_placeholder(span) || is_placeholder(text) {
                continue;
            }
            let verifier = is_verifier(text);
            let message = match verifier {
                true => "the migration holds the verifier of a password: passwords can be tried against it",
                false => "the migration holds a password: whoever reads the file, its history or a log has it",
            };
            let mut finding = RULE.finding(span, message);
            if verifier {
                finding.severity = Severity::Info;
            }
            finding.evidence.push(Evidence::declared("it is written in the file, and not shown here"));
            finding.advice = Advice::text(
                "Leave it out, set it where secrets are kept, and change the one that stood here: it is known by now.",
            );
            findings.push(finding);
        }
    }
}

/// What other tools than those known here put a value for: `${x}`, `{{ x }}`, `%(x)s`, `$(x)`, `<x>`, `@x@`.
fn is_placeholder(text: &str) -> bool {
    let text = text.trim();
    let pairs = [("${", "}"), ("{{", "}}"), ("%(", ")s"), ("$(", ")"), ("<", ">"), ("@", "@"), ("%{", "}")];
    pairs
        .iter()
        .any(|(start, end)| text.len() > start.len() + end.len() && text.starts_with(start) && text.ends_with(end))
}

/// What the server stores of a password (get_password_type, libpq/crypt.c).
fn is_verifier(text: &str) -> bool {
    let md5 =
        text.strip_prefix("md5").is_some_and(|hash| hash.len() == 32 && hash.bytes().all(|it| it.is_ascii_hexdigit()));
    md5 || text.starts_with("SCRAM-SHA-256$")
}
