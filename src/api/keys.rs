//! The keys of the house, as the API sees them: where the seal key is kept, and credentials that were replaced and run
//! out.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::Shared;
use super::problem::Answer;
use crate::crypto::KeptIn;
use crate::ledger::Till;

/// How often replaced credentials are looked for at least.
const LOOK: Duration = Duration::from_secs(60);
/// How often spent nonces are looked through.
const NONCES_EVERY: Duration = Duration::from_secs(60 * 60);
/// How long they are remembered.
const NONCE_MEMORY_MS: i64 = 24 * 60 * 60 * 1_000;
const ACTOR: &str = "api";

/// The program around the API, which keeps the keys.
#[async_trait]
pub trait KeyKeeper: Send + Sync {
    /// Where the seal key is kept.
    fn kept_in(&self) -> KeptIn;

    /// Seals everything in the books anew under a fresh key, in one transaction, and forgets the old one.
    ///
    /// # Errors
    /// A sentence: nothing was changed.
    async fn rotate_seal_key(&self, actor: &str) -> Result<(), String>;

    /// Real credentials are about to be stored: the key moves to a better place where there is one and none was chosen.
    async fn before_real_credentials(&self, actor: &str);

    /// A till has a new key.
    fn till_rotated(&self, till: &Till);
}

/// Forgets replaced credentials and keys when their time has run out.
pub(super) async fn forget_retired(state: Shared, stopping: CancellationToken) {
    loop {
        let next = match forget(&state).await {
            Ok(next) => next.min(LOOK),
            Err(problem) => {
                tracing::warn!(code = problem.code, "replaced credentials could not be looked for");
                LOOK
            }
        };
        tokio::select! {
            () = stopping.cancelled() => return,
            () = tokio::time::sleep(next) => {}
            () = state.rotated.notified() => {}
        }
    }
}

/// Forgets what has run out, and tells how long until the next does.
async fn forget(state: &Arc<super::State>) -> Answer<Duration> {
    let _turn = state.accounts_turn.lock().await;
    let ledger = state.engine.ledger();
    let now = state.engine.now();
    let mut next = i64::MAX;
    let mut forgotten = false;
    for account in ledger.accounts().await? {
        let Some(until) = account.retiring.as_ref().map(|retiring| retiring.until) else { continue };
        if until > now {
            next = next.min(until - now);
            continue;
        }
        let account = crate::channel::MerchantAccount { retiring: None, ..account };
        ledger.put_account(now, ACTOR, &account).await?;
        forgotten = true;
    }
    if forgotten {
        state.engine.reload_accounts().await?;
    }
    let mut forgotten = false;
    for till in ledger.tills().await? {
        let Some(until) = till.retiring.as_ref().map(|retiring| retiring.until) else { continue };
        if until > now {
            next = next.min(until - now);
            continue;
        }
        ledger.put_till(now, ACTOR, &Till { retiring: None, ..till }).await?;
        forgotten = true;
    }
    if forgotten {
        state.guard.reload().await?;
    }
    Ok(Duration::from_millis(next.unsigned_abs()))
}

/// Forgets spent nonces from time to time, long after their requests' times alone refuse them: a clock that is set back by
/// less than [`NONCE_MEMORY_MS`] lets nothing in again.
pub(super) async fn forget_nonces(state: Shared, stopping: CancellationToken) {
    loop {
        let before = state.engine.now() - NONCE_MEMORY_MS;
        if let Err(error) = state.engine.ledger().forget_nonces(before).await {
            tracing::warn!(%error, "spent nonces could not be forgotten");
        }
        tokio::select! {
            () = stopping.cancelled() => return,
            () = tokio::time::sleep(NONCES_EVERY) => {}
        }
    }
}
