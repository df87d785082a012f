//! One task for each unfinished payment: does what [`super::decide`] says, writes down what came of it, decides again.

mod call;
mod record;

use std::collections::HashMap;
use std::sync::Arc;

use futures::stream::{FuturesUnordered, StreamExt};
use tokio::sync::{mpsc, oneshot};
use zeroize::Zeroizing;

pub(super) use self::call::code_expires_at;
use self::call::{Call, Came, ask_for_refund, call, refund_ref};
pub(super) use self::record::answer;
use self::record::{WRITE_AGAIN, load};
use super::clock::millis;
use super::decide::{self, Matter, Memory, Outcome, RefundStep, Step};
use super::inner::{Announced, Inner, notify_url, trade};
use super::{Answered, EngineError, Idempotency};
use crate::channel::{Channel, RefundOutcome, TradeDetails, TradeRef};
use crate::payment::{Attempt, AttemptState, ChannelId, Payment, PaymentId, UnixMillis};

/// How long a lease runs; renewed by every write and while a driver waits.
pub(super) const LEASE_MS: i64 = 30_000;
/// A lease with less left than this is renewed before acting.
const LEASE_MARGIN_MS: i64 = 10_000;
/// How long to wait before a fresh code is asked for again where none could be had.
const RENEW_AGAIN_MS: i64 = 5_000;

/// What the engine's callers ask of a driver.
pub(super) enum Order {
    /// Look again: something was written.
    Wake,
    /// Look again, and ask about refunds at once: the provider has told something.
    Told,
    /// Ask for a refund whose intent was written by the caller just now.
    Refund { no: u32, announced: Option<Announced> },
    /// Submit the customer's code. The intent is durable.
    Pay {
        no: u32,
        trade: TradeRef,
        details: TradeDetails,
        channel: Arc<dyn Channel>,
        auth_code: Zeroizing<String>,
        announced: Option<Announced>,
    },
    /// Ask for a code to show. The intent is durable.
    Code {
        no: u32,
        reply: oneshot::Sender<Result<Answered, EngineError>>,
        idempotency: Option<Idempotency>,
        announced: Option<Announced>,
    },
}

/// Who waits for a code.
type Waiter = (oneshot::Sender<Result<Answered, EngineError>>, Option<Idempotency>);
pub(super) struct Driver {
    pub engine: Arc<Inner>,
    pub id: PaymentId,
    pub orders: mpsc::UnboundedReceiver<Order>,
}

/// Why a driver stops before the payment's end.
enum Stop {
    /// Another process acts on it.
    LeaseHeld,
    /// It is not in the books.
    Absent,
}

struct Desk {
    engine: Arc<Inner>,
    id: PaymentId,
    memory: HashMap<u32, Memory>,
    refund_memory: HashMap<u32, Memory>,
    calls: FuturesUnordered<Call>,
    waiters: HashMap<u32, Waiter>,
    lease_until: UnixMillis,
    /// Since when this driver has had the payment, where what another had begun by then was not looked at yet.
    taken_over_at: Option<UnixMillis>,
    /// By how much the clock had been set when it was last read here, in ms.
    stepped: i64,
}

impl Driver {
    pub async fn run(self) {
        let Self { engine, id, mut orders } = self;
        let reading = engine.clock.read();
        let mut desk = Desk {
            engine: engine.clone(),
            id: id.clone(),
            memory: HashMap::new(),
            refund_memory: HashMap::new(),
            calls: FuturesUnordered::new(),
            waiters: HashMap::new(),
            lease_until: 0,
            taken_over_at: Some(reading.now),
            stepped: reading.stepped,
        };
        loop {
            // Calls that were ordered begin before the books are read: the customer waits.
            while let Ok(order) = orders.try_recv() {
                desk.take(order);
            }
            let wait = match desk.turn().await {
                Ok(Some(until)) => Some(until),
                Ok(None) if desk.calls.is_empty() => {
                    if engine.leave(&id, &mut orders) {
                        return;
                    }
                    continue;
                }
                Ok(None) => None,
                Err(Stop::LeaseHeld) => {
                    tracing::info!(payment = %id, "another process takes care of this payment");
                    engine.leave_at_once(&id);
                    return;
                }
                Err(Stop::Absent) => {
                    engine.leave_at_once(&id);
                    return;
                }
            };
            let asleep = async {
                match wait {
                    Some(until) => engine.clock.sleep_until(until).await,
                    None => std::future::pending().await,
                }
            };
            // In this order, so that the same events in the same order come to the same: what a provider said is written
            // before anything new is begun.
            tokio::select! {
                biased;
                Some(came) = desk.calls.next(), if !desk.calls.is_empty() => match came {
                    Came::Attempt(no, outcome) => desk.came(no, outcome).await,
                    Came::Refund(no, outcome) => desk.refund_came(no, &outcome).await,
                },
                order = orders.recv() => match order {
                    Some(order) => desk.take(order),
                    None => return,
                },
                () = asleep => {}
            }
        }
    }
}

impl Desk {
    /// Now. Where the clock was set since the last look, what is remembered here is moved along.
    fn now(&mut self) -> UnixMillis {
        let reading = self.engine.clock.read();
        let by = reading.stepped - self.stepped;
        if by != 0 {
            self.stepped = reading.stepped;
            for memory in self.memory.values_mut().chain(self.refund_memory.values_mut()) {
                memory.shift(by);
            }
            self.lease_until = self.lease_until.saturating_add(by);
            self.taken_over_at = self.taken_over_at.map(|at| at.saturating_add(by));
        }
        reading.now
    }

    fn memory(&mut self, no: u32) -> &mut Memory {
        self.memory.entry(no).or_default()
    }

    fn take(&mut self, order: Order) {
        match order {
            Order::Wake => {}
            Order::Told => self.refund_memory.values_mut().for_each(|memory| memory.tried_at = None),
            Order::Refund { no, announced } => {
                drop(announced);
                let memory = self.refund_memory.entry(no).or_default();
                memory.fresh = memory.tries == 0 && !memory.in_flight;
            }
            Order::Pay { no, trade, details, channel, auth_code, announced } => {
                self.may_have_taken_over();
                self.memory(no).in_flight = true;
                drop(announced);
                self.calls.push(Box::pin(async move {
                    Came::Attempt(no, Outcome::Pay(channel.pay(&trade, &details, &auth_code).await))
                }));
            }
            Order::Code { no, reply, idempotency, announced } => {
                self.may_have_taken_over();
                self.memory(no).in_flight = true;
                drop(announced);
                self.waiters.insert(no, (reply, idempotency));
                let engine = self.engine.clone();
                let id = self.id.clone();
                self.calls.push(Box::pin(async move { Came::Attempt(no, engine.ask_for_code(&id, no).await) }));
            }
        }
    }

    /// Who begins an attempt takes the payment over from another process.
    fn may_have_taken_over(&mut self) {
        if !self.engine.ledger.is_exclusive() {
            self.taken_over_at = Some(self.now());
        }
    }

    /// Calls of the owner before, which may have died a moment ago, may still arrive: what that one was taking back is not
    /// asked about before they have.
    fn inherit(&mut self, payment: &Payment) {
        let Some(since) = self.taken_over_at.take() else { return };
        let accounts = self.engine.accounts();
        for attempt in payment.open_attempts() {
            let Some(numbers) = accounts.capabilities(&attempt.account) else { continue };
            let (memory, until) = (self.memory(attempt.no), since + millis(numbers.request_timeout));
            memory.arriving_until = Some(until);
            if attempt.state == AttemptState::Voiding {
                memory.others_until = Some(until);
            }
        }
    }

    /// Does all that is due; says until when there is nothing more to do, `None` where nothing is left by the clock.
    async fn turn(&mut self) -> Result<Option<UnixMillis>, Stop> {
        // Of books that others share it is not known here when another takes the payment over.
        let mut is_owner = self.engine.ledger.is_exclusive();
        loop {
            let payment = load(&self.engine, &self.id).await?;
            if !payment.is_unfinished() {
                return Ok(None);
            }
            let now = self.now();
            self.inherit(&payment);
            self.renew_lease(now).await?;
            let accounts = self.engine.accounts();
            let numbers = |attempt: &Attempt| accounts.capabilities(&attempt.account);
            let mut until = match decide::matter(&payment, &numbers, now) {
                Matter::Record(events) => {
                    self.record(payment, "engine", |_, _| events.clone()).await?;
                    continue;
                }
                Matter::Renew(channel) => match self.renew_code(payment.clone(), channel).await? {
                    true => continue,
                    // Nor would it be a moment later; the code that is shown still counts.
                    false => Some(now + RENEW_AGAIN_MS),
                },
                Matter::Wait(until) => until,
            };
            let mut written = false;
            for attempt in payment.open_attempts() {
                let memory = self.memory.entry(attempt.no).or_default();
                // A call that is under way, or about to be ordered, comes first.
                if memory.in_flight || self.engine.announced().contains_key(attempt.out_trade_no.as_str()) {
                    continue;
                }
                let Some(entry) = accounts.get(&attempt.account) else { continue };
                let step = decide::step(&payment, attempt, entry.channel.capabilities(), memory, now);
                if let Step::Record(events) = step {
                    self.record(payment.clone(), "engine", |_, _| events.clone()).await?;
                    written = true;
                    break;
                }
                if let Step::Wait(at) = step {
                    until = Some(until.map_or(at, |earlier| earlier.min(at)));
                    continue;
                }
                if !is_owner && matches!(step, Step::Void | Step::Refund(_)) {
                    // Only the owner lets money go back, and only after a look at the books as owner.
                    self.lease_until = 0;
                    self.renew_lease(now).await?;
                    (is_owner, written) = (true, true);
                    break;
                }
                memory.in_flight = true;
                let call =
                    call(step, attempt, trade(&payment, attempt), notify_url(&entry.account), entry.channel.clone());
                self.calls.push(call);
            }
            if !written {
                until = self.refunds(&payment, now, until);
                // While it waits its lease must not run out.
                let renew = self.lease_until - LEASE_MARGIN_MS;
                return Ok(Some(until.map_or(renew, |until| until.min(renew))));
            }
        }
    }

    /// Begins the calls that are due about refunds; says until when there is nothing more to do.
    fn refunds(&mut self, payment: &Payment, now: UnixMillis, mut until: Option<UnixMillis>) -> Option<UnixMillis> {
        let accounts = self.engine.accounts();
        for refund in payment.open_refunds() {
            let memory = self.refund_memory.entry(refund.no).or_default();
            let attempt = payment.attempt(refund.attempt);
            let Some((attempt, entry)) = attempt.and_then(|one| Some((one, accounts.get(&one.account)?))) else {
                continue;
            };
            let untouched = memory.tries == 0 && !memory.fresh;
            // Its order is about to come.
            if memory.in_flight || (untouched && self.engine.announced().contains_key(&refund.out_refund_no)) {
                continue;
            }
            let (no, asks) = match decide::refund_step(entry.channel.capabilities(), memory, now) {
                RefundStep::Wait(at) => {
                    until = Some(until.map_or(at, |earlier| earlier.min(at)));
                    continue;
                }
                RefundStep::Ask => (refund.no, true),
                RefundStep::Query => (refund.no, false),
            };
            memory.in_flight = true;
            // Another process could not have asked within the lease that a dead owner would leave behind.
            let first = std::mem::take(&mut memory.fresh) && now - refund.started_at < LEASE_MS / 2;
            let (trade, refund) = (trade(payment, attempt), refund_ref(refund, &entry.account));
            let channel = entry.channel.clone();
            self.calls.push(Box::pin(async move {
                let outcome = if asks {
                    ask_for_refund(channel.as_ref(), &trade, &refund, first).await
                } else {
                    channel.query_refund(&trade, &refund).await
                };
                Came::Refund(no, outcome)
            }));
        }
        until
    }

    /// A call about a refund has come back.
    async fn refund_came(&mut self, no: u32, outcome: &RefundOutcome) {
        let now = self.now();
        tracing::debug!(payment = %self.id, refund = no, ?outcome, "answered");
        let stepped = self.stepped;
        let mut memory = self.refund_memory.remove(&no).unwrap_or_default();
        memory.in_flight = false;
        memory.tries += 1;
        memory.tried_at = Some(now);
        if let Ok(payment) = load(&self.engine, &self.id).await {
            let attempt = payment.refund(no).and_then(|refund| payment.attempt(refund.attempt));
            let actor = attempt.map_or_else(|| "engine".to_owned(), |one| format!("provider:{}", one.channel));
            let mut remembered = memory.clone();
            // A lease that another has taken is noticed at the next turn; the outcome is asked for again there.
            let _ = self
                .record(payment, &actor, |payment, _| {
                    // Decided anew after a conflict, nobody was told of it yet.
                    remembered = memory.clone();
                    let refund = payment.refund(no);
                    refund.map_or_else(Vec::new, |one| decide::refund_events(payment, one, outcome, &mut remembered))
                })
                .await;
            memory = remembered;
        }
        memory.shift(self.stepped - stepped);
        self.refund_memory.insert(no, memory);
    }

    async fn renew_lease(&mut self, now: UnixMillis) -> Result<(), Stop> {
        while self.lease_until - now <= LEASE_MARGIN_MS {
            match self.engine.ledger.lease(&self.id, &self.engine.instance, now, now + LEASE_MS).await {
                Ok(true) => self.lease_until = now + LEASE_MS,
                Ok(false) => return Err(Stop::LeaseHeld),
                Err(error) => {
                    tracing::error!(payment = %self.id, %error, "the books cannot be written; trying again");
                    self.engine.clock.sleep(WRITE_AGAIN).await;
                }
            }
        }
        Ok(())
    }

    /// A call has come back.
    async fn came(&mut self, no: u32, outcome: Outcome) {
        let now = self.now();
        tracing::debug!(payment = %self.id, attempt = no, ?outcome, "answered");
        let waiter = self.waiters.remove(&no);
        let accounts = self.engine.accounts();
        let Ok(payment) = load(&self.engine, &self.id).await else { return };
        let Some(attempt) = payment.attempt(no) else { return };
        let Some(numbers) = accounts.capabilities(&attempt.account) else { return };
        let actor = format!("provider:{}", attempt.channel);
        let memory = self.memory(no);
        memory.in_flight = false;
        decide::remember(memory, attempt, &outcome, &numbers, now);
        let (memory, stepped) = (memory.clone(), self.stepped);
        let mut remembered = memory.clone();
        let (reply, idempotency) = waiter.unzip();
        let written = self
            .record_answering(payment, &actor, idempotency.flatten(), |payment, now| {
                // Decided anew after a conflict, nobody was told of it yet.
                remembered = memory.clone();
                decide::events(payment, no, &outcome, &numbers, &mut remembered, now)
            })
            .await;
        remembered.shift(self.stepped - stepped);
        *self.memory(no) = remembered;
        if let (Some(reply), Ok(answered)) = (reply, written) {
            let _ = reply.send(answered);
        }
    }

    /// Asks for a fresh code; false where none can be had, as where the account was closed meanwhile.
    async fn renew_code(&mut self, payment: Payment, channel: ChannelId) -> Result<bool, Stop> {
        let engine = self.engine.clone();
        let before = payment.attempts.len();
        let started = self
            .record(payment, "engine", |payment, _| match engine.start_attempt(payment, &channel, None) {
                Ok((event, _)) => vec![event],
                Err(error) => {
                    tracing::warn!(%error, "no fresh code can be shown");
                    Vec::new()
                }
            })
            .await?;
        let fresh = started.attempts.get(before..).and_then(<[Attempt]>::last);
        let Some(attempt) = fresh.filter(|attempt| attempt.channel == channel) else { return Ok(false) };
        let no = attempt.no;
        let id = self.id.clone();
        self.memory(no).in_flight = true;
        self.calls.push(Box::pin(async move { Came::Attempt(no, engine.ask_for_code(&id, no).await) }));
        Ok(true)
    }
}
