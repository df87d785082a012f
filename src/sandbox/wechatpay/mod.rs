//! WeChat Pay: APIv3 reads signed JSON and answers with signed JSON; [`v2`] is the older interface, in XML.

mod answer;
mod authorization;
mod bill;
mod call;
pub(super) mod control;
mod download;
mod notification;
mod platform;
mod refused;
mod request;
mod rules;
mod settling;
mod v2;

use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::response::Response;
use axum::routing::{get, patch, post};
use serde_json::{Value, json};

pub(super) use self::call::OverTls;
pub(super) use self::control::Desk;
pub(super) use self::notification::NOTIFY;
pub(super) use self::platform::{Holder, Platform};

use self::answer::{TIME, reversed, transaction};
use self::call::Call;
use self::refused::Refused;
use super::Shared;
use super::book::{Millis, Number, Provider, Refund, Refunding, Refusal, Trade, TradeState};
use super::notify;
use super::wire::china;

const HERE: Provider = Provider::Wechatpay;
/// What faults may call the platform's calls beside the names that all providers share.
pub(super) const CALL_NAMES: &[&str] = &[
    "codepay",
    "native",
    "reverse",
    "bill_file",
    "micropay",
    "unifiedorder",
    "orderquery",
    "closeorder",
    "refundquery",
    "downloadbill",
    "downloadfundflow",
    "report",
];
const SCHEME: &str = "WECHATPAY2-SHA256-RSA2048";
/// Refunds are taken for so long after the payment: a year.
const REFUND_WINDOW: Millis = 365 * 86_400_000;
/// How often is looked whether a refund that is on its way has arrived.
const LOOK: std::time::Duration = std::time::Duration::from_millis(50);

/// The platform's own paths, and the control calls that are about it.
pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/v3/pay/transactions/native", post(native))
        .route("/v3/pay/transactions/codepay", post(codepay))
        .route("/v3/pay/transactions/out-trade-no/{number}", get(query))
        .route("/v3/pay/transactions/id/{number}", get(query_by_id))
        .route("/v3/pay/transactions/out-trade-no/{number}/close", post(close))
        .route("/v3/pay/transactions/out-trade-no/{number}/reverse", post(reverse))
        .route("/v3/refund/domestic/refunds", post(refund))
        .route("/v3/refund/domestic/refunds/{number}", get(query_refund))
        .route("/v3/certificates", get(certificates))
        .route("/v3/bill/tradebill", get(download::trade_bills))
        .route("/v3/bill/fundflowbill", get(download::fund_flow_bills))
        .route("/v3/billdownload/file", get(download::file))
        .merge(v2::routes())
        .route("/sandbox/wechatpay", patch(control::behave))
        .route("/sandbox/wechatpay/rotate", post(control::rotate))
        .route("/sandbox/wechatpay/probe", post(control::probe))
}

/// `POST /v3/pay/transactions/native`
async fn native(call: Call) -> Response {
    call.answer(&["native", "precreate"], |call, now| {
        let body = call.own_json(true)?;
        let order = request::shown_order(&body, call.asked_serial(), now)?;
        let trade = call.shared.book().create_order(order, now)?;
        Ok((200, json!({ "code_url": trade.payload })))
    })
    .await
}

/// `POST /v3/pay/transactions/codepay`
async fn codepay(call: Call) -> Response {
    call.answer(&["codepay", "pay"], |call, now| {
        let body = call.own_json(true)?;
        let auth_code = request::auth_code(&body)?;
        request::scene(&body)?;
        let order = request::code_order(&body, now)?;
        let trade = call.shared.book().pay_by_code(order, auth_code, now)?;
        // Accepted, and the customer is asked for the password: the platform says so by the status.
        let status = if trade.state == TradeState::Success { 200 } else { 202 };
        Ok((status, transaction(call.keys(), &trade)))
    })
    .await
}

/// `GET /v3/pay/transactions/out-trade-no/{n}`
async fn query(Path(number): Path<String>, call: Call) -> Response {
    call.answer(&["query"], |call, now| {
        request::number_in_path(&number)?;
        queried(call, Number::Merchant(&number), now)
    })
    .await
}

/// `GET /v3/pay/transactions/id/{n}`
async fn query_by_id(Path(number): Path<String>, call: Call) -> Response {
    call.answer(&["query"], |call, now| queried(call, Number::Provider(&number), now)).await
}

fn queried(call: &Call, number: Number<'_>, now: Millis) -> Result<(u16, Value), Refused> {
    call.check_mchid_in_query()?;
    let trade = call.shared.book().query(HERE, number, now)?;
    // The platform's number is told to nobody before the payment.
    if matches!(number, Number::Provider(_)) && trade.paid_at.is_none() {
        return Err(Refusal::Absent.into());
    }
    Ok((200, transaction(call.keys(), &trade)))
}

/// `POST /v3/pay/transactions/out-trade-no/{n}/close`
async fn close(Path(number): Path<String>, call: Call) -> Response {
    call.answer(&["close"], |call, now| {
        request::number_in_path(&number)?;
        call.own_json(false)?;
        call.shared.book().close(HERE, Number::Merchant(&number), now)?;
        Ok((204, Value::Null))
    })
    .await
}

/// `POST /v3/pay/transactions/out-trade-no/{n}/reverse`
async fn reverse(Path(number): Path<String>, call: Call) -> Response {
    call.answer(&["reverse", "cancel"], |call, now| {
        request::number_in_path(&number)?;
        call.own_json(true)?;
        call.shared.book().take_back(HERE, Number::Merchant(&number), now)?;
        Ok((200, reversed(call.keys(), &number)))
    })
    .await
}

/// `POST /v3/refund/domestic/refunds`
async fn refund(call: Call) -> Response {
    call.answer(&["refund"], |call, now| {
        let body = call.json()?;
        let wanted = request::Refund::read(&body)?;
        let mut book = call.shared.book();
        let known = book.query(HERE, wanted.number, now).map_err(|_| Refused::no_resource("订单不存在"))?;
        if known.paid_at.is_none() {
            return Err(Refused::no_resource("订单未支付"));
        }
        if known.amount != wanted.total {
            return Err(Refused::invalid("您的请求参数与订单信息不一致"));
        }
        if is_overdue(known.paid_at.unwrap_or(now), now) {
            return Err(Refused::new(400, "TRADE_OVERDUE", "订单已超过可退款的最大期限（支付后一年内可退款）"));
        }
        let mut details = call.shared.wechatpay.refunds().details(now);
        if let Some(reason) = wanted.reason {
            details.insert("reason".to_owned(), reason.to_owned());
        }
        let asked = Refunding {
            out_refund_no: wanted.out_refund_no.to_owned(),
            amount: wanted.amount,
            notify_url: wanted.notify_url,
            details,
        };
        let (trade, refund, moved) = book.refund(HERE, wanted.number, &asked, now)?;
        drop(book);
        if moved {
            tell(&call.shared, trade.clone(), refund.clone());
        }
        Ok((200, answer::refund(&trade, &refund, now)))
    })
    .await
}

/// Whether it is too late to give back what was paid then.
fn is_overdue(paid_at: Millis, now: Millis) -> bool {
    now - paid_at > REFUND_WINDOW
}

/// Tells the merchant of a refund when it has come to its end.
fn tell(shared: &Arc<Shared>, trade: Trade, refund: Refund) {
    // The merchant hears of a refund only where the refund itself says so.
    if refund.notify_url.is_none() {
        return;
    }
    if settling::settles_at(&refund) <= shared.now(HERE) {
        return notify::refunded(shared, &trade, &refund);
    }
    let sender = shared.clone();
    let mut tasks = shared.tasks.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    tasks.spawn(async move {
        // The books' time can be put forward at any moment.
        while sender.now(HERE) < settling::settles_at(&refund) {
            tokio::time::sleep(LOOK).await;
        }
        notify::refunded(&sender, &trade, &refund);
    });
}

/// `GET /v3/refund/domestic/refunds/{out_refund_no}`
async fn query_refund(Path(number): Path<String>, call: Call) -> Response {
    call.answer(&["refund_query"], |call, now| {
        let found = call.shared.book().find_refund(HERE, &number);
        let (trade, refund) = found.map_err(|_| Refused::no_resource("退款单不存在"))?;
        Ok((200, answer::refund(&trade, &refund, now)))
    })
    .await
}

/// `GET /v3/certificates`
async fn certificates(call: Call) -> Response {
    call.answer(&["certificates"], |call, _| {
        let keys = call.keys();
        let held = keys.platform.certificates();
        if held.is_empty() {
            return Err(Refused::no_resource("无可用的平台证书，请在商户平台-API安全申请使用微信支付公钥。"));
        }
        let told: Vec<_> = held
            .iter()
            .map(|certificate| {
                let (from, until) = certificate.validity();
                json!({
                    "serial_no": certificate.serial_hex(),
                    "effective_time": china(from, TIME),
                    "expire_time": china(until, TIME),
                    "encrypt_certificate": answer::sealed(&keys.api_v3_key, "certificate", &certificate.to_pem()),
                })
            })
            .collect();
        Ok((200, json!({ "data": told })))
    })
    .await
}
