//! What a Cofre should have, as one document: what it takes to get there, and getting there.
//!
//! # Ordering
//! Everything in a document is checked before its first step. Steps go settings, accounts, keys, key policies, buckets,
//! and what is deleted last. Each is a change of its own, with its event: a run that ends in the middle is gone on with
//! by the next one, which finds the steps that are left.
//!
//! # Invariants
//! - What is not in a document stays, unless the caller asks to prune.
//! - A document that was read from this Cofre asks for no step of it.

mod apply;
mod checked;
mod forms;
mod normal;
mod plan;
mod read;
mod rules;
mod settings;
mod shown;

pub use checked::check;
pub(crate) use plan::Planned;
pub(crate) use read::export;

use crate::auth::Granted;
use crate::{Admin, ApiError};
use cofre_admin_types::Scope;
use cofre_admin_types::provision::{Provision, ProvisionPlan, ProvisionStep};
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

/// A document in the form that plans compare, and the plan.
pub struct Prepared {
    pub(crate) document: Provision,
    pub(crate) planned: Vec<Planned>,
    pub(crate) kept: Vec<ProvisionStep>,
}

impl Prepared {
    /// The document as plans compare it: accounts by their names, settings as they would stand. It may hold secrets.
    pub const fn document(&self) -> &Provision {
        &self.document
    }

    /// The ids of keys that are to be made, and whose secrets are not in the document.
    pub fn keys_without_secrets(&self) -> impl Iterator<Item = &str> {
        self.planned.iter().filter_map(|planned| match planned.op {
            plan::Op::CreateKey(account, key) => {
                let key = &self.document.accounts[account].keys[key];
                key.secret_access_key.is_none().then_some(key.access_key_id.as_str())
            }
            _ => None,
        })
    }

    /// What is to be done.
    pub fn steps(&self) -> impl Iterator<Item = &ProvisionStep> {
        self.planned.iter().map(|planned| &planned.step)
    }

    pub(crate) fn into_plan(self) -> ProvisionPlan {
        made(self.planned, self.kept)
    }

    /// The id of the plan.
    pub(crate) fn id(&self) -> String {
        id(self.steps())
    }

    /// Refuses what asks for a larger scope than the token has.
    pub(crate) fn allowed(&self, granted: Granted) -> Result<(), ApiError> {
        let wants_admin = self.planned.iter().any(|planned| planned.op.scope() == Scope::Admin);
        granted.reaches(if wants_admin { Scope::Admin } else { Scope::Operate })
    }
}

/// What it takes to get from one document to another, both as [`Prepared::document`] has them.
pub fn between(from: &Provision, to: &Provision) -> ProvisionPlan {
    let (planned, kept) = plan::plan(to, from, &HashSet::new(), false);
    made(planned, kept)
}

fn made(planned: Vec<Planned>, kept: Vec<ProvisionStep>) -> ProvisionPlan {
    let steps: Vec<_> = planned.into_iter().map(|planned| planned.step).collect();
    ProvisionPlan { id: id(steps.iter()), steps, kept }
}

/// Tells plans apart: an operator compares two of its own, moments apart.
fn id<'a>(steps: impl Iterator<Item = &'a ProvisionStep>) -> String {
    let mut hasher = DefaultHasher::new();
    for step in steps {
        serde_json::to_string(step).unwrap_or_default().hash(&mut hasher);
    }
    format!("{:016x}", hasher.finish())
}

/// Checks a document against what is there, and plans it.
///
/// # Errors
/// [`ApiError::Invalid`] names the field that is wrong. Nothing was changed.
pub async fn prepare(admin: &Admin, document: Provision, prune: bool) -> Result<Prepared, ApiError> {
    check(&document)?;
    let (document, actual) = read::actual(admin, document, prune, None).await?;
    let (planned, kept) = plan::plan(&document, &actual.document, &actual.other_secrets, prune);
    Ok(Prepared { document, planned, kept })
}

/// What of a document could not be, because of what is there.
pub type Problems = Vec<ApiError>;

/// Carries out of a document what can be: what is refused because of what is there, which others than its author may have
/// changed, is given back and holds up nothing else. No bucket is taken from its owner.
///
/// # Errors
/// As [`prepare`], where nothing could be done.
pub async fn provide(admin: &Admin, actor: &str, document: Provision) -> Result<(Prepared, Problems), ApiError> {
    let _one_at_a_time = admin.provisioning.lock().await;
    let (prepared, mut problems) = prepare_what_can_be(admin, document).await?;
    apply::carry_out(admin, actor, &prepared, Some(&mut problems)).await?;
    Ok((prepared, problems))
}

/// As [`prepare`], without what is refused because of what is there.
///
/// # Errors
/// As [`prepare`], where nothing could be done.
pub async fn prepare_what_can_be(admin: &Admin, document: Provision) -> Result<(Prepared, Problems), ApiError> {
    check(&document)?;
    let mut problems = Problems::new();
    let (document, actual) = read::actual(admin, document, false, Some(&mut problems)).await?;
    let (planned, kept) = plan::plan(&document, &actual.document, &actual.other_secrets, false);
    Ok((Prepared { document, planned, kept }, problems))
}

/// Carries a document out: what it takes is planned again, under a lock that other runs of this process wait for. Nothing
/// is done if `approve` refuses the plan. Events name `actor`.
///
/// # Errors
/// As [`prepare`]; the field of the first step that failed. Those before it are done.
pub async fn apply(
    admin: &Admin,
    actor: &str,
    document: Provision,
    prune: bool,
    approve: impl FnOnce(&Prepared) -> Result<(), ApiError>,
) -> Result<Prepared, ApiError> {
    let _one_at_a_time = admin.provisioning.lock().await;
    let prepared = prepare(admin, document, prune).await?;
    approve(&prepared)?;
    apply::carry_out(admin, actor, &prepared, None).await?;
    Ok(prepared)
}

/// The domain refuses public policies and lists like what the caller has no right to.
fn public_refused(error: cofre_objects::Error) -> ApiError {
    match error {
        cofre_objects::Error::AccessDenied => {
            ApiError::Conflict("it is public, and the bucket's public access block refuses that".to_owned())
        }
        error => error.into(),
    }
}
