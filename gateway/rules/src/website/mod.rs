//! Static websites: what the configuration of a bucket says, and what it makes of a request for a page. Who
//! serves them reads the objects as any caller does, by the right to read them.

mod rules;
mod validate;

pub use rules::{Condition, Moved, Pages, ReplaceKey, RoutingRule, WebProtocol, WebRedirect, Website};
pub use validate::ROUTING_RULES_MAX;
