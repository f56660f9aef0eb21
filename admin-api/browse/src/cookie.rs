//! The cookie of a session.

use axum::http::{HeaderMap, HeaderValue, header};
use cofre_iam::{IssuedSession, Origin, SessionLength};

/// Over TLS: browsers take a cookie of this prefix only with `Secure`, for this host alone (RFC 6265bis, section 4.1.3.2).
const SECURE_NAME: &str = "__Host-cofre";

const PLAIN_NAME: &str = "cofre";

const fn name(from: Origin) -> &'static str {
    if from.secure { SECURE_NAME } else { PLAIN_NAME }
}

/// What the cookie of a session holds, where the request brings one. Two of its name are none: a page on another port can
/// set a second one for a longer path, which a browser sends first (RFC 6265, sections 5.4 and 8.6).
pub fn session_text(headers: &HeaderMap, from: Origin) -> Option<&str> {
    let pairs = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let pairs = pairs.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut ours = pairs.filter(|(found, _)| *found == name(from)).map(|(_, value)| value);
    let text = ours.next().filter(|text| !text.is_empty());
    if ours.next().is_some() { None } else { text }
}

/// The cookie of a session that was begun. A session of a day ends with the browser.
pub(crate) fn of(issued: &IssuedSession, length: SessionLength, from: Origin) -> Option<HeaderValue> {
    let lasts = match length {
        SessionLength::Day => String::new(),
        SessionLength::Month => format!("; Max-Age={}", length.whole().as_secs()),
    };
    set(issued.text.expose(), &lasts, from)
}

/// What takes the cookie away.
pub(crate) fn none(from: Origin) -> Option<HeaderValue> {
    set("", "; Max-Age=0", from)
}

fn set(value: &str, lasts: &str, from: Origin) -> Option<HeaderValue> {
    let secure = if from.secure { "; Secure" } else { "" };
    let text = format!("{}={value}; Path=/; HttpOnly; SameSite=Strict{secure}{lasts}", name(from));
    let mut value = HeaderValue::from_str(&text).ok()?;
    value.set_sensitive(true);
    Some(value)
}
