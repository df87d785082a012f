//! A payment as the API tells it. Pure.

use jiff::Timestamp;

use super::wire::{
    AttemptView, ChannelView, CodeRuleView, NoticeView, PaymentView, RefundRulesView, RefundView, StoryStep,
};
use crate::engine::OpenChannel;
use crate::ledger::JournalRow;
use crate::payment::{Attempt, AttemptState, Payment, Refund, UnixMillis};

fn time(at: UnixMillis) -> Timestamp {
    Timestamp::from_millisecond(at).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The whole payment.
pub(super) fn payment(payment: &Payment) -> PaymentView {
    let leading = payment.leading_attempt();
    // A payment that is paid tells of no earlier refusal.
    let failure = if payment.paid_by.is_some() { None } else { payment.failure() };
    PaymentView {
        id: payment.id.clone(),
        state: payment.state,
        pending: payment.pending,
        amount: payment.amount.minor,
        currency: payment.amount.currency,
        description: payment.description.clone(),
        store: payment.store.clone(),
        till: payment.till.clone(),
        operator: payment.operator.clone(),
        training: payment.training,
        created_at: time(payment.created_at),
        changed_at: time(payment.changed_at),
        collect_until: time(payment.collect_until),
        channel: leading.map(|attempt| attempt.channel.clone()),
        out_trade_no: leading.map(|attempt| attempt.out_trade_no.clone()),
        provider_trade_no: leading.and_then(|attempt| attempt.provider_trade_no.clone()),
        payer: leading.and_then(|attempt| attempt.payer.clone()),
        paid_at: leading.and_then(|attempt| attempt.paid_at).map(time),
        reason: failure.map(|failure| failure.reason),
        reason_code: failure.map(|failure| failure.provider_code.clone()),
        reason_message: failure.map(|failure| failure.provider_message.clone()),
        attempts: payment.attempts.iter().map(attempt).collect(),
        refunds: payment.refunds.iter().map(refund).collect(),
        refunded: payment.refunded(),
        refundable: payment.refundable(),
        attention: payment.attention.clone(),
        version: payment.version,
    }
}

fn attempt(attempt: &Attempt) -> AttemptView {
    let failure = attempt.failure.as_ref();
    AttemptView {
        no: attempt.no,
        way: attempt.way,
        channel: attempt.channel.clone(),
        account: attempt.account.clone(),
        out_trade_no: attempt.out_trade_no.clone(),
        confirmed_by: attempt.confirmed_by,
        seen_by: attempt.seen_by.clone(),
        state: attempt.state,
        started_at: time(attempt.started_at),
        code: attempt.code.clone(),
        code_expires_at: attempt.code_expires_at.map(time),
        auth_code: attempt.auth_code_masked.clone(),
        provider_trade_no: attempt.provider_trade_no.clone(),
        payer: attempt.payer.clone(),
        paid_at: attempt.paid_at.map(time),
        reason: failure.map(|failure| failure.reason),
        reason_code: failure.map(|failure| failure.provider_code.clone()),
        reason_message: failure.map(|failure| failure.provider_message.clone()),
        surplus: matches!(
            attempt.state,
            AttemptState::SurplusRefunding | AttemptState::SurplusRefunded | AttemptState::SurplusOwed
        ),
        deferred: attempt.deferred,
    }
}

fn refund(refund: &Refund) -> RefundView {
    let failure = refund.failure.as_ref();
    RefundView {
        no: refund.no,
        attempt: refund.attempt,
        out_refund_no: refund.out_refund_no.clone(),
        amount: refund.amount.minor,
        reason: refund.reason.clone(),
        by: refund.by.clone(),
        by_hand: refund.by_hand,
        state: refund.state,
        started_at: time(refund.started_at),
        changed_at: time(refund.changed_at),
        failure: failure.map(|failure| failure.reason),
        failure_code: failure.map(|failure| failure.provider_code.clone()),
        failure_message: failure.map(|failure| failure.provider_message.clone()),
    }
}

/// A channel that is open, as its capability table has it.
pub(super) fn channel(open: OpenChannel) -> ChannelView {
    let table = open.capabilities;
    let rule = |rule: &crate::payment::CodeRule| CodeRuleView {
        first_prefix: *rule.prefixes.start(),
        last_prefix: *rule.prefixes.end(),
        min_length: *rule.lengths.start(),
        max_length: *rule.lengths.end(),
    };
    ChannelView {
        channel: open.channel,
        account: open.account,
        ways: table.ways,
        min_amount: *table.amount.start(),
        max_amount: *table.amount.end(),
        code_lifetime_seconds: table.code_lifetime.as_secs(),
        // No sale waits for what cannot be closed.
        closes_codes: !table.close_patience.is_zero(),
        training: open.training,
        currencies: table.currencies,
        confirmed_by: table.confirmed_by,
        code_rules: table.code_rules.iter().map(rule).collect(),
        refund: table
            .refund
            .map(|rules| RefundRulesView { window_seconds: rules.window.as_secs(), partial: rules.partial }),
    }
}

/// A row about no payment that a person has to look at.
pub(super) fn notice(row: &JournalRow) -> NoticeView {
    let text = |field: &str| row.payload.get(field).and_then(|value| value.as_str()).map(str::to_owned);
    NoticeView {
        seq: row.seq,
        at: time(row.at),
        kind: row.kind.clone(),
        detail: text("detail").unwrap_or_default(),
        channel: text("channel"),
        account: text("account"),
        out_trade_no: text("out_trade_no"),
    }
}

/// A step of its story. What identifies a customer's code beyond the mask stays in the books.
pub(super) fn step(row: JournalRow) -> StoryStep {
    let mut payload = row.payload;
    if let Some(fields) = payload.as_object_mut() {
        fields.remove("auth_code_mac");
    }
    StoryStep { seq: row.seq, at: time(row.at), actor: row.actor, kind: row.kind, payload }
}

/// Status 201 and the payment.
pub(super) fn created(of: &Payment) -> (u16, String) {
    (201, serde_json::to_string(&payment(of)).unwrap_or_default())
}

/// Status 200 and the payment.
pub(super) fn as_it_stands(of: &Payment) -> (u16, String) {
    (200, serde_json::to_string(&payment(of)).unwrap_or_default())
}
