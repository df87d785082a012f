//! The counter while a sale is collected: the channels, what each waits for, and what can be done.

use iced::widget::{Column, button, column, container, row, space};
use iced::{Center, Element, Fill};

use super::{Around, Message, head, hint_line};
use crate::payment::{AttemptState, ChannelId, PendingReason};
use crate::till::font;
use crate::till::icon::{self, Icon};
use crate::till::sale::{Awaited, ChannelRow, Collecting, Counter, Focus, Press};
use crate::till::theme::{Look, Role, Tone, boxed, ground, press, round, size, space as distance};
use crate::till::widget::ring::{Ring, ring};
use crate::till::widget::shape::{Standing, shape};
use crate::till::widget::{amount, badge, figures, keys, line, words};

pub(super) fn collect<'a>(
    look: Look<'a>,
    counter: &'a Counter,
    collecting: &'a Collecting,
    around: &Around<'a>,
    width: f32,
) -> Element<'a, Message> {
    let palette = look.palette;
    let room = width - 2.0 * distance::GROUP;
    let grouped = collecting.amount.to_grouped();
    let fits = amount::fitting(size::AMOUNT, grouped.chars().count(), room);
    let shown = amount::typed(
        collecting.amount.currency.sign(),
        grouped,
        String::new(),
        fits,
        palette.text,
        palette.text,
        palette.muted,
    );
    let note = collecting.note.as_deref().unwrap_or_default();
    let under = line(note, size::LABEL, palette.muted).into();
    let unknown = collecting.pending() == Some(PendingReason::ResultUnknown);
    let typing = counter.focus == Focus::Code;
    let (title, body, tone) = collect_words(look, collecting);
    let dial = match (collecting.unknown_since, collecting.span()) {
        (Some(since), _) => Ring::waiting(look, since, palette.warning.mark),
        (None, Some((from, until))) => Ring::countdown(look, from, until),
        (None, None) => Ring::waiting(look, look.now, palette.accent),
    };
    let mut texts = column![].spacing(distance::TINY);
    if unknown {
        texts = texts.push(
            row![
                shape(palette, Standing::Unknown, 28.0),
                line(title, size::HEADING, tone.map_or(palette.text, |tone| tone.text)).font(font::LATIN_BOLD)
            ]
            .spacing(distance::MEDIUM)
            .align_y(Center),
        );
    } else {
        texts =
            texts.push(line(title, size::HEADING, tone.map_or(palette.text, |tone| tone.text)).font(font::LATIN_BOLD));
    }
    texts = texts.push(line(body, size::LABEL, palette.text));
    let status =
        row![ring(dial, if typing { 96.0 } else { 132.0 }), texts.width(Fill)].spacing(distance::PAGE).align_y(Center);

    let rows = counter.rows();
    // Three and more stand closer, so that all is on the page at 800 pixels.
    let row_height = if rows.len() > 2 { 44.0 } else { 52.0 };
    let rows =
        Column::with_children(rows.into_iter().map(|row| channel_row(look, &row, row_height))).spacing(distance::SMALL);
    let buttons = row![
        button(
            row![
                icon::view(Icon::Keyboard, 20.0, palette.text),
                words(look.say("collect-type-code"), size::LABEL, palette.text),
                keys::cap(look, "F7")
            ]
            .spacing(distance::SMALL)
            .height(Fill)
            .align_y(Center)
        )
        .height(distance::TOUCH)
        .padding([0.0, distance::GAP])
        .on_press(Message::Press(Press::TypeCode))
        .style(press(palette, if counter.focus == Focus::Code { Role::Chosen } else { Role::Plain })),
        arrived_button(look, counter, collecting),
        request_button(look, counter),
        space().width(Fill),
        button(
            row![
                icon::view(Icon::Cancelled, 20.0, palette.text),
                words(
                    look.say(if collecting.cancelling { "action-cancelling" } else { "collect-cancel" }),
                    size::LABEL,
                    palette.text
                ),
                keys::cap(look, "Esc")
            ]
            .spacing(distance::SMALL)
            .height(Fill)
            .align_y(Center)
        )
        .height(distance::TOUCH)
        .padding([0.0, distance::GAP])
        .on_press_maybe((!collecting.cancelling).then_some(Message::Press(Press::Escape)))
        .style(press(palette, Role::Plain)),
    ]
    .align_y(Center);
    let typed = typing.then(|| typed_code(look, &counter.typed_code));
    let hint: Element<'a, Message> = match (&typed, counter.hint.as_ref()) {
        (Some(_), None) => space().into(),
        (_, hint) => hint_line(look, hint, around),
    };
    let content =
        column![head(shown, under, !note.is_empty()), status, hint, typed, rows, space().height(Fill), buttons]
            .spacing(distance::MEDIUM);
    let ground = if unknown { palette.warning.tint } else { palette.surface };
    container(content).padding(distance::GROUP).height(Fill).style(boxed(palette, ground, distance::CARD_RADIUS)).into()
}

/// What the cashier presses when the money of a shown code is on the shop's account; asked once more before it counts.
fn arrived_button<'a>(look: Look<'a>, counter: &Counter, collecting: &Collecting) -> Option<Element<'a, Message>> {
    let palette = look.palette;
    let (key, cap, message) = match (&collecting.sure, counter.watched()) {
        (Some(_), _) => ("collect-arrived-yes", "Enter", Press::Enter),
        (None, Some(_)) => ("collect-arrived", "+", Press::Arrived),
        (None, None) => return None,
    };
    let content = row![
        icon::view(Icon::Check, 20.0, palette.on_accent),
        line(look.say(key), size::LABEL, palette.on_accent).font(font::LATIN_BOLD),
        keys::cap(look, cap)
    ]
    .spacing(distance::SMALL)
    .height(Fill)
    .align_y(Center);
    let pressed = button(content)
        .height(distance::TOUCH)
        .padding([0.0, distance::GAP])
        .on_press(Message::Press(message))
        .style(press(palette, Role::Primary));
    Some(container(pressed).padding(iced::Padding::ZERO.left(distance::SMALL)).into())
}

/// Shows the codes that are shown only when they are asked for.
fn request_button<'a>(look: Look<'a>, counter: &Counter) -> Option<Element<'a, Message>> {
    let channel = counter.on_request().into_iter().next()?;
    let name = badge::name(look, &channel);
    let label = look.say_with("collect-show-code-of", &[("channel", name.into())]);
    let asked = Message::Press(Press::Text("*".into()));
    let pressed = keys::act(look, "*", label, Some(asked), Role::Plain);
    Some(container(pressed).padding(iced::Padding::ZERO.left(distance::SMALL)).into())
}

/// Title, sentence and tone of what a sale under way waits for.
fn collect_words(look: Look<'_>, collecting: &Collecting) -> (String, String, Option<Tone>) {
    let palette = look.palette;
    let named = |key: &str, channel: Option<&ChannelId>| {
        let name = channel.map_or_else(|| look.say("the-provider"), |channel| badge::name(look, channel));
        look.say_with(key, &[("channel", name.as_str().into())])
    };
    if let Some(channel) = &collecting.sure {
        let amount = format!("{}{}", collecting.amount.currency.sign(), collecting.amount.to_grouped());
        let number = collecting.view.as_ref().and_then(|view| {
            let shown = view.attempts.iter().rev().find(|attempt| attempt.channel == *channel)?;
            Some(shown.out_trade_no.to_string())
        });
        return (
            look.say_with("collect-arrived-title", &[("amount", amount.into())]),
            look.say_with("collect-arrived-body", &[("number", number.unwrap_or_default().into())]),
            Some(palette.warning),
        );
    }
    if collecting.cancelling && collecting.pending() != Some(PendingReason::ResultUnknown) {
        return (look.say("collect-cancelling"), look.say("collect-cancelling-body"), None);
    }
    match collecting.pending() {
        None if collecting.view.is_none() => (look.say("collect-opening"), look.say("collect-opening-body"), None),
        None | Some(PendingReason::AwaitingScan) => (look.say("collect-waiting"), look.say("collect-either-way"), None),
        Some(PendingReason::Submitting) if collecting.submitting.is_none() => {
            (look.say("collect-waiting"), look.say("collect-either-way"), None)
        }
        Some(PendingReason::Submitting) => {
            (named("collect-submitting", collecting.submitting.as_ref()), look.say("collect-submitting-body"), None)
        }
        Some(PendingReason::CustomerConfirming) => (
            look.say("collect-confirming"),
            named("collect-confirming-body", collecting.busy_channel(AttemptState::CustomerConfirming)),
            Some(palette.info),
        ),
        Some(PendingReason::ResultUnknown) => (
            look.say("result-unknown"),
            named("collect-unknown-body", collecting.busy_channel(AttemptState::Unknown)),
            Some(palette.warning),
        ),
        Some(PendingReason::ClosingOthers) => {
            (look.say("collect-closing"), look.say("collect-closing-body"), Some(palette.success))
        }
        Some(PendingReason::Reversing) => (look.say("collect-reversing"), look.say("collect-reversing-body"), None),
        Some(PendingReason::AwaitingCashier) => {
            (look.say("collect-cashier"), look.say("collect-cashier-body"), Some(palette.warning))
        }
    }
}

fn channel_row<'a>(look: Look<'a>, row_of: &ChannelRow, height: f32) -> Element<'a, Message> {
    let palette = look.palette;
    let quiet = (palette.muted, None);
    let (key, (color, glyph)) = match &row_of.awaited {
        Awaited::Preparing => ("await-preparing", quiet),
        Awaited::CodeShown => ("await-code-shown", (palette.text, Some((Icon::Qr, palette.text)))),
        Awaited::OnRequest => ("await-on-request", quiet),
        Awaited::CashierWatches => {
            ("await-cashier-watches", (palette.warning.text, Some((Icon::Wallet, palette.warning.mark))))
        }
        Awaited::Submitted => ("await-submitted", (palette.info.text, Some((Icon::Unknown, palette.info.mark)))),
        Awaited::Confirming => ("await-confirming", (palette.info.text, Some((Icon::Phone, palette.info.mark)))),
        Awaited::Asking => ("await-asking", (palette.warning.text, Some((Icon::Unknown, palette.warning.mark)))),
        Awaited::Voiding => ("await-voiding", (palette.neutral.text, Some((Icon::Cancelled, palette.neutral.mark)))),
        Awaited::Paid => ("await-paid", (palette.success.text, Some((Icon::Success, palette.success.mark)))),
        Awaited::Refused(_) => ("await-refused", (palette.danger.text, Some((Icon::Failure, palette.danger.mark)))),
        Awaited::Closed => ("await-closed", quiet),
        Awaited::OutsideLimits => ("await-limits", quiet),
        Awaited::NoCode(_) => ("await-no-code", (palette.warning.text, Some((Icon::Warning, palette.warning.mark)))),
        Awaited::ScanOnly => ("await-scan-only", quiet),
    };
    let stripe = palette.channel(&row_of.channel).mark;
    let body = row![
        badge::badge(look, &row_of.channel),
        space().width(Fill),
        line(look.say(key), size::LABEL, color),
        glyph.map(|(glyph, color)| icon::view(glyph, 22.0, color)),
    ]
    .spacing(distance::MEDIUM)
    .align_y(Center)
    .height(Fill);
    container(row![
        container(space()).width(4).height(Fill).style(round(stripe, 2.0)),
        container(body).padding([0.0, distance::GAP]).width(Fill),
    ])
    .height(height)
    .style(boxed(palette, palette.raised, distance::CONTROL_RADIUS))
    .clip(true)
    .into()
}

fn typed_code<'a>(look: Look<'a>, digits: &str) -> Element<'a, Message> {
    let palette = look.palette;
    let mut spaced = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && index % 4 == 0 {
            spaced.push(' ');
        }
        spaced.push(digit);
    }
    let caret = container(space()).width(2).height(24).style(ground(palette.accent, palette.text));
    container(
        row![
            icon::view(Icon::Keyboard, 22.0, palette.accent),
            figures(spaced, size::TITLE, palette.text),
            caret,
            space().width(Fill),
            words(look.say("collect-type-code-hint"), size::BODY, palette.muted),
        ]
        .spacing(distance::SMALL)
        .align_y(Center)
        .height(Fill),
    )
    .height(distance::TOUCH)
    .padding([0.0, distance::GAP])
    .style(move |_| iced::widget::container::Style {
        background: Some(iced::Background::Color(palette.surface)),
        border: iced::Border { color: palette.accent, width: 2.0, radius: distance::CONTROL_RADIUS.into() },
        ..iced::widget::container::Style::default()
    })
    .into()
}
