//! The calls, one file per resource.

mod access;
mod backups;
mod buckets;
mod events;
mod health;
mod jobs;
mod key_policies;
mod provision;
mod restores;
mod settings;
mod shards;
mod truth;

use crate::Client;
use crate::error::Error;
use cofre_admin_types::{Page, PageQuery};
use hyper::Method;
use serde::de::DeserializeOwned;

/// Pages that [`Client::every`] reads at the very most: a server whose pages never end is at fault.
const PAGES_MAX: usize = 10_000;

impl Client {
    /// Every item of a list, page by page.
    async fn every<T: DeserializeOwned>(&self, path: &str) -> Result<Vec<T>, Error> {
        let mut query = PageQuery { after: None, limit: Some(cofre_admin_types::PAGE_ITEMS_MAX) };
        let mut items = Vec::new();
        for _ in 0..PAGES_MAX {
            let page: Page<T> = self.call(Method::GET, path).query(&query)?.json().await?;
            items.extend(page.items);
            query.after = page.next;
            if query.after.is_none() {
                return Ok(items);
            }
        }
        Err(self.endpoint.nonsense("the list has no end"))
    }
}
