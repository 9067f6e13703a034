//! The lines of a file that are shown with a finding.

use crate::finding::Finding;
use crate::source::{Sources, Span};

/// More lines than this between two places, and only the finding's own is shown.
const WINDOW_LINES: u32 = 40;

/// Bytes of source that an excerpt may have; statements that a tool wrote can stand on one line of many thousands.
const LONGEST_WINDOW: usize = 16 * 1024;

/// Bytes on either side of the finding that are left of a longer one.
const CLIPPED_TO: usize = 200;

/// Whole lines around the finding, and around the related places that are near.
pub(super) fn window(finding: &Finding, sources: &Sources) -> Span {
    let file = sources.file(finding.span.file);
    let line = |offset: u32| file.position(offset).line;
    let mut span = first_line(finding.span, sources);
    for (related, _) in &finding.related {
        let related = first_line(*related, sources);
        let joined = span.to(related);
        if related.file == span.file && line(joined.end).saturating_sub(line(joined.start)) <= WINDOW_LINES {
            span = joined;
        }
    }
    let start = file.text[..span.start as usize].rfind('\n').map_or(0, |at| at + 1);
    let end = file.text[span.end as usize..].find('\n').map_or(file.text.len(), |at| span.end as usize + at);
    let end = start + file.text[start..end].trim_end_matches('\r').len();
    Span::new(span.file, start, end.max(span.end as usize))
}

/// Of a window that is too long to be laid out: what is near the finding.
pub(super) fn clipped(window: Span, finding: &Finding, sources: &Sources) -> Option<Span> {
    if (window.end - window.start) as usize <= LONGEST_WINDOW {
        return None;
    }
    let text = &sources.file(window.file).text;
    let place = first_line(finding.span, sources);
    let mut start = (place.start as usize).saturating_sub(CLIPPED_TO).max(window.start as usize);
    let mut end = (place.end as usize).min(place.start as usize + CLIPPED_TO) + CLIPPED_TO;
    end = end.min(window.end as usize);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    // Only the line itself.
    start += text[start..place.start as usize].rfind('\n').map_or(0, |at| at + 1);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    Some(Span::new(window.file, start, end))
}

/// A span of several lines is shown by its first.
pub(super) fn first_line(span: Span, sources: &Sources) -> Span {
    let text = sources.slice(span);
    match text.find('\n') {
        Some(at) => Span { end: span.start + text[..at].trim_end().len() as u32, ..span },
        None => span,
    }
}
