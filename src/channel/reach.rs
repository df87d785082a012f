//! Whether an address can be reached at all: its name, a connection, TLS, and the other side's clock. Nothing is asked
//! there that needs an account.

use std::time::Duration;

use super::credentials::Fields;
use super::http::{Sender, TlsIdentity, now};
use super::{AccountFault, MerchantAccount};
use crate::crypto::Certificate;

/// How long it may take in all.
const PATIENCE: Duration = Duration::from_secs(8);

/// What an address showed of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    /// How far this machine's clock is ahead of the other side's, in milliseconds, to about a second; `None` where the
    /// other side does not tell its time.
    pub clock_ahead: Option<i64>,
    /// The certificate it showed, where the connection is TLS.
    pub certificate: Option<Certificate>,
}

/// Why nothing answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreached {
    /// What is wrong, with a sentence and a cure.
    pub fault: AccountFault,
    /// What the system or a library said.
    pub words: String,
}

/// Asks an http or https address for nothing but its head. `root_pem` is trusted beside the system's roots.
///
/// # Errors
/// [`Unreached`]: name not found, no connection, TLS refused, no answer in time.
pub async fn reach(base_url: &str, root_pem: Option<&str>) -> Result<Reached, Unreached> {
    let tls = TlsIdentity { extra_root_pem: root_pem.map(str::to_owned), ..TlsIdentity::default() };
    let sender = Sender::with(base_url, PATIENCE, &tls)
        .map_err(|error| Unreached { fault: AccountFault::HostUnknown, words: error.to_string() })?;
    let asked = now();
    let answer = sender
        .send(sender.request(reqwest::Method::HEAD, ""))
        .await
        .map_err(|lost| Unreached { fault: lost.fault.account_fault(), words: lost.words })?;
    // The header tells whole seconds that have begun; on average the answer was made halfway and half a second later.
    let ours = asked + (now() - asked) / 2;
    Ok(Reached {
        clock_ahead: answer.date().map(|theirs| ours - theirs - 500),
        certificate: answer.certificate.and_then(|der| Certificate::from_der(&der).ok()),
    })
}

/// The same for an account's gateway, with the root that the account trusts beside the system's.
///
/// # Errors
/// As [`reach`].
pub async fn reach_gateway(account: &MerchantAccount) -> Result<Reached, Unreached> {
    let fields = Fields::of(account).ok();
    let root = fields.as_ref().and_then(|fields| fields.optional("gateway_root_certificate").ok().flatten());
    reach(&account.base_url, root).await
}
