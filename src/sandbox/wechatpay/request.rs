//! Reading what a merchant asks for. Pure.

use serde_json::Value;

use super::HERE;
use super::answer::Refused;
use crate::sandbox::book::{Details, Millis, Number, Order};

/// A shown order is good for so long unless the merchant says otherwise.
const SHOWN_LIFETIME: Millis = 2 * 3_600_000;
const OUT_TRADE_NO: std::ops::RangeInclusive<usize> = 6..=32;
const MAX_OUT_REFUND_NO: usize = 64;
const MAX_DESCRIPTION: usize = 127;
const MAX_ATTACH: usize = 128;
const MAX_AMOUNT: i64 = 10_000_000_000;

fn number_fits(number: &str) -> bool {
    number.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-|*@".contains(&byte))
}

fn fen(amount: &Value, name: &str) -> Result<i64, Refused> {
    match amount[name].as_i64() {
        None if amount[name].is_null() => Err(Refused::param(&format!("缺少参数amount.{name}"))),
        Some(fen @ 1..=MAX_AMOUNT) => Ok(fen),
        _ => Err(Refused::param(&format!("参数amount.{name}应为正整数，单位为分"))),
    }
}

fn cny(amount: &Value, required: bool) -> Result<(), Refused> {
    match amount["currency"].as_str() {
        Some("CNY") => Ok(()),
        None if !required => Ok(()),
        _ => Err(Refused::param("参数amount.currency应为CNY")),
    }
}

/// What Native and codepay have in common.
fn order(body: &Value, expires_at: Millis) -> Result<Order, Refused> {
    let out_trade_no = body["out_trade_no"].as_str().unwrap_or("");
    if !OUT_TRADE_NO.contains(&out_trade_no.len()) || !number_fits(out_trade_no) {
        return Err(Refused::param("参数out_trade_no应为6至32个字符的数字、大小写字母和_-|*"));
    }
    let subject = body["description"].as_str().unwrap_or("");
    if subject.is_empty() || subject.chars().count() > MAX_DESCRIPTION {
        return Err(Refused::param("参数description必填，且不超过127个字符"));
    }
    let attach = body["attach"].as_str().filter(|attach| !attach.is_empty());
    if attach.is_some_and(|attach| attach.len() > MAX_ATTACH) {
        return Err(Refused::param("参数attach不超过128个字符"));
    }
    cny(&body["amount"], false)?;
    Ok(Order {
        channel: HERE,
        out_trade_no: out_trade_no.to_owned(),
        subject: subject.to_owned(),
        amount: fen(&body["amount"], "total")?,
        expires_at,
        attach: attach.map(str::to_owned),
        notify_url: None,
        notify_serial: None,
        details: Details::new(),
    })
}

/// A Native order; `serial` is the key that the merchant wants notifications checked with.
pub(super) fn shown_order(body: &Value, serial: Option<&str>, now: Millis) -> Result<Order, Refused> {
    let expires_at = match body["time_expire"].as_str() {
        None => now + SHOWN_LIFETIME,
        Some(text) => {
            let wrong = || Refused::param("参数time_expire应为rfc3339格式的未来时间");
            let at = text.parse::<jiff::Timestamp>().map_err(|_| wrong())?.as_millisecond();
            Some(at).filter(|at| *at > now).ok_or_else(wrong)?
        }
    };
    // The platform wants it, and https. Here a till that nobody can reach may leave it out and ask instead, and plain
    // http is taken: a sandbox's merchants listen on their own machine.
    let notify_url = body["notify_url"].as_str().filter(|url| !url.is_empty());
    let fits = |url: &str| (url.starts_with("https://") || url.starts_with("http://")) && !url.contains('?');
    if !notify_url.is_none_or(fits) {
        return Err(Refused::param("参数notify_url应为不带查询串的网址"));
    }
    let mut order = order(body, expires_at)?;
    order.notify_url = notify_url.map(str::to_owned);
    order.notify_serial = serial.map(str::to_owned);
    Ok(order)
}

/// An order by payment code. It is not notified of, and has no time limit of its own.
pub(super) fn code_order(body: &Value, now: Millis) -> Result<Order, Refused> {
    order(body, now + SHOWN_LIFETIME)
}

/// The customer's code: 18 digits, beginning 10 to 15.
pub(super) fn auth_code(body: &Value) -> Result<&str, Refused> {
    let code = body["payer"]["auth_code"].as_str().unwrap_or("");
    let prefix = code.get(..2).and_then(|prefix| prefix.parse::<u8>().ok());
    if code.is_empty() {
        return Err(Refused::param("缺少参数payer.auth_code"));
    }
    if code.len() != 18 || !code.bytes().all(|byte| byte.is_ascii_digit()) || !matches!(prefix, Some(10..=15)) {
        return Err(Refused::new(400, "AUTH_CODE_INVALID", "请扫描微信支付付款码"));
    }
    Ok(code)
}

/// A refund as a merchant asks for it.
pub(super) struct Refund<'a> {
    pub number: Number<'a>,
    pub out_refund_no: &'a str,
    pub amount: i64,
    pub total: i64,
}

impl<'a> Refund<'a> {
    pub fn read(body: &'a Value) -> Result<Self, Refused> {
        let text = |name: &str| body[name].as_str().filter(|text| !text.is_empty());
        let number = match (text("transaction_id"), text("out_trade_no")) {
            (Some(number), _) => Number::Provider(number),
            (None, Some(number)) => Number::Merchant(number),
            (None, None) => return Err(Refused::param("transaction_id和out_trade_no不能同时为空")),
        };
        let out_refund_no = text("out_refund_no").ok_or_else(|| Refused::param("缺少参数out_refund_no"))?;
        if out_refund_no.len() > MAX_OUT_REFUND_NO || !number_fits(out_refund_no) {
            return Err(Refused::param("参数out_refund_no不合法"));
        }
        cny(&body["amount"], true)?;
        let (amount, total) = (fen(&body["amount"], "refund")?, fen(&body["amount"], "total")?);
        Ok(Self { number, out_refund_no, amount, total })
    }
}
