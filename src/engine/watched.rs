//! A channel under watch: every call is counted, timed and told in the log, whoever makes it.

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use jiff::civil::Date;

use super::metrics::EngineMetrics;
use crate::channel::{
    AccountFault, AccountTest, Acknowledgement, Bill, BillError, BillKind, Capabilities, Channel, CodeOutcome,
    Notification, NotificationError, PayOutcome, QueryOutcome, RawNotification, RefundOutcome, RefundRef, TradeDetails,
    TradeRef, VoidOutcome,
};
use crate::payment::{AccountId, ChannelId, UnixMillis};

/// Tells of every call to the channel inside.
pub(super) struct Watched {
    pub channel: ChannelId,
    pub inside: Arc<dyn Channel>,
    pub metrics: Arc<EngineMetrics>,
}

impl Watched {
    /// Makes a call and tells of it. `number` is ours for what it is about; what came of it is told by its kind alone.
    async fn call<T>(
        &self,
        call: &str,
        number: &str,
        made: impl Future<Output = T>,
        kind: fn(&T) -> &'static str,
    ) -> T {
        let channel = self.channel.as_str();
        tracing::debug!(channel, account = %self.inside.account(), call, number, "asking the provider");
        let started = Instant::now();
        let outcome = made.await;
        let took = started.elapsed();
        self.metrics.calls.add([channel, call, kind(&outcome)], took);
        let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        tracing::info!(channel, account = %self.inside.account(), call, number, outcome = kind(&outcome), ms, "the provider was asked");
        outcome
    }
}

#[async_trait]
impl Channel for Watched {
    fn account(&self) -> &AccountId {
        self.inside.account()
    }

    fn capabilities(&self) -> &Capabilities {
        self.inside.capabilities()
    }

    async fn create_code(&self, trade: &TradeRef, details: &TradeDetails) -> CodeOutcome {
        let made = self.inside.create_code(trade, details);
        self.call("create_code", trade.out_trade_no.as_str(), made, |outcome| match outcome {
            CodeOutcome::Shown { .. } => "shown",
            CodeOutcome::Failed(_) => "failed",
            CodeOutcome::Unknown(_) => "unknown",
        })
        .await
    }

    async fn pay(&self, trade: &TradeRef, details: &TradeDetails, auth_code: &str) -> PayOutcome {
        let made = self.inside.pay(trade, details, auth_code);
        self.call("pay", trade.out_trade_no.as_str(), made, pay_kind).await
    }

    async fn query(&self, trade: &TradeRef) -> QueryOutcome {
        let made = self.inside.query(trade);
        self.call("query", trade.out_trade_no.as_str(), made, query_kind).await
    }

    async fn void(&self, trade: &TradeRef) -> VoidOutcome {
        let made = self.inside.void(trade);
        self.call("void", trade.out_trade_no.as_str(), made, |outcome| match outcome {
            VoidOutcome::Closed => "closed",
            VoidOutcome::Returned => "returned",
            VoidOutcome::AlreadyPaid => "already_paid",
            VoidOutcome::NotYet => "not_yet",
            VoidOutcome::Failed(_) => "failed",
            VoidOutcome::Unknown(_) => "unknown",
        })
        .await
    }

    async fn refund(&self, trade: &TradeRef, refund: &RefundRef) -> RefundOutcome {
        let made = self.inside.refund(trade, refund);
        self.call("refund", &refund.out_refund_no, made, refund_kind).await
    }

    async fn query_refund(&self, trade: &TradeRef, refund: &RefundRef) -> RefundOutcome {
        let made = self.inside.query_refund(trade, refund);
        self.call("query_refund", &refund.out_refund_no, made, refund_kind).await
    }

    async fn bill(&self, day: Date, kind: BillKind) -> Result<Bill, BillError> {
        let made = self.inside.bill(day, kind);
        self.call("bill", &day.to_string(), made, |bill| if bill.is_ok() { "bill" } else { "failed" }).await
    }

    fn read_bill(&self, kind: BillKind, file: &[u8]) -> Result<Bill, BillError> {
        self.inside.read_bill(kind, file)
    }

    async fn test(&self) -> AccountTest {
        let made = self.inside.test();
        self.call("test", "", made, |test| test.fault.map_or("good", AccountFault::name)).await
    }

    fn read_notification(&self, raw: &RawNotification, now: UnixMillis) -> Result<Notification, NotificationError> {
        self.inside.read_notification(raw, now)
    }

    fn acknowledge(&self, accepted: bool) -> Acknowledgement {
        self.inside.acknowledge(accepted)
    }
}

fn refund_kind(outcome: &RefundOutcome) -> &'static str {
    match outcome {
        RefundOutcome::Done => "done",
        RefundOutcome::Processing => "processing",
        RefundOutcome::Failed(_) => "failed",
        RefundOutcome::NotFound => "not_found",
        RefundOutcome::Unknown(_) => "unknown",
    }
}

fn pay_kind(outcome: &PayOutcome) -> &'static str {
    match outcome {
        PayOutcome::Paid(_) => "paid",
        PayOutcome::CustomerConfirming => "customer_confirming",
        PayOutcome::Failed(_) => "failed",
        PayOutcome::Unknown(_) => "unknown",
    }
}

fn query_kind(outcome: &QueryOutcome) -> &'static str {
    match outcome {
        QueryOutcome::Paid(_) => "paid",
        QueryOutcome::AwaitingCustomer => "awaiting_customer",
        QueryOutcome::CustomerConfirming => "customer_confirming",
        QueryOutcome::NotFound => "not_found",
        QueryOutcome::Failed(_) => "failed",
        QueryOutcome::Closed => "closed",
        QueryOutcome::Returned => "returned",
        QueryOutcome::SomeReturned(_) => "some_returned",
        QueryOutcome::Unknown(_) => "unknown",
    }
}
