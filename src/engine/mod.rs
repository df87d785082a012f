//! Takes a payment from intent to a known end: submit, poll, race, void, refund, resume after a crash.
//!
//! What to do next is decided by pure functions on the payment; this room's tasks do it, write down what came of it,
//! and decide again.

mod accounts;
mod clock;
mod confirm;
mod decide;
mod driver;
mod inner;
mod metrics;
mod notify;
mod refund;
mod types;
mod watched;

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::oneshot;
use zeroize::Zeroizing;

pub use clock::{Clock, Time};
pub use types::{Answered, EngineConfig, EngineError, Idempotency, Ids, NewPayment, NewRefund, OpenChannel, Seen};

use self::accounts::Accounts;
use self::clock::millis;
use self::driver::{LEASE_MS, Order};
use self::inner::{Announced, Inner, details, trade};
use self::metrics::EngineMetrics;
use crate::channel::{Channel, MerchantAccount};
use crate::ledger::{Commit, Ledger, LedgerError};
use crate::money::Money;
use crate::payment::{
    AttemptState, ChannelId, Payment, PaymentCode, PaymentEvent, PaymentId, StoreId, UnixMillis, Way,
};

/// How often payments whose owner died are looked for, where processes share the books.
const SWEEP: Duration = Duration::from_secs(5);
/// A caller's write meets another's only so often before something is wrong.
const MAX_CONFLICTS: u32 = 100;

/// The engine. Cheap to clone; every clone is the same engine.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

impl Engine {
    /// Starts: opens the accounts' channels, and resumes every payment that is not at an end.
    ///
    /// # Errors
    /// The books cannot be read or written.
    pub async fn start(ledger: Ledger, config: EngineConfig) -> Result<Self, EngineError> {
        let metrics = Arc::new(EngineMetrics::default());
        let accounts = Accounts::build(ledger.accounts().await?, &metrics);
        Self::start_on(ledger, config, accounts, metrics).await
    }

    /// Starts with channels that exist already.
    ///
    /// # Errors
    /// The books cannot be read or written.
    pub async fn start_with(
        ledger: Ledger,
        config: EngineConfig,
        channels: Vec<(MerchantAccount, Arc<dyn Channel>)>,
    ) -> Result<Self, EngineError> {
        let metrics = Arc::new(EngineMetrics::default());
        let accounts = Accounts::of(channels, &metrics);
        Self::start_on(ledger, config, accounts, metrics).await
    }

    async fn start_on(
        ledger: Ledger,
        config: EngineConfig,
        accounts: Accounts,
        metrics: Arc<EngineMetrics>,
    ) -> Result<Self, EngineError> {
        let EngineConfig { instance, exclusive, clock, ids } = config;
        if exclusive {
            ledger.break_leases(&instance).await?;
        }
        let inner = Arc::new(Inner {
            ledger,
            instance,
            clock,
            ids,
            accounts: RwLock::new(Arc::new(accounts)),
            drivers: Mutex::default(),
            announced: Mutex::default(),
            tasks: Mutex::default(),
            metrics,
        });
        inner.resume().await?;
        if !exclusive {
            let sweeper = inner.clone();
            inner.tasks().spawn(async move {
                loop {
                    sweeper.clock.sleep(SWEEP).await;
                    if let Err(error) = sweeper.resume().await {
                        tracing::error!(%error, "unfinished payments cannot be looked for");
                    }
                }
            });
        }
        Ok(Self { inner })
    }

    /// Begins a sale. Its state is `Created`.
    ///
    /// # Errors
    /// No account is open, the amount is none, or the books refuse.
    pub async fn create(&self, new: NewPayment, idempotency: Option<Idempotency>) -> Result<Answered, EngineError> {
        if let Some(replayed) = self.replayed(idempotency.as_ref()).await? {
            return Ok(replayed);
        }
        let accounts = self.inner.accounts();
        if accounts.open_at(&new.store).is_empty() {
            return Err(EngineError::NoAccount);
        }
        let description = match new.description {
            Some(description) => description,
            None => self.store_name(&new.store).await?,
        };
        let now = self.inner.clock.now();
        let actor = format!("till:{}", new.till);
        let event = PaymentEvent::Created {
            amount: new.amount,
            description,
            store: new.store,
            till: new.till,
            operator: new.operator,
            collect_until: now + i64::from(new.collect_seconds) * 1_000,
            training: accounts.training(),
        };
        let id = self.inner.ids.next(now);
        let payment = Payment::create(id.clone(), now, &event).map_err(LedgerError::from)?;
        let answer = idempotency.as_ref().and_then(|idempotency| driver::answer(idempotency, &payment, &[], now));
        let commit = Commit {
            payment: id.clone(),
            expect: None,
            actor,
            at: now,
            events: vec![event],
            answer,
            notification: None,
            lease: Some((self.inner.instance.clone(), now + LEASE_MS)),
            takes_over: false,
        };
        match self.inner.commit(None, commit).await {
            Ok(payment) => {
                self.inner.order(&id, Order::Wake);
                Ok(Answered::Fresh(Box::new(payment)))
            }
            Err(LedgerError::IdempotencyReplay(answer)) => Ok(Answered::Replayed(answer)),
            Err(error) => Err(self.in_doubt(&id, error)),
        }
    }

    /// After some errors it may have been written all the same: then somebody has to act on it.
    fn in_doubt(&self, id: &PaymentId, error: LedgerError) -> EngineError {
        if matches!(error, LedgerError::Unreachable { .. } | LedgerError::Database(_)) {
            self.inner.order(id, Order::Wake);
        }
        error.into()
    }

    /// Changes amount or description while nothing was shown or submitted.
    ///
    /// # Errors
    /// Something was shown or submitted already, or the amount is none.
    pub async fn change(
        &self,
        id: &PaymentId,
        actor: &str,
        amount: Option<i64>,
        description: Option<String>,
    ) -> Result<Payment, EngineError> {
        let decide = |payment: &Payment| {
            let minor = amount.unwrap_or(payment.amount.minor);
            Ok(vec![PaymentEvent::Changed {
                amount: Money::new(minor, payment.amount.currency),
                description: description.clone().unwrap_or_else(|| payment.description.clone()),
            }])
        };
        match self.write(id, actor, None, decide).await? {
            Answered::Fresh(payment) => Ok(*payment),
            Answered::Replayed(_) => Err(LedgerError::IdempotencyMismatch.into()),
        }
    }

    /// Asks the channel for a code to show and waits for the provider's answer (within its time limit). Where a code of
    /// this channel is shown already, that one stays.
    ///
    /// # Errors
    /// The channel is not open, does not take the amount, or the payment is over.
    pub async fn show_code(
        &self,
        id: &PaymentId,
        actor: &str,
        channel: &ChannelId,
        idempotency: Option<Idempotency>,
    ) -> Result<Answered, EngineError> {
        let (engine, id, actor, channel) = (self.clone(), id.clone(), actor.to_owned(), channel.clone());
        uninterrupted(async move { engine.begin_code(&id, &actor, &channel, idempotency).await }).await
    }

    async fn begin_code(
        &self,
        id: &PaymentId,
        actor: &str,
        channel: &ChannelId,
        idempotency: Option<Idempotency>,
    ) -> Result<Answered, EngineError> {
        if let Some(replayed) = self.replayed(idempotency.as_ref()).await? {
            return Ok(replayed);
        }
        let payment = self.inner.ledger.payment(id).await?.ok_or(LedgerError::NotFound)?;
        let live = payment.open_attempts().any(|attempt| {
            &attempt.channel == channel
                && attempt.way == Way::MerchantPresented
                && attempt.state == AttemptState::CodeShown
        });
        if live {
            return self.write(id, actor, idempotency.as_ref(), |_| Ok(Vec::new())).await;
        }
        let mut announced: Option<Option<Announced>> = None;
        let started = self
            .write(id, actor, None, |payment| {
                let (event, _) = self.inner.start_attempt(payment, channel, None)?;
                announced = Some(self.inner.announce(&event));
                Ok(vec![event])
            })
            .await?;
        let Answered::Fresh(payment) = started else { return Ok(started) };
        let no = payment.attempts.last().map_or(0, |attempt| attempt.no);
        let (reply, answered) = oneshot::channel();
        let order = Order::Code { no, reply, idempotency: idempotency.clone(), announced: announced.flatten() };
        self.inner.order(id, order);
        match answered.await {
            Ok(answer) => answer,
            // The driver stopped: the payment as it stands is the truth, and stays the answer.
            Err(_) => self.write(id, actor, idempotency.as_ref(), |_| Ok(Vec::new())).await,
        }
    }

    /// Submits the customer's payment code: returns as soon as the intent is durable and the request is leaving; the
    /// outcome comes as events.
    ///
    /// # Errors
    /// The text is no payment code, was used already, or another is being worked on.
    pub async fn scan(
        &self,
        id: &PaymentId,
        actor: &str,
        auth_code: &str,
        idempotency: Option<Idempotency>,
    ) -> Result<Answered, EngineError> {
        let (engine, id, actor) = (self.clone(), id.clone(), actor.to_owned());
        let auth_code = Zeroizing::new(auth_code.to_owned());
        uninterrupted(async move { engine.begin_scan(&id, &actor, &auth_code, idempotency).await }).await
    }

    async fn begin_scan(
        &self,
        id: &PaymentId,
        actor: &str,
        auth_code: &str,
        idempotency: Option<Idempotency>,
    ) -> Result<Answered, EngineError> {
        if let Some(replayed) = self.replayed(idempotency.as_ref()).await? {
            return Ok(replayed);
        }
        let code = PaymentCode::classify(auth_code, &self.inner.code_rules())?;
        let mac = self.inner.ledger.code_mac(code.expose());
        let mut chosen = None;
        let mut announced: Option<Option<Announced>> = None;
        let answered = self
            .write(id, actor, idempotency.as_ref(), |payment| {
                let busy = payment.open_attempts().any(|attempt| attempt.way == Way::ConsumerPresented);
                if busy && payment.accepts_attempts() {
                    return Err(EngineError::Busy);
                }
                let (event, account) =
                    self.inner.start_attempt(payment, code.channel(), Some((code.masked(), mac.clone())))?;
                chosen = Some(account);
                announced = Some(self.inner.announce(&event));
                Ok(vec![event])
            })
            .await?;
        if let (Answered::Fresh(payment), Some(account)) = (&answered, chosen)
            && let Some(attempt) = payment.attempts.last()
            && let Some(entry) = self.inner.accounts().get(&account)
        {
            let expires_at = self.inner.clock.now() + millis(entry.channel.capabilities().confirm_patience) * 2;
            self.inner.order(
                id,
                Order::Pay {
                    no: attempt.no,
                    trade: trade(payment, attempt),
                    details: details(payment, &entry.account, expires_at),
                    channel: entry.channel.clone(),
                    auth_code: Zeroizing::new(code.expose().to_owned()),
                    announced: announced.flatten(),
                },
            );
        }
        Ok(answered)
    }

    /// Asks to cancel: returns as soon as that is durable. The provider is asked first; what came of it comes as events.
    /// A payment that is over stays as it is.
    ///
    /// # Errors
    /// The books refuse.
    pub async fn cancel(
        &self,
        id: &PaymentId,
        actor: &str,
        idempotency: Option<Idempotency>,
    ) -> Result<Answered, EngineError> {
        let (engine, id, actor) = (self.clone(), id.clone(), actor.to_owned());
        uninterrupted(async move { engine.begin_cancel(&id, &actor, idempotency).await }).await
    }

    async fn begin_cancel(
        &self,
        id: &PaymentId,
        actor: &str,
        idempotency: Option<Idempotency>,
    ) -> Result<Answered, EngineError> {
        let answered = self
            .write(id, actor, idempotency.as_ref(), |payment| {
                let over = payment.state.is_end() || payment.paid_by.is_some() || payment.cancel_requested;
                Ok(if over { Vec::new() } else { vec![PaymentEvent::CancelRequested { by: actor.to_owned() }] })
            })
            .await?;
        self.inner.order(id, Order::Wake);
        Ok(answered)
    }

    /// Opens the accounts' channels anew after a change.
    ///
    /// # Errors
    /// The books cannot be read.
    pub async fn reload_accounts(&self) -> Result<(), EngineError> {
        let accounts = Arc::new(Accounts::build(self.inner.ledger.accounts().await?, &self.inner.metrics));
        *self.inner.accounts.write().unwrap_or_else(PoisonError::into_inner) = accounts;
        // A payment may have waited for its account.
        for orders in self.inner.drivers().values() {
            let _ = orders.send(Order::Wake);
        }
        Ok(())
    }

    /// The channels open for new payments at a store.
    #[must_use]
    pub fn channels(&self, store: &StoreId) -> Vec<OpenChannel> {
        self.inner.accounts().open_at(store)
    }

    /// Whether only training accounts are open.
    #[must_use]
    pub fn is_training(&self) -> bool {
        self.inner.accounts().training()
    }

    /// The books.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.inner.ledger
    }

    /// Time, as this engine has it.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    /// Now, by this engine's time.
    #[must_use]
    pub fn now(&self) -> UnixMillis {
        self.inner.clock.now()
    }

    /// Stops acting, so that the process can end. What is under way is resumed at the next start.
    pub async fn stop(&self) {
        let mut tasks = std::mem::take(&mut *self.inner.tasks());
        tasks.shutdown().await;
        self.inner.drivers().clear();
    }

    async fn store_name(&self, id: &StoreId) -> Result<String, EngineError> {
        let stores = self.inner.ledger.stores().await?;
        Ok(stores.into_iter().find(|store| &store.id == id).map_or_else(|| id.to_string(), |store| store.name))
    }

    async fn replayed(&self, idempotency: Option<&Idempotency>) -> Result<Option<Answered>, EngineError> {
        let Some(idempotency) = idempotency else { return Ok(None) };
        match self.inner.ledger.idempotent(&idempotency.scope, &idempotency.key).await? {
            Some(answer) if answer.digest == idempotency.digest => Ok(Some(Answered::Replayed(Box::new(answer)))),
            Some(_) => Err(LedgerError::IdempotencyMismatch.into()),
            None => Ok(None),
        }
    }

    /// Writes what `decide` makes of the payment, deciding anew where another writer was first.
    async fn write(
        &self,
        id: &PaymentId,
        actor: &str,
        idempotency: Option<&Idempotency>,
        mut decide: impl FnMut(&Payment) -> Result<Vec<PaymentEvent>, EngineError>,
    ) -> Result<Answered, EngineError> {
        let mut conflicts = 0;
        loop {
            let payment = self.inner.ledger.payment(id).await?.ok_or(LedgerError::NotFound)?;
            let now = self.inner.clock.now();
            let events = decide(&payment)?;
            let answer = idempotency.and_then(|idempotency| driver::answer(idempotency, &payment, &events, now));
            let begins = events.iter().any(|event| matches!(event, PaymentEvent::AttemptStarted { .. }));
            if events.is_empty() && answer.is_none() {
                return Ok(Answered::Fresh(Box::new(payment)));
            }
            let commit = Commit {
                payment: id.clone(),
                expect: Some(payment.version),
                actor: actor.to_owned(),
                at: now,
                events,
                answer,
                notification: None,
                // What is only to be known needs no lease: the driver that holds it acts on it. An attempt's request
                // leaves from here, so its driver has to be here.
                lease: begins.then(|| (self.inner.instance.clone(), now + LEASE_MS)),
                takes_over: begins,
            };
            match self.inner.commit(Some(&payment), commit).await {
                Ok(payment) => return Ok(Answered::Fresh(Box::new(payment))),
                Err(LedgerError::IdempotencyReplay(answer)) => return Ok(Answered::Replayed(answer)),
                Err(LedgerError::Conflict) if conflicts < MAX_CONFLICTS => conflicts += 1,
                Err(LedgerError::Illegal(_)) if payment.state.is_end() => {
                    return Err(EngineError::Over { state: payment.state.name() });
                }
                Err(error) => return Err(self.in_doubt(id, error)),
            }
        }
    }
}

/// Runs to its end though the caller may go away: between an intent and the driver that acts on it nothing may be cut
/// off.
async fn uninterrupted(
    work: impl Future<Output = Result<Answered, EngineError>> + Send + 'static,
) -> Result<Answered, EngineError> {
    let ended = || LedgerError::Database("the engine was stopped".into());
    tokio::spawn(work).await.unwrap_or_else(|_| Err(ended().into()))
}
