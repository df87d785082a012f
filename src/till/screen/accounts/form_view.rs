//! The form's page and the picker's, and what the accounts' pages share.

use iced::widget::{Column, button, column, container, row, scrollable, space};
use iced::{Center, Element, Fill};

use super::Message;
use super::form::{Form, Verdict};
use super::picker::Picker;
use crate::api::wire::{CredentialFieldView, CredentialKind};
use crate::till::font;
use crate::till::icon::{self, Icon};
use crate::till::text::Language;
use crate::till::theme::{Look, Role, boxed, card, press, rail, round, scroll, size, space as distance};
use crate::till::widget::notice::notice;
use crate::till::widget::{badge, keys, line, strong};

/// How many signs of an open value are shown.
const SHOWN_CHARS: usize = 56;

/// What came of a test.
pub(super) fn verdict<'a>(look: Look<'a>, verdict: &Verdict) -> Element<'a, Message> {
    let palette = look.palette;
    match verdict {
        Verdict::Asking => notice(palette.info, Icon::Unknown, &look.say("account-test-asking"), ""),
        Verdict::Good => notice(palette.success, Icon::Success, &look.say("account-test-good"), ""),
        Verdict::NotAsked(why) => notice(palette.danger, Icon::Failure, &look.say("account-test-not-asked"), why),
        Verdict::Bad(test) => {
            let fault = test.fault.as_deref().unwrap_or_default().replace('_', "-");
            let seconds = test.clock_ahead_seconds.unwrap_or(0);
            let values = [("minutes", (seconds.unsigned_abs() / 60).into())];
            let key = match fault.as_str() {
                "clock-skew" if seconds > 0 => "account-fault-clock-ahead".to_owned(),
                "clock-skew" if seconds < 0 => "account-fault-clock-behind".to_owned(),
                fault => format!("account-fault-{fault}"),
            };
            // A fault of a newer Payment API has no words here: its own sentences stand in.
            let words = match look.say_with(&key, &values) {
                words if words == key => format!("{} {}", test.cause, test.cure),
                words => words,
            };
            let small = [test.provider_code.as_str(), test.provider_message.as_str()];
            let small: Vec<_> = small.into_iter().filter(|text| !text.is_empty()).collect();
            notice(palette.danger, Icon::Failure, &words, &small.join(" · "))
        }
    }
}

/// Where the assistant stands: provider, credentials, test and keep.
pub(super) fn steps<'a>(look: Look<'a>, at: usize) -> Element<'a, Message> {
    let palette = look.palette;
    let step = |no: usize, key: &str| {
        let (color, ground) =
            if no <= at { (palette.on_accent, palette.accent) } else { (palette.muted, palette.raised) };
        row![
            container(line(no.to_string(), size::BODY, color).font(font::LATIN_BOLD).line_height(1.0))
                .center(26)
                .style(round(ground, 13.0)),
            line(look.say(key), size::BODY, if no == at { palette.text } else { palette.muted }),
        ]
        .spacing(distance::SMALL)
        .align_y(Center)
    };
    row![step(1, "accounts-step-provider"), step(2, "accounts-step-credentials"), step(3, "accounts-step-test")]
        .spacing(distance::GROUP)
        .into()
}

/// A credential's name: ours where we have words for it, else the API's.
pub(super) fn label(look: Look<'_>, channel: &str, name: &str, field: Option<&CredentialFieldView>) -> String {
    let key = format!("credential-{channel}-{name}").replace('_', "-");
    match look.say(&key) {
        words if words == key => field.map_or_else(|| name.to_owned(), |field| field.label.clone()),
        words => words,
    }
}

fn hint(look: Look<'_>, channel: &str, field: &CredentialFieldView) -> String {
    let key = format!("credential-{channel}-{}-hint", field.name).replace('_', "-");
    match look.say(&key) {
        words if words == key && look.words.language() == Language::En => field.hint.clone(),
        words if words == key => String::new(),
        words => words,
    }
}

fn value_line<'a>(look: Look<'a>, form: &Form, field: &CredentialFieldView, focused: bool) -> Element<'a, Message> {
    let palette = look.palette;
    let many = matches!(field.kind, CredentialKind::PrivateKey | CredentialKind::Pem | CredentialKind::Pkcs12);
    let shown = match (form.entered(&field.name), field.kind) {
        (_, CredentialKind::Choice) => {
            let choices = field.choices.iter().map(|choice| {
                let on = form.chosen(&field.name) == choice;
                container(line(
                    choice.replace('_', " "),
                    size::LABEL,
                    if on { palette.on_accent } else { palette.muted },
                ))
                .padding([6.0, distance::GAP])
                .style(round(if on { palette.accent } else { palette.raised }, distance::CONTROL_RADIUS))
                .into()
            });
            return iced::widget::Row::with_children(choices).spacing(distance::SMALL).into();
        }
        (Some(entered), _) if many => {
            let size = (entered.value.chars().count() as i64).into();
            match &entered.file {
                Some(file) => look.say_with("accounts-from-file", &[("file", file.as_str().into()), ("count", size)]),
                None => look.say_with("accounts-pasted", &[("count", size)]),
            }
        }
        (Some(entered), _) if field.secret => "•".repeat(entered.value.chars().count().min(SHOWN_CHARS)),
        (Some(entered), _) => tail(&entered.value),
        (None, _) if many && focused => return line(look.say("accounts-how"), size::LABEL, palette.muted).into(),
        (None, _) if form.renews.is_some() => {
            return line(look.say("accounts-stays"), size::LABEL, palette.muted).into();
        }
        (None, _) => String::new(),
    };
    let cursor = if focused && !many { "▏" } else { "" };
    line(format!("{shown}{cursor}"), size::LABEL, palette.text).wrapping(iced::widget::text::Wrapping::None).into()
}

fn tail(text: &str) -> String {
    let count = text.chars().count();
    let cut: String = text.chars().skip(count.saturating_sub(SHOWN_CHARS)).collect();
    if count > SHOWN_CHARS { format!("…{cut}") } else { cut }
}

/// One line of the form.
fn field_row<'a>(look: Look<'a>, form: &'a Form, index: usize, field: &'a CredentialFieldView) -> Element<'a, Message> {
    let palette = look.palette;
    let channel = form.form.channel.as_str();
    let focused = form.focused() == index;
    let pointed = form.pointed.as_deref() == Some(field.name.as_str());
    let optional = !field.required && field.required_when.is_none() && field.kind != CredentialKind::Choice;
    let mut name = row![line(label(look, channel, &field.name, Some(field)), size::BODY, palette.text)]
        .spacing(distance::SMALL)
        .align_y(Center);
    if optional {
        name = name.push(line(look.say("accounts-optional"), size::CAPTION, palette.muted));
    }
    if pointed {
        name = name.push(line(look.say("accounts-look-here"), size::BODY, palette.danger.text).font(font::LATIN_BOLD));
    }
    let filled = form.entered(&field.name).is_some() || field.kind == CredentialKind::Choice;
    let mark = filled.then(|| icon::view(Icon::Check, 20.0, palette.success.mark));
    let content = column![
        name,
        row![container(value_line(look, form, field, focused)).width(Fill).clip(true), mark].align_y(Center),
    ]
    .spacing(2);
    let below = focused.then(|| line(hint(look, channel, field), size::BODY, palette.muted));
    let message = if focused && field.kind == CredentialKind::Choice { Message::Alter } else { Message::Choose(index) };
    let role = if focused { Role::Chosen } else { Role::Plain };
    column![
        button(content)
            .padding([distance::SMALL, distance::GAP])
            .width(Fill)
            .on_press(message)
            .style(press(palette, role)),
        below,
    ]
    .spacing(distance::TINY)
    .into()
}

/// The form's page.
pub(super) fn view<'a>(look: Look<'a>, form: &'a Form) -> Element<'a, Message> {
    let palette = look.palette;
    let first = usize::from(form.has_name_line());
    let name_row = form.has_name_line().then(|| {
        let cursor = if form.types_name() { "▏" } else { "" };
        button(
            column![
                line(look.say("accounts-name"), size::BODY, palette.text),
                line(format!("{}{cursor}", form.name), size::LABEL, palette.text),
            ]
            .spacing(2),
        )
        .padding([distance::SMALL, distance::GAP])
        .width(Fill)
        .on_press(Message::Choose(0))
        .style(press(palette, if form.types_name() { Role::Chosen } else { Role::Plain }))
    });
    let rows = form.fields().enumerate().map(|(index, field)| field_row(look, form, index + first, field));
    let fields = column![name_row, Column::with_children(rows).spacing(distance::SMALL)].spacing(distance::SMALL);
    let title = if form.renews.is_some() {
        look.say_with("accounts-renew-title", &[("name", form.name.as_str().into())])
    } else {
        look.say_with("accounts-form-title", &[("channel", badge::name(look, &form.form.channel).into())])
    };
    let aside = column![
        gateway(look, form),
        form.trouble.as_ref().map(|why| notice(palette.danger, Icon::Warning, why, "")),
        form.verdict.as_ref().map(|told| verdict(look, told)),
        space().height(Fill),
        line(look.say("accounts-sealed-hint"), size::BODY, palette.muted),
        row![
            keys::act(look, "Ctrl V", look.say("accounts-paste"), Some(Message::Paste), Role::Plain),
            keys::act(
                look,
                "Ctrl O",
                look.say("accounts-pick"),
                form.takes_file().then_some(Message::Pick),
                Role::Plain
            ),
        ]
        .spacing(distance::SMALL),
        row![
            keys::act(look, "Ctrl T", look.say("accounts-test"), Some(Message::Test), Role::Plain),
            keys::act(look, "Ctrl S", look.say("accounts-save"), Some(Message::Keep), Role::Primary),
        ]
        .spacing(distance::SMALL),
    ]
    .spacing(distance::GAP);
    let at = if matches!(form.verdict, Some(Verdict::Good)) { 3 } else { 2 };
    column![
        steps(look, at),
        strong(title, size::HEADING, palette.text),
        row![
            container(
                scrollable(container(fields).padding(distance::GAP))
                    .height(Fill)
                    .width(Fill)
                    .direction(rail())
                    .style(scroll(palette))
            )
            .width(Fill)
            .height(Fill)
            .style(card(palette)),
            container(aside).width(400).height(Fill),
        ]
        .spacing(distance::GAP)
        .height(Fill),
    ]
    .spacing(distance::GAP)
    .into()
}

/// Live, or the provider's test gateway.
fn gateway<'a>(look: Look<'a>, form: &'a Form) -> Element<'a, Message> {
    let palette = look.palette;
    if form.form.default_base_url.is_empty() {
        return notice(palette.info, Icon::Info, &look.say("accounts-no-gateway"), "");
    }
    let choice = |live: bool, key: &str| {
        button(line(look.say(key), size::LABEL, if form.live == live { palette.on_accent } else { palette.text }))
            .padding([distance::MEDIUM, distance::GAP])
            .on_press(Message::Gateway(live))
            .style(press(palette, if form.live == live { Role::Primary } else { Role::Plain }))
    };
    let test = (!form.form.sandbox_base_url.is_empty()).then(|| choice(false, "accounts-gateway-test"));
    container(
        column![
            line(look.say("accounts-fact-gateway"), size::BODY, palette.muted),
            row![choice(true, "accounts-gateway-live"), test].spacing(distance::SMALL),
            line(form.base_url().to_owned(), size::BODY, palette.muted),
        ]
        .spacing(distance::SMALL),
    )
    .padding(distance::GAP)
    .width(Fill)
    .style(boxed(palette, palette.surface, distance::CARD_RADIUS))
    .into()
}

/// The picker's page.
pub(super) fn picker<'a>(look: Look<'a>, form: &'a Form, picker: &'a Picker) -> Element<'a, Message> {
    let palette = look.palette;
    let rows = picker.entries.iter().enumerate().map(|(index, entry)| {
        let (sign, color) = match entry {
            entry if entry.folder => (Icon::Back, palette.muted),
            entry if entry.likely => (Icon::Lock, palette.accent),
            _ => (Icon::Receipt, palette.faint),
        };
        let name = if entry.folder { format!("{}/", entry.name) } else { entry.name.clone() };
        button(
            row![icon::view(sign, 20.0, color), line(name, size::LABEL, palette.text)]
                .spacing(distance::MEDIUM)
                .align_y(Center)
                .height(Fill),
        )
        .height(distance::TOUCH)
        .padding([0.0, distance::GAP])
        .width(Fill)
        .on_press(Message::Choose(index))
        .style(press(palette, if index == picker.chosen { Role::Chosen } else { Role::Quiet }))
        .into()
    });
    let of = form.field().map(|field| label(look, form.form.channel.as_str(), &field.name, Some(field)));
    let place = picker.folder.as_ref().map_or_else(|| look.say("common-loading"), |path| path.display().to_string());
    column![
        steps(look, 2),
        strong(
            look.say_with("accounts-pick-title", &[("field", of.unwrap_or_default().into())]),
            size::HEADING,
            palette.text
        ),
        line(place, size::LABEL, palette.muted),
        picker.trouble.as_ref().map(|why| notice(palette.danger, Icon::Warning, why, "")),
        container(
            scrollable(Column::with_children(rows).padding(distance::TINY))
                .height(Fill)
                .width(Fill)
                .direction(rail())
                .style(scroll(palette))
        )
        .height(Fill)
        .style(card(palette)),
    ]
    .spacing(distance::GAP)
    .into()
}
