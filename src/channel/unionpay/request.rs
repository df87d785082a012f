//! Building and signing a request. Pure.

use std::collections::BTreeMap;

use super::credentials::Credentials;
use super::fields::signed_text;
use crate::channel::text::at_most;
use crate::channel::{RefundRef, TradeDetails, TradeRef, china_time};
use crate::crypto::{CryptoError, sha256_hex};
use crate::payment::{OutTradeNo, UnixMillis};

/// Where nobody is to be told: UnionPay's own value for it.
const NO_NOTIFICATION: &str = "http://www.specialUrl.com";
/// The limit of `riskRateInfo`'s `commodityName`.
const COMMODITY_BYTES: usize = 60;
const TERMINAL: usize = 8;

/// A request's fields by name.
pub(super) type Request = BTreeMap<&'static str, String>;

/// What every request has.
fn common(credentials: &Credentials, txn_type: &str, sub_type: &str, order_id: &str, txn_time: &str) -> Request {
    BTreeMap::from([
        ("version", "5.1.0".to_owned()),
        ("encoding", "UTF-8".to_owned()),
        ("signMethod", "01".to_owned()),
        ("certId", credentials.cert_id.clone()),
        ("bizType", "000000".to_owned()),
        ("accessType", "0".to_owned()),
        ("merId", credentials.mer_id.clone()),
        ("txnType", txn_type.to_owned()),
        ("txnSubType", sub_type.to_owned()),
        ("orderId", order_id.to_owned()),
        ("txnTime", txn_time.to_owned()),
    ])
}

/// A request that moves money.
fn transaction(
    credentials: &Credentials,
    kind: (&str, &str),
    (order_id, txn_time): (&str, &str),
    fen: i64,
    notify_url: Option<&str>,
) -> Request {
    let mut request = common(credentials, kind.0, kind.1, order_id, txn_time);
    request.extend([
        ("channelType", "08".to_owned()),
        ("currencyCode", "156".to_owned()),
        ("txnAmt", fen.to_string()),
        ("backUrl", notify_url.unwrap_or(NO_NOTIFICATION).to_owned()),
    ]);
    request
}

/// 01/06: the customer's code (`qrNo`).
pub(super) fn purchase(credentials: &Credentials, trade: &TradeRef, details: &TradeDetails, qr_no: &str) -> Request {
    let mut request = sale(credentials, "06", trade, details);
    request.insert("qrNo", qr_no.to_owned());
    request
}

/// 01/07: a code to show, which can be paid until `until`.
pub(super) fn order_code(
    credentials: &Credentials,
    trade: &TradeRef,
    details: &TradeDetails,
    until: UnixMillis,
) -> Request {
    let mut request = sale(credentials, "07", trade, details);
    request.insert("payTimeout", china_time::compact(until));
    request
}

fn sale(credentials: &Credentials, sub_type: &str, trade: &TradeRef, details: &TradeDetails) -> Request {
    let txn_time = china_time::compact(trade.started_at);
    let order = (trade.out_trade_no.as_str(), txn_time.as_str());
    let notify_url = details.notify_url.as_deref();
    let mut request = transaction(credentials, ("01", sub_type), order, trade.amount.minor, notify_url);
    request.insert("termId", terminal(&details.till));
    request.insert(
        "riskRateInfo",
        format!("{{commodityName={}}}", at_most(&plain(&details.description), COMMODITY_BYTES)),
    );
    request
}

/// 00/00: how the transaction of that number and time stands.
pub(super) fn query(credentials: &Credentials, order_id: &str, txn_time: &str) -> Request {
    common(credentials, "00", "00", order_id, txn_time)
}

/// 31/00: takes a payment of the same day back, whole.
pub(super) fn void(credentials: &Credentials, trade: &TradeRef, query_id: &str, txn_time: &str) -> Request {
    let number = void_number(&trade.out_trade_no);
    let mut request = transaction(credentials, ("31", "00"), (&number, txn_time), trade.amount.minor, None);
    request.insert("origQryId", query_id.to_owned());
    // Comes back in queries and notifications: whose void it is.
    request.insert("reqReserved", trade.out_trade_no.to_string());
    request
}

/// 04/00: returns a payment in part or in whole.
pub(super) fn refund(credentials: &Credentials, trade: &TradeRef, refund: &RefundRef) -> Request {
    let txn_time = china_time::compact(refund.started_at);
    let order = (refund.out_refund_no.as_str(), txn_time.as_str());
    let notify_url = refund.notify_url.as_deref();
    let mut request = transaction(credentials, ("04", "00"), order, refund.amount.minor, notify_url);
    // Either says which payment; the gateway's own number is surer where it is known.
    match &trade.provider_trade_no {
        Some(query_id) => drop(request.insert("origQryId", query_id.clone())),
        None => {
            request.insert("origOrderId", trade.out_trade_no.to_string());
            request.insert("origTxnTime", china_time::compact(trade.started_at));
        }
    }
    request.insert("reqReserved", trade.out_trade_no.to_string());
    request
}

/// 99/01: takes back what became of a purchase that nobody knows the end of.
pub(super) fn reversal(credentials: &Credentials, trade: &TradeRef) -> Request {
    let txn_time = china_time::compact(trade.started_at);
    let mut request = common(credentials, "99", "01", trade.out_trade_no.as_str(), &txn_time);
    request.insert("channelType", "08".to_owned());
    request
}

/// 76/01: the settlement file of a day (`MMDD`).
pub(super) fn settlement_file(credentials: &Credentials, day: jiff::civil::Date, now: UnixMillis) -> Request {
    let mut request = common(credentials, "76", "01", "", &china_time::compact(now));
    request.remove("orderId");
    request.insert("settleDate", day.strftime("%m%d").to_string());
    request.insert("fileType", "00".to_owned());
    request
}

/// The number of the one void that an attempt can have: at most 32 characters, for settlement files hold no more.
pub(super) fn void_number(out_trade_no: &OutTradeNo) -> String {
    let text = out_trade_no.as_str();
    let tail = if text.len() < 32 { text } else { text.get(1..).unwrap_or_default() };
    format!("{tail}V")
}

/// The signed form. The signature is over the hex digits of the digest, not over the digest itself.
pub(super) fn signed_form(credentials: &Credentials, mut request: Request) -> Result<String, CryptoError> {
    let text = signed_text(request.iter().map(|(name, value)| (*name, value.as_str())), false);
    let signature = credentials.key.sign_base64(sha256_hex(text.as_bytes()).as_bytes())?;
    request.retain(|_, value| !value.is_empty());
    request.insert("signature", signature);
    serde_urlencoded::to_string(&request).map_err(|_| CryptoError::Refused("form encoding"))
}

/// `termId` is 8 letters and digits: the last of the till's id, filled up with zeros.
fn terminal(till: &str) -> String {
    let mut kept: Vec<char> = till.chars().rev().filter(char::is_ascii_alphanumeric).take(TERMINAL).collect();
    kept.resize(TERMINAL, '0');
    kept.into_iter().rev().collect::<String>().to_ascii_uppercase()
}

/// Signs that structure a message, in their full-width forms, which read the same.
fn plain(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '&' => '＆',
            '=' => '＝',
            '{' => '｛',
            '}' => '｝',
            '[' => '【',
            ']' => '】',
            '"' => '“',
            '\'' => '‘',
            c if c.is_control() => ' ',
            c => c,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payment::PaymentId;

    #[test]
    fn a_terminal_has_eight_letters_and_digits_and_a_void_a_number_of_its_own() {
        assert_eq!(terminal("till_1"), "000TILL1");
        assert_eq!(terminal("a-very-long-till-id-42"), "TILLID42");
        assert_eq!(terminal(""), "00000000");
        let number = PaymentId::generate().out_trade_no(1).unwrap();
        assert_eq!(void_number(&number).len(), 32);
        assert_ne!(void_number(&number), number.as_str());
        assert_eq!(void_number(&"20261124ABCDEF01".parse().unwrap()), "20261124ABCDEF01V");
        assert_eq!(plain("a&b={c}\n"), "a＆b＝｛c｝ ");
    }
}
