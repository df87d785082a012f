//! Reading a request: common fields, signature, amounts and times. Pure.

use super::answer::Refused;
use super::message::{Fields, verify};
use crate::sandbox::book::{Details, Millis};
use crate::sandbox::keys::UnionpayKeys;
use crate::sandbox::wire::china_zone;

/// How far a transaction's time may be from the gateway's: merchants' servers stand in every time zone, and their SDKs
/// write local time.
const CLOCK: u64 = 86_400_000;
/// Twelve digits.
const MAX_AMOUNT: i64 = 999_999_999_999;
/// An address that merchants give who want no notification.
const NOWHERE: &str = "http://www.specialurl.com";

/// An admitted request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Request<'a>(&'a Fields);

/// By what a transaction is known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Identity<'a> {
    pub order_id: &'a str,
    pub txn_time: &'a str,
}

/// `yyyyMMddHHmmss` in China.
pub(super) fn china_time(text: &str) -> Option<Millis> {
    if text.len() != 14 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let civil = jiff::civil::DateTime::strptime("%Y%m%d%H%M%S", text).ok()?;
    civil.to_zoned(china_zone()).ok().map(|zoned| zoned.timestamp().as_millisecond())
}

/// Checks the common fields and the signature, in the gateway's order.
pub(super) fn admit<'a>(fields: &'a Fields, keys: &UnionpayKeys) -> Result<Request<'a>, Refused> {
    let request = Request(fields);
    for name in
        ["version", "signMethod", "certId", "signature", "txnType", "txnSubType", "bizType", "accessType", "merId"]
    {
        request.need(name)?;
    }
    let encoding = request.optional("encoding").unwrap_or("UTF-8");
    if request.need("version")? != "5.1.0"
        || request.need("signMethod")? != "01"
        || !encoding.eq_ignore_ascii_case("UTF-8")
    {
        return Err(Refused::malformed());
    }
    let certificate = &keys.merchant_certificate;
    let known = request.need("certId")? == certificate.serial_decimal();
    let key = certificate.key().map_err(|_| Refused::new("11"))?;
    if !known || verify(fields, &key).is_err() {
        return Err(Refused::new("11"));
    }
    if request.need("merId")? != keys.mer_id {
        return Err(Refused::new("31"));
    }
    if request.need("accessType")? != "0" {
        return Err(Refused::new("32"));
    }
    Ok(request)
}

impl<'a> Request<'a> {
    pub const fn fields(&self) -> &'a Fields {
        self.0
    }

    pub fn optional(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    pub fn need(&self, name: &str) -> Result<&'a str, Refused> {
        self.optional(name).ok_or_else(Refused::missing)
    }

    /// 8 to 40 letters and digits, and a time near the gateway's.
    pub fn identity(&self, now: Millis) -> Result<Identity<'a>, Refused> {
        let (order_id, txn_time) = (self.need("orderId")?, self.need("txnTime")?);
        let plain = order_id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !(8..=40).contains(&order_id.len()) || !plain {
            return Err(Refused::malformed());
        }
        let at = china_time(txn_time).ok_or_else(Refused::malformed)?;
        if at.abs_diff(now) > CLOCK {
            return Err(Refused::malformed());
        }
        Ok(Identity { order_id, txn_time })
    }

    /// Fen, in yuan's currency.
    pub fn amount(&self) -> Result<i64, Refused> {
        if self.optional("currencyCode").is_some_and(|currency| currency != "156") {
            return Err(Refused::malformed());
        }
        let text = self.need("txnAmt")?;
        let digits = text.len() <= 12 && text.bytes().all(|byte| byte.is_ascii_digit());
        let amount = text.parse().ok().filter(|_| digits).ok_or_else(Refused::malformed)?;
        if (1..=MAX_AMOUNT).contains(&amount) { Ok(amount) } else { Err(Refused::malformed()) }
    }

    /// Where the merchant wants to be told. The gateway wants the field, and takes a certain address for nowhere; here
    /// a till that nobody can reach may leave it out, too.
    pub fn back_url(&self) -> Result<Option<String>, Refused> {
        match self.optional("backUrl") {
            None => Ok(None),
            Some(url) if url.trim_end_matches('/').eq_ignore_ascii_case(NOWHERE) => Ok(None),
            Some(url) if url.starts_with("http://") || url.starts_with("https://") => Ok(Some(url.to_owned())),
            Some(_) => Err(Refused::malformed()),
        }
    }

    /// What a later query or file repeats.
    pub fn details(&self) -> Details {
        ["txnTime", "txnSubType", "termId"]
            .into_iter()
            .filter_map(|name| Some((name.to_owned(), self.optional(name)?.to_owned())))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn amount(text: &str) -> Option<i64> {
        let fields = Fields::from([("txnAmt".to_owned(), text.to_owned())]);
        Request(&fields).amount().ok()
    }

    #[test]
    fn amounts_are_fen_without_signs() {
        for (text, fen) in [
            ("1", Some(1)),
            ("000000000100", Some(100)),
            ("999999999999", Some(MAX_AMOUNT)),
            ("0", None),
            ("-1", None),
            ("+1", None),
            ("1.00", None),
            ("1000000000000", None),
            ("", None),
        ] {
            assert_eq!(amount(text), fen, "{text}");
        }
    }

    #[test]
    fn times_are_chinas() {
        assert_eq!(china_time("20261125120000"), Some(1_795_579_200_000));
        for wrong in ["", "2026112512000", "20261325120000", "2026-11-25 12:0", "202611251200000"] {
            assert_eq!(china_time(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,20}") {
            let _ = (china_time(&text), amount(&text));
        }
    }
}
