//! What an answer means, call by call. Pure; the signature was checked before.

use super::answer::Body;
use super::credentials::Credentials;
use crate::channel::china_time;
use crate::channel::wechatpay::meaning::{self, of_refund_state};
use crate::channel::{CodeOutcome, Paid, PayOutcome, QueryOutcome, RefundOutcome, RefundRef, TradeRef, VoidOutcome};
use crate::money::Money;
use crate::payment::UnixMillis;

/// Whether the answer is about this trade and this merchant.
fn is_about(credentials: &Credentials, trade: &TradeRef, body: &Body) -> bool {
    body.text("out_trade_no") == trade.out_trade_no.as_str() && is_ours(credentials, body)
}

/// Whether nothing in it names another merchant.
pub(super) fn is_ours(credentials: &Credentials, body: &Body) -> bool {
    let same = |name: &str, own: &str| matches!(body.text(name), "") || body.text(name) == own;
    same("mchid", &credentials.mchid) && same("appid", &credentials.appid)
}

const OTHER_ORDER: &str = "the answer is about another order";

/// `POST /v3/pay/transactions/native`. Its answer names no order: the signature and its time bind it to ours.
pub(super) fn created(body: &Body) -> CodeOutcome {
    match body.text("code_url") {
        "" => CodeOutcome::Unknown("the answer has no code_url".into()),
        code => CodeOutcome::Shown { code: code.to_owned() },
    }
}

/// `POST /v3/pay/transactions/codepay`
pub(super) fn paid(credentials: &Credentials, trade: &TradeRef, body: &Body, now: UnixMillis) -> PayOutcome {
    meaning::submitted(body.text("trade_state"), queried(credentials, trade, body, now))
}

/// `GET /v3/pay/transactions/out-trade-no/{n}` and `.../id/{n}`
pub(super) fn queried(credentials: &Credentials, trade: &TradeRef, body: &Body, now: UnixMillis) -> QueryOutcome {
    if is_about(credentials, trade, body) { of_state(body, now) } else { QueryOutcome::Unknown(OTHER_ORDER.into()) }
}

/// What a `trade_state` means, in a query's answer and in a notification.
pub(super) fn of_state(body: &Body, now: UnixMillis) -> QueryOutcome {
    meaning::of_state(body.text("trade_state"), body.text("trade_state_desc"), || payment(body, now))
}

/// The payment that the answer tells of. `now` stands in where it does not say when.
fn payment(body: &Body, now: UnixMillis) -> Option<Paid> {
    let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let currency = text(body.inner_text("amount", "currency")).unwrap_or_else(|| "CNY".into());
    Some(Paid {
        provider_trade_no: text(body.text("transaction_id"))?,
        amount: Money::new(body.fen("total")?, currency.parse().ok()?),
        payer: meaning::masked(body.inner_text("payer", "openid")),
        paid_at: china_time::read_rfc3339(body.text("success_time")).unwrap_or(now),
    })
}

/// `close` answers 204; `reverse` names the order, and says not whether there was money to return.
pub(super) fn voided(credentials: &Credentials, trade: &TradeRef, body: &Body) -> VoidOutcome {
    if *body == Body::default() || is_about(credentials, trade, body) {
        VoidOutcome::Closed
    } else {
        VoidOutcome::Unknown(OTHER_ORDER.into())
    }
}

/// `POST /v3/refund/domestic/refunds` and its query.
pub(super) fn refunded(trade: &TradeRef, refund: &RefundRef, body: &Body) -> RefundOutcome {
    let amount = body.fen("refund");
    if body.text("out_trade_no") != trade.out_trade_no.as_str() || body.text("out_refund_no") != refund.out_refund_no {
        return RefundOutcome::Unknown("the answer is about another refund".into());
    }
    if amount.is_some_and(|fen| fen != refund.amount.minor) {
        return RefundOutcome::Unknown("the answer tells of a refund of another amount".into());
    }
    of_refund_state(body.text("status"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paid_is_believed_only_with_a_number_and_a_whole_amount() {
        let state = |text: &str| of_state(&Body::parse(text.as_bytes()).unwrap(), 7);
        let paid = state(r#"{"trade_state":"SUCCESS","transaction_id":"42","amount":{"total":1234},"payer":null}"#);
        let QueryOutcome::Paid(paid) = paid else { panic!("{paid:?}") };
        assert_eq!((paid.amount.minor, paid.paid_at), (1_234, 7));
        for text in [
            r#"{"trade_state":"SUCCESS","transaction_id":"42"}"#,
            r#"{"trade_state":"SUCCESS","amount":{"total":1234}}"#,
            r#"{"trade_state":"SUCCESS","transaction_id":"42","amount":{"total":12.34}}"#,
            r#"{"trade_state":"SUCCESS","transaction_id":"42","amount":{"total":"1234"}}"#,
            r#"{"trade_state":"SUCCESS","transaction_id":"42","amount":{"total":1234,"currency":"XYZ"}}"#,
            r#"{"trade_state":["SUCCESS"]}"#,
            "{}",
        ] {
            assert!(matches!(state(text), QueryOutcome::Unknown(_)), "{text}");
        }
    }
}
