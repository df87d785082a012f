//! Who takes payments and through whom: accounts, stores and tills. Their secrets are sealed; the journal tells of
//! every change, and of no secret.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::batch::{Note, RecordChange, Request, SealedRecord, Table};
use super::chain::canonical;
use super::seal::{Sealed, cannot_open, context};
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
        let opened = |(account, sealed): (MerchantAccount, Sealed)| MerchantAccount {
            credentials: sealed.secret,
            retiring: sealed.retiring,
            ..account
        };
        Ok(records.into_iter().map(opened).collect())
    }

    /// Whether an account is open that moves real money. No secret is opened for it.
    ///
    /// # Errors
    /// The books cannot be read.
    pub async fn takes_real_money(&self) -> Result<bool, LedgerError> {
        let rows = sqlx::query("SELECT doc FROM accounts").fetch_all(self.readers()?).await;
        for row in rows.map_err(|error| self.refused(error))? {
            let doc = text(&row, 0).map_err(|error| self.refused(error))?;
            let account: MerchantAccount = serde_json::from_str(&doc)
                .map_err(|_| LedgerError::Database("the record of an account cannot be read".to_owned()))?;
            if account.enabled && !account.training {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Writes an account, new or changed; its credentials are sealed. The journal tells who and when, and no credential.
    ///
    /// # Errors
    /// The books cannot be written.
    pub async fn put_account(&self, at: UnixMillis, actor: &str, account: &MerchantAccount) -> Result<(), LedgerError> {
        let open = MerchantAccount { credentials: Secret::new(String::new()), retiring: None, ..account.clone() };
        let mut told = without(to_json(&open)?, "credentials");
        if let Some(retiring) = &account.retiring {
            told["retiring_until"] = json!(retiring.until);
        }
        let sealed = Sealed { secret: account.credentials.clone(), retiring: account.retiring.clone() };
        let note = note(at, actor, "account_put", &told);
        self.put(Table::Accounts, account.id.as_str(), &open, Some(&sealed), note).await
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
        let opened = |(till, sealed): (Till, Sealed)| Till { secret: sealed.secret, retiring: sealed.retiring, ..till };
        Ok(records.into_iter().map(opened).collect())
    }

    /// Writes a till, new or changed; its API secret is sealed.
    ///
    /// # Errors
    /// The books cannot be written.
    pub async fn put_till(&self, at: UnixMillis, actor: &str, till: &Till) -> Result<(), LedgerError> {
        let open = Till { secret: Secret::new(String::new()), retiring: None, ..till.clone() };
        let mut told = without(to_json(&open)?, "secret");
        if let Some(retiring) = &till.retiring {
            told["retiring_until"] = json!(retiring.until);
        }
        let sealed = Sealed { secret: till.secret.clone(), retiring: till.retiring.clone() };
        self.put(Table::Tills, till.id.as_str(), &open, Some(&sealed), note(at, actor, "till_put", &told)).await
    }

    pub(super) async fn put<T: Serialize + Sync>(
        &self,
        table: Table,
        id: &str,
        open: &T,
        secret: Option<&Sealed>,
        note: Note,
    ) -> Result<(), LedgerError> {
        let keys = self.books.seal_keys.read().await;
        let sealed = match secret {
            Some(secret) => keys.seal(&context(table, id), &secret.to_text()?)?,
            None => String::new(),
        };
        let doc = canonical(&to_json(open)?);
        let change = RecordChange { table, id: id.to_owned(), put: Some((doc, sealed)), note };
        self.ask_done(Request::Record(change)).await.map(|_| ())
    }

    pub(super) async fn records<T: DeserializeOwned>(&self, table: Table) -> Result<Vec<(T, Sealed)>, LedgerError> {
        let keys = self.books.seal_keys.read().await;
        self.sealed_records(table)
            .await?
            .into_iter()
            .map(|(id, (doc, sealed))| {
                let unreadable =
                    |what: &str| LedgerError::Database(format!("the {what} of {} {id} cannot be read", table.name()));
                let record = serde_json::from_str(&doc).map_err(|_| unreadable("record"))?;
                let sealed = keys.open(&context(table, &id), &sealed).ok_or_else(|| cannot_open(table, &id))?;
                Ok((record, Sealed::of_text(&sealed).ok_or_else(|| unreadable("secret"))?))
            })
            .collect()
    }

    async fn sealed_records(&self, table: Table) -> Result<Vec<(String, SealedRecord)>, LedgerError> {
        if let Some(found) = self.in_memory(|tables| tables.records(table)).await {
            return found;
        }
        let select = format!("SELECT id, doc, sealed FROM {} ORDER BY id", table.name());
        let rows = sqlx::query(&select).fetch_all(self.readers()?).await.map_err(|error| self.refused(error))?;
        let column = |row, index| text(row, index).map_err(|error| self.refused(error));
        rows.iter().map(|row| Ok((column(row, 0)?, (column(row, 1)?, column(row, 2)?)))).collect()
    }
}

pub(super) fn note(at: UnixMillis, actor: &str, kind: &str, payload: &Value) -> Note {
    Note { at, actor: actor.to_owned(), kind: kind.to_owned(), payload: canonical(payload) }
}

pub(super) fn to_json<T: Serialize>(value: &T) -> Result<Value, LedgerError> {
    serde_json::to_value(value).map_err(|error| LedgerError::Database(error.to_string()))
}

pub(super) fn without(mut value: Value, field: &str) -> Value {
    if let Value::Object(map) = &mut value {
        map.remove(field);
    }
    value
}
