//! Merchant accounts: the way to each gateway, certificates, and a harmless signed call.

use futures::future::join_all;

use super::super::embedded::now;
use super::time::{Clocks, span};
use super::{Check, Verdict};
use crate::api::wire::{AccountTestView, TestStoredAccount};
use crate::channel::{self, AccountFault, MerchantAccount, Reached, Unreached};
use crate::client::{Client, ClientError};
use crate::crypto::Certificate;

const ACCOUNTS: &str = "accounts";
const ACCOUNT: &str = "account";
const CERTIFICATE: &str = "certificate";
const NETWORK: &str = "network";
/// A certificate that runs out sooner is told.
const SOON_MS: i64 = 30 * 24 * 60 * 60 * 1_000;
/// How long an account's test may take.
const TEST_TIME: std::time::Duration = std::time::Duration::from_secs(13);

/// Every account of the books; `None` where they could not be opened.
pub(super) async fn examine(accounts: Option<&[MerchantAccount]>, clocks: &mut Clocks) -> Vec<Check> {
    let Some(accounts) = accounts else {
        let found = "The merchant accounts could not be looked at.";
        return vec![Check::warning(ACCOUNTS, found, "Mend the books or the key store first, then look again.")];
    };
    let (enabled, disabled): (Vec<_>, Vec<_>) = accounts.iter().partition(|account| account.enabled);
    let live = enabled.iter().any(|account| !account.training);
    let mut checks = vec![summary(enabled.len(), disabled.len(), live)];
    // The sandbox of an embedded till is there only while the till runs: what leads to it is not tested without it.
    let tested: Vec<_> = enabled.into_iter().filter(|account| account.training != live).collect();
    let looked = join_all(tested.iter().map(|account| look(account))).await;
    for (account, (reached, test)) in tested.into_iter().zip(looked) {
        let about = account.id.to_string();
        if let Ok(reached) = &reached {
            clocks.compared(&format!("{}'s gateway", account.id), reached.clock_ahead);
        }
        let good = test.as_ref().is_ok_and(|test| test.fault.is_none());
        checks.extend(network(account, &reached, good).map(|check| check.about(&about)));
        let certificates = channel::dated_certificates(account).into_iter().map(|dated| {
            let cure =
                "Get a fresh one at the provider's console; `scantill account rotate` takes it in without a gap.";
            expiry(dated.label, &dated.certificate, cure).about(format!("{about} {}", dated.field))
        });
        checks.extend(certificates);
        if let Ok(Reached { certificate: Some(certificate), .. }) = &reached {
            let cure = "It is the gateway's own: wait, or ask the provider, and look whether a proxy is in between.";
            checks.push(expiry("The gateway's TLS certificate", certificate, cure).about(format!("{about} gateway")));
        }
        checks.push(tell(test, account.training).about(&about));
    }
    checks
}

fn summary(enabled: usize, disabled: usize, live: bool) -> Check {
    match (enabled, live) {
        (0, _) if disabled > 0 => Check::warning(
            ACCOUNTS,
            format!("All {disabled} merchant accounts are disabled: nothing can be paid through them."),
            "scantill account enable ID",
        ),
        (0, _) => Check::ok(ACCOUNTS, "There is no merchant account yet: the till starts in training mode."),
        (_, false) => Check::ok(ACCOUNTS, format!("{enabled} training accounts: no real money moves.")),
        (_, true) => Check::ok(ACCOUNTS, format!("{enabled} merchant accounts are enabled; real money moves.")),
    }
}

type Tested = Result<channel::AccountTest, channel::AccountError>;

async fn look(account: &MerchantAccount) -> (Result<Reached, Unreached>, Tested) {
    let reach = async {
        if account.base_url.is_empty() {
            Ok(Reached { clock_ahead: None, certificate: None })
        } else {
            channel::reach_gateway(account).await
        }
    };
    let test = async {
        let channel = channel::open(account)?;
        let test = tokio::time::timeout(TEST_TIME, channel.test()).await;
        Ok(test.unwrap_or_else(|_| channel::AccountTest::bad(AccountFault::Timeout, "", "")))
    };
    tokio::join!(reach, test)
}

fn network(account: &MerchantAccount, reached: &Result<Reached, Unreached>, good: bool) -> Option<Check> {
    if account.base_url.is_empty() {
        return None;
    }
    Some(match reached {
        Ok(_) => Check::ok(NETWORK, format!("{} can be reached.", account.base_url)),
        // Some gateways do not answer what is not theirs; the account's own call did get through.
        Err(_) if good => Check::ok(NETWORK, format!("{} answers the account's own call.", account.base_url)),
        Err(Unreached { fault, words }) => {
            let found = format!("{}: {} ({words})", account.base_url, fault.sentence());
            if account.training {
                Check::warning(NETWORK, found, "The training sandbox runs beside the till: start the till first.")
            } else {
                Check::failure(NETWORK, found, fault.cure())
            }
        }
    })
}

fn tell(test: Tested, training: bool) -> Check {
    let (found, cure) = match test {
        Ok(channel::AccountTest { fault: None, .. }) => {
            return Check::ok(ACCOUNT, "The provider answered a harmless signed call, and every signature fits.");
        }
        Ok(channel::AccountTest { fault: Some(fault), provider_code, provider_message }) => {
            let words = format!("{provider_code} {provider_message}");
            let words = if words.trim().is_empty() { String::new() } else { format!(" It said: {}", words.trim()) };
            (format!("{}{words}", fault.sentence()), fault.cure().to_owned())
        }
        Err(error) => (format!("{error}."), "scantill account change ID, or the till's settings (F5).".to_owned()),
    };
    let verdict = if training { Verdict::Warning } else { Verdict::Failure };
    Check::new(ACCOUNT, verdict, found, Some(cure))
}

/// How long a certificate is still good.
pub(super) fn expiry(what: &str, certificate: &Certificate, cure: &str) -> Check {
    let (from, until) = certificate.validity();
    let (left, now) = (until - now(), now());
    match left {
        _ if now < from => {
            Check::failure(CERTIFICATE, format!("{what} is not valid yet."), "Look at this machine's clock.")
        }
        ..0 => Check::failure(CERTIFICATE, format!("{what} expired {} ago.", span(-left)), cure),
        0..SOON_MS => Check::warning(CERTIFICATE, format!("{what} expires in {}.", span(left)), cure),
        _ => Check::ok(CERTIFICATE, format!("{what} is good for another {}.", span(left))),
    }
}

/// The accounts of a Payment API elsewhere, tested from there, where this till's key may.
pub(super) async fn examine_through(client: &Client) -> Vec<Check> {
    let accounts = match client.accounts().await {
        Ok(accounts) => accounts,
        Err(ClientError::Refused(problem)) if problem.status == 403 => {
            return vec![Check::ok(
                ACCOUNTS,
                "The merchant accounts are the server's; this till's key may not test them.",
            )];
        }
        Err(error) => return vec![Check::failure(ACCOUNTS, format!("{error}."), "Look again.")],
    };
    let mut checks = Vec::new();
    for account in accounts.iter().filter(|account| account.enabled) {
        let unchanged = TestStoredAccount { base_url: None, credentials: None };
        let check = match client.test_stored_account(&account.id, &unchanged).await {
            Ok(AccountTestView { ok: true, .. }) => {
                Check::ok(ACCOUNT, "The server's harmless signed call was answered.")
            }
            Ok(test) => Check::failure(ACCOUNT, test.cause, test.cure),
            Err(error) => Check::failure(ACCOUNT, format!("{error}."), "Look again."),
        };
        checks.push(check.about(account.id.to_string()));
    }
    checks
}
