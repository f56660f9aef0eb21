use crate::Client;
use crate::error::Error;
use crate::exchange::segment;
use crate::lines::VerifyStream;
use cofre_admin_types::{InspectQuery, InspectedObject, LINES_MEDIA_TYPE, RequestReport, VerifyQuery};
use hyper::Method;
use hyper::header::ACCEPT;

impl Client {
    /// Everything that is known of an object.
    ///
    /// # Errors
    /// [`Error`] as every call.
    pub async fn inspect(&self, query: &InspectQuery) -> Result<InspectedObject, Error> {
        self.call(Method::GET, "/inspect").query(query)?.json().await
    }

    /// Why a request was refused, failed or took long. `id` is that of its answer.
    ///
    /// # Errors
    /// [`Error`] as every call; 404 if none of that id is kept.
    pub async fn explain_request(&self, id: &str) -> Result<RequestReport, Error> {
        self.call(Method::GET, &format!("/requests/{}", segment(id))).json().await
    }

    /// Holds the catalog against itself and against the shards; what is found comes line by line.
    ///
    /// # Errors
    /// [`Error`] as every call; 409 while another one is under way.
    pub async fn verify(&self, query: VerifyQuery) -> Result<VerifyStream, Error> {
        let call = self.call(Method::POST, "/verify").query(&query)?.header(ACCEPT, LINES_MEDIA_TYPE);
        Ok(VerifyStream::new(self, call.answer().await?.into_body()))
    }
}
