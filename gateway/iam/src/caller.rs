//! Who asks, from where, until when, and under which request id: the explicit context of every
//! domain call. Nothing of it is ever global or task-local.

use crate::policy::{Policy, account_number};
use crate::request_facts::RequestFacts;
use cofre_runtime::Random;
use cofre_types::{AccessKeyId, AccountId};
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

/// An account as a caller: what was true of it when its credentials were checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountIdentity {
    /// Canonical id.
    pub id: AccountId,
    /// Display name.
    pub name: String,
    /// Address; empty if it has none.
    pub email: String,
    /// Whether it may do everything, on every bucket.
    pub root: bool,
    /// Most buckets it may own; the default of the settings if absent.
    pub buckets_max: Option<u32>,
    /// The access key that signed the request; none if a door knew the account another way.
    pub access_key: Option<AccessKeyId>,
}

/// Who asks. Cloning costs one reference count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// An account whose credentials were checked.
    Account(Arc<AccountIdentity>),
    /// Someone who sent no credentials.
    Anonymous,
    /// A service that acts for a bucket, by the name that policies give it. It may do only what a policy
    /// or a list lets it.
    Service(&'static str),
    /// A part of Cofre itself: a job's name, or `admin` for the admin API, whose own scopes are
    /// checked at its door. It may do everything.
    Internal(&'static str),
}

/// What delivers server access logs (AWS, "Enabling Amazon S3 server access logging").
pub const LOG_DELIVERY: Principal = Principal::Service(LOG_DELIVERY_NAME);

pub(crate) const LOG_DELIVERY_NAME: &str = "logging.s3.amazonaws.com";

impl Principal {
    /// The account, if it is one.
    pub fn account(&self) -> Option<&AccountIdentity> {
        match self {
            Self::Account(account) => Some(account),
            Self::Anonymous | Self::Service(_) | Self::Internal(_) => None,
        }
    }

    /// Canonical id of the account, if it is one.
    pub fn account_id(&self) -> Option<AccountId> {
        self.account().map(|account| account.id)
    }

    /// The ARN of who asks; none for someone without credentials.
    pub(crate) fn arn(&self) -> Option<String> {
        self.account_id().map(|account| format!("arn:aws:iam::{}:root", account_number(account)))
    }
}

/// How the principal reads in events and logs: `account:<name>`, `anonymous`, `service:<name>`,
/// `internal:<name>`.
impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(account) => write!(f, "account:{}", account.name),
            Self::Anonymous => f.write_str("anonymous"),
            Self::Service(name) => write!(f, "service:{name}"),
            Self::Internal(name) => write!(f, "internal:{name}"),
        }
    }
}

/// Where a request came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Origin {
    /// The client's address, as the socket tells it, or a proxy that is trusted; never its own word. None inside the
    /// process.
    pub ip: Option<IpAddr>,
    /// Whether it came over TLS.
    pub secure: bool,
    /// How its TLS connection is protected, where a door knows it.
    pub tls: Option<Tls>,
}

/// One client as limits count it: an IPv4 address, or the 64 bits of an IPv6 address that name its network, since a host
/// may take any of the addresses behind them (RFC 7421).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network(IpAddr);

impl Network {
    /// Whose address it is.
    pub const fn of(ip: IpAddr) -> Self {
        Self(match ip.to_canonical() {
            IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64)),
            v4 => v4,
        })
    }

    /// The site of an address: of IPv6 the first 48 bits, since a site may have any of the networks behind them (RFC 6177).
    pub const fn site(ip: IpAddr) -> Self {
        Self(match ip.to_canonical() {
            IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() >> 80 << 80)),
            v4 => v4,
        })
    }
}

/// What a TLS connection agreed on, as access logs name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tls {
    /// Such as `TLSv1.3`.
    pub version: &'static str,
    /// Such as `TLS_AES_128_GCM_SHA256`.
    pub cipher_suite: &'static str,
}

/// Id of one request: 64 random bits, printed as AWS prints them, 16 upper-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestId(u64);

impl RequestId {
    /// A new id.
    pub fn new(random: &Random) -> Self {
        Self(random.u64())
    }

    /// Reads one as it is printed; letters of either case.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.len() == 16 && text.bytes().all(|b| b.is_ascii_hexdigit());
        digits.then(|| u64::from_str_radix(text, 16).ok().map(Self)).flatten()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016X}", self.0)
    }
}

/// The context of a domain call. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Who asks.
    pub principal: Principal,
    /// From where.
    pub origin: Origin,
    /// What logs and answers call the request.
    pub request_id: RequestId,
    /// What else the request brings, for conditions of policies; none inside the process.
    pub facts: Option<Arc<dyn RequestFacts>>,
    /// Policies that each must allow what is asked, whatever else does: of a session, or the boundary of
    /// an identity. They only narrow; with none of them the account has all its rights.
    pub limits: Vec<Arc<Policy>>,
    /// Whether it said that it pays for the request, where its bucket's owner does not (AWS, "Using
    /// Requester Pays general purpose buckets for storage transfers and usage").
    pub pays: bool,
    /// The operator on whose behalf a part of Cofre asks, as events name it: `token:<id>`.
    pub operator: Option<Arc<str>>,
}

impl Caller {
    /// A caller without facts and limits, who pays for nothing.
    pub fn new(principal: Principal, origin: Origin, request_id: RequestId) -> Self {
        Self { principal, origin, request_id, facts: None, limits: Vec::new(), pays: false, operator: None }
    }

    /// A part of Cofre itself as the caller. See [`Principal::Internal`].
    pub fn internal(name: &'static str, random: &Random) -> Self {
        Self::new(Principal::Internal(name), Origin::default(), RequestId::new(random))
    }

    /// The same caller on behalf of an operator, whom events name instead of it.
    #[must_use]
    pub fn on_behalf_of(self, operator: &str) -> Self {
        Self { operator: Some(operator.into()), ..self }
    }

    /// Who does it, as events name actors: the operator on whose behalf a part of Cofre asks, else the principal.
    pub fn actor(&self) -> String {
        match (&self.principal, &self.operator) {
            (Principal::Internal(_), Some(operator)) => operator.to_string(),
            (principal, _) => principal.to_string(),
        }
    }
}
