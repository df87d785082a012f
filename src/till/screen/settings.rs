//! Settings: camera, language, look, motion, sound, customer's display. Arrows choose, Enter takes.

use iced::widget::{Column, button, column, container, row, scrollable, space};
use iced::{Center, Element, Fill};

use crate::scan::WedgeSettings;
use crate::scan::serial::SerialSettings;
use crate::till::icon::{self, Icon};
use crate::till::scanner::Camera;
use crate::till::settings::Settings;
use crate::till::text::Language;
use crate::till::theme::{Look, Role, card, press, rail, scroll, size, space as distance};
use crate::till::widget::{keys, line, rule, strong};

/// The page's state.
#[derive(Debug, Clone, Default)]
pub struct State {
    chosen: usize,
    /// The cameras found; `None` while they are looked for.
    pub cameras: Option<Vec<Camera>>,
}

/// What happens on the page.
#[derive(Debug, Clone)]
pub enum Message {
    /// To the line above or below.
    Move(isize),
    /// Take the chosen line.
    Enter,
    /// Take this line.
    Take(Choice),
}

/// A setting to take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// This camera; empty for none.
    Camera(String),
    /// This language.
    Language(Language),
    /// Light or dark.
    Dark(bool),
    /// Whether things move.
    Motion(bool),
    /// Whether there is sound.
    Sound(bool),
    /// Open or close the customer's display.
    Display(bool),
    /// To the cameras and scanners.
    Scanners,
    /// Whether the camera's picture is mirrored.
    Mirror(bool),
    /// What tells a keyboard scanner from typing.
    Wedge(WedgeSettings),
    /// The scanner at a serial port, or none.
    Serial(Option<SerialSettings>),
    /// To the merchant accounts.
    Accounts,
}

impl State {
    fn lines(&self, settings: &Settings, display: bool) -> Vec<Choice> {
        let mut lines: Vec<_> =
            self.cameras.iter().flatten().map(|camera| Choice::Camera(camera.spec.clone())).collect();
        lines.push(Choice::Camera(String::new()));
        lines.push(Choice::Scanners);
        lines.extend(Language::ALL.map(Choice::Language));
        lines.extend([false, true].map(Choice::Dark));
        lines.push(Choice::Motion(!settings.motion));
        lines.push(Choice::Sound(!settings.sound));
        lines.push(Choice::Display(!display));
        lines.push(Choice::Accounts);
        lines
    }

    /// Something happened; the setting to take, if one was.
    pub fn update(&mut self, message: Message, settings: &Settings, display: bool) -> Option<Choice> {
        let lines = self.lines(settings, display);
        match message {
            Message::Move(by) => {
                self.chosen = self.chosen.saturating_add_signed(by).min(lines.len().saturating_sub(1));
                None
            }
            Message::Enter => lines.get(self.chosen).cloned(),
            Message::Take(choice) => {
                self.chosen = lines.iter().position(|line| *line == choice).unwrap_or(self.chosen);
                Some(choice)
            }
        }
    }

    /// The page.
    pub fn view<'a>(&'a self, look: Look<'a>, settings: &'a Settings, display: bool) -> Element<'a, Message> {
        let palette = look.palette;
        let lines = self.lines(settings, display);
        let entry = |choice: Choice, label: String, hint: Option<&'static str>, on: bool, glyph: Option<Icon>| {
            let chosen = lines.get(self.chosen) == Some(&choice);
            let mark: Element<'a, Message> =
                if on { icon::view(Icon::Check, 22.0, palette.accent).into() } else { space().width(22).into() };
            button(
                row![
                    glyph.map(|glyph| icon::view(glyph, 22.0, palette.muted)),
                    line(label, size::LABEL, palette.text),
                    space().width(Fill),
                    hint.map(|hint| keys::cap(look, hint)),
                    mark,
                ]
                .spacing(distance::MEDIUM)
                .align_y(Center)
                .height(Fill),
            )
            .height(distance::TOUCH)
            .padding([0.0, distance::GAP])
            .width(Fill)
            .on_press(Message::Take(choice))
            .style(press(palette, if chosen { Role::Chosen } else { Role::Quiet }))
            .into()
        };
        let group = |key: &str, rows: Vec<Element<'a, Message>>| {
            container(
                column![
                    container(strong(look.say(key), size::LABEL, palette.text))
                        .padding([distance::MEDIUM, distance::GAP]),
                    rule(look),
                    Column::with_children(rows).padding(distance::TINY),
                ]
                .spacing(0),
            )
            .width(Fill)
            .style(card(palette))
        };
        let mut cameras: Vec<Element<'a, Message>> = match &self.cameras {
            None => vec![
                container(line(look.say("common-loading"), size::LABEL, palette.muted)).padding(distance::GAP).into(),
            ],
            Some(cameras) => cameras
                .iter()
                .map(|camera| {
                    let on = settings.camera.as_deref() == Some(camera.spec.as_str());
                    entry(Choice::Camera(camera.spec.clone()), camera.name.clone(), None, on, Some(Icon::Camera))
                })
                .collect(),
        };
        cameras.push(entry(
            Choice::Camera(String::new()),
            look.say("settings-camera-none"),
            None,
            settings.camera.as_deref() == Some(""),
            Some(Icon::CameraOff),
        ));
        cameras.push(entry(Choice::Scanners, look.say("settings-scanners"), None, false, Some(Icon::Scanner)));
        let languages = Language::ALL
            .map(|language| {
                let on = look.words.language() == language;
                entry(Choice::Language(language), language.own_name().to_owned(), on.then_some("F10"), on, None)
            })
            .into_iter()
            .collect();
        let looks = [false, true]
            .map(|dark| {
                let key = if dark { "settings-theme-dark" } else { "settings-theme-light" };
                let on = palette.dark == dark;
                entry(Choice::Dark(dark), look.say(key), on.then_some("F11"), on, None)
            })
            .into_iter()
            .collect();
        let rest = vec![
            entry(Choice::Motion(!settings.motion), look.say("settings-motion"), None, settings.motion, None),
            entry(Choice::Sound(!settings.sound), look.say("settings-sound"), None, settings.sound, None),
            entry(Choice::Display(!display), look.say("settings-display"), Some("F12"), display, None),
        ];
        let accounts =
            vec![entry(Choice::Accounts, look.say("settings-accounts-open"), None, false, Some(Icon::Wallet))];
        let columns = row![
            column![group("settings-camera", cameras), group("settings-more", rest)].spacing(distance::GAP).width(Fill),
            column![
                group("settings-language", languages),
                group("settings-theme", looks),
                group("settings-accounts", accounts)
            ]
            .spacing(distance::GAP)
            .width(Fill),
        ]
        .spacing(distance::GAP);
        let about = line(
            look.say_with("settings-version", &[("version", env!("CARGO_PKG_VERSION").into())]),
            size::BODY,
            palette.muted,
        );
        column![
            strong(look.say("settings-title"), size::HEADING, palette.text),
            scrollable(columns).height(Fill).width(Fill).direction(rail()).style(scroll(palette)),
            about
        ]
        .spacing(distance::GAP)
        .into()
    }
}
