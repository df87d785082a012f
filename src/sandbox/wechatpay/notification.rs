//! What the platform posts to `notify_url`.

use serde_json::json;

use super::answer::{TIME, refunded, sealed, transaction};
use super::call::{forged_signature, signature};
use crate::sandbox::book::Millis;
use crate::sandbox::keys::Credentials;
use crate::sandbox::notify::{Event, Message, Notice, Way};
use crate::sandbox::wire::china;

/// Seconds before each repeat, as WeChat Pay documents them; status 200 or 204 ends them.
pub(in crate::sandbox) const NOTIFY: Way = Way {
    schedule: &[15, 15, 30, 180, 600, 1_200, 1_800, 1_800, 1_800, 3_600, 10_800, 10_800, 10_800, 21_600, 21_600],
    message,
    acknowledged: |status, _| matches!(status, 200 | 204),
};

fn message(credentials: &Credentials, notice: &Notice, now: Millis) -> Message {
    let keys = &credentials.wechatpay;
    let trade = &notice.trade;
    let (original, event, summary, told) = match &notice.event {
        Event::Paid => ("transaction", "TRANSACTION.SUCCESS", "支付成功", transaction(keys, trade)),
        Event::Refunded(refund) => ("refund", "REFUND.SUCCESS", "退款成功", refunded(keys, trade, refund)),
    };
    let mut resource = sealed(&keys.api_v3_key, original, &told.to_string());
    resource["original_type"] = json!(original);
    let body = json!({
        "id": notice.id,
        "create_time": china(now, TIME),
        "resource_type": "encrypt-resource",
        "event_type": event,
        "summary": summary,
        "resource": resource,
    })
    .to_string();
    let serial = trade.notify_serial.as_ref().unwrap_or(&keys.platform_serial);
    let sign = if notice.forged { forged_signature } else { signature };
    let mut headers = vec![("content-type", "application/json".to_owned())];
    headers.extend(sign(keys, serial, body.as_bytes(), now));
    Message { headers, body: body.into_bytes() }
}
