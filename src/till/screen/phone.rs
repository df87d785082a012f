//! The training phone: a customer's wallets to try everything with, by the sandbox's own control calls.

use iced::keyboard::Key;
use iced::widget::{Column, button, column, container, row, scrollable, space};
use iced::{Center, Element, Fill, Task};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::money::{Currency, Money};
use crate::payment::ChannelId;
use crate::till::font;
use crate::till::icon::{self, Icon};
use crate::till::keys::Stroke;
use crate::till::sale::ShownCode;
use crate::till::theme::{Look, Role, boxed, floating, press, rail, round, scroll, size, space as distance};
use crate::till::widget::code::{Drawing, code};
use crate::till::widget::{amount, badge, figures, keys, line, strong};

/// How often the wallets and trades are read anew while the phone is open, in ms.
const REFRESH_MS: i64 = 1_000;
/// A code is renewed this long before it runs out, in ms.
const RENEW_MS: i64 = 3_000;
/// How long a code that was read stays before the camera, in ms.
const SEEN_MS: i64 = 900;

/// A customer's wallet with a provider.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Wallet {
    /// Its id.
    pub id: String,
    /// The provider.
    pub channel: ChannelId,
    /// Whose.
    #[serde(default)]
    pub name: String,
    /// What is in it, in fen.
    #[serde(default)]
    pub balance: i64,
}

/// A trade in the provider's own books.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Trade {
    /// Its id.
    pub id: String,
    /// The provider.
    pub channel: ChannelId,
    /// In fen.
    pub amount: i64,
    /// Where it stands.
    pub state: String,
    /// Which wallet pays, where one has begun to.
    #[serde(default)]
    pub wallet: Option<String>,
    /// What for.
    #[serde(default)]
    pub subject: String,
    /// When it was made, in ms since 1970.
    #[serde(default)]
    pub created_at: i64,
    /// The customer said no.
    #[serde(default)]
    pub refused: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Code {
    auth_code: String,
    expires_at: jiff::Timestamp,
}

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

    /// The phone.
    pub fn view<'a>(&'a self, look: Look<'a>) -> Element<'a, Message> {
        let palette = look.palette;
        let tabs = row(self.wallets.iter().enumerate().map(|(index, wallet)| {
            let chosen = index == self.chosen;
            button(
                container(
                    column![
                        badge::mark(look, &wallet.channel, 24.0),
                        line(first_name(&wallet.name), size::CAPTION, palette.muted)
                            .wrapping(iced::widget::text::Wrapping::None),
                    ]
                    .align_x(Center),
                )
                .center(Fill),
            )
            .height(52)
            .width(Fill)
            .padding(0)
            .on_press(Message::Choose(index))
            .style(press(palette, if chosen { Role::Chosen } else { Role::Quiet }))
            .into()
        }))
        .spacing(distance::TINY);
        let content: Element<'a, Message> = match self.wallet() {
            None => {
                let sentence = match &self.said {
                    Some(Said::Trouble(_)) => look.say("phone-unreachable"),
                    _ => look.say("common-loading"),
                };
                container(line(sentence, size::LABEL, palette.muted).align_x(Center)).center(Fill).into()
            }
            Some(wallet) => self.wallet_view(look, wallet),
        };
        let speaker = container(container(space()).width(64).height(5).style(round(palette.faint, 3.0))).center_x(Fill);
        let screen = container(column![tabs, content].spacing(distance::SMALL))
            .padding(distance::SMALL)
            .height(Fill)
            .style(boxed(palette, palette.background, 20.0));
        let title = row![
            icon::view(Icon::Training, 18.0, palette.muted),
            strong(look.say("phone-title"), size::BODY, palette.text),
            space().width(Fill),
            keys::cap(look, "F8"),
        ]
        .spacing(distance::SMALL)
        .align_y(Center);
        container(column![speaker, container(title).padding([0.0, distance::SMALL]), screen].spacing(distance::SMALL))
            .padding(distance::MEDIUM)
            .height(Fill)
            .style(floating(palette, 28.0))
            .into()
    }

    fn wallet_view<'a>(&'a self, look: Look<'a>, wallet: &'a Wallet) -> Element<'a, Message> {
        let palette = look.palette;
        let tone = palette.channel(&wallet.channel);
        let head = row![
            column![
                line(badge::name(look, &wallet.channel), size::LABEL, tone.text).font(font::LATIN_BOLD),
                line(wallet.name.as_str(), size::CAPTION, palette.muted),
            ],
            space().width(Fill),
            amount::amount(Money::new(wallet.balance, Currency::CNY), size::TITLE, palette.text),
        ]
        .align_y(Center);
        let middle: Element<'a, Message> = match self.asked() {
            Some(trade) => asked(look, trade),
            None => self.code_view(look),
        };
        let action = |glyph, key: &str, cap, message, role| {
            let color = if role == Role::Primary { palette.on_accent } else { palette.text };
            button(
                row![
                    icon::view(glyph, 20.0, color),
                    line(look.say(key), size::LABEL, color).width(Fill),
                    keys::cap(look, cap),
                ]
                .spacing(distance::SMALL)
                .align_y(Center)
                .height(Fill),
            )
            .height(distance::TOUCH)
            .width(Fill)
            .padding([0.0, distance::MEDIUM])
            .on_press(message)
            .style(press(palette, role))
        };
        let actions: Element<'a, Message> = if self.asked().is_some() {
            column![
                action(Icon::Check, "phone-confirm", "Alt Y", Message::Confirm, Role::Primary),
                action(Icon::Close, "phone-refuse", "Alt N", Message::Refuse, Role::Plain),
            ]
            .spacing(distance::SMALL)
            .into()
        } else {
            let hold = if self.held_up { "phone-take-away" } else { "phone-hold-up" };
            column![
                action(Icon::Camera, hold, "Alt H", Message::HoldUp, Role::Primary),
                action(Icon::Qr, "phone-scan", "Alt S", Message::Scan, Role::Plain),
            ]
            .spacing(distance::SMALL)
            .into()
        };
        let said = self.said.as_ref().map(|said| {
            let sentence = match said {
                Said::NothingToScan => {
                    look.say_with("phone-scan-nothing", &[("channel", badge::name(look, &wallet.channel).into())])
                }
                Said::Trouble(why) => why.clone(),
            };
            container(line(sentence, size::BODY, palette.warning.text))
                .padding(distance::SMALL)
                .width(Fill)
                .style(round(palette.warning.tint, distance::CONTROL_RADIUS))
        });
        let mine = self.trades.iter().rev().filter(|trade| trade.wallet.as_deref() == Some(wallet.id.as_str()));
        let rows = mine.take(20).map(|trade| trade_row(look, trade));
        let history = scrollable(Column::with_children(rows).padding(iced::Padding::ZERO.right(distance::GAP)))
            .height(Fill)
            .width(Fill)
            .direction(rail())
            .style(scroll(palette));
        column![
            container(column![head, middle].spacing(distance::SMALL)).padding(distance::MEDIUM).style(boxed(
                palette,
                palette.surface,
                distance::CARD_RADIUS
            )),
            said,
            actions,
            line(look.say("phone-history"), size::CAPTION, palette.muted),
            history,
        ]
        .spacing(distance::SMALL)
        .height(Fill)
        .into()
    }

    fn code_view<'a>(&'a self, look: Look<'a>) -> Element<'a, Message> {
        let palette = look.palette;
        let Some((shown, drawing)) = &self.code else {
            return container(line(look.say("common-loading"), size::BODY, palette.muted))
                .center_x(Fill)
                .center_y(216)
                .into();
        };
        let left = ((shown.expires_at.as_millisecond() - look.now).max(0) + 999) / 1000;
        let mut grouped = String::new();
        for (index, digit) in shown.auth_code.chars().enumerate() {
            if index > 0 && index % 4 == 0 {
                grouped.push(' ');
            }
            grouped.push(digit);
        }
        let picture = container(code(drawing, 160.0, look.scale))
            .padding(distance::TINY)
            .style(round(iced::Color::WHITE, distance::CONTROL_RADIUS));
        column![
            picture,
            figures(grouped, size::BODY, palette.text),
            line(look.say_with("phone-code-renews", &[("seconds", left.into())]), size::CAPTION, palette.muted),
        ]
        .spacing(distance::TINY)
        .align_x(Center)
        .width(Fill)
        .into()
    }
}

/// The first word of a name, for a narrow tab.
fn first_name(name: &str) -> &str {
    name.split(' ').next().unwrap_or_default()
}

fn asked<'a>(look: Look<'a>, trade: &Trade) -> Element<'a, Message> {
    let palette = look.palette;
    column![
        icon::view(Icon::Lock, 36.0, palette.info.mark),
        line(look.say("phone-confirming"), size::LABEL, palette.text),
        amount::amount(Money::new(trade.amount, Currency::CNY), 40.0, palette.text),
    ]
    .spacing(distance::SMALL)
    .align_x(Center)
    .width(Fill)
    .padding([distance::GROUP, 0.0])
    .into()
}

fn trade_row<'a>(look: Look<'a>, trade: &Trade) -> Element<'a, Message> {
    let palette = look.palette;
    let state = if trade.refused { "refused".to_owned() } else { trade.state.to_ascii_lowercase() };
    let state = look.words.named("trade", &state);
    row![
        figures(look.time(trade.created_at), size::BODY, palette.muted),
        line(state, size::BODY, palette.text).width(Fill),
        amount::amount(Money::new(trade.amount, Currency::CNY), size::LABEL, palette.text),
    ]
    .height(28)
    .spacing(distance::SMALL)
    .align_y(Center)
    .into()
}

impl Trade {
    fn is_waiting(&self) -> bool {
        self.state == "WAIT_BUYER_PAY"
    }
}

/// The sandbox's control calls.
#[derive(Debug, Clone)]
struct Sandbox {
    url: String,
    http: reqwest::Client,
}

impl Sandbox {
    /// A list, bare or in a field of that name.
    async fn get<T: DeserializeOwned>(&self, path: &str, field: &str) -> Result<Vec<T>, String> {
        let answer = self.http.get(format!("{}{path}", self.url)).send().await.map_err(|error| error.to_string())?;
        let mut value: serde_json::Value = answer.json().await.map_err(|error| error.to_string())?;
        let list = match value.get_mut(field) {
            Some(list) => list.take(),
            None => value,
        };
        serde_json::from_value(list).map_err(|error| error.to_string())
    }

    async fn post<T: DeserializeOwned>(&self, path: &str, body: serde_json::Value) -> Result<T, String> {
        let answer = self
            .http
            .post(format!("{}{path}", self.url))
            .json(&body)
            .send()
            .await
            .map_err(|error| error.to_string())?;
        if !answer.status().is_success() {
            let text = answer.text().await.unwrap_or_default();
            let detail = serde_json::from_str::<serde_json::Value>(&text).ok();
            let detail = detail.as_ref().and_then(|problem| problem.get("detail")?.as_str());
            return Err(detail.map_or(text.clone(), str::to_owned));
        }
        answer.json().await.map_err(|error| error.to_string())
    }
}
