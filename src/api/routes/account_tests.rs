//! What an account consists of, and whether one works: a harmless signed call, and cause and cure where it fails.

use std::time::Duration;

use axum::extract::{Path, State as FromState};

use crate::api::Shared;
use crate::api::account_view::form;
use crate::api::extract::{Admin, Json};
use crate::api::problem::Answer;
use crate::api::wire::{AccountFormView, AccountTestView, Problem, TestAccount, TestStoredAccount};
use crate::channel::{self, AccountError, AccountFault, AccountTest, MerchantAccount};
use crate::crypto::AlgorithmPolicy;
use crate::payment::{AccountId, ChannelId};

use super::accounts::{base_url, field_of, find, merged, whole};

/// How long a test may take in all; the client waits a little longer.
const TEST_TIME: Duration = Duration::from_secs(13);
/// The id of an account that is only tested.
const NOT_STORED: &str = "not-stored";

/// What an account with each provider consists of.
#[utoipa::path(get, path = "/v1/account-forms", tag = "accounts", responses((status = 200, body = Vec<AccountFormView>)))]
pub(in crate::api) async fn forms(_: Admin) -> axum::Json<Vec<AccountFormView>> {
    axum::Json(channel::forms().iter().map(AccountFormView::from).collect())
}

/// Test credentials that are not stored. A failed test is an answer, not an error.
#[utoipa::path(post, path = "/v1/accounts/test", tag = "accounts", request_body = TestAccount,
    responses((status = 200, body = AccountTestView), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(in crate::api) async fn test_new(_: Admin, Json(new): Json<TestAccount>) -> Answer<axum::Json<AccountTestView>> {
    let id: AccountId =
        NOT_STORED.parse().map_err(|_| Problem::unprocessable("id_invalid", "the account cannot be named"))?;
    let account = MerchantAccount {
        id,
        name: String::new(),
        base_url: base_url(&new.channel, &new.base_url),
        channel: new.channel,
        training: false,
        enabled: false,
        notify_base_url: None,
        timing: new.timing,
        stores: Vec::new(),
        algorithms: new.algorithms.map_or_else(AlgorithmPolicy::default, AlgorithmPolicy::from),
        retiring: None,
        credentials: whole(new.credentials)?,
    };
    Ok(axum::Json(test(&account).await))
}

/// Test a stored account, as it is or with changes that are not stored.
#[utoipa::path(post, path = "/v1/accounts/{id}/test", tag = "accounts", params(("id" = String, Path)), request_body = TestStoredAccount,
    responses((status = 200, body = AccountTestView), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(in crate::api) async fn test_stored(
    FromState(state): FromState<Shared>,
    _: Admin,
    Path(id): Path<String>,
    Json(change): Json<TestStoredAccount>,
) -> Answer<axum::Json<AccountTestView>> {
    let mut account = find(&state, &id).await?;
    if let Some(url) = &change.base_url {
        account.base_url = base_url(&account.channel, url);
    }
    if let Some(changed) = change.credentials {
        account.credentials = merged(&account, changed)?;
    }
    Ok(axum::Json(test(&account).await))
}

async fn test(account: &MerchantAccount) -> AccountTestView {
    let channel = match channel::open(account) {
        Ok(channel) => channel,
        Err(error) => return cannot_open(&account.channel, &error),
    };
    let test = tokio::time::timeout(TEST_TIME, channel.test()).await;
    test.unwrap_or_else(|_| AccountTest::bad(AccountFault::Timeout, "", "no answer in time")).into()
}

/// What is wrong with an account before anything was sent.
fn cannot_open(channel: &ChannelId, error: &AccountError) -> AccountTestView {
    let label = |name: &str| {
        let form = form(channel);
        let field = form.as_ref().and_then(|form| form.fields.iter().find(|field| field.name == name));
        field.map_or_else(|| name.to_owned(), |field| field.label.to_owned())
    };
    let hint = |name: &str| {
        let form = form(channel);
        let field = form.as_ref().and_then(|form| form.fields.iter().find(|field| field.name == name));
        field.map(|field| field.hint.to_owned())
    };
    let (fault, cause, cure) = match error {
        AccountError::UnknownChannel(_) => (
            "channel_unknown",
            format!("{error}."),
            "Choose one of the channels of `scantill account forms`.".to_owned(),
        ),
        AccountError::Credential { field, problem } => (
            "credential",
            format!("{} {problem}.", label(field)),
            hint(field).unwrap_or_else(|| "Enter it again and test.".to_owned()),
        ),
        AccountError::AlgorithmOff(algorithm) => (
            "algorithm_off",
            format!("The account's policy does not allow {algorithm}."),
            "Choose another way to sign; where the provider has none, an admin turns it on for this account."
                .to_owned(),
        ),
        AccountError::BaseUrl => (
            "base_url",
            "The gateway's address is not an http or https address.".to_owned(),
            "Copy it from the provider's documentation, without a path.".to_owned(),
        ),
    };
    AccountTestView {
        ok: false,
        fault: Some(fault.to_owned()),
        cause,
        cure,
        field: Some(field_of(error).to_owned()),
        clock_ahead_seconds: None,
        provider_code: String::new(),
        provider_message: String::new(),
    }
}
