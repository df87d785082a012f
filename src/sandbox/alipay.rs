//! Alipay's gateway: reads signed calls, answers with signed JSON.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::Shared;
use super::book::{Cancelled, Millis, Order, Refusal, Trade, TradeState};
use super::faults::Fate;
use super::notify;
use super::wire::{broken, china, now, yuan};
use crate::money::{Currency, Money};

const CHANNEL: &str = "alipay";
/// How far a merchant's clock may be from the gateway's.
const CLOCK_MINUTES: i64 = 15;
/// A shown order is good for so long unless the merchant says otherwise.
const ORDER_LIFETIME: Millis = 2 * 3_600_000;

type Parameters = BTreeMap<String, String>;

/// A refusal in the gateway's words.
struct Refused {
    code: &'static str,
    msg: &'static str,
    sub_code: String,
    sub_msg: String,
}

fn invalid(sub_code: &str, sub_msg: &str) -> Refused {
    Refused { code: "40002", msg: "Invalid Arguments", sub_code: sub_code.into(), sub_msg: sub_msg.into() }
}

fn missing(what: &str) -> Refused {
    Refused {
        code: "40001",
        msg: "Missing Required Arguments",
        sub_code: format!("isv.missing-{what}"),
        sub_msg: format!("缺少参数{what}"),
    }
}

fn business(sub_code: &str, sub_msg: &str) -> Refused {
    Refused { code: "40004", msg: "Business Failed", sub_code: sub_code.into(), sub_msg: sub_msg.into() }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::CodeInvalid | Refusal::CodeExpired => {
                business("ACQ.PAYMENT_AUTH_CODE_INVALID", "支付失败，获取顾客账户信息失败，请顾客刷新付款码后重新收款")
            }
            Refusal::Balance => business("ACQ.BUYER_BALANCE_NOT_ENOUGH", "买家余额不足"),
            Refusal::Paid => business("ACQ.TRADE_HAS_SUCCESS", "交易已被支付"),
            Refusal::Closed => business("ACQ.TRADE_HAS_CLOSE", "交易已经关闭"),
            Refusal::Inconsistent => business("ACQ.CONTEXT_INCONSISTENT", "交易信息被篡改"),
            Refusal::Absent => business("ACQ.TRADE_NOT_EXIST", "交易不存在"),
            Refusal::WrongState | Refusal::TooSoon => business("ACQ.TRADE_STATUS_ERROR", "交易状态不合法"),
            Refusal::TooMuch => business("ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", "退款金额超限"),
            Refusal::OtherRefund => business("ACQ.DISCORDANT_REPEAT_REQUEST", "请求信息不一致"),
        }
    }
}

/// `/gateway.do`: parameters in the query, in a form, or in both.
pub(super) async fn gateway(
    State(shared): State<Arc<Shared>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut parameters = Parameters::new();
    let form = headers.get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or("");
    for text in [query.as_deref().unwrap_or("").as_bytes(), if form.contains("json") { b"" } else { &body }] {
        match serde_urlencoded::from_bytes::<Vec<(String, String)>>(text) {
            Ok(pairs) => parameters.extend(pairs),
            Err(_) => return unsigned(&invalid("isv.invalid-encoding", "参数编码无效")),
        }
    }
    let method = parameters.get("method").cloned().unwrap_or_default();
    let key = format!("{}_response", method.replace('.', "_"));
    let call = match method.as_str() {
        "alipay.trade.pay" => "pay",
        "alipay.trade.precreate" => "precreate",
        "alipay.trade.query" => "query",
        "alipay.trade.cancel" => "cancel",
        "alipay.trade.close" => "close",
        "alipay.trade.refund" => "refund",
        "alipay.trade.fastpay.refund.query" => "refund_query",
        _ => "",
    };
    let biz = match admit(&shared, &parameters) {
        Ok(biz) => biz,
        // A stranger gets no signature: the gateway does not know whose key would check it.
        Err(refused) => return unsigned_as(&key, &refused),
    };
    let fate = shared.faults().fate(CHANNEL, call);
    match fate {
        Fate::LoseRequest => return broken(),
        Fate::Http500 => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Fate::SystemError => {
            let refused = business("ACQ.SYSTEM_ERROR", "系统错误");
            return signed(&shared, &key, &refusal(&refused));
        }
        Fate::Fine | Fate::LoseAnswer | Fate::Delay(_) => {}
    }
    let answer = match perform(&shared, call, &biz, &parameters, now()) {
        Ok(answer) => answer,
        Err(refused) => refusal(&refused),
    };
    match fate {
        Fate::LoseAnswer => return broken(),
        Fate::Delay(wait) => tokio::time::sleep(wait).await,
        _ => {}
    }
    signed(&shared, &key, &answer)
}

fn refusal(refused: &Refused) -> Value {
    json!({ "code": refused.code, "msg": refused.msg, "sub_code": refused.sub_code, "sub_msg": refused.sub_msg })
}

/// The signature covers the response value's own bytes.
fn signed(shared: &Shared, key: &str, answer: &Value) -> Response {
    let answer = answer.to_string();
    let sign = shared.credentials.alipay.sign_base64(answer.as_bytes()).unwrap_or_default();
    let body = format!("{{\"{key}\":{answer},\"sign\":\"{sign}\"}}");
    ([("content-type", "application/json;charset=utf-8")], body).into_response()
}

fn unsigned_as(key: &str, refused: &Refused) -> Response {
    let key = if key == "_response" { "error_response" } else { key };
    let body = json!({ key: refusal(refused) }).to_string();
    ([("content-type", "application/json;charset=utf-8")], body).into_response()
}

fn unsigned(refused: &Refused) -> Response {
    unsigned_as("error_response", refused)
}

/// Checks common parameters and signature; gives the business content.
fn admit(shared: &Shared, parameters: &Parameters) -> Result<Map<String, Value>, Refused> {
    let get = |name: &str| parameters.get(name).map_or("", String::as_str);
    let need = |name: &'static str, what: &str| if get(name).is_empty() { Err(missing(what)) } else { Ok(get(name)) };
    need("method", "method")?;
    let app_id = need("app_id", "app-id")?;
    let sign = need("sign", "signature")?;
    need("timestamp", "timestamp")?;
    need("version", "version")?;
    if app_id != shared.credentials.app_id {
        return Err(invalid("isv.invalid-app-id", "无效的AppID参数"));
    }
    if need("sign_type", "signature-type")? != "RSA2" {
        return Err(invalid("isv.invalid-signature-type", "无效的签名类型"));
    }
    let content: Vec<_> = parameters
        .iter()
        .filter(|(name, value)| *name != "sign" && !value.is_empty())
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let key = shared.credentials.alipay_app.public_key();
    if key.verify_base64(content.join("&").as_bytes(), sign).is_err() {
        return Err(invalid(
            "isv.invalid-signature",
            "验签出错，请确认charset参数放在了URL查询字符串中且各参数值使用charset参数指示的字符集编码",
        ));
    }
    let stamp = get("timestamp").replacen(' ', "T", 1).parse::<jiff::civil::DateTime>();
    let zone = jiff::tz::TimeZone::fixed(jiff::tz::Offset::constant(8));
    let stamp = stamp.ok().and_then(|stamp| stamp.to_zoned(zone).ok()).map(|stamp| stamp.timestamp().as_millisecond());
    if stamp.is_none_or(|stamp| stamp.abs_diff(now()) > CLOCK_MINUTES.unsigned_abs() * 60_000) {
        return Err(invalid("isv.invalid-timestamp", "非法的时间戳参数"));
    }
    match serde_json::from_str(if get("biz_content").is_empty() { "{}" } else { get("biz_content") }) {
        Ok(Value::Object(biz)) => Ok(biz),
        _ => Err(invalid("isv.invalid-parameter", "biz_content不是合法的JSON")),
    }
}

fn text<'a>(biz: &'a Map<String, Value>, name: &str) -> &'a str {
    biz.get(name).and_then(Value::as_str).unwrap_or("")
}

fn need<'a>(biz: &'a Map<String, Value>, name: &str) -> Result<&'a str, Refused> {
    match text(biz, name) {
        "" => Err(missing(&name.replace('_', "-"))),
        value => Ok(value),
    }
}

/// Yuan as text or as a JSON number, as SDKs send both.
fn amount(biz: &Map<String, Value>, name: &str) -> Result<i64, Refused> {
    let written = match biz.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => return Err(missing(&name.replace('_', "-"))),
    };
    Money::parse(&written, Currency::CNY)
        .ok()
        .map(|money| money.minor)
        .filter(|fen| (1..=10_000_000_000).contains(fen))
        .ok_or_else(|| business("ACQ.INVALID_PARAMETER", "参数无效"))
}

/// `15m`, `2h`, `1d`, `1c` (till the day's end, taken as a day).
fn lifetime(text: &str) -> Option<Millis> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let number: Millis = number.parse().ok()?;
    let unit = match unit {
        "m" => 60_000,
        "h" => 3_600_000,
        "d" | "c" => 86_400_000,
        _ => return None,
    };
    number.checked_mul(unit).filter(|lifetime| *lifetime > 0)
}

fn order(biz: &Map<String, Value>, parameters: &Parameters, now: Millis) -> Result<Order, Refused> {
    let out_trade_no = need(biz, "out_trade_no")?;
    if out_trade_no.len() > 64
        || !out_trade_no.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
    {
        return Err(business("ACQ.INVALID_PARAMETER", "参数无效"));
    }
    let limit = ["qr_code_timeout_express", "timeout_express"].into_iter().find_map(|name| lifetime(text(biz, name)));
    Ok(Order {
        channel: CHANNEL,
        out_trade_no: out_trade_no.into(),
        subject: need(biz, "subject")?.into(),
        amount: amount(biz, "total_amount")?,
        expires_at: now + limit.unwrap_or(ORDER_LIFETIME),
        notify_url: parameters.get("notify_url").filter(|url| !url.is_empty()).cloned(),
    })
}

/// The merchant's number, or Alipay's.
fn number(biz: &Map<String, Value>) -> Result<&str, Refused> {
    match (text(biz, "trade_no"), text(biz, "out_trade_no")) {
        ("", "") => Err(missing("out-trade-no")),
        ("", number) | (number, _) => Ok(number),
    }
}

fn perform(
    shared: &Arc<Shared>,
    call: &str,
    biz: &Map<String, Value>,
    parameters: &Parameters,
    now: Millis,
) -> Result<Value, Refused> {
    match call {
        "pay" => {
            if !matches!(text(biz, "scene"), "bar_code" | "wave_code" | "") {
                return Err(business("ACQ.INVALID_PARAMETER", "参数无效"));
            }
            let order = order(biz, parameters, now)?;
            let trade = shared.book().pay_by_code(order, need(biz, "auth_code")?, now)?;
            if trade.state == TradeState::Success {
                notify::paid(shared, &trade);
                Ok(paid_fields(&trade, "gmt_payment"))
            } else {
                let mut waiting = base(&trade, "10003", "order success pay inprocess");
                waiting["buyer_logon_id"] = json!(logon_id(&trade));
                Ok(waiting)
            }
        }
        "precreate" => {
            let trade = shared.book().create_order(order(biz, parameters, now)?, now)?;
            Ok(
                json!({ "code": "10000", "msg": "Success", "out_trade_no": trade.out_trade_no, "qr_code": trade.payload }),
            )
        }
        "query" => {
            let trade = shared.book().query(CHANNEL, number(biz)?, now)?;
            // An order that nobody has scanned does not exist for a query, nor does one that ran out unseen.
            if !trade.by_code && trade.wallet.is_none() {
                return Err(Refusal::Absent.into());
            }
            let mut told = paid_fields(&trade, "send_pay_date");
            told["trade_status"] = json!(status(&trade));
            Ok(told)
        }
        "cancel" => {
            let number = number(biz)?;
            match shared.book().cancel(CHANNEL, number, now) {
                Ok((trade, done)) => {
                    let mut told = base(&trade, "10000", "Success");
                    told["retry_flag"] = json!("N");
                    told["action"] = json!(if done == Cancelled::Refunded { "refund" } else { "close" });
                    Ok(told)
                }
                // There is nothing to take back: success, with no action.
                Err(Refusal::Absent) => Ok(json!({
                    "code": "10000", "msg": "Success", "out_trade_no": text(biz, "out_trade_no"), "retry_flag": "N",
                })),
                Err(refusal) => Err(refusal.into()),
            }
        }
        "close" => {
            let number = number(biz)?;
            let trade = shared.book().query(CHANNEL, number, now)?;
            if !trade.by_code && trade.wallet.is_none() {
                return Err(Refusal::Absent.into());
            }
            let trade = shared.book().close(CHANNEL, number, now).map_err(|refusal| match refusal {
                Refusal::Paid => Refusal::WrongState.into(),
                other => Refused::from(other),
            })?;
            Ok(base(&trade, "10000", "Success"))
        }
        "refund" => {
            let fen = amount(biz, "refund_amount")?;
            let number = number(biz)?;
            let request = match text(biz, "out_request_no") {
                "" => number,
                request => request,
            };
            let (trade, _, moved) = shared.book().refund(CHANNEL, number, request, fen, now)?;
            let mut told = base(&trade, "10000", "Success");
            told["buyer_logon_id"] = json!(logon_id(&trade));
            told["fund_change"] = json!(if moved { "Y" } else { "N" });
            told["refund_fee"] = json!(yuan(trade.refunded));
            told["gmt_refund_pay"] = json!(china(now, "%Y-%m-%d %H:%M:%S"));
            Ok(told)
        }
        "refund_query" => {
            let trade = shared.book().query(CHANNEL, number(biz)?, now)?;
            let request = need(biz, "out_request_no")?;
            let mut told = base(&trade, "10000", "Success");
            if let Some(refund) = trade.refunds.iter().find(|refund| refund.out_refund_no == request) {
                told["out_request_no"] = json!(request);
                told["refund_amount"] = json!(yuan(refund.amount));
                told["total_amount"] = json!(yuan(trade.amount));
                told["refund_status"] = json!("REFUND_SUCCESS");
            }
            Ok(told)
        }
        _ => Err(invalid("isv.invalid-method", "不存在的方法名")),
    }
}

fn base(trade: &Trade, code: &str, msg: &str) -> Value {
    json!({ "code": code, "msg": msg, "out_trade_no": trade.out_trade_no, "trade_no": trade.provider_trade_no })
}

fn paid_fields(trade: &Trade, when: &str) -> Value {
    let mut told = base(trade, "10000", "Success");
    told["buyer_logon_id"] = json!(logon_id(trade));
    told["buyer_user_id"] = json!("2088102100000001");
    told["total_amount"] = json!(yuan(trade.amount));
    if let Some(paid_at) = trade.paid_at {
        told["receipt_amount"] = json!(yuan(trade.amount));
        told["buyer_pay_amount"] = json!(yuan(trade.amount));
        told[when] = json!(china(paid_at, "%Y-%m-%d %H:%M:%S"));
        told["fund_bill_list"] = json!([{ "amount": yuan(trade.amount), "fund_channel": "ALIPAYACCOUNT" }]);
    }
    told
}

fn logon_id(trade: &Trade) -> &'static str {
    match trade.wallet.as_deref() {
        Some("alipay-2") => "zha***@sandbox.com",
        _ => "lin***@sandbox.com",
    }
}

pub(super) fn status(trade: &Trade) -> &'static str {
    match trade.state {
        TradeState::Created | TradeState::WaitBuyerPay => "WAIT_BUYER_PAY",
        TradeState::Success => "TRADE_SUCCESS",
        TradeState::Closed | TradeState::Reversed | TradeState::Refunded => "TRADE_CLOSED",
    }
}

/// The form of a notification that the trade was paid, signed: all parameters but `sign` and `sign_type`.
pub(super) fn notification(shared: &Shared, trade: &Trade, id: &str, now: Millis) -> String {
    let form = "%Y-%m-%d %H:%M:%S";
    let mut fields = BTreeMap::from([
        ("notify_id", id.to_owned()),
        ("notify_time", china(now, form)),
        ("notify_type", "trade_status_sync".to_owned()),
        ("app_id", shared.credentials.app_id.clone()),
        ("seller_id", shared.credentials.seller_id.clone()),
        ("charset", "utf-8".to_owned()),
        ("version", "1.0".to_owned()),
        ("out_trade_no", trade.out_trade_no.clone()),
        ("trade_no", trade.provider_trade_no.clone()),
        ("trade_status", status(trade).to_owned()),
        ("subject", trade.subject.clone()),
        ("total_amount", yuan(trade.amount)),
        ("receipt_amount", yuan(trade.amount)),
        ("buyer_pay_amount", yuan(trade.amount)),
        ("buyer_logon_id", logon_id(trade).to_owned()),
        ("gmt_create", china(trade.created_at, form)),
        ("gmt_payment", china(trade.paid_at.unwrap_or(now), form)),
    ]);
    let content: Vec<_> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let sign = shared.credentials.alipay.sign_base64(content.join("&").as_bytes()).unwrap_or_default();
    fields.insert("sign_type", "RSA2".into());
    fields.insert("sign", sign);
    serde_urlencoded::to_string(&fields).unwrap_or_default()
}
