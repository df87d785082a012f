//! Who takes payments and through whom: accounts, stores and tills. Their secrets are sealed; the journal tells of
//! every change, and of no secret.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::batch::{Note, RecordChange, Request, Table};
use super::chain::canonical;
use super::sql::text;
use super::{Ledger, LedgerError, Store, Till};
use crate::channel::MerchantAccount;
use crate::crypto::Secret;
use crate::payment::{AccountId, UnixMillis};

impl Ledger {
    /// Every merchant account, credentials opened.
    ///
    /// # Errors
    /// The books cannot be read, or the seal key is not the one that sealed the credentials.
    pub async fn accounts(&self) -> Result<Vec<MerchantAccount>, LedgerError> {
        let records = self.records::<MerchantAccount>(Table::Accounts).await?;
        Ok(records.into_iter().map(|(account, credentials)| MerchantAccount { credentials, ..account }).collect())
    }

    /// Writes an account, new or changed; its credentials are sealed. The journal tells who and when, and no credential.
    ///
    /// # Errors
    /// The books cannot be written.
    pub async fn put_account(&self, at: UnixMillis, actor: &str, account: &MerchantAccount) -> Result<(), LedgerError> {
        let open = MerchantAccount { credentials: Secret::new(String::new()), ..account.clone() };
        let note = note(at, actor, "account_put", &without(to_json(&open)?, "credentials"));
        self.put(Table::Accounts, account.id.as_str(), &open, Some(&account.credentials), note).await
    }

    /// Removes an account; false where there is none, or where an unfinished payment still goes through it.
    ///
    /// # Errors
    /// The books cannot be written.
    pub async fn remove_account(&self, at: UnixMillis, actor: &str, id: &AccountId) -> Result<bool, LedgerError> {
        let note = note(at, actor, "account_removed", &json!({ "id": id.as_str() }));
        let change = RecordChange { table: Table::Accounts, id: id.to_string(), put: None, note };
        self.ask_done(Request::Record(change)).await
    }

    /// Every store.
    ///
    /// # Errors
    /// The books cannot be read.
    pub async fn stores(&self) -> Result<Vec<Store>, LedgerError> {
        Ok(self.records(Table::Stores).await?.into_iter().map(|(store, _)| store).collect())
    }

    /// Writes a store, new or changed.
    ///
    /// # Errors
    /// The books cannot be written.
    pub async fn put_store(&self, at: UnixMillis, actor: &str, store: &Store) -> Result<(), LedgerError> {
        let note = note(at, actor, "store_put", &to_json(store)?);
        self.put(Table::Stores, store.id.as_str(), store, None, note).await
    }

    /// Every till, its API secret opened.
    ///
    /// # Errors
    /// The books cannot be read, or the seal key is not the one that sealed the secrets.
    pub async fn tills(&self) -> Result<Vec<Till>, LedgerError> {
        let records = self.records::<Till>(Table::Tills).await?;
        Ok(records.into_iter().map(|(till, secret)| Till { secret, ..till }).collect())
    }

    /// Writes a till, new or changed; its API secret is sealed.
    ///
    /// # Errors
    /// The books cannot be written.
    pub async fn put_till(&self, at: UnixMillis, actor: &str, till: &Till) -> Result<(), LedgerError> {
        let open = Till { secret: Secret::new(String::new()), ..till.clone() };
        let note = note(at, actor, "till_put", &without(to_json(&open)?, "secret"));
        self.put(Table::Tills, till.id.as_str(), &open, Some(&till.secret), note).await
    }

    async fn put<T: Serialize + Sync>(
        &self,
        table: Table,
        id: &str,
        open: &T,
        secret: Option<&Secret<String>>,
        note: Note,
    ) -> Result<(), LedgerError> {
        let sealed = match secret {
            Some(secret) => hex::encode(
                self.books
                    .seal_key
                    .seal(&context(table, id), secret.expose().as_bytes())
                    .map_err(|error| LedgerError::Database(error.to_string()))?,
            ),
            None => String::new(),
        };
        let doc = canonical(&to_json(open)?);
        let change = RecordChange { table, id: id.to_owned(), put: Some((doc, sealed)), note };
        self.ask_done(Request::Record(change)).await.map(|_| ())
    }

    async fn records<T: DeserializeOwned>(&self, table: Table) -> Result<Vec<(T, Secret<String>)>, LedgerError> {
        let select = format!("SELECT id, doc, sealed FROM {} ORDER BY id", table.name());
        let rows = sqlx::query(&select).fetch_all(&self.books.readers).await.map_err(|error| self.refused(error))?;
        rows.iter()
            .map(|row| {
                let column = |index| text(row, index).map_err(|error| self.refused(error));
                let (id, doc, sealed) = (column(0)?, column(1)?, column(2)?);
                let unreadable =
                    |what: &str| LedgerError::Database(format!("the {what} of {} {id} cannot be read", table.name()));
                let record = serde_json::from_str(&doc).map_err(|_| unreadable("record"))?;
                Ok((record, self.open_seal(&context(table, &id), &sealed).ok_or_else(|| {
                    LedgerError::Database(format!(
                        "the secret of {} {id} cannot be opened: put back the key file it was sealed with, or enter \
                         the secret again",
                        table.name()
                    ))
                })?))
            })
            .collect()
    }

    fn open_seal(&self, context: &str, sealed: &str) -> Option<Secret<String>> {
        if sealed.is_empty() {
            return Some(Secret::new(String::new()));
        }
        let plain = self.books.seal_key.open(context, &hex::decode(sealed).ok()?).ok()?;
        std::str::from_utf8(&plain).ok().map(|text| Secret::new(text.to_owned()))
    }
}

/// What a sealed value is bound to, so that it opens in its own row only.
fn context(table: Table, id: &str) -> String {
    format!("{}/{id}", table.name())
}

fn note(at: UnixMillis, actor: &str, kind: &str, payload: &Value) -> Note {
    Note { at, actor: actor.to_owned(), kind: kind.to_owned(), payload: canonical(payload) }
}

fn to_json<T: Serialize>(value: &T) -> Result<Value, LedgerError> {
    serde_json::to_value(value).map_err(|error| LedgerError::Database(error.to_string()))
}

fn without(mut value: Value, field: &str) -> Value {
    if let Value::Object(map) = &mut value {
        map.remove(field);
    }
    value
}
