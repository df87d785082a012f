//! Signed requests.
//!
//! A till sends `Authorization: SCANTILL-HMAC-SHA256 key=KEY, timestamp=SECONDS, nonce=NONCE, signature=HEX`:
//! - `KEY`: the till's id;
//! - `SECONDS`: Unix time; it may differ from the server's by [`FRESH_SECONDS`], and is not before the server's start;
//! - `NONCE`: 16 to 64 letters and digits; it counts once: here while its time could pass, and in the books where the
//!   call acts and has no idempotency key;
//! - `HEX`: lower-case hex of HMAC-SHA256 under the till's secret over
//!   `METHOD \n path?query \n SECONDS \n NONCE \n hex(SHA-256(body)) \n` (each line ended by one line feed, no spaces).
//!
//! Where an operator is signed in, `session=TOKEN` stands before `signature`, and `TOKEN \n` at the end of what is signed:
//! a session counts with the key of its till alone, and nobody on the way can take it off or put another in.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use super::limits::{Limits, Pace};
use crate::crypto::{HmacSha256, sha256_hex};
use crate::ledger::{Ledger, LedgerError, Role, Till};
use crate::payment::{OperatorId, StoreId, TillId};

/// How far a request's time may be from the server's, in seconds.
pub const FRESH_SECONDS: i64 = 300;
/// The scheme's name.
pub const SCHEME: &str = "SCANTILL-HMAC-SHA256";
/// Nonces remembered; more requests than that in [`FRESH_SECONDS`] are refused rather than forgotten.
const MAX_NONCES: usize = 1_000_000;

/// What a request's signature covers.
#[derive(Debug, Clone, Copy)]
pub struct Covered<'a> {
    /// Such as `POST`.
    pub method: &'a str,
    /// With its query.
    pub path: &'a str,
    /// Unix seconds.
    pub timestamp: i64,
    /// 16 to 64 letters and digits.
    pub nonce: &'a str,
    /// As it is sent.
    pub body: &'a [u8],
    /// The token of the operator who is signed in.
    pub session: Option<&'a str>,
}

impl Covered<'_> {
    fn message(&self) -> String {
        let Self { method, path, timestamp, nonce, body, session } = self;
        let mut message = format!("{method}\n{path}\n{timestamp}\n{nonce}\n{}\n", sha256_hex(body));
        if let Some(session) = session {
            message.push_str(session);
            message.push('\n');
        }
        message
    }

    /// The whole header of the request, signed by `secret` of `key`.
    #[must_use]
    pub fn authorization(&self, key: &str, secret: &HmacSha256) -> String {
        let signature = hex::encode(secret.sign(&[self.message().as_bytes()]));
        let Self { timestamp, nonce, .. } = self;
        let session = self.session.map(|session| format!("session={session}, ")).unwrap_or_default();
        format!("{SCHEME} key={key}, timestamp={timestamp}, nonce={nonce}, {session}signature={signature}")
    }
}

/// The header, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorization {
    /// The till's id.
    pub key: String,
    /// Unix seconds.
    pub timestamp: i64,
    /// Counts once.
    pub nonce: String,
    /// The token of the operator who is signed in.
    pub session: Option<String>,
    /// HMAC-SHA256.
    pub signature: Vec<u8>,
}

/// Why a request is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no `Authorization` of our scheme, or it is malformed.
    #[error(
        "the request is not signed: send Authorization: SCANTILL-HMAC-SHA256 key=…, timestamp=…, nonce=…, signature=…"
    )]
    Unsigned,
    /// The key is not known, or the signature does not fit. The two are not told apart.
    #[error("the signature does not fit the request, or the key is not known or not enabled")]
    BadSignature,
    /// The time is too far from the server's.
    #[error("the request's time is over 300 s from the server's: set this machine's clock. Nothing was done")]
    Stale,
    /// It was signed before this server started, so it may have been let in before.
    #[error("the request was signed before this server started: sign it anew. Nothing was done")]
    BeforeStart,
    /// The nonce was used.
    #[error("the request was sent before with this nonce. Nothing was done again")]
    Replayed,
    /// The session that came with it is over, is another till's, or was never one.
    #[error("nobody is signed in any more: sign in again. Nothing was done")]
    SessionOver,
    /// Too many bad signatures came for this key from this address.
    #[error("too many requests with bad signatures came from here for this key: nothing of it is taken for a while")]
    LockedOut {
        /// How long to wait, in seconds.
        seconds: u64,
    },
    /// The key makes more calls than anybody at a counter does.
    #[error("this key makes too many calls: wait a moment. Nothing was done")]
    TooMany {
        /// How long to wait, in seconds.
        seconds: u64,
    },
}

impl Refusal {
    /// After how many seconds it is worth trying again, where waiting is the cure.
    #[must_use]
    pub const fn retry_after(self) -> Option<u64> {
        match self {
            Self::LockedOut { seconds } | Self::TooMany { seconds } => Some(seconds),
            Self::Unsigned
            | Self::BadSignature
            | Self::Stale
            | Self::BeforeStart
            | Self::Replayed
            | Self::SessionOver => None,
        }
    }
}

impl Authorization {
    /// Takes the header apart.
    ///
    /// # Errors
    /// [`Refusal::Unsigned`] where it is not of the form above.
    pub fn parse(header: &str) -> Result<Self, Refusal> {
        let rest = header.strip_prefix(SCHEME).and_then(|rest| rest.strip_prefix(' ')).ok_or(Refusal::Unsigned)?;
        let mut fields = HashMap::new();
        for part in rest.split(',') {
            let (name, value) = part.trim().split_once('=').ok_or(Refusal::Unsigned)?;
            if fields.insert(name, value).is_some() {
                return Err(Refusal::Unsigned);
            }
        }
        let mut take = |name| fields.remove(name).ok_or(Refusal::Unsigned);
        let parsed = Self {
            key: take("key")?.to_owned(),
            timestamp: take("timestamp")?.parse().map_err(|_| Refusal::Unsigned)?,
            nonce: take("nonce")?.to_owned(),
            signature: hex::decode(take("signature")?).map_err(|_| Refusal::Unsigned)?,
            session: fields.remove("session").map(str::to_owned),
        };
        let nonce_fits =
            (16..=64).contains(&parsed.nonce.len()) && parsed.nonce.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if nonce_fits && fields.is_empty() { Ok(parsed) } else { Err(Refusal::Unsigned) }
    }
}

/// Who a request comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Caller {
    pub till: TillId,
    pub store: StoreId,
    pub admin: bool,
    /// Who is signed in there.
    pub operator: Option<SignedIn>,
}

/// An operator who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SignedIn {
    pub id: OperatorId,
    pub role: Role,
}

impl Caller {
    /// The journal's actor.
    pub fn actor(&self) -> String {
        match &self.operator {
            Some(operator) => format!("operator:{} till:{}", operator.id, self.till),
            None => format!("till:{}", self.till),
        }
    }
}

/// A request that was let in.
pub(super) struct Admitted {
    /// Whoever is signed in is not looked at yet.
    pub caller: Caller,
    pub nonce: String,
    /// The token of the operator who says to be signed in.
    pub session: Option<String>,
}

/// Nonces that were used, each forgotten only when its time alone would refuse it.
#[derive(Default)]
struct Nonces {
    used: std::collections::HashSet<(String, String)>,
    order: VecDeque<(i64, (String, String))>,
}

impl Nonces {
    fn spend(&mut self, key: &str, nonce: &str, now: i64) -> Result<(), Refusal> {
        while let Some((until, _)) = self.order.front()
            && *until < now
        {
            if let Some((_, spent)) = self.order.pop_front() {
                self.used.remove(&spent);
            }
        }
        let spent = (key.to_owned(), nonce.to_owned());
        if self.used.len() >= MAX_NONCES || !self.used.insert(spent.clone()) {
            return Err(Refusal::Replayed);
        }
        self.order.push_back((now + 2 * FRESH_SECONDS + 1, spent));
        Ok(())
    }
}

/// Lets signed requests in.
pub(super) struct Guard {
    ledger: Ledger,
    tills: RwLock<Arc<HashMap<String, Till>>>,
    nonces: Mutex<Nonces>,
    pace: Mutex<Pace>,
    limits: Limits,
    /// The second in which this server started. What was signed before may have been let in by the one before it, whose
    /// nonces are gone.
    started: AtomicI64,
}

/// A request to be let in.
pub(super) struct Asked<'a> {
    /// `Authorization`.
    pub header: Option<&'a str>,
    pub method: &'a str,
    /// With its query.
    pub path: &'a str,
    pub body: &'a [u8],
    /// Where it came from, where that is known.
    pub address: Option<IpAddr>,
}

/// Bad signatures under keys that nobody has are counted together.
const NOBODY: &str = "";

impl Guard {
    /// `now` is in milliseconds.
    pub fn new(ledger: Ledger, limits: Limits, now: i64) -> Self {
        Self {
            ledger,
            tills: RwLock::default(),
            nonces: Mutex::default(),
            pace: Mutex::default(),
            limits,
            started: AtomicI64::new(now / 1_000),
        }
    }

    /// Reads the tills' keys anew.
    pub async fn reload(&self) -> Result<(), LedgerError> {
        let tills = self.ledger.tills().await?.into_iter().map(|till| (till.id.to_string(), till)).collect();
        *self.tills.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(tills);
        Ok(())
    }

    /// Checks signature, time and nonce, in this order: a stranger learns nothing, and spends no nonce. `now` is in
    /// milliseconds.
    pub fn admit(&self, asked: &Asked<'_>, now: i64) -> Result<Admitted, Refusal> {
        let authorization = Authorization::parse(asked.header.ok_or(Refusal::Unsigned)?)?;
        let tills = self.tills.read().unwrap_or_else(PoisonError::into_inner).clone();
        let till = tills.get(&authorization.key).filter(|till| till.enabled);
        let key = till.map_or(NOBODY, |till| till.id.as_str());
        if let Some(address) = asked.address
            && let Some(left) = self.pace().locked(&self.limits, address, key, now)
        {
            return Err(Refusal::LockedOut { seconds: left.div_ceil(1_000) });
        }
        let secret = till.map_or("", |till| till.secret.expose().as_str());
        let covered = Covered {
            method: asked.method,
            path: asked.path,
            timestamp: authorization.timestamp,
            nonce: &authorization.nonce,
            body: asked.body,
            session: authorization.session.as_deref(),
        };
        let message = covered.message();
        let fits_under =
            |secret: &str| HmacSha256::new(secret.as_bytes()).verify(&[message.as_bytes()], &authorization.signature);
        let retiring = till.and_then(|till| till.retiring.as_ref()).filter(|retiring| retiring.until > now);
        let fits = fits_under(secret) || retiring.is_some_and(|old| fits_under(old.credentials.expose()));
        let Some(till) = till.filter(|_| fits) else {
            if let Some(address) = asked.address
                && self.pace().bad(&self.limits, address, key, now)
            {
                tracing::warn!(%address, key, "locked out for a while: too many bad signatures");
            }
            return Err(Refusal::BadSignature);
        };
        let seconds = now / 1_000;
        if authorization.timestamp.abs_diff(seconds) > FRESH_SECONDS.unsigned_abs() {
            return Err(Refusal::Stale);
        }
        // A clock that was set back since takes the start with it: else nobody would be let in until it has caught up.
        let started = self.started.fetch_min(seconds, Ordering::Relaxed).min(seconds);
        if authorization.timestamp < started {
            return Err(Refusal::BeforeStart);
        }
        if let Err(left) = self.pace().call(&self.limits, key, now) {
            return Err(Refusal::TooMany { seconds: left.div_ceil(1_000) });
        }
        let mut nonces = self.nonces.lock().unwrap_or_else(PoisonError::into_inner);
        nonces.spend(&authorization.key, &authorization.nonce, seconds)?;
        let caller = Caller { till: till.id.clone(), store: till.store.clone(), admin: till.admin, operator: None };
        Ok(Admitted { caller, nonce: authorization.nonce, session: authorization.session })
    }

    fn pace(&self) -> std::sync::MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_header_is_read_as_it_was_written(
            timestamp: i64,
            nonce in "[a-zA-Z0-9]{16,64}",
            body: Vec<u8>,
            session in proptest::option::of("[A-Za-z0-9_-]{1,20}\\.[A-Za-z0-9_-]{1,20}\\.[A-Za-z0-9_-]{1,20}"),
        ) {
            let secret = HmacSha256::new(b"secret");
            let covered = Covered {
                method: "POST",
                path: "/v1/payments?a=b",
                timestamp,
                nonce: &nonce,
                body: &body,
                session: session.as_deref(),
            };
            let parsed = Authorization::parse(&covered.authorization("till-1", &secret)).unwrap();
            prop_assert_eq!((parsed.key.as_str(), parsed.timestamp, parsed.nonce.as_str()), ("till-1", timestamp, nonce.as_str()));
            prop_assert_eq!(&parsed.session, &session);
            prop_assert!(secret.verify(&[covered.message().as_bytes()], &parsed.signature));
            let without = Covered { session: None, ..covered };
            prop_assert_eq!(secret.verify(&[without.message().as_bytes()], &parsed.signature), session.is_none());
        }

        #[test]
        fn no_header_makes_the_reader_fall_over(text: String, tail in "[ -~]{0,120}") {
            let _ = Authorization::parse(&text);
            let _ = Authorization::parse(&format!("{SCHEME} {tail}"));
        }
    }

    #[test]
    fn a_nonce_counts_once_while_its_time_could_pass() {
        let mut nonces = Nonces::default();
        assert!(nonces.spend("a", "n", 1_000).is_ok());
        assert!(nonces.spend("b", "n", 1_000).is_ok());
        assert!(nonces.spend("a", "n", 1_000 + 2 * FRESH_SECONDS).is_err());
        assert!(nonces.spend("a", "n", 1_000 + 2 * FRESH_SECONDS + 2).is_ok());
    }
}
