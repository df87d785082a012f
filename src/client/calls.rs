//! One method for each call of the API.

use reqwest::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Call, Client, ClientError, idempotency_key};
use crate::api::wire::{
    AccountFormView, AccountTestView, AccountView, ChangeAccount, ChangeOperator, ChangePayment, ChangeStore,
    ChangeTill, ChannelView, ConfirmPayment, CreateAccount, CreateOperator, CreatePayment, CreateStore, CreateTill,
    KeyView, NewTill, NoticeQuery, NoticeView, OperatorView, PaymentPage, PaymentQuery, PaymentView, PolicyView,
    RefundPayment, RotateAccount, RotateKey, RotatedKey, SessionView, SetPolicy, ShowCode, SignIn, Store, StoryStep,
    SubmitScan, Takings, TakingsParams, TestAccount, TestStoredAccount, TillView,
};
use crate::crypto::Secret;
use crate::payment::{AccountId, ChannelId, OperatorId, PaymentId, StoreId, TillId};

type Answer<T> = Result<T, ClientError>;

/// Every method fails with [`ClientError`].
#[allow(clippy::missing_errors_doc)]
impl Client {
    async fn get<T: DeserializeOwned>(&self, path: String) -> Answer<T> {
        self.call(Call { method: Method::GET, path, body: Vec::new(), idempotency_key: None }).await
    }

    async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: String,
        body: &impl Serialize,
        idempotency_key: Option<&str>,
    ) -> Answer<T> {
        let body = serde_json::to_vec(body).map_err(|error| ClientError::BadAnswer(error.to_string()))?;
        self.call(Call { method, path, body, idempotency_key }).await
    }

    /// What can be paid through.
    pub async fn channels(&self) -> Answer<Vec<ChannelView>> {
        self.get("/v1/channels".into()).await
    }

    /// Begins a sale. The idempotency key is the caller's, so that a repeat after a crash is the same sale.
    pub async fn create_payment(&self, new: &CreatePayment, idempotency_key: &str) -> Answer<PaymentView> {
        self.send(Method::POST, "/v1/payments".into(), new, Some(idempotency_key)).await
    }

    /// Changes a sale of which nothing was shown or submitted.
    pub async fn change_payment(&self, id: &PaymentId, change: &ChangePayment) -> Answer<PaymentView> {
        self.send(Method::PATCH, format!("/v1/payments/{id}"), change, None).await
    }

    /// Asks for a code to show.
    pub async fn show_code(&self, id: &PaymentId, channel: &ChannelId) -> Answer<PaymentView> {
        let body = ShowCode { channel: channel.clone() };
        self.send(Method::POST, format!("/v1/payments/{id}/code"), &body, Some(&idempotency_key())).await
    }

    /// Submits the customer's payment code.
    pub async fn scan(&self, id: &PaymentId, auth_code: &str) -> Answer<PaymentView> {
        let body = SubmitScan { auth_code: auth_code.to_owned() };
        self.send(Method::POST, format!("/v1/payments/{id}/scan"), &body, Some(&idempotency_key())).await
    }

    /// Asks to cancel.
    pub async fn cancel(&self, id: &PaymentId) -> Answer<PaymentView> {
        let path = format!("/v1/payments/{id}/cancel");
        self.send(Method::POST, path, &serde_json::json!({}), Some(&idempotency_key())).await
    }

    /// Says that the cashier saw the money of a shown code arrive.
    pub async fn confirm(&self, id: &PaymentId, seen: &ConfirmPayment) -> Answer<PaymentView> {
        let path = format!("/v1/payments/{id}/confirm");
        self.send(Method::POST, path, seen, Some(&idempotency_key())).await
    }

    /// Asks for money of a payment to be returned. The idempotency key is the caller's, so that a repeat after a crash
    /// is the same refund.
    pub async fn refund(&self, id: &PaymentId, refund: &RefundPayment, idempotency_key: &str) -> Answer<PaymentView> {
        self.send(Method::POST, format!("/v1/payments/{id}/refunds"), refund, Some(idempotency_key)).await
    }

    /// What fits no payment and a person has to look at, oldest first.
    pub async fn notices(&self, query: &NoticeQuery) -> Answer<Vec<NoticeView>> {
        self.get(with_query("/v1/notices", query)?).await
    }

    /// A sale as it stands.
    pub async fn payment(&self, id: &PaymentId) -> Answer<PaymentView> {
        self.get(format!("/v1/payments/{id}")).await
    }

    /// Sales, the latest first.
    pub async fn payments(&self, query: &PaymentQuery) -> Answer<PaymentPage> {
        self.get(with_query("/v1/payments", query)?).await
    }

    /// The whole story of a sale, oldest first.
    pub async fn history(&self, id: &PaymentId) -> Answer<Vec<StoryStep>> {
        self.get(format!("/v1/payments/{id}/history")).await
    }

    /// The takings of a day.
    pub async fn takings(&self, params: &TakingsParams) -> Answer<Takings> {
        self.get(with_query("/v1/takings", params)?).await
    }

    /// Adds a merchant account.
    pub async fn create_account(&self, new: &CreateAccount) -> Answer<AccountView> {
        self.send(Method::POST, "/v1/accounts".into(), new, None).await
    }

    /// Every merchant account.
    pub async fn accounts(&self) -> Answer<Vec<AccountView>> {
        self.get("/v1/accounts".into()).await
    }

    /// A merchant account.
    pub async fn account(&self, id: &AccountId) -> Answer<AccountView> {
        self.get(format!("/v1/accounts/{id}")).await
    }

    /// What an account with each provider consists of.
    pub async fn account_forms(&self) -> Answer<Vec<AccountFormView>> {
        self.get("/v1/account-forms".into()).await
    }

    /// Tests credentials that are not stored.
    pub async fn test_account(&self, account: &TestAccount) -> Answer<AccountTestView> {
        self.send(Method::POST, "/v1/accounts/test".into(), account, None).await
    }

    /// Tests a stored account, as it is or with changes that are not stored.
    pub async fn test_stored_account(&self, id: &AccountId, change: &TestStoredAccount) -> Answer<AccountTestView> {
        self.send(Method::POST, format!("/v1/accounts/{id}/test"), change, None).await
    }

    /// Gives a merchant account new credentials.
    pub async fn rotate_account(&self, id: &AccountId, rotation: &RotateAccount) -> Answer<AccountView> {
        self.send(Method::POST, format!("/v1/accounts/{id}/rotate"), rotation, None).await
    }

    /// Removes a merchant account.
    pub async fn remove_account(&self, id: &AccountId) -> Answer<()> {
        let path = format!("/v1/accounts/{id}");
        self.call(Call { method: Method::DELETE, path, body: Vec::new(), idempotency_key: None }).await
    }

    /// Which algorithms each account may use.
    pub async fn policy(&self) -> Answer<PolicyView> {
        self.get("/v1/policy".into()).await
    }

    /// Sets which algorithms accounts may use.
    pub async fn set_policy(&self, policy: &SetPolicy) -> Answer<PolicyView> {
        self.send(Method::PUT, "/v1/policy".into(), policy, None).await
    }

    /// The keys of the house, never the keys themselves.
    pub async fn keys(&self) -> Answer<Vec<KeyView>> {
        self.get("/v1/keys".into()).await
    }

    /// Replaces a key of the house.
    pub async fn rotate_key(&self, rotation: &RotateKey) -> Answer<RotatedKey> {
        self.send(Method::POST, "/v1/keys/rotate".into(), rotation, None).await
    }

    /// Changes a merchant account.
    pub async fn change_account(&self, id: &AccountId, change: &ChangeAccount) -> Answer<AccountView> {
        self.send(Method::PATCH, format!("/v1/accounts/{id}"), change, None).await
    }

    /// Signs an operator in; this client's calls are that operator's from then on, until [`Client::sign_out`]. Whoever
    /// was signed in before is signed out, also where the PIN is wrong.
    pub async fn sign_in(&self, operator: &OperatorId, pin: Secret<String>) -> Answer<SessionView> {
        self.sign_out();
        let body = SignIn { operator: operator.clone(), pin };
        let session: SessionView = self.send(Method::POST, "/v1/sessions".into(), &body, None).await?;
        self.keep_session(Some(session.token.clone()));
        Ok(session)
    }

    /// Forgets who was signed in.
    pub fn sign_out(&self) {
        self.keep_session(None);
    }

    /// Adds an operator.
    pub async fn create_operator(&self, new: &CreateOperator) -> Answer<OperatorView> {
        self.send(Method::POST, "/v1/operators".into(), new, None).await
    }

    /// Who may sign in at this client's till.
    pub async fn operators_here(&self) -> Answer<Vec<OperatorView>> {
        self.get("/v1/operators?here=true".into()).await
    }

    /// Every operator; with the key of a till that manages nothing, those who may sign in there.
    pub async fn operators(&self) -> Answer<Vec<OperatorView>> {
        self.get("/v1/operators".into()).await
    }

    /// Changes an operator.
    pub async fn change_operator(&self, id: &OperatorId, change: &ChangeOperator) -> Answer<OperatorView> {
        self.send(Method::PATCH, format!("/v1/operators/{id}"), change, None).await
    }

    /// Adds a store.
    pub async fn create_store(&self, new: &CreateStore) -> Answer<Store> {
        self.send(Method::POST, "/v1/stores".into(), new, None).await
    }

    /// Every store.
    pub async fn stores(&self) -> Answer<Vec<Store>> {
        self.get("/v1/stores".into()).await
    }

    /// Renames a store.
    pub async fn change_store(&self, id: &StoreId, change: &ChangeStore) -> Answer<Store> {
        self.send(Method::PATCH, format!("/v1/stores/{id}"), change, None).await
    }

    /// Adds a till.
    pub async fn create_till(&self, new: &CreateTill) -> Answer<NewTill> {
        self.send(Method::POST, "/v1/tills".into(), new, None).await
    }

    /// Every till.
    pub async fn tills(&self) -> Answer<Vec<TillView>> {
        self.get("/v1/tills".into()).await
    }

    /// Changes a till.
    pub async fn change_till(&self, id: &TillId, change: &ChangeTill) -> Answer<TillView> {
        self.send(Method::PATCH, format!("/v1/tills/{id}"), change, None).await
    }
}

fn with_query(path: &str, query: &impl Serialize) -> Answer<String> {
    let query = serde_urlencoded::to_string(query).map_err(|error| ClientError::BadAnswer(error.to_string()))?;
    Ok(if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") })
}
