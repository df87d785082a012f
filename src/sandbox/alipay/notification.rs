//! What the gateway posts to `notify_url`. Pure.

use std::collections::BTreeMap;

use super::answer::{TIME, payer, status};
use crate::sandbox::book::{Millis, Trade};
use crate::sandbox::keys::Credentials;
use crate::sandbox::wire::{china, yuan};

/// The signed form that tells how a trade stands: the signature covers all but `sign` and `sign_type`.
pub(in crate::sandbox) fn form(credentials: &Credentials, trade: &Trade, id: &str, now: Millis) -> String {
    let mut fields = BTreeMap::from([
        ("notify_id", id.to_owned()),
        ("notify_time", china(now, TIME)),
        ("notify_type", "trade_status_sync".to_owned()),
        ("app_id", credentials.app_id.clone()),
        ("auth_app_id", credentials.app_id.clone()),
        ("seller_id", credentials.seller_id.clone()),
        ("charset", "utf-8".to_owned()),
        ("version", "1.0".to_owned()),
        ("out_trade_no", trade.out_trade_no.clone()),
        ("trade_no", trade.provider_trade_no.clone()),
        ("trade_status", status(trade).to_owned()),
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
    if let Some(attach) = &trade.attach {
        fields.insert("passback_params", attach.clone());
    }
    let content: Vec<_> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let sign = credentials.alipay.sign_base64(content.join("&").as_bytes()).unwrap_or_default();
    fields.insert("sign_type", "RSA2".to_owned());
    fields.insert("sign", sign);
    serde_urlencoded::to_string(&fields).unwrap_or_default()
}
