//! Settings: what a process needs to start ([`BootSettings`]), and what operators change while it
//! runs ([`DynamicSettings`]).
//!
//! Boot settings are parsed once, from flags, environment and a file, into validated plain data.
//! Dynamic settings are one typed document, [`Settings`], kept in the catalog by revisions.

mod boot;
mod dynamic;
mod error;

pub use boot::{
    AcmeChallenge, AcmeSettings, BootArgs, BootSettings, LogFormat, RootCredentials, Secrets, TlsFiles,
    UnknownVariable, VaultSettings, credential, parse_bytes, unknown_variables,
};
pub use dynamic::{
    AUTHOR_BYTES_MAX, CORS_ORIGINS_MAX, Change, ClassScheme, CorsDefault, DOCUMENT_BYTES_MAX, DefaultOwnership,
    DynamicSettings, HISTORY_PAGE_MAX, HISTORY_REVISIONS_MAX, History, JobName, JobSettings, Jobs, LogLevel,
    NOTE_BYTES_MAX, NewBuckets, Patch, Quotas, REPLICATE_BYTES_MAX, RateLimits, Repair, Revised, RevisionInfo,
    Settings, Timers, Writes,
};
pub use error::{BootError, SettingsError};
