use crate::Client;
use crate::error::Error;
use cofre_admin_types::{Backup, StartBackup};
use hyper::Method;

impl Client {
    /// Starts a backup of the catalog.
    ///
    /// # Errors
    /// [`Error`] as every call; 409 while another runs.
    pub async fn start_backup(&self, request: &StartBackup) -> Result<Backup, Error> {
        self.call(Method::POST, "/backups").body(request)?.json().await
    }

    /// How far a backup is.
    ///
    /// # Errors
    /// [`Error`] as every call.
    pub async fn backup(&self, id: u64) -> Result<Backup, Error> {
        self.call(Method::GET, &format!("/backups/{id}")).json().await
    }

    /// Every backup since the process started.
    ///
    /// # Errors
    /// [`Error`] as every call.
    pub async fn backups(&self) -> Result<Vec<Backup>, Error> {
        self.every("/backups").await
    }
}
