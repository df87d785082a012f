//! The sandbox's own calls, for tests and for phones: wallets, codes, scans, the providers' books, faults, time.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, OpenApi, ToSchema};

use super::book::{Millis, Provider, Refund, Refusal, Trade, TradeState, Wallet};
use super::faults::{Fault, Kind};
use super::wechatpay::control as wechatpay;
use super::{Shared, notify};

/// No wallet holds more, in fen.
const MAX_BALANCE: i64 = 100_000_000_000;

/// RFC 9457.
#[derive(Serialize, ToSchema)]
pub(super) struct Problem {
    r#type: &'static str,
    /// The status in words.
    title: &'static str,
    status: u16,
    /// Stable, for programs.
    code: &'static str,
    /// A sentence for people.
    detail: String,
}

impl Problem {
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        let title = status.canonical_reason().unwrap_or_default();
        Self { r#type: "about:blank", title, status: status.as_u16(), code, detail: detail.into() }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let missing = |detail: &str| Self::new(StatusCode::NOT_FOUND, "not_found", detail);
        let conflict = |code, detail: &str| Self::new(StatusCode::CONFLICT, code, detail);
        match refusal {
            Refusal::Absent => missing("There is no such trade."),
            Refusal::NoWallet => missing("There is no such wallet. GET /sandbox/wallets lists them."),
            Refusal::NoSuchCode => {
                missing("No order has this code. Check that it was read whole, and that the shop uses this sandbox.")
            }
            Refusal::OtherProvider(provider) => Self::new(
                StatusCode::CONFLICT,
                "other_provider",
                format!(
                    "This code is for {}. Nothing was taken; scan it with a wallet of that kind.",
                    provider.title()
                ),
            ),
            Refusal::OtherPayer => conflict(
                "other_payer",
                "Another customer has scanned this code and is about to pay. Nothing was taken.",
            ),
            Refusal::Paid => conflict("paid", "This order is paid already. Nothing was taken again."),
            Refusal::Closed => {
                conflict("closed", "This order is closed or ran out. Nothing was taken; ask the shop for a new code.")
            }
            Refusal::Balance => {
                conflict("balance", "The balance is not enough. Nothing was taken; pay with another wallet.")
            }
            _ => conflict("not_possible", "The trade is not waiting for this. Nothing was taken."),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_string(&self).unwrap_or_default();
        (status, [("content-type", "application/problem+json")], body).into_response()
    }
}

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        Self::new(rejection.status(), "bad_request", rejection.body_text())
    }
}

/// JSON whose errors are problems.
#[derive(FromRequest)]
#[from_request(via(Json), rejection(Problem))]
pub(super) struct Body<T>(pub T);

/// A fresh payment code.
#[derive(Serialize, ToSchema)]
pub(super) struct FreshCode {
    /// Its digits.
    auth_code: String,
    /// When it ends, RFC 3339.
    expires_at: String,
}

/// What is to change of a wallet; the rest stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WalletChange {
    /// Whether it asks for confirmation of every payment by code.
    #[serde(default)]
    ask_always: Option<bool>,
    /// What it holds from now on, in fen.
    #[serde(default)]
    #[schema(minimum = 0)]
    balance: Option<i64>,
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

/// How long to let pass at once.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Advance {
    /// Milliseconds, not negative.
    #[schema(minimum = 0)]
    advance_ms: u64,
}

/// The books' time.
#[derive(Serialize, ToSchema)]
pub(super) struct Now {
    /// Milliseconds since 1970.
    now: Millis,
}

/// Wallets with their balances.
#[utoipa::path(get, path = "/sandbox/wallets", responses((status = 200, body = Vec<Wallet>)))]
pub(super) async fn wallets(State(shared): State<Arc<Shared>>) -> Json<Vec<Wallet>> {
    Json(shared.book().wallets().to_vec())
}

/// Change a wallet.
#[utoipa::path(patch, path = "/sandbox/wallets/{id}", params(("id" = String, Path)), request_body = WalletChange,
    responses((status = 200, body = Wallet), (status = 404, body = Problem)))]
pub(super) async fn change_wallet(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    Body(change): Body<WalletChange>,
) -> Result<Json<Wallet>, Problem> {
    let mut book = shared.book();
    if let Some(balance) = change.balance {
        if !(0..=MAX_BALANCE).contains(&balance) {
            return Err(Problem::new(
                StatusCode::BAD_REQUEST,
                "bad_request",
                "A balance is from 0 to 100000000000 fen.",
            ));
        }
        book.set_balance(&id, balance)?;
    }
    if let Some(ask_always) = change.ask_always {
        book.set_ask_always(&id, ask_always)?;
    }
    Ok(Json(book.find_wallet(&id)?))
}

/// A fresh payment code of a wallet, good for a minute and once.
#[utoipa::path(post, path = "/sandbox/wallets/{id}/code", params(("id" = String, Path)),
    responses((status = 200, body = FreshCode), (status = 404, body = Problem)))]
pub(super) async fn code(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
) -> Result<Json<FreshCode>, Problem> {
    let (auth_code, expires_at) = shared.book().issue_code(&id, shared.clock.now())?;
    let expires_at = jiff::Timestamp::from_millisecond(expires_at).unwrap_or(jiff::Timestamp::UNIX_EPOCH).to_string();
    Ok(Json(FreshCode { auth_code, expires_at }))
}

/// Scan a shown code with a wallet.
#[utoipa::path(post, path = "/sandbox/wallets/{id}/scan", params(("id" = String, Path)), request_body = Scan,
    responses((status = 200, body = Trade), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn scan(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    Body(scan): Body<Scan>,
) -> Result<Json<Trade>, Problem> {
    let trade = shared.book().scan(&id, scan.payload.trim(), scan.confirm, shared.clock.now())?;
    Ok(told(&shared, trade))
}

/// Which trades to list.
#[derive(Deserialize, IntoParams)]
pub(super) struct Which {
    /// Those of one wallet only.
    wallet: Option<String>,
    /// The latest so many only.
    latest: Option<usize>,
}

/// The trades, as their providers have them, the oldest first.
#[utoipa::path(get, path = "/sandbox/trades", params(Which), responses((status = 200, body = Vec<Trade>)))]
pub(super) async fn trades(State(shared): State<Arc<Shared>>, Query(which): Query<Which>) -> Json<Vec<Trade>> {
    let mut book = shared.book();
    let wanted = |trade: &&Trade| which.wallet.is_none() || trade.wallet == which.wallet;
    let latest = which.latest.unwrap_or(usize::MAX);
    let trades = book.trades(shared.clock.now()).iter().rev().filter(wanted).take(latest);
    let mut trades: Vec<_> = trades.cloned().collect();
    trades.reverse();
    Json(trades)
}

/// A notification that a merchant must not believe.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FalseNotice {
    /// Whether somebody else signs it; otherwise the provider itself does.
    #[serde(default)]
    forged: bool,
    /// The amount that it tells, in fen; the trade's own where absent.
    #[serde(default)]
    amount: Option<i64>,
}

/// Whether the merchant took it.
#[derive(Serialize, ToSchema)]
pub(super) struct Taken {
    taken: bool,
}

/// Tell the merchant once that the trade was paid, whatever the books say.
#[utoipa::path(post, path = "/sandbox/trades/{id}/notify", params(("id" = String, Path)), request_body = FalseNotice,
    responses((status = 200, body = Taken), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn notify_falsely(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    Body(notice): Body<FalseNotice>,
) -> Result<Json<Taken>, Problem> {
    let now = shared.clock.now();
    let mut trade = shared.book().find(&id, now)?;
    trade.amount = notice.amount.unwrap_or(trade.amount);
    match notify::falsely(&shared, trade, notice.forged, now).await {
        Some(taken) => Ok(Json(Taken { taken })),
        None => {
            let detail = "The merchant gave no address for notifications of this trade. Nothing was told.";
            Err(Problem::new(StatusCode::CONFLICT, "no_address", detail))
        }
    }
}

/// The customer confirms with the password.
#[utoipa::path(post, path = "/sandbox/trades/{id}/confirm", params(("id" = String, Path)),
    responses((status = 200, body = Trade), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn confirm(State(shared): State<Arc<Shared>>, Path(id): Path<String>) -> Result<Json<Trade>, Problem> {
    let trade = shared.book().confirm(&id, shared.clock.now())?;
    Ok(told(&shared, trade))
}

/// The customer says no.
#[utoipa::path(post, path = "/sandbox/trades/{id}/refuse", params(("id" = String, Path)),
    responses((status = 200, body = Trade), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn refuse(State(shared): State<Arc<Shared>>, Path(id): Path<String>) -> Result<Json<Trade>, Problem> {
    Ok(Json(shared.book().refuse(&id, shared.clock.now())?))
}

/// What the customer did may have paid the trade.
fn told(shared: &Arc<Shared>, trade: Trade) -> Json<Trade> {
    if trade.state == TradeState::Success {
        notify::paid(shared, &trade);
    }
    Json(trade)
}

/// The faults that are still to come.
#[utoipa::path(get, path = "/sandbox/faults", responses((status = 200, body = Vec<Fault>)))]
pub(super) async fn faults(State(shared): State<Arc<Shared>>) -> Json<Vec<Fault>> {
    Json(shared.faults().planned().to_vec())
}

/// Plan a fault.
#[utoipa::path(post, path = "/sandbox/faults", request_body = Fault,
    responses((status = 200, body = Fault), (status = 400, body = Problem)))]
pub(super) async fn plan_fault(
    State(shared): State<Arc<Shared>>,
    Body(fault): Body<Fault>,
) -> Result<Json<Fault>, Problem> {
    fault.check().map_err(|why| Problem::new(StatusCode::BAD_REQUEST, "bad_request", why))?;
    shared.faults().plan(fault.clone());
    Ok(Json(fault))
}

/// Forget every planned fault.
#[utoipa::path(delete, path = "/sandbox/faults", responses((status = 204)))]
pub(super) async fn clear_faults(State(shared): State<Arc<Shared>>) -> StatusCode {
    shared.faults().clear();
    StatusCode::NO_CONTENT
}

/// Let time pass at once: for codes, orders and windows, not for signatures.
#[utoipa::path(post, path = "/sandbox/clock", request_body = Advance, responses((status = 200, body = Now)))]
pub(super) async fn clock(
    State(shared): State<Arc<Shared>>,
    Body(advance): Body<Advance>,
) -> Result<Json<Now>, Problem> {
    shared.clock.advance(Millis::try_from(advance.advance_ms).unwrap_or(Millis::MAX));
    Ok(Json(Now { now: shared.clock.now() }))
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Scantill sandbox",
        description = "The sandbox's own calls. Beside them it answers the providers' own paths, on this base URL.\n\n\
            **Faults** (`--faults`, `POST /sandbox/faults`). On the command line `fault:channel.call:times[:more]`, comma \
            between: `*` is any channel or call; `times` 0 is for ever, and `5%` is five calls in a hundred, by chance \
            from the seed; `more` is milliseconds, or the error code of `refuse`. The same seed and the same calls meet \
            the same faults.\n\n\
            **Notifications** are repeated on each provider's own schedule, divided by `--speed-up`."
    ),
    paths(
        wallets,
        change_wallet,
        code,
        scan,
        trades,
        confirm,
        refuse,
        notify_falsely,
        faults,
        plan_fault,
        clear_faults,
        clock,
        wechatpay::behave,
        wechatpay::rotate,
        wechatpay::probe
    ),
    components(schemas(Wallet, Provider, Trade, TradeState, Refund, Fault, Kind, Problem))
)]
struct Document;

/// This description.
pub(super) async fn openapi() -> Json<Value> {
    Json(serde_json::to_value(Document::openapi()).unwrap_or(json!({})))
}
