//! The keys.

use iced::widget::{Column, column, container, row};
use iced::{Center, Element, Fill};

use crate::till::theme::{Look, card, size, space as distance};
use crate::till::widget::{keys, line, strong};

/// Keys by what they are for: the group's title, then key and text.
const GROUPS: [(&str, &[(&str, &str)]); 3] = [
    (
        "help-sale",
        &[
            ("0–9 .", "help-digits"),
            ("⌫", "help-backspace"),
            ("Enter", "help-enter"),
            ("Esc", "help-escape"),
            ("*", "help-code-on-request"),
            ("+", "help-arrived"),
            ("F6 Tab", "help-note"),
            ("F7", "help-type-code"),
            ("Ctrl V", "help-paste"),
        ],
    ),
    (
        "help-pages",
        &[
            ("F1", "help-help"),
            ("F2", "help-sales"),
            ("F3", "help-takings"),
            ("F4", "help-refund"),
            ("F5", "help-settings"),
            ("F8", "help-phone"),
            ("F9", "help-lock"),
            ("↑ ↓", "help-list"),
        ],
    ),
    ("help-window", &[("F10", "help-language"), ("F11", "help-theme"), ("F12", "help-customer")]),
];

/// The page.
pub fn view<'a, Message: 'a>(look: Look<'a>) -> Element<'a, Message> {
    let palette = look.palette;
    let groups = GROUPS.iter().map(|(title, entries)| {
        let rows = entries.iter().map(|(name, key)| {
            row![container(keys::cap(look, name)).width(88), line(look.say(key), size::LABEL, palette.text).width(Fill)]
                .spacing(distance::MEDIUM)
                .align_y(Center)
                .into()
        });
        container(
            column![
                strong(look.say(title), size::TITLE, palette.text),
                Column::with_children(rows).spacing(distance::MEDIUM)
            ]
            .spacing(distance::GAP),
        )
        .padding(distance::GROUP)
        .width(Fill)
        .style(card(palette))
        .into()
    });
    column![
        strong(look.say("keys-title"), size::HEADING, palette.text),
        iced::widget::Row::with_children(groups).spacing(distance::GAP),
        line(look.say("help-scanner"), size::LABEL, palette.muted),
    ]
    .spacing(distance::GAP)
    .into()
}
