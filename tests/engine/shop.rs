//! A shop with channels that are played by hand: tiny honest providers behind the engine, on real books.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use scantill::channel::{
    AccountTest, Acknowledgement, Bill, BillError, BillKind, Capabilities, Channel, CodeOutcome, ConfirmedBy,
    MerchantAccount, Notification, NotificationError, Paid, PayOutcome, QueryOutcome, RawNotification, RefundOutcome,
    RefundRef, RefundRules, TimingOverrides, Told, TradeDetails, TradeRef, VoidOutcome,
};
use scantill::crypto::{AlgorithmPolicy, Secret};
use scantill::engine::{Answered, Engine, EngineConfig, EngineError, NewPayment, NewRefund};
use scantill::ledger::{BusinessCalendar, Ledger, LedgerConfig, Sums, TakingsQuery};
use scantill::money::{Currency, Money};
use scantill::payment::{
    AccountId, ChannelId, CodeRule, Failure, FailureReason, Payment, PaymentId, StoreId, UnixMillis, Way,
};
use zeroize::Zeroizing;

const PATIENCE: Duration = Duration::from_secs(20);

/// What a provider does with one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plan {
    /// As it should.
    Fine,
    /// The request never arrives.
    RequestLost,
    /// It is carried out, and the answer is lost.
    AnswerLost,
    /// A payment waits for the customer; a refund is carried out, and only a query tells.
    Ask,
    /// A payment or a refund is refused.
    Refuse,
}

#[derive(Debug, Clone, Default)]
pub struct Trade {
    pub paid: i64,
    pub returned: i64,
    pub waiting: bool,
    pub closed: bool,
    pub shown: bool,
}

/// A tiny honest provider: money moves or it does not, and it never forgets.
#[derive(Default)]
pub struct Provider {
    pub trades: HashMap<String, Trade>,
    plans: HashMap<&'static str, VecDeque<Plan>>,
    pub calls: Vec<(&'static str, String)>,
    /// What went back, by the refund's number.
    pub refunds: HashMap<String, i64>,
    /// Somebody asked for more than was left.
    pub overdrawn: bool,
    pub wrong_amount: bool,
    pub void_returns: bool,
    /// A shown code cannot be closed; it only runs out.
    pub runs_out: bool,
    /// Of a payment that was returned it does not say how much.
    pub vague: bool,
}

impl Provider {
    fn begin(&mut self, call: &'static str, trade: &TradeRef) -> Plan {
        self.calls.push((call, trade.out_trade_no.to_string()));
        self.plans.get_mut(call).and_then(VecDeque::pop_front).unwrap_or(Plan::Fine)
    }

    /// What customers paid less what they got back.
    pub fn taken(&self) -> i64 {
        self.trades.values().map(|trade| trade.paid - trade.returned).sum()
    }

    pub fn customer_pays(&mut self, out_trade_no: &str, amount: i64) -> bool {
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
pub struct Fake {
    pub provider: Arc<Mutex<Provider>>,
    pub account: AccountId,
    pub stores: Vec<StoreId>,
    pub enabled: bool,
    pub capabilities: Capabilities,
}

fn lost<T>(outcome: fn(String) -> T) -> T {
    outcome("the connection broke".into())
}

impl Fake {
    pub fn new(channel: &ChannelId) -> Self {
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
        Self {
            provider: Arc::default(),
            account: channel.as_str().parse().unwrap(),
            stores: Vec::new(),
            enabled: true,
            capabilities,
        }
    }

    /// A channel that shows a code and can do nothing more: the cashier says what became of it.
    pub fn by_cashier(channel: &str) -> Self {
        let mut fake = Self::new(&channel.parse().unwrap());
        fake.capabilities.ways = vec![Way::MerchantPresented];
        fake.capabilities.confirmed_by = ConfirmedBy::Cashier;
        fake.capabilities.notifies = false;
        fake.capabilities.refund = None;
        fake
    }

    pub fn plan(&self, call: &'static str, plans: &[Plan]) {
        self.provider.lock().unwrap().plans.insert(call, plans.iter().copied().collect());
    }

    pub fn calls_of(&self, call: &str) -> usize {
        self.provider.lock().unwrap().calls.iter().filter(|(name, _)| *name == call).count()
    }

    fn paid(&self, trade: &TradeRef, minor: i64) -> Paid {
        let wrong = self.provider.lock().unwrap().wrong_amount;
        let amount = Money::new(if wrong { minor + 1 } else { minor }, trade.amount.currency);
        Paid {
            provider_trade_no: format!("P{}", trade.out_trade_no),
            amount,
            payer: Some("l***n".into()),
            paid_at: now(),
        }
    }

    pub fn merchant_account(&self) -> MerchantAccount {
        MerchantAccount {
            id: self.account.clone(),
            channel: self.capabilities.channel.clone(),
            name: "fake".into(),
            base_url: "http://127.0.0.1:1".into(),
            training: false,
            enabled: self.enabled,
            notify_base_url: None,
            timing: TimingOverrides::default(),
            stores: self.stores.clone(),
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
        let (plan, known, vague) = {
            let mut provider = self.provider.lock().unwrap();
            let plan = provider.begin("query", trade);
            (plan, provider.trades.get(trade.out_trade_no.as_str()).cloned(), provider.vague)
        };
        if matches!(plan, Plan::RequestLost | Plan::AnswerLost) {
            return lost(QueryOutcome::Unknown);
        }
        match known {
            None => QueryOutcome::NotFound,
            Some(known) if vague && known.returned > 0 => QueryOutcome::SomeReturned(self.paid(trade, known.paid)),
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
        let open = provider.trades.get(trade.out_trade_no.as_str()).is_some_and(|one| one.shown && one.paid == 0);
        if provider.runs_out && open {
            return VoidOutcome::NotYet;
        }
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
        // Even where the same was carried out before: what is refused is this request.
        if plan == Plan::Refuse {
            return RefundOutcome::Failed(Failure::new(FailureReason::ProviderRefused));
        }
        if !provider.refunds.contains_key(&refund.out_refund_no) {
            let known = provider.trades.get_mut(trade.out_trade_no.as_str()).expect("only what was paid is refunded");
            known.returned += refund.amount.minor;
            if known.returned > known.paid {
                provider.overdrawn = true;
            }
            provider.refunds.insert(refund.out_refund_no.clone(), refund.amount.minor);
        }
        match plan {
            Plan::AnswerLost => lost(RefundOutcome::Unknown),
            Plan::Ask => RefundOutcome::Processing,
            _ => RefundOutcome::Done,
        }
    }

    async fn query_refund(&self, trade: &TradeRef, refund: &RefundRef) -> RefundOutcome {
        let mut provider = self.provider.lock().unwrap();
        let plan = provider.begin("query_refund", trade);
        if matches!(plan, Plan::RequestLost | Plan::AnswerLost) {
            return lost(RefundOutcome::Unknown);
        }
        match provider.refunds.get(&refund.out_refund_no) {
            Some(_) => RefundOutcome::Done,
            None => RefundOutcome::NotFound,
        }
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
        // "sealed id number amount" or "sealed id number refund NUMBER"; the word "sealed" is the signature.
        let text = String::from_utf8_lossy(&raw.body).into_owned();
        let fields: Vec<_> = text.split(' ').collect();
        let unreadable = |what: &str| NotificationError::Unreadable(what.into());
        let (id, number, told) = match fields.as_slice() {
            ["sealed", id, number, "refund", refund] => {
                let out_refund_no = Some(*refund).filter(|refund| *refund != "-").map(str::to_owned);
                (*id, *number, Told::Refund { out_refund_no, outcome: RefundOutcome::Done })
            }
            ["sealed", id, number, minor] => {
                let paid = Paid {
                    provider_trade_no: format!("P{number}"),
                    amount: Money::new(minor.parse().map_err(|_| unreadable("amount"))?, Currency::CNY),
                    payer: None,
                    paid_at: now(),
                };
                (*id, *number, Told::Trade(QueryOutcome::Paid(paid)))
            }
            ["sealed", ..] => return Err(unreadable("it is of another shape")),
            _ => return Err(NotificationError::BadSignature),
        };
        let out_trade_no = number.parse().map_err(|_| unreadable("number"))?;
        Ok(Notification { id: id.to_owned(), out_trade_no, told })
    }

    fn acknowledge(&self, accepted: bool) -> Acknowledgement {
        Acknowledgement { status: if accepted { 200 } else { 400 }, content_type: "text/plain", body: String::new() }
    }
}

/// A shop with two channels on real books, and what else a story gives it.
pub struct Shop {
    pub alipay: Fake,
    pub wechatpay: Fake,
    pub others: Vec<Fake>,
    pub engine: Engine,
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

fn now() -> UnixMillis {
    UnixMillis::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

impl Shop {
    pub async fn open() -> Self {
        Self::with(|_, _| {}).await
    }

    pub async fn with(set: impl FnOnce(&mut Fake, &mut Fake)) -> Self {
        let (mut alipay, mut wechatpay) = (Fake::new(&ChannelId::ALIPAY), Fake::new(&ChannelId::WECHATPAY));
        set(&mut alipay, &mut wechatpay);
        Self::of(alipay, wechatpay, Vec::new()).await
    }

    /// A shop that also takes these.
    pub async fn also(others: Vec<Fake>) -> Self {
        Self::of(Fake::new(&ChannelId::ALIPAY), Fake::new(&ChannelId::WECHATPAY), others).await
    }

    async fn of(alipay: Fake, wechatpay: Fake, others: Vec<Fake>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ledger = books(folder.path()).await;
        let engine = Self::engine([&alipay, &wechatpay].into_iter().chain(&others), ledger).await;
        Self { alipay, wechatpay, others, engine, folder }
    }

    async fn engine<'a>(fakes: impl Iterator<Item = &'a Fake>, ledger: Ledger) -> Engine {
        let channels = fakes.map(|fake| (fake.merchant_account(), Arc::new(fake.clone()) as Arc<dyn Channel>));
        Engine::start_with(ledger, EngineConfig::new("test".into()), channels.collect()).await.unwrap()
    }

    /// The process dies, and another starts on the same books.
    pub async fn restart(&mut self) {
        self.engine.stop().await;
        self.engine.ledger().close().await;
        let fakes = [&self.alipay, &self.wechatpay].into_iter().chain(&self.others);
        self.engine = Self::engine(fakes, books(self.folder.path()).await).await;
    }

    pub async fn sale(&self, seconds: u32) -> PaymentId {
        self.sale_at("store-1", seconds).await.unwrap()
    }

    pub async fn sale_at(&self, store: &str, seconds: u32) -> Result<PaymentId, EngineError> {
        let new = NewPayment {
            amount: Money::new(1_250, Currency::CNY),
            description: Some("tea".into()),
            store: store.parse().unwrap(),
            till: "till-1".parse().unwrap(),
            operator: None,
            collect_seconds: seconds,
        };
        Ok(fresh(self.engine.create(new, None).await?).id)
    }

    /// A sale that was paid through Alipay.
    pub async fn paid(&self, code: &str) -> Payment {
        let id = self.sale(60).await;
        self.scan(&id, code).await.unwrap();
        self.finished(&id).await
    }

    pub async fn show(&self, id: &PaymentId, channel: &ChannelId) -> Payment {
        fresh(self.engine.show_code(id, "till:test", channel, None).await.unwrap())
    }

    pub async fn scan(&self, id: &PaymentId, code: &str) -> Result<Answered, EngineError> {
        self.engine.scan(id, "till:test", code, None).await
    }

    pub async fn refund(&self, id: &PaymentId, amount: Option<i64>) -> Result<Payment, EngineError> {
        let refund = NewRefund { amount, reason: Some("cold".into()), ..NewRefund::default() };
        self.engine.refund(id, "till:test", refund, None).await.map(fresh)
    }

    pub async fn payment(&self, id: &PaymentId) -> Payment {
        self.engine.ledger().payment(id).await.unwrap().unwrap()
    }

    pub async fn until(&self, id: &PaymentId, reached: impl Fn(&Payment) -> bool) -> Payment {
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

    pub async fn finished(&self, id: &PaymentId) -> Payment {
        let payment = self.until(id, |payment| !payment.is_unfinished()).await;
        self.agree().await;
        payment
    }

    /// Our takings are what the providers have.
    pub async fn agree(&self) {
        let taken = self.alipay.provider.lock().unwrap().taken() + self.wechatpay.provider.lock().unwrap().taken();
        assert_eq!(self.takings().await.net, taken, "books against providers");
        assert_eq!(self.engine.ledger().verify().await.unwrap().broken, None);
    }

    pub async fn takings(&self) -> Sums {
        let ledger = self.engine.ledger();
        let day = ledger.business_day(self.engine.now());
        let query = TakingsQuery { day, store: None, till: None, training: false, currency: Currency::CNY };
        ledger.takings(&query).await.unwrap().total
    }

    pub fn calls(&self, call: &str) -> usize {
        self.alipay.calls_of(call) + self.wechatpay.calls_of(call)
    }
}

/// The payment that a fresh answer is.
pub fn fresh(answered: Answered) -> Payment {
    match answered {
        Answered::Fresh(payment) => *payment,
        Answered::Replayed(_) => panic!("nothing to replay"),
    }
}

pub const ALIPAY_CODE: &str = "281234567890123456";
pub const WECHAT_CODE: &str = "131234567890123456";
