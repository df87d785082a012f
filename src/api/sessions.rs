//! Who is signed in at a till: PINs, how often they may be mistyped, and the tokens of those who gave the right one.
//!
//! A try is counted in the books before the PIN is looked at, so that neither a second server nor a new start gives more
//! tries. A session counts with calls of the till alone where it began, and ends where its operator is changed.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::Shared;
use super::auth::{Caller, SignedIn};
use crate::crypto::{PinHash, Secret, SessionKey, random_token};
use crate::ledger::{Ledger, LedgerError, Operator, PIN_TRIES};
use crate::payment::{OperatorId, StoreId, TillId, UnixMillis};

/// For how long a session counts: a long day at the counter.
const SESSION_MS: i64 = 12 * 60 * 60 * 1_000;
/// How often operators and tills are read anew: another server may have changed them.
const READ_EVERY: Duration = Duration::from_secs(5);
const ISSUER: &str = "scantill";

/// Why nobody is signed in.
#[derive(Debug, thiserror::Error)]
pub(super) enum SignInError {
    /// Nobody of that id may sign in here.
    #[error("nobody of this id may sign in at this till. Nothing was done. Ask whoever looks after the operators")]
    Unknown,
    /// The PIN is another.
    #[error("this is not the PIN. {left} {} left before it is locked for a while", if *left == 1 { "try is" } else { "tries are" })]
    Wrong {
        /// How many tries are left.
        left: u32,
    },
    /// Too many tries.
    #[error(
        "the PIN was mistyped {PIN_TRIES} times: none is looked at for another {seconds} s. Whoever looks after the \
         operators can unlock it before"
    )]
    LockedOut {
        /// How long to wait, in seconds.
        seconds: u64,
    },
    /// The books cannot be read or written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The crypto library refused.
    #[error("no session could be begun: {0}")]
    Crypto(#[from] crate::crypto::CryptoError),
}

/// What a token says.
#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    /// The operator.
    sub: OperatorId,
    /// The till.
    aud: TillId,
    role: crate::ledger::Role,
    /// Unix seconds.
    iat: i64,
    /// Unix seconds.
    exp: i64,
    /// `iat` in milliseconds: a change within the same second ends a session too.
    iat_ms: UnixMillis,
}

/// A session that began.
pub(super) struct Session {
    pub token: Secret<String>,
    pub expires_at: UnixMillis,
    pub operator: Operator,
}

/// Operators and session keys as they were last read.
pub(super) struct Sessions {
    ledger: Ledger,
    known: RwLock<Arc<Known>>,
    /// PINs are looked at one at a time: each takes memory.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Known {
    operators: HashMap<OperatorId, Operator>,
    keys: HashMap<String, SessionKey>,
    /// The key that signs.
    newest: Option<SessionKey>,
}

impl Sessions {
    pub fn new(ledger: Ledger) -> Self {
        Self { ledger, known: RwLock::default(), turn: tokio::sync::Mutex::default() }
    }

    /// Reads operators and keys anew.
    pub async fn reload(&self) -> Result<(), LedgerError> {
        let operators = self.ledger.operators().await?;
        let operators = operators.into_iter().map(|operator| (operator.id.clone(), operator)).collect();
        let mut keys = HashMap::new();
        let mut newest = None;
        for (id, private) in self.ledger.session_keys().await? {
            match SessionKey::open(&id, &private) {
                Ok(key) => {
                    newest = Some(key.clone());
                    keys.insert(id, key);
                }
                Err(error) => tracing::error!(%error, key = id, "a session key cannot be used"),
            }
        }
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(Known { operators, keys, newest });
        Ok(())
    }

    fn known(&self) -> Arc<Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether somebody has to be signed in at tills of that store before money moves.
    pub fn needed_in(&self, store: &StoreId) -> bool {
        self.known().operators.values().any(|operator| operator.enabled && operator.works_in(store))
    }

    /// Who is signed in by this token at that till; nobody where it has run out, or its operator was changed since.
    pub async fn signed_in(&self, token: &str, caller: &Caller, now: UnixMillis) -> Option<SignedIn> {
        let id = SessionKey::id_of(token)?;
        if !self.known().keys.contains_key(&id) {
            // Another server may have made it.
            self.reload().await.ok()?;
        }
        let known = self.known();
        let claims: Claims = known.keys.get(&id)?.read(token).ok()?;
        let operator = known.operators.get(&claims.sub)?;
        let counts = claims.iss == ISSUER
            && claims.aud == caller.till
            && claims.exp > now / 1_000
            && claims.iat_ms >= operator.sessions_from
            && operator.enabled
            && operator.works_in(&caller.store);
        counts.then(|| SignedIn { id: operator.id.clone(), role: operator.role })
    }

    /// Begins a session of whoever gives the right PIN.
    pub async fn sign_in(
        &self,
        caller: &Caller,
        id: &OperatorId,
        pin: Secret<String>,
        now: UnixMillis,
    ) -> Result<Session, SignInError> {
        let _turn = self.turn.lock().await;
        let operator = self.who_may(caller, id).await?;
        let locked = |left: u64| SignInError::LockedOut { seconds: left.div_ceil(1_000) };
        if let Some(left) = operator.locked_for(now) {
            return Err(locked(left));
        }
        let actor = format!("operator:{id} till:{}", caller.till);
        let left = self.ledger.count_pin_try(now, &operator).await?;
        let fits = left.is_some() && pin_fits(&operator.pin, pin).await?;
        // Whoever was changed while we looked stays as changed.
        let counted = operator.round;
        let operator = self.who_may(caller, id).await?;
        if fits {
            let operator = operator.unlocked();
            self.ledger.put_operator(now, &actor, "operator_signed_in", &operator).await?;
            let key = self.signing_key(now, &actor).await?;
            self.reload().await?;
            return begin(&key, caller, operator, now);
        }
        match left {
            // Another server has ended this count already.
            _ if operator.round != counted => Err(match operator.locked_for(now) {
                Some(for_ms) => locked(for_ms),
                None => SignInError::Wrong { left: PIN_TRIES },
            }),
            Some(left) if left > 0 => {
                let told = serde_json::json!({ "operator": id.as_str(), "left": left });
                self.ledger.note(now, &actor, "pin_refused", told).await?;
                Err(SignInError::Wrong { left })
            }
            _ => {
                let operator = operator.locked_out(now);
                self.ledger.put_operator(now, &actor, "operator_locked_out", &operator).await?;
                self.reload().await?;
                tracing::warn!(operator = %id, till = %caller.till, "locked out for a while: the PIN was mistyped too often");
                Err(locked(operator.locked_for(now).unwrap_or_default()))
            }
        }
    }

    async fn who_may(&self, caller: &Caller, id: &OperatorId) -> Result<Operator, SignInError> {
        let operators = self.ledger.operators().await?;
        let may = |operator: &Operator| operator.id == *id && operator.enabled && operator.works_in(&caller.store);
        operators.into_iter().find(may).ok_or(SignInError::Unknown)
    }

    /// Operators are changed one at a time, and none while a PIN is looked at.
    pub async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    /// The key that signs; made where there is none.
    async fn signing_key(&self, now: UnixMillis, actor: &str) -> Result<SessionKey, SignInError> {
        if let Some(key) = &self.known().newest {
            return Ok(key.clone());
        }
        self.reload().await?;
        if let Some(key) = &self.known().newest {
            return Ok(key.clone());
        }
        let (id, private) = (random_token()[..16].to_owned(), SessionKey::generate()?);
        self.ledger.put_session_key(now, actor, &id, &private).await?;
        Ok(SessionKey::open(&id, &private)?)
    }
}

fn begin(key: &SessionKey, caller: &Caller, operator: Operator, now: UnixMillis) -> Result<Session, SignInError> {
    let expires_at = now + SESSION_MS;
    let claims = Claims {
        iss: ISSUER.to_owned(),
        sub: operator.id.clone(),
        aud: caller.till.clone(),
        role: operator.role,
        iat: now / 1_000,
        exp: expires_at / 1_000,
        iat_ms: now,
    };
    Ok(Session { token: Secret::new(key.token(&claims)?), expires_at, operator })
}

async fn pin_fits(kept: &Secret<String>, pin: Secret<String>) -> Result<bool, SignInError> {
    let kept: PinHash = serde_json::from_str(kept.expose()).map_err(|_| {
        LedgerError::Database("what is kept of the operator's PIN cannot be read: set a new one".into())
    })?;
    let looked = tokio::task::spawn_blocking(move || kept.fits(pin.expose())).await;
    looked.map_err(|error| SignInError::Ledger(LedgerError::Database(error.to_string())))
}

/// Reads operators, session keys and tills anew from time to time: another server of the same books may have changed
/// them.
pub(super) async fn keep_fresh(state: Shared, stopping: CancellationToken) {
    loop {
        tokio::select! {
            () = stopping.cancelled() => return,
            () = tokio::time::sleep(READ_EVERY) => {}
        }
        if let Err(error) = state.sessions.reload().await {
            tracing::warn!(%error, "the operators could not be read anew");
        }
        if let Err(error) = state.guard.reload().await {
            tracing::warn!(%error, "the tills could not be read anew");
        }
    }
}
