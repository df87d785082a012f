//! What the platform posts to `notify_url`.

use serde_json::json;

use super::answer::{TIME, sealed, transaction};
use crate::sandbox::book::{Millis, Trade};
use crate::sandbox::keys::Credentials;
use crate::sandbox::wire::china;

/// The body that tells that a trade was paid.
pub(in crate::sandbox) fn body(credentials: &Credentials, trade: &Trade, id: &str, now: Millis) -> String {
    let mut resource = sealed(&credentials.api_v3_key, "transaction", &transaction(credentials, trade).to_string());
    resource["original_type"] = json!("transaction");
    json!({
        "id": id,
        "create_time": china(now, TIME),
        "resource_type": "encrypt-resource",
        "event_type": "TRANSACTION.SUCCESS",
        "summary": "支付成功",
        "resource": resource,
    })
    .to_string()
}
