//! WeChat Pay APIv3: reads signed JSON calls, answers with signed JSON.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{OriginalUri, Path};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use super::Shared;
use super::book::{Millis, Order, Refusal, Trade, TradeState};
use super::faults::Fate;
use super::notify;
use super::wire::{broken, china, now};
use crate::crypto::{random_bytes, seal_aes256_gcm};

const CHANNEL: &str = "wechatpay";
const CLOCK_SECONDS: u64 = 300;
const ORDER_LIFETIME: Millis = 2 * 3_600_000;
/// A reversal is not taken sooner than this after the payment call.
const REVERSE_WAIT: Millis = 15_000;
const MAX_OUT_TRADE_NO: usize = 32;

/// An error in the platform's words.
struct Refused(StatusCode, &'static str, String);

fn refused(status: u16, code: &'static str, message: &str) -> Refused {
    Refused(StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST), code, message.to_owned())
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::CodeInvalid => refused(400, "AUTH_CODE_INVALID", "付款码无效，请扫描微信支付付款码"),
            Refusal::CodeExpired => refused(400, "AUTH_CODE_EXPIRE", "付款码已过期，请刷新后再试"),
            Refusal::Balance => refused(403, "NOT_ENOUGH", "用户账户余额不足"),
            Refusal::Paid => refused(400, "ORDERPAID", "该订单已支付"),
            Refusal::Closed => refused(400, "ORDER_CLOSED", "订单已关闭"),
            Refusal::Inconsistent => refused(403, "OUT_TRADE_NO_USED", "商户订单号重复"),
            Refusal::Absent => refused(404, "ORDER_NOT_EXIST", "订单不存在"),
            Refusal::WrongState => refused(403, "TRADE_ERROR", "交易错误"),
            Refusal::TooMuch => refused(400, "INVALID_REQUEST", "退款金额大于可退金额"),
            Refusal::OtherRefund => refused(400, "INVALID_REQUEST", "退款单号已存在，但金额不一致"),
            Refusal::TooSoon => refused(400, "INVALID_REQUEST", "支付后15秒内不能撤销"),
        }
    }
}

/// What every call comes with.
pub(super) struct Call {
    shared: Arc<Shared>,
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Bytes,
}

impl Call {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
    }

    /// The serial that the merchant says it holds, or the certificate's.
    fn serial(&self) -> &str {
        let credentials = &self.shared.credentials;
        if self.header("wechatpay-serial") == credentials.platform_public_key_id {
            &credentials.platform_public_key_id
        } else {
            &credentials.platform_serial
        }
    }

    fn respond(&self, status: StatusCode, body: &Value) -> Response {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut response = (status, body.clone()).into_response();
        if !body.is_empty() {
            response.headers_mut().insert("content-type", HeaderValue::from_static("application/json; charset=utf-8"));
        }
        for (name, value) in signature(&self.shared, self.serial(), body.as_bytes(), now()) {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }

    /// Checks who asks, meets the planned fault, does the job, answers.
    async fn answer(self, call: &str, job: impl FnOnce(&Self, Millis) -> Result<(u16, Value), Refused>) -> Response {
        if let Err(Refused(status, code, message)) = self.admit() {
            // A stranger gets no signature.
            return (status, axum::Json(json!({ "code": code, "message": message }))).into_response();
        }
        let fate = self.shared.faults().fate(CHANNEL, call);
        match fate {
            Fate::LoseRequest => return broken(),
            Fate::Http500 => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
            Fate::SystemError => {
                let body = json!({ "code": "SYSTEM_ERROR", "message": "系统异常，请稍后重试" });
                return self.respond(StatusCode::INTERNAL_SERVER_ERROR, &body);
            }
            Fate::Fine | Fate::LoseAnswer | Fate::Delay(_) => {}
        }
        let done = job(&self, now());
        match fate {
            Fate::LoseAnswer => return broken(),
            Fate::Delay(wait) => tokio::time::sleep(wait).await,
            _ => {}
        }
        match done {
            Ok((status, body)) => self.respond(StatusCode::from_u16(status).unwrap_or(StatusCode::OK), &body),
            Err(Refused(status, code, message)) => self.respond(status, &json!({ "code": code, "message": message })),
        }
    }

    fn admit(&self) -> Result<(), Refused> {
        let credentials = &self.shared.credentials;
        if self.header("user-agent").is_empty()
            || !(self.header("accept").contains("json") || self.header("accept").contains("*/*"))
        {
            return Err(refused(400, "PARAM_ERROR", "Http头Accept和User-Agent必填"));
        }
        let wrong = |what: &str| refused(401, "SIGN_ERROR", what);
        let header = self.header("authorization");
        let rest =
            header.strip_prefix("WECHATPAY2-SHA256-RSA2048").ok_or_else(|| wrong("Http头Authorization值格式错误"))?;
        let field = |name: &str| {
            rest.split(',')
                .filter_map(|part| part.trim().split_once('='))
                .find(|(key, _)| *key == name)
                .map_or("", |(_, value)| value.trim_matches('"'))
        };
        if field("mchid") != credentials.mchid {
            return Err(refused(401, "SIGN_ERROR", "商户号不存在"));
        }
        if !field("serial_no").eq_ignore_ascii_case(&credentials.merchant_serial) {
            return Err(wrong("商户证书序列号有误"));
        }
        let stamp: i64 = field("timestamp").parse().map_err(|_| wrong("时间戳格式错误"))?;
        if stamp.abs_diff(now() / 1_000) > CLOCK_SECONDS {
            return Err(wrong("Http头Authorization中的timestamp与发起请求的时间不得超过5分钟"));
        }
        let mut message = format!("{}\n{}\n{stamp}\n{}\n", self.method, self.path, field("nonce_str")).into_bytes();
        message.extend_from_slice(&self.body);
        message.push(b'\n');
        credentials
            .merchant
            .public_key()
            .verify_base64(&message, field("signature"))
            .map_err(|_| wrong("签名错误，请检查后再试"))
    }

    fn json(&self) -> Result<Value, Refused> {
        match serde_json::from_slice(&self.body) {
            Ok(body @ Value::Object(_)) => Ok(body),
            _ => Err(refused(400, "PARAM_ERROR", "请求体不是合法的JSON")),
        }
    }

    /// The body, with `mchid` (and `appid` where wanted) checked.
    fn own_json(&self, with_appid: bool) -> Result<Value, Refused> {
        let body = self.json()?;
        let credentials = &self.shared.credentials;
        if body["mchid"] != json!(credentials.mchid) {
            return Err(refused(400, "PARAM_ERROR", "mchid与签名的商户号不一致"));
        }
        if with_appid && body["appid"] != json!(credentials.appid) {
            return Err(refused(400, "APPID_MCHID_NOT_MATCH", "appid和mch_id不匹配"));
        }
        Ok(body)
    }
}

impl axum::extract::FromRequest<Arc<Shared>> for Call {
    type Rejection = Response;

    async fn from_request(request: axum::extract::Request, shared: &Arc<Shared>) -> Result<Self, Response> {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let body =
            axum::body::to_bytes(body, 1 << 20).await.map_err(|_| StatusCode::PAYLOAD_TOO_LARGE.into_response())?;
        Ok(Self { shared: shared.clone(), method: parts.method, path, headers: parts.headers, body })
    }
}

/// The `Wechatpay-*` headers over a body.
pub(super) fn signature(shared: &Shared, serial: &str, body: &[u8], now: Millis) -> [(&'static str, String); 4] {
    let stamp = now / 1_000;
    let nonce = hex::encode(random_bytes::<16>());
    let mut message = format!("{stamp}\n{nonce}\n").into_bytes();
    message.extend_from_slice(body);
    message.push(b'\n');
    let signature = shared.credentials.platform.sign_base64(&message).unwrap_or_default();
    [
        ("wechatpay-timestamp", stamp.to_string()),
        ("wechatpay-nonce", nonce),
        ("wechatpay-serial", serial.to_owned()),
        ("wechatpay-signature", signature),
    ]
}

fn order(body: &Value, now: Millis) -> Result<Order, Refused> {
    let param = |what: &str| refused(400, "PARAM_ERROR", what);
    let out_trade_no = body["out_trade_no"].as_str().unwrap_or("");
    let fits = (6..=MAX_OUT_TRADE_NO).contains(&out_trade_no.len())
        && out_trade_no.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-|*".contains(&byte));
    if !fits {
        return Err(param("out_trade_no长度或字符不合法"));
    }
    let description = body["description"].as_str().filter(|text| !text.is_empty() && text.chars().count() <= 127);
    let amount = body["amount"]["total"].as_i64().filter(|fen| (1..=10_000_000_000).contains(fen));
    if body["amount"]["currency"].as_str().is_some_and(|currency| currency != "CNY") {
        return Err(param("amount.currency只支持CNY"));
    }
    let expires_at = match body["time_expire"].as_str() {
        None => now + ORDER_LIFETIME,
        Some(text) => {
            let at = text.parse::<jiff::Timestamp>().map_err(|_| param("time_expire格式错误"))?.as_millisecond();
            if at <= now {
                return Err(param("time_expire已过期"));
            }
            at
        }
    };
    Ok(Order {
        channel: CHANNEL,
        out_trade_no: out_trade_no.into(),
        subject: description.ok_or_else(|| param("description必填"))?.into(),
        amount: amount.ok_or_else(|| param("amount.total必填，且为正整数"))?,
        expires_at,
        notify_url: body["notify_url"].as_str().map(str::to_owned),
    })
}

fn trade_state(trade: &Trade) -> &'static str {
    match trade.state {
        TradeState::Created => "NOTPAY",
        TradeState::WaitBuyerPay if trade.by_code => "USERPAYING",
        TradeState::WaitBuyerPay => "NOTPAY",
        TradeState::Success if trade.refunded > 0 => "REFUND",
        TradeState::Success => "SUCCESS",
        TradeState::Closed if trade.by_code && trade.refused => "PAYERROR",
        TradeState::Closed => "CLOSED",
        TradeState::Reversed => "REVOKED",
        TradeState::Refunded => "REFUND",
    }
}

/// A transaction as queries and notifications tell it.
pub(super) fn transaction(shared: &Shared, trade: &Trade) -> Value {
    let mut told = json!({
        "appid": shared.credentials.appid,
        "mchid": shared.credentials.mchid,
        "out_trade_no": trade.out_trade_no,
        "trade_type": if trade.by_code { "MICROPAY" } else { "NATIVE" },
        "trade_state": trade_state(trade),
        "trade_state_desc": match trade_state(trade) {
            "SUCCESS" => "支付成功",
            "USERPAYING" => "用户支付中，需要输入密码",
            "NOTPAY" => "订单未支付",
            "PAYERROR" => "支付失败",
            "REVOKED" => "订单已撤销",
            "REFUND" => "订单发生过退款",
            _ => "订单已关闭",
        },
        "amount": { "total": trade.amount, "currency": "CNY" },
    });
    if let Some(paid_at) = trade.paid_at {
        told["transaction_id"] = json!(trade.provider_trade_no);
        told["bank_type"] = json!("OTHERS");
        told["attach"] = json!("");
        told["success_time"] = json!(china(paid_at, "%Y-%m-%dT%H:%M:%S+08:00"));
        told["payer"] = json!({ "openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o" });
        told["amount"] =
            json!({ "total": trade.amount, "payer_total": trade.amount, "currency": "CNY", "payer_currency": "CNY" });
    }
    told
}

/// `POST /v3/pay/transactions/native`
pub(super) async fn native(call: Call) -> Response {
    call.answer("native", |call, now| {
        let order = order(&call.own_json(true)?, now)?;
        let trade = call.shared.book().create_order(order, now)?;
        Ok((200, json!({ "code_url": trade.payload })))
    })
    .await
}

/// `POST /v3/pay/transactions/codepay`
pub(super) async fn codepay(call: Call) -> Response {
    call.answer("codepay", |call, now| {
        let body = call.own_json(true)?;
        let auth_code = body["payer"]["auth_code"].as_str().unwrap_or("");
        if auth_code.len() != 18 || !auth_code.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(refused(400, "AUTH_CODE_ERROR", "付款码格式错误，请检查"));
        }
        let trade = call.shared.book().pay_by_code(order(&body, now)?, auth_code, now)?;
        if trade.state == TradeState::Success {
            notify::paid(&call.shared, &trade);
            Ok((200, transaction(&call.shared, &trade)))
        } else {
            Err(refused(400, "USERPAYING", "需要用户输入支付密码"))
        }
    })
    .await
}

fn queried(call: &Call, number: &str, now: Millis) -> Result<(u16, Value), Refused> {
    let trade = call.shared.book().query(CHANNEL, number, now)?;
    Ok((200, transaction(&call.shared, &trade)))
}

/// `GET /v3/pay/transactions/out-trade-no/{n}`
pub(super) async fn query(Path(number): Path<String>, OriginalUri(uri): OriginalUri, call: Call) -> Response {
    let own = uri
        .query()
        .is_some_and(|query| query.split('&').any(|part| part == format!("mchid={}", call.shared.credentials.mchid)));
    call.answer("query", |call, now| {
        if own { queried(call, &number, now) } else { Err(refused(400, "PARAM_ERROR", "mchid必填")) }
    })
    .await
}

/// `GET /v3/pay/transactions/id/{n}`
pub(super) async fn query_by_id(path: Path<String>, uri: OriginalUri, call: Call) -> Response {
    query(path, uri, call).await
}

/// `POST /v3/pay/transactions/out-trade-no/{n}/close`
pub(super) async fn close(Path(number): Path<String>, call: Call) -> Response {
    call.answer("close", |call, now| {
        call.own_json(false)?;
        call.shared.book().close(CHANNEL, &number, now)?;
        Ok((204, Value::Null))
    })
    .await
}

/// `POST /v3/pay/transactions/out-trade-no/{n}/reverse`
pub(super) async fn reverse(Path(number): Path<String>, call: Call) -> Response {
    call.answer("reverse", |call, now| {
        call.own_json(true)?;
        call.shared.book().reverse(CHANNEL, &number, REVERSE_WAIT, now)?;
        let credentials = &call.shared.credentials;
        Ok((200, json!({ "appid": credentials.appid, "mchid": credentials.mchid, "out_trade_no": number })))
    })
    .await
}

fn refund_view(trade: &Trade, refund: &super::book::Refund) -> Value {
    let at = china(refund.at, "%Y-%m-%dT%H:%M:%S+08:00");
    json!({
        "refund_id": refund.refund_id,
        "out_refund_no": refund.out_refund_no,
        "transaction_id": trade.provider_trade_no,
        "out_trade_no": trade.out_trade_no,
        "channel": "ORIGINAL",
        "user_received_account": "支付用户零钱",
        "success_time": at,
        "create_time": at,
        "status": "SUCCESS",
        "amount": {
            "total": trade.amount, "refund": refund.amount, "payer_total": trade.amount, "payer_refund": refund.amount,
            "settlement_refund": refund.amount, "settlement_total": trade.amount, "discount_refund": 0, "currency": "CNY",
        },
    })
}

/// `POST /v3/refund/domestic/refunds`
pub(super) async fn refund(call: Call) -> Response {
    call.answer("refund", |call, now| {
        let body = call.json()?;
        let param = |what: &str| refused(400, "PARAM_ERROR", what);
        let number = body["out_trade_no"].as_str().or_else(|| body["transaction_id"].as_str()).unwrap_or("");
        let request = body["out_refund_no"].as_str().filter(|number| !number.is_empty() && number.len() <= 64);
        let fen = body["amount"]["refund"].as_i64().ok_or_else(|| param("amount.refund必填"))?;
        let request = request.ok_or_else(|| param("out_refund_no必填"))?;
        let known = call
            .shared
            .book()
            .query(CHANNEL, number, now)
            .map_err(|_| refused(404, "RESOURCE_NOT_EXISTS", "订单不存在"))?;
        if body["amount"]["total"] != json!(known.amount) {
            return Err(param("订单金额与原订单不一致"));
        }
        let (trade, refund, _) = call.shared.book().refund(CHANNEL, number, request, fen, now)?;
        Ok((200, refund_view(&trade, &refund)))
    })
    .await
}

/// `GET /v3/refund/domestic/refunds/{out_refund_no}`
pub(super) async fn query_refund(Path(number): Path<String>, call: Call) -> Response {
    call.answer("refund_query", |call, _| {
        let found = call.shared.book().find_refund(CHANNEL, &number);
        let (trade, refund) = found.ok_or_else(|| refused(404, "RESOURCE_NOT_EXISTS", "退款单不存在"))?;
        Ok((200, refund_view(&trade, &refund)))
    })
    .await
}

/// Seals a text as the platform does.
pub(super) fn sealed(shared: &Shared, associated: &str, plain: &str) -> Value {
    let nonce = &hex::encode(random_bytes::<6>());
    let key = shared.credentials.api_v3_key.as_bytes();
    let sealed = seal_aes256_gcm(key, nonce.as_bytes(), associated.as_bytes(), plain.as_bytes()).unwrap_or_default();
    json!({
        "algorithm": "AEAD_AES_256_GCM", "nonce": nonce, "associated_data": associated, "ciphertext": BASE64.encode(sealed),
    })
}

/// `GET /v3/certificates`
pub(super) async fn certificates(call: Call) -> Response {
    call.answer("certificates", |call, now| {
        let credentials = &call.shared.credentials;
        let form = "%Y-%m-%dT%H:%M:%S+08:00";
        Ok((
            200,
            json!({ "data": [{
                "serial_no": credentials.platform_serial,
                "effective_time": china(now - 86_400_000, form),
                "expire_time": china(now + 5 * 365 * 86_400_000, form),
                "encrypt_certificate": sealed(&call.shared, "certificate", &credentials.platform_certificate),
            }]}),
        ))
    })
    .await
}

/// The body of a notification that the trade was paid.
pub(super) fn notification(shared: &Shared, trade: &Trade, id: &str, now: Millis) -> String {
    let mut resource = sealed(shared, "transaction", &transaction(shared, trade).to_string());
    resource["original_type"] = json!("transaction");
    json!({
        "id": id,
        "create_time": china(now, "%Y-%m-%dT%H:%M:%S+08:00"),
        "resource_type": "encrypt-resource",
        "event_type": "TRANSACTION.SUCCESS",
        "summary": "支付成功",
        "resource": resource,
    })
    .to_string()
}
