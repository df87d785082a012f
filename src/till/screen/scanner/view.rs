//! How the page looks: what is set on the left, what comes of it on the right.

use iced::widget::{Column, Row, button, column, container, row, scrollable, space};
use iced::{Center, Color, Element, Fill};

use super::{Action, Kind, Line, Made, Message, Port, State};
use crate::payment::PaymentCode;
use crate::scan::arrivals::{Sign, WhyTyping};
use crate::scan::serial::SerialSettings;
use crate::till::icon::{self, Icon};
use crate::till::sale::Hint;
use crate::till::screen::cashier::hint_words;
use crate::till::settings::Settings;
use crate::till::theme::{Look, Role, Tone, boxed, card, press, rail, round, scroll, size, space as distance};
use crate::till::widget::preview::{Sight, preview};
use crate::till::widget::{badge, keys, line, rule, strong, words};

/// How wide the settings are.
const LEFT: f32 = 460.0;
/// A sign's box.
const CELL: (f32, f32) = (38.0, 44.0);

impl State {
    /// The page, so wide.
    pub fn view<'a>(
        &'a self,
        look: Look<'a>,
        settings: &'a Settings,
        sight: &'a Sight,
        width: f32,
    ) -> Element<'a, Message> {
        let palette = look.palette;
        let left = container(
            column![self.kinds(look, settings), rule(look), self.rows(look, settings)].spacing(distance::SMALL),
        )
        .padding(distance::MEDIUM)
        .style(card(palette));
        let left = column![left, self.suggested(look, settings)].spacing(distance::GAP);
        let room = (width - LEFT - 3.0 * distance::GAP).max(320.0);
        let right = match self.kind {
            Kind::Camera => self.seen(look, sight, room),
            Kind::Keyboard | Kind::Serial => self.arrived_card(look, settings),
        };
        let body = row![
            container(scrollable(left).height(Fill).direction(rail()).style(scroll(palette))).width(LEFT).height(Fill),
            container(scrollable(right).height(Fill).width(Fill).direction(rail()).style(scroll(palette)))
                .width(Fill)
                .height(Fill),
        ]
        .spacing(distance::GAP);
        column![strong(look.say("scanners-title"), size::HEADING, palette.text), body].spacing(distance::GAP).into()
    }

    /// The three kinds, side by side.
    fn kinds<'a>(&'a self, look: Look<'a>, settings: &Settings) -> Element<'a, Message> {
        let palette = look.palette;
        let on_line = self.lines(settings).get(self.chosen) == Some(&Line::Kind);
        let kind = |kind: Kind, glyph: Icon, key: &str| {
            let on = self.kind == kind;
            let color = if on { palette.on_accent } else { palette.text };
            let role = if on { Role::Primary } else { Role::Plain };
            let content = row![icon::view(glyph, 20.0, color), strong(look.say(key), size::BODY, color)]
                .spacing(distance::SMALL)
                .align_y(Center)
                .height(Fill);
            button(container(content).center_x(Fill))
                .width(Fill)
                .height(distance::TOUCH)
                .padding([0.0, distance::SMALL])
                .on_press(Message::Kind(kind))
                .style(press(palette, role))
        };
        let all = row![
            kind(Kind::Camera, Icon::Camera, "scanners-camera"),
            kind(Kind::Keyboard, Icon::Keyboard, "scanners-keyboard"),
            kind(Kind::Serial, Icon::Scanner, "scanners-serial"),
        ]
        .spacing(distance::SMALL);
        let ground = if on_line { palette.hovered } else { Color::TRANSPARENT };
        container(all).padding(distance::TINY).style(round(ground, distance::CARD_RADIUS)).into()
    }

    fn rows<'a>(&'a self, look: Look<'a>, settings: &'a Settings) -> Element<'a, Message> {
        let palette = look.palette;
        let mut all = Column::new().spacing(2);
        let lines = self.lines(settings);
        if self.kind == Kind::Camera && self.cameras.is_none() || self.kind == Kind::Serial && self.ports.is_none() {
            all = all.push(
                container(words(look.say("common-loading"), size::LABEL, palette.muted)).padding(distance::MEDIUM),
            );
        }
        for (index, line) in lines.iter().enumerate().filter(|(_, line)| !matches!(line, Line::Kind | Line::Suggestion))
        {
            all = all.push(self.row(look, settings, line, index == self.chosen));
        }
        let hint = match self.kind {
            Kind::Camera => "scanners-camera-hint",
            Kind::Keyboard => "scanners-keyboard-hint",
            Kind::Serial => "scanners-serial-hint",
        };
        column![all, container(line(look.say(hint), size::BODY, palette.muted)).padding(distance::MEDIUM)].into()
    }

    fn row<'a>(&'a self, look: Look<'a>, settings: &'a Settings, of: &Line, chosen: bool) -> Element<'a, Message> {
        let palette = look.palette;
        let role = if chosen { Role::Chosen } else { Role::Quiet };
        let pick = |label: String, on: bool, glyph: Icon| {
            let mark: Element<'a, Message> =
                if on { icon::view(Icon::Check, 22.0, palette.accent).into() } else { space().width(22).into() };
            let content = row![
                icon::view(glyph, 22.0, palette.muted),
                container(line(label, size::LABEL, palette.text)).width(Fill).clip(true),
                mark
            ]
            .spacing(distance::MEDIUM)
            .align_y(Center)
            .height(Fill);
            button(content)
                .height(distance::TOUCH)
                .padding([0.0, distance::MEDIUM])
                .width(Fill)
                .on_press(Message::Take(of.clone()))
                .style(press(palette, role))
                .into()
        };
        let value = |key: &str, value: String| -> Element<'a, Message> {
            let arrow = |glyph: Icon, by: isize| {
                button(container(icon::view(glyph, 18.0, palette.muted)).center(Fill))
                    .width(40)
                    .height(40)
                    .padding(0)
                    .on_press(Message::AlterLine(of.clone(), by))
                    .style(press(palette, Role::Quiet))
            };
            let content = row![
                container(line(look.say(key), size::LABEL, palette.text)).width(Fill),
                arrow(Icon::ArrowLeft, -1),
                container(strong(value, size::LABEL, palette.text)).center_x(132),
                arrow(Icon::ArrowRight, 1),
            ]
            .spacing(distance::TINY)
            .align_y(Center)
            .height(distance::TOUCH);
            let ground = if chosen { palette.hovered } else { Color::TRANSPARENT };
            container(content)
                .padding(iced::Padding::ZERO.left(distance::MEDIUM).right(distance::TINY))
                .style(round(ground, distance::CONTROL_RADIUS))
                .into()
        };
        let ms = |ms: u64| look.say_with("scanners-ms", &[("ms", ms.into())]);
        let serial = |of: &dyn Fn(&SerialSettings) -> String| settings.serial.as_ref().map(of).unwrap_or_default();
        match of {
            Line::Kind | Line::Suggestion => space().into(),
            Line::Camera(spec) if spec.is_empty() => {
                pick(look.say("settings-camera-none"), settings.camera.as_deref() == Some(""), Icon::CameraOff)
            }
            Line::Camera(spec) => {
                let name = self.cameras.iter().flatten().find(|camera| camera.spec == *spec);
                let name = name.map_or_else(|| spec.clone(), |camera| camera.name.clone());
                pick(name, settings.camera.as_deref() == Some(spec), Icon::Camera)
            }
            Line::Mirror => pick(look.say("scanners-mirror"), settings.mirror, Icon::Refresh),
            Line::Port(port) if port.is_empty() => {
                pick(look.say("scanners-port-none"), settings.serial.is_none(), Icon::Close)
            }
            Line::Port(port) => {
                let label = self.ports(settings).into_iter().find(|known| known.port == *port).map(|port| port.label);
                let on = settings.serial.as_ref().is_some_and(|serial| serial.port == *port);
                pick(label.unwrap_or_else(|| port.clone()), on, Icon::Scanner)
            }
            Line::Speed => value("scanners-speed", serial(&|serial| serial.speed.to_string())),
            Line::Ending => {
                value("scanners-ends", serial(&|serial| look.words.named("scanners-ending", serial.ending.name())))
            }
            Line::Pause => value("scanners-pause", serial(&|serial| ms(serial.pause_ms))),
            Line::Suffix => value("scanners-ends", look.words.named("scanners-suffix", settings.wedge.suffix.name())),
            Line::Gap => value("scanners-gap", ms(settings.wedge.gap_ms)),
            Line::Length => value("scanners-length", settings.wedge.length.to_string()),
            Line::Prefix if self.kind == Kind::Serial => {
                value("scanners-begins", serial(&|serial| serial.prefix.clone()))
            }
            Line::Prefix => value("scanners-begins", settings.wedge.prefix.clone()),
        }
    }

    /// The settings that what arrived asks for.
    fn suggested<'a>(&'a self, look: Look<'a>, settings: &'a Settings) -> Option<Element<'a, Message>> {
        let palette = look.palette;
        let action = self.suggestion(settings)?;
        let mut told = Vec::new();
        let prefix = |prefix: &str| {
            (!prefix.is_empty()).then(|| look.say_with("scanners-suggest-prefix", &[("prefix", prefix.into())]))
        };
        match &action {
            Action::Wedge(wedge) => {
                let suffix = look.words.named("scanners-suffix", wedge.suffix.name());
                told.push(look.say_with("scanners-suggest-ends", &[("end", suffix.into())]));
                told.push(look.say_with("scanners-suggest-gap", &[("ms", wedge.gap_ms.into())]));
                told.extend(prefix(&wedge.prefix));
            }
            Action::Serial(Some(serial)) => {
                let ending = look.words.named("scanners-ending", serial.ending.name());
                told.push(look.say_with("scanners-suggest-ends", &[("end", ending.into())]));
                told.extend(prefix(&serial.prefix));
            }
            _ => return None,
        }
        let tone = palette.info;
        let chosen = self.lines(settings).get(self.chosen) == Some(&Line::Suggestion);
        let rows = told.into_iter().map(|told| words(format!("• {told}"), size::BODY, tone.text));
        let act = keys::act(
            look,
            if chosen { "Enter" } else { "↓" },
            look.say("scanners-suggest-use"),
            Some(Message::Take(Line::Suggestion)),
            Role::Primary,
        );
        let content = column![
            row![icon::view(Icon::Info, 22.0, tone.mark), strong(look.say("scanners-suggest"), size::LABEL, tone.text)]
                .spacing(distance::SMALL)
                .align_y(Center),
            Column::with_children(rows).spacing(distance::TINY),
            act,
        ]
        .spacing(distance::MEDIUM);
        Some(
            container(content).width(Fill).padding(distance::GAP).style(round(tone.tint, distance::CARD_RADIUS)).into(),
        )
    }

    fn seen<'a>(&'a self, look: Look<'a>, sight: &'a Sight, room: f32) -> Element<'a, Message> {
        let palette = look.palette;
        let mut facts = Column::new().spacing(distance::TINY);
        if let Some(source) = &self.facts {
            facts = facts.push(strong(source.name.clone(), size::LABEL, palette.text));
            if let Some(form) = source.form {
                facts = facts.push(words(form.to_string(), size::BODY, palette.muted));
            }
            for report in &source.controls {
                let key = format!("{}_{}", report.control.name(), report.setting.name());
                facts = facts.push(words(look.words.named("camera-set", &key), size::BODY, palette.muted));
            }
        }
        let under = column![self.verdict(look), facts].spacing(distance::GAP);
        column![
            preview(look, sight, (room - 2.0 * distance::MEDIUM).min(880.0), true),
            container(under).padding(distance::SMALL)
        ]
        .spacing(distance::MEDIUM)
        .into()
    }

    fn arrived_card<'a>(&'a self, look: Look<'a>, settings: &'a Settings) -> Element<'a, Message> {
        let palette = look.palette;
        let mut content = Column::new().spacing(distance::GAP).push(self.state_line(look));
        content = content.push(rule(look));
        if self.arrivals.burst().is_empty() {
            let empty = column![
                icon::view(Icon::Barcode, 56.0, palette.faint),
                line(look.say("scanners-empty"), size::LABEL, palette.muted).align_x(Center),
            ]
            .spacing(distance::MEDIUM)
            .align_x(Center);
            content = content.push(container(empty).center_x(Fill).padding(distance::PAGE));
        } else {
            content = content.push(strong(look.say("scanners-arrived"), size::LABEL, palette.text));
            content = content.push(self.cells(look));
            let gap = look.say_with(
                "scanners-arrived-sum",
                &[("count", self.arrivals.burst().len().into()), ("ms", self.arrivals.longest_gap().into())],
            );
            content = content.push(words(gap, size::BODY, palette.muted));
            content = content.push(self.verdict(look));
            if self.kind == Kind::Serial && self.arrivals.is_garbled() {
                let speed = settings.serial.as_ref().map_or(0, |serial| serial.speed);
                let told = look.say_with("scanners-garbled", &[("speed", speed.to_string().into())]);
                content = content.push(told_box(palette.warning, Icon::Warning, told, None));
            }
        }
        container(content).width(Fill).padding(distance::GROUP).style(card(palette)).into()
    }

    fn state_line<'a>(&'a self, look: Look<'a>) -> Element<'a, Message> {
        let palette = look.palette;
        let (tone, told) = match (self.kind, &self.port) {
            (Kind::Camera | Kind::Keyboard, _) => (palette.success, look.say("scanners-keyboard-ready")),
            (Kind::Serial, Port::Off) => (palette.neutral, look.say("scanners-port-off")),
            (Kind::Serial, Port::Opening) => (palette.warning, look.say("scanners-port-opening")),
            (Kind::Serial, Port::Open(port)) => {
                (palette.success, look.say_with("scanners-port-open", &[("port", port.as_str().into())]))
            }
            (Kind::Serial, Port::Trouble(why)) => {
                let port = self.trouble_port(why);
                (palette.danger, look.words.named_with("scanners-port", why.name(), &[("port", port.into())]))
            }
        };
        row![
            container(space()).width(10).height(10).style(round(tone.mark, 5.0)),
            line(told, size::LABEL, palette.text)
        ]
        .spacing(distance::SMALL)
        .align_y(Center)
        .into()
    }

    fn trouble_port(&self, why: &crate::scan::serial::SerialError) -> String {
        use crate::scan::serial::SerialError as E;
        let (E::NoPort(port) | E::Busy(port) | E::Forbidden(port) | E::Refused { port, .. }) = why;
        let known = self.ports.iter().flatten().find(|known| known.port == *port);
        known.map_or_else(|| port.rsplit('/').next().unwrap_or(port).to_owned(), |port| port.label.clone())
    }

    /// Each sign in a box, with the milliseconds since the one before. The middle of a payment code is nobody's to read.
    fn cells<'a>(&'a self, look: Look<'a>) -> Element<'a, Message> {
        let palette = look.palette;
        let burst = self.arrivals.burst();
        let characters = burst.iter().filter(|arrival| matches!(arrival.sign, Sign::Char(_))).count();
        let hidden = matches!(self.made, Some(Made::Payment(_)));
        let mut nth = 0;
        let cells = burst.iter().map(|arrival| {
            let named = !matches!(arrival.sign, Sign::Char(_));
            if !named {
                nth += 1;
            }
            let label =
                if hidden && !named && nth > 2 && nth + 2 <= characters { "•".into() } else { arrival.sign.label() };
            let (ground, color) =
                if named { (palette.info.tint, palette.info.text) } else { (palette.raised, palette.text) };
            let wide = if named { 52.0 } else { CELL.0 };
            let size = if named { size::BODY } else { size::TITLE };
            let sign = container(strong(label, size, color)).center_x(wide).center_y(CELL.1).style(boxed(
                palette,
                ground,
                distance::CONTROL_RADIUS,
            ));
            let gap = arrival.gap_ms.map_or_else(String::new, |gap| gap.to_string());
            column![sign, words(gap, size::CAPTION, palette.muted)].spacing(2).align_x(Center).into()
        });
        Row::with_children(cells).spacing(distance::TINY).wrap().vertical_spacing(distance::SMALL).into()
    }

    /// What the till makes of it.
    fn verdict<'a>(&'a self, look: Look<'a>) -> Element<'a, Message> {
        let palette = look.palette;
        match &self.made {
            None => space().height(0).into(),
            Some(Made::Payment(code)) => payment(look, code),
            Some(Made::Rejected(rejection)) => {
                let (told, _) = hint_words(look, &Hint::NotACode(rejection.clone()));
                told_box(palette.warning, Icon::Warning, look.say("scanners-made-scan"), Some(told))
            }
            Some(Made::Typing(why)) => {
                let told = match why {
                    WhyTyping::TooSlow { gap_ms } => look.say_with("scanners-typing-slow", &[("ms", (*gap_ms).into())]),
                    WhyTyping::NoPrefix => look.say("scanners-typing-prefix"),
                    WhyTyping::TooShort { count } => {
                        look.say_with("scanners-typing-short", &[("count", (*count).into())])
                    }
                    WhyTyping::NoSuffix => look.say("scanners-typing-suffix"),
                };
                told_box(palette.danger, Icon::Keyboard, look.say("scanners-made-typing"), Some(told))
            }
            Some(Made::Unended) => told_box(
                palette.danger,
                Icon::Warning,
                look.say("scanners-made-unended"),
                Some(look.say("scanners-unended-why")),
            ),
        }
    }
}

fn payment<'a>(look: Look<'a>, code: &PaymentCode) -> Element<'a, Message> {
    let tone = look.palette.success;
    let content = row![
        icon::view(Icon::Success, 28.0, tone.mark),
        column![
            strong(look.say("scanners-made-payment"), size::LABEL, tone.text),
            words(code.masked().replace('*', "•"), size::LABEL, tone.text)
        ],
        space().width(Fill),
        badge::badge(look, code.channel()),
    ]
    .spacing(distance::MEDIUM)
    .align_y(Center);
    container(content).width(Fill).padding(distance::GAP).style(round(tone.tint, distance::CARD_RADIUS)).into()
}

fn told_box<'a>(tone: Tone, glyph: Icon, title: String, body: Option<String>) -> Element<'a, Message> {
    let texts = column![strong(title, size::LABEL, tone.text), body.map(|body| line(body, size::BODY, tone.text))]
        .spacing(distance::TINY);
    let content = row![icon::view(glyph, 28.0, tone.mark), texts.width(Fill)].spacing(distance::MEDIUM).align_y(Center);
    container(content).width(Fill).padding(distance::GAP).style(round(tone.tint, distance::CARD_RADIUS)).into()
}
