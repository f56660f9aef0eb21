//! One order of a certificate, from the account to the chain (RFC 8555, section 7.1).

use super::challenge::{Proof, Prover};
use super::files::{Files, StoredAccount, StoredCertificate};
use super::http::Authority;
use anyhow::{Context, Result, bail};
use cofre_runtime::blocking;
use cofre_settings::AcmeSettings;
use instant_acme::{
    Account, AuthorizationStatus, Error, Identifier, NewAccount, NewOrder, Order, OrderStatus, RetryPolicy,
};
use std::time::Duration;

/// How long an authority may take to look at the proofs, and again to make the certificate.
const LOOK_MAX: Duration = Duration::from_secs(180);

/// What an authority says that has lost an account (RFC 8555, section 6.7).
const NO_ACCOUNT: &str = "urn:ietf:params:acme:error:accountDoesNotExist";

/// Has a certificate made.
pub(super) async fn certificate(
    settings: &AcmeSettings,
    authority: &Authority,
    files: &Files,
    prover: &Prover,
) -> Result<StoredCertificate> {
    let identifiers: Vec<_> = settings.domains.iter().cloned().map(Identifier::Dns).collect();
    let account = account(settings, authority, files).await?;
    let mut order = match account.new_order(&NewOrder::new(&identifiers)).await {
        Err(Error::Api(problem)) if problem.r#type.as_deref() == Some(NO_ACCOUNT) => {
            let ours = files.clone();
            blocking(move || ours.forget_account()).await?;
            bail!("{problem}: it is made anew");
        }
        order => order?,
    };
    let mut proofs = Vec::new();
    let proven = prove(&mut order, prover, &mut proofs).await;
    for proof in &proofs {
        prover.take_away(proof).await;
    }
    proven?;
    let key = order.finalize().await?;
    let chain = order.poll_certificate(&policy()).await?;
    Ok(StoredCertificate::new(settings.directory.clone(), settings.domains.clone(), chain, key))
}

/// The account at the authority; one is made at the first order.
async fn account(settings: &AcmeSettings, authority: &Authority, files: &Files) -> Result<Account> {
    let builder = || Account::builder_with_http(Box::new(authority.clone()));
    let ours = files.clone();
    let stored = blocking(move || ours.account()).await?;
    if let Some(stored) = stored.filter(|stored| stored.directory == settings.directory) {
        return Ok(builder().from_credentials(stored.credentials).await?);
    }
    let contact = settings.contact.as_ref().map(|address| format!("mailto:{address}"));
    let contact: Vec<&str> = contact.as_deref().into_iter().collect();
    let new = NewAccount { contact: &contact, terms_of_service_agreed: true, only_return_existing: false };
    let (account, credentials) = builder().create(&new, settings.directory.clone(), None).await?;
    let stored = StoredAccount::new(settings.directory.clone(), credentials);
    let ours = files.clone();
    blocking(move || ours.keep_account(&stored)).await?;
    tracing::info!(directory = settings.directory, "an account at the authority was made");
    Ok(account)
}

/// Proves every name of an order, and waits until the authority has seen that.
async fn prove(order: &mut Order, prover: &Prover, proofs: &mut Vec<Proof>) -> Result<()> {
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        let name = match authorization.identifier().identifier {
            Identifier::Dns(name) => name.clone(),
            other => bail!("the authority asks to prove {other:?}"),
        };
        match authorization.status {
            AuthorizationStatus::Valid => continue,
            AuthorizationStatus::Pending => {}
            other => bail!("the authorization of {name} is {other:?}"),
        }
        let offered = "the authority does not offer the challenge of acme_challenge";
        let mut challenge = authorization.challenge(prover.kind()).with_context(|| format!("{name}: {offered}"))?;
        let proof = prover.put_up(&name, &challenge.token, &challenge.key_authorization()).await?;
        proofs.push(proof);
        challenge.set_ready().await?;
    }
    match order.poll_ready(&policy()).await {
        Ok(OrderStatus::Ready) => Ok(()),
        Ok(_) => bail!("{}", refusals(order).await),
        Err(error) => Err(error.into()),
    }
}

/// Why an authority does not believe the proofs.
async fn refusals(order: &mut Order) -> String {
    let mut refusals = Vec::new();
    let mut authorizations = order.authorizations();
    while let Some(Ok(mut authorization)) = authorizations.next().await {
        let Ok(state) = authorization.refresh().await else { continue };
        let errors = state.challenges.iter().filter_map(|challenge| challenge.error.as_ref());
        let name = state.identifier().to_string();
        refusals.extend(errors.map(|error| format!("{name}: {error}")));
    }
    if refusals.is_empty() { "the authority does not believe the proofs".to_owned() } else { refusals.join("; ") }
}

const fn policy() -> RetryPolicy {
    RetryPolicy::new().initial_delay(Duration::from_millis(500)).backoff(1.5).timeout(LOOK_MAX)
}
