//! The one place where rights are decided. Pure: the same question always has the same answer.
//!
//! The rules, as AWS documents them ("Policy evaluation logic", "How Amazon S3 authorizes a request"):
//! 1. Parts of Cofre itself may do everything.
//! 2. Each limit of the caller must allow it: nothing below widens what a limit leaves.
//! 3. The root account of Cofre may do everything.
//! 4. A denial in the bucket's policy wins, but for the bucket owner's own reading, replacing and
//!    deleting of that policy: nobody can lock himself out.
//! 5. The bucket's owner may do everything to the bucket and to what it owns in it. An object that
//!    another account owns is that account's to read, tag and grant; the bucket's owner may delete it.
//! 6. An object's owner may read, tag and grant it; who began an upload may list and abort it.
//! 7. The bucket's policy may allow the rest, but not about objects that others own; under a public
//!    access block it does not let other accounts in by a public policy.
//! 8. Access control lists may allow it, unless ownership controls disable them.
//! 9. Whatever rules 7 and 8 say, the policy itself is for the owner's account alone (AWS, "PutBucketPolicy"), and
//!    someone without credentials sets nothing of a bucket, grants no object, changes no object's encryption, begins
//!    no upload and copies nothing (AWS, "CopyObject", "Multipart upload API and permissions").
//!
//! A service has no account: only rules 4, 7 and 8 are about it.
//!
//! A named key has rules 1 to 3, and then its policy alone: what that does not allow is denied. A key without a policy is
//! for everyone who may do what it is used for (AWS, "Key policies in AWS KMS", has no such keys).
//!
//! Whatever no rule allows is denied, and so is what would take too long to decide.

use crate::access::{BucketAccess, LastTold, ObjectAccess};
use crate::action::Action;
use crate::caller::{LOG_DELIVERY, Principal};
use crate::decision::Decision;
use crate::explanation::Rule;
use crate::facts::QuestionContext;
use crate::key_access::KeyAccess;
use crate::policy::{Asked, DecisionMemo, Overrun, Requester, Run, Said, Steps, Trace, Verdict};
use crate::question::{Question, Resource};

/// Decides a question.
///
/// A copy is several: `GetObject` of the source and `PutObject` of the destination, and those about tags.
pub fn evaluate(question: &Question<'_>) -> Decision {
    decide(question, true).0
}

/// Whether what is allowed is so only by an access control list: what access logs tell.
pub fn needs_list(question: &Question<'_>) -> bool {
    !decide(question, false).0.is_allowed()
}

pub(crate) fn decide(question: &Question<'_>, lists: bool) -> (Decision, Rule) {
    let memo = question.details.memo;
    let budget = memo.or(question.details.budget);
    let steps = budget.map_or_else(Steps::default, DecisionMemo::steps);
    let decided = decide_by(question, lists, Run { steps: &steps, memo, trace: None });
    if let Some(budget) = budget {
        budget.spend(&steps);
    }
    decided.unwrap_or_else(|overrun| {
        question.tell(overrun);
        (Decision::Deny, Rule::Overrun(overrun))
    })
}

/// Asks every policy that the question is for, and records what each says.
pub(crate) fn trace(question: &Question<'_>) -> (Trace, u64) {
    let (steps, trace) = (Steps::default(), Trace::default());
    let run = Run { steps: &steps, memo: None, trace: Some(&trace) };
    // What it comes to is decided without the trace; where it is cut, what was recorded is told.
    let _ = decide_by(question, true, run);
    let taken = steps.taken();
    (trace, taken)
}

fn decide_by(question: &Question<'_>, lists: bool, run: Run<'_>) -> Result<(Decision, Rule), Overrun> {
    let caller = question.caller;
    if matches!(caller.principal, Principal::Internal(_)) {
        return Ok((Decision::Allow, Rule::Internal));
    }
    for (index, limit) in caller.limits.iter().enumerate() {
        // What is remembered is of the bucket's policy.
        let Said { verdict, statement } = question.ask(limit, Run { memo: None, ..run })?;
        match verdict {
            Verdict::Allow => {}
            Verdict::Silent => return Ok((Decision::Default, Rule::Limit { index, statement })),
            Verdict::Deny => return Ok((Decision::Deny, Rule::Limit { index, statement })),
        }
    }
    if caller.principal.account().is_some_and(|account| account.root) {
        return Ok((Decision::Allow, Rule::Root));
    }
    let has_account = caller.principal.account().is_some();
    let allowed = match question.resource {
        Resource::Service => has_account && question.action == Action::ListAllMyBuckets,
        Resource::NewBucket { .. } => has_account && question.action == Action::CreateBucket,
        Resource::Bucket { access, .. } | Resource::Object { access, .. } => {
            return question.in_bucket(access, lists, run);
        }
        Resource::Key { access, .. } => return question.of_key(access, run),
    };
    Ok(if allowed { (Decision::Allow, Rule::Account) } else { (Decision::Default, Rule::Nothing) })
}

impl Question<'_> {
    pub(crate) fn access(&self) -> Option<&BucketAccess> {
        match self.resource {
            Resource::Service | Resource::NewBucket { .. } | Resource::Key { .. } => None,
            Resource::Bucket { access, .. } | Resource::Object { access, .. } => Some(access),
        }
    }

    /// When operators were last told that the policies about it cost too much.
    fn told(&self) -> Option<&LastTold> {
        match self.resource {
            Resource::Key { access, .. } => Some(&access.told),
            _ => self.access().map(|access| &access.told),
        }
    }

    pub(crate) fn object(&self) -> Option<ObjectAccess<'_>> {
        match self.resource {
            Resource::Object { object, .. } => object,
            Resource::Service | Resource::NewBucket { .. } | Resource::Bucket { .. } | Resource::Key { .. } => None,
        }
    }

    /// A key that has no policy is for everyone who may do what it is used for.
    fn of_key(&self, access: &KeyAccess, run: Run<'_>) -> Result<(Decision, Rule), Overrun> {
        let Some(policy) = &access.policy else { return Ok((Decision::Allow, Rule::KeyOfAll)) };
        let Said { verdict, statement } = self.ask(policy, Run { memo: None, ..run })?;
        Ok(match verdict {
            Verdict::Allow => (Decision::Allow, Rule::KeyPolicyAllows { statement }),
            Verdict::Deny => (Decision::Deny, Rule::KeyPolicyDenies { statement }),
            Verdict::Silent => (Decision::Default, Rule::Nothing),
        })
    }

    fn in_bucket(&self, access: &BucketAccess, lists: bool, run: Run<'_>) -> Result<(Decision, Rule), Overrun> {
        let who = self.caller.principal.account_id();
        let owns_bucket = who == Some(access.owner);
        let said = match &access.policy {
            // Nobody can lock himself out, whatever the policy costs.
            Some(policy) => {
                self.ask(policy, run).or_else(|overrun| match owns_bucket && is_about_the_policy(self.action) {
                    true => Ok(Said { verdict: Verdict::Silent, statement: None }),
                    false => Err(overrun),
                })?
            }
            None => Said { verdict: Verdict::Silent, statement: None },
        };
        let verdict = said.verdict;
        if verdict == Verdict::Deny && !(owns_bucket && is_about_the_policy(self.action)) {
            return Ok((Decision::Deny, Rule::PolicyDenies { statement: said.statement }));
        }
        let object_owner = self.object().map(|object| access.object_owner(object.owner));
        let foreign = object_owner.is_some_and(|owner| owner != access.owner);
        let of_owner = self.action.is_of_the_object();
        let is_inside = owns_bucket || matches!(self.caller.principal, Principal::Service(_));
        let shut_out = !is_inside && access.shuts_others_out();
        let by_policy = verdict == Verdict::Allow && !foreign;
        let rule = if owns_bucket && !(foreign && of_owner) {
            Rule::BucketOwner
        } else if who.is_some() && who == object_owner && of_owner {
            Rule::ObjectOwner
        } else if self.details.initiated && is_of_the_initiator(self.action) {
            Rule::Initiator
        } else if by_policy && !shut_out {
            Rule::PolicyAllows { statement: said.statement }
        } else if lists && access.acl_allows(self.asked_of_lists(), who, self.object()) {
            Rule::List
        } else if lists && self.caller.principal == LOG_DELIVERY && access.acl_takes_logs(self.action) {
            Rule::LogDelivery
        } else {
            let rule = match (verdict, foreign) {
                (Verdict::Allow, false) => Rule::PublicAccessBlock,
                (Verdict::Allow, true) => Rule::ForeignObject,
                _ => Rule::Nothing,
            };
            return Ok((Decision::Default, rule));
        };
        Ok(if !owns_bucket && is_about_the_policy(self.action) {
            (Decision::OwnerOnly, Rule::OwnerOnly)
        } else if self.caller.principal == Principal::Anonymous && self.needs_credentials() {
            (Decision::NeedsCredentials, Rule::NeedsCredentials)
        } else {
            (Decision::Allow, rule)
        })
    }

    /// What nobody does without credentials.
    fn needs_credentials(&self) -> bool {
        let details = &self.details;
        let makes = details.creates == Some(true);
        let grants = matches!(self.action, Action::PutObjectAcl | Action::PutObjectVersionAcl) && !makes;
        let copies = self.action == Action::PutObject && (details.begins_upload || details.copy_source.is_some());
        grants || copies || self.action == Action::UpdateObjectEncryption || self.action.sets_bucket()
    }

    /// The action as access control lists know it. Who may write to a bucket may tag and grant what it makes there;
    /// what is there it may not.
    fn asked_of_lists(&self) -> Action {
        match (self.action, self.details.creates) {
            (Action::PutObjectTagging | Action::PutObjectAcl, Some(true)) => Action::PutObject,
            (action, _) => action,
        }
    }

    fn ask(&self, policy: &crate::Policy, run: Run<'_>) -> Result<Said, Overrun> {
        let arn = self.caller.principal.arn();
        let requester = match (&self.caller.principal, self.caller.principal.account_id(), &arn) {
            (Principal::Service(name), _, _) => Requester::Service(name),
            (_, Some(account), Some(arn)) => Requester::Identity { account, arn },
            _ => Requester::Anonymous,
        };
        let resource = self.resource.arn();
        let context = QuestionContext(self);
        policy.ask(Asked { requester, action: self.action, resource: &resource, context: &context }, run)
    }

    /// Tells operators of a decision that was cut, of each policy at most once a minute.
    fn tell(&self, overrun: Overrun) {
        if self.told().is_some_and(|told| told.is_due(self.now)) {
            let (action, resource) = (self.action, self.resource.arn());
            tracing::warn!(
                %resource, %action, principal = %self.caller.principal, reason = %overrun,
                "a request is denied, since the policies about it cost too much to decide: make them shorter"
            );
        }
    }
}

impl BucketAccess {
    /// Whether only the owner's account gets in by the policy, since it is public.
    fn shuts_others_out(&self) -> bool {
        self.block.restrict_buckets && self.policy.as_ref().is_some_and(crate::Policy::is_public)
    }
}

/// What a bucket's owner may do to its policy whatever that says (AWS, "PutBucketPolicy").
fn is_about_the_policy(action: Action) -> bool {
    matches!(action, Action::GetBucketPolicy | Action::PutBucketPolicy | Action::DeleteBucketPolicy)
}

/// What who began an upload may do to it (AWS, "Multipart upload API and permissions").
fn is_of_the_initiator(action: Action) -> bool {
    matches!(action, Action::AbortMultipartUpload | Action::ListMultipartUploadParts)
}
