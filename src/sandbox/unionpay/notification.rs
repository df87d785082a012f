//! What the gateway posts to `backUrl`. Pure.

use super::answer::{payment, return_of, with_code};
use super::message::{Fields, sign};
use crate::sandbox::book::Millis;
use crate::sandbox::keys::Credentials;
use crate::sandbox::notify::{Event, Message, Notice, Way};

/// Five deliveries, with these seconds between them, until the merchant answers 200 or 302.
pub(in crate::sandbox) const NOTIFY: Way =
    Way { schedule: &[60, 120, 240, 300], message, acknowledged: |_, status, _| matches!(status, 200 | 302) };

fn message(credentials: &Credentials, notice: &Notice, _: Millis) -> Message {
    let keys = &credentials.unionpay;
    let common = [
        ("accessType", "0"),
        ("bizType", "000000"),
        ("encoding", "UTF-8"),
        ("merId", &keys.mer_id),
        ("signMethod", "01"),
        ("version", "5.1.0"),
    ];
    let common: Fields = common.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let common = with_code(common, "00");
    let mut fields = match &notice.event {
        Event::Paid => payment(common, &notice.trade),
        Event::Refunded(refund) => return_of(common, &notice.trade, refund),
    };
    fields.retain(|_, value| !value.is_empty());
    let (key, certificate) = if notice.forged {
        (&keys.merchant, &keys.merchant_certificate)
    } else {
        (&keys.signer, &keys.signer_certificate)
    };
    sign(&mut fields, key, &certificate.to_pem());
    let kind = "application/x-www-form-urlencoded;charset=UTF-8".to_owned();
    let body = serde_urlencoded::to_string(&fields).unwrap_or_default();
    Message { headers: vec![("content-type", kind)], body: body.into_bytes() }
}
