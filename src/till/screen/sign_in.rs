//! The lock screen: who is there, and the PIN.

use iced::widget::{Column, Row, button, column, container, row, scrollable, space};
use iced::{Center, Element, Fill};
use zeroize::Zeroizing;

use crate::api::wire::{OperatorView, Role as OperatorRole};
use crate::client::ClientError;
use crate::crypto::Secret;
use crate::payment::OperatorId;
use crate::till::font;
use crate::till::icon::{self, Icon};
use crate::till::theme::{Look, Role, card, press, rail, round, scroll, size, space as distance};
use crate::till::widget::{keys, line, strong, words};

/// No PIN or password is longer.
const MOST: usize = 64;
/// How many places are shown before the first digit is typed.
const PLACES: usize = 4;
/// How many dots are shown at most.
const DOTS: usize = 16;

/// What happens on it.
#[derive(Clone)]
pub enum Message {
    /// Somebody was chosen from the list.
    Choose(usize),
    /// The choice goes up or down.
    Move(i32),
    /// The choice goes on to the next, and from the last to the first.
    Next,
    /// Text of the PIN.
    Text(String),
    /// Its last character goes.
    Backspace,
    /// All of it goes.
    Clear,
    /// Sign in.
    Enter,
}

/// A PIN is no business of a log's.
impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("sign_in::Message(***)")
    }
}

/// What it asks of the program.
#[derive(Debug)]
pub enum Action {
    /// Nothing.
    None,
    /// Ask the API whether this is the PIN.
    SignIn(OperatorId, Secret<String>),
}

/// Why nobody was signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Refused {
    /// The PIN is another; how many tries are left.
    Wrong(u32),
    /// No PIN is looked at until then, in Unix milliseconds.
    Locked(i64),
    /// Anything else, in the API's words.
    Other(String),
}

/// The page's state.
#[derive(Debug)]
pub struct State {
    operators: Vec<OperatorView>,
    chosen: usize,
    pin: Secret<String>,
    /// An answer is on its way.
    asking: bool,
    refused: Option<Refused>,
}

impl State {
    /// With those who may sign in here.
    #[must_use]
    pub const fn new(operators: Vec<OperatorView>) -> Self {
        Self { operators, chosen: 0, pin: Secret::new(String::new()), asking: false, refused: None }
    }

    /// The list came anew; whoever was chosen stays chosen.
    pub fn list(&mut self, operators: Vec<OperatorView>) {
        let chosen = self.operators.get(self.chosen).map(|operator| operator.id.clone());
        self.chosen = operators.iter().position(|operator| Some(&operator.id) == chosen.as_ref()).unwrap_or(0);
        self.operators = operators;
    }

    /// How many characters of the PIN are typed.
    #[must_use]
    pub fn typed(&self) -> usize {
        self.pin.expose().chars().count()
    }

    /// Does what a message says; `now` is in Unix milliseconds.
    pub fn update(&mut self, message: Message, now: i64) -> Action {
        if self.asking {
            return Action::None;
        }
        match message {
            Message::Choose(index) => self.choose(index),
            Message::Move(by) => {
                let last = i32::try_from(self.operators.len()).unwrap_or(i32::MAX).saturating_sub(1).max(0);
                let chosen = i32::try_from(self.chosen).unwrap_or(0).saturating_add(by).clamp(0, last);
                self.choose(usize::try_from(chosen).unwrap_or(0));
            }
            Message::Next => self.choose((self.chosen + 1) % self.operators.len().max(1)),
            Message::Text(text) => {
                let typed = text.chars().filter(|character| !character.is_control());
                let pin = self.pin.expose().chars().chain(typed).take(MOST).collect();
                self.pin = Secret::new(pin);
                if !matches!(self.refused, Some(Refused::Locked(_))) {
                    self.refused = None;
                }
            }
            Message::Backspace => {
                let mut pin = Zeroizing::new(self.pin.expose().clone());
                let _ = pin.pop();
                self.pin = Secret::new(String::clone(&pin));
            }
            Message::Clear => self.pin = Secret::new(String::new()),
            Message::Enter => {
                let Some(operator) = self.operators.get(self.chosen) else { return Action::None };
                if self.pin.expose().is_empty() || self.locked_for(operator, now).is_some() {
                    return Action::None;
                }
                self.asking = true;
                let pin = std::mem::replace(&mut self.pin, Secret::new(String::new()));
                return Action::SignIn(operator.id.clone(), pin);
            }
        }
        Action::None
    }

    fn choose(&mut self, index: usize) {
        self.chosen = index;
        self.pin = Secret::new(String::new());
        self.refused = None;
    }

    /// The API refused.
    pub fn refused(&mut self, error: &ClientError, now: i64) {
        self.asking = false;
        self.refused = Some(match error {
            ClientError::Refused(problem) => match (problem.tries_left, problem.retry_after) {
                (Some(left), _) => Refused::Wrong(left),
                (_, Some(seconds)) => {
                    Refused::Locked(now.saturating_add(i64::try_from(seconds).unwrap_or(i64::MAX / 2_000) * 1_000))
                }
                _ => Refused::Other(problem.detail.clone()),
            },
            error => Refused::Other(error.to_string()),
        });
    }

    /// How many seconds no PIN of theirs is looked at.
    fn locked_for(&self, operator: &OperatorView, now: i64) -> Option<i64> {
        let told = match &self.refused {
            Some(Refused::Locked(until)) => Some(*until),
            _ => None,
        };
        let until = operator.locked_until.map(jiff::Timestamp::as_millisecond).max(told)?;
        Some((until - now + 999) / 1_000).filter(|seconds| *seconds > 0)
    }

    /// The page.
    pub fn view<'a>(&'a self, look: Look<'a>) -> Element<'a, Message> {
        let palette = look.palette;
        let people = self.operators.iter().enumerate().map(|(index, operator)| self.person(look, index, operator));
        let people = Column::with_children(people).spacing(distance::SMALL);
        let list = column![
            strong(look.say("sign-in-title"), size::HEADING, palette.text),
            scrollable(people).direction(rail()).style(scroll(palette)).height(Fill),
        ]
        .spacing(distance::GROUP)
        .width(400);
        let pad = column![self.dots(look), self.told(look), self.pad(look)].spacing(distance::MEDIUM).width(Fill);
        let page = row![list, pad].spacing(distance::PAGE).height(Fill);
        container(container(page).max_width(1_000).height(Fill))
            .padding(distance::PAGE)
            .center_x(Fill)
            .height(Fill)
            .style(card(palette))
            .into()
    }

    fn person<'a>(&self, look: Look<'a>, index: usize, operator: &'a OperatorView) -> Element<'a, Message> {
        let palette = look.palette;
        let chosen = index == self.chosen;
        let color = if chosen { palette.accent } else { palette.muted };
        let role = match operator.role {
            OperatorRole::Cashier => "role-cashier",
            OperatorRole::Supervisor => "role-supervisor",
            OperatorRole::Manager => "role-manager",
            OperatorRole::Admin => "role-admin",
        };
        let locked = operator.locked_until.is_some_and(|until| until.as_millisecond() > look.now);
        let mark = if locked { Icon::Lock } else { Icon::Person };
        let name = column![
            strong(operator.name.as_str(), size::TITLE, palette.text),
            words(look.say(role), size::BODY, palette.muted),
        ];
        button(row![icon::view(mark, 28.0, color), name].spacing(distance::GAP).align_y(Center).height(Fill))
            .padding([0.0, distance::GAP])
            .width(Fill)
            .height(distance::KEY)
            .on_press(Message::Choose(index))
            .style(press(palette, if chosen { Role::Chosen } else { Role::Plain }))
            .into()
    }

    /// One dot for each character that is typed, and hollow ones before.
    fn dots<'a>(&self, look: Look<'a>) -> Element<'a, Message> {
        let palette = look.palette;
        let typed = self.typed().min(DOTS);
        let dots = (0..typed.max(PLACES)).map(|place| {
            let color = if place < typed { palette.accent } else { palette.line };
            container(space()).width(20).height(20).style(round(color, 10.0)).into()
        });
        container(Row::with_children(dots).spacing(distance::GAP)).center_x(Fill).center_y(72).into()
    }

    /// A line for whoever is there, always of the same height.
    fn told<'a>(&self, look: Look<'a>) -> Element<'a, Message> {
        let palette = look.palette;
        let locked = self.operators.get(self.chosen).and_then(|operator| self.locked_for(operator, look.now));
        let (glyph, color, text) = match (locked, &self.refused) {
            (Some(seconds), _) => {
                let (minutes, seconds) = (seconds / 60, seconds % 60);
                let time = format!("{minutes}:{seconds:02}");
                (Icon::Lock, palette.danger.text, look.say_with("sign-in-locked", &[("time", time.into())]))
            }
            (None, Some(Refused::Wrong(left))) => {
                (Icon::Failure, palette.danger.text, look.say_with("sign-in-wrong", &[("left", (*left).into())]))
            }
            (None, Some(Refused::Other(why))) => (Icon::Warning, palette.danger.text, why.clone()),
            _ if self.asking => (Icon::Clock, palette.muted, look.say("sign-in-asking")),
            _ => (Icon::Keyboard, palette.muted, look.say("sign-in-hint")),
        };
        let text = row![icon::view(glyph, 20.0, color), line(text, size::LABEL, color)]
            .spacing(distance::SMALL)
            .align_y(Center);
        container(text).center_x(Fill).center_y(48).into()
    }

    fn pad<'a>(&self, look: Look<'a>) -> Element<'a, Message> {
        let palette = look.palette;
        let key = |label: Element<'a, Message>, message| {
            button(container(label).center(Fill))
                .on_press(message)
                .width(Fill)
                .height(Fill)
                .style(press(palette, Role::Key))
                .into()
        };
        let digit = |label: &'static str| {
            let text = line(label, size::HEADING, palette.text).font(font::FIGURES);
            key(text.into(), Message::Text(label.to_owned()))
        };
        let edit = |glyph, message| key(icon::view(glyph, 28.0, palette.text).into(), message);
        let row =
            |keys: [Element<'a, Message>; 3]| Row::with_children(keys).spacing(distance::MEDIUM).height(Fill).into();
        let ready = self.typed() > 0 && !self.asking;
        let color = if ready { palette.on_accent } else { palette.muted };
        let enter =
            row![line(look.say("sign-in-enter"), size::TITLE, color).font(font::LATIN_BOLD), keys::cap(look, "Enter")]
                .spacing(distance::MEDIUM)
                .align_y(Center);
        Column::with_children([
            row([digit("7"), digit("8"), digit("9")]),
            row([digit("4"), digit("5"), digit("6")]),
            row([digit("1"), digit("2"), digit("3")]),
            row([
                key(words("C", size::HEADING, palette.text), Message::Clear),
                digit("0"),
                edit(Icon::Backspace, Message::Backspace),
            ]),
            button(container(enter).center(Fill))
                .on_press(Message::Enter)
                .width(Fill)
                .height(distance::KEY)
                .style(press(palette, if ready { Role::Primary } else { Role::Key }))
                .into(),
        ])
        .spacing(distance::MEDIUM)
        .height(Fill)
        .into()
    }
}
