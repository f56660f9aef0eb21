//! Identity and access: accounts, access keys, admin tokens, and the decision who may do what.
//!
//! Accounts, keys and tokens are records of the catalog, and every change of them commits its event
//! in the same batch. Secrets of access keys are sealed with the master key; of admin tokens only
//! a hash is kept.

mod action;
mod caller;
mod evaluate;

pub use action::Action;
pub use caller::{AccountIdentity, Caller, Origin, Principal, RequestId};
pub use evaluate::{Decision, Resource, evaluate};
