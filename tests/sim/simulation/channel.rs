//! A channel of one process: the network between it and a provider.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use scantill::channel::{
    AccountTest, Acknowledgement, Bill, BillError, BillKind, Capabilities, Channel, CodeOutcome, ConfirmedBy,
    MerchantAccount, Notification, NotificationError, PayOutcome, QueryOutcome, RawNotification, RefundOutcome,
    RefundRef, RefundRules, TimingOverrides, TradeDetails, TradeRef, VoidOutcome,
};
use scantill::crypto::{AlgorithmPolicy, Secret};
use scantill::money::Currency;
use scantill::payment::{AccountId, ChannelId, CodeRule, UnixMillis, Way};
use scantill::sandbox::book::Provider;
use tokio::sync::oneshot;

use super::life::Life;
use super::notices;
use super::providers::Providers;
use super::world::{Fault, World};

/// A request is at its provider, or never will be, so soon after it left.
const ARRIVES_WITHIN: i64 = 9_500;

pub struct Line {
    world: Arc<World>,
    providers: Arc<Providers>,
    life: Arc<Life>,
    who: Provider,
    account: AccountId,
    capabilities: Capabilities,
}

/// The channel's table, with the real channels' numbers.
fn capabilities(who: Provider) -> Capabilities {
    let channel: ChannelId = who.name().parse().unwrap();
    let seconds = Duration::from_secs;
    let (confirm_patience, query_interval, shown_query_interval, void_not_before, close_patience, void_days) = match who
    {
        Provider::Alipay => (35, 3, 2, 0, 10, 1),
        Provider::Wechatpay => (45, 5, 2, 15, 10, 7),
        Provider::Unionpay => (60, 3, 4, 0, 0, 1),
    };
    Capabilities {
        code_rules: CodeRule::published().into_iter().filter(|rule| rule.channel == channel).collect(),
        channel,
        ways: vec![Way::MerchantPresented, Way::ConsumerPresented],
        currencies: vec![Currency::CNY],
        confirmed_by: ConfirmedBy::Provider,
        notifies: true,
        amount: 1..=10_000_000_000,
        code_lifetime: seconds(120),
        code_grace: seconds(60),
        confirm_patience: seconds(confirm_patience),
        query_interval: seconds(query_interval),
        shown_query_interval: seconds(shown_query_interval),
        void_not_before: seconds(void_not_before),
        void_window: seconds(void_days * 24 * 3_600),
        close_patience: seconds(close_patience),
        refund: Some(RefundRules { window: seconds(300 * 24 * 3_600), partial: true }),
        bill: None,
        request_timeout: seconds(10),
    }
}

/// Every account of the shop, with its channel as a process opens it.
pub fn open_all(providers: &Arc<Providers>, life: &Arc<Life>) -> Vec<(MerchantAccount, Arc<dyn Channel>)> {
    let open = |who: Provider| {
        let account: AccountId = who.name().parse().unwrap();
        let line = Line {
            world: providers.world.clone(),
            providers: providers.clone(),
            life: life.clone(),
            who,
            account: account.clone(),
            capabilities: capabilities(who),
        };
        let account = MerchantAccount {
            id: account,
            channel: line.capabilities.channel.clone(),
            name: who.title().into(),
            base_url: "sim".into(),
            training: false,
            enabled: true,
            notify_base_url: Some("sim".into()),
            timing: TimingOverrides::default(),
            stores: Vec::new(),
            algorithms: AlgorithmPolicy::default(),
            retiring: None,
            credentials: Secret::new("{}".into()),
        };
        (account, Arc::new(line) as Arc<dyn Channel>)
    };
    Provider::ALL.into_iter().map(open).collect()
}

impl Line {
    /// One request and its answer.
    async fn exchange<T: std::fmt::Debug + Send + 'static>(
        &self,
        call: &'static str,
        trade: &TradeRef,
        unknown: fn(String) -> T,
        act: impl Fn(&Arc<Providers>) -> T + Send + Sync + 'static,
    ) -> T {
        // A process that dies here has sent nothing.
        self.life.pass().await;
        self.providers.asks(&self.life, trade.out_trade_no.as_str());
        let (world, who) = (self.world.clone(), self.who);
        let timeout = i64::try_from(self.capabilities.request_timeout.as_millis()).unwrap();
        let answer = async {
            if self.providers.is_down(who) {
                world.count(Fault::RequestLost);
                world.pass(world.some(10, timeout)).await;
                return unknown("the provider cannot be reached".into());
            }
            if world.hit(Fault::RequestLost) {
                world.pass(timeout).await;
                return unknown("no answer in time".into());
            }
            let (sender, receiver) = oneshot::channel();
            let out = if world.hit(Fault::RequestSlow) { world.some(500, ARRIVES_WITHIN) } else { world.some(5, 120) };
            let (providers, busy, world) = (self.providers.clone(), world.busy(), world.clone());
            // What has left goes on though the process may die.
            tokio::spawn(async move {
                let _busy = busy;
                world.pass(out).await;
                let answer = if world.hit(Fault::ServerError) {
                    unknown("502".into())
                } else {
                    let answer = act(&providers);
                    if world.hit(Fault::UnknownDone) { unknown("SYSTEM_ERROR".into()) } else { answer }
                };
                let back =
                    if world.hit(Fault::AnswerSlow) { world.some(500, timeout + 2_000) } else { world.some(5, 120) };
                if world.hit(Fault::RequestTwice) {
                    let busy = world.busy();
                    let world = world.clone();
                    tokio::spawn(async move {
                        let _busy = busy;
                        world.pass(world.some(0, ARRIVES_WITHIN - out)).await;
                        act(&providers);
                    });
                }
                if world.hit(Fault::AnswerLost) {
                    // The connection breaks, or nothing more comes.
                    let silent = world.dice(|dice| dice.percent(50));
                    world.pass(if silent { timeout } else { back }).await;
                    return;
                }
                world.pass(back).await;
                let _ = sender.send(answer);
            });
            tokio::select! {
                biased;
                answer = receiver => answer.unwrap_or_else(|_| unknown("the connection broke".into())),
                () = self.world.pass(timeout) => unknown("no answer in time".into()),
            }
        }
        .await;
        self.life.pass().await;
        self.world.tell(format_args!("{} {call} {}: {answer:?}", who.name(), trade.out_trade_no));
        answer
    }
}

#[async_trait]
impl Channel for Line {
    fn account(&self) -> &AccountId {
        &self.account
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    async fn create_code(&self, trade: &TradeRef, details: &TradeDetails) -> CodeOutcome {
        let (who, order, details) = (self.who, trade.clone(), details.clone());
        self.exchange("create_code", trade, CodeOutcome::Unknown, move |providers| {
            providers.create_code(who, &order, &details)
        })
        .await
    }

    async fn pay(&self, trade: &TradeRef, details: &TradeDetails, auth_code: &str) -> PayOutcome {
        let (who, order, details, code) = (self.who, trade.clone(), details.clone(), auth_code.to_owned());
        self.exchange("pay", trade, PayOutcome::Unknown, move |providers| providers.pay(who, &order, &details, &code))
            .await
    }

    async fn query(&self, trade: &TradeRef) -> QueryOutcome {
        let (who, order) = (self.who, trade.clone());
        self.exchange("query", trade, QueryOutcome::Unknown, move |providers| providers.query(who, &order)).await
    }

    async fn void(&self, trade: &TradeRef) -> VoidOutcome {
        let (who, order) = (self.who, trade.clone());
        self.exchange("void", trade, VoidOutcome::Unknown, move |providers| providers.void(who, &order)).await
    }

    async fn refund(&self, trade: &TradeRef, refund: &RefundRef) -> RefundOutcome {
        let (who, order, refund) = (self.who, trade.clone(), refund.clone());
        self.exchange("refund", trade, RefundOutcome::Unknown, move |providers| providers.refund(who, &order, &refund))
            .await
    }

    async fn query_refund(&self, trade: &TradeRef, refund: &RefundRef) -> RefundOutcome {
        let (who, order, refund) = (self.who, trade.clone(), refund.clone());
        self.exchange("query_refund", trade, RefundOutcome::Unknown, move |providers| {
            providers.query_refund(who, &order, &refund)
        })
        .await
    }

    async fn bill(&self, _: jiff::civil::Date, _: BillKind) -> Result<Bill, BillError> {
        Err(BillError::Unsupported)
    }

    fn read_bill(&self, _: BillKind, _: &[u8]) -> Result<Bill, BillError> {
        Err(BillError::Unsupported)
    }

    async fn test(&self) -> AccountTest {
        AccountTest::good()
    }

    fn read_notification(&self, raw: &RawNotification, _: UnixMillis) -> Result<Notification, NotificationError> {
        notices::read(raw)
    }

    fn acknowledge(&self, accepted: bool) -> Acknowledgement {
        Acknowledgement { status: if accepted { 200 } else { 500 }, content_type: "text/plain", body: String::new() }
    }
}
