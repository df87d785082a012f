//! Returns money of a sale: how much, why where it is asked for, once more "sure?", and what came of it.

use iced::widget::{button, column, container, row, space};
use iced::{Center, Element, Fill};

use crate::api::wire::{ChannelView, PaymentView, RefundPayment, RefundView};
use crate::client::idempotency_key;
use crate::money::Money;
use crate::payment::{PaymentId, RefundState};
use crate::till::entry::{Entry, Key};
use crate::till::font;
use crate::till::icon::{self, Icon};
use crate::till::theme::{Look, Role, card, press, round, size, space as distance};
use crate::till::widget::notice::notice;
use crate::till::widget::{amount, badge, keys, line, strong};

use super::cashier::reason_words;

/// The API takes no longer reason.
const MAX_REASON_CHARS: usize = 128;

/// Where the page stands.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    /// The amount, and the reason, are being typed.
    Entry,
    /// Really?
    Sure,
    /// The Payment API is asked; the number of refunds that there were before.
    Sent(usize),
}

/// The page's state.
#[derive(Debug, Clone)]
pub struct State {
    /// The sale.
    pub sale: PaymentView,
    step: Step,
    amount: Entry,
    reason: String,
    types_reason: bool,
    by_hand: bool,
    partial: bool,
    /// The same through every repeat: one press, one refund.
    key: String,
    trouble: Option<String>,
}

/// What happens on the page.
#[derive(Debug, Clone)]
pub enum Message {
    /// Typed text.
    Text(String),
    /// Takes back a character.
    Backspace,
    /// Empties the field.
    Clear,
    /// From the amount to the reason and back.
    Field,
    /// Go on.
    Enter,
    /// Back by one step.
    Back,
    /// The Payment API's answer.
    Answered(Box<Result<PaymentView, String>>),
}

/// What the page asks of the program.
pub enum Action {
    /// Nothing.
    None,
    /// Leave the page.
    Leave,
    /// Ask for the refund, under this idempotency key.
    Refund(PaymentId, RefundPayment, String),
}

impl State {
    /// The page of a sale; the channels tell what theirs can return.
    #[must_use]
    pub fn new(sale: PaymentView, channels: &[ChannelView]) -> Self {
        let known = channels.iter().find(|channel| Some(&channel.channel) == sale.channel.as_ref());
        let rules = known.and_then(|channel| channel.refund);
        let left = Money::new(sale.refundable, sale.currency);
        Self {
            step: Step::Entry,
            amount: Entry::of(left),
            reason: String::new(),
            types_reason: false,
            by_hand: known.is_some() && rules.is_none(),
            partial: known.is_none() || rules.is_none_or(|rules| rules.partial),
            key: idempotency_key(),
            trouble: None,
            sale,
        }
    }

    /// The sale has changed.
    pub fn moved(&mut self, sale: &PaymentView) {
        if sale.id == self.sale.id && sale.version >= self.sale.version {
            self.sale = sale.clone();
        }
    }

    /// Whether typed text is a reason, for the input method.
    #[must_use]
    pub const fn takes_text(&self) -> bool {
        self.types_reason
    }

    fn money(&self, minor: i64) -> Money {
        Money::new(minor, self.sale.currency)
    }

    /// The refund that was asked for here, once the books have it.
    fn asked(&self) -> Option<&RefundView> {
        match self.step {
            Step::Sent(before) => self.sale.refunds.get(before),
            Step::Entry | Step::Sure => None,
        }
    }

    /// Something happened.
    pub fn update(&mut self, message: Message, look: &dyn Fn(&str, Option<Money>) -> String) -> Action {
        match (message, &self.step) {
            (Message::Answered(answer), _) => match *answer {
                Ok(sale) => self.moved(&sale),
                Err(why) => (self.step, self.trouble) = (Step::Entry, Some(why)),
            },
            (Message::Back, Step::Sure) => self.step = Step::Entry,
            (Message::Back, _) => return Action::Leave,
            (Message::Enter, Step::Sent(_)) => return Action::Leave,
            (Message::Enter, Step::Entry) => self.check(look),
            (Message::Enter, Step::Sure) => {
                let Ok(amount) = self.amount.amount() else { return Action::None };
                let reason = Some(self.reason.trim().to_owned()).filter(|reason| !reason.is_empty());
                let refund = RefundPayment {
                    amount: Some(amount.minor),
                    reason,
                    by_hand: self.by_hand,
                    ..RefundPayment::default()
                };
                self.step = Step::Sent(self.sale.refunds.len());
                return Action::Refund(self.sale.id.clone(), refund, self.key.clone());
            }
            (message, Step::Entry) => self.edit(message),
            _ => {}
        }
        Action::None
    }

    fn edit(&mut self, message: Message) {
        self.trouble = None;
        match message {
            Message::Field => self.types_reason = !self.types_reason,
            Message::Text(text) if self.types_reason => {
                let room = MAX_REASON_CHARS.saturating_sub(self.reason.chars().count());
                self.reason.extend(text.chars().filter(|c| !c.is_control()).take(room));
            }
            Message::Backspace if self.types_reason => {
                let _ = self.reason.pop();
            }
            Message::Clear if self.types_reason => self.reason.clear(),
            Message::Text(text) => {
                for key in text.chars().filter_map(Key::of_char) {
                    let _ = self.amount.press(key);
                }
            }
            Message::Backspace => {
                let _ = self.amount.press(Key::Backspace);
            }
            Message::Clear => {
                let _ = self.amount.press(Key::Clear);
            }
            _ => {}
        }
    }

    fn check(&mut self, look: &dyn Fn(&str, Option<Money>) -> String) {
        let left = self.sale.refundable;
        self.trouble = match self.amount.amount() {
            _ if left <= 0 => Some(look("refund-none-left", None)),
            Err(_) => Some(look("amount-enter", None)),
            Ok(amount) if amount.minor > left => Some(look("refund-too-much", Some(self.money(left)))),
            Ok(amount) if !self.partial && amount.minor != left => Some(look("refund-whole-only", None)),
            Ok(_) if self.by_hand && self.reason.trim().is_empty() => {
                self.types_reason = true;
                Some(look("refund-reason-needed", None))
            }
            Ok(_) => {
                self.step = Step::Sure;
                None
            }
        };
    }

    /// The page.
    pub fn view<'a>(&'a self, look: Look<'a>) -> Element<'a, Message> {
        let palette = look.palette;
        let channel = self.sale.channel.as_ref().map(|channel| badge::name(look, channel)).unwrap_or_default();
        let whole = self.money(self.sale.amount).to_string();
        let head = row![
            strong(look.say("refund-title"), size::HEADING, palette.text),
            line(
                look.say_with("refund-of", &[("amount", whole.into()), ("channel", channel.into())]),
                size::LABEL,
                palette.muted
            ),
        ]
        .spacing(distance::GAP)
        .align_y(Center);
        let body = match self.step {
            Step::Entry => self.entry(look),
            Step::Sure => self.sure(look),
            Step::Sent(_) => self.sent(look),
        };
        column![
            head,
            container(container(body).padding(distance::PAGE).max_width(720).style(card(palette)))
                .center_x(Fill)
                .height(Fill)
        ]
        .spacing(distance::GROUP)
        .into()
    }

    fn shown(&self, look: Look<'_>) -> Element<'static, Message> {
        let (typed, rest) = self.amount.shown();
        let palette = look.palette;
        let sign = self.sale.currency.sign();
        amount::typed(sign, typed, rest, size::FIGURE * 1.5, palette.text, palette.text, palette.muted)
    }

    fn entry<'a>(&'a self, look: Look<'a>) -> Element<'a, Message> {
        let palette = look.palette;
        let left = self.money(self.sale.refundable).to_string();
        let field = |on: bool| if on { Role::Chosen } else { Role::Plain };
        let caret = |on: bool| if on { "▏" } else { "" };
        let reason_hint = if self.by_hand { "refund-reason" } else { "refund-reason-optional" };
        let trouble = self.trouble.as_ref().map(|why| notice(palette.danger, Icon::Warning, why, ""));
        let hand = self.by_hand.then(|| notice(palette.warning, Icon::Wallet, &look.say("refund-by-hand"), ""));
        column![
            button(
                column![
                    line(look.say("refund-amount"), size::BODY, palette.muted),
                    container(self.shown(look)).center_x(Fill),
                    line(look.say_with("refund-left", &[("amount", left.into())]), size::BODY, palette.muted),
                ]
                .spacing(distance::SMALL),
            )
            .padding(distance::GAP)
            .width(Fill)
            .on_press_maybe(self.types_reason.then_some(Message::Field))
            .style(press(palette, field(!self.types_reason))),
            button(
                column![
                    line(look.say(reason_hint), size::BODY, palette.muted),
                    line(format!("{}{}", self.reason, caret(self.types_reason)), size::LABEL, palette.text),
                ]
                .spacing(distance::TINY),
            )
            .padding(distance::GAP)
            .width(Fill)
            .on_press_maybe((!self.types_reason).then_some(Message::Field))
            .style(press(palette, field(self.types_reason))),
            hand,
            trouble,
            row![
                keys::act(look, "Esc", look.say("common-back"), Some(Message::Back), Role::Plain),
                keys::act(look, "Tab", look.say("refund-reason"), Some(Message::Field), Role::Plain),
                space().width(Fill),
                keys::act(look, "Enter", self.go_words(look, "refund-go"), Some(Message::Enter), Role::Primary),
            ]
            .spacing(distance::SMALL),
        ]
        .spacing(distance::GAP)
        .into()
    }

    fn go_words(&self, look: Look<'_>, key: &str) -> String {
        let amount = self.amount.amount().map(|amount| amount.to_string()).unwrap_or_default();
        look.say_with(key, &[("amount", amount.into())])
    }

    fn sure<'a>(&'a self, look: Look<'a>) -> Element<'a, Message> {
        let palette = look.palette;
        let title = if self.by_hand { "refund-sure-hand" } else { "refund-sure-title" };
        let body = if self.by_hand { "refund-by-hand" } else { "refund-sure-body" };
        column![
            row![
                icon::view(Icon::Refund, 44.0, palette.refund.mark),
                strong(self.go_words(look, title), size::HEADING, palette.text)
            ]
            .spacing(distance::GAP)
            .align_y(Center),
            line(look.say(body), size::LABEL, palette.muted),
            row![
                keys::act(look, "Esc", look.say("common-back"), Some(Message::Back), Role::Plain),
                space().width(Fill),
                keys::act(look, "Enter", self.go_words(look, "refund-go"), Some(Message::Enter), Role::Primary),
            ]
            .spacing(distance::SMALL),
        ]
        .spacing(distance::GROUP)
        .into()
    }

    fn sent<'a>(&'a self, look: Look<'a>) -> Element<'a, Message> {
        let palette = look.palette;
        let with = |key: &str, amount: i64| look.say_with(key, &[("amount", self.money(amount).to_string().into())]);
        let (tone, sign, words, small) = match self.asked() {
            None => (palette.info, Icon::Unknown, look.say("refund-sending"), String::new()),
            Some(refund) => match refund.state {
                RefundState::Succeeded => {
                    (palette.refund, Icon::Refund, with("refund-done", refund.amount), String::new())
                }
                RefundState::Failed => {
                    let reason = refund.failure.map(|reason| reason_words(look, reason)).unwrap_or_default();
                    let small = [refund.failure_code.as_deref(), refund.failure_message.as_deref()];
                    let small = small.into_iter().flatten().filter(|text| !text.is_empty()).collect::<Vec<_>>();
                    let words = look.say_with("refund-failed", &[("reason", reason.into())]);
                    (palette.danger, Icon::Failure, words, small.join(" · "))
                }
                RefundState::Pending => (
                    palette.warning,
                    Icon::Unknown,
                    with("refund-processing", refund.amount),
                    refund.out_refund_no.clone(),
                ),
            },
        };
        column![
            container(
                row![
                    icon::view(sign, 56.0, tone.mark),
                    column![
                        line(words, size::HEADING, tone.text).font(font::LATIN_BOLD),
                        line(small, size::BODY, tone.text)
                    ]
                    .spacing(distance::SMALL)
                    .width(Fill),
                ]
                .spacing(distance::GROUP)
                .align_y(Center),
            )
            .padding(distance::GROUP)
            .width(Fill)
            .style(round(tone.tint, distance::CARD_RADIUS)),
            row![
                space().width(Fill),
                keys::act(look, "Enter", look.say("common-ok"), Some(Message::Enter), Role::Primary)
            ],
        ]
        .spacing(distance::GROUP)
        .into()
    }
}
