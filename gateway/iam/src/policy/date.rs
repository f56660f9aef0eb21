use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Nanoseconds since 1970 of a date as policies write it: ISO 8601 in one of the W3C's forms, or seconds
/// since 1970.
pub(super) fn parse(text: &str) -> Option<i128> {
    if let Ok(seconds) = text.parse::<i64>()
        // Four digits alone are a year.
        && text.trim_start_matches('-').len() != 4
    {
        return Some(i128::from(seconds) * 1_000_000_000);
    }
    let whole = match text.len() {
        4 => format!("{text}-01-01T00:00:00Z"),
        7 => format!("{text}-01T00:00:00Z"),
        10 => format!("{text}T00:00:00Z"),
        _ => with_seconds(text),
    };
    OffsetDateTime::parse(&whole, &Rfc3339).ok().map(OffsetDateTime::unix_timestamp_nanos)
}

/// RFC 3339 wants the seconds that the W3C's form may leave out.
fn with_seconds(text: &str) -> String {
    match (text.get(..16), text.get(16..)) {
        (Some(minutes), Some(zone)) if zone.starts_with(['Z', '+', '-']) => format!("{minutes}:00{zone}"),
        _ => text.to_owned(),
    }
}
