//! The people at the tills: who they are, what they may do, and how often a PIN of theirs was mistyped. Also the keys
//! that their sessions are signed with.

use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::batch::{NONCE, Request, Table};
use super::records::{note, to_json, without};
use super::seal::Sealed;
use super::{Ledger, LedgerError};
use crate::crypto::Secret;
use crate::payment::{OperatorId, StoreId, UnixMillis};

/// How often a PIN may be mistyped before the operator is locked out.
pub const PIN_TRIES: u32 = 5;
/// For how long, in milliseconds: the first time, the second time in a row, and so on; the last for every time after.
const LOCK_MS: [i64; 4] = [60_000, 5 * 60_000, 15 * 60_000, 60 * 60_000];

/// What a person may do; each may do what those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Take payments and cancel them.
    Cashier,
    /// Return money as well.
    Supervisor,
    /// Look after merchant accounts, stores and tills as well.
    Manager,
    /// Look after operators, keys and policies as well.
    Admin,
}

impl Role {
    /// The word for it in the API and in commands.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cashier => "cashier",
            Self::Supervisor => "supervisor",
            Self::Manager => "manager",
            Self::Admin => "admin",
        }
    }
}

/// A person who signs in at a till.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Operator {
    /// Stands in the journal and in the takings.
    pub id: OperatorId,
    /// What people call them.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// The one store where they work; any where absent.
    pub store: Option<StoreId>,
    /// Whether they may sign in.
    pub enabled: bool,
    /// What is kept of the PIN; see [`crate::crypto::PinHash`]. Stored sealed.
    pub pin: Secret<String>,
    /// Tries of a PIN are counted from here on: raised by whatever ends a count.
    pub round: u32,
    /// How often they were locked out since they last signed in.
    pub lockouts: u32,
    /// Until when no PIN is looked at.
    pub locked_until: Option<UnixMillis>,
    /// Sessions that began before this count no more.
    pub sessions_from: UnixMillis,
}

impl Operator {
    /// For how many milliseconds they are still locked out.
    #[must_use]
    pub fn locked_for(&self, now: UnixMillis) -> Option<u64> {
        self.locked_until.and_then(|until| u64::try_from(until.saturating_sub(now)).ok()).filter(|left| *left > 0)
    }

    /// As they are after the right PIN, or after somebody unlocked them.
    #[must_use]
    pub fn unlocked(self) -> Self {
        Self { round: self.round.wrapping_add(1), lockouts: 0, locked_until: None, ..self }
    }

    /// As they are after the last try of a round.
    #[must_use]
    pub fn locked_out(self, now: UnixMillis) -> Self {
        let step = usize::try_from(self.lockouts).map_or(LOCK_MS.len() - 1, |step| step.min(LOCK_MS.len() - 1));
        Self {
            round: self.round.wrapping_add(1),
            lockouts: self.lockouts.saturating_add(1),
            locked_until: Some(now.saturating_add(LOCK_MS[step])),
            ..self
        }
    }

    /// Whether they work in that store.
    #[must_use]
    pub fn works_in(&self, store: &StoreId) -> bool {
        self.store.as_ref().is_none_or(|own| own == store)
    }
}

impl Ledger {
    /// Every operator, what is kept of the PIN opened.
    ///
    /// # Errors
    /// The books cannot be read, or the seal key is not the one that sealed it.
    pub async fn operators(&self) -> Result<Vec<Operator>, LedgerError> {
        let records = self.records::<Operator>(Table::Operators).await?;
        Ok(records.into_iter().map(|(operator, sealed)| Operator { pin: sealed.secret, ..operator }).collect())
    }

    /// Writes an operator, new or changed; `kind` is what the journal calls it, such as `operator_put`.
    ///
    /// # Errors
    /// The books cannot be written.
    pub async fn put_operator(
        &self,
        at: UnixMillis,
        actor: &str,
        kind: &str,
        operator: &Operator,
    ) -> Result<(), LedgerError> {
        let open = Operator { pin: Secret::new(String::new()), ..operator.clone() };
        let told = without(to_json(&open)?, "pin");
        let sealed = Sealed { secret: operator.pin.clone(), retiring: None };
        let note = note(at, actor, kind, &told);
        self.put(Table::Operators, operator.id.as_str(), &open, Some(&sealed), note).await
    }

    /// Counts a try of an operator's PIN before the PIN is looked at, once for every process that shares the books; the
    /// number of tries that are left after it, or `None` where this would be one too many.
    ///
    /// # Errors
    /// The books cannot be written: no PIN must be looked at.
    pub async fn count_pin_try(&self, at: UnixMillis, operator: &Operator) -> Result<Option<u32>, LedgerError> {
        for no in 1..=PIN_TRIES {
            // Forgotten with the nonces, after a day.
            let id = format!("{NONCE}pin/{}/{}/{no}", operator.id, operator.round);
            if self.ask_done(Request::Once(id, at)).await? {
                return Ok(Some(PIN_TRIES - no));
            }
        }
        Ok(None)
    }

    /// Every key that signs sessions: its id, and the private key as it was put.
    ///
    /// # Errors
    /// The books cannot be read, or the seal key is not the one that sealed them.
    pub async fn session_keys(&self) -> Result<Vec<(String, Secret<String>)>, LedgerError> {
        let records = self.records::<SessionKeyRecord>(Table::SessionKeys).await?;
        Ok(records.into_iter().map(|(record, sealed)| (record.id, sealed.secret)).collect())
    }

    /// Writes a key that signs sessions. The journal tells that there is one.
    ///
    /// # Errors
    /// The books cannot be written.
    pub async fn put_session_key(
        &self,
        at: UnixMillis,
        actor: &str,
        id: &str,
        private: &Secret<String>,
    ) -> Result<(), LedgerError> {
        let record = SessionKeyRecord { id: id.to_owned() };
        let sealed = Sealed { secret: private.clone(), retiring: None };
        let note = note(at, actor, "session_key_put", &json!({ "id": id }));
        self.put(Table::SessionKeys, id, &record, Some(&sealed), note).await
    }
}

#[derive(Serialize, Deserialize)]
struct SessionKeyRecord {
    id: String,
}
