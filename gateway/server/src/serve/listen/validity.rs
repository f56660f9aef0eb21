//! When a certificate begins and ends (RFC 5280, section 4.1): the few fields of it that stand before that.

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// Fields of the certificate between its version and its validity: serial number, signature, issuer.
const FIELDS_BEFORE: usize = 3;

/// From when to when a certificate is good, in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Validity {
    pub(crate) begin: i64,
    pub(crate) end: i64,
}

/// The validity of a certificate, as DER; `None` if it is none.
pub(crate) fn of(certificate: &[u8]) -> Option<Validity> {
    let (whole, _) = element(certificate, SEQUENCE)?;
    let (mut fields, _) = element(whole, SEQUENCE)?;
    if let Some((_, rest)) = element(fields, VERSION) {
        fields = rest;
    }
    for _ in 0..FIELDS_BEFORE {
        fields = any(fields)?.2;
    }
    let (validity, _) = element(fields, SEQUENCE)?;
    let (begin, rest) = time(validity)?;
    let (end, _) = time(rest)?;
    Some(Validity { begin, end })
}

/// The time in the first element, and what comes behind it.
fn time(der: &[u8]) -> Option<(i64, &[u8])> {
    let (tag, text, rest) = any(der)?;
    let digits = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let text = match tag {
        // Two digits are of the years 1950 to 2049.
        UTC_TIME => format!("{}{digits}", if digits.get(..2)? < "50" { "20" } else { "19" }),
        GENERALIZED_TIME => digits.to_owned(),
        _ => return None,
    };
    Some((seconds(&text)?, rest))
}

/// Seconds since 1970 of `YYYYMMDDHHMMSS`.
fn seconds(text: &str) -> Option<i64> {
    if text.len() != 14 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let number = |from: usize, to: usize| text[from..to].parse::<u8>().ok();
    let month = time::Month::try_from(number(4, 6)?).ok()?;
    let date = time::Date::from_calendar_date(text[..4].parse().ok()?, month, number(6, 8)?).ok()?;
    let time = time::Time::from_hms(number(8, 10)?, number(10, 12)?, number(12, 14)?).ok()?;
    Some(date.with_time(time).assume_utc().unix_timestamp())
}

/// The content of the first element, if it has this tag, and what comes behind it.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, content, rest) = any(der)?;
    (found == tag).then_some((content, rest))
}

/// Tag and content of the first element, and what comes behind it.
fn any(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, first], rest) = der.split_first_chunk::<2>()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        // Longer lengths are of things longer than any certificate.
        0x81..=0x84 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The beginning of a certificate with these times, each with its tag.
    fn certificate(version: bool, begin: &[u8], end: &[u8]) -> Vec<u8> {
        let wrap = |tag: u8, content: &[u8]| {
            let length = u8::try_from(content.len()).expect("it is short");
            [&[tag, 0x81, length], content].concat()
        };
        let validity = wrap(SEQUENCE, &[begin, end].concat());
        let version = if version { wrap(VERSION, &[2, 1, 2]) } else { Vec::new() };
        let fields = [&version[..], &[2, 1, 7, 0x30, 0, 0x30, 0], &validity, &[0x30, 0]].concat();
        wrap(SEQUENCE, &wrap(SEQUENCE, &fields))
    }

    fn time_of(tag: u8, text: &str) -> Vec<u8> {
        [&[tag, u8::try_from(text.len()).expect("it is short")], text.as_bytes()].concat()
    }

    #[test]
    fn both_forms_of_time_are_read() {
        let begin = time_of(UTC_TIME, "700101000000Z");
        for (tag, text, expected) in [
            (UTC_TIME, "491231235959Z", Some(2_524_607_999)),
            (UTC_TIME, "500101000000Z", Some(-631_152_000)),
            (GENERALIZED_TIME, "20500101000000Z", Some(2_524_608_000)),
            (GENERALIZED_TIME, "99991231235959Z", Some(253_402_300_799)),
            (UTC_TIME, "491331235959Z", None),
            (UTC_TIME, "4912312359Z", None),
            (UTC_TIME, "491231235959+0000", None),
            (0x0c, "491231235959Z", None),
        ] {
            for version in [false, true] {
                assert_eq!(
                    of(&certificate(version, &begin, &time_of(tag, text))),
                    expected.map(|end| Validity { begin: 0, end }),
                    "{text}"
                );
            }
        }
    }

    #[test]
    fn what_is_cut_off_is_none() {
        let whole = certificate(true, &time_of(UTC_TIME, "700101000000Z"), &time_of(UTC_TIME, "491231235959Z"));
        for length in 0..whole.len() {
            assert_eq!(of(&whole[..length]), None);
        }
        assert_eq!(of(&[0x30, 0x85, 0, 0, 0, 0, 1]), None);
    }
}
