//! Keys of what someone signs in with: admin tokens, and sessions of the console.

use crate::keys::{family, with};
use cofre_types::AccountId;

/// Key of an admin token.
pub fn admin_token(id: &str) -> Vec<u8> {
    with(family::ADMIN_TOKEN, &[id.as_bytes()])
}

/// Key of a session of the console.
pub fn session(id: &str) -> Vec<u8> {
    with(family::SESSION, &[id.as_bytes()])
}

/// Key of a session's place among the sessions of its account.
pub fn account_session(account: AccountId, id: &str) -> Vec<u8> {
    with(family::ACCOUNT_SESSION, &[account.as_bytes(), id.as_bytes()])
}

/// What the place of every session of an account begins with.
pub fn account_sessions(account: AccountId) -> Vec<u8> {
    with(family::ACCOUNT_SESSION, &[account.as_bytes()])
}
