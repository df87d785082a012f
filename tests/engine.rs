//! The engine takes every payment to the end that the provider's books show, whatever is lost on the way.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use proptest::prelude::*;
use scantill::channel::{
    AccountTest, Acknowledgement, Bill, BillError, BillKind, Capabilities, Channel, CodeOutcome, ConfirmedBy,
    MerchantAccount, Notification, NotificationError, Paid, PayOutcome, QueryOutcome, RawNotification, RefundOutcome,
    RefundRef, RefundRules, TimingOverrides, Told, TradeDetails, TradeRef, VoidOutcome,
};
use scantill::crypto::{AlgorithmPolicy, Secret};
use scantill::engine::{Answered, Engine, EngineConfig, EngineError, NewPayment};
use scantill::ledger::{BusinessCalendar, Ledger, LedgerConfig, TakingsQuery};
use scantill::money::{Currency, Money};
use scantill::payment::{
    AccountId, AttemptState, ChannelId, CodeRule, Failure, FailureReason, Payment, PaymentId, PaymentState, UnixMillis,
    Way,
};
use zeroize::Zeroizing;

const PATIENCE: Duration = Duration::from_secs(20);
const SECOND: Duration = Duration::from_secs(1);

/// What a provider does with one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Plan {
    /// As it should.
    Fine,
    /// The request never arrives.
    RequestLost,
    /// It is carried out, and the answer is lost.
    AnswerLost,
    /// A payment waits for the customer.
    Ask,
    /// A payment is refused.
    Refuse,
}

#[derive(Debug, Clone, Default)]
struct Trade {
    paid: i64,
    returned: i64,
    waiting: bool,
    closed: bool,
    shown: bool,
}

/// A tiny honest provider: money moves or it does not, and it never forgets.
#[derive(Default)]
struct Provider {
    trades: HashMap<String, Trade>,
    plans: HashMap<&'static str, VecDeque<Plan>>,
    calls: Vec<(&'static str, String)>,
    refunds: Vec<String>,
    wrong_amount: bool,
    void_returns: bool,
}

impl Provider {
    fn begin(&mut self, call: &'static str, trade: &TradeRef) -> Plan {
        self.calls.push((call, trade.out_trade_no.to_string()));
        self.plans.get_mut(call).and_then(VecDeque::pop_front).unwrap_or(Plan::Fine)
    }

    /// What customers paid less what they got back.
    fn taken(&self) -> i64 {
        self.trades.values().map(|trade| trade.paid - trade.returned).sum()
    }

    fn customer_pays(&mut self, out_trade_no: &str, amount: i64) -> bool {
        let Some(trade) = self.trades.get_mut(out_trade_no) else { return false };
        let may = !trade.closed && trade.paid == 0 && (trade.shown || trade.waiting);
        if may {
            trade.paid = amount;
            trade.waiting = false;
        }
        may
    }
}

#[derive(Clone)]
struct Fake {
    provider: Arc<Mutex<Provider>>,
    account: AccountId,
    capabilities: Capabilities,
}

fn lost<T>(outcome: fn(String) -> T) -> T {
    outcome("the connection broke".into())
}

impl Fake {
    fn new(channel: &ChannelId) -> Self {
        let ms = Duration::from_millis;
        let code_rules = CodeRule::published().into_iter().filter(|rule| rule.channel == *channel).collect();
        let capabilities = Capabilities {
            channel: channel.clone(),
            ways: vec![Way::MerchantPresented, Way::ConsumerPresented],
            code_rules,
            currencies: vec![Currency::CNY],
            confirmed_by: ConfirmedBy::Provider,
            notifies: true,
            amount: 1..=1_000_000,
            code_lifetime: ms(60_000),
            code_grace: ms(200),
            confirm_patience: ms(300),
            query_interval: ms(20),
            shown_query_interval: ms(20),
            void_not_before: ms(0),
            void_window: ms(60_000),
            close_patience: ms(400),
            refund: Some(RefundRules { window: ms(60_000), partial: true }),
            bill: None,
            request_timeout: ms(60),
        };
        Self { provider: Arc::default(), account: channel.as_str().parse().unwrap(), capabilities }
    }

    fn plan(&self, call: &'static str, plans: &[Plan]) {
        self.provider.lock().unwrap().plans.insert(call, plans.iter().copied().collect());
    }

    fn paid(&self, trade: &TradeRef, minor: i64) -> Paid {
        let wrong = self.provider.lock().unwrap().wrong_amount;
        let amount = Money::new(if wrong { minor + 1 } else { minor }, trade.amount.currency);
        Paid { provider_trade_no: format!("P{}", trade.out_trade_no), amount, payer: Some("l***n".into()), paid_at: 1 }
    }

    fn account(&self) -> MerchantAccount {
        MerchantAccount {
            id: self.account.clone(),
            channel: self.capabilities.channel.clone(),
            name: "fake".into(),
            base_url: "http://127.0.0.1:1".into(),
            training: false,
            enabled: true,
            notify_base_url: None,
            timing: TimingOverrides::default(),
            stores: Vec::new(),
            algorithms: AlgorithmPolicy::default(),
            retiring: None,
            credentials: Secret::new("{}".into()),
        }
    }
}

#[async_trait]
impl Channel for Fake {
    fn account(&self) -> &AccountId {
        &self.account
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    async fn create_code(&self, trade: &TradeRef, _: &TradeDetails) -> CodeOutcome {
        let mut provider = self.provider.lock().unwrap();
        let plan = provider.begin("create", trade);
        if plan == Plan::RequestLost {
            return lost(CodeOutcome::Unknown);
        }
        if plan == Plan::Refuse {
            return CodeOutcome::Failed(Failure::new(FailureReason::MerchantAccount));
        }
        provider.trades.insert(trade.out_trade_no.to_string(), Trade { shown: true, ..Trade::default() });
        match plan {
            Plan::AnswerLost => lost(CodeOutcome::Unknown),
            _ => CodeOutcome::Shown { code: format!("pay:{}", trade.out_trade_no) },
        }
    }

    async fn pay(&self, trade: &TradeRef, _: &TradeDetails, _: &str) -> PayOutcome {
        let plan = {
            let mut provider = self.provider.lock().unwrap();
            let plan = provider.begin("pay", trade);
            let fresh = match plan {
                Plan::RequestLost | Plan::Refuse => None,
                Plan::Ask => Some(Trade { waiting: true, ..Trade::default() }),
                Plan::Fine | Plan::AnswerLost => Some(Trade { paid: trade.amount.minor, ..Trade::default() }),
            };
            if let Some(fresh) = fresh {
                provider.trades.insert(trade.out_trade_no.to_string(), fresh);
            }
            plan
        };
        match plan {
            Plan::Fine => PayOutcome::Paid(self.paid(trade, trade.amount.minor)),
            Plan::Ask => PayOutcome::CustomerConfirming,
            Plan::Refuse => PayOutcome::Failed(Failure::new(FailureReason::InsufficientFunds)),
            Plan::RequestLost | Plan::AnswerLost => lost(PayOutcome::Unknown),
        }
    }

    async fn query(&self, trade: &TradeRef) -> QueryOutcome {
        let (plan, known) = {
            let mut provider = self.provider.lock().unwrap();
            let plan = provider.begin("query", trade);
            (plan, provider.trades.get(trade.out_trade_no.as_str()).cloned())
        };
        if matches!(plan, Plan::RequestLost | Plan::AnswerLost) {
            return lost(QueryOutcome::Unknown);
        }
        match known {
            None => QueryOutcome::NotFound,
            Some(known) if known.paid > 0 && known.returned == known.paid => QueryOutcome::Returned,
            Some(known) if known.paid > 0 => QueryOutcome::Paid(self.paid(trade, known.paid)),
            Some(known) if known.closed => QueryOutcome::Closed,
            Some(known) if known.waiting => QueryOutcome::CustomerConfirming,
            Some(_) => QueryOutcome::AwaitingCustomer,
        }
    }

    async fn void(&self, trade: &TradeRef) -> VoidOutcome {
        let mut provider = self.provider.lock().unwrap();
        let plan = provider.begin("void", trade);
        if plan == Plan::RequestLost {
            return lost(VoidOutcome::Unknown);
        }
        let returns = provider.void_returns || trade.way == Way::ConsumerPresented;
        let known = provider.trades.entry(trade.out_trade_no.to_string()).or_default();
        let outcome = if known.paid > known.returned {
            if !returns {
                return VoidOutcome::AlreadyPaid;
            }
            known.returned = known.paid;
            VoidOutcome::Returned
        } else {
            VoidOutcome::Closed
        };
        known.closed = true;
        known.waiting = false;
        if plan == Plan::AnswerLost { lost(VoidOutcome::Unknown) } else { outcome }
    }

    async fn refund(&self, trade: &TradeRef, refund: &RefundRef) -> RefundOutcome {
        let mut provider = self.provider.lock().unwrap();
        let plan = provider.begin("refund", trade);
        if plan == Plan::RequestLost {
            return lost(RefundOutcome::Unknown);
        }
        if !provider.refunds.iter().any(|known| *known == refund.out_refund_no) {
            provider.refunds.push(refund.out_refund_no.clone());
            provider.trades.get_mut(trade.out_trade_no.as_str()).expect("only what was paid is refunded").returned +=
                refund.amount.minor;
        }
        if plan == Plan::AnswerLost { lost(RefundOutcome::Unknown) } else { RefundOutcome::Done }
    }

    async fn query_refund(&self, _: &TradeRef, refund: &RefundRef) -> RefundOutcome {
        let known = self.provider.lock().unwrap().refunds.iter().any(|known| *known == refund.out_refund_no);
        if known { RefundOutcome::Done } else { RefundOutcome::Processing }
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
        // "id number amount", signed by the word "sealed".
        let text = String::from_utf8_lossy(&raw.body).into_owned();
        let fields: Vec<_> = text.split(' ').collect();
        let ["sealed", id, number, minor] = fields.as_slice() else { return Err(NotificationError::BadSignature) };
        let minor: i64 = minor.parse().map_err(|_| NotificationError::Unreadable("amount".into()))?;
        Ok(Notification {
            id: (*id).to_owned(),
            out_trade_no: number.parse().map_err(|_| NotificationError::Unreadable("number".into()))?,
            told: Told::Trade(QueryOutcome::Paid(Paid {
                provider_trade_no: format!("P{number}"),
                amount: Money::new(minor, Currency::CNY),
                payer: None,
                paid_at: 1,
            })),
        })
    }

    fn acknowledge(&self, accepted: bool) -> Acknowledgement {
        Acknowledgement { status: if accepted { 200 } else { 400 }, content_type: "text/plain", body: String::new() }
    }
}

/// A shop with two channels on real books.
struct Shop {
    alipay: Fake,
    wechatpay: Fake,
    engine: Engine,
    folder: tempfile::TempDir,
}

async fn books(folder: &std::path::Path) -> Ledger {
    Ledger::open(LedgerConfig {
        url: format!("sqlite:{}", folder.join("books.db").display()),
        chain_key: Zeroizing::new([1; 32]),
        seal_key: Zeroizing::new([2; 32]),
        calendar: BusinessCalendar { time_zone: Some("Asia/Shanghai".into()), cutover_hour: 0 },
        read_only: false,
    })
    .await
    .unwrap()
}

impl Shop {
    async fn open() -> Self {
        Self::with(|_, _| {}).await
    }

    async fn with(set: impl FnOnce(&mut Fake, &mut Fake)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (mut alipay, mut wechatpay) = (Fake::new(&ChannelId::ALIPAY), Fake::new(&ChannelId::WECHATPAY));
        set(&mut alipay, &mut wechatpay);
        let engine = Self::engine(&alipay, &wechatpay, books(folder.path()).await).await;
        Self { alipay, wechatpay, engine, folder }
    }

    async fn engine(alipay: &Fake, wechatpay: &Fake, ledger: Ledger) -> Engine {
        let channels: Vec<(MerchantAccount, Arc<dyn Channel>)> =
            [alipay, wechatpay].map(|fake| (fake.account(), Arc::new(fake.clone()) as Arc<dyn Channel>)).into();
        Engine::start_with(ledger, EngineConfig::new("test".into()), channels).await.unwrap()
    }

    /// The process dies, and another starts on the same books.
    async fn restart(&mut self) {
        self.engine.stop().await;
        self.engine.ledger().close().await;
        self.engine = Self::engine(&self.alipay, &self.wechatpay, books(self.folder.path()).await).await;
    }

    async fn sale(&self, seconds: u32) -> PaymentId {
        let new = NewPayment {
            amount: Money::new(1_250, Currency::CNY),
            description: Some("tea".into()),
            store: "store-1".parse().unwrap(),
            till: "till-1".parse().unwrap(),
            operator: None,
            collect_seconds: seconds,
        };
        match self.engine.create(new, None).await.unwrap() {
            Answered::Fresh(payment) => payment.id.clone(),
            Answered::Replayed(_) => panic!("nothing to replay"),
        }
    }

    async fn show(&self, id: &PaymentId, channel: &ChannelId) -> Payment {
        match self.engine.show_code(id, "till:test", channel, None).await.unwrap() {
            Answered::Fresh(payment) => *payment,
            Answered::Replayed(_) => panic!("nothing to replay"),
        }
    }

    async fn scan(&self, id: &PaymentId, code: &str) -> Result<Answered, EngineError> {
        self.engine.scan(id, "till:test", code, None).await
    }

    async fn payment(&self, id: &PaymentId) -> Payment {
        self.engine.ledger().payment(id).await.unwrap().unwrap()
    }

    async fn until(&self, id: &PaymentId, reached: impl Fn(&Payment) -> bool) -> Payment {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let payment = self.payment(id).await;
            if reached(&payment) {
                return payment;
            }
            assert!(Instant::now() < deadline, "it stays {payment:#?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn finished(&self, id: &PaymentId) -> Payment {
        let payment = self.until(id, |payment| !payment.is_unfinished()).await;
        self.agree().await;
        payment
    }

    /// Our takings are what the providers have.
    async fn agree(&self) {
        let ledger = self.engine.ledger();
        let day = ledger.business_day(self.engine.now());
        let query = TakingsQuery { day, store: None, till: None, training: false, currency: Currency::CNY };
        let taken = self.alipay.provider.lock().unwrap().taken() + self.wechatpay.provider.lock().unwrap().taken();
        assert_eq!(ledger.takings(&query).await.unwrap().total.net, taken, "books against providers");
        assert_eq!(ledger.verify().await.unwrap().broken, None);
    }

    fn calls(&self, call: &str) -> usize {
        let count = |fake: &Fake| fake.provider.lock().unwrap().calls.iter().filter(|(name, _)| *name == call).count();
        count(&self.alipay) + count(&self.wechatpay)
    }
}

const ALIPAY_CODE: &str = "281234567890123456";
const WECHAT_CODE: &str = "131234567890123456";

#[tokio::test(flavor = "multi_thread")]
async fn a_scanned_code_is_paid_once_and_spent() {
    let shop = Shop::open().await;
    let id = shop.sale(60).await;
    shop.scan(&id, ALIPAY_CODE).await.unwrap();
    let paid = shop.finished(&id).await;
    assert_eq!((paid.state, paid.attempts.len()), (PaymentState::Succeeded, 1));
    assert!(matches!(shop.scan(&id, WECHAT_CODE).await, Err(EngineError::Over { .. })));
    let next = shop.sale(60).await;
    let spent = shop.scan(&next, ALIPAY_CODE).await.unwrap_err();
    assert!(spent.to_string().contains("used already"), "{spent}");
    assert_eq!(shop.calls("pay"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_lost_is_asked_for() {
    let shop = Shop::open().await;
    shop.alipay.plan("pay", &[Plan::AnswerLost]);
    shop.alipay.plan("query", &[Plan::RequestLost, Plan::AnswerLost]);
    let id = shop.sale(60).await;
    shop.scan(&id, ALIPAY_CODE).await.unwrap();
    assert_eq!(shop.finished(&id).await.state, PaymentState::Succeeded);
    assert_eq!((shop.calls("query"), shop.calls("void")), (3, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_lost_is_taken_back_so_that_it_cannot_charge_late() {
    let shop = Shop::open().await;
    shop.alipay.plan("pay", &[Plan::RequestLost]);
    shop.alipay.plan("void", &[Plan::AnswerLost, Plan::RequestLost]);
    let id = shop.sale(60).await;
    shop.scan(&id, ALIPAY_CODE).await.unwrap();
    let end = shop.finished(&id).await;
    assert_eq!(end.state, PaymentState::Reversed);
    // The second void's request was lost, the third got through.
    assert_eq!(shop.calls("void"), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_who_never_confirms_is_not_charged_and_one_who_does_is() {
    let shop = Shop::open().await;
    shop.alipay.plan("pay", &[Plan::Ask, Plan::Ask]);
    let id = shop.sale(60).await;
    shop.scan(&id, ALIPAY_CODE).await.unwrap();
    let busy = shop.scan(&id, WECHAT_CODE).await.unwrap_err();
    assert!(matches!(busy, EngineError::Busy), "{busy}");
    assert_eq!(shop.finished(&id).await.state, PaymentState::Reversed);

    let id = shop.sale(60).await;
    shop.scan(&id, "281234567890123457").await.unwrap();
    let waiting = shop.until(&id, |payment| payment.attempts[0].state == AttemptState::CustomerConfirming).await;
    assert!(shop.alipay.provider.lock().unwrap().customer_pays(waiting.attempts[0].out_trade_no.as_str(), 1_250));
    assert_eq!(shop.finished(&id).await.state, PaymentState::Succeeded);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_ends_the_payment_unless_a_code_can_still_be_paid() {
    let shop = Shop::open().await;
    shop.alipay.plan("pay", &[Plan::Refuse, Plan::Refuse]);
    let id = shop.sale(60).await;
    shop.scan(&id, ALIPAY_CODE).await.unwrap();
    let end = shop.finished(&id).await;
    assert_eq!(end.state, PaymentState::Failed);
    assert_eq!(end.failure().unwrap().reason, FailureReason::InsufficientFunds);

    let id = shop.sale(60).await;
    let shown = shop.show(&id, &ChannelId::WECHATPAY).await;
    shop.scan(&id, "281234567890123457").await.unwrap();
    let open = shop.until(&id, |payment| payment.attempts[1].state == AttemptState::Failed).await;
    assert_eq!(open.state, PaymentState::Pending);
    shop.wechatpay.provider.lock().unwrap().customer_pays(shown.attempts[0].out_trade_no.as_str(), 1_250);
    assert_eq!(shop.finished(&id).await.state, PaymentState::Succeeded);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_cannot_be_shown_leaves_the_other_ways_open() {
    let shop = Shop::open().await;
    shop.alipay.plan("create", &[Plan::Refuse]);
    let id = shop.sale(60).await;
    assert_eq!(shop.show(&id, &ChannelId::ALIPAY).await.state, PaymentState::Pending);
    shop.show(&id, &ChannelId::WECHATPAY).await;
    shop.scan(&id, WECHAT_CODE).await.unwrap();
    assert_eq!(shop.finished(&id).await.state, PaymentState::Succeeded);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_way_wins_and_the_others_are_closed_before_it_is_called_paid() {
    let shop = Shop::open().await;
    let id = shop.sale(60).await;
    shop.show(&id, &ChannelId::ALIPAY).await;
    shop.show(&id, &ChannelId::WECHATPAY).await;
    shop.scan(&id, WECHAT_CODE).await.unwrap();
    let paid = shop.until(&id, |payment| payment.state == PaymentState::Succeeded).await;
    let states: Vec<_> = paid.attempts.iter().map(|attempt| attempt.state).collect();
    assert_eq!(states, [AttemptState::Closed, AttemptState::Closed, AttemptState::Succeeded]);
    let provider = shop.alipay.provider.lock().unwrap().trades.values().all(|trade| trade.closed);
    assert!(provider, "the shown code can no longer be paid");
}

#[tokio::test(flavor = "multi_thread")]
async fn paid_both_ways_in_one_moment_the_second_is_returned() {
    for returns in [false, true] {
        let shop = Shop::open().await;
        shop.wechatpay.provider.lock().unwrap().void_returns = returns;
        shop.wechatpay.plan("refund", &[Plan::AnswerLost]);
        let id = shop.sale(60).await;
        let shown = shop.show(&id, &ChannelId::WECHATPAY).await;
        // The till's queries are deaf for a while, so that both payments happen before it knows of either.
        shop.wechatpay.plan("query", &[Plan::AnswerLost; 8]);
        assert!(shop.wechatpay.provider.lock().unwrap().customer_pays(shown.attempts[0].out_trade_no.as_str(), 1_250));
        shop.scan(&id, ALIPAY_CODE).await.unwrap();
        let end = shop.finished(&id).await;
        assert_eq!(end.state, PaymentState::Succeeded);
        assert_eq!(end.paid_by, Some(2));
        let expected = if returns { AttemptState::Reversed } else { AttemptState::SurplusRefunded };
        assert_eq!(end.attempts[0].state, expected);
        assert_eq!(shop.wechatpay.provider.lock().unwrap().taken(), 0);
        assert_eq!(end.attention.is_empty(), returns, "the cashier is told of a surplus: {:?}", end.attention);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_cannot_be_told_to_close_does_not_hold_up_the_queue() {
    let shop = Shop::open().await;
    let id = shop.sale(60).await;
    shop.show(&id, &ChannelId::WECHATPAY).await;
    shop.wechatpay.plan("void", &[Plan::RequestLost; 6]);
    shop.scan(&id, ALIPAY_CODE).await.unwrap();
    let paid = shop.until(&id, |payment| payment.state == PaymentState::Succeeded).await;
    assert!(paid.attempts[0].deferred && !paid.attempts[0].state.is_end(), "it goes on behind");
    assert_eq!(shop.finished(&id).await.attempts[0].state, AttemptState::Closed);
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelling_asks_the_provider_first() {
    let shop = Shop::open().await;
    let nothing = shop.sale(60).await;
    shop.engine.cancel(&nothing, "till:test", None).await.unwrap();
    assert_eq!(shop.finished(&nothing).await.state, PaymentState::Closed);

    let id = shop.sale(60).await;
    shop.show(&id, &ChannelId::ALIPAY).await;
    shop.engine.cancel(&id, "till:test", None).await.unwrap();
    assert_eq!(shop.finished(&id).await.state, PaymentState::Closed);
    assert!(matches!(shop.scan(&id, ALIPAY_CODE).await, Err(EngineError::Over { .. })));

    // The customer was faster: the payment counts.
    let id = shop.sale(60).await;
    let shown = shop.show(&id, &ChannelId::ALIPAY).await;
    shop.alipay.plan("query", &[Plan::AnswerLost; 4]);
    shop.alipay.provider.lock().unwrap().customer_pays(shown.attempts[0].out_trade_no.as_str(), 1_250);
    shop.engine.cancel(&id, "till:test", None).await.unwrap();
    let end = shop.finished(&id).await;
    assert_eq!(end.state, PaymentState::Succeeded, "paid and not taken back");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_offer_to_pay_ends_by_itself() {
    let shop = Shop::open().await;
    let id = shop.sale(1).await;
    shop.show(&id, &ChannelId::ALIPAY).await;
    tokio::time::sleep(SECOND).await;
    let end = shop.finished(&id).await;
    assert_eq!(end.state, PaymentState::Closed);
    assert!(end.expired);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shown_code_is_renewed_before_it_ends_and_the_old_one_closed() {
    let shop = Shop::with(|alipay, _| alipay.capabilities.code_lifetime = Duration::from_millis(10_400)).await;
    let id = shop.sale(60).await;
    shop.show(&id, &ChannelId::ALIPAY).await;
    let renewed = shop.until(&id, |payment| payment.attempts.get(1).is_some_and(|fresh| fresh.code.is_some())).await;
    assert_eq!(renewed.attempts[0].state, AttemptState::CodeShown, "somebody may be scanning the old one");
    assert_ne!(renewed.attempts[0].code, renewed.attempts[1].code);
    shop.engine.cancel(&id, "till:test", None).await.unwrap();
    assert_eq!(shop.finished(&id).await.state, PaymentState::Closed);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_every_payment_goes_on() {
    let mut shop = Shop::open().await;
    // One whose customer confirms while nothing runs, one whose answer was lost, one shown and paid meanwhile.
    shop.alipay.plan("pay", &[Plan::Ask, Plan::AnswerLost]);
    shop.alipay.plan("query", &[Plan::AnswerLost; 40]);
    let asked = shop.sale(60).await;
    shop.scan(&asked, ALIPAY_CODE).await.unwrap();
    shop.until(&asked, |payment| payment.attempts[0].state == AttemptState::CustomerConfirming).await;
    let unheard = shop.sale(60).await;
    shop.scan(&unheard, "281234567890123457").await.unwrap();
    shop.until(&unheard, |payment| payment.attempts[0].state == AttemptState::Unknown).await;
    let shown = shop.sale(60).await;
    let code = shop.show(&shown, &ChannelId::WECHATPAY).await;
    shop.engine.stop().await;
    let number = shop.payment(&asked).await.attempts[0].out_trade_no.clone();
    assert!(shop.alipay.provider.lock().unwrap().customer_pays(number.as_str(), 1_250));
    assert!(shop.wechatpay.provider.lock().unwrap().customer_pays(code.attempts[0].out_trade_no.as_str(), 1_250));
    shop.alipay.plan("query", &[]);
    shop.restart().await;
    for id in [&asked, &unheard, &shown] {
        let end = shop.until(id, |payment| !payment.is_unfinished()).await;
        assert_eq!(end.state, PaymentState::Succeeded);
    }
    shop.agree().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notification_counts_once_and_only_if_it_fits() {
    let shop = Shop::open().await;
    let id = shop.sale(60).await;
    let shown = shop.show(&id, &ChannelId::ALIPAY).await;
    shop.alipay.plan("query", &[Plan::AnswerLost; 200]);
    let number = shown.attempts[0].out_trade_no.clone();
    let tell = async |body: String| {
        let raw = RawNotification { headers: Vec::new(), body: body.into_bytes() };
        shop.engine.notify(&ChannelId::ALIPAY, &"alipay".parse().unwrap(), raw).await.status
    };
    assert_eq!(tell(format!("forged n1 {number} 1250")).await, 400);
    assert_eq!(tell(format!("sealed n2 {number} 9999")).await, 200, "kept, and told to a person");
    let doubted = shop.payment(&id).await;
    assert!(doubted.paid_by.is_none() && doubted.attention.len() == 1, "{:?}", doubted.attention);

    let id = shop.sale(60).await;
    let number = shop.show(&id, &ChannelId::ALIPAY).await.attempts[0].out_trade_no.clone();
    shop.alipay.provider.lock().unwrap().customer_pays(number.as_str(), 1_250);
    for _ in 0..3 {
        assert_eq!(tell(format!("sealed n3 {number} 1250")).await, 200);
    }
    assert_eq!(shop.until(&id, |payment| !payment.is_unfinished()).await.state, PaymentState::Succeeded);
    let told = shop.engine.ledger().history(&id).await.unwrap();
    assert_eq!(told.iter().filter(|row| row.kind == "attempt_succeeded").count(), 1);
    assert_eq!(tell("sealed n4 0123456789ABCDEF 1250".into()).await, 200, "an unknown order is kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_amount_is_never_taken_for_ours() {
    let shop = Shop::open().await;
    shop.alipay.provider.lock().unwrap().wrong_amount = true;
    let id = shop.sale(60).await;
    shop.scan(&id, ALIPAY_CODE).await.unwrap();
    let end = shop.until(&id, |payment| !payment.is_unfinished()).await;
    assert_eq!(end.state, PaymentState::Reversed);
    assert!(end.attention[0].contains("12.51") && end.attention[0].contains("12.50"), "{:?}", end.attention);
    assert_eq!(shop.alipay.provider.lock().unwrap().taken(), 0, "the customer has the money back");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_begun_is_refused_before_anything_is_sent() {
    let shop = Shop::with(|alipay, _| alipay.capabilities.amount = 1..=100).await;
    let id = shop.sale(60).await;
    let over = shop.scan(&id, ALIPAY_CODE).await.unwrap_err();
    assert!(matches!(over, EngineError::AmountOutOfRange { .. }), "{over}");
    let closed = shop.scan(&id, "6212345678901234567").await.unwrap_err();
    assert!(matches!(closed, EngineError::ChannelClosed(_)), "{closed}");
    let address = shop.scan(&id, "https://example.com").await.unwrap_err();
    assert!(address.to_string().contains("web address"), "{address}");
    assert_eq!(shop.payment(&id).await.state, PaymentState::Created);
    let changed = shop.engine.change(&id, "till:test", Some(100), None).await.unwrap();
    assert_eq!(changed.amount.minor, 100);
    shop.scan(&id, ALIPAY_CODE).await.unwrap();
    assert_eq!(shop.finished(&id).await.state, PaymentState::Succeeded);
    assert!(shop.engine.change(&id, "till:test", Some(1), None).await.is_err());
}

fn plan() -> impl Strategy<Value = Plan> {
    prop_oneof![
        4 => Just(Plan::Fine), 2 => Just(Plan::RequestLost), 3 => Just(Plan::AnswerLost), 1 => Just(Plan::Ask), 1 => Just(Plan::Refuse)
    ]
}

fn losses() -> impl Strategy<Value = Vec<Plan>> {
    prop::collection::vec(prop_oneof![Just(Plan::Fine), Just(Plan::RequestLost), Just(Plan::AnswerLost)], 0..5)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 8, ..ProptestConfig::default() })]
    /// Whatever is lost, refused, cancelled, restarted: the payment ends, paid at most once, and the books agree.
    #[test]
    fn whatever_happens_the_books_agree(
        pay in plan(), create in plan(), queries in losses(), voids in losses(), refunds in losses(),
        scans_shown: bool, cancels: bool, restarts: bool, returns: bool,
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let mut shop = Shop::open().await;
            for fake in [&shop.alipay, &shop.wechatpay] {
                fake.plan("query", &queries);
                fake.plan("void", &voids);
                fake.plan("refund", &refunds);
                fake.provider.lock().unwrap().void_returns = returns;
            }
            shop.alipay.plan("pay", &[pay]);
            shop.wechatpay.plan("create", &[create]);
            let id = shop.sale(2).await;
            let shown = shop.show(&id, &ChannelId::WECHATPAY).await;
            let _ = shop.scan(&id, ALIPAY_CODE).await;
            if scans_shown {
                let number = shown.attempts[0].out_trade_no.clone();
                shop.wechatpay.provider.lock().unwrap().customer_pays(number.as_str(), 1_250);
            }
            if cancels {
                let _ = shop.engine.cancel(&id, "till:test", None).await;
            }
            if restarts {
                shop.restart().await;
            }
            let end = shop.finished(&id).await;
            let taken = shop.alipay.provider.lock().unwrap().taken() + shop.wechatpay.provider.lock().unwrap().taken();
            assert_eq!(taken, if end.state == PaymentState::Succeeded { 1_250 } else { 0 }, "{end:#?}");
        });
    }
}
