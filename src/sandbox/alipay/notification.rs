//! What the gateway posts to `notify_url`. Pure.

use std::collections::BTreeMap;

use super::answer::{TIME, payer, status};
use crate::sandbox::book::Millis;
use crate::sandbox::keys::Credentials;
use crate::sandbox::notify::{Event, Message, Notice, Way};
use crate::sandbox::wire::{china, yuan};

/// Seconds before each repeat, as Alipay documents them; the word `success` ends them.
pub(in crate::sandbox) const NOTIFY: Way = Way {
    schedule: &[240, 600, 600, 3_600, 7_200, 21_600, 54_000],
    message,
    acknowledged: |_, _, body| body.trim_ascii() == b"success",
};

fn message(credentials: &Credentials, notice: &Notice, now: Millis) -> Message {
    let kind = "application/x-www-form-urlencoded; charset=utf-8".to_owned();
    Message { headers: vec![("content-type", kind)], body: form(credentials, notice, now).into_bytes() }
}

/// The signed form that tells how a trade stands: the signature covers all but `sign` and `sign_type`.
fn form(credentials: &Credentials, notice: &Notice, now: Millis) -> String {
    let credentials = &credentials.alipay;
    let trade = &notice.trade;
    let mut fields = BTreeMap::from([
        ("notify_id", notice.id.clone()),
        ("notify_time", china(now, TIME)),
        ("notify_type", "trade_status_sync".to_owned()),
        ("app_id", credentials.app_id.clone()),
        ("auth_app_id", credentials.app_id.clone()),
        ("seller_id", credentials.seller_id.clone()),
        ("charset", "utf-8".to_owned()),
        ("version", "1.0".to_owned()),
        ("out_trade_no", trade.out_trade_no.clone()),
        ("trade_no", trade.provider_trade_no.clone()),
        ("trade_status", status(trade, now).to_owned()),
        ("subject", trade.subject.clone()),
        ("total_amount", yuan(trade.amount)),
        ("receipt_amount", yuan(trade.amount)),
        ("buyer_pay_amount", yuan(trade.amount)),
        ("invoice_amount", yuan(trade.amount)),
        ("point_amount", "0.00".to_owned()),
        ("fund_bill_list", format!("[{{\"amount\":\"{}\",\"fundChannel\":\"ALIPAYACCOUNT\"}}]", yuan(trade.amount))),
        ("gmt_create", china(trade.created_at, TIME)),
        ("gmt_payment", china(trade.paid_at.unwrap_or(now), TIME)),
    ]);
    for (name, value) in payer(trade) {
        fields.insert(if name == "buyer_user_id" { "buyer_id" } else { name }, value.to_owned());
    }
    if let Event::Refunded(refund) = &notice.event {
        fields.insert("refund_fee", yuan(trade.refunded));
        fields.insert("gmt_refund", china(refund.at, "%Y-%m-%d %H:%M:%S%.3f"));
        fields.insert("out_biz_no", refund.out_refund_no.clone());
        if trade.refunded >= trade.amount {
            fields.insert("gmt_close", china(refund.at, TIME));
        }
    }
    if let Some(attach) = &trade.attach {
        fields.insert("passback_params", attach.clone());
    }
    let content: Vec<_> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let key = if notice.forged { &credentials.app } else { &credentials.alipay };
    let sign = key.sign_base64(content.join("&").as_bytes()).unwrap_or_default();
    fields.insert("sign_type", "RSA2".to_owned());
    fields.insert("sign", sign);
    serde_urlencoded::to_string(&fields).unwrap_or_default()
}
