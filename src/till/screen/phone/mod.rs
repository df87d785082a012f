//! The training phone: a customer's wallets to try everything with, by the sandbox's own control calls.

mod sandbox;
mod view;

use iced::Task;
use iced::keyboard::Key;

use self::sandbox::{Code, Sandbox};
pub use self::sandbox::{Trade, Wallet};
use crate::till::keys::Stroke;
use crate::till::sale::ShownCode;
use crate::till::widget::code::Drawing;

/// How often the wallets and trades are read anew while the phone is open, in ms.
const REFRESH_MS: i64 = 1_000;
/// A code is renewed this long before it runs out, in ms.
const RENEW_MS: i64 = 3_000;
/// How long a code that was read stays before the camera, in ms.
const SEEN_MS: i64 = 900;

/// The phone's state.
#[derive(Debug)]
pub struct State {
    api: Sandbox,
    wallets: Vec<Wallet>,
    trades: Vec<Trade>,
    chosen: usize,
    code: Option<(Code, Drawing)>,
    held_up: bool,
    said: Option<Said>,
    read_at: i64,
    asking_code: bool,
    read_by_till: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Said {
    NothingToScan,
    Trouble(String),
}

/// What happens on the phone.
#[derive(Debug, Clone)]
pub enum Message {
    /// The next wallet, or this one.
    Choose(usize),
    /// Hold the payment code up to the camera, or take it away.
    HoldUp,
    /// Scan the code on the customer's display.
    Scan,
    /// Say yes.
    Confirm,
    /// Say no.
    Refuse,
    /// The wallets.
    Wallets(Result<Vec<Wallet>, String>),
    /// The trades.
    Trades(Result<Vec<Trade>, String>),
    /// A fresh payment code of a wallet.
    Fresh(String, Result<(String, i64), String>),
    /// The answer to something that was done.
    Answered(Result<(), String>),
}

/// What the phone asks of the program.
#[derive(Debug)]
pub enum Action {
    /// Nothing.
    None,
    /// Do this.
    Run(Task<Message>),
    /// Show this code to the camera; nothing to take it away.
    HoldUp(Option<String>),
}

/// The keys of the phone: with Alt.
#[must_use]
pub fn shortcut(stroke: &Stroke) -> Option<Message> {
    let Key::Character(character) = &stroke.key else { return None };
    match character.as_str() {
        "1" => Some(Message::Choose(0)),
        "2" => Some(Message::Choose(1)),
        "3" => Some(Message::Choose(2)),
        "h" | "H" => Some(Message::HoldUp),
        "s" | "S" => Some(Message::Scan),
        "y" | "Y" => Some(Message::Confirm),
        "n" | "N" => Some(Message::Refuse),
        _ => None,
    }
}

impl State {
    /// A phone whose wallets are with the sandbox at `url`.
    #[must_use]
    pub fn new(url: String) -> Self {
        Self {
            api: Sandbox { url, http: reqwest::Client::new() },
            wallets: Vec::new(),
            trades: Vec::new(),
            chosen: 0,
            code: None,
            held_up: false,
            said: None,
            read_at: 0,
            asking_code: false,
            read_by_till: None,
        }
    }

    /// The phone is taken into the hand.
    pub fn open(&mut self, now: i64) -> Task<Message> {
        self.said = None;
        self.read(now)
    }

    /// Time goes on: reads what has changed, and renews the code before it runs out.
    pub fn tick(&mut self, now: i64) -> Task<Message> {
        if now - self.read_at < REFRESH_MS {
            return Task::none();
        }
        let old = self.code.as_ref().is_none_or(|(code, _)| code.expires_at.as_millisecond() - now < RENEW_MS);
        let fresh = if old && !self.held_up { self.fresh() } else { Task::none() };
        Task::batch([self.read(now), fresh])
    }

    fn read(&mut self, now: i64) -> Task<Message> {
        self.read_at = now;
        let (wallets, trades) = (self.api.clone(), self.api.clone());
        Task::batch([
            Task::perform(async move { wallets.get("/sandbox/wallets", "wallets").await }, Message::Wallets),
            Task::perform(async move { trades.get("/sandbox/trades", "trades").await }, Message::Trades),
        ])
    }

    fn wallet(&self) -> Option<&Wallet> {
        self.wallets.get(self.chosen)
    }

    fn fresh(&mut self) -> Task<Message> {
        let Some(wallet) = self.wallet() else { return Task::none() };
        if self.asking_code {
            return Task::none();
        }
        let (id, api) = (wallet.id.clone(), self.api.clone());
        self.asking_code = true;
        let of = id.clone();
        Task::perform(
            async move { api.post::<Code>(&format!("/sandbox/wallets/{id}/code"), serde_json::json!({})).await },
            move |answer| {
                Message::Fresh(of.clone(), answer.map(|code| (code.auth_code, code.expires_at.as_millisecond())))
            },
        )
    }

    /// The trade of the chosen wallet that waits for the customer.
    fn asked(&self) -> Option<&Trade> {
        let wallet = self.wallet()?;
        self.trades.iter().rev().find(|trade| trade.is_waiting() && trade.wallet.as_deref() == Some(wallet.id.as_str()))
    }

    /// Something happened.
    pub fn update(&mut self, message: Message, codes: &[ShownCode], now: i64) -> Action {
        match message {
            Message::Choose(index) => {
                if index < self.wallets.len() && index != self.chosen {
                    self.chosen = index;
                    self.code = None;
                    self.held_up = false;
                    self.said = None;
                    self.asking_code = false;
                    let fresh = self.fresh();
                    return Action::Run(fresh);
                }
                Action::None
            }
            Message::HoldUp => {
                self.said = None;
                self.held_up = !self.held_up && self.code.is_some();
                Action::HoldUp(self.code.as_ref().filter(|_| self.held_up).map(|(code, _)| code.auth_code.clone()))
            }
            Message::Scan => {
                let Some(wallet) = self.wallet() else { return Action::None };
                let Some(shown) = codes.iter().find(|shown| shown.channel == wallet.channel) else {
                    self.said = Some(Said::NothingToScan);
                    return Action::None;
                };
                let path = format!("/sandbox/wallets/{}/scan", wallet.id);
                let body = serde_json::json!({"payload": shown.text, "confirm": null});
                self.said = None;
                self.answer(path, body)
            }
            Message::Confirm => self.decide("confirm"),
            Message::Refuse => self.decide("refuse"),
            Message::Wallets(Ok(wallets)) => {
                self.wallets = wallets;
                if self.code.is_none() { Action::Run(self.fresh()) } else { Action::None }
            }
            Message::Trades(Ok(trades)) => {
                self.trades = trades;
                Action::None
            }
            Message::Fresh(id, answer) => {
                self.asking_code = false;
                match answer {
                    Ok((auth_code, until)) if self.wallet().is_some_and(|wallet| wallet.id == id) => {
                        let drawing = Drawing::of(&auth_code);
                        let expires_at = jiff::Timestamp::from_millisecond(until).unwrap_or_default();
                        self.code = drawing.map(|drawing| (Code { auth_code, expires_at }, drawing));
                    }
                    Ok(_) => {}
                    Err(why) => self.said = Some(Said::Trouble(why)),
                }
                Action::None
            }
            Message::Answered(Ok(())) => {
                self.said = None;
                let _ = now;
                Action::Run(self.read(now))
            }
            Message::Wallets(Err(why)) | Message::Trades(Err(why)) | Message::Answered(Err(why)) => {
                self.said = Some(Said::Trouble(why));
                Action::None
            }
        }
    }

    fn decide(&mut self, what: &str) -> Action {
        let Some(trade) = self.asked() else { return Action::None };
        self.answer(format!("/sandbox/trades/{}/{what}", trade.id), serde_json::json!({}))
    }

    fn answer(&self, path: String, body: serde_json::Value) -> Action {
        let api = self.api.clone();
        Action::Run(Task::perform(
            async move { api.post::<serde_json::Value>(&path, body).await.map(|_| ()) },
            Message::Answered,
        ))
    }

    /// The till has read a code: where it is this phone's, it is spent, and is taken away a little later, so that the
    /// preview shows it.
    pub fn code_was_read(&mut self, text: &str, now: i64) {
        if self.held_up && self.code.as_ref().is_some_and(|(code, _)| code.auth_code == text) {
            self.read_by_till = Some(now);
        }
    }

    /// Whether the phone is to be taken away now.
    pub fn is_over(&mut self, now: i64) -> bool {
        if self.read_by_till.is_some_and(|at| now - at >= SEEN_MS) {
            self.read_by_till = None;
            self.held_up = false;
            self.code = None;
            return true;
        }
        false
    }
}
