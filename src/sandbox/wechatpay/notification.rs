//! What the platform posts to `notify_url`: sealed and signed by APIv3, in XML by APIv2.

use serde_json::{Value, json};

use super::answer::{TIME, refund_told, sealed, transaction};
use super::platform::Hand;
use super::settling::RefundStatus;
use super::v2;
use crate::crypto::random_bytes;
use crate::sandbox::book::{Millis, Trade};
use crate::sandbox::keys::{Credentials, WechatpayKeys};
use crate::sandbox::notify::{Event, Message, Notice, Way};
use crate::sandbox::wire::china;

/// Seconds before each repeat, as WeChat Pay documents them.
pub(in crate::sandbox) const NOTIFY: Way = Way {
    schedule: &[15, 15, 30, 180, 600, 1_200, 1_800, 1_800, 1_800, 3_600, 10_800, 10_800, 10_800, 21_600, 21_600],
    message,
    acknowledged,
};

fn acknowledged(notice: &Notice, status: u16, body: &[u8]) -> bool {
    match v2::is_told(notice) {
        true => v2::acknowledged(status, body),
        false => matches!(status, 200 | 204),
    }
}

fn message(credentials: &Credentials, notice: &Notice, now: Millis) -> Message {
    let keys = &credentials.wechatpay;
    if v2::is_told(notice) {
        return v2::message(keys, notice, now);
    }
    let trade = &notice.trade;
    let (original, event, summary, told) = match &notice.event {
        Event::Paid => ("transaction", "TRANSACTION.SUCCESS", "支付成功", transaction(keys, trade)),
        Event::Refunded(refund) => {
            let (event, summary) = match RefundStatus::of(refund, Millis::MAX) {
                RefundStatus::Abnormal => ("REFUND.ABNORMAL", "退款异常"),
                _ => ("REFUND.SUCCESS", "退款成功"),
            };
            ("refund", event, summary, refund_told(keys, trade, refund, Millis::MAX))
        }
    };
    let body = envelope(keys, &notice.id, original, event, summary, &told, now);
    signed(keys, trade, body, now, if notice.forged { Hand::Forged } else { Hand::Own })
}

fn envelope(
    keys: &WechatpayKeys,
    id: &str,
    original: &str,
    event: &str,
    summary: &str,
    told: &Value,
    now: Millis,
) -> String {
    let mut resource = sealed(&keys.api_v3_key, original, &told.to_string());
    resource["original_type"] = json!(original);
    json!({
        "id": id,
        "create_time": china(now, TIME),
        "resource_type": "encrypt-resource",
        "event_type": event,
        "summary": summary,
        "resource": resource,
    })
    .to_string()
}

/// A merchant who named the public key is told by it, every other by the newest certificate.
fn signed(keys: &WechatpayKeys, trade: &Trade, body: String, now: Millis, hand: Hand) -> Message {
    let by_public_key = trade.notify_serial.as_deref().filter(|serial| *serial == keys.platform.public_key_id());
    let mut headers = vec![("content-type", "application/json".to_owned())];
    headers.extend(keys.platform.sign(by_public_key.unwrap_or_default(), body.as_bytes(), now, hand));
    headers.push(("user-agent", "Mozilla/4.0".to_owned()));
    Message { headers, body: body.into_bytes() }
}

/// A notification that must be refused: it tells of a payment that never was, and its signature is none.
pub(super) fn probe(credentials: &Credentials, now: Millis) -> Message {
    let keys = &credentials.wechatpay;
    let told = json!({
        "appid": keys.appid, "mchid": keys.mchid, "out_trade_no": "signtest", "trade_state": "SUCCESS",
        "transaction_id": "4200000000000000000000000000", "amount": { "total": 1, "currency": "CNY" },
    });
    let id = hex::encode(random_bytes::<16>());
    let body = envelope(keys, &id, "transaction", "TRANSACTION.SUCCESS", "支付成功", &told, now);
    let mut headers = vec![("content-type", "application/json".to_owned())];
    headers.extend(keys.platform.sign("", body.as_bytes(), now, Hand::Probe));
    Message { headers, body: body.into_bytes() }
}
