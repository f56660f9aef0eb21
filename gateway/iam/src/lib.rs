//! Identity and access: accounts, access keys, admin tokens, and the decision who may do what.
//!
//! Accounts, keys and tokens are records of the catalog, and every change of them commits its event
//! in the same batch. Secrets of access keys are sealed with the [`MasterKey`]; of admin tokens only
//! a hash is kept. Names and addresses are unique because the batch that takes one checks that it is
//! free, not because someone looked before.

mod access;
mod access_keys;
mod account_delete;
mod accounts;
mod acl;
mod action;
mod admin_tokens;
mod admission;
mod bootstrap;
mod cache;
mod caller;
mod decision;
mod error;
mod evaluate;
mod explain;
mod explanation;
mod facts;
mod key_access;
mod lookup;
mod master_key;
mod operator;
mod policy;
mod private_file;
mod question;
mod reports;
mod request_facts;
mod secret;
mod service;
mod sessions;

pub use access::{BucketAccess, LastTold, ObjectAccess, is_public};
pub use access_keys::{AccessKey, IssuedKey, KeyChange, NOTE_CHARS_MAX, NewKey, OVERLAP_MAX};
pub use accounts::{ACCOUNT_NAME_CHARS_MAX, CreatedAccount, NewAccount, ROOT_NAME, check_email};
pub use acl::{Acl, CannedAcl, GivenAcl};
pub use action::Action;
pub use admin_tokens::{AdminToken, IssuedToken, NewToken};
pub use admission::{
    Admission, Claim, Client, Connected, InFlight, InFlightOfAccount, KeyRate, Outcome, Overload, RequestLimits,
};
pub use bootstrap::{Bootstrap, FirstStart};
pub use caller::{AccountIdentity, Caller, LOG_DELIVERY, Network, Origin, Principal, RequestId, Tls};
pub use cofre_catalog::records::{AccountRecord as Account, Scope};
pub use decision::Decision;
pub use error::IamError;
pub use evaluate::{evaluate, needs_list};
pub use explain::explain;
pub use explanation::{Explanation, Rule};
pub use key_access::KeyAccess;
pub use lookup::{Credential, Lookup};
pub use master_key::MasterKey;
pub use operator::{OperatorAct, evaluate_operator};
pub use policy::{
    Asked, BATCH_STEPS_MAX, ConditionKey, ConditionTrace, Context, DECISION_STEPS_MAX, DecisionMemo, MalformedPolicy,
    Overrun, POLICY_BYTES_MAX, Policy, PolicyKind, Requester, SUBJECT_BYTES_MAX, StatementTrace, Verdict,
    account_number, key_name,
};
pub use private_file::write_private_file;
pub use question::{AskedEncryption, AskedLock, Details, Question, Resource};
pub use reports::{
    REPORT_DECISIONS_MAX, REPORT_TEXT_BYTES_MAX, REPORTS_BYTES_MAX, REPORTS_MAX, Reports, RequestReport,
};
pub use request_facts::{RequestFacts, Signature};
pub use secret::{GivenKey, Secret};
pub use service::{Iam, PAGE_ITEMS_MAX, Page};
pub use sessions::{IssuedSession, NewSession, SESSIONS_PER_ACCOUNT_MAX, Session, SessionLength, SignedIn};
