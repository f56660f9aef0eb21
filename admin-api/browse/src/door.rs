//! The door: what it stands on, and its routes.

use crate::attempts::Attempts;
use crate::in_flight::InFlight;
use crate::links::LinksTo;
use crate::{
    about, buckets, copies, deletions, download, edge, entries, folders, hidden, links, objects, preview, session,
    uploads, versions, walk, zip,
};
use axum::middleware::from_fn_with_state;
use cofre_iam::Iam;
use cofre_objects::Objects;
use cofre_runtime::{Clock, Random};
use std::fmt;
use std::sync::Arc;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{Content, Ref, RefOr, ResponseBuilder};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};
use utoipa_axum::routes;

/// Name of the security scheme in the OpenAPI document.
pub const SECURITY_SCHEME: &str = "session";

/// Bounds on requests in flight.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Of all.
    pub requests_max: usize,
    /// Of one address, or of one /64 of IPv6.
    pub requests_per_address_max: usize,
    /// Of one account.
    pub requests_per_account_max: usize,
}

/// What the door stands on.
pub struct DoorParts {
    /// The domain.
    pub objects: Objects,
    /// Accounts, keys and sessions.
    pub iam: Iam,
    /// The clock, for tries and rests.
    pub clock: Clock,
    /// Randomness for request ids.
    pub random: Random,
    /// Bounds on requests in flight.
    pub limits: Limits,
    /// Where links lead.
    pub links: LinksTo,
    /// What pages call the version of the server.
    pub version: &'static str,
}

/// State of the door.
pub struct Door {
    pub(crate) objects: Objects,
    pub(crate) iam: Iam,
    pub(crate) clock: Clock,
    pub(crate) random: Random,
    pub(crate) links: LinksTo,
    pub(crate) attempts: Attempts,
    pub(crate) in_flight: InFlight,
    pub(crate) version: &'static str,
}

impl Door {
    /// The door over its parts.
    pub fn new(parts: DoorParts) -> Arc<Self> {
        let DoorParts { objects, iam, clock, random, limits, links, version } = parts;
        let (attempts, in_flight) = (Attempts::new(clock.clone()), InFlight::new(limits));
        Arc::new(Self { objects, iam, clock, random, links, attempts, in_flight, version })
    }
}

impl fmt::Debug for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Door")
    }
}

/// Every route of the door, with its documentation.
pub fn router<S: Clone + Send + Sync + 'static>(door: Arc<Door>) -> OpenApiRouter<S> {
    let open = [routes!(session::sign_in), routes!(session::current), routes!(session::sign_out)];
    let signed_in = [
        routes!(session::list),
        routes!(session::end),
        routes!(buckets::list),
        routes!(buckets::make),
        routes!(buckets::get),
        routes!(deletions::bucket),
        routes!(entries::list),
        routes!(folders::make),
        routes!(download::get),
        routes!(objects::put),
        routes!(objects::delete),
        routes!(versions::list),
        routes!(versions::restore),
        routes!(deletions::delete),
        routes!(copies::copy),
        routes!(copies::shift),
        routes!(about::get),
        routes!(about::set),
        routes!(about::set_metadata),
        routes!(preview::get),
        routes!(preview::text),
        routes!(walk::search),
        routes!(walk::measure),
        routes!(hidden::list),
        routes!(zip::get),
        routes!(links::make),
        routes!(uploads::list),
        routes!(uploads::begin),
        routes!(uploads::look),
        routes!(uploads::put_part),
        routes!(uploads::finish),
        routes!(uploads::cancel),
    ];
    let mut router = OpenApiRouter::new();
    for route in open {
        router = router.routes(described(route, false));
    }
    for route in signed_in {
        router = router.routes(described(route, true));
    }
    router.layer(from_fn_with_state(Arc::clone(&door), edge::edge)).with_state(door)
}

fn described<S>(mut route: UtoipaMethodRouter<S>, signed_in: bool) -> UtoipaMethodRouter<S> {
    let items = route.1.paths.values_mut();
    let operations = items.flat_map(|item| [&mut item.get, &mut item.put, &mut item.post, &mut item.delete]);
    for operation in operations.flatten() {
        operation.security = Some(match signed_in {
            true => vec![SecurityRequirement::new(SECURITY_SCHEME, std::iter::empty::<String>())],
            false => Vec::new(),
        });
        problem(operation, "403", "The account may not do this, or no page of this origin asks.");
        problem(operation, "default", "The request was not carried out.");
        if signed_in {
            problem(operation, "401", "Nobody is signed in.");
        }
    }
    route
}

fn problem(operation: &mut Operation, status: &str, description: &str) {
    let schema = Ref::from_schema_name(<cofre_admin_types::Problem as utoipa::ToSchema>::name());
    let content = Content::new(Some(schema));
    let response = ResponseBuilder::new().description(description);
    let response = response.content(cofre_admin_types::PROBLEM_MEDIA_TYPE, content).build();
    operation.responses.responses.entry(status.to_owned()).or_insert(RefOr::T(response));
}
