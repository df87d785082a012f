//! WeChat Pay APIv3: reads signed JSON calls, answers with signed JSON.

mod answer;
mod call;
mod notification;
mod request;

use axum::extract::Path;
use axum::response::Response;
use serde_json::{Value, json};

pub(super) use self::notification::NOTIFY;

use self::answer::{Refused, TIME, reversed, transaction};
use self::call::Call;
use super::book::{Millis, Number, Provider, Refunding, Refusal, TradeState};
use super::notify;
use super::wire::china;

const HERE: Provider = Provider::Wechatpay;
/// What faults may call the platform's calls beside the names that all providers share.
pub(super) const CALL_NAMES: &[&str] = &["codepay", "native", "reverse"];

/// `POST /v3/pay/transactions/native`
pub(super) async fn native(call: Call) -> Response {
    call.answer(&["native", "precreate"], |call, now| {
        let body = call.own_json(true)?;
        let order = request::shown_order(&body, call.asked_serial(), now)?;
        let trade = call.shared.book().create_order(order, now)?;
        Ok((200, json!({ "code_url": trade.payload })))
    })
    .await
}

/// `POST /v3/pay/transactions/codepay`
pub(super) async fn codepay(call: Call) -> Response {
    call.answer(&["codepay", "pay"], |call, now| {
        let body = call.own_json(true)?;
        let auth_code = request::auth_code(&body)?;
        let order = request::code_order(&body, now)?;
        let trade = call.shared.book().pay_by_code(order, auth_code, now)?;
        // Accepted, and the customer is asked for the password: the platform says so by the status.
        let status = if trade.state == TradeState::Success { 200 } else { 202 };
        Ok((status, transaction(&call.shared.credentials.wechatpay, &trade)))
    })
    .await
}

/// `GET /v3/pay/transactions/out-trade-no/{n}`
pub(super) async fn query(Path(number): Path<String>, call: Call) -> Response {
    call.answer(&["query"], |call, now| queried(call, Number::Merchant(&number), now)).await
}

/// `GET /v3/pay/transactions/id/{n}`
pub(super) async fn query_by_id(Path(number): Path<String>, call: Call) -> Response {
    call.answer(&["query"], |call, now| queried(call, Number::Provider(&number), now)).await
}

fn queried(call: &Call, number: Number<'_>, now: Millis) -> Result<(u16, Value), Refused> {
    call.check_mchid_in_query()?;
    let trade = call.shared.book().query(HERE, number, now)?;
    // The platform's number is told to nobody before the payment.
    if matches!(number, Number::Provider(_)) && trade.paid_at.is_none() {
        return Err(Refusal::Absent.into());
    }
    Ok((200, transaction(&call.shared.credentials.wechatpay, &trade)))
}

/// `POST /v3/pay/transactions/out-trade-no/{n}/close`
pub(super) async fn close(Path(number): Path<String>, call: Call) -> Response {
    call.answer(&["close"], |call, now| {
        call.own_json(false)?;
        call.shared.book().close(HERE, Number::Merchant(&number), now)?;
        Ok((204, Value::Null))
    })
    .await
}

/// `POST /v3/pay/transactions/out-trade-no/{n}/reverse`
pub(super) async fn reverse(Path(number): Path<String>, call: Call) -> Response {
    call.answer(&["reverse", "cancel"], |call, now| {
        call.own_json(true)?;
        call.shared.book().take_back(HERE, Number::Merchant(&number), now)?;
        Ok((200, reversed(&call.shared.credentials.wechatpay, &number)))
    })
    .await
}

/// `POST /v3/refund/domestic/refunds`
pub(super) async fn refund(call: Call) -> Response {
    call.answer(&["refund"], |call, now| {
        let body = call.json()?;
        let wanted = request::Refund::read(&body)?;
        let mut book = call.shared.book();
        let known = book.query(HERE, wanted.number, now).map_err(|_| Refused::no_resource("订单不存在"))?;
        if known.amount != wanted.total {
            return Err(Refused::param("订单金额或退款金额与之前请求不一致，请核实后再试"));
        }
        let asked = Refunding {
            out_refund_no: wanted.out_refund_no.to_owned(),
            amount: wanted.amount,
            notify_url: body["notify_url"].as_str().filter(|url| !url.is_empty()).map(str::to_owned),
            ..Refunding::default()
        };
        let (trade, refund, moved) = book.refund(HERE, wanted.number, &asked, now)?;
        drop(book);
        // The platform tells of a refund where the refund itself asked for it.
        if moved && refund.notify_url.is_some() {
            notify::refunded(&call.shared, &trade, &refund);
        }
        Ok((200, answer::refund(&trade, &refund)))
    })
    .await
}

/// `GET /v3/refund/domestic/refunds/{out_refund_no}`
pub(super) async fn query_refund(Path(number): Path<String>, call: Call) -> Response {
    call.answer(&["refund_query"], |call, _| {
        let found = call.shared.book().find_refund(HERE, &number);
        let (trade, refund) = found.map_err(|_| Refused::no_resource("退款单不存在"))?;
        Ok((200, answer::refund(&trade, &refund)))
    })
    .await
}

/// `GET /v3/certificates`
pub(super) async fn certificates(call: Call) -> Response {
    call.answer(&["certificates"], |call, _| {
        let credentials = &call.shared.credentials.wechatpay;
        let (from, until) = credentials.platform_certificate.validity();
        let at = |at: Millis| china(at, TIME);
        Ok((
            200,
            json!({ "data": [{
                "serial_no": credentials.platform_serial,
                "effective_time": at(from),
                "expire_time": at(until),
                "encrypt_certificate": answer::sealed(
                    &credentials.api_v3_key, "certificate", &credentials.platform_certificate.to_pem(),
                ),
            }]}),
        ))
    })
    .await
}
