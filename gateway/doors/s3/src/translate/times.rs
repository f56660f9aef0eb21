//! Moments between the domain, s3s and HTTP.

use cofre_objects::Ending;
use cofre_types::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::{S3Result, dto, s3_error};
use std::time::{Duration, UNIX_EPOCH};
use time::OffsetDateTime;

/// What stands as it is in the id of a rule in a header.
const RULE_ID: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'*');

/// For headers and XML. Cut to whole seconds, as S3 does, so that a listing and a HEAD agree.
pub(crate) fn to_dto(at: Timestamp) -> dto::Timestamp {
    dto::Timestamp::from(UNIX_EPOCH + Duration::from_secs(at.secs()))
}

/// The last whole second that a [`Timestamp`] holds: 2554-07-21T23:34:33Z. AWS goes on to the year 9999.
const LAST_SECS: u64 = u64::MAX / 1_000_000_000;

/// From a header or XML that s3s has parsed, to be compared with a moment that has been: one before 1970 becomes 1970,
/// one after 2554 the last that there is. What is kept is read by [`to_keep`].
pub(crate) fn from_dto(at: &dto::Timestamp) -> Timestamp {
    let nanos = OffsetDateTime::from(at.clone()).unix_timestamp_nanos();
    Timestamp(u64::try_from(nanos).unwrap_or(if nanos < 0 { 0 } else { u64::MAX }))
}

/// From a header or XML that s3s has parsed, to be kept and told again. One before 1970 becomes 1970: it has been
/// anyway. One that cannot be kept as it is, since it is after 2554, is refused: an earlier one would free too soon what
/// is to be retained, or end too soon what is to stay.
pub(crate) fn to_keep(field: &str, at: &dto::Timestamp) -> S3Result<Timestamp> {
    let at = from_dto(at);
    if at > Timestamp::from_secs(LAST_SECS) {
        return Err(s3_error!(InvalidArgument, "{field} must not be after 2554-07-21T23:34:33Z"));
    }
    Ok(at)
}

/// Reads an HTTP date (RFC 9110, section 5.6.7); `None` if it is none.
pub(crate) fn parse_http(text: &str) -> Option<Timestamp> {
    dto::Timestamp::parse(dto::TimestampFormat::HttpDate, text.trim()).ok().as_ref().map(from_dto)
}

/// Reads a moment in ISO 8601's basic form, as signatures have it: `20151021T072800Z`.
pub(crate) fn parse_basic(text: &str) -> Option<Timestamp> {
    let [date, time] = [text.get(..8)?, text.get(8..)?];
    let time = time.strip_prefix('T')?.strip_suffix('Z')?;
    let extended = format!(
        "{}-{}-{}T{}:{}:{}Z",
        date.get(..4)?,
        date.get(4..6)?,
        date.get(6..)?,
        time.get(..2)?,
        time.get(2..4)?,
        time.get(4..)?
    );
    dto::Timestamp::parse(dto::TimestampFormat::DateTime, &extended).ok().as_ref().map(from_dto)
}

/// Writes a moment in ISO 8601's basic form, to the second.
pub(crate) fn to_basic(at: Timestamp) -> String {
    to_iso(at).chars().filter(|c| !matches!(c, '-' | ':')).collect::<String>().replace(".000", "")
}

/// Writes an HTTP date.
pub(crate) fn to_http(at: Timestamp) -> String {
    format_as(at, dto::TimestampFormat::HttpDate)
}

/// Writes a moment as XML has it: `2015-10-21T07:28:00.000Z`.
pub(crate) fn to_iso(at: Timestamp) -> String {
    format_as(at, dto::TimestampFormat::DateTime)
}

/// Writes when a rule ends an object, as `x-amz-expiration` has it.
pub(crate) fn to_expiration(ending: Ending) -> String {
    format!("expiry-date=\"{}\", rule-id=\"{}\"", to_http(ending.at), rule_to_header(&ending.rule))
}

/// Writes the id of a rule, which may have any characters, for a header: URL-encoded, as S3 does.
pub(crate) fn rule_to_header(id: &str) -> String {
    utf8_percent_encode(id, RULE_ID).to_string()
}

fn format_as(at: Timestamp, format: dto::TimestampFormat) -> String {
    let mut text = Vec::with_capacity(29);
    // Writing to memory does not fail, and the years that a Timestamp holds have four digits.
    let _ = to_dto(at).format(format, &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn writes_and_reads_http_dates() {
        let at = Timestamp::from_secs(1_445_412_480);
        assert_eq!(to_http(at), "Wed, 21 Oct 2015 07:28:00 GMT");
        assert_eq!(parse_http("Wed, 21 Oct 2015 07:28:00 GMT"), Some(at));
        assert_eq!(parse_http("yesterday"), None);
        assert_eq!(parse_basic("20151021T072800Z"), Some(at));
        for text in ["", "20151021", "20151021T0728", "yesterday", "２０１５１０２１T072800Z"] {
            assert_eq!(parse_basic(text), None, "{text}");
        }
    }

    #[test]
    fn writes_when_a_rule_ends_an_object() {
        let ending = Ending { at: Timestamp::from_secs(1_390_089_600), rule: "old logs/\"1\"".to_owned() };
        let expected = "expiry-date=\"Sun, 19 Jan 2014 00:00:00 GMT\", rule-id=\"old%20logs%2F%221%22\"";
        assert_eq!(to_expiration(ending), expected);
    }

    #[test]
    fn what_cannot_be_kept_is_refused_and_never_shortened() {
        let read = |text: &str| dto::Timestamp::parse(dto::TimestampFormat::DateTime, text).unwrap();
        let last = read("2554-07-21T23:34:33Z");
        assert_eq!(to_keep("Date", &last).unwrap(), Timestamp::from_secs(LAST_SECS));
        assert_eq!(to_iso(Timestamp::from_secs(LAST_SECS)), "2554-07-21T23:34:33.000Z");
        for late in ["2554-07-21T23:34:33.5Z", "2554-07-21T23:34:34Z", "9999-12-31T23:59:59Z"] {
            let refused = to_keep("Date", &read(late)).unwrap_err();
            assert_eq!(refused.code().as_str(), "InvalidArgument", "{late}");
            assert!(refused.message().unwrap().contains("Date must not be after 2554-"), "{refused:?}");
        }
        assert_eq!(from_dto(&read("9999-12-31T23:59:59Z")), Timestamp(u64::MAX));
        assert_eq!(from_dto(&read("1969-12-31T23:59:59Z")), Timestamp(0));
    }

    proptest! {
        #[test]
        fn a_moment_survives_to_the_second(secs in 0..18_000_000_000_u64, nanos in 0..1_000_000_000_u64) {
            let at = Timestamp(secs * 1_000_000_000 + nanos);
            prop_assert_eq!(from_dto(&to_dto(at)), Timestamp::from_secs(secs));
            prop_assert_eq!(parse_http(&to_http(at)), Some(Timestamp::from_secs(secs)));
        }
    }
}
