//! The providers' own books: wallets, payment codes, trades, refunds. Pure: time is an argument, chance has a seed.
//!
//! Every call settles what time has done to the trade it is about before it looks at it, so that a trade that ran out
//! is closed whoever asks first.

mod codes;
mod file;
#[cfg(test)]
mod tests;
mod types;

use std::collections::HashMap;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use self::codes::{Codes, Spent};
pub use self::types::{
    Details, Entry, Millis, Movement, Number, Order, Provider, Refund, Refunding, Refusal, TakenBack, Trade,
    TradeState, Wallet,
};

/// Over this a wallet asks for its password: 1,000.00.
const PASSWORD_OVER: i64 = 100_000;
/// What a rich wallet holds: 10,000.00. A poor one holds [`POOR`].
const RICH: i64 = 1_000_000;
const POOR: i64 = 50;

/// The books of all providers.
pub struct Book {
    wallets: Vec<Wallet>,
    codes: Codes,
    trades: Vec<Trade>,
    by_merchant_number: HashMap<(Provider, String), usize>,
    by_provider_number: HashMap<(Provider, String), usize>,
    by_payload: HashMap<String, usize>,
    by_refund_number: HashMap<(Provider, String), usize>,
    chance: StdRng,
    /// How many trades there were before the first that the books still have.
    earlier: usize,
    /// How often something changed that is kept.
    changes: u64,
}

impl Book {
    /// Books with nothing in them but full wallets. Numbers follow from `seed` and `opened_at`: a merchant keeps codes
    /// and numbers over a restart of the sandbox, and must not meet them again.
    pub fn new(seed: u64, opened_at: Millis) -> Self {
        let wallet = |id: &str, channel, name: &str, balance| Wallet {
            id: id.into(),
            channel,
            name: name.into(),
            balance,
            currency: "CNY".into(),
            ask_always: false,
        };
        Self {
            wallets: vec![
                wallet("alipay-1", Provider::Alipay, "Lin Xiaoyu", RICH),
                wallet("alipay-2", Provider::Alipay, "Zhao Poor", POOR),
                wallet("wechatpay-1", Provider::Wechatpay, "Chen Bo", RICH),
                wallet("wechatpay-2", Provider::Wechatpay, "Sun Poor", POOR),
                wallet("unionpay-1", Provider::Unionpay, "Wu Jia", RICH),
                wallet("unionpay-2", Provider::Unionpay, "Qian Poor", POOR),
            ],
            codes: Codes::default(),
            trades: Vec::new(),
            by_merchant_number: HashMap::new(),
            by_provider_number: HashMap::new(),
            by_payload: HashMap::new(),
            by_refund_number: HashMap::new(),
            chance: StdRng::seed_from_u64(seed ^ opened_at.unsigned_abs().rotate_left(32)),
            earlier: 0,
            changes: 0,
        }
    }

    /// Every wallet.
    pub fn wallets(&self) -> &[Wallet] {
        &self.wallets
    }

    /// How often something changed that is kept on disk.
    pub const fn changes(&self) -> u64 {
        self.changes
    }

    /// Whether a wallet asks for confirmation of every payment by code.
    pub fn set_ask_always(&mut self, wallet: &str, ask_always: bool) -> Result<(), Refusal> {
        let index = self.wallet(wallet)?;
        self.wallets[index].ask_always = ask_always;
        self.changes += 1;
        Ok(())
    }

    /// What a wallet holds from now on.
    pub fn set_balance(&mut self, wallet: &str, balance: i64) -> Result<(), Refusal> {
        let index = self.wallet(wallet)?;
        self.wallets[index].balance = balance;
        self.changes += 1;
        Ok(())
    }

    /// The wallet of that id.
    pub fn find_wallet(&self, wallet: &str) -> Result<Wallet, Refusal> {
        self.wallet(wallet).map(|index| self.wallets[index].clone())
    }

    /// Every trade, brought up to `now`.
    pub fn trades(&mut self, now: Millis) -> &[Trade] {
        for index in 0..self.trades.len() {
            self.settle(index, now);
        }
        &self.trades
    }

    /// A fresh payment code of a wallet, and when it ends.
    pub fn issue_code(&mut self, wallet: &str, now: Millis) -> Result<(String, Millis), Refusal> {
        let index = self.wallet(wallet)?;
        let chance = &mut self.chance;
        Ok(self.codes.issue(&self.wallets[index], now, |count| digits(chance, count)))
    }

    /// The customer's code was scanned by the merchant. The same call again tells where the trade stands; a code that
    /// was sent is used up, whatever comes of it.
    pub fn pay_by_code(&mut self, order: Order, auth_code: &str, now: Millis) -> Result<Trade, Refusal> {
        if let Some(known) = self.known(&order, now) {
            return match known.state {
                _ if !known.by_code => Err(Refusal::Inconsistent),
                _ if !same(known, &order) => Err(Refusal::Inconsistent),
                TradeState::Success => Err(Refusal::Paid),
                TradeState::Created | TradeState::WaitBuyerPay => Ok(known.clone()),
                TradeState::Closed | TradeState::Reversed | TradeState::Refunded => Err(Refusal::Closed),
            };
        }
        let Spent { wallet, ask } = self.codes.spend(order.channel, auth_code, now)?;
        let payer = &self.wallets[self.wallet(&wallet)?];
        if payer.balance < order.amount {
            return Err(Refusal::Balance);
        }
        let ask = ask || payer.ask_always || order.amount > PASSWORD_OVER;
        let confirm_until = order.channel.rules().confirm_lifetime.map(|lifetime| now + lifetime);
        let index = self.add(order, true, now);
        let trade = &mut self.trades[index];
        trade.wallet = Some(wallet);
        trade.state = TradeState::WaitBuyerPay;
        self.changes += 1;
        trade.expires_at = confirm_until.map_or(trade.expires_at, |until| until.min(trade.expires_at));
        if !ask {
            self.take(index, now)?;
        }
        Ok(self.trades[index].clone())
    }

    /// Keeps an order by payment code that came to nothing at once, for a provider that tells so only when it is asked.
    pub fn add_failed(&mut self, order: Order, now: Millis) -> Trade {
        let index = self.add(order, true, now);
        self.trades[index].state = TradeState::Closed;
        self.trades[index].clone()
    }

    /// The merchant asks for a code to show. The same order again gives the same code.
    pub fn create_order(&mut self, order: Order, now: Millis) -> Result<Trade, Refusal> {
        if let Some(known) = self.known(&order, now) {
            return match known.state {
                _ if known.by_code => Err(Refusal::Inconsistent),
                TradeState::Success => Err(Refusal::Paid),
                TradeState::Closed | TradeState::Reversed | TradeState::Refunded => Err(Refusal::Closed),
                _ if !same(known, &order) => Err(Refusal::Inconsistent),
                TradeState::Created | TradeState::WaitBuyerPay => Ok(known.clone()),
            };
        }
        let payload = self.payload(order.channel);
        let index = self.add(order, false, now);
        self.by_payload.insert(payload.clone(), index);
        self.trades[index].payload = Some(payload);
        self.changes += 1;
        Ok(self.trades[index].clone())
    }

    /// A wallet scans a shown code: `Some(true)` pays at once, `Some(false)` refuses, `None` waits to be asked.
    pub fn scan(&mut self, wallet: &str, payload: &str, confirm: Option<bool>, now: Millis) -> Result<Trade, Refusal> {
        let payer = self.wallet(wallet)?;
        let index = self.by_payload.get(payload).copied().ok_or(Refusal::NoSuchCode)?;
        self.settle(index, now);
        let (trade, payer) = (&self.trades[index], &self.wallets[payer]);
        if trade.channel != payer.channel {
            return Err(Refusal::OtherProvider(trade.channel));
        }
        let taken = trade.wallet.as_deref().is_some_and(|first| first != wallet);
        match trade.state {
            TradeState::Success | TradeState::Refunded => return Err(Refusal::Paid),
            TradeState::Closed | TradeState::Reversed => return Err(Refusal::Closed),
            TradeState::WaitBuyerPay if taken && trade.channel.rules().first_scanner_keeps => {
                return Err(Refusal::OtherPayer);
            }
            TradeState::Created | TradeState::WaitBuyerPay => {}
        }
        if confirm == Some(true) && payer.balance < trade.amount {
            return Err(Refusal::Balance);
        }
        let trade = &mut self.trades[index];
        trade.wallet = Some(wallet.to_owned());
        trade.state = TradeState::WaitBuyerPay;
        self.changes += 1;
        match confirm {
            Some(true) => self.take(index, now)?,
            Some(false) => self.give_up(index),
            None => {}
        }
        Ok(self.trades[index].clone())
    }

    /// The customer confirms with the password.
    pub fn confirm(&mut self, id: &str, now: Millis) -> Result<Trade, Refusal> {
        let index = self.waiting(id, now)?;
        self.take(index, now)?;
        Ok(self.trades[index].clone())
    }

    /// The customer says no.
    pub fn refuse(&mut self, id: &str, now: Millis) -> Result<Trade, Refusal> {
        let index = self.waiting(id, now)?;
        self.give_up(index);
        Ok(self.trades[index].clone())
    }

    /// A trade by one of its numbers.
    pub fn query(&mut self, channel: Provider, number: Number<'_>, now: Millis) -> Result<Trade, Refusal> {
        self.index(channel, number, now).map(|index| self.trades[index].clone())
    }

    /// Takes a trade back, paid or not; once done, it stays done and is told again.
    pub fn take_back(
        &mut self,
        channel: Provider,
        number: Number<'_>,
        now: Millis,
    ) -> Result<(Trade, TakenBack), Refusal> {
        let rules = channel.rules();
        let index = self.index(channel, number, now)?;
        let trade = &self.trades[index];
        let done = if trade.paid_at.is_some() { TakenBack::Returned } else { TakenBack::Closed };
        match trade.state {
            TradeState::Reversed => return Ok((trade.clone(), done)),
            _ if rules.take_back_by_code_only && !trade.by_code => return Err(Refusal::WrongWay),
            _ if now < trade.created_at + rules.take_back_wait => return Err(Refusal::TooSoon),
            _ if now >= trade.created_at + rules.take_back_window => return Err(Refusal::TooLate),
            TradeState::Refunded => return Err(Refusal::RefundBegun),
            TradeState::Success if trade.refunded > 0 => return Err(Refusal::RefundBegun),
            TradeState::Success => {
                let amount = trade.amount;
                self.give_back(index, amount);
            }
            TradeState::Created | TradeState::WaitBuyerPay | TradeState::Closed => {}
        }
        self.trades[index].state = TradeState::Reversed;
        self.trades[index].reversed_at = Some(now);
        self.changes += 1;
        Ok((self.trades[index].clone(), done))
    }

    /// Closes an unpaid order; a closed one stays closed.
    pub fn close(&mut self, channel: Provider, number: Number<'_>, now: Millis) -> Result<Trade, Refusal> {
        let index = self.index(channel, number, now)?;
        let trade = &mut self.trades[index];
        match trade.state {
            TradeState::Success | TradeState::Refunded => Err(Refusal::Paid),
            TradeState::Closed | TradeState::Reversed => Ok(trade.clone()),
            TradeState::Created | TradeState::WaitBuyerPay => {
                trade.state = TradeState::Closed;
                self.changes += 1;
                Ok(self.trades[index].clone())
            }
        }
    }

    /// Returns a part or the whole; the same refund number counts once. Says whether money moved in this call.
    pub fn refund(
        &mut self,
        channel: Provider,
        number: Number<'_>,
        wanted: &Refunding,
        now: Millis,
    ) -> Result<(Trade, Refund, bool), Refusal> {
        let Refunding { out_refund_no, amount, .. } = wanted;
        let amount = *amount;
        let index = self.index(channel, number, now)?;
        // A merchant's refund number is one trade's with Alipay, and the merchant's with WeChat Pay.
        let elsewhere = self.by_refund_number.get(&(channel, out_refund_no.clone()));
        if channel == Provider::Wechatpay && elsewhere.is_some_and(|elsewhere| *elsewhere != index) {
            return Err(Refusal::OtherRefund);
        }
        let trade = &self.trades[index];
        if let Some(known) = trade.refunds.iter().find(|refund| refund.out_refund_no == *out_refund_no) {
            return if known.amount == amount {
                Ok((trade.clone(), known.clone(), false))
            } else {
                Err(Refusal::OtherRefund)
            };
        }
        if trade.state != TradeState::Success {
            return Err(Refusal::WrongState);
        }
        if amount <= 0 || amount > trade.amount - trade.refunded {
            return Err(Refusal::TooMuch);
        }
        let refund_id = match channel {
            Provider::Unionpay => self.query_id(now),
            _ => format!("5030{}", digits(&mut self.chance, 24)),
        };
        let refund = Refund {
            out_refund_no: out_refund_no.clone(),
            refund_id,
            amount,
            at: now,
            notify_url: wanted.notify_url.clone(),
            details: wanted.details.clone(),
        };
        self.give_back(index, amount);
        self.by_refund_number.insert((channel, out_refund_no.clone()), index);
        let trade = &mut self.trades[index];
        trade.refunds.push(refund.clone());
        if trade.refunded == trade.amount {
            trade.state = TradeState::Refunded;
            self.changes += 1;
        }
        Ok((trade.clone(), refund, true))
    }

    /// The refund of that number, with its trade.
    pub fn find_refund(&self, channel: Provider, out_refund_no: &str) -> Result<(Trade, Refund), Refusal> {
        let index = self.by_refund_number.get(&(channel, out_refund_no.to_owned())).ok_or(Refusal::Absent)?;
        let trade = &self.trades[*index];
        let refund = trade.refunds.iter().find(|refund| refund.out_refund_no == out_refund_no);
        refund.map(|refund| (trade.clone(), refund.clone())).ok_or(Refusal::Absent)
    }

    /// What moved money between two times (the second is the first that counts no more), the earliest first.
    pub fn between(&self, channel: Provider, from: Millis, until: Millis) -> Vec<Entry> {
        let mut entries: Vec<Entry> = Vec::new();
        for trade in self.trades.iter().filter(|trade| trade.channel == channel) {
            let mut add = |at, movement| {
                if (from..until).contains(&at) {
                    entries.push(Entry { at, movement, trade: trade.clone() });
                }
            };
            let Some(paid_at) = trade.paid_at else { continue };
            add(paid_at, Movement::Paid);
            for refund in &trade.refunds {
                add(refund.at, Movement::Refunded(refund.clone()));
            }
            if let Some(reversed_at) = trade.reversed_at {
                add(reversed_at, Movement::Reversed);
            }
        }
        entries.sort_by_key(|entry| entry.at);
        entries
    }

    /// What moved money on a day in China.
    pub fn day(&self, channel: Provider, day: jiff::civil::Date) -> Vec<Entry> {
        let start = |day: jiff::civil::Date| {
            let zoned = day.to_zoned(super::wire::china_zone());
            zoned.map_or(Millis::MAX, |zoned| zoned.timestamp().as_millisecond())
        };
        self.between(channel, start(day), day.tomorrow().map_or(Millis::MAX, start))
    }

    fn payload(&mut self, channel: Provider) -> String {
        const LETTERS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
        let mut token = |length: usize| -> String {
            (0..length).map(|_| char::from(LETTERS[self.chance.random_range(0..LETTERS.len())])).collect()
        };
        match channel {
            Provider::Alipay => format!("https://qr.alipay.com/bax{}", token(20)),
            Provider::Wechatpay => format!("weixin://wxpay/bizpayurl?pr={}", token(9)),
            Provider::Unionpay => format!("https://qr.95516.com/00010000/62{}", digits(&mut self.chance, 30)),
        }
    }

    /// UnionPay's number of a transaction: its time, six digits that count it within the system, and one more.
    fn query_id(&mut self, now: Millis) -> String {
        loop {
            let number = format!("{}{}8", super::wire::china(now, "%Y%m%d%H%M%S"), digits(&mut self.chance, 6));
            if !self.by_provider_number.contains_key(&(Provider::Unionpay, number.clone())) {
                return number;
            }
        }
    }

    fn add(&mut self, order: Order, by_code: bool, now: Millis) -> usize {
        let day = super::wire::china(now, "%Y%m%d");
        let serial = self.earlier + self.trades.len() + 1;
        let provider_trade_no = match order.channel {
            Provider::Alipay => format!("{day}22001{}{serial:06}", digits(&mut self.chance, 9)),
            Provider::Wechatpay => format!("420000{}{day}{serial:06}", digits(&mut self.chance, 8)),
            Provider::Unionpay => self.query_id(now),
        };
        self.put(Trade {
            id: format!("trade-{serial}"),
            channel: order.channel,
            out_trade_no: order.out_trade_no,
            provider_trade_no,
            subject: order.subject,
            amount: order.amount,
            refunded: 0,
            state: TradeState::Created,
            by_code,
            wallet: None,
            created_at: now,
            paid_at: None,
            reversed_at: None,
            expires_at: order.expires_at,
            refunds: Vec::new(),
            refused: false,
            payload: None,
            attach: order.attach,
            notify_url: order.notify_url,
            notify_serial: order.notify_serial,
            details: order.details,
        })
    }

    /// Enters a trade under every name that it has.
    fn put(&mut self, trade: Trade) -> usize {
        let index = self.trades.len();
        self.by_merchant_number.insert((trade.channel, trade.out_trade_no.clone()), index);
        self.by_provider_number.insert((trade.channel, trade.provider_trade_no.clone()), index);
        if let Some(payload) = &trade.payload {
            self.by_payload.insert(payload.clone(), index);
        }
        for refund in &trade.refunds {
            self.by_refund_number.insert((trade.channel, refund.out_refund_no.clone()), index);
        }
        self.trades.push(trade);
        self.changes += 1;
        index
    }

    /// Closes the trade if its time is over.
    fn settle(&mut self, index: usize, now: Millis) -> &Trade {
        let trade = &mut self.trades[index];
        if trade.is_open() && now >= trade.expires_at {
            trade.state = TradeState::Closed;
            self.changes += 1;
        }
        trade
    }

    fn known(&mut self, order: &Order, now: Millis) -> Option<&Trade> {
        let index = *self.by_merchant_number.get(&(order.channel, order.out_trade_no.clone()))?;
        Some(self.settle(index, now))
    }

    fn index(&mut self, channel: Provider, number: Number<'_>, now: Millis) -> Result<usize, Refusal> {
        let found = match number {
            Number::Merchant(number) => self.by_merchant_number.get(&(channel, number.to_owned())),
            Number::Provider(number) => self.by_provider_number.get(&(channel, number.to_owned())),
        };
        let index = found.copied().ok_or(Refusal::Absent)?;
        self.settle(index, now);
        Ok(index)
    }

    fn wallet(&self, id: &str) -> Result<usize, Refusal> {
        self.wallets.iter().position(|wallet| wallet.id == id).ok_or(Refusal::NoWallet)
    }

    /// A trade by the sandbox's own id of it.
    pub fn find(&mut self, id: &str, now: Millis) -> Result<Trade, Refusal> {
        self.by_id(id, now).map(|index| self.trades[index].clone())
    }

    fn by_id(&mut self, id: &str, now: Millis) -> Result<usize, Refusal> {
        let serial = id.strip_prefix("trade-").and_then(|serial| serial.parse::<usize>().ok());
        let index = serial.and_then(|serial| serial.checked_sub(self.earlier + 1));
        let index = index.filter(|index| *index < self.trades.len());
        let index = index.ok_or(Refusal::Absent)?;
        self.settle(index, now);
        Ok(index)
    }

    fn waiting(&mut self, id: &str, now: Millis) -> Result<usize, Refusal> {
        let index = self.by_id(id, now)?;
        match self.trades[index].state {
            TradeState::WaitBuyerPay => Ok(index),
            TradeState::Success | TradeState::Refunded => Err(Refusal::Paid),
            TradeState::Closed | TradeState::Reversed => Err(Refusal::Closed),
            TradeState::Created => Err(Refusal::WrongState),
        }
    }

    fn take(&mut self, index: usize, now: Millis) -> Result<(), Refusal> {
        let trade = &mut self.trades[index];
        let payer = self.wallets.iter_mut().find(|wallet| Some(&wallet.id) == trade.wallet.as_ref());
        let payer = payer.ok_or(Refusal::NoWallet)?;
        payer.balance = payer.balance.checked_sub(trade.amount).filter(|left| *left >= 0).ok_or(Refusal::Balance)?;
        trade.state = TradeState::Success;
        trade.paid_at = Some(now);
        self.changes += 1;
        Ok(())
    }

    fn give_up(&mut self, index: usize) {
        let trade = &mut self.trades[index];
        trade.refused = true;
        trade.state = TradeState::Closed;
        self.changes += 1;
    }

    fn give_back(&mut self, index: usize, amount: i64) {
        let trade = &mut self.trades[index];
        trade.refunded += amount;
        self.changes += 1;
        if let Some(payer) = self.wallets.iter_mut().find(|wallet| Some(&wallet.id) == trade.wallet.as_ref()) {
            payer.balance += amount;
        }
    }
}

fn same(known: &Trade, order: &Order) -> bool {
    known.amount == order.amount && known.subject == order.subject
}

fn digits(chance: &mut StdRng, count: usize) -> String {
    (0..count).map(|_| char::from(b'0' + chance.random_range(0..10_u8))).collect()
}
