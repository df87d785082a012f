//! Whoever is shown that a payment is paid holds that against the providers' books at that very moment.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use scantill::payment::PaymentId;

use super::providers::Providers;

/// How many characters all numbers of one payment's attempts share.
pub const SHARED: usize = 30;

pub struct Witness {
    providers: Arc<Providers>,
    paid: Mutex<HashSet<String>>,
}

impl Witness {
    pub fn new(providers: &Arc<Providers>) -> Arc<Self> {
        Arc::new(Self { providers: providers.clone(), paid: Mutex::default() })
    }

    /// Somebody was shown that the payment is in that state.
    pub fn saw(&self, payment: &str, state: &str) {
        if !matches!(state, "succeeded" | "partially_refunded" | "refunded") {
            return;
        }
        if !self.paid.lock().unwrap().insert(payment.to_owned()) {
            return;
        }
        let number = payment.parse::<PaymentId>().ok().and_then(|id| id.out_trade_no(1));
        let number = number.map(|number| number.to_string()).unwrap_or_default();
        let world = &self.providers.world;
        let mut book = self.providers.book();
        let mut trades = book.trades(world.now()).iter().filter(|trade| trade.paid_at.is_some());
        let paid = trades.any(|trade| trade.out_trade_no.get(..SHARED) == number.get(..SHARED));
        if !paid {
            world.wrong(format!("{payment} was shown as paid, and no provider took anything for it"));
        }
    }
}
