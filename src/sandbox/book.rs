//! The providers' own books: wallets, payment codes, trades, refunds. Pure: time is an argument, chance has a seed.

use std::collections::HashMap;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde::Serialize;
use utoipa::ToSchema;

/// Milliseconds since 1970.
pub(super) type Millis = i64;

/// How long a payment code is good.
const CODE_LIFETIME: Millis = 60_000;
/// How long a customer may take to enter the password.
const CONFIRM_LIFETIME: Millis = 60_000;
/// Over this a wallet asks for its password: 1,000.00.
const PASSWORD_OVER: i64 = 100_000;
/// Codes that begin so are good for ever and any number of times; the last two digits say what comes of them.
const TRAINING_CODES: [(&str, &str); 2] = [("28000000", "alipay-1"), ("13000000", "wechatpay-1")];

/// A customer's wallet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct Wallet {
    /// Its id.
    pub id: String,
    /// `alipay` or `wechatpay`.
    pub channel: String,
    /// Whose.
    pub name: String,
    /// Fen.
    pub balance: i64,
    /// ISO 4217.
    pub currency: String,
    /// Whether it asks for confirmation of every payment.
    pub ask_always: bool,
}

/// Where a trade stands with its provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum TradeState {
    /// A shown order that nobody has scanned.
    Created,
    /// A customer has to confirm.
    WaitBuyerPay,
    /// Paid.
    Success,
    /// Closed unpaid.
    Closed,
    /// Taken back by the merchant's cancel or reverse.
    Reversed,
    /// Paid, and all of it returned.
    Refunded,
}

/// A refund of a part or the whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct Refund {
    /// The merchant's number of it.
    pub out_refund_no: String,
    /// The provider's number of it.
    pub refund_id: String,
    /// Fen.
    pub amount: i64,
    /// When, in milliseconds since 1970.
    pub at: Millis,
}

/// A trade as its provider has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct Trade {
    /// The sandbox's id of it, for the control calls.
    pub id: String,
    /// `alipay` or `wechatpay`.
    pub channel: String,
    /// The merchant's number.
    pub out_trade_no: String,
    /// The provider's number.
    pub provider_trade_no: String,
    /// What for.
    pub subject: String,
    /// Fen.
    pub amount: i64,
    /// Fen returned.
    pub refunded: i64,
    /// Where it stands.
    pub state: TradeState,
    /// Whether the customer's code was scanned (else a code was shown).
    pub by_code: bool,
    /// Who pays, or is asked to.
    pub wallet: Option<String>,
    /// When it was made, in milliseconds since 1970.
    pub created_at: Millis,
    /// When it was paid.
    pub paid_at: Option<Millis>,
    /// When it runs out.
    pub expires_at: Millis,
    /// Every return.
    pub refunds: Vec<Refund>,
    /// The customer said no.
    pub refused: bool,
    #[serde(skip)]
    pub payload: Option<String>,
    #[serde(skip)]
    pub notify_url: Option<String>,
    #[serde(skip)]
    pub submitted_at: Millis,
}

/// An order as a merchant sends it.
#[derive(Debug, Clone)]
pub(super) struct Order {
    pub channel: &'static str,
    pub out_trade_no: String,
    pub subject: String,
    pub amount: i64,
    pub expires_at: Millis,
    pub notify_url: Option<String>,
}

/// Why a payment, an order or a scan is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The payment code is unknown, out of date or used.
    CodeInvalid,
    /// The payment code is out of date.
    CodeExpired,
    /// The wallet has not enough.
    Balance,
    /// This number is paid already.
    Paid,
    /// This number is closed.
    Closed,
    /// This number has another amount or subject.
    Inconsistent,
    /// There is no such trade, wallet or code.
    Absent,
    /// The trade is not in a state for it.
    WrongState,
    /// The refund is over what is left.
    TooMuch,
    /// The same refund number with another amount.
    OtherRefund,
    /// A reversal is asked for too soon.
    TooSoon,
}

/// What cancelling came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cancelled {
    /// It was unpaid.
    Closed,
    /// It was paid, and the money went back.
    Refunded,
}

struct Code {
    wallet: String,
    expires_at: Millis,
    used: bool,
}

pub(super) struct Book {
    wallets: Vec<Wallet>,
    codes: HashMap<String, Code>,
    trades: Vec<Trade>,
    chance: StdRng,
}

impl Book {
    pub fn new(seed: u64) -> Self {
        let wallet = |id: &str, channel: &str, name: &str, balance, ask_always| Wallet {
            id: id.into(),
            channel: channel.into(),
            name: name.into(),
            balance,
            currency: "CNY".into(),
            ask_always,
        };
        Self {
            wallets: vec![
                wallet("alipay-1", "alipay", "Lin Xiaoyu", 1_000_000, false),
                wallet("alipay-2", "alipay", "Zhao Poor", 50, false),
                wallet("wechatpay-1", "wechatpay", "Chen Bo", 1_000_000, false),
                wallet("wechatpay-2", "wechatpay", "Sun Poor", 50, false),
            ],
            codes: HashMap::new(),
            trades: Vec::new(),
            chance: StdRng::seed_from_u64(seed),
        }
    }

    pub fn wallets(&self) -> &[Wallet] {
        &self.wallets
    }

    /// Every trade, brought up to `now`.
    pub fn trades(&mut self, now: Millis) -> &[Trade] {
        self.run_out(now);
        &self.trades
    }

    fn digits(&mut self, count: usize) -> String {
        (0..count).map(|_| char::from(b'0' + self.chance.random_range(0..10_u8))).collect()
    }

    /// A fresh payment code of a wallet, and when it ends. An older one of the same wallet is good until its own end.
    pub fn issue_code(&mut self, wallet: &str, now: Millis) -> Result<(String, Millis), Refusal> {
        let channel = self.wallets.iter().find(|known| known.id == wallet).ok_or(Refusal::Absent)?.channel.clone();
        let prefix = if channel == "alipay" { "28" } else { "13" };
        self.codes.retain(|_, code| code.expires_at + CODE_LIFETIME > now);
        loop {
            // The third digit is no 0, so that no code is taken for one of the training codes.
            let code = format!("{prefix}{}{}", self.chance.random_range(1..10), self.digits(15));
            if !self.codes.contains_key(&code) {
                let expires_at = now + CODE_LIFETIME;
                self.codes.insert(code.clone(), Code { wallet: wallet.into(), expires_at, used: false });
                return Ok((code, expires_at));
            }
        }
    }

    /// The customer's code was scanned by the merchant.
    pub fn pay_by_code(&mut self, order: Order, auth_code: &str, now: Millis) -> Result<Trade, Refusal> {
        self.run_out(now);
        if let Some(known) = self.find(order.channel, &order.out_trade_no) {
            return Err(match known.state {
                _ if known.amount != order.amount => Refusal::Inconsistent,
                TradeState::Success => Refusal::Paid,
                TradeState::WaitBuyerPay if known.by_code => return Ok(known.clone()),
                TradeState::Created | TradeState::WaitBuyerPay => Refusal::Inconsistent,
                TradeState::Closed | TradeState::Reversed | TradeState::Refunded => Refusal::Closed,
            });
        }
        let (wallet, ask) = self.spend_code(order.channel, auth_code, now)?;
        let position = self.wallets.iter().position(|known| known.id == wallet).ok_or(Refusal::Absent)?;
        let payer = &self.wallets[position];
        if payer.balance < order.amount {
            return Err(Refusal::Balance);
        }
        let ask = ask || payer.ask_always || order.amount > PASSWORD_OVER;
        let index = self.add(order, true, now);
        let trade = &mut self.trades[index];
        trade.wallet = Some(wallet);
        trade.state = TradeState::WaitBuyerPay;
        trade.expires_at = trade.expires_at.min(now + CONFIRM_LIFETIME);
        if !ask {
            self.take(index, now)?;
        }
        Ok(self.trades[index].clone())
    }

    fn spend_code(&mut self, channel: &str, auth_code: &str, now: Millis) -> Result<(String, bool), Refusal> {
        if let Some((_, wallet)) =
            TRAINING_CODES.iter().find(|(prefix, wallet)| auth_code.starts_with(prefix) && wallet.starts_with(channel))
        {
            return match auth_code.get(auth_code.len().saturating_sub(2)..) {
                Some("91") => Err(Refusal::Balance),
                Some("92") => Ok(((*wallet).to_owned(), true)),
                Some("93") => Err(Refusal::CodeExpired),
                _ => Ok(((*wallet).to_owned(), false)),
            };
        }
        let code = self.codes.get_mut(auth_code).ok_or(Refusal::CodeInvalid)?;
        if !code.wallet.starts_with(channel) {
            return Err(Refusal::CodeInvalid);
        }
        if code.used || now >= code.expires_at {
            return Err(Refusal::CodeExpired);
        }
        code.used = true;
        Ok((code.wallet.clone(), false))
    }

    /// The merchant asks for a code to show. The same order again gives the same code.
    pub fn create_order(&mut self, order: Order, now: Millis) -> Result<Trade, Refusal> {
        self.run_out(now);
        if let Some(known) = self.find(order.channel, &order.out_trade_no) {
            return match known.state {
                _ if known.amount != order.amount || known.by_code => Err(Refusal::Inconsistent),
                TradeState::Created | TradeState::WaitBuyerPay => Ok(known.clone()),
                TradeState::Success => Err(Refusal::Paid),
                TradeState::Closed | TradeState::Reversed | TradeState::Refunded => Err(Refusal::Closed),
            };
        }
        let token: String = (0..16)
            .map(|_| {
                let letters = b"abcdefghijklmnopqrstuvwxyz0123456789";
                char::from(letters[self.chance.random_range(0..letters.len())])
            })
            .collect();
        let payload = if order.channel == "alipay" {
            format!("https://qr.alipay.com/bax{token}")
        } else {
            format!("weixin://wxpay/bizpayurl?pr={token}")
        };
        let index = self.add(order, false, now);
        self.trades[index].payload = Some(payload);
        Ok(self.trades[index].clone())
    }

    fn add(&mut self, order: Order, by_code: bool, now: Millis) -> usize {
        let serial = self.trades.len() + 1;
        let provider_trade_no = if order.channel == "alipay" {
            format!("{}{}{serial:06}", super::wire::china(now, "%Y%m%d"), self.digits(14))
        } else {
            format!("4200{}{serial:06}", self.digits(18))
        };
        self.trades.push(Trade {
            id: format!("trade-{serial}"),
            channel: order.channel.into(),
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
            expires_at: order.expires_at,
            refunds: Vec::new(),
            refused: false,
            payload: None,
            notify_url: order.notify_url,
            submitted_at: now,
        });
        self.trades.len() - 1
    }

    /// A wallet scans a shown code: `Some(true)` pays at once, `Some(false)` refuses, `None` is asked.
    pub fn scan(&mut self, wallet: &str, payload: &str, confirm: Option<bool>, now: Millis) -> Result<Trade, Refusal> {
        self.run_out(now);
        let payer = self.wallets.iter().find(|known| known.id == wallet).ok_or(Refusal::Absent)?.clone();
        let index = self
            .trades
            .iter()
            .position(|trade| trade.payload.as_deref() == Some(payload) && trade.channel == payer.channel)
            .ok_or(Refusal::Absent)?;
        let trade = &mut self.trades[index];
        match trade.state {
            TradeState::Created => {}
            TradeState::WaitBuyerPay if trade.wallet.as_deref() == Some(wallet) => {}
            TradeState::Success | TradeState::Refunded => return Err(Refusal::Paid),
            TradeState::Closed | TradeState::Reversed => return Err(Refusal::Closed),
            TradeState::WaitBuyerPay => return Err(Refusal::WrongState),
        }
        trade.wallet = Some(wallet.to_owned());
        trade.state = TradeState::WaitBuyerPay;
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

    fn waiting(&mut self, id: &str, now: Millis) -> Result<usize, Refusal> {
        self.run_out(now);
        let index = self.trades.iter().position(|trade| trade.id == id).ok_or(Refusal::Absent)?;
        match self.trades[index].state {
            TradeState::WaitBuyerPay => Ok(index),
            TradeState::Success | TradeState::Refunded => Err(Refusal::Paid),
            TradeState::Closed | TradeState::Reversed => Err(Refusal::Closed),
            TradeState::Created => Err(Refusal::WrongState),
        }
    }

    fn take(&mut self, index: usize, now: Millis) -> Result<(), Refusal> {
        let trade = &mut self.trades[index];
        let payer =
            self.wallets.iter_mut().find(|wallet| Some(&wallet.id) == trade.wallet.as_ref()).ok_or(Refusal::Absent)?;
        payer.balance = payer.balance.checked_sub(trade.amount).filter(|left| *left >= 0).ok_or(Refusal::Balance)?;
        trade.state = TradeState::Success;
        trade.paid_at = Some(now);
        Ok(())
    }

    fn give_up(&mut self, index: usize) {
        let trade = &mut self.trades[index];
        trade.refused = true;
        trade.state = TradeState::Closed;
    }

    fn give_back(&mut self, index: usize, amount: i64) {
        let trade = &mut self.trades[index];
        trade.refunded += amount;
        if let Some(payer) = self.wallets.iter_mut().find(|wallet| Some(&wallet.id) == trade.wallet.as_ref()) {
            payer.balance += amount;
        }
    }

    /// Trades whose time is over are closed.
    fn run_out(&mut self, now: Millis) {
        for trade in &mut self.trades {
            if matches!(trade.state, TradeState::Created | TradeState::WaitBuyerPay) && now >= trade.expires_at {
                trade.state = TradeState::Closed;
            }
        }
    }

    fn find(&self, channel: &str, out_trade_no: &str) -> Option<&Trade> {
        self.trades.iter().find(|trade| trade.channel == channel && trade.out_trade_no == out_trade_no)
    }

    fn index(&self, channel: &str, number: &str) -> Result<usize, Refusal> {
        self.trades
            .iter()
            .position(|trade| {
                trade.channel == channel && (trade.out_trade_no == number || trade.provider_trade_no == number)
            })
            .ok_or(Refusal::Absent)
    }

    /// A trade by the merchant's number or the provider's.
    pub fn query(&mut self, channel: &str, number: &str, now: Millis) -> Result<Trade, Refusal> {
        self.run_out(now);
        self.index(channel, number).map(|index| self.trades[index].clone())
    }

    /// Takes a trade back, paid or not.
    pub fn cancel(&mut self, channel: &str, number: &str, now: Millis) -> Result<(Trade, Cancelled), Refusal> {
        self.run_out(now);
        let index = self.index(channel, number)?;
        let done = match self.trades[index].state {
            TradeState::Success => {
                let left = self.trades[index].amount - self.trades[index].refunded;
                self.give_back(index, left);
                Cancelled::Refunded
            }
            TradeState::Reversed if self.trades[index].paid_at.is_some() => Cancelled::Refunded,
            _ => Cancelled::Closed,
        };
        self.trades[index].state = TradeState::Reversed;
        Ok((self.trades[index].clone(), done))
    }

    /// Takes a payment by code back, not sooner than `wait` after it was submitted.
    pub fn reverse(&mut self, channel: &str, number: &str, wait: Millis, now: Millis) -> Result<Trade, Refusal> {
        let index = self.index(channel, number)?;
        if !self.trades[index].by_code {
            return Err(Refusal::WrongState);
        }
        if now < self.trades[index].submitted_at + wait {
            return Err(Refusal::TooSoon);
        }
        self.cancel(channel, number, now).map(|(trade, _)| trade)
    }

    /// Closes an unpaid order.
    pub fn close(&mut self, channel: &str, number: &str, now: Millis) -> Result<Trade, Refusal> {
        self.run_out(now);
        let index = self.index(channel, number)?;
        match self.trades[index].state {
            TradeState::Success | TradeState::Refunded => Err(Refusal::Paid),
            TradeState::Created | TradeState::WaitBuyerPay | TradeState::Closed | TradeState::Reversed => {
                self.trades[index].state = TradeState::Closed;
                Ok(self.trades[index].clone())
            }
        }
    }

    /// Returns a part or the whole; the same refund number counts once. Says whether money moved in this call.
    pub fn refund(
        &mut self,
        channel: &str,
        number: &str,
        out_refund_no: &str,
        amount: i64,
        now: Millis,
    ) -> Result<(Trade, Refund, bool), Refusal> {
        self.run_out(now);
        let index = self.index(channel, number)?;
        let trade = &self.trades[index];
        if let Some(known) = trade.refunds.iter().find(|refund| refund.out_refund_no == out_refund_no) {
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
        let refund_id = format!("5030{}", self.digits(24));
        let refund = Refund { out_refund_no: out_refund_no.into(), refund_id, amount, at: now };
        self.give_back(index, amount);
        let trade = &mut self.trades[index];
        trade.refunds.push(refund.clone());
        if trade.refunded == trade.amount {
            trade.state = TradeState::Refunded;
        }
        Ok((trade.clone(), refund, true))
    }

    /// The refund of that number, with its trade.
    pub fn find_refund(&self, channel: &str, out_refund_no: &str) -> Option<(Trade, Refund)> {
        self.trades.iter().filter(|trade| trade.channel == channel).find_map(|trade| {
            let refund = trade.refunds.iter().find(|refund| refund.out_refund_no == out_refund_no)?;
            Some((trade.clone(), refund.clone()))
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn order(number: u8, amount: i64) -> Order {
        Order {
            channel: "alipay",
            out_trade_no: format!("order{number}"),
            subject: "tea".into(),
            amount,
            expires_at: 1_000_000,
            notify_url: None,
        }
    }

    proptest! {
        /// Whatever happens in whatever order: what wallets lost is what trades hold.
        #[test]
        fn money_is_neither_made_nor_lost(steps in prop::collection::vec((0_u8..8, 0_u8..4, 1_i64..200_000), 1..80)) {
            let mut book = Book::new(1);
            let before: i64 = book.wallets().iter().map(|wallet| wallet.balance).sum();
            let mut now = 0;
            for (what, number, amount) in steps {
                now += 1_000;
                let name = format!("order{number}");
                match what {
                    0 => {
                        let (code, _) = book.issue_code("alipay-1", now).unwrap();
                        let _ = book.pay_by_code(order(number, amount), &code, now);
                    }
                    1 => {
                        if let Ok(trade) = book.create_order(order(number, amount), now) {
                            let _ = book.scan("alipay-1", trade.payload.as_deref().unwrap_or(""), Some(amount % 2 == 0), now);
                        }
                    }
                    2 => drop(book.cancel("alipay", &name, now)),
                    3 => drop(book.close("alipay", &name, now)),
                    4 => drop(book.refund("alipay", &name, &format!("r{amount}"), amount, now)),
                    5 => drop(book.confirm(&format!("trade-{number}"), now)),
                    6 => drop(book.refuse(&format!("trade-{number}"), now)),
                    _ => drop(book.reverse("alipay", &name, 0, now)),
                }
            }
            let after: i64 = book.wallets().iter().map(|wallet| wallet.balance).sum();
            let held: i64 = book.trades(now).iter().filter(|t| t.paid_at.is_some()).map(|t| t.amount - t.refunded).sum();
            prop_assert_eq!(before - after, held);
            prop_assert!(book.wallets().iter().all(|wallet| wallet.balance >= 0));
        }
    }

    #[test]
    fn a_code_counts_once_and_for_a_minute() {
        let mut book = Book::new(1);
        let (code, expires_at) = book.issue_code("alipay-1", 0).unwrap();
        assert_eq!(expires_at, 60_000);
        assert_eq!(book.pay_by_code(order(1, 100), &code, 1).unwrap().state, TradeState::Success);
        assert_eq!(book.pay_by_code(order(2, 100), &code, 2).unwrap_err(), Refusal::CodeExpired);
        let (code, _) = book.issue_code("alipay-1", 0).unwrap();
        assert_eq!(book.pay_by_code(order(3, 100), &code, 60_000).unwrap_err(), Refusal::CodeExpired);
        assert_eq!(book.pay_by_code(order(4, 100), "280000001234567890", 0).unwrap().state, TradeState::Success);
        assert_eq!(book.pay_by_code(order(5, 100), "280000001234567891", 0).unwrap_err(), Refusal::Balance);
    }
}
