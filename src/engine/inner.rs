//! What every part of the engine works on: the books, the open channels, and a driver for each unfinished payment.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tracing::Instrument;

use super::accounts::Accounts;
use super::decide::Outcome;
use super::driver::{self, Driver, Order};
use super::metrics::EngineMetrics;
use super::{Clock, EngineError, Ids};
use crate::channel::{CodeOutcome, MerchantAccount, TradeDetails, TradeRef};
use crate::ledger::{Ledger, LedgerError};
use crate::money::Money;
use crate::payment::{
    AccountId, Attempt, ChannelId, CodeRule, Payment, PaymentEvent, PaymentId, PaymentState, UnixMillis, Way,
};

pub(super) struct Inner {
    pub(super) ledger: Ledger,
    pub(super) instance: String,
    pub(super) clock: Clock,
    pub(super) ids: Ids,
    pub(super) accounts: RwLock<Arc<Accounts>>,
    pub(super) drivers: Mutex<HashMap<PaymentId, mpsc::UnboundedSender<Order>>>,
    /// The numbers of attempts and refunds whose intent is being written and whose order is about to reach their driver, and
    /// how many callers say so: of two that write at once, the loser's word must not take back the winner's.
    pub(super) announced: Mutex<HashMap<String, u32>>,
    pub(super) tasks: Mutex<JoinSet<()>>,
    pub(super) metrics: Arc<EngineMetrics>,
}

/// Tells drivers that an attempt or a refund is no orphan: its call will be ordered. Taken back when dropped.
pub(super) struct Announced {
    inner: Arc<Inner>,
    number: String,
}

impl Drop for Announced {
    fn drop(&mut self) {
        let mut announced = self.inner.announced();
        match announced.get_mut(&self.number) {
            Some(callers) if *callers > 1 => *callers -= 1,
            _ => drop(announced.remove(&self.number)),
        }
    }
}

impl Inner {
    pub(super) fn announced(&self) -> MutexGuard<'_, HashMap<String, u32>> {
        self.announced.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn announce(self: &Arc<Self>, event: &PaymentEvent) -> Option<Announced> {
        let number = match event {
            PaymentEvent::AttemptStarted { out_trade_no, .. } => out_trade_no.to_string(),
            PaymentEvent::RefundStarted { out_refund_no, .. } => out_refund_no.clone(),
            _ => return None,
        };
        *self.announced().entry(number.clone()).or_default() += 1;
        Some(Announced { inner: self.clone(), number })
    }

    pub(super) fn accounts(&self) -> Arc<Accounts> {
        self.accounts.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn drivers(&self) -> MutexGuard<'_, HashMap<PaymentId, mpsc::UnboundedSender<Order>>> {
        self.drivers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn tasks(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sees to it that every unfinished payment has a driver.
    pub(super) async fn resume(self: &Arc<Self>) -> Result<(), LedgerError> {
        for id in self.ledger.unfinished(&self.instance, self.clock.now()).await? {
            self.order(&id, Order::Wake);
        }
        Ok(())
    }

    /// Gives an order to the payment's driver, starting it where there is none.
    pub(super) fn order(self: &Arc<Self>, id: &PaymentId, order: Order) {
        let mut drivers = self.drivers();
        let order = match drivers.get(id) {
            Some(orders) => match orders.send(order) {
                Ok(()) => return,
                Err(unsent) => unsent.0,
            },
            None => order,
        };
        let (sender, orders) = mpsc::unbounded_channel();
        let _ = sender.send(order);
        drivers.insert(id.clone(), sender);
        drop(drivers);
        let mut tasks = self.tasks();
        // Drivers that have ended are let go of here, so that the set does not grow.
        while tasks.try_join_next().is_some() {}
        // Everything that is told about the payment bears its id, whoever tells it.
        let story = tracing::error_span!("payment", payment = %id);
        tasks.spawn(Driver { engine: self.clone(), id: id.clone(), orders }.run().instrument(story));
    }

    /// A driver with nothing left to do leaves, unless an order came meanwhile.
    pub(super) fn leave(&self, id: &PaymentId, orders: &mut mpsc::UnboundedReceiver<Order>) -> bool {
        let mut drivers = self.drivers();
        if !orders.is_empty() {
            return false;
        }
        drivers.remove(id);
        true
    }

    pub(super) fn leave_at_once(&self, id: &PaymentId) {
        self.drivers().remove(id);
    }

    pub(super) fn code_rules(&self) -> Vec<CodeRule> {
        let accounts = self.accounts();
        let mut rules: Vec<_> = accounts.open().iter().flat_map(|open| open.capabilities.code_rules.clone()).collect();
        // A code of a channel that is not open is still told from one that is none.
        rules.extend(CodeRule::published());
        rules
    }

    /// The intent of an attempt through the channel's open account.
    pub(super) fn start_attempt(
        &self,
        payment: &Payment,
        channel: &ChannelId,
        auth_code: Option<(String, String)>,
    ) -> Result<(PaymentEvent, AccountId), EngineError> {
        let accounts = self.accounts();
        if !payment.accepts_attempts() {
            let state = if payment.state == PaymentState::Pending { "being closed" } else { payment.state.name() };
            return Err(EngineError::Over { state });
        }
        let open = accounts.open_for(channel, payment)?;
        let way = if auth_code.is_some() { Way::ConsumerPresented } else { Way::MerchantPresented };
        if !open.capabilities.ways.contains(&way) {
            let instead = match way {
                Way::MerchantPresented => "read the customer's payment code",
                Way::ConsumerPresented => "show a code for the customer to scan",
            };
            return Err(EngineError::WayNotOffered { channel: channel.clone(), instead });
        }
        let range = &open.capabilities.amount;
        if !range.contains(&payment.amount.minor) {
            let money = |minor| Money::new(minor, payment.amount.currency);
            return Err(EngineError::AmountOutOfRange {
                channel: channel.clone(),
                min: money(*range.start()),
                max: money(*range.end()),
            });
        }
        let no = u32::try_from(payment.attempts.len() + 1).map_err(|_| EngineError::TooManyAttempts)?;
        let out_trade_no = payment.id.out_trade_no(no).ok_or(EngineError::TooManyAttempts)?;
        let (auth_code_masked, auth_code_mac) = auth_code.unzip();
        let event = PaymentEvent::AttemptStarted {
            no,
            way,
            channel: channel.clone(),
            account: open.account.clone(),
            out_trade_no,
            auth_code_masked,
            auth_code_mac,
            confirmed_by: open.capabilities.confirmed_by,
        };
        Ok((event, open.account.clone()))
    }

    /// Asks for the code of an attempt whose intent is durable.
    pub(super) async fn ask_for_code(&self, id: &PaymentId, no: u32) -> Outcome {
        let nothing = |why: &str| Outcome::Code(CodeOutcome::Unknown(why.to_owned()));
        let payment = match self.ledger.payment(id).await {
            Ok(Some(payment)) => payment,
            Ok(None) => return nothing("the payment is not in the books"),
            Err(error) => return nothing(&error.to_string()),
        };
        let accounts = self.accounts();
        let Some((attempt, entry)) =
            payment.attempt(no).and_then(|attempt| Some((attempt, accounts.get(&attempt.account)?)))
        else {
            return nothing("its account cannot be opened");
        };
        let expires_at = driver::code_expires_at(self.clock.now(), entry.channel.as_ref());
        let details = details(&payment, &entry.account, expires_at);
        Outcome::Code(entry.channel.create_code(&trade(&payment, attempt), &details).await)
    }
}

/// What the provider sees of an attempt.
pub(super) fn trade(payment: &Payment, attempt: &Attempt) -> TradeRef {
    TradeRef {
        out_trade_no: attempt.out_trade_no.clone(),
        amount: payment.amount,
        way: attempt.way,
        started_at: attempt.started_at,
        provider_trade_no: attempt.provider_trade_no.clone(),
        paid_at: attempt.paid_at,
    }
}

pub(super) fn details(payment: &Payment, account: &MerchantAccount, expires_at: UnixMillis) -> TradeDetails {
    TradeDetails {
        description: payment.description.clone(),
        store: payment.store.to_string(),
        till: payment.till.to_string(),
        operator: payment.operator.clone(),
        expires_at,
        notify_url: notify_url(account),
    }
}

/// Where notifications about an account's trades and refunds reach us.
pub(super) fn notify_url(account: &MerchantAccount) -> Option<String> {
    let base = account.notify_base_url.as_ref()?;
    Some(format!("{base}/v1/notifications/{}/{}", account.channel, account.id))
}
