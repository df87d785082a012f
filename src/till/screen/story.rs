//! A sale's whole story: what it is, its numbers with the provider, and every step.

use iced::widget::{Column, column, container, row, scrollable, space};
use iced::{Center, Element, Fill};

use crate::api::wire::{AttemptView, PaymentView, StoryStep};
use crate::money::Money;
use crate::payment::{ChannelId, Way};
use crate::till::font;
use crate::till::theme::{Look, card, rail, round, scroll, size, space as distance};
use crate::till::widget::shape::{Standing, channel_of, shape};
use crate::till::widget::{amount, badge, figures, line, rule, strong};

use super::cashier::reason_words;

/// The story that is open.
#[derive(Debug, Clone)]
pub struct State {
    /// The sale.
    pub sale: PaymentView,
    /// Its steps, or why they cannot be had; `None` while they are being fetched.
    pub steps: Option<Result<Vec<StoryStep>, String>>,
}

impl State {
    /// The page.
    pub fn view<'a, Message: 'a>(&'a self, look: Look<'a>, store: &str) -> Element<'a, Message> {
        row![
            container(self.facts(look, store)).width(440).height(Fill),
            container(self.steps(look)).width(Fill).height(Fill),
        ]
        .spacing(distance::GAP)
        .into()
    }

    fn facts<'a, Message: 'a>(&'a self, look: Look<'a>, store: &str) -> Element<'a, Message> {
        let palette = look.palette;
        let sale = &self.sale;
        let standing = Standing::of(sale);
        let tone = standing.tone(palette);
        let head = container(
            column![
                row![
                    shape(palette, standing, 36.0),
                    line(look.say(standing.key()), size::HEADING, tone.text).font(font::LATIN_BOLD)
                ]
                .spacing(distance::MEDIUM)
                .align_y(Center),
                amount::amount(Money::new(sale.amount, sale.currency), size::FIGURE, palette.text),
            ]
            .spacing(distance::SMALL),
        )
        .padding(distance::GROUP)
        .width(Fill)
        .style(round(tone.tint, distance::CARD_RADIUS));
        let mut facts: Vec<Element<'a, Message>> = Vec::new();
        let mut fact = |key: &str, value: String| {
            if !value.is_empty() {
                let value = line(value, size::LABEL, palette.text).wrapping(iced::widget::text::Wrapping::WordOrGlyph);
                facts.push(column![line(look.say(key), size::CAPTION, palette.muted), value].into());
            }
        };
        fact("common-channel", channel_of(sale).map(|channel| badge::name(look, channel)).unwrap_or_default());
        if sale.description != store {
            fact("sale-note", sale.description.clone());
        }
        fact("sale-payer", sale.payer.clone().unwrap_or_default());
        let clock = |at: jiff::Timestamp| look.time_exact(at.as_millisecond());
        fact("sale-created", clock(sale.created_at));
        fact("sale-paid-at", sale.paid_at.map(clock).unwrap_or_default());
        fact("sale-reason", sale.reason.map(|reason| reason_words(look, reason)).unwrap_or_default());
        let provider_words: Vec<_> = [sale.reason_code.as_deref(), sale.reason_message.as_deref()]
            .into_iter()
            .flatten()
            .filter(|part| !part.is_empty())
            .collect();
        fact("sale-provider-words", provider_words.join(" · "));
        fact("sale-out-trade-no", sale.out_trade_no.as_ref().map(ToString::to_string).unwrap_or_default());
        fact("sale-provider-no", sale.provider_trade_no.clone().unwrap_or_default());
        fact("sale-payment-id", sale.id.to_string());
        for detail in &sale.attention {
            fact("sale-attention", detail.clone());
        }
        let body = scrollable(
            container(Column::with_children(facts).spacing(distance::MEDIUM)).padding(distance::GROUP).width(Fill),
        )
        .height(Fill)
        .direction(rail())
        .style(scroll(palette));
        container(column![head, body]).height(Fill).width(Fill).style(card(palette)).into()
    }

    fn steps<'a, Message: 'a>(&'a self, look: Look<'a>) -> Element<'a, Message> {
        let palette = look.palette;
        let content: Element<'a, Message> = match &self.steps {
            None => container(line(look.say("common-loading"), size::LABEL, palette.muted)).center(Fill).into(),
            Some(Err(why)) => container(
                column![
                    line(look.say("story-broken"), size::LABEL, palette.text),
                    line(why.as_str(), size::BODY, palette.muted)
                ]
                .spacing(distance::SMALL)
                .align_x(Center),
            )
            .center(Fill)
            .into(),
            Some(Ok(steps)) => {
                let last = steps.len().saturating_sub(1);
                let rows = steps.iter().enumerate().map(|(index, step)| self.step(look, step, index == last));
                scrollable(container(Column::with_children(rows)).padding(distance::GROUP).width(Fill))
                    .height(Fill)
                    .direction(rail())
                    .style(scroll(palette))
                    .into()
            }
        };
        let title = container(strong(look.say("sale-story"), size::TITLE, palette.text))
            .padding([distance::GAP, distance::GROUP]);
        container(column![title, rule(look), content]).height(Fill).width(Fill).style(card(palette)).into()
    }

    fn step<'a, Message: 'a>(&'a self, look: Look<'a>, step: &'a StoryStep, last: bool) -> Element<'a, Message> {
        let palette = look.palette;
        let (dot, strong_text) = match step.kind.as_str() {
            "attempt_succeeded" => (palette.success.mark, true),
            "attempt_failed" => (palette.danger.mark, true),
            "result_unknown" | "attention_raised" => (palette.warning.mark, true),
            "attempt_reversed"
            | "surplus_refund_started"
            | "surplus_refunded"
            | "refund_started"
            | "refund_succeeded" => (palette.refund.mark, true),
            "cashier_confirmed" => (palette.success.mark, true),
            "refund_failed" => (palette.danger.mark, true),
            "surplus_owed" | "arrived_late" => (palette.warning.mark, true),
            "created" => (palette.accent, true),
            _ => (palette.neutral.mark, false),
        };
        let thread = column![
            space().height(7),
            container(space()).width(12).height(12).style(round(dot, 6.0)),
            (!last).then(|| container(space()).width(2).height(Fill).style(round(palette.line, 1.0))),
        ]
        .align_x(Center)
        .width(16)
        .height(if last { iced::Shrink } else { Fill });
        let what = self.title(look, step);
        let mut title = line(what, size::LABEL, palette.text);
        if strong_text {
            title = title.font(font::LATIN_BOLD);
        }
        let details = self.details(look, step);
        let texts = column![
            title,
            (!details.is_empty())
                .then(|| line(details, size::BODY, palette.muted).wrapping(iced::widget::text::Wrapping::WordOrGlyph)),
            line(step.actor.as_str(), size::CAPTION, palette.muted),
        ]
        .padding(iced::Padding::ZERO.bottom(distance::GAP))
        .width(Fill);
        row![figures(exact(look, step), size::BODY, palette.muted).width(104), thread, texts]
            .spacing(distance::MEDIUM)
            .into()
    }

    fn attempt_of(&self, step: &StoryStep) -> Option<&AttemptView> {
        let no = step.payload.get("no").and_then(serde_json::Value::as_u64)?;
        self.sale.attempts.iter().find(|attempt| u64::from(attempt.no) == no)
    }

    fn title(&self, look: Look<'_>, step: &StoryStep) -> String {
        let text = |name: &str| step.payload.get(name).and_then(|value| value.as_str());
        let attempt = self.attempt_of(step);
        let channel = text("channel")
            .and_then(|channel| channel.parse::<ChannelId>().ok())
            .or_else(|| attempt.map(|attempt| attempt.channel.clone()))
            .map(|channel| badge::name(look, &channel))
            .unwrap_or_default();
        let way = attempt.map(|attempt| match attempt.way {
            Way::MerchantPresented => look.say("way-merchant-presented"),
            Way::ConsumerPresented => look.say("way-consumer-presented"),
        });
        let reason = match (text("reason"), step.payload.get("failure").and_then(|f| f.get("reason")?.as_str())) {
            (Some(reason), _) => look.words.named("void", reason),
            (None, Some(reason)) => look.words.named("failure", &format!("{reason}-short")),
            (None, None) => String::new(),
        };
        let amount = Money::new(self.sale.amount, self.sale.currency).to_string();
        look.words.named_with(
            "event",
            &step.kind,
            &[
                ("channel", channel.into()),
                ("way", way.unwrap_or_default().into()),
                ("reason", reason.into()),
                ("amount", amount.into()),
                ("no", attempt.map_or(0, |attempt| attempt.no).into()),
                ("detail", text("detail").unwrap_or_default().to_owned().into()),
                ("by", text("by").unwrap_or_default().to_owned().into()),
            ],
        )
    }

    /// The numbers of a step, for a person who speaks with the provider.
    fn details(&self, look: Look<'_>, step: &StoryStep) -> String {
        let text = |name: &str| step.payload.get(name).and_then(|value| value.as_str());
        let failure = |name: &str| step.payload.get("failure").and_then(|failure| failure.get(name)?.as_str());
        let mut parts: Vec<String> =
            ["auth_code_masked", "out_trade_no", "provider_trade_no", "payer", "out_refund_no"]
                .into_iter()
                .filter_map(text)
                .chain(["provider_code", "provider_message"].into_iter().filter_map(failure))
                .filter(|part| !part.is_empty())
                .map(str::to_owned)
                .collect();
        if let Some(until) = step.payload.get("code_expires_at").and_then(serde_json::Value::as_i64) {
            parts.push(look.say_with("sale-code-until", &[("time", look.time_exact(until).into())]));
        }
        parts.join(" · ")
    }
}

fn exact(look: Look<'_>, step: &StoryStep) -> String {
    let millis = step.at.as_millisecond();
    format!("{}.{:03}", look.time_exact(millis), millis.rem_euclid(1000))
}
