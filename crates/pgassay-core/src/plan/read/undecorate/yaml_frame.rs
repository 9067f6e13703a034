//! What stands around a plan as YAML: marks before each of its lines, psql's `+` behind them, tags of a page around the whole.

use super::{Line, json_frame, page, prefix};

/// Whether a run of lines holds a plan as YAML.
pub(super) fn is_yaml(chunk: &[Line]) -> bool {
    first(chunk).is_some()
}

/// Where a plan begins: `Plan:`, and in the next line the type of its root.
fn first(chunk: &[Line]) -> Option<usize> {
    let opens = |text: &str| text.trim_end().trim_end_matches(['+', '|', '│', ' ']).trim_end().ends_with("Plan:");
    chunk.windows(2).position(|pair| opens(&pair[0].text) && pair[1].text.contains("Node Type: \""))
}

/// Takes off what all lines of the document have before or behind them; whether there was something.
pub(super) fn strip(chunk: &mut [Line]) -> bool {
    let Some(first) = first(chunk) else { return false };
    let is_field = |line: &Line| {
        let text = line.text.trim_end().trim_end_matches(['+', '|', '│', ' ']).trim_end();
        text.ends_with(':') || text.contains(": ")
    };
    let last = chunk.iter().rposition(is_field).unwrap_or(first).max(first);
    let document = &mut chunk[first..=last];
    let mut changed = tags(&mut document[0]) | tags(&mut document[last - first]);
    if changed {
        document.iter_mut().for_each(|line| line.text = page::without_entities(&line.text));
    }
    changed |= json_frame::ends(document);
    let root = document[0].text.trim_start();
    if root.starts_with("- Plan:") || root.starts_with("Plan:") {
        return changed;
    }
    let all = |prefix: &prefix::Prefix| document.iter().all(|line| prefix(&line.text).is_some());
    let Some(prefix) = prefix::ALL.iter().copied().find(all) else { return changed };
    for line in chunk.iter_mut() {
        match prefix(&line.text) {
            Some(bytes) => line.skip(bytes),
            None => line.begins_entry = true,
        }
    }
    true
}

/// `<pre>` before a line, `</pre>` behind it; whether there was one. What closes on a line of its own ends the document by itself.
fn tags(line: &mut Line) -> bool {
    let mut changed = false;
    while let Some(end) = line.text.find('>').filter(|_| line.text.starts_with('<')) {
        line.skip(end + 1);
        changed = true;
    }
    if let Some(start) = line.text.find("</").filter(|_| line.text.trim_end().ends_with('>')) {
        line.text.truncate(start);
        changed = true;
    }
    changed
}
