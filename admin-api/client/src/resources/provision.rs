use crate::Client;
use crate::error::Error;
use cofre_admin_types::provision::{ApplyProvision, PlanProvision, Provision, ProvisionPlan};
use hyper::Method;

impl Client {
    /// All accounts, keys, buckets and settings as one document, without secrets.
    ///
    /// # Errors
    /// [`Error`] as every call; 409 if there is more than a document has.
    pub async fn export_provision(&self) -> Result<Provision, Error> {
        self.call(Method::GET, "/provision").json().await
    }

    /// What it takes to get to a document. Changes nothing.
    ///
    /// # Errors
    /// [`Error`] as every call.
    pub async fn plan_provision(&self, request: &PlanProvision) -> Result<ProvisionPlan, Error> {
        self.call(Method::POST, "/provision/plan").body(request)?.json().await
    }

    /// Carries a document out.
    ///
    /// # Errors
    /// [`Error`] as every call; 400 if a step is refused, where those before it are done; 412 if other steps are due than
    /// those of the plan.
    pub async fn apply_provision(&self, request: &ApplyProvision) -> Result<ProvisionPlan, Error> {
        self.call(Method::POST, "/provision/apply").body(request)?.json().await
    }
}
