//! What the platform says of a trade and of its refunds by APIv2. Pure.

use super::super::answer::{RECEIVED_BY, openid, state, trade_type};
use super::super::settling::RefundStatus;
use crate::sandbox::book::{Millis, Refund, Trade};
use crate::sandbox::wire::china;

const TIME: &str = "%Y%m%d%H%M%S";
const REFUND_TIME: &str = "%Y-%m-%d %H:%M:%S";
/// Refunds come out of what the merchant has not been paid out yet.
const FUNDS: &str = "REFUND_SOURCE_RECHARGE_FUNDS";
/// So many refunds of one order are told at once.
pub(super) const PAGE: usize = 10;

type Fields = Vec<(&'static str, String)>;

/// A paid trade; what one that is not paid lacks is left out.
pub(super) fn trade(trade: &Trade) -> Fields {
    let mut told = vec![
        ("trade_type", trade_type(trade).to_owned()),
        ("total_fee", trade.amount.to_string()),
        ("fee_type", "CNY".to_owned()),
        ("out_trade_no", trade.out_trade_no.clone()),
        ("attach", trade.attach.clone().unwrap_or_default()),
    ];
    if let Some(paid_at) = trade.paid_at {
        told.extend([
            ("openid", openid(trade).to_owned()),
            ("is_subscribe", "N".to_owned()),
            ("bank_type", "OTHERS".to_owned()),
            ("cash_fee", trade.amount.to_string()),
            ("cash_fee_type", "CNY".to_owned()),
            ("transaction_id", trade.provider_trade_no.clone()),
            ("time_end", china(paid_at, TIME)),
        ]);
    }
    told
}

/// The same with where it stands, as a query wants it.
pub(super) fn queried(of: &Trade) -> Fields {
    let (trade_state, desc) = state(of);
    let mut told = trade(of);
    told.extend([("trade_state", trade_state.to_owned()), ("trade_state_desc", desc.to_owned())]);
    told
}

/// `POST /pay/unifiedorder`
pub(super) fn shown(trade: &Trade, now: Millis) -> Fields {
    vec![
        ("trade_type", trade_type(trade).to_owned()),
        ("prepay_id", format!("wx{}{}", china(now, TIME), trade.provider_trade_no.get(..22).unwrap_or_default())),
        ("code_url", trade.payload.clone().unwrap_or_default()),
    ]
}

/// `POST /secapi/pay/refund`
pub(super) fn refunded(trade: &Trade, refund: &Refund) -> Fields {
    vec![
        ("transaction_id", trade.provider_trade_no.clone()),
        ("out_trade_no", trade.out_trade_no.clone()),
        ("out_refund_no", refund.out_refund_no.clone()),
        ("refund_id", refund.refund_id.clone()),
        ("refund_channel", "ORIGINAL".to_owned()),
        ("refund_fee", refund.amount.to_string()),
        ("settlement_refund_fee", refund.amount.to_string()),
        ("total_fee", trade.amount.to_string()),
        ("settlement_total_fee", trade.amount.to_string()),
        ("fee_type", "CNY".to_owned()),
        ("cash_fee", trade.amount.to_string()),
        ("cash_refund_fee", refund.amount.to_string()),
        ("coupon_refund_fee", "0".to_owned()),
        ("coupon_refund_count", "0".to_owned()),
    ]
}

/// This interface's word for a refund that nobody's account takes.
fn status_name(status: RefundStatus) -> &'static str {
    if status == RefundStatus::Abnormal { "CHANGE" } else { status.name() }
}

/// `POST /pay/refundquery`: a page of an order's refunds.
pub(super) fn refunds(trade: &Trade, page: &[&Refund], now: Millis) -> Vec<(String, String)> {
    let mut told: Vec<(String, String)> = [
        ("transaction_id", trade.provider_trade_no.clone()),
        ("out_trade_no", trade.out_trade_no.clone()),
        ("total_fee", trade.amount.to_string()),
        ("settlement_total_fee", trade.amount.to_string()),
        ("fee_type", "CNY".to_owned()),
        ("cash_fee", trade.amount.to_string()),
        ("total_refund_count", trade.refunds.len().to_string()),
        ("refund_count", page.len().to_string()),
        ("refund_fee", page.iter().map(|refund| refund.amount).sum::<i64>().to_string()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    for (index, refund) in page.iter().enumerate() {
        let status = RefundStatus::of(refund, now);
        let mut one = vec![
            ("out_refund_no", refund.out_refund_no.clone()),
            ("refund_id", refund.refund_id.clone()),
            ("refund_channel", "ORIGINAL".to_owned()),
            ("refund_fee", refund.amount.to_string()),
            ("settlement_refund_fee", refund.amount.to_string()),
            ("refund_status", status_name(status).to_owned()),
            ("refund_account", FUNDS.to_owned()),
            ("refund_recv_accout", RECEIVED_BY.to_owned()),
        ];
        if let RefundStatus::Success { at } = status {
            one.push(("refund_success_time", china(at, REFUND_TIME)));
        }
        told.extend(one.into_iter().map(|(name, value)| (format!("{name}_{index}"), value)));
    }
    told
}

/// What a refund's notification tells under its wrapping.
pub(super) fn refund_told(trade: &Trade, refund: &Refund) -> Vec<(String, String)> {
    let status = RefundStatus::of(refund, Millis::MAX);
    let at = match status {
        RefundStatus::Success { at } => china(at, REFUND_TIME),
        _ => String::new(),
    };
    [
        ("out_refund_no", refund.out_refund_no.clone()),
        ("out_trade_no", trade.out_trade_no.clone()),
        ("refund_account", FUNDS.to_owned()),
        ("refund_fee", refund.amount.to_string()),
        ("refund_id", refund.refund_id.clone()),
        ("refund_recv_accout", RECEIVED_BY.to_owned()),
        ("refund_request_source", "API".to_owned()),
        ("refund_status", status_name(status).to_owned()),
        ("settlement_refund_fee", refund.amount.to_string()),
        ("settlement_total_fee", trade.amount.to_string()),
        ("success_time", at),
        ("total_fee", trade.amount.to_string()),
        ("transaction_id", trade.provider_trade_no.clone()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}
