//! What the platform posts to `notify_url` where the order came by APIv2.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::answer::{refund_told, trade};
use super::request::SIGN_TYPE;
use super::sign::{SignType, sign};
use super::xml::{read, write};
use crate::crypto::{md5_hex, random_bytes, wrap_aes256_ecb};
use crate::sandbox::book::{Details, Millis, Refund};
use crate::sandbox::keys::WechatpayKeys;
use crate::sandbox::notify::{Event, Message, Notice};

fn details(notice: &Notice) -> &Details {
    match &notice.event {
        Event::Paid => &notice.trade.details,
        Event::Refunded(refund) => &refund.details,
    }
}

/// Whether it goes to a merchant who asked by APIv2.
pub(in super::super) fn is_told(notice: &Notice) -> bool {
    details(notice).contains_key(SIGN_TYPE)
}

/// Whether a merchant's answer ends the repeats: only a message that says `SUCCESS` does.
pub(in super::super) fn acknowledged(status: u16, body: &[u8]) -> bool {
    let told = read(body).unwrap_or_default();
    status == 200 && told.get("return_code").is_some_and(|code| code == "SUCCESS")
}

/// One delivery.
pub(in super::super) fn message(keys: &WechatpayKeys, notice: &Notice, _now: Millis) -> Message {
    let fields = match &notice.event {
        Event::Paid => paid(keys, notice),
        Event::Refunded(refund) => refunded(keys, notice, refund),
    };
    let headers = vec![("content-type", "text/xml".to_owned()), ("user-agent", "Mozilla/4.0".to_owned())];
    Message { headers, body: write("xml", &fields).into_bytes() }
}

fn common(keys: &WechatpayKeys) -> Vec<(String, String)> {
    [("return_code", "SUCCESS"), ("appid", &keys.appid), ("mch_id", &keys.mchid)]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into_iter()
        .chain([("nonce_str".to_owned(), hex::encode(random_bytes::<16>()))])
        .collect()
}

fn paid(keys: &WechatpayKeys, notice: &Notice) -> Vec<(String, String)> {
    let kind = details(notice).get(SIGN_TYPE).and_then(|name| SignType::read(name)).unwrap_or(SignType::Md5);
    let mut fields = common(keys);
    fields.push(("result_code".to_owned(), "SUCCESS".to_owned()));
    if kind == SignType::HmacSha256 {
        fields.push(("sign_type".to_owned(), kind.name().to_owned()));
    }
    fields.extend(notice.trade.details.get("device_info").map(|device| ("device_info".to_owned(), device.clone())));
    fields.extend(trade(&notice.trade).into_iter().map(|(name, value)| (name.to_owned(), value)));
    fields.retain(|(_, value)| !value.is_empty());
    let key = if notice.forged { "somebody else's key" } else { &keys.api_v2_key };
    let signature = sign(&fields.iter().cloned().collect(), key, kind);
    fields.push(("sign".to_owned(), signature));
    fields
}

/// Not signed: what it tells is wrapped under the merchant's key.
fn refunded(keys: &WechatpayKeys, notice: &Notice, refund: &Refund) -> Vec<(String, String)> {
    let told = write("root", &refund_told(&notice.trade, refund));
    let key = if notice.forged { "somebody else's key" } else { &keys.api_v2_key };
    let wrapped = wrap_aes256_ecb(md5_hex(key.as_bytes()).as_bytes(), told.as_bytes());
    let mut fields = common(keys);
    fields.push(("req_info".to_owned(), BASE64.encode(wrapped.unwrap_or_default())));
    fields
}
