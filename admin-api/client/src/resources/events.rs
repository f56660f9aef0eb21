use crate::Client;
use crate::error::Error;
use cofre_admin_types::{Event, EventsQuery, Page};
use hyper::Method;

impl Client {
    /// A page of events, oldest first.
    ///
    /// # Errors
    /// [`Error`] as every call.
    pub async fn events(&self, query: &EventsQuery) -> Result<Page<Event>, Error> {
        self.call(Method::GET, "/events").query(query)?.json().await
    }
}
