//! Reading what a merchant asks for by APIv2. Pure.

use super::super::HERE;
use super::super::request::{SHOWN_LIFETIME, is_auth_code};
use super::call::Request;
use super::refused::Refused;
use super::sign::SignType;
use crate::sandbox::book::{Details, Millis, Number, Order};
use crate::sandbox::wire::china_zone;

/// Under this name a trade or a refund says that its merchant is told in XML, and how it is signed.
pub(super) const SIGN_TYPE: &str = "v2_sign_type";
const MAX_FEN: i64 = 10_000_000_000;
/// An order can be paid for a minute at least.
const SHORTEST: Millis = 60_000;

fn rule(name: &str, title: &str, broken: &str) -> Refused {
    Refused::message(format!("输入源“/body/xml/{name}”映射到值字段“{title}”字符串规则校验失败，{broken}"))
}

/// A value within its lengths in bytes; an absent one counts as empty.
fn text<'a>(request: &'a Request, name: &str, title: &str, least: usize, most: usize) -> Result<&'a str, Refused> {
    let text = request.text(name);
    match text.len() {
        length if length < least => Err(rule(name, title, &format!("字节数 {length}，小于最小值 {least}"))),
        length if length > most => Err(rule(name, title, &format!("字节数 {length}，大于最大值 {most}"))),
        _ => Ok(text),
    }
}

fn number<'a>(request: &'a Request, name: &str, title: &str, least: usize, most: usize) -> Result<&'a str, Refused> {
    let number = text(request, name, title, least, most)?;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_-|*@".contains(&byte);
    match number.bytes().all(fits) {
        true => Ok(number),
        false => Err(rule(name, title, r"字符串必须匹配正则表达式“^[0-9a-zA-Z_\-\|\*@]+$”")),
    }
}

fn fen(request: &Request, name: &str, title: &str) -> Result<i64, Refused> {
    let text = request.text(name);
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let fen = text.parse::<i64>().ok().filter(|_| digits).ok_or_else(|| {
        Refused::message(format!(
            "无法将输入源“/body/xml/{name}”映射到目标字段“{title}”中，此字段需要一个合法的 64 位有符号整数"
        ))
    })?;
    match fen {
        1..=MAX_FEN => Ok(fen),
        _ => Err(Refused::message(format!(
            "输入源“/body/xml/{name}”映射到数值字段“{title}”规则校验失败，值低于最小值 1"
        ))),
    }
}

/// `yyyyMMddHHmmss` in China.
fn time(text: &str) -> Option<Millis> {
    let at = jiff::civil::DateTime::strptime("%Y%m%d%H%M%S", text).ok()?;
    at.to_zoned(china_zone()).ok().map(|at| at.timestamp().as_millisecond())
}

fn currency(request: &Request, name: &str) -> Result<(), Refused> {
    match request.text(name) {
        "" | "CNY" => Ok(()),
        _ => Err(Refused::message(format!("{name}参数格式有误"))),
    }
}

/// What both ways to pay have in common.
fn order(request: &Request, now: Millis) -> Result<Order, Refused> {
    let subject = text(request, "body", "商品描述", 1, 128)?;
    let out_trade_no = number(request, "out_trade_no", "商户订单号", 6, 32)?;
    let amount = fen(request, "total_fee", "标价金额")?;
    text(request, "spbill_create_ip", "终端IP", 1, 64)?;
    let attach = text(request, "attach", "附加数据", 0, 127)?;
    let device = text(request, "device_info", "设备号", 0, 32)?;
    currency(request, "fee_type")?;
    let expires_at = match request.text("time_expire") {
        "" => now + SHOWN_LIFETIME,
        text => {
            let wrong = || Refused::message("time_expire参数格式有误");
            time(text).filter(|at| *at >= now + SHORTEST - 1_000).ok_or_else(wrong)?
        }
    };
    let mut details = Details::from([(SIGN_TYPE.to_owned(), request.sign_type.name().to_owned())]);
    if !device.is_empty() {
        details.insert("device_info".to_owned(), device.to_owned());
    }
    Ok(Order {
        channel: HERE,
        out_trade_no: out_trade_no.to_owned(),
        subject: subject.to_owned(),
        amount,
        expires_at,
        attach: Some(attach).filter(|attach| !attach.is_empty()).map(str::to_owned),
        notify_url: None,
        notify_serial: None,
        details,
    })
}

/// An order by payment code, and the code. It is not notified of.
pub(super) fn code_order(request: &Request, now: Millis) -> Result<(Order, &str), Refused> {
    let code = text(request, "auth_code", "授权码", 1, 128)?;
    if !is_auth_code(code) {
        let what = "请扫描微信支付授权码(以10/11/12/13/14/15为前缀的18位数字)";
        return Err(Refused::business("AUTH_CODE_INVALID", what));
    }
    Ok((order(request, now)?, code))
}

/// An order that is shown.
pub(super) fn shown_order(request: &Request, now: Millis) -> Result<Order, Refused> {
    match request.text("trade_type") {
        "NATIVE" => {}
        "JSAPI" | "APP" | "MWEB" => return Err(Refused::business("NOAUTH", "商户无此接口权限")),
        _ => return Err(Refused::message("trade_type参数格式有误")),
    }
    let notify_url = notify_url(request, 1)?;
    Ok(Order { notify_url, ..order(request, now)? })
}

fn notify_url(request: &Request, least: usize) -> Result<Option<String>, Refused> {
    let url = text(request, "notify_url", "通知地址", least, 256)?;
    let fits = (url.starts_with("https://") || url.starts_with("http://")) && !url.contains(['?', ' ']);
    match url {
        "" => Ok(None),
        url if fits => Ok(Some(url.to_owned())),
        _ => Err(Refused::message("notify_url参数格式有误")),
    }
}

/// Which order is meant: the platform's number goes before the merchant's.
pub(super) fn order_number(request: &Request) -> Result<Number<'_>, Refused> {
    match (request.text("transaction_id"), request.text("out_trade_no")) {
        ("", "") => Err(Refused::message("缺少参数transaction_id或out_trade_no")),
        ("", _) => number(request, "out_trade_no", "商户订单号", 1, 32).map(Number::Merchant),
        (_, _) => text(request, "transaction_id", "微信订单号", 1, 32).map(Number::Provider),
    }
}

/// A refund as a merchant asks for it.
#[derive(Debug)]
pub(super) struct Refund<'a> {
    pub number: Number<'a>,
    pub out_refund_no: &'a str,
    pub amount: i64,
    pub total: i64,
    pub notify_url: Option<String>,
    pub sign_type: SignType,
}

impl<'a> Refund<'a> {
    pub fn read(request: &'a Request) -> Result<Self, Refused> {
        currency(request, "refund_fee_type")?;
        text(request, "refund_desc", "退款原因", 0, 80)?;
        Ok(Self {
            number: order_number(request)?,
            out_refund_no: number(request, "out_refund_no", "商户退款单号", 1, 64)?,
            amount: fen(request, "refund_fee", "退款金额")?,
            total: fen(request, "total_fee", "订单金额")?,
            notify_url: notify_url(request, 0)?,
            sign_type: request.sign_type,
        })
    }
}
