use crate::Client;
use crate::error::Error;
use cofre_admin_types::CatalogRestore;
use hyper::Method;

impl Client {
    /// How far shards are compared with a catalog that was restored.
    ///
    /// # Errors
    /// [`Error`] as every call; 404 if it never was.
    pub async fn catalog_restore(&self) -> Result<CatalogRestore, Error> {
        self.call(Method::GET, "/catalog/restore").json().await
    }

    /// Discards what stands on shards and is in no record of a catalog that was restored.
    ///
    /// # Errors
    /// [`Error`] as every call; 409 while a shard has yet to be compared.
    pub async fn discard_unknown(&self) -> Result<CatalogRestore, Error> {
        self.call(Method::POST, "/catalog/restore/discard").json().await
    }
}
