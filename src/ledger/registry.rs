//! Merchant accounts, stores and tills. What is secret lies sealed; the journal tells who changed what, and no secret.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use sqlx::Row;

use super::writer::{Job, Note, Registry, Table};
use super::{Ledger, LedgerError, Store, Till};
use crate::channel::MerchantAccount;
use crate::crypto::CryptoError;
use crate::payment::{AccountId, UnixMillis};

impl Ledger {
    /// Every merchant account, credentials opened.
    ///
    /// # Errors
    /// The database fails, or a row cannot be opened with this seal key.
    pub async fn accounts(&self) -> Result<Vec<MerchantAccount>, LedgerError> {
        self.opened("account", "SELECT id, sealed FROM accounts ORDER BY id").await
    }

    /// Writes an account, new or changed.
    ///
    /// # Errors
    /// The database fails.
    pub async fn put_account(&self, at: UnixMillis, actor: &str, account: &MerchantAccount) -> Result<(), LedgerError> {
        let told = json!({
            "id": account.id, "channel": account.channel, "name": account.name, "base_url": account.base_url,
            "training": account.training, "enabled": account.enabled,
        });
        let sealed = self.sealed("account", account.id.as_str(), account)?;
        self.put(Table::Accounts, account.id.as_str(), Some(sealed), note(at, actor, "account_put", told))
            .await
            .map(|_| ())
    }

    /// Removes an account; false where there is none of that id.
    ///
    /// # Errors
    /// The database fails.
    pub async fn remove_account(&self, at: UnixMillis, actor: &str, id: &AccountId) -> Result<bool, LedgerError> {
        self.put(Table::Accounts, id.as_str(), None, note(at, actor, "account_removed", json!({ "id": id }))).await
    }

    /// Every store.
    ///
    /// # Errors
    /// The database fails.
    pub async fn stores(&self) -> Result<Vec<Store>, LedgerError> {
        let read = async {
            let rows = sqlx::query("SELECT id, name FROM stores ORDER BY id").fetch_all(&self.pool).await?;
            rows.iter()
                .map(|row| {
                    let id: String = row.try_get("id")?;
                    let id = id.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
                    Ok(Store { id, name: row.try_get("name")? })
                })
                .collect::<Result<Vec<_>, _>>()
        };
        read.await.map_err(|error: sqlx::Error| self.place.error(&error))
    }

    /// Writes a store, new or changed.
    ///
    /// # Errors
    /// The database fails.
    pub async fn put_store(&self, at: UnixMillis, actor: &str, store: &Store) -> Result<(), LedgerError> {
        let note = note(at, actor, "store_put", json!({ "id": store.id, "name": store.name }));
        self.put(Table::Stores, store.id.as_str(), Some(store.name.clone()), note).await.map(|_| ())
    }

    /// Every till.
    ///
    /// # Errors
    /// The database fails, or a row cannot be opened with this seal key.
    pub async fn tills(&self) -> Result<Vec<Till>, LedgerError> {
        self.opened("till", "SELECT id, sealed FROM tills ORDER BY id").await
    }

    /// Writes a till, new or changed.
    ///
    /// # Errors
    /// The database fails.
    pub async fn put_till(&self, at: UnixMillis, actor: &str, till: &Till) -> Result<(), LedgerError> {
        let told = json!({
            "id": till.id, "store": till.store, "name": till.name, "enabled": till.enabled, "admin": till.admin,
        });
        let sealed = self.sealed("till", till.id.as_str(), till)?;
        self.put(Table::Tills, till.id.as_str(), Some(sealed), note(at, actor, "till_put", told)).await.map(|_| ())
    }

    async fn put(&self, table: Table, id: &str, value: Option<String>, note: Note) -> Result<bool, LedgerError> {
        let change = Registry { table, id: id.to_owned(), value, note };
        self.ask(|reply| Job::Registry(change, reply)).await
    }

    fn sealed(&self, kind: &str, id: &str, value: &impl Serialize) -> Result<String, LedgerError> {
        let plain = serde_json::to_vec(value).map(zeroize::Zeroizing::new);
        let plain = plain.map_err(|_| LedgerError::Database("a value cannot be written".into()))?;
        self.seal
            .seal(&context(kind, id), &plain)
            .map(hex::encode)
            .map_err(|error| LedgerError::Database(error.to_string()))
    }

    async fn opened<T: DeserializeOwned>(&self, kind: &str, query: &'static str) -> Result<Vec<T>, LedgerError> {
        let rows = sqlx::query(query).fetch_all(&self.pool).await.map_err(|error| self.place.error(&error))?;
        let open = |row| -> Result<T, sqlx::Error> {
            let row: &sqlx::any::AnyRow = row;
            let (id, sealed): (String, String) = (row.try_get("id")?, row.try_get("sealed")?);
            let cannot = |_| sqlx::Error::Decode(Box::new(CryptoError::CannotOpen));
            let sealed = hex::decode(sealed).map_err(|_| sqlx::Error::Decode(Box::new(CryptoError::CannotOpen)))?;
            let plain = self.seal.open(&context(kind, &id), &sealed).map_err(cannot)?;
            // The parser's own words could repeat a part of a secret.
            serde_json::from_slice(&plain).map_err(|_| sqlx::Error::Decode(Box::new(CryptoError::CannotOpen)))
        };
        rows.iter().map(|row| open(row).map_err(|error| self.place.error(&error))).collect()
    }
}

/// Binds a sealed value to its place, so that it cannot be moved to another row.
fn context(kind: &str, id: &str) -> String {
    format!("{kind}/{id}")
}

fn note(at: UnixMillis, actor: &str, kind: &str, payload: serde_json::Value) -> Note {
    Note { at, actor: actor.to_owned(), kind: kind.to_owned(), payload }
}
