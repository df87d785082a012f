//! The providers: their own books, the way each of them answers, customers' wallets, and what they tell by themselves.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, Weak};

use scantill::channel::{
    CodeOutcome, Paid, PayOutcome, QueryOutcome, RefundOutcome, RefundRef, TradeDetails, TradeRef, VoidOutcome,
};
use scantill::money::{Currency, Money};
use scantill::payment::{Failure, FailureReason, UnixMillis, Way};
use scantill::sandbox::book::{Book, Number, Order, Provider, Refunding, Refusal, TakenBack, Trade, TradeState};

use super::life::Life;
use super::notices::{self, Notice, Says};
use super::process::House;
use super::witness::SHARED;
use super::world::{Fault, World};

/// More than any day's customers spend.
const PLENTY: i64 = 1_000_000_000_000;

pub struct Providers {
    pub world: Arc<World>,
    book: Mutex<Book>,
    /// Where they tell of what happened.
    house: OnceLock<Weak<House>>,
    /// Who last asked about a payment, and how often that was another than before, while both lived.
    owners: Mutex<HashMap<String, (Arc<Life>, u32)>>,
    /// One provider's gateway is down for a while: from, until.
    down: Mutex<Vec<(Provider, UnixMillis, UnixMillis)>>,
}

impl Providers {
    pub fn new(world: Arc<World>, seed: u64) -> Arc<Self> {
        let mut book = Book::new(seed, world.now());
        for wallet in ["alipay-1", "wechatpay-1", "unionpay-1"] {
            book.set_balance(wallet, PLENTY).unwrap();
        }
        Arc::new(Self {
            world,
            book: Mutex::new(book),
            house: OnceLock::new(),
            owners: Mutex::default(),
            down: Mutex::default(),
        })
    }

    pub fn tell_to(&self, house: &Arc<House>) {
        let _ = self.house.set(Arc::downgrade(house));
    }

    pub fn house(&self) -> Option<Arc<House>> {
        self.house.get().and_then(Weak::upgrade)
    }

    pub fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap()
    }

    /// No request gets through to this one for so long.
    pub fn goes_down(&self, who: Provider, from: UnixMillis, until: UnixMillis) {
        self.down.lock().unwrap().push((who, from, until));
    }

    pub fn is_down(&self, who: Provider) -> bool {
        let now = self.world.now();
        !self.world.is_calm()
            && self.down.lock().unwrap().iter().any(|(one, from, until)| *one == who && (*from..*until).contains(&now))
    }

    /// A process is about to ask about an attempt.
    pub fn asks(&self, process: &Arc<Life>, out_trade_no: &str) {
        let payment = out_trade_no.get(..SHARED).unwrap_or_default().to_owned();
        let mut owners = self.owners.lock().unwrap();
        let (owner, changes) = owners.entry(payment).or_insert_with(|| (process.clone(), 0));
        if !Arc::ptr_eq(owner, process) {
            *changes += u32::from(owner.is_alive());
            *owner = process.clone();
        }
    }

    /// How often a payment went from one living process to another.
    pub fn changes_of_owner(&self, out_trade_no: &str) -> u32 {
        let payment = out_trade_no.get(..SHARED).unwrap_or_default();
        self.owners.lock().unwrap().get(payment).map_or(0, |(_, changes)| *changes)
    }

    pub fn create_code(&self, who: Provider, trade: &TradeRef, details: &TradeDetails) -> CodeOutcome {
        match self.book().create_order(order(who, trade, details), self.world.now()) {
            Ok(Trade { payload: Some(code), .. }) => CodeOutcome::Shown { code },
            Ok(_) => CodeOutcome::Unknown("no code".into()),
            Err(refusal) => CodeOutcome::Unknown(format!("{refusal:?}")),
        }
    }

    pub fn pay(self: &Arc<Self>, who: Provider, trade: &TradeRef, details: &TradeDetails, code: &str) -> PayOutcome {
        let now = self.world.now();
        let mut order = order(who, trade, details);
        if self.world.hit(Fault::WrongAmountTaken) {
            order.amount += 1;
        }
        let paid = self.book().pay_by_code(order.clone(), code, now);
        let failed = |reason| PayOutcome::Failed(Failure::new(reason));
        match paid {
            Ok(trade) if trade.state == TradeState::Success => {
                self.paid(&trade);
                PayOutcome::Paid(money(&trade))
            }
            Ok(trade) => {
                self.customer_decides(trade.id);
                PayOutcome::CustomerConfirming
            }
            Err(refusal @ (Refusal::CodeInvalid | Refusal::CodeUsed | Refusal::CodeExpired | Refusal::Balance)) => {
                if who == Provider::Unionpay {
                    // It takes every order, and tells only who asks.
                    self.book().add_failed(order, now);
                    return PayOutcome::CustomerConfirming;
                }
                match refusal {
                    Refusal::Balance => failed(FailureReason::InsufficientFunds),
                    Refusal::CodeInvalid => failed(FailureReason::CodeInvalid),
                    _ => failed(FailureReason::CodeExpired),
                }
            }
            Err(refusal) => PayOutcome::Unknown(format!("{refusal:?}")),
        }
    }

    pub fn query(&self, who: Provider, trade: &TradeRef) -> QueryOutcome {
        let now = self.world.now();
        let Ok(trade) = self.book().query(who, Number::Merchant(trade.out_trade_no.as_str()), now) else {
            return QueryOutcome::NotFound;
        };
        if who == Provider::Alipay && !trade.is_begun() {
            return QueryOutcome::NotFound;
        }
        match trade.state {
            TradeState::Created => QueryOutcome::AwaitingCustomer,
            TradeState::WaitBuyerPay if who == Provider::Alipay || trade.by_code => QueryOutcome::CustomerConfirming,
            TradeState::WaitBuyerPay => QueryOutcome::AwaitingCustomer,
            // WeChat Pay says REFUND, and not how much.
            TradeState::Success | TradeState::Refunded if who == Provider::Wechatpay && trade.refunded > 0 => {
                QueryOutcome::SomeReturned(money(&trade))
            }
            TradeState::Success => QueryOutcome::Paid(money(&trade)),
            TradeState::Refunded => QueryOutcome::Returned,
            TradeState::Reversed if trade.paid_at.is_some() => QueryOutcome::Returned,
            TradeState::Closed if trade.by_code && who != Provider::Alipay => {
                QueryOutcome::Failed(Failure::new(FailureReason::CustomerRefused))
            }
            TradeState::Reversed | TradeState::Closed => QueryOutcome::Closed,
        }
    }

    pub fn void(&self, who: Provider, trade: &TradeRef) -> VoidOutcome {
        let now = self.world.now();
        let number = Number::Merchant(trade.out_trade_no.as_str());
        if trade.way == Way::MerchantPresented {
            match who {
                Provider::Alipay => {}
                Provider::Wechatpay => {
                    return match self.book().close(who, number, now) {
                        Ok(_) | Err(Refusal::Absent) => VoidOutcome::Closed,
                        Err(Refusal::Paid) => VoidOutcome::AlreadyPaid,
                        Err(refusal) => VoidOutcome::Unknown(format!("{refusal:?}")),
                    };
                }
                // A shown order cannot be closed: it runs out.
                Provider::Unionpay => match self.book().query(who, number, now).map(|trade| trade.state) {
                    Ok(TradeState::Created | TradeState::WaitBuyerPay) => return VoidOutcome::NotYet,
                    Ok(TradeState::Closed) => return VoidOutcome::Closed,
                    Err(Refusal::Absent) if now < trade.started_at + 200_000 => return VoidOutcome::NotYet,
                    _ => {}
                },
            }
        }
        match self.book().take_back(who, number, now) {
            Ok((_, TakenBack::Returned)) => VoidOutcome::Returned,
            Ok((_, TakenBack::Closed)) => VoidOutcome::Closed,
            // UnionPay's purchase may still be on its way.
            Err(Refusal::Absent) if who == Provider::Unionpay && now < trade.started_at + 10_000 => VoidOutcome::NotYet,
            Err(Refusal::Absent) => VoidOutcome::Closed,
            Err(Refusal::TooSoon) => VoidOutcome::NotYet,
            Err(Refusal::TooLate | Refusal::RefundBegun) => VoidOutcome::AlreadyPaid,
            Err(refusal) => VoidOutcome::Unknown(format!("{refusal:?}")),
        }
    }

    pub fn refund(self: &Arc<Self>, who: Provider, trade: &TradeRef, refund: &RefundRef) -> RefundOutcome {
        let now = self.world.now();
        let wanted = Refunding {
            out_refund_no: refund.out_refund_no.clone(),
            amount: refund.amount.minor,
            ..Refunding::default()
        };
        let number = Number::Merchant(trade.out_trade_no.as_str());
        let done = self.book().refund(who, number, &wanted, now);
        match done {
            Ok((trade, refund, moved)) => {
                if moved && who != Provider::Unionpay {
                    notices::send(self, Notice::about(&trade, Says::Refunded(refund.out_refund_no)));
                }
                // WeChat Pay only takes it in; asking tells that it is done.
                if who == Provider::Wechatpay { RefundOutcome::Processing } else { RefundOutcome::Done }
            }
            Err(Refusal::Absent | Refusal::WrongState | Refusal::TooMuch | Refusal::OtherRefund) => {
                RefundOutcome::Failed(Failure::new(FailureReason::ProviderRefused))
            }
            Err(refusal) => RefundOutcome::Unknown(format!("{refusal:?}")),
        }
    }

    pub fn query_refund(&self, who: Provider, trade: &TradeRef, refund: &RefundRef) -> RefundOutcome {
        let number = Number::Merchant(trade.out_trade_no.as_str());
        match self.book().query(who, number, self.world.now()) {
            Ok(trade) if trade.refunds.iter().any(|one| one.out_refund_no == refund.out_refund_no) => {
                RefundOutcome::Done
            }
            _ => RefundOutcome::NotFound,
        }
    }

    /// A customer was asked for the password, and takes a while over it.
    fn customer_decides(self: &Arc<Self>, trade: String) {
        let (providers, busy) = (self.clone(), self.world.busy());
        tokio::spawn(async move {
            let _busy = busy;
            let world = providers.world.clone();
            world.pass(world.some(1_000, 70_000)).await;
            match world.dice(|dice| dice.below(10)) {
                0 | 1 => {
                    world.tell(format_args!("customer refuses {trade}"));
                    let _ = providers.book().refuse(&trade, world.now());
                }
                2 => {}
                _ => providers.confirm(&trade),
            }
        });
    }

    fn confirm(self: &Arc<Self>, trade: &str) {
        let confirmed = self.book().confirm(trade, self.world.now());
        if let Ok(trade) = confirmed {
            self.world.tell(format_args!("customer confirms {}", trade.out_trade_no));
            self.paid(&trade);
        }
    }

    /// A customer reads a shown code.
    pub fn scan(self: &Arc<Self>, wallet: &str, payload: &str, confirm: Option<bool>) {
        let scanned = self.book().scan(wallet, payload, confirm, self.world.now());
        match scanned {
            Ok(trade) if trade.state == TradeState::Success => {
                self.world.tell(format_args!("customer pays {}", trade.out_trade_no));
                self.paid(&trade);
            }
            Ok(trade) if trade.state == TradeState::WaitBuyerPay => self.customer_decides(trade.id),
            _ => {}
        }
    }

    fn paid(self: &Arc<Self>, trade: &Trade) {
        notices::send(self, Notice::about(trade, Says::Paid(trade.amount)));
    }
}

/// What the provider says of a paid trade.
pub fn money(trade: &Trade) -> Paid {
    Paid {
        provider_trade_no: trade.provider_trade_no.clone(),
        amount: Money::new(trade.amount, Currency::CNY),
        payer: None,
        paid_at: trade.paid_at.unwrap_or(trade.created_at),
    }
}

fn order(who: Provider, trade: &TradeRef, details: &TradeDetails) -> Order {
    Order {
        channel: who,
        out_trade_no: trade.out_trade_no.to_string(),
        subject: details.description.clone(),
        amount: trade.amount.minor,
        expires_at: details.expires_at,
        attach: None,
        notify_url: details.notify_url.clone(),
        notify_serial: None,
        details: Default::default(),
    }
}
