//! Reading what a merchant asks for by APIv3. Pure.

use serde_json::Value;

use super::HERE;
use super::refused::{Place, Refused};
use super::rules::{Letters, bytes, check_text, currency, fen, field, required, text};
use crate::sandbox::book::{Details, Millis, Number, Order};

/// A shown order is good for so long unless the merchant says otherwise.
pub(super) const SHOWN_LIFETIME: Millis = 2 * 3_600_000;
const ORDER_NUMBER: &str = "商户订单号";

/// The merchant's number of an order, as it stands in an address.
pub(super) fn number_in_path(number: &str) -> Result<(), Refused> {
    check_text(Place::Path, "/out_trade_no", ORDER_NUMBER, number, bytes(6, 32), Letters::Order)
}

/// What Native and codepay have in common.
fn order(body: &Value, expires_at: Millis) -> Result<Order, Refused> {
    let subject = required(body, field("/description", "商品描述"), bytes(1, 127), Letters::Any)?;
    let out_trade_no = required(body, field("/out_trade_no", ORDER_NUMBER), bytes(6, 32), Letters::Order)?;
    let attach = text(body, field("/attach", "附加数据"), bytes(1, 128), Letters::Any, false)?;
    let amount = fen(body, field("/amount/total", "总金额"))?;
    currency(body, false)?;
    let device = text(body, field("/scene_info/device_id", "终端设备号"), bytes(1, 32), Letters::Any, false)?;
    let details: Details = device.map(|device| ("device_info".to_owned(), device.to_owned())).into_iter().collect();
    Ok(Order {
        channel: HERE,
        out_trade_no: out_trade_no.to_owned(),
        subject: subject.to_owned(),
        amount,
        expires_at,
        attach: attach.map(str::to_owned),
        notify_url: None,
        notify_serial: None,
        details,
    })
}

/// Where the merchant wants to be told. The platform wants an address in a new order, and of https where it is public.
/// Here a till that nobody can reach may leave it out and ask instead, and plain http is taken: a sandbox's merchants
/// listen on their own machine.
fn notify_url(body: &Value) -> Result<Option<String>, Refused> {
    let url = text(body, field("/notify_url", "通知地址"), bytes(1, 256), Letters::Any, false)?;
    let fits = |url: &str| {
        let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
        host.is_some_and(|host| !host.is_empty() && !host.contains(['?', '#', '[', ']', ' ']))
    };
    match url {
        Some(url) if !fits(url) => Err(Refused::rule(
            Place::Body,
            &url.into(),
            "输入源“/body/notify_url”映射到值字段“通知地址”字符串规则校验失败，字符串应为不带查询串的网址",
        )),
        url => Ok(url.map(str::to_owned)),
    }
}

/// A Native order; `serial` is the key that the merchant wants notifications checked with.
pub(super) fn shown_order(body: &Value, serial: Option<&str>, now: Millis) -> Result<Order, Refused> {
    let expires_at = match text(body, field("/time_expire", "交易结束时间"), bytes(1, 64), Letters::Any, false)? {
        None => now + SHOWN_LIFETIME,
        Some(text) => {
            let wrong = || Refused::param("参数time_expire应为rfc3339格式的未来时间");
            let at = text.parse::<jiff::Timestamp>().map_err(|_| wrong())?.as_millisecond();
            Some(at).filter(|at| *at > now).ok_or_else(wrong)?
        }
    };
    let mut order = order(body, expires_at)?;
    order.notify_url = notify_url(body)?;
    order.notify_serial = serial.map(str::to_owned);
    Ok(order)
}

/// An order by payment code. It is not notified of, and has no time limit of its own.
pub(super) fn code_order(body: &Value, now: Millis) -> Result<Order, Refused> {
    order(body, now + SHOWN_LIFETIME)
}

/// Whether a text has the form of a customer's payment code: 18 digits, beginning 10 to 15.
pub(super) fn is_auth_code(code: &str) -> bool {
    let prefix = code.get(..2).and_then(|prefix| prefix.parse::<u8>().ok());
    code.len() == 18 && code.bytes().all(|byte| byte.is_ascii_digit()) && matches!(prefix, Some(10..=15))
}

/// The customer's code.
pub(super) fn auth_code(body: &Value) -> Result<&str, Refused> {
    let code = required(body, field("/payer/auth_code", "授权码"), bytes(1, 32), Letters::Any)?;
    if !is_auth_code(code) {
        let message = "请扫描微信支付授权码(以10/11/12/13/14/15为前缀的18位数字)";
        return Err(Refused::new(400, "AUTH_CODE_INVALID", message));
    }
    Ok(code)
}

/// A code payment says which store it is for.
pub(super) fn scene(body: &Value) -> Result<(), Refused> {
    text(body, field("/scene_info/store_info/id", "门店编号"), bytes(1, 32), Letters::Any, false)?;
    text(body, field("/scene_info/store_info/out_id", "商户门店编号"), bytes(1, 32), Letters::Any, false)?;
    Ok(())
}

/// A refund as a merchant asks for it.
#[derive(Debug)]
pub(super) struct Refund<'a> {
    pub number: Number<'a>,
    pub out_refund_no: &'a str,
    pub amount: i64,
    pub total: i64,
    pub reason: Option<&'a str>,
    pub notify_url: Option<String>,
}

impl<'a> Refund<'a> {
    pub fn read(body: &'a Value) -> Result<Self, Refused> {
        let platform = text(body, field("/transaction_id", "微信支付订单号"), bytes(1, 32), Letters::Any, false)?;
        let merchant = text(body, field("/out_trade_no", ORDER_NUMBER), bytes(6, 32), Letters::Order, false)?;
        let number = match (platform, merchant) {
            (Some(number), _) => Number::Provider(number),
            (None, Some(number)) => Number::Merchant(number),
            (None, None) => return Err(Refused::param("transaction_id和out_trade_no不能同时为空")),
        };
        let out_refund_no = required(body, field("/out_refund_no", "商户退款单号"), bytes(1, 64), Letters::Refund)?;
        let amount = fen(body, field("/amount/refund", "退款金额"))?;
        let total = fen(body, field("/amount/total", "原订单金额"))?;
        currency(body, true)?;
        Ok(Self {
            number,
            out_refund_no,
            amount,
            total,
            reason: text(body, field("/reason", "退款原因"), bytes(1, 80), Letters::Any, false)?,
            notify_url: notify_url(body)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn order_of(total: &Value) -> Result<Order, Refused> {
        shown_order(&json!({ "description": "d", "out_trade_no": "order1", "amount": { "total": total } }), None, 0)
    }

    #[test]
    fn an_amount_is_a_json_integer_and_nothing_else() {
        assert_eq!(order_of(&json!(1)).unwrap().amount, 1);
        for wrong in
            [json!(0), json!(-1), json!(1.0), json!("1"), json!(true), json!([1]), json!(null), json!(u64::MAX)]
        {
            let refused = order_of(&wrong).unwrap_err().to_json();
            assert_eq!(refused["code"], "PARAM_ERROR", "{wrong}");
            assert!(refused["message"].as_str().unwrap().contains("/body/amount/total"), "{refused}");
        }
    }

    #[test]
    fn a_rule_that_is_broken_is_told_in_the_gateways_words() {
        let body = json!({ "description": "d", "out_trade_no": "abc", "amount": { "total": 1 } });
        assert_eq!(
            shown_order(&body, None, 0).unwrap_err().to_json(),
            json!({
                "code": "PARAM_ERROR",
                "message": "输入源“/body/out_trade_no”映射到值字段“商户订单号”字符串规则校验失败，字节数 3，小于最小值 6",
                "detail": { "location": "body", "value": 3 },
            })
        );
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".*".prop_map(Value::from),
        ];
        let name = prop_oneof![
            Just("amount"),
            Just("total"),
            Just("currency"),
            Just("refund"),
            Just("payer"),
            Just("auth_code"),
            Just("out_trade_no"),
            Just("out_refund_no"),
            Just("description"),
            Just("notify_url"),
            Just("time_expire"),
            Just("scene_info"),
            Just("store_info"),
            Just("attach"),
        ];
        leaf.prop_recursive(3, 32, 8, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((name.clone(), inner), 0..8)
                    .prop_map(|pairs| pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_body_makes_it_panic(body in any_json(), number in ".*") {
            let _ = (shown_order(&body, None, 0), code_order(&body, 0), auth_code(&body), scene(&body));
            let _ = (Refund::read(&body).is_ok(), number_in_path(&number));
        }
    }
}
