//! Rights on named keys (AWS, "Key policies in AWS KMS", and "Using server-side encryption with AWS KMS keys (SSE-KMS)",
//! "Permissions").
//!
//! A key is used by whoever may do what it is used for, until an operator sets a policy of it: from then on, by whom that
//! allows it alone. Keys that nobody names, of SSE-S3 and of clients, have no policy.

use super::EncryptionError;
use crate::bucket::cached::Bucket;
use crate::caches::KeyPolicies;
use crate::domain::Objects;
use crate::error::Error;
use cofre_catalog::records::{Encryption, EncryptionMethod, EventRecord, KeyPolicyRecord, Record};
use cofre_catalog::{Batch, CommitError, Mark, ReadExt, Scan, Slot, keys};
use cofre_iam::{Action, Caller, Details, KeyAccess, OperatorAct, Policy, PolicyKind, Question, Resource, key_name};
use cofre_keys::{KEY_NAME_RULE, is_key_name};
use cofre_types::{Invalid, ObjectKey, Timestamp};
use std::collections::HashMap;
use std::sync::Arc;

/// Most keys that have a policy.
const KEY_POLICIES_MAX: usize = 1_000;

/// The policy of a named key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPolicy {
    /// Name of the key.
    pub key: String,
    /// The policy, as it was set: JSON.
    pub document: String,
    /// When it was set.
    pub set: Timestamp,
}

impl KeyPolicy {
    fn of(key: String, record: &[u8]) -> Result<Self, Error> {
        let KeyPolicyRecord { document, set } = KeyPolicyRecord::decode(record)?;
        Ok(Self { key, document, set })
    }
}

impl Objects {
    /// Refuses what the caller may not do with the key of a method, for an object or all of a bucket.
    pub(crate) async fn authorise_key(
        &self,
        caller: &Caller,
        actions: &[Action],
        method: &EncryptionMethod,
        (bucket, key): (&Bucket, Option<&ObjectKey>),
    ) -> Result<(), Error> {
        let EncryptionMethod::Kms { key: name, .. } = method else { return Ok(()) };
        let policies = self.key_policies_at_hand().await?;
        let of_all = KeyAccess::default();
        let access = policies.by_key.get(name).unwrap_or(&of_all);
        let region = &bucket.record.region;
        let resource = Resource::Key { name, access, region, bucket: &bucket.name, key };
        for action in actions.iter().copied() {
            let question = Question { caller, action, resource, details: Details::default(), now: self.now() };
            if !Self::decide_question(&question).is_allowed() {
                return Err(EncryptionError::KeyAccess { key: name.clone(), action }.into());
            }
        }
        Ok(())
    }

    /// The name of a key: it may be given by an ARN, unless a key has the whole of that for its name.
    async fn named_key<'a>(&self, given: &'a str) -> &'a str {
        let name = key_name(given);
        if name == given || self.key_ring().has(given).await { given } else { name }
    }

    /// A method with its key by name.
    pub(crate) async fn with_key_name(&self, method: EncryptionMethod) -> EncryptionMethod {
        match method {
            EncryptionMethod::Kms { key, dual_layer } => {
                EncryptionMethod::Kms { key: self.named_key(&key).await.to_owned(), dual_layer }
            }
            EncryptionMethod::S3 | EncryptionMethod::Customer => method,
        }
    }

    /// Refuses a caller that may not open the key of content.
    pub(crate) async fn authorise_reading(
        &self,
        caller: &Caller,
        bucket: &Bucket,
        key: &ObjectKey,
        held: Option<&Encryption>,
    ) -> Result<(), Error> {
        match held {
            Some(held) => self.authorise_key(caller, &[Action::Decrypt], &held.method, (bucket, Some(key))).await,
            None => Ok(()),
        }
    }

    async fn key_policies_at_hand(&self) -> Result<Arc<KeyPolicies>, Error> {
        let holds = |known: &&Arc<KeyPolicies>| known.mark.is_some_and(|mark| mark.holds(self.store()));
        if let Some(known) = self.0.key_policies.read().as_ref().filter(holds) {
            return Ok(Arc::clone(known));
        }
        let mark = Mark::of(self.store(), Slot::of_family(keys::family::KEY_POLICY));
        let mut by_key = HashMap::new();
        for policy in self.read_key_policies().await? {
            let access = KeyAccess::of(&policy.key, &policy.document);
            by_key.insert(policy.key, access);
        }
        let read = Arc::new(KeyPolicies { mark, by_key });
        *self.0.key_policies.write() = Some(Arc::clone(&read));
        Ok(read)
    }

    async fn read_key_policies(&self) -> Result<Vec<KeyPolicy>, Error> {
        let read_max = 2 * KEY_POLICIES_MAX;
        let page = self.store().page(Scan::prefix(&keys::key_policies()), read_max).await?;
        // Setters that race can pass the bound by their number. A key whose policy is not read must not be open to all.
        if page.len() == read_max {
            return Err(Error::Internal("more encryption keys have a policy than can be".to_owned()));
        }
        let named = |at: &[u8]| keys::key_policy_of(at).map(str::to_owned);
        let nameless = || Error::Internal("the name of an encryption key is no text".to_owned());
        page.iter().map(|(at, entry)| KeyPolicy::of(named(at).ok_or_else(nameless)?, &entry.value)).collect()
    }

    /// The policies of named keys, by name: at most 1,000.
    ///
    /// # Errors
    /// [`Error::AccessDenied`] for everyone but operators.
    pub async fn key_policies(&self, caller: &Caller) -> Result<Vec<KeyPolicy>, Error> {
        self.authorise_operator(caller, OperatorAct::ReadKeyPolicies)?;
        self.read_key_policies().await
    }

    /// The policy of a named key, if it has one.
    ///
    /// # Errors
    /// As [`Objects::key_policies`].
    pub async fn key_policy(&self, caller: &Caller, key: &str) -> Result<Option<KeyPolicy>, Error> {
        self.authorise_operator(caller, OperatorAct::ReadKeyPolicies)?;
        let key = self.named_key(key).await;
        let entry = self.get(keys::key_policy(key)).await?;
        entry.map(|entry| KeyPolicy::of(key.to_owned(), &entry.value)).transpose()
    }

    /// Sets who may use a named key, which may be given by an ARN and need not be there yet. Requests that begin after it returned are held to it.
    ///
    /// # Errors
    /// As [`Objects::key_policies`]; [`Error::MalformedPolicy`]; [`Error::Invalid`] for what is no name of a key;
    /// [`Error::InvalidRequest`] if 1,000 keys have a policy.
    pub async fn set_key_policy(&self, caller: &Caller, key: &str, document: String) -> Result<KeyPolicy, Error> {
        self.authorise_operator(caller, OperatorAct::SetKeyPolicy)?;
        let key = self.named_key(key).await;
        if !is_key_name(key) {
            return Err(Invalid { field: "key", reason: KEY_NAME_RULE }.into());
        }
        Policy::parse(&document, PolicyKind::Key(key))?;
        let policy = KeyPolicy { key: key.to_owned(), document, set: self.now() };
        for _ in Self::tries() {
            let before = self.get(keys::key_policy(key)).await?;
            if before.is_none() && self.read_key_policies().await?.len() >= KEY_POLICIES_MAX {
                return Err(Error::InvalidRequest("1,000 encryption keys have a policy, which is the most"));
            }
            let record = KeyPolicyRecord { document: policy.document.clone(), set: policy.set };
            let mut batch = Batch::new();
            batch.unchanged(keys::key_policy(key), before.map(|entry| entry.revision));
            batch.put(keys::key_policy(key), record.encode());
            let value = format!("{} bytes", policy.document.len());
            if self.commit_key_policy(batch, "encryption_key.policy_set", key, caller, Some(value)).await? {
                return Ok(policy);
            }
        }
        Err(Error::Conflict)
    }

    /// Takes the policy of a named key back, so that everyone may use it who may do what it is used for; fine if it has
    /// none.
    ///
    /// # Errors
    /// As [`Objects::key_policies`].
    pub async fn delete_key_policy(&self, caller: &Caller, key: &str) -> Result<(), Error> {
        self.authorise_operator(caller, OperatorAct::SetKeyPolicy)?;
        let key = self.named_key(key).await;
        for _ in Self::tries() {
            let Some(before) = self.get(keys::key_policy(key)).await? else { return Ok(()) };
            let mut batch = Batch::new();
            batch.unchanged(keys::key_policy(key), Some(before.revision));
            batch.delete(keys::key_policy(key));
            if self.commit_key_policy(batch, "encryption_key.policy_deleted", key, caller, None).await? {
                return Ok(());
            }
        }
        Err(Error::Conflict)
    }

    /// Commits a change with its event; whether nothing changed meanwhile.
    async fn commit_key_policy(
        &self,
        mut batch: Batch,
        kind: &str,
        key: &str,
        caller: &Caller,
        value: Option<String>,
    ) -> Result<bool, Error> {
        let details = value.map(|value| ("policy".to_owned(), value)).into_iter().collect();
        let (kind, actor) = (kind.to_owned(), caller.actor());
        let event = EventRecord { at: self.now(), kind, subject: key.to_owned(), actor, details };
        batch.writes.push(event.append(0));
        match self.store().commit(batch).await {
            Ok(_) => Ok(true),
            Err(CommitError::Failed(_)) => Ok(false),
            Err(CommitError::Store(error)) => Err(error.into()),
        }
    }
}
