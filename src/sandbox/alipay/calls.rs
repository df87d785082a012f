//! What each method does in the books and answers.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use super::HERE;
use super::answer::{
    Refused, TIME, about, business, in_full, invalid, is_finished, missing, refunded, senseless, status, with_payer,
};
use super::request::Request;
use crate::sandbox::book::{Details, Millis, Number, Order, Refunding, Refusal, TakenBack, Trade, TradeState};
use crate::sandbox::keys::alipay::serial;
use crate::sandbox::wire::{china, yuan};
use crate::sandbox::{Shared, notify};

const HOUR: Millis = 3_600_000;
/// A shown order is good for so long unless the merchant says otherwise.
const SHOWN_LIFETIME: Millis = 2 * HOUR;
/// A trade by payment code may be confirmed for so long unless the merchant says otherwise.
const BY_CODE_LIFETIME: Millis = 3 * HOUR;
const MAX_OUT_TRADE_NO: usize = 64;
const MAX_SUBJECT: usize = 256;
/// What of an order comes back in the bill.
const DETAILS: [&str; 4] = ["store_id", "operator_id", "terminal_id", "body"];

pub(super) fn perform(shared: &Arc<Shared>, call: &str, request: &Request, now: Millis) -> Result<Value, Refused> {
    match call {
        "pay" => pay(shared, request, now),
        "precreate" => {
            let order = order(request, SHOWN_LIFETIME, now)?;
            let trade = shared.book().create_order(order, now)?;
            let mut told = json!({ "code": "10000", "msg": "Success", "out_trade_no": trade.out_trade_no });
            told["qr_code"] = json!(trade.payload);
            Ok(told)
        }
        "query" => {
            let trade = begun(shared, request.number()?, now)?;
            let mut told = in_full(&trade, "send_pay_date");
            told["trade_status"] = json!(status(&trade, now));
            Ok(told)
        }
        "cancel" => cancel(shared, request, now),
        "close" => close(shared, request.number()?, now),
        "refund" => refund(shared, request, now),
        "certificates" => certificate(shared, request),
        _ => query_refund(shared, request, now),
    }
}

fn order(request: &Request, lifetime: Millis, now: Millis) -> Result<Order, Refused> {
    let out_trade_no = request.need("out_trade_no")?;
    let plain = out_trade_no.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    let subject = request.need("subject")?;
    if out_trade_no.len() > MAX_OUT_TRADE_NO || !plain || subject.chars().count() > MAX_SUBJECT {
        return Err(senseless());
    }
    Ok(Order {
        channel: HERE,
        out_trade_no: out_trade_no.to_owned(),
        subject: subject.to_owned(),
        amount: request.amount("total_amount")?,
        expires_at: request.expires_at(lifetime, now)?,
        attach: Some(request.text("passback_params")).filter(|text| !text.is_empty()).map(str::to_owned),
        notify_url: request.notify_url.clone(),
        notify_serial: None,
        details: DETAILS
            .iter()
            .filter(|name| !request.text(name).is_empty())
            .map(|name| ((*name).to_owned(), request.text(name).to_owned()))
            .collect::<Details>(),
    })
}

fn pay(shared: &Arc<Shared>, request: &Request, now: Millis) -> Result<Value, Refused> {
    if !matches!(request.text("scene"), "bar_code" | "wave_code" | "security_code" | "") {
        return Err(senseless());
    }
    let auth_code = request.need("auth_code")?;
    let trade = shared.book().pay_by_code(order(request, BY_CODE_LIFETIME, now)?, auth_code, now)?;
    if trade.state != TradeState::Success {
        return Ok(with_payer(about(&trade, "10003", "order success pay inprocess"), &trade));
    }
    notify::paid(shared, &trade);
    Ok(in_full(&trade, "gmt_payment"))
}

/// A shown order that nobody has scanned is no trade yet.
fn begun(shared: &Shared, number: Number<'_>, now: Millis) -> Result<Trade, Refusal> {
    shared
        .book()
        .query(HERE, number, now)
        .and_then(|trade| if trade.is_begun() { Ok(trade) } else { Err(Refusal::Absent) })
}

fn cancel(shared: &Shared, request: &Request, now: Millis) -> Result<Value, Refused> {
    let mut told = match shared.book().take_back(HERE, request.number()?, now) {
        Ok((trade, done)) => {
            let mut told = about(&trade, "10000", "Success");
            told["action"] = json!(if done == TakenBack::Returned { "refund" } else { "close" });
            told
        }
        // There is nothing to take back: success, with no action.
        Err(Refusal::Absent) => {
            json!({ "code": "10000", "msg": "Success", "out_trade_no": request.text("out_trade_no") })
        }
        Err(refusal) => return Err(refusal.into()),
    };
    told["retry_flag"] = json!("N");
    Ok(told)
}

fn close(shared: &Shared, number: Number<'_>, now: Millis) -> Result<Value, Refused> {
    let mut book = shared.book();
    let trade = book.query(HERE, number, now)?;
    if !trade.is_begun() {
        return Err(Refusal::Absent.into());
    }
    if trade.state != TradeState::WaitBuyerPay {
        return Err(Refusal::WrongState.into());
    }
    Ok(about(&book.close(HERE, number, now)?, "10000", "Success"))
}

fn refund(shared: &Arc<Shared>, request: &Request, now: Millis) -> Result<Value, Refused> {
    let amount = request.amount("refund_amount")?;
    let number = request.number()?;
    let mut book = shared.book();
    let trade = book.query(HERE, number, now)?;
    if is_finished(&trade, now) {
        return Err(business("ACQ.TRADE_HAS_FINISHED", "交易已完结"));
    }
    // Without a number of its own a refund is of the whole, and has the trade's.
    let own = match request.text("out_request_no") {
        "" if amount == trade.amount => trade.out_trade_no.as_str(),
        "" if amount > trade.amount => return Err(Refusal::TooMuch.into()),
        "" => return Err(business("ACQ.REASON_TRADE_REFUND_FEE_ERR", "退款金额无效")),
        own => own,
    };
    let wanted = Refunding { out_refund_no: own.to_owned(), amount, ..Refunding::default() };
    let (trade, refund, moved) = book.refund(HERE, number, &wanted, now)?;
    drop(book);
    if moved {
        notify::refunded(shared, &trade, &refund);
    }
    Ok(refunded(&trade, moved, refund.at))
}

fn query_refund(shared: &Shared, request: &Request, now: Millis) -> Result<Value, Refused> {
    let own = request.need("out_request_no").map_err(|_| missing("out-request-no"))?;
    let trade = begun(shared, request.number()?, now)?;
    let mut told = json!({ "code": "10000", "msg": "Success" });
    // What is not there yet is success too, with no status.
    if let Some(refund) = trade.refunds.iter().find(|refund| refund.out_refund_no == own) {
        told = about(&trade, "10000", "Success");
        told["out_request_no"] = json!(own);
        told["total_amount"] = json!(yuan(trade.amount));
        told["refund_amount"] = json!(yuan(refund.amount));
        told["refund_status"] = json!("REFUND_SUCCESS");
        told["gmt_refund_pay"] = json!(china(refund.at, TIME));
    }
    Ok(told)
}

/// The certificate that checks Alipay's answers, by its number; its chain with it.
fn certificate(shared: &Shared, request: &Request) -> Result<Value, Refused> {
    let keys = &shared.credentials.alipay;
    if request.need("alipay_cert_sn")? != serial(&keys.alipay_certificate) {
        return Err(invalid("isv.alipay-cert-not-exist", "支付宝公钥证书不存在"));
    }
    let content = BASE64.encode(keys.alipay_chain());
    Ok(json!({ "code": "10000", "msg": "Success", "alipay_cert_content": content }))
}
