//! The accounts, the providers to choose from, and the question before an account goes.

use iced::widget::{Column, button, column, container, row, scrollable, space};
use iced::{Center, Element, Fill};

use super::{Message, State, form_view};
use crate::api::wire::AccountView;
use crate::payment::AccountId;
use crate::till::icon::{self, Icon};
use crate::till::theme::{Look, Role, Tone, card, press, rail, round, scroll, size, space as distance};
use crate::till::widget::notice::notice;
use crate::till::widget::{badge, keys, line, rule, strong};

const ROW: f32 = 76.0;

/// The accounts.
pub(super) fn accounts<'a>(look: Look<'a>, state: &'a State) -> Element<'a, Message> {
    let palette = look.palette;
    let list: Element<'a, Message> = match &state.accounts {
        None => container(line(
            state.trouble.clone().unwrap_or_else(|| look.say("common-loading")),
            size::LABEL,
            palette.muted,
        ))
        .padding(distance::GROUP)
        .into(),
        Some(accounts) => {
            let rows = accounts.iter().enumerate().map(|(index, account)| entry(look, state, index, account));
            let add = button(
                row![
                    icon::view(Icon::Plus, 22.0, palette.accent),
                    strong(look.say("accounts-add"), size::LABEL, palette.accent),
                    space().width(Fill),
                    keys::cap(look, "N"),
                ]
                .spacing(distance::MEDIUM)
                .align_y(Center)
                .height(Fill),
            )
            .height(distance::TOUCH)
            .padding([0.0, distance::GAP])
            .width(Fill)
            .on_press(Message::Add)
            .style(press(palette, if state.chosen >= accounts.len() { Role::Chosen } else { Role::Quiet }));
            let rows = Column::with_children(rows).push(add).padding(distance::TINY).spacing(distance::TINY);
            scrollable(rows).height(Fill).width(Fill).direction(rail()).style(scroll(palette)).into()
        }
    };
    let aside: Element<'a, Message> = match state.account() {
        Some(account) => detail(look, state, account),
        None => container(
            column![
                icon::view(Icon::Wallet, 56.0, palette.faint),
                line(look.say("accounts-none-hint"), size::LABEL, palette.muted).align_x(Center),
            ]
            .spacing(distance::GAP)
            .align_x(Center),
        )
        .center(Fill)
        .padding(distance::PAGE)
        .style(card(palette))
        .into(),
    };
    let trouble = state.trouble.as_ref().map(|why| notice(palette.danger, Icon::Warning, why, ""));
    column![
        strong(look.say("accounts-title"), size::HEADING, palette.text),
        trouble,
        row![container(list).width(Fill).height(Fill).style(card(palette)), container(aside).width(Fill).height(Fill),]
            .spacing(distance::GAP)
            .height(Fill),
    ]
    .spacing(distance::GAP)
    .into()
}

fn pill<'a>(words: String, tone: Tone) -> Element<'a, Message> {
    container(strong(words, size::BODY, tone.text))
        .padding([4.0, distance::MEDIUM])
        .style(round(tone.tint, 14.0))
        .into()
}

fn standing<'a>(look: Look<'a>, account: &AccountView) -> Element<'a, Message> {
    let palette = look.palette;
    let (key, tone) = match account {
        account if account.problem.is_some() => ("accounts-state-problem", palette.danger),
        account if !account.enabled => ("accounts-state-off", palette.neutral),
        account if account.training => ("accounts-state-training", palette.warning),
        _ => ("accounts-state-live", palette.success),
    };
    pill(look.say(key), tone)
}

fn entry<'a>(look: Look<'a>, state: &State, index: usize, account: &'a AccountView) -> Element<'a, Message> {
    let palette = look.palette;
    let role = if index == state.chosen { Role::Chosen } else { Role::Quiet };
    button(
        row![
            badge::mark(look, &account.channel, 40.0),
            column![
                strong(account.name.clone(), size::LABEL, palette.text),
                line(
                    format!("{} · {}", badge::name(look, &account.channel), account.base_url),
                    size::BODY,
                    palette.muted
                )
                .wrapping(iced::widget::text::Wrapping::None),
            ]
            .width(Fill)
            .clip(true),
            standing(look, account),
        ]
        .spacing(distance::MEDIUM)
        .align_y(Center)
        .height(Fill),
    )
    .height(ROW)
    .padding([0.0, distance::GAP])
    .width(Fill)
    .on_press(Message::Choose(index))
    .style(press(palette, role))
    .into()
}

/// A fact of the account's.
fn fact<'a>(look: Look<'a>, name: String, value: String) -> Element<'a, Message> {
    row![
        line(name, size::BODY, look.palette.muted).width(190),
        line(value, size::LABEL, look.palette.text).width(Fill),
    ]
    .spacing(distance::SMALL)
    .into()
}

fn detail<'a>(look: Look<'a>, state: &'a State, account: &'a AccountView) -> Element<'a, Message> {
    let palette = look.palette;
    let stores = if account.stores.is_empty() {
        look.say("accounts-every-store")
    } else {
        account.stores.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    };
    let mut facts = column![
        fact(look, look.say("accounts-fact-gateway"), account.base_url.clone()),
        fact(look, look.say("accounts-fact-stores"), stores),
    ]
    .spacing(distance::SMALL);
    if let Some(until) = account.retiring_until {
        facts =
            facts.push(fact(look, look.say("accounts-fact-old-keys"), until.strftime("%Y-%m-%d %H:%M").to_string()));
    }
    for credential in &account.credentials {
        let shown = credential.shown.clone().unwrap_or_else(|| look.say("accounts-sealed"));
        facts = facts.push(fact(look, form_view::label(look, account.channel.as_str(), &credential.name, None), shown));
    }
    let problem = account.problem.as_ref().map(|why| notice(palette.danger, Icon::Warning, why, ""));
    let warnings = account.warnings.iter().map(|warning| {
        let words = look.words.named("account-warning", &warning.code);
        let algorithm = warning.algorithm.map(crate::api::wire::Algorithm::name).unwrap_or_default();
        notice(palette.warning, Icon::Warning, &words, algorithm)
    });
    let verdict =
        state.tested.as_ref().filter(|(id, _)| *id == account.id).map(|(_, verdict)| form_view::verdict(look, verdict));
    let key = |cap, label: &str, message, role| keys::act(look, cap, look.say(label), Some(message), role);
    let toggle = if account.enabled { "accounts-turn-off" } else { "accounts-turn-on" };
    let acts = row![
        key("T", "accounts-test", Message::Test, Role::Primary),
        key("R", "accounts-renew", Message::Renew, Role::Plain),
        key("E", toggle, Message::Toggle, Role::Plain),
        key("Del", "accounts-remove", Message::Remove, Role::Plain),
    ]
    .spacing(distance::SMALL);
    let told = Column::with_children(warnings).spacing(distance::SMALL);
    let content = column![facts, problem, told, verdict].spacing(distance::GAP).padding(distance::GROUP);
    container(column![
        container(
            row![strong(account.name.clone(), size::TITLE, palette.text), space().width(Fill), standing(look, account)]
                .align_y(Center)
        )
        .padding([distance::GAP, distance::GROUP]),
        rule(look),
        scrollable(content).height(Fill).width(Fill).direction(rail()).style(scroll(palette)),
        rule(look),
        container(acts).padding(distance::GAP),
    ])
    .height(Fill)
    .style(card(palette))
    .into()
}

/// Which provider?
pub(super) fn providers<'a>(look: Look<'a>, state: &'a State) -> Element<'a, Message> {
    let palette = look.palette;
    let rows = state.forms.iter().enumerate().map(|(index, form)| {
        let role = if index == state.chosen { Role::Chosen } else { Role::Plain };
        button(
            row![
                badge::mark(look, &form.channel, 44.0),
                column![
                    strong(badge::name(look, &form.channel), size::TITLE, palette.text),
                    line(look.words.named("accounts-about", form.channel.as_str()), size::BODY, palette.muted),
                ]
                .width(Fill),
                icon::view(Icon::ArrowRight, 22.0, palette.muted),
            ]
            .spacing(distance::GAP)
            .align_y(Center)
            .height(Fill),
        )
        .height(88)
        .padding([0.0, distance::GROUP])
        .width(Fill)
        .on_press(Message::Choose(index))
        .style(press(palette, role))
        .into()
    });
    column![
        form_view::steps(look, 1),
        strong(look.say("accounts-choose-title"), size::HEADING, palette.text),
        line(look.say("accounts-choose-body"), size::LABEL, palette.muted),
        scrollable(Column::with_children(rows).spacing(distance::MEDIUM).max_width(760))
            .height(Fill)
            .width(Fill)
            .direction(rail())
            .style(scroll(palette)),
    ]
    .spacing(distance::GAP)
    .into()
}

/// Really?
pub(super) fn removal<'a>(look: Look<'a>, state: &'a State, id: &'a AccountId) -> Element<'a, Message> {
    let palette = look.palette;
    let name = state.accounts.iter().flatten().find(|account| account.id == *id).map_or(id.as_str(), |a| &a.name);
    container(
        container(
            column![
                strong(look.say_with("accounts-remove-title", &[("name", name.into())]), size::HEADING, palette.text),
                line(look.say("accounts-remove-body"), size::LABEL, palette.muted),
                space().height(distance::SMALL),
                row![
                    keys::act(look, "Esc", look.say("accounts-keep"), Some(Message::Back), Role::Primary),
                    keys::act(look, "Enter", look.say("accounts-remove"), Some(Message::Enter), Role::Plain),
                ]
                .spacing(distance::GAP),
            ]
            .spacing(distance::MEDIUM),
        )
        .padding(distance::PAGE)
        .max_width(620)
        .style(card(palette)),
    )
    .center(Fill)
    .into()
}
