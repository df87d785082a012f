//! The cashier's window: header, the counter on the left, camera and recent sales on the right, footer.

mod collect;
mod result;

use iced::widget::{Column, button, column, container, row, scrollable, space};
use iced::{Center, Element, Fill};

use self::collect::collect;
use self::result::result;
use crate::api::wire::{PaymentView, Takings};
use crate::money::Money;
use crate::payment::PaymentId;
use crate::till::font;
use crate::till::icon::{self, Icon};
use crate::till::sale::{Counter, Focus, Hint, Phase, Press};
use crate::till::theme::{Look, Role, card, ground, press, rail, round, scroll, size, space as distance};
use crate::till::widget::preview::{Sight, preview};
use crate::till::widget::sale_row::sale_row;
use crate::till::widget::{amount, figures, gap, keypad, keys, line, rule, strong, words};

/// What the cashier does in this window.
#[derive(Debug, Clone)]
pub enum Message {
    /// A key or button of the counter.
    Press(Press),
    /// Open a sale's story.
    Open(PaymentId),
    /// Go to another page.
    Go(Page),
    /// Show or hide the training phone.
    Phone,
    /// Refund the sale that is open or chosen.
    Refund,
    /// Whoever is here leaves.
    Lock,
}

/// The pages of the cashier's window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Page {
    /// The counter.
    #[default]
    Counter,
    /// The sales of the day.
    Sales,
    /// A sale's whole story.
    Story,
    /// The takings.
    Takings,
    /// Settings.
    Settings,
    /// Setting up cameras and scanners.
    Scanners,
    /// Merchant accounts.
    Accounts,
    /// A refund.
    Refund,
    /// The keys.
    Help,
}

/// How the till is connected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Link {
    /// Being set up.
    Starting,
    /// It stands.
    Online,
    /// It broke; it is being set up again.
    Offline,
    /// It could not be set up at all, and why.
    Broken(String),
}

/// What stands around the counter.
pub struct Around<'a> {
    /// The shop.
    pub store: &'a str,
    /// The till.
    pub till: &'a str,
    /// Who is signed in.
    pub operator: Option<&'a str>,
    /// Whether no real money moves.
    pub training: bool,
    /// How the till is connected.
    pub link: &'a Link,
    /// The last sales, the latest first.
    pub recent: &'a [PaymentView],
    /// Today.
    pub today: Option<&'a Takings>,
    /// The camera.
    pub sight: &'a Sight,
    /// Width and height of the window, logical.
    pub window: iced::Size,
    /// Whether the training phone stands beside.
    pub phone: bool,
}

/// The header that every page of the window has.
pub fn header<'a>(look: Look<'a>, around: &Around<'a>) -> Element<'a, Message> {
    let palette = look.palette;
    let mut left = row![icon::view(Icon::Store, 22.0, palette.muted)].spacing(distance::SMALL).align_y(Center);
    left = left.push(strong(around.store, size::TITLE, palette.text));
    if !around.till.is_empty() {
        left = left.push(words(format!("·  {}", around.till), size::LABEL, palette.muted));
    }
    // In training mode the way to real money is one press away.
    let training = around.training.then(|| {
        button(training_banner(look))
            .padding(0)
            .on_press(Message::Go(Page::Accounts))
            .style(press(palette, Role::Quiet))
    });
    let (dot, word) = match around.link {
        Link::Starting => (palette.warning, "bar-connecting"),
        Link::Online => (palette.success, "bar-online"),
        Link::Offline | Link::Broken(_) => (palette.danger, "bar-offline"),
    };
    let operator = around.operator.map(|name| {
        let name = row![icon::view(Icon::Person, 20.0, palette.muted), strong(name, size::LABEL, palette.text)];
        let name = name.push(icon::view(Icon::Lock, 18.0, palette.muted)).push(keys::cap(look, "F9"));
        button(name.spacing(distance::SMALL).align_y(Center).height(Fill))
            .padding([0.0, distance::MEDIUM])
            .height(40)
            .on_press(Message::Lock)
            .style(press(palette, Role::Quiet))
    });
    let right = row![
        operator,
        container(space()).width(10).height(10).style(round(dot.mark, 5.0)),
        words(look.say(word), size::BODY, palette.muted),
        gap(distance::SMALL),
        figures(look.time(look.now), size::TITLE, palette.text),
    ]
    .spacing(distance::SMALL)
    .align_y(Center);
    let bar = row![container(left).width(Fill), training, container(right).align_right(Fill)]
        .spacing(distance::GAP)
        .align_y(Center)
        .height(56);
    column![container(bar).padding([0.0, distance::GROUP]).style(ground(palette.surface, palette.text)), rule(look)]
        .into()
}

/// The banner of training mode.
pub fn training_banner<'a, M: 'a>(look: Look<'_>) -> Element<'a, M> {
    let tone = look.palette.warning;
    container(
        row![icon::view(Icon::Training, 18.0, tone.text), strong(look.say("bar-training"), size::BODY, tone.text),]
            .spacing(distance::SMALL)
            .align_y(Center),
    )
    .padding([6.0, distance::GAP])
    .style(round(tone.tint, 16.0))
    .into()
}

/// The footer: today's takings and the keys.
pub fn footer<'a>(look: Look<'a>, around: &Around<'a>, page: Page) -> Element<'a, Message> {
    let palette = look.palette;
    let today: Element<'a, Message> = match around.today {
        None => words(look.say("common-loading"), size::BODY, palette.muted),
        Some(takings) => row![
            words(look.say("common-today"), size::BODY, palette.muted),
            amount::amount(Money::new(takings.total.net, takings.currency), size::TITLE, palette.text),
            words(look.say_with("sales-count", &[("count", takings.total.count.into())]), size::BODY, palette.muted),
        ]
        .spacing(distance::SMALL)
        .align_y(Center)
        .into(),
    };
    let go = |name, label, target| {
        keys::key(look, name, look.say(label), Message::Go(if page == target { Page::Counter } else { target }))
    };
    let mut bar = row![container(today).width(Fill)].spacing(distance::TINY).align_y(Center).height(56);
    if page != Page::Counter {
        bar = bar.push(keys::key(look, "Esc", look.say("key-back"), Message::Go(Page::Counter)));
    }
    if matches!(page, Page::Sales | Page::Story) {
        bar = bar.push(keys::key(look, "F4", look.say("key-refund"), Message::Refund));
    }
    bar = bar.push(go("F2", "key-sales", Page::Sales)).push(go("F3", "key-takings", Page::Takings)).push(go(
        "F5",
        "key-settings",
        Page::Settings,
    ));
    if around.training {
        bar = bar.push(keys::key(look, "F8", look.say("key-phone"), Message::Phone));
    }
    bar = bar.push(go("F1", "key-help", Page::Help));
    column![
        rule(look),
        container(bar)
            .padding(iced::Padding::from([0.0, distance::GAP]).left(distance::GROUP))
            .style(ground(palette.surface, palette.text)),
    ]
    .into()
}

/// How wide the right column is.
fn side_width(around: &Around<'_>, collecting: bool) -> f32 {
    match (around.phone, collecting) {
        (true, _) => 320.0,
        (false, true) => 460.0,
        (false, false) => 384.0,
    }
}

/// How wide the training phone's column is.
pub const PHONE_WIDTH: f32 = 348.0;

/// The counter and what stands beside it.
pub fn body<'a>(look: Look<'a>, counter: &'a Counter, around: &Around<'a>) -> Element<'a, Message> {
    let collecting = counter.is_busy();
    let side = side_width(around, collecting);
    let phone = if around.phone { PHONE_WIDTH + distance::GAP } else { 0.0 };
    let width = (around.window.width - side - phone - 3.0 * distance::GAP).max(360.0);
    row![
        container(left(look, counter, around, width)).width(Fill).height(Fill),
        container(right(look, counter, around, side)).width(side).height(Fill),
    ]
    .spacing(distance::GAP)
    .into()
}

fn left<'a>(look: Look<'a>, counter: &'a Counter, around: &Around<'a>, width: f32) -> Element<'a, Message> {
    let palette = look.palette;
    match (&counter.phase, around.link) {
        (Phase::Entry, Link::Broken(why)) => broken(look, why),
        (Phase::Entry, Link::Starting) => starting(look),
        (Phase::Entry, _) => container(entry(look, counter, around, width))
            .padding(distance::GROUP)
            .height(Fill)
            .style(card(palette))
            .into(),
        (Phase::Collecting(collecting), _) => collect(look, counter, collecting, around, width),
        (Phase::Result(ending), _) => result(look, ending, width),
    }
}

fn starting<'a>(look: Look<'a>) -> Element<'a, Message> {
    let palette = look.palette;
    notice_page(
        look,
        icon::view(Icon::Store, 64.0, palette.accent).into(),
        look.say("cashier-starting"),
        look.say("cashier-starting-hint"),
        None,
    )
}

fn broken<'a>(look: Look<'a>, why: &str) -> Element<'a, Message> {
    notice_page(
        look,
        icon::view(Icon::Offline, 64.0, look.palette.danger.mark).into(),
        look.say("broken-title"),
        look.say("broken-body"),
        Some(why.to_owned()),
    )
}

/// A page that says one thing: an icon, a title, a sentence, and small print.
pub fn notice_page<'a, M: 'a>(
    look: Look<'a>,
    picture: Element<'a, M>,
    title: String,
    body: String,
    small: Option<String>,
) -> Element<'a, M> {
    let palette = look.palette;
    let texts = column![
        picture,
        space().height(distance::GAP),
        line(title, size::HEADING, palette.text).font(font::LATIN_BOLD),
        line(body, size::LABEL, palette.muted).align_x(Center),
        small.map(|small| line(small, size::BODY, palette.muted).align_x(Center)),
    ]
    .spacing(distance::SMALL)
    .align_x(Center)
    .max_width(520);
    container(texts).center(Fill).padding(distance::PAGE).style(card(palette)).into()
}

/// Amount and what stands under it; the amount is at the same place while typing and while collecting.
fn head<'a>(shown: Element<'a, Message>, under: Element<'a, Message>, tall: bool) -> Element<'a, Message> {
    let height = if tall { 40.0 } else { distance::SMALL };
    column![container(shown).center_x(Fill).center_y(132), container(under).center_x(Fill).height(height)]
        .width(Fill)
        .into()
}

fn entry<'a>(look: Look<'a>, counter: &'a Counter, around: &Around<'a>, width: f32) -> Element<'a, Message> {
    let palette = look.palette;
    let (typed, rest) = counter.entry.shown();
    let room = width - 2.0 * distance::GROUP;
    let fits = amount::fitting(size::AMOUNT, typed.chars().count() + rest.chars().count(), room);
    let sign = if counter.entry.is_empty() { palette.faint } else { palette.muted };
    let shown = amount::typed(counter.entry.currency().sign(), typed, rest, fits, palette.text, palette.faint, sign);
    let ready = counter.entry.amount().is_ok() && *around.link == Link::Online;
    column![
        head(shown, note_line(look, counter), true),
        hint_line(look, counter.hint.as_ref(), around),
        keypad::keypad(look, ready, Message::Press),
    ]
    .spacing(distance::MEDIUM)
    .into()
}

/// The note: drawn here and fed by the program, so that no field can swallow a scanner's digits.
fn note_line<'a>(look: Look<'a>, counter: &'a Counter) -> Element<'a, Message> {
    let palette = look.palette;
    let focused = counter.focus == Focus::Note;
    let color = if focused { palette.accent } else { palette.muted };
    let content: Element<'a, Message> = if counter.note.is_empty() && !focused {
        words(look.say("cashier-note-placeholder"), size::LABEL, palette.muted)
    } else {
        let caret = container(space())
            .width(2)
            .height(20)
            .style(ground(if focused { palette.accent } else { iced::Color::TRANSPARENT }, palette.text));
        row![line(counter.note.as_str(), size::LABEL, palette.text), caret].spacing(1.0).align_y(Center).into()
    };
    let cap = if focused { "Tab" } else { "F6" };
    button(
        row![icon::view(Icon::Note, 18.0, color), content, keys::cap(look, cap)]
            .spacing(distance::SMALL)
            .align_y(Center)
            .height(Fill),
    )
    .padding([0.0, distance::GAP])
    .height(40)
    .on_press(Message::Press(Press::Note))
    .style(press(palette, if focused { Role::Plain } else { Role::Quiet }))
    .into()
}

/// A line for the cashier, always of the same height so that nothing jumps.
fn hint_line<'a>(look: Look<'a>, hint: Option<&Hint>, around: &Around<'_>) -> Element<'a, Message> {
    let palette = look.palette;
    let offline = Hint::Offline;
    let hint = hint.or((*around.link == Link::Offline).then_some(&offline));
    let Some(hint) = hint else { return space().height(44).into() };
    let (tone, glyph) = match hint {
        Hint::Offline => (palette.danger, Icon::Offline),
        Hint::TryFailed { .. } => (palette.danger, Icon::Failure),
        hint if hint.is_problem() => (palette.danger, Icon::Warning),
        _ => (palette.warning, Icon::Warning),
    };
    let (sentence, small) = hint_words(look, hint);
    let small = small.map(|small| words(small, size::CAPTION, tone.text));
    container(
        row![icon::view(glyph, 22.0, tone.mark), line(sentence, size::LABEL, tone.text), small]
            .spacing(distance::MEDIUM)
            .align_y(Center),
    )
    .center_x(Fill)
    .center_y(iced::Shrink)
    .padding([10.0, distance::GAP])
    .style(round(tone.tint, distance::CONTROL_RADIUS))
    .into()
}

/// The sentence of a hint, and small print for support.
#[must_use]
pub fn hint_words(look: Look<'_>, hint: &Hint) -> (String, Option<String>) {
    use crate::money::MoneyError;
    use crate::payment::CodeRejection as R;
    use crate::till::entry::Refusal;
    let plain = |key: &str| (look.say(key), None);
    match hint {
        Hint::Refused(Refusal::Decimals) => plain("amount-no-more-decimals"),
        Hint::Refused(Refusal::TooLarge) | Hint::Amount(MoneyError::TooLarge) => plain("amount-over-limit"),
        Hint::Amount(MoneyError::TooManyDecimals { .. }) => plain("amount-no-more-decimals"),
        Hint::Amount(MoneyError::NotPositive) => plain("amount-enter"),
        Hint::Amount(MoneyError::Malformed | MoneyError::UnknownCurrency(_)) => plain("amount-malformed"),
        Hint::AmountFirst => plain("cashier-scan-first"),
        Hint::EnterFirst => plain("cashier-enter-first"),
        Hint::NotACode(rejection) => {
            let sentence = match rejection {
                R::TooShort { digits, .. } | R::TooLong { digits, .. } => {
                    look.words.named_with("rejection", rejection.kind(), &[("digits", (*digits).into())])
                }
                R::UnknownPrefix { prefix, known } => {
                    let known: Vec<_> = known
                        .iter()
                        .map(|codes| format!("{} {}", look.words.channel(&codes.channel), codes.prefixes))
                        .collect();
                    let values = [("prefix", prefix.as_str().into()), ("known", known.join(" · ").into())];
                    look.words.named_with("rejection", rejection.kind(), &values)
                }
                R::CardCode { scheme, card } => {
                    let scheme = scheme.map_or("EMVCo", crate::payment::CardScheme::title);
                    let values = [("scheme", scheme.into()), ("card", card.as_deref().unwrap_or_default().into())];
                    look.words.named_with("rejection", rejection.kind(), &values)
                }
                other => look.words.named("rejection", other.kind()),
            };
            (sentence, None)
        }
        Hint::TryFailed { reason, code, .. } => (reason_words(look, *reason), code.clone()),
        Hint::Offline => plain("error-unreachable"),
        Hint::NoAnswer => plain("error-timed-out"),
        Hint::CancelNotSent => plain("hint-cancel-not-sent"),
        Hint::Api { code, detail } => (look.words.problem(code, detail), Some(code.clone())),
    }
}

/// A failure's sentence: the money first, then what to do.
#[must_use]
pub fn reason_words(look: Look<'_>, reason: crate::payment::FailureReason) -> String {
    look.words.named("failure", reason.name())
}

fn right<'a>(look: Look<'a>, counter: &'a Counter, around: &Around<'a>, width: f32) -> Element<'a, Message> {
    let palette = look.palette;
    let recent: Element<'a, Message> = if around.recent.is_empty() {
        container(
            column![
                icon::view(Icon::Receipt, 40.0, palette.faint),
                words(look.say("cashier-recent-empty"), size::BODY, palette.muted),
            ]
            .spacing(distance::MEDIUM)
            .align_x(Center),
        )
        .center(Fill)
        .into()
    } else {
        let rows = around.recent.iter().take(20).map(|view| sale_row(look, view, Message::Open(view.id.clone())));
        scrollable(Column::with_children(rows)).height(Fill).width(Fill).direction(rail()).style(scroll(palette)).into()
    };
    let list = column![
        container(strong(look.say("cashier-recent"), size::LABEL, palette.text))
            .padding([distance::SMALL, distance::MEDIUM]),
        recent,
    ];
    column![
        preview(look, around.sight, width, counter.is_busy()),
        container(list).padding([distance::SMALL, distance::TINY]).height(Fill).width(Fill).style(card(palette)),
    ]
    .spacing(distance::GAP)
    .into()
}
