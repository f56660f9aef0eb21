//! The routes, one file per resource.

#![allow(unused_qualifications, reason = "utoipa's macro repeats the types of queries with their paths")]

mod accounts;
mod backups;
mod buckets;
mod drains;
mod events;
mod given_up;
pub(crate) mod health;
mod inspect;
mod jobs;
mod key_policies;
mod keys;
mod metrics;
mod provision;
mod requests;
mod restores;
pub(crate) mod settings;
mod shard_places;
mod shards;
mod tokens;
mod verify;

use crate::routes::Routes;

/// Adds every route.
pub(crate) fn add(routes: Routes) -> Routes {
    let adders = [
        health::add,
        shards::add,
        drains::add,
        given_up::add,
        settings::add,
        accounts::add,
        keys::add,
        tokens::add,
        key_policies::add,
        buckets::add,
        provision::add,
        events::add,
        jobs::add,
        inspect::add,
        verify::add,
        backups::add,
        requests::add,
        restores::add,
        metrics::add,
    ];
    adders.into_iter().fold(routes, |routes, add| add(routes))
}
