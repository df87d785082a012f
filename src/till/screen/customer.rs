//! The customer's display: idle, what is due, what to do, thanks. Never a cashier's detail.

use std::collections::HashMap;

use iced::widget::{Row, button, column, container, row, space};
use iced::{Center, Element, Fill, Size};

use crate::money::Money;
use crate::payment::{AttemptState, ChannelId, FailureReason, PendingReason, Way};
use crate::qr::Logo;
use crate::till::font;
use crate::till::icon::{self, Icon};
use crate::till::sale::{Counter, EndKind, Hint, Phase, ShownCode, THANKS_MS};
use crate::till::theme::{Look, card, ground, nudged, round, size, space as distance};
use crate::till::widget::code::{Drawing, code};
use crate::till::widget::shape::{Standing, shape};
use crate::till::widget::{amount, badge, figures, line, rule};

use super::cashier::training_banner;

/// What is shown.
#[derive(Debug, Clone, PartialEq)]
pub enum Page {
    /// Nothing is due.
    Idle,
    /// A sale has begun; codes are on their way.
    Preparing(Money),
    /// Codes to scan; and why the latest try came to nothing, where one was made.
    Due(Money, Vec<ShownCode>, Option<FailureReason>),
    /// The customer is to confirm on the phone.
    Confirm(Money, Option<ChannelId>),
    /// It is being found out whether it was paid.
    Checking(Money, Option<ChannelId>),
    /// Paid.
    Paid(Money, Option<ChannelId>),
    /// Not paid.
    NotPaid(Money, NotPaid),
}

impl Page {
    /// Tells one page from another, for [`nudged`].
    const fn step(&self) -> u8 {
        match self {
            Self::Idle => 0,
            Self::Preparing(_) => 1,
            Self::Due(_, _, None) => 2,
            Self::Due(..) => 3,
            Self::Confirm(..) => 4,
            Self::Checking(..) => 5,
            Self::Paid(..) => 6,
            Self::NotPaid(..) => 7,
        }
    }
}

/// Why it was not paid, as far as the customer is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotPaid {
    /// The wallet or its provider refused.
    Refused,
    /// Cancelled, or the time ran out.
    Cancelled,
    /// The money was returned.
    Returned,
}

/// The display's state: the drawings of the codes it shows.
#[derive(Debug, Default)]
pub struct State {
    drawings: HashMap<String, Drawing>,
    /// The shop's logo, for the codes.
    logo: Option<Logo>,
    /// Whether some channel takes the customer's own payment code.
    takes_codes: bool,
}

impl State {
    /// With the shop's logo on the codes, where there is one and they can be read with it.
    #[must_use]
    pub fn with_logo(logo: Option<Logo>) -> Self {
        Self { logo, ..Self::default() }
    }

    /// What is to be shown for a counter, and the codes' drawings made ready.
    pub fn prepare(&mut self, counter: &Counter) {
        self.takes_codes = counter.channels.iter().any(|channel| channel.ways.contains(&Way::ConsumerPresented));
        let Some(collecting) = counter.collecting() else {
            self.drawings.clear();
            return;
        };
        let codes = collecting.shown_codes(&counter.channels);
        self.drawings.retain(|payload, _| codes.iter().any(|code| code.text == *payload));
        for shown in codes {
            if !self.drawings.contains_key(&shown.text)
                && let Some(drawing) = Drawing::with_logo(&shown.text, self.logo.as_ref())
            {
                let _ = self.drawings.insert(shown.text, drawing);
            }
        }
    }
}

/// What is to be shown at `now` (ms since 1970).
#[must_use]
pub fn page(counter: &Counter, now: i64) -> Page {
    match &counter.phase {
        Phase::Entry => Page::Idle,
        Phase::Collecting(collecting) => {
            let channel = |state| collecting.busy_channel(state).cloned();
            let due = collecting.amount;
            match collecting.pending() {
                Some(PendingReason::CustomerConfirming) => {
                    Page::Confirm(due, channel(AttemptState::CustomerConfirming))
                }
                Some(PendingReason::ResultUnknown) => Page::Checking(due, channel(AttemptState::Unknown)),
                Some(PendingReason::ClosingOthers | PendingReason::Reversing | PendingReason::AwaitingCashier) => {
                    Page::Checking(due, None)
                }
                _ if collecting.submitting.is_some() => Page::Checking(due, collecting.submitting.clone()),
                _ if collecting.cancelling => Page::Checking(due, None),
                _ => match collecting.shown_codes(&counter.channels) {
                    codes if codes.is_empty() => Page::Preparing(due),
                    codes => {
                        let failed = match &counter.hint {
                            Some(Hint::TryFailed { reason, .. }) => Some(*reason),
                            _ => None,
                        };
                        Page::Due(due, codes, failed)
                    }
                },
            }
        }
        Phase::Result(ending) if now - ending.at > THANKS_MS => Page::Idle,
        Phase::Result(ending) => {
            let due = Money::new(ending.view.amount, ending.view.currency);
            match ending.kind {
                EndKind::Paid => Page::Paid(due, ending.view.channel.clone()),
                EndKind::NotPaid => Page::NotPaid(due, NotPaid::Refused),
                EndKind::Cancelled | EndKind::Expired => Page::NotPaid(due, NotPaid::Cancelled),
                EndKind::Reversed | EndKind::Refunded => Page::NotPaid(due, NotPaid::Returned),
            }
        }
    }
}

/// The display.
pub fn view<'a, Message: Clone + 'a>(
    look: Look<'a>,
    state: &'a State,
    page: &Page,
    store: &str,
    training: bool,
    window: Size,
    full_screen: Message,
) -> Element<'a, Message> {
    let palette = look.palette;
    let bar = row![
        icon::view(Icon::Store, 28.0, palette.accent),
        line(store, size::HEADING, palette.text).font(font::LATIN_BOLD),
        space().width(Fill),
        training.then(|| training_banner(look)),
        button(icon::view(Icon::FullScreen, 20.0, palette.faint))
            .on_press(full_screen)
            .padding(distance::SMALL)
            .style(crate::till::theme::press(palette, crate::till::theme::Role::Quiet)),
    ]
    .spacing(distance::MEDIUM)
    .align_y(Center)
    .height(72);
    let content = match page {
        Page::Idle => idle(look, store),
        Page::Preparing(due) => told(
            look,
            icon::view(Icon::Unknown, 96.0, palette.info.mark).into(),
            look.say("display-preparing"),
            *due,
            None,
            look.say("display-show-only"),
        ),
        Page::Due(due, codes, failed) => due_page(look, state, *due, codes, *failed, window),
        Page::Confirm(due, channel) => told(
            look,
            icon::view(Icon::Phone, 120.0, palette.info.mark).into(),
            look.say("display-confirm"),
            *due,
            channel.as_ref(),
            look.say("display-confirm-hint"),
        ),
        Page::Checking(due, channel) => told(
            look,
            icon::view(Icon::Unknown, 120.0, palette.info.mark).into(),
            look.say("display-checking"),
            *due,
            channel.as_ref(),
            look.say("display-asking-hint"),
        ),
        Page::Paid(due, channel) => told(
            look,
            shape(palette, Standing::Paid, 160.0),
            look.say("display-paid"),
            *due,
            channel.as_ref(),
            look.say("display-thanks"),
        ),
        Page::NotPaid(due, why) => {
            let (title, body) = match why {
                NotPaid::Refused => ("display-not-paid", "display-not-paid-hint"),
                NotPaid::Cancelled => ("display-cancelled", "display-cancelled-hint"),
                NotPaid::Returned => ("display-reversed", "display-thanks"),
            };
            told(
                look,
                icon::view(Icon::Info, 120.0, palette.neutral.mark).into(),
                look.say(title),
                *due,
                None,
                look.say(body),
            )
        }
    };
    let tint = if matches!(page, Page::Paid(..)) { palette.success.tint } else { palette.background };
    column![
        container(bar).padding([0.0, distance::PAGE]).style(ground(palette.surface, palette.text)),
        rule(look),
        container(content).width(Fill).height(Fill).style(ground(nudged(tint, page.step()), palette.text)),
    ]
    .into()
}

fn idle<'a, Message: 'a>(look: Look<'a>, store: &str) -> Element<'a, Message> {
    let palette = look.palette;
    let content = column![
        container(icon::view(Icon::Store, 72.0, palette.on_accent)).center(128).style(round(palette.accent, 32.0)),
        space().height(distance::SMALL),
        line(store, 56.0, palette.text).font(font::LATIN_BOLD),
        line(look.say("display-welcome"), size::HEADING, palette.muted),
        space().height(distance::PAGE),
        figures(look.time(look.now), size::AMOUNT, palette.text),
    ]
    .spacing(distance::MEDIUM)
    .align_x(Center);
    container(content).center(Fill).into()
}

/// One thing said large: a picture, a sentence, the amount, who, what next.
fn told<'a, Message: 'a>(
    look: Look<'a>,
    picture: Element<'a, Message>,
    title: String,
    due: Money,
    channel: Option<&ChannelId>,
    body: String,
) -> Element<'a, Message> {
    let palette = look.palette;
    let content = column![
        picture,
        line(title, size::FIGURE, palette.text).font(font::LATIN_BOLD).align_x(Center),
        amount::amount(due, size::DUE, palette.text),
        channel.map(|channel| large_badge(look, channel)),
        line(body, size::HEADING, palette.muted).align_x(Center),
    ]
    .spacing(distance::GAP)
    .align_x(Center);
    container(content).center(Fill).padding(distance::PAGE).into()
}

fn large_badge<'a, Message: 'a>(look: Look<'a>, channel: &ChannelId) -> Element<'a, Message> {
    row![
        badge::mark(look, channel, 36.0),
        line(badge::name(look, channel), size::HEADING, look.palette.channel(channel).text).font(font::LATIN_BOLD),
    ]
    .spacing(distance::MEDIUM)
    .align_y(Center)
    .into()
}

fn due_page<'a, Message: 'a>(
    look: Look<'a>,
    state: &'a State,
    due: Money,
    codes: &[ShownCode],
    failed: Option<FailureReason>,
    window: Size,
) -> Element<'a, Message> {
    let palette = look.palette;
    let count = codes.len().max(1) as f32;
    // At least 36 % of the height; larger where one code stands alone; never wider than its share of the page.
    let share = if codes.len() == 1 { 0.48 } else { 0.42 };
    let widest = (window.width - 2.0 * distance::PAGE - (count - 1.0) * distance::GROUP) / count - 2.0 * distance::GAP;
    let side = (window.height * share).min(widest).floor();
    let cards = Row::with_children(codes.iter().map(|shown| code_card(look, state, shown, side)))
        .spacing(distance::GROUP)
        .align_y(Center);
    let invite = row![
        icon::view(Icon::Phone, 36.0, palette.text),
        icon::view(Icon::ArrowRight, 22.0, palette.muted),
        icon::view(Icon::Camera, 36.0, palette.text),
        line(look.say("display-or-show"), 24.0, palette.text),
    ]
    .spacing(distance::MEDIUM)
    .align_y(Center);
    let invite = state.takes_codes.then_some(invite);
    let lead: Element<'a, Message> = match failed {
        None => line(look.say("display-due"), 24.0, palette.muted).into(),
        Some(reason) => {
            let key = match reason {
                FailureReason::CodeExpired | FailureReason::CodeInvalid => "display-fresh-code",
                FailureReason::CustomerRefused | FailureReason::TimedOut => "display-not-paid",
                _ => "display-another-way",
            };
            row![icon::view(Icon::Info, 26.0, palette.info.mark), line(look.say(key), 24.0, palette.text)]
                .spacing(distance::SMALL)
                .align_y(Center)
                .into()
        }
    };
    let content = column![lead, amount::amount(due, size::DUE, palette.text), cards, invite,]
        .spacing(distance::MEDIUM)
        .align_x(Center);
    container(content).center(Fill).padding([distance::SMALL, distance::PAGE]).into()
}

fn code_card<'a, Message: 'a>(look: Look<'a>, state: &'a State, shown: &ShownCode, side: f32) -> Element<'a, Message> {
    let palette = look.palette;
    let tone = palette.channel(&shown.channel);
    let name = row![
        badge::mark(look, &shown.channel, 32.0),
        line(badge::name(look, &shown.channel), 26.0, tone.text).font(font::LATIN_BOLD),
    ]
    .spacing(distance::MEDIUM)
    .align_y(Center);
    let picture: Element<'a, Message> = match state.drawings.get(&shown.text) {
        Some(drawing) => code(drawing, side, look.scale),
        None => container(icon::view(Icon::Warning, 48.0, palette.warning.mark)).center(side).into(),
    };
    let white = container(picture).style(round(iced::Color::WHITE, distance::CONTROL_RADIUS));
    // A thin line that grows shorter. It moves in steps, so that the window is not redrawn for every pixel.
    let span = (shown.until - shown.from).max(1);
    let left = (shown.until - look.now).clamp(0, span) as f32 / span as f32;
    let filled = (left * side).round();
    let countdown = container(container(space()).width(filled).height(4).style(round(tone.mark, 2.0)))
        .width(side)
        .height(4)
        .style(round(palette.line, 2.0));
    container(column![name, white, countdown].spacing(distance::MEDIUM).align_x(Center))
        .padding(distance::GAP)
        .style(card(palette))
        .into()
}
