//! How a sale ended: recognised across the room by colour and shape.

use iced::widget::{Column, column, container, row, space};
use iced::{Center, Element, Fill};

use super::{Message, reason_words};
use crate::money::Money;
use crate::till::font;
use crate::till::icon::{self, Icon};
use crate::till::sale::{EndKind, Ending, Notice};
use crate::till::theme::{Look, round, size, space as distance};
use crate::till::widget::shape::{Standing, shape};
use crate::till::widget::{amount, badge, figures, keys, line, words};

pub(super) fn result<'a>(look: Look<'a>, ending: &'a Ending, width: f32) -> Element<'a, Message> {
    let palette = look.palette;
    let view = &ending.view;
    let standing = Standing::of_end(ending.kind);
    let tone = standing.tone(palette);
    let money = Money::new(view.amount, view.currency);
    let fits = amount::fitting(size::AMOUNT, money.to_grouped().chars().count(), width - 2.0 * distance::PAGE);
    let sentence = match ending.kind {
        EndKind::Paid => None,
        EndKind::NotPaid => view.reason.map(|reason| reason_words(look, reason)),
        EndKind::Cancelled => Some(look.say("result-cancelled-body")),
        EndKind::Expired => Some(look.say("result-expired-body")),
        EndKind::Reversed => Some(look.say("result-reversed-body")),
        EndKind::Refunded => Some(look.say("result-refunded-body")),
    };
    let at = view.paid_at.unwrap_or(view.changed_at).as_millisecond();
    let mut facts = row![].spacing(distance::GAP).align_y(Center);
    if ending.kind == EndKind::Paid || ending.kind == EndKind::NotPaid {
        if let Some(channel) = &view.channel {
            facts = facts.push(badge::badge(look, channel));
        }
        if let Some(payer) = &view.payer {
            facts = facts.push(words(payer.as_str(), size::LABEL, palette.text));
        }
    }
    facts = facts.push(figures(look.time_exact(at), size::LABEL, palette.text));
    let small = (ending.kind != EndKind::Paid)
        .then_some(view.reason_code.as_deref())
        .flatten()
        .map(|code| line(code, size::CAPTION, palette.muted));
    let again = matches!(ending.kind, EndKind::NotPaid | EndKind::Expired);
    let next = row![
        again.then(|| row![keys::cap(look, "Enter"), words(look.say("result-offer-again"), size::BODY, palette.text)]
            .spacing(distance::SMALL)
            .align_y(Center)),
        row![keys::cap(look, "0–9"), words(look.say("result-next"), size::BODY, palette.text)]
            .spacing(distance::SMALL)
            .align_y(Center),
    ]
    .spacing(distance::GROUP)
    .align_y(Center);
    let notices = Column::with_children(ending.notices.iter().map(|notice| notice_line(look, notice)))
        .spacing(distance::SMALL)
        .align_x(Center);
    let content = column![
        space().height(Fill),
        shape(palette, standing, 120.0),
        line(look.say(standing.key()), size::FIGURE, tone.text).font(font::LATIN_BOLD),
        amount::amount(money, fits, palette.text),
        facts,
        sentence.map(|sentence| line(sentence, size::TITLE, palette.text).align_x(Center)),
        small,
        notices,
        space().height(Fill),
        next,
    ]
    .spacing(distance::MEDIUM)
    .align_x(Center)
    .width(Fill);
    container(content)
        .padding(distance::PAGE)
        .center_x(Fill)
        .height(Fill)
        .style(move |_| iced::widget::container::Style {
            background: Some(iced::Background::Color(tone.tint)),
            border: iced::Border { color: tone.mark, width: 2.0, radius: distance::CARD_RADIUS.into() },
            ..iced::widget::container::Style::default()
        })
        .into()
}

fn notice_line<'a>(look: Look<'a>, notice: &Notice) -> Element<'a, Message> {
    let tone = look.palette.warning;
    let sentence = match notice {
        Notice::PaidDespiteCancel => look.say("notice-paid-despite-cancel"),
        Notice::PaidTwice { channel, returned } => {
            let name = badge::name(look, channel);
            let key = if *returned { "notice-paid-twice-returned" } else { "notice-paid-twice" };
            look.say_with(key, &[("channel", name.as_str().into())])
        }
        Notice::CodeRunsOut { channel } => {
            let name = badge::name(look, channel);
            look.say_with("notice-code-runs-out", &[("channel", name.as_str().into())])
        }
        Notice::Attention(detail) => detail.clone(),
    };
    container(
        row![icon::view(Icon::Warning, 22.0, tone.mark), line(sentence, size::LABEL, tone.text)]
            .spacing(distance::MEDIUM)
            .align_y(Center),
    )
    .padding([10.0, distance::GAP])
    .max_width(640)
    .style(round(tone.tint, distance::CONTROL_RADIUS))
    .into()
}
