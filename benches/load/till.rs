//! One till and its customers.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::stream::BoxStream;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use scantill::api::wire::{CreatePayment, RefundPayment};
use scantill::client::{Client, ClientError, StreamEvent, idempotency_key};
use scantill::money::Currency;
use scantill::payment::{ChannelId, PaymentId, PaymentState};

use crate::comparison::Told;
use crate::support::Phones;

/// Each till begins a sale this often.
const PACE: Duration = Duration::from_secs(2);
/// How long a till waits for a payment before it serves the next customer.
const WAIT: Duration = Duration::from_secs(20);

/// How long things took, as tills saw it.
#[derive(Default)]
pub struct Times {
    by_call: HashMap<&'static str, Vec<Duration>>,
}

impl Times {
    fn took(&mut self, call: &'static str, since: Instant) {
        self.by_call.entry(call).or_default().push(since.elapsed());
    }

    /// Another till's times as well.
    pub fn add(&mut self, other: Self) {
        for (call, times) in other.by_call {
            self.by_call.entry(call).or_default().extend(times);
        }
    }

    /// Prints them, by call.
    pub fn print(mut self) {
        let mut calls: Vec<_> = self.by_call.iter_mut().collect();
        calls.sort_by_key(|(call, _)| **call);
        for (call, times) in calls {
            times.sort();
            let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)].as_secs_f64() * 1e3;
            println!(
                "  {call}, as a till sees it: {} times, median {:.1} ms, p99 {:.1} ms",
                times.len(),
                at(50),
                at(99)
            );
        }
    }
}

/// One till.
pub struct Till {
    client: Client,
    phones: Phones,
    told: Arc<Told>,
    chance: StdRng,
    events: BoxStream<'static, StreamEvent>,
    first: Duration,
    times: Times,
}

impl Till {
    /// Tills begin one after another within the first [`PACE`].
    pub fn new(client: Client, phones: Phones, told: Arc<Told>, number: u64, tills: usize) -> Self {
        let events = client.events(None);
        let first = PACE.mul_f64(number as f64 / tills as f64);
        Self { client, phones, told, chance: StdRng::seed_from_u64(number), events, first, times: Times::default() }
    }

    /// Sells until told to stop.
    pub async fn sell(mut self) -> Times {
        tokio::time::sleep(self.first).await;
        let mut pace = tokio::time::interval(PACE);
        pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while !self.told.stop.load(Ordering::Relaxed) {
            pace.tick().await;
            if self.sale().await.is_err() {
                self.told.unanswered.fetch_add(1, Ordering::Relaxed);
            }
        }
        self.times
    }

    async fn sale(&mut self) -> Result<(), ClientError> {
        let amount = self.chance.random_range(1..500);
        let new = CreatePayment {
            amount,
            currency: Currency::CNY,
            description: Some("tea".into()),
            operator: None,
            collect_seconds: None,
        };
        let begun = Instant::now();
        let payment = self.client.create_payment(&new, &idempotency_key()).await?;
        self.times.took("create", begun);
        self.told.created.lock().expect("no panic").insert(payment.id.clone(), amount);
        let channel = if self.chance.random_bool(0.5) { ChannelId::ALIPAY } else { ChannelId::WECHATPAY };
        let shows = self.chance.random_bool(0.3);
        let asked = if shows {
            let begun = Instant::now();
            let shown = self.client.show_code(&payment.id, &channel).await?;
            self.times.took("show", begun);
            let mut code = shown.attempts.iter().find_map(|attempt| attempt.code.clone());
            if code.is_none() {
                code = self.code(&payment.id).await;
            }
            let Some(code) = code else { return Ok(()) };
            let wallet = self.phones.wallet(channel.as_str()).await;
            let asked = Instant::now();
            self.phones.try_scan(&wallet, &code).await;
            asked
        } else {
            let code = self.phones.auth_code(channel.as_str()).await;
            let asked = Instant::now();
            self.client.scan(&payment.id, &code).await?;
            self.times.took("scan", asked);
            asked
        };
        let Some(state) = self.end(&payment.id).await else { return Ok(()) };
        if state.is_paid() {
            self.times.took(if shows { "paid, shown code" } else { "paid, scanned code" }, asked);
            self.told.paid.lock().expect("no panic").insert(payment.id.clone(), amount);
            if self.chance.random_bool(0.02) {
                let refund = RefundPayment { amount: Some(amount), ..RefundPayment::default() };
                self.client.refund(&payment.id, &refund, &idempotency_key()).await?;
            }
        }
        Ok(())
    }

    /// The code that is shown, once the provider has given it.
    async fn code(&mut self, id: &PaymentId) -> Option<String> {
        let wait = async {
            while let Some(event) = self.events.next().await {
                if let StreamEvent::Event(event) = event
                    && event.payment.id == *id
                    && let Some(code) = event.payment.attempts.iter().find_map(|attempt| attempt.code.clone())
                {
                    return Some(code);
                }
            }
            None
        };
        tokio::time::timeout(WAIT, wait).await.ok().flatten()
    }

    /// Where the payment ends, as the event stream tells it; none where that takes longer than a till waits.
    async fn end(&mut self, id: &PaymentId) -> Option<PaymentState> {
        let wait = async {
            while let Some(event) = self.events.next().await {
                if let StreamEvent::Event(event) = event
                    && event.payment.id == *id
                    && event.payment.state.is_end()
                {
                    return Some(event.payment.state);
                }
            }
            None
        };
        tokio::time::timeout(WAIT, wait).await.ok().flatten()
    }
}
