//! When the platform's certificates are looked at: before a first answer could be believed, every 12 hours, and when a
//! signature names one that is not held. One look at a time, and nobody's payment waits for one that is not needed.

use std::sync::Arc;
use std::time::Instant;

use reqwest::Method;

use super::V3;
use super::answer::Reply;
use super::certificates::{self, ListError, PATH};
use crate::channel::http::now;
use crate::payment::UnixMillis;

/// How long after a look that failed the next one is due.
const AGAIN: UnixMillis = 600_000;

/// A look that failed: those who waited for it need not look again. Who comes after it does, even within the same
/// millisecond.
#[derive(Debug, Clone)]
pub(super) struct Failed {
    at: Instant,
    reply: Reply,
}

impl V3 {
    /// Makes sure that a key of the platform's is held, and has the certificates looked at behind the call where they
    /// are due.
    pub(super) async fn hold_a_key(self: &Arc<Self>) -> Result<(), Reply> {
        let began = Instant::now();
        let keys = &self.credentials.platform;
        if keys.is_empty(now()) {
            let mut turn = self.turn.lock().await;
            if !keys.is_empty(now()) {
                return Ok(());
            }
            if let Some(failed) = turn.as_ref().filter(|failed| failed.at > began) {
                return Err(failed.reply.clone());
            }
            if let Err(reply) = self.look().await {
                *turn = Some(Failed { at: Instant::now(), reply: reply.clone() });
                return Err(reply);
            }
        } else if keys.is_stale(now()) {
            self.behind(|this| async move {
                let _turn = this.turn.lock().await;
                let keys = &this.credentials.platform;
                if keys.is_stale(now()) && this.look().await.is_err() {
                    keys.put_off(now() + AGAIN);
                }
            });
        }
        Ok(())
    }

    /// Looks for the key of an unknown serial; whether there may be more keys now.
    pub(super) async fn learn(&self, serial: &str) -> bool {
        let _turn = self.turn.lock().await;
        let keys = &self.credentials.platform;
        keys.key(serial, now()).is_some() || (keys.may_look(now()) && self.look().await.is_ok())
    }

    /// The same for a notification, which does not wait for it.
    pub(super) fn look_behind(self: &Arc<Self>, serial: String) {
        self.behind(|this| async move {
            // Whoever has the turn is looking already, and the notification comes again.
            let Ok(_turn) = this.turn.try_lock() else { return };
            let keys = &this.credentials.platform;
            if keys.key(&serial, now()).is_none() && keys.may_look(now()) {
                drop(this.look().await);
            }
        });
    }

    fn behind<F: Future<Output = ()> + Send + 'static>(self: &Arc<Self>, job: impl FnOnce(Arc<Self>) -> F) {
        // Without a runtime there is no call under way either, and the next one looks.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(job(self.clone()));
        }
    }

    /// One look.
    async fn look(&self) -> Result<(), Reply> {
        let answer = match self.send(Method::GET, PATH, String::new()).await {
            Ok(answer) => answer,
            Err(lost) => return Err(Reply::NotSent(lost.words)),
        };
        match certificates::read(&self.credentials, &answer, now()) {
            Ok(keys) => {
                self.credentials.platform.put(keys, now());
                Ok(())
            }
            Err(error) => {
                tracing::warn!(error = %error.words(), "the platform's certificates could not be renewed");
                Err(refusal(error, self.sender.knows_its_peer()))
            }
        }
    }
}

/// What a call says whose answer could not have been believed. It was never sent.
fn refusal(error: ListError, known_peer: bool) -> Reply {
    match error {
        ListError::Refused(401 | 403, Some(error)) if known_peer => Reply::Refused(error),
        other => Reply::NotSent(other.words()),
    }
}
