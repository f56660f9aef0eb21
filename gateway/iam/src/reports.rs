//! What is kept of requests that were refused, failed or took long, so that who is told the id of one can say why.
//!
//! # Limits
//! [`REPORTS_MAX`] reports of each class and [`REPORTS_BYTES_MAX`] of them together; the oldest go first. Requests without
//! credentials, those of accounts, failures and slow ones are classes of their own, and one account has at most a quarter
//! of its class: nobody pushes the reports of others out.
//!
//! No report holds a secret or a signature: who makes one leaves them out.

use crate::caller::RequestId;
use crate::explanation::Explanation;
use cofre_types::{AccountId, Timestamp};
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// Most reports of one class.
pub const REPORTS_MAX: usize = 512;

/// Most bytes of text of the reports of one class.
pub const REPORTS_BYTES_MAX: usize = 2 << 20;

/// Most bytes of one text of a report; longer ones are cut.
pub const REPORT_TEXT_BYTES_MAX: usize = 8 << 10;

/// Most decisions of a report.
pub const REPORT_DECISIONS_MAX: usize = 2;

/// One request, and what is known of why it was answered as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestReport {
    /// Its id, as the answer told it.
    pub request_id: RequestId,
    /// When it was answered.
    pub at: Timestamp,
    /// The account whose signature was good.
    pub account: Option<AccountId>,
    /// The access key whose signature was good.
    pub access_key: Option<String>,
    /// Where it came from.
    pub ip: Option<IpAddr>,
    /// Method.
    pub method: String,
    /// Host that it was sent to.
    pub host: Option<String>,
    /// Path, without the query.
    pub path: String,
    /// Operation, by S3's name; empty if it was refused before it was known.
    pub operation: &'static str,
    /// Status of the answer.
    pub status: u16,
    /// Code of an error.
    pub code: Option<String>,
    /// What the client was told.
    pub message: Option<String>,
    /// What only the operator is told.
    pub cause: Option<String>,
    /// What the error is about, by names of S3: the canonical request, the argument.
    pub details: Vec<(String, String)>,
    /// What was refused for want of a right, in the order in which it was asked: the last of it is why.
    pub decisions: Vec<Explanation>,
    /// What is likely to be the matter.
    pub hints: Vec<String>,
    /// How long each part took, in their order.
    pub parts: Vec<(&'static str, Duration)>,
}

impl RequestReport {
    /// Cuts texts that are too long, and counts the bytes of all.
    fn bound(&mut self) -> usize {
        let options = [&mut self.access_key, &mut self.host, &mut self.code, &mut self.message, &mut self.cause];
        let texts = options.into_iter().flatten().chain([&mut self.method, &mut self.path]);
        let details = self.details.iter_mut().flat_map(|(name, value)| [name, value]);
        let mut bytes = size_of::<Self>();
        for text in texts.chain(details).chain(&mut self.hints) {
            text.truncate(text.floor_char_boundary(REPORT_TEXT_BYTES_MAX));
            bytes += text.len();
        }
        self.decisions.truncate(REPORT_DECISIONS_MAX);
        bytes + self.decisions.iter().map(Explanation::bytes).sum::<usize>()
    }

    /// What the account that made the request may know: nothing of another's policy, and nothing that is for operators.
    /// None if it is another's request.
    pub fn told_to(self, account: AccountId) -> Option<Self> {
        if self.account != Some(account) {
            return None;
        }
        // How many were asked tells whether an object is there.
        let mut of_others = 0;
        let decisions = self.decisions.into_iter().filter(|decision| {
            of_others += usize::from(decision.is_of_another(account));
            !decision.is_of_another(account) || of_others == 1
        });
        let decisions = decisions.map(|decision| decision.told_to(account)).collect();
        Some(Self { decisions, cause: None, ..self })
    }

    fn class(&self) -> usize {
        match (self.status, self.account) {
            (500.., _) => 0,
            (..400, _) => 1,
            (_, Some(_)) => 2,
            (_, None) => 3,
        }
    }
}

/// The reports that are kept. Cloning costs a reference count.
#[derive(Debug, Clone, Default)]
pub struct Reports(Arc<[Mutex<Ring>; 4]>);

#[derive(Debug, Default)]
struct Ring {
    /// Oldest first, each with its bytes.
    kept: VecDeque<(RequestReport, usize)>,
    bytes: usize,
}

impl Reports {
    /// Keeps a report until newer ones push it out.
    pub fn keep(&self, mut report: RequestReport) {
        let bytes = report.bound();
        let mut ring = self.0[report.class()].lock();
        // Those without credentials have a class of their own only where they were refused.
        if report.class() != 3 {
            let account = report.account;
            let theirs = |(kept, _): &(RequestReport, usize)| kept.account == account;
            loop {
                let own = ring.kept.iter().filter(|kept| theirs(kept));
                let (count, held) = own.fold((0, 0), |(count, held), (_, bytes)| (count + 1, held + bytes));
                if count == 0 || (count < REPORTS_MAX / 4 && held + bytes <= REPORTS_BYTES_MAX / 4) {
                    break;
                }
                let oldest = ring.kept.iter().position(theirs);
                ring.remove(oldest);
            }
        }
        while ring.kept.len() >= REPORTS_MAX || (ring.bytes + bytes > REPORTS_BYTES_MAX && !ring.kept.is_empty()) {
            ring.remove(Some(0));
        }
        ring.bytes += bytes;
        ring.kept.push_back((report, bytes));
    }

    /// The report of a request, while it is kept.
    pub fn find(&self, id: RequestId) -> Option<RequestReport> {
        self.0.iter().find_map(|ring| {
            let ring = ring.lock();
            ring.kept.iter().rev().map(|(report, _)| report).find(|report| report.request_id == id).cloned()
        })
    }
}

impl Ring {
    fn remove(&mut self, at: Option<usize>) {
        if let Some((_, bytes)) = at.and_then(|at| self.kept.remove(at)) {
            self.bytes -= bytes;
        }
    }
}
