//! What happens at the counter: a sale, its customer, and what people do at the wrong moment.

use std::sync::Arc;

use futures::future::{BoxFuture, join_all};
use scantill::sandbox::book::Provider;
use serde_json::json;

use super::dice::Dice;
use super::notices;
use super::process::TILLS;
use super::till::{Answer, Tills};
use super::world::Fault;

/// How long somebody at the counter waits for a payment to end before turning to something else.
const PATIENCE: i64 = 900_000;

pub struct Sale {
    tills: Arc<Tills>,
    dice: Dice,
    till: &'static str,
    id: String,
    amount: i64,
}

/// Begins a sale of its own, some time.
pub fn begin(tills: &Arc<Tills>, mut dice: Dice) {
    let (tills, busy) = (tills.clone(), tills.house.world.busy());
    tokio::spawn(async move {
        let _busy = busy;
        let world = tills.house.world.clone();
        world.pass(dice.within(0, 600_000)).await;
        let till = TILLS[usize::from(dice.percent(40))];
        // A few are over the limit from which wallets ask for the password.
        let amount = if dice.percent(10) { dice.within(100_001, 300_000) } else { dice.within(1, 60_000) };
        let new = json!({ "amount": amount, "currency": "CNY", "collect_seconds": dice.within(15, 400) });
        let Some(created) = tills.post(till, "/v1/payments", &new).await.filter(Answer::is_good) else {
            return;
        };
        let id = created.payment.id;
        Sale { tills, dice, till, id, amount }.run().await;
    });
}

impl Sale {
    async fn run(mut self) {
        self.collect().await;
        let state = self.wait().await;
        if matches!(state.as_str(), "succeeded" | "partially_refunded") && self.dice.percent(40) {
            self.give_back().await;
        }
    }

    /// Everything that people do to get it paid, or to get out of it, at once.
    async fn collect(&mut self) {
        let mut acts: Vec<BoxFuture<'static, ()>> = Vec::new();
        let channels = &Provider::ALL;
        match self.dice.below(10) {
            // The customer's code is read.
            0..=3 => acts.push(self.scan(0)),
            // A code is shown.
            4 | 5 => acts.push(self.show(0)),
            // Codes of all channels are shown, and one is paid, or two.
            6 => acts.extend((0..channels.len()).map(|place| self.show(place)).collect::<Vec<_>>()),
            // Both ways.
            7 | 8 => {
                acts.push(self.show(0));
                acts.push(self.scan(1));
            }
            // Two tills read codes of two customers for one order.
            _ => {
                acts.push(self.scan(0));
                acts.push(self.scan(1));
            }
        }
        if self.dice.percent(25) {
            acts.push(self.cancel());
        }
        if self.dice.percent(3) {
            acts.push(self.change());
        }
        join_all(acts).await;
    }

    fn path(&self, call: &str) -> String {
        format!("/v1/payments/{}{call}", self.id)
    }

    /// The till that acts: mostly the sale's own.
    fn who(&mut self) -> &'static str {
        if self.dice.percent(85) { self.till } else { TILLS[usize::try_from(self.dice.below(3)).unwrap()] }
    }

    /// A wallet: nearly always one with money.
    fn wallet(&mut self, of: Provider) -> String {
        format!("{}-{}", of.name(), if self.dice.percent(6) { 2 } else { 1 })
    }

    fn scan(&mut self, shift: usize) -> BoxFuture<'static, ()> {
        let (tills, path, till) = (self.tills.clone(), self.path("/scan"), self.who());
        let provider = Provider::ALL[(usize::try_from(self.dice.below(3)).unwrap() + shift) % 3];
        let wallet = self.wallet(provider);
        let mut dice = self.dice.split();
        Box::pin(async move {
            let world = &tills.house.world;
            world.pass(dice.within(0, 20_000)).await;
            for _ in 0..3 {
                let (code, _) = tills.house.providers.book().issue_code(&wallet, world.now()).unwrap();
                // Some hold up a code that has run out.
                world.pass(if dice.percent(4) { 70_000 } else { dice.within(500, 5_000) }).await;
                let scanned = tills.post(till, &path, &json!({ "auth_code": code })).await;
                let Some(scanned) = scanned.filter(|answer| answer.status != 404) else { return };
                if world.hit(Fault::NoticeForged) {
                    let number = scanned.payment.out_trade_no.unwrap_or_default();
                    let amount = scanned.payment.amount;
                    notices::forge(&tills.house.providers, provider, &number, amount).await;
                }
                // Another code where that one was refused, now and then.
                if dice.percent(70) {
                    return;
                }
                world.pass(dice.within(2_000, 20_000)).await;
            }
        })
    }

    fn show(&mut self, shift: usize) -> BoxFuture<'static, ()> {
        let (tills, till) = (self.tills.clone(), self.who());
        let (path, read) = (self.path("/code"), self.path(""));
        let provider = Provider::ALL[(usize::try_from(self.dice.below(3)).unwrap() + shift) % 3];
        let wallet = self.wallet(provider);
        let mut dice = self.dice.split();
        Box::pin(async move {
            let world = &tills.house.world;
            world.pass(dice.within(0, 5_000)).await;
            let shown = tills.post(till, &path, &json!({ "channel": provider.name() })).await;
            let Some(mut shown) = shown.filter(Answer::is_good) else { return };
            for _ in 0..=dice.below(2) {
                world.pass(dice.within(500, 40_000)).await;
                // The code on the display may be a fresh one by now; some wallets hold on to the one they read first.
                if dice.percent(50)
                    && let Some(now) = tills.get(till, &read).await
                {
                    shown = now;
                }
                let Some(code) = shown.payment.code_of(provider.name()) else { continue };
                world.pass(if dice.percent(5) { dice.within(60_000, 300_000) } else { dice.within(100, 8_000) }).await;
                let confirm = match dice.below(10) {
                    0 => Some(false),
                    1 | 2 => None,
                    _ => Some(true),
                };
                tills.house.providers.scan(&wallet, &code, confirm);
            }
        })
    }

    fn cancel(&mut self) -> BoxFuture<'static, ()> {
        let (tills, path, till) = (self.tills.clone(), self.path("/cancel"), self.who());
        let wait = self.dice.within(0, 60_000);
        Box::pin(async move {
            tills.house.world.pass(wait).await;
            tills.post(till, &path, &json!({})).await;
        })
    }

    fn change(&mut self) -> BoxFuture<'static, ()> {
        let (tills, path, till) = (self.tills.clone(), self.path(""), self.till);
        let (wait, amount) = (self.dice.within(0, 3_000), self.amount + 1);
        Box::pin(async move {
            tills.house.world.pass(wait).await;
            let body = json!({ "amount": amount }).to_string().into_bytes();
            let _ = tills.house.call(Some(till), "PATCH", &path, body, None).await;
        })
    }

    /// Looks until it is over, or something else has to be done.
    async fn wait(&mut self) -> String {
        let world = self.tills.house.world.clone();
        let (since, path) = (world.now(), self.path(""));
        while world.now() < since + PATIENCE {
            if let Some(seen) = self.tills.get(self.till, &path).await
                && !matches!(seen.payment.state.as_str(), "created" | "pending")
            {
                return seen.payment.state;
            }
            // Less often, the longer it takes.
            let longest = 15_000 + (world.now() - since) / 3;
            world.pass(self.dice.within(500, longest)).await;
        }
        String::new()
    }

    /// Money goes back: in parts, more than there is, several at once, and while somebody cancels.
    async fn give_back(&mut self) {
        let mut acts: Vec<BoxFuture<'static, ()>> = Vec::new();
        for _ in 0..=self.dice.below(3) {
            let (tills, path, till) = (self.tills.clone(), self.path("/refunds"), self.who());
            let wish = match self.dice.below(4) {
                0 => json!({}),
                1 => json!({ "amount": self.amount }),
                _ => json!({ "amount": self.dice.within(1, self.amount + 2) }),
            };
            let wait = if self.dice.percent(50) { 0 } else { self.dice.within(0, 60_000) };
            acts.push(Box::pin(async move {
                tills.house.world.pass(wait).await;
                tills.post(till, &path, &wish).await;
            }));
        }
        if self.dice.percent(20) {
            acts.push(self.cancel());
        }
        join_all(acts).await;
    }
}
