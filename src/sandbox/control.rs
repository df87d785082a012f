//! The sandbox's own calls, for tests and for phones: wallets, codes, scans, the providers' books, faults.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{OpenApi, ToSchema};

use super::book::{Refund, Refusal, Trade, TradeState, Wallet};
use super::faults::{Fault, Kind};
use super::{Shared, notify, wire};

/// A refusal as a phone shows it.
pub(super) struct Told(Refusal);

impl From<Refusal> for Told {
    fn from(refusal: Refusal) -> Self {
        Self(refusal)
    }
}

impl IntoResponse for Told {
    fn into_response(self) -> Response {
        let (status, code, detail) = match self.0 {
            Refusal::Absent => {
                (404, "not_found", "there is no such wallet or trade, or this is no code that this wallet can pay")
            }
            Refusal::Paid => (409, "paid", "this order is paid already; nothing was taken again"),
            Refusal::Closed => (409, "closed", "this order is closed; nothing was taken. Ask the shop for a new code"),
            Refusal::Balance => (409, "balance", "the balance is not enough; nothing was taken"),
            _ => (409, "not_possible", "this is not possible now; nothing was taken"),
        };
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::CONFLICT);
        let title = status.canonical_reason().unwrap_or_default();
        let body =
            json!({ "type": "about:blank", "title": title, "status": status.as_u16(), "code": code, "detail": detail });
        (status, [("content-type", "application/problem+json")], body.to_string()).into_response()
    }
}

/// A fresh payment code.
#[derive(Serialize, ToSchema)]
pub(super) struct FreshCode {
    /// Its digits.
    auth_code: String,
    /// When it ends, RFC 3339.
    expires_at: String,
}

/// What a wallet does with a shown code.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Scan {
    /// What the code says.
    payload: String,
    /// `true` pays, `false` refuses, `null` waits to be asked.
    #[serde(default)]
    confirm: Option<bool>,
}

/// Wallets with their balances.
#[utoipa::path(get, path = "/sandbox/wallets", responses((status = 200, body = Vec<Wallet>)))]
pub(super) async fn wallets(State(shared): State<Arc<Shared>>) -> Json<Vec<Wallet>> {
    Json(shared.book().wallets().to_vec())
}

/// A fresh payment code of a wallet, good for a minute and once.
#[utoipa::path(post, path = "/sandbox/wallets/{id}/code", params(("id" = String, Path)), responses((status = 200, body = FreshCode)))]
pub(super) async fn code(State(shared): State<Arc<Shared>>, Path(id): Path<String>) -> Result<Json<FreshCode>, Told> {
    let (auth_code, expires_at) = shared.book().issue_code(&id, wire::now())?;
    let expires_at = jiff::Timestamp::from_millisecond(expires_at).unwrap_or(jiff::Timestamp::UNIX_EPOCH).to_string();
    Ok(Json(FreshCode { auth_code, expires_at }))
}

/// Scan a shown code with a wallet.
#[utoipa::path(post, path = "/sandbox/wallets/{id}/scan", params(("id" = String, Path)), request_body = Scan, responses((status = 200, body = Trade)))]
pub(super) async fn scan(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    Json(scan): Json<Scan>,
) -> Result<Json<Trade>, Told> {
    let trade = shared.book().scan(&id, scan.payload.trim(), scan.confirm, wire::now())?;
    Ok(told(&shared, trade))
}

/// Every trade, as its provider has it.
#[utoipa::path(get, path = "/sandbox/trades", responses((status = 200, body = Vec<Trade>)))]
pub(super) async fn trades(State(shared): State<Arc<Shared>>) -> Json<Vec<Trade>> {
    Json(shared.book().trades(wire::now()).to_vec())
}

/// The customer confirms with the password.
#[utoipa::path(post, path = "/sandbox/trades/{id}/confirm", params(("id" = String, Path)), responses((status = 200, body = Trade)))]
pub(super) async fn confirm(State(shared): State<Arc<Shared>>, Path(id): Path<String>) -> Result<Json<Trade>, Told> {
    let trade = shared.book().confirm(&id, wire::now())?;
    Ok(told(&shared, trade))
}

/// The customer says no.
#[utoipa::path(post, path = "/sandbox/trades/{id}/refuse", params(("id" = String, Path)), responses((status = 200, body = Trade)))]
pub(super) async fn refuse(State(shared): State<Arc<Shared>>, Path(id): Path<String>) -> Result<Json<Trade>, Told> {
    Ok(Json(shared.book().refuse(&id, wire::now())?))
}

fn told(shared: &Arc<Shared>, trade: Trade) -> Json<Trade> {
    if trade.state == TradeState::Success {
        notify::paid(shared, &trade);
    }
    Json(trade)
}

/// Plan a fault.
#[utoipa::path(post, path = "/sandbox/faults", request_body = Fault, responses((status = 200, body = Fault)))]
pub(super) async fn plan_fault(State(shared): State<Arc<Shared>>, Json(fault): Json<Fault>) -> Json<Fault> {
    shared.faults().plan(fault.clone());
    Json(fault)
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Scantill sandbox",
        description = "The sandbox's own calls. Beside them it answers Alipay's and WeChat Pay's own paths, on this base URL."
    ),
    paths(wallets, code, scan, trades, confirm, refuse, plan_fault),
    components(schemas(Wallet, Trade, TradeState, Refund, Fault, Kind))
)]
struct Document;

/// This description.
pub(super) async fn openapi() -> Json<Value> {
    Json(serde_json::to_value(Document::openapi()).unwrap_or_default())
}
