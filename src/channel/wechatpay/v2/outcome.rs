//! What a believed answer means, call by call. Pure.

use super::xml::Message;
use crate::channel::china_time;
use crate::channel::wechatpay::meaning::{self, of_refund_state};
use crate::channel::{CodeOutcome, Paid, PayOutcome, QueryOutcome, RefundOutcome, RefundRef, TradeRef, VoidOutcome};
use crate::money::Money;
use crate::payment::UnixMillis;

const OTHER_ORDER: &str = "the answer is about another order";
/// An order has no more refunds than this, and an answer shows no more.
const MAX_REFUNDS: usize = 50;

fn is_about(trade: &TradeRef, message: &Message) -> bool {
    message.text("out_trade_no") == trade.out_trade_no.as_str()
}

/// `/pay/unifiedorder`. Its answer names no order: the connection binds it to ours.
pub(super) fn created(message: &Message) -> CodeOutcome {
    match message.text("code_url") {
        "" => CodeOutcome::Unknown("the answer has no code_url".into()),
        code => CodeOutcome::Shown { code: code.to_owned() },
    }
}

/// `/pay/micropay`: it says SUCCESS when the money was taken.
pub(super) fn paid(trade: &TradeRef, message: &Message, now: UnixMillis) -> PayOutcome {
    if !is_about(trade, message) {
        return PayOutcome::Unknown(OTHER_ORDER.into());
    }
    meaning::submitted("SUCCESS", meaning::of_state("SUCCESS", "", || payment(message, now)))
}

/// `/pay/orderquery`
pub(super) fn queried(trade: &TradeRef, message: &Message, now: UnixMillis) -> QueryOutcome {
    if !is_about(trade, message) {
        return QueryOutcome::Unknown(OTHER_ORDER.into());
    }
    meaning::of_state(message.text("trade_state"), message.text("trade_state_desc"), || payment(message, now))
}

/// The payment that a message tells of. `now` stands in where it does not say when.
pub(super) fn payment(message: &Message, now: UnixMillis) -> Option<Paid> {
    let currency = match message.text("fee_type") {
        "" => "CNY",
        currency => currency,
    };
    Some(Paid {
        provider_trade_no: Some(message.text("transaction_id").to_owned()).filter(|number| !number.is_empty())?,
        amount: Money::new(message.fen("total_fee")?, currency.parse().ok()?),
        payer: meaning::masked(message.text("openid")),
        paid_at: china_time::read_compact(message.text("time_end")).unwrap_or(now),
    })
}

/// `/pay/closeorder` and `/secapi/pay/reverse`, which both name the merchant alone.
pub(super) fn voided(message: &Message) -> VoidOutcome {
    match message.text("recall") {
        "Y" => VoidOutcome::Unknown("WeChat Pay wants the order reversed again".into()),
        _ => VoidOutcome::Closed,
    }
}

/// `/secapi/pay/refund`: it says SUCCESS when the refund was taken on; the query tells what became of it.
pub(super) fn refunded(trade: &TradeRef, refund: &RefundRef, message: &Message) -> RefundOutcome {
    let is_ours = is_about(trade, message) && message.text("out_refund_no") == refund.out_refund_no;
    if !is_ours || message.fen("refund_fee") != Some(refund.amount.minor) {
        return RefundOutcome::Unknown("the answer is about another refund".into());
    }
    RefundOutcome::Processing
}

/// `/pay/refundquery`
pub(super) fn refund_queried(trade: &TradeRef, refund: &RefundRef, message: &Message) -> RefundOutcome {
    if !is_about(trade, message) {
        return RefundOutcome::Unknown(OTHER_ORDER.into());
    }
    let index = (0..MAX_REFUNDS).find(|index| message.text(&format!("out_refund_no_{index}")) == refund.out_refund_no);
    let Some(index) = index else { return RefundOutcome::Unknown("the answer does not tell of the refund".into()) };
    if message.fen(&format!("refund_fee_{index}")) != Some(refund.amount.minor) {
        return RefundOutcome::Unknown("the answer tells of a refund of another amount".into());
    }
    of_refund_state(message.text(&format!("refund_status_{index}")))
}
