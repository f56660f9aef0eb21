//! The two text formats that Prometheus reads.

use std::fmt::Write;

/// A text format of metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// OpenMetrics 1.0.
    OpenMetrics,
    /// Prometheus' own, version 0.0.4.
    Plain,
}

/// What asks for OpenMetrics.
const OPENMETRICS: &str = "application/openmetrics-text";

/// What asks for the other.
const PLAIN: [&str; 3] = ["text/plain", "text/*", "*/*"];

impl Format {
    /// The format that an `Accept` header wants most (RFC 9110, section 12.5.1). Where it says nothing of it, the plain
    /// one, as for a person who looks.
    pub(crate) fn asked(accept: Option<&str>) -> Self {
        let accept = accept.unwrap_or_default();
        let weight = |wanted: &[&str]| accept.split(',').filter_map(|range| weight(range, wanted)).max();
        match weight(&[OPENMETRICS]) {
            Some(open) if open > 0 && Some(open) >= weight(&PLAIN) => Self::OpenMetrics,
            _ => Self::Plain,
        }
    }

    /// The media type of an answer.
    pub(crate) const fn media_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Plain => "text/plain; version=0.0.4; charset=utf-8",
        }
    }
}

/// How much a media range is wanted, in thousandths, if it is one of these.
fn weight(range: &str, wanted: &[&str]) -> Option<u32> {
    let mut parts = range.split(';').map(str::trim);
    let kind = parts.next()?;
    if !wanted.iter().any(|wanted| kind.eq_ignore_ascii_case(wanted)) {
        return None;
    }
    let quality = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
    let quality = quality.map_or(1.0, |text| text.parse::<f64>().unwrap_or(0.0).clamp(0.0, 1.0));
    Some((quality * 1000.0) as u32)
}

/// OpenMetrics as Prometheus' own format: there a counter is called as its samples are, and there are no units and no
/// end.
pub(super) fn plain(openmetrics: &str) -> String {
    let mut text = String::with_capacity(openmetrics.len());
    let mut lines = openmetrics.lines().peekable();
    while let Some(line) = lines.next() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, words) = help.split_once(' ').unwrap_or((help, ""));
            let suffix = if lines.peek().is_some_and(|next| is_counter(next, name)) { "_total" } else { "" };
            // Writing to a string does not fail.
            let _ = writeln!(text, "# HELP {name}{suffix} {words}");
        } else if let Some(name) = line.strip_prefix("# TYPE ").and_then(|kind| kind.strip_suffix(" counter")) {
            let _ = writeln!(text, "# TYPE {name}_total counter");
        } else if !line.starts_with("# UNIT ") && line != "# EOF" {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

fn is_counter(line: &str, name: &str) -> bool {
    line.strip_prefix("# TYPE ").and_then(|rest| rest.strip_prefix(name)) == Some(" counter")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_is_the_one_that_is_wanted_most() {
        let prometheus = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
                          text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        for (accept, expected) in [
            (None, Format::Plain),
            (Some("*/*"), Format::Plain),
            (Some("text/plain;version=0.0.4"), Format::Plain),
            (Some("text/html,application/xml;q=0.9,*/*;q=0.8"), Format::Plain),
            (Some("application/openmetrics-text; version=1.0.0"), Format::OpenMetrics),
            (Some("Application/OpenMetrics-Text"), Format::OpenMetrics),
            (Some(prometheus), Format::OpenMetrics),
            (Some("text/plain, application/openmetrics-text;q=0.5"), Format::Plain),
            (Some("application/openmetrics-text;q=0"), Format::Plain),
            (Some(";;,q=,"), Format::Plain),
        ] {
            assert_eq!(Format::asked(accept), expected, "{accept:?}");
        }
    }

    #[test]
    fn counters_are_called_as_their_samples() {
        let open = "# HELP a_bytes Bytes.\n# TYPE a_bytes counter\n# UNIT a_bytes bytes\na_bytes_total 1\n\
                    # HELP b B.\n# TYPE b gauge\nb{x=\"# EOF\"} 1\n# EOF\n";
        let expected = "# HELP a_bytes_total Bytes.\n# TYPE a_bytes_total counter\na_bytes_total 1\n\
                        # HELP b B.\n# TYPE b gauge\nb{x=\"# EOF\"} 1\n";
        assert_eq!(plain(open), expected);
    }
}
