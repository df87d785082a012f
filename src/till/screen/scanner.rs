//! Setting up what reads the customer's code: camera, serial scanner, keyboard scanner. Shows what arrives, sign by sign,
//! and what the till makes of it. Arrows choose and change, Enter takes; a scanner's keys never do.

mod view;

use std::time::Instant;

use crate::payment::{CodeRejection, CodeRule, PaymentCode};
use crate::scan::arrivals::{Arrivals, Sign, WhyTyping};
use crate::scan::serial::{Ending, PortInfo, SPEEDS, SerialError, SerialEvent, SerialSettings};
use crate::scan::{SourceFacts, Suffix, WedgeSettings};
use crate::till::scanner::Camera;
use crate::till::settings::Settings;

/// What reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    /// A webcam.
    #[default]
    Camera,
    /// A scanner that types like a keyboard.
    Keyboard,
    /// A scanner at a serial port.
    Serial,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Camera, Self::Keyboard, Self::Serial];
}

/// A line of the page that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// What is set up.
    Kind,
    /// This camera; empty for none.
    Camera(String),
    /// Whether the picture is mirrored.
    Mirror,
    /// This port; empty for none.
    Port(String),
    /// The port's speed.
    Speed,
    /// What a serial scanner's codes end with.
    Ending,
    /// The pause that ends a serial scanner's code.
    Pause,
    /// What a keyboard scanner's codes end with.
    Suffix,
    /// The longest pause between its keys.
    Gap,
    /// The fewest characters.
    Length,
    /// What codes begin with and is no part of them; taken away only, since a scanner gives it.
    Prefix,
    /// The settings that what arrived asks for.
    Suggestion,
}

/// How the serial scanner is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Port {
    /// None is chosen.
    #[default]
    Off,
    /// Being opened.
    Opening,
    /// Open.
    Open(String),
    /// Not to be had, and why.
    Trouble(SerialError),
}

/// What the till made of the latest burst.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Made {
    /// A scan of a payment code.
    Payment(PaymentCode),
    /// A scan of something else.
    Rejected(CodeRejection),
    /// Typing.
    Typing(WhyTyping),
    /// Bytes whose ending did not come.
    Unended,
}

/// The page's state.
#[derive(Debug, Default)]
pub struct State {
    kind: Kind,
    chosen: usize,
    /// The cameras found; `None` while they are looked for.
    pub cameras: Option<Vec<Camera>>,
    /// The camera that gives pictures.
    pub facts: Option<SourceFacts>,
    /// The serial ports found.
    pub ports: Option<Vec<PortInfo>>,
    /// How the serial scanner is.
    pub port: Port,
    arrivals: Arrivals,
    start: Option<Instant>,
    made: Option<Made>,
}

/// What happens on the page.
#[derive(Debug, Clone)]
pub enum Message {
    /// To the line above or below.
    Move(isize),
    /// The chosen line's next or previous value.
    Alter(isize),
    /// Take the chosen line.
    Enter,
    /// Take this line.
    Take(Line),
    /// This line's next or previous value.
    AlterLine(Line, isize),
    /// Set up this kind.
    Kind(Kind),
    /// The serial ports that there are.
    Ports(Vec<PortInfo>),
    /// Back to the settings.
    Back,
}

/// What is to be done for the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    None,
    /// Read from this camera; empty for none.
    Camera(String),
    /// Show the camera's picture mirrored, or not.
    Mirror(bool),
    /// Tell a keyboard scanner from typing by these.
    Wedge(WedgeSettings),
    /// Read a serial scanner, or none.
    Serial(Option<SerialSettings>),
    /// To the settings.
    Leave,
}

impl State {
    /// Forgets what arrived: it may be somebody's payment code.
    pub fn close(&mut self) {
        self.arrivals = Arrivals::default();
        self.made = None;
    }

    /// What is being set up.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    fn lines(&self, settings: &Settings) -> Vec<Line> {
        let mut lines = vec![Line::Kind];
        match self.kind {
            Kind::Camera => {
                lines.extend(self.cameras.iter().flatten().map(|camera| Line::Camera(camera.spec.clone())));
                lines.extend([Line::Camera(String::new()), Line::Mirror]);
            }
            Kind::Serial => {
                lines.extend(self.ports(settings).into_iter().map(|port| Line::Port(port.port)));
                lines.push(Line::Port(String::new()));
                if settings.serial.is_some() {
                    lines.extend([Line::Speed, Line::Ending, Line::Pause]);
                    lines.extend(
                        settings.serial.iter().filter(|serial| !serial.prefix.is_empty()).map(|_| Line::Prefix),
                    );
                }
            }
            Kind::Keyboard => {
                lines.extend([Line::Suffix, Line::Gap, Line::Length]);
                lines.extend((!settings.wedge.prefix.is_empty()).then_some(Line::Prefix));
            }
        }
        lines.extend(self.suggestion(settings).map(|_| Line::Suggestion));
        lines
    }

    /// The ports found, and the one that is set although it is not there.
    fn ports(&self, settings: &Settings) -> Vec<PortInfo> {
        let mut ports = self.ports.clone().unwrap_or_default();
        if let Some(serial) = &settings.serial
            && !ports.iter().any(|port| port.port == serial.port)
        {
            ports.push(PortInfo { port: serial.port.clone(), label: serial.port.clone() });
        }
        ports
    }

    /// The settings that what arrived asks for, where they are others than those that are set.
    fn suggestion(&self, settings: &Settings) -> Option<Action> {
        match self.kind {
            Kind::Camera => None,
            Kind::Keyboard => {
                // Settings that take what arrived are left as they are.
                self.arrivals.why_typing(&settings.wedge)?;
                self.arrivals.wedge_settings().filter(|wedge| *wedge != settings.wedge).map(Action::Wedge)
            }
            Kind::Serial => {
                let now = settings.serial.as_ref()?;
                if matches!(self.made, Some(Made::Payment(_) | Made::Rejected(_)))
                    && self.arrivals.text().starts_with(&now.prefix)
                {
                    return None;
                }
                self.arrivals
                    .serial_settings(now)
                    .filter(|serial| serial != now)
                    .map(|serial| Action::Serial(Some(serial)))
            }
        }
    }

    /// A key went down, whatever it is then taken for.
    pub fn key(&mut self, sign: Sign, at: Instant) {
        if self.kind == Kind::Keyboard {
            self.arrived(sign, at);
        }
    }

    /// Whether keys come from a scanner at the moment: then they choose nothing.
    #[must_use]
    pub fn is_scanning(&self) -> bool {
        self.kind == Kind::Keyboard && self.arrivals.is_scanner()
    }

    fn arrived(&mut self, sign: Sign, at: Instant) {
        let start = *self.start.get_or_insert(at);
        let now = u64::try_from(at.saturating_duration_since(start).as_millis()).unwrap_or(u64::MAX);
        if self.arrivals.push(sign, now) {
            self.made = None;
        }
    }

    /// A scanner's or camera's code came.
    pub fn scanned(&mut self, text: &str) {
        self.made = Some(match PaymentCode::classify(text, &CodeRule::published()) {
            Ok(code) => Made::Payment(code),
            Err(rejection) => Made::Rejected(rejection),
        });
    }

    /// Keys were taken for typing.
    pub fn typed(&mut self, settings: &WedgeSettings) {
        if self.is_scanning() && self.made.is_none() {
            self.made = self.arrivals.why_typing(settings).map(Made::Typing);
        }
    }

    /// The serial scanner told something; a code that it read, where it did.
    pub fn serial(&mut self, event: SerialEvent) {
        match event {
            SerialEvent::Ready(port) => self.port = Port::Open(port),
            SerialEvent::Absent(why) | SerialEvent::Lost(why) => self.port = Port::Trouble(why),
            SerialEvent::Bytes(bytes, at) if self.kind == Kind::Serial => {
                bytes.into_iter().for_each(|byte| self.arrived(Sign::of_byte(byte), at));
            }
            SerialEvent::Dropped(_) if self.kind == Kind::Serial => self.made = Some(Made::Unended),
            SerialEvent::Bytes(..) | SerialEvent::Dropped(_) | SerialEvent::Code(..) => {}
        }
    }

    /// Something happened.
    pub fn update(&mut self, message: Message, settings: &Settings) -> Action {
        let lines = self.lines(settings);
        self.chosen = self.chosen.min(lines.len().saturating_sub(1));
        match message {
            Message::Move(by) => {
                self.chosen = self.chosen.saturating_add_signed(by).min(lines.len().saturating_sub(1));
                Action::None
            }
            Message::Alter(by) => match lines.get(self.chosen) {
                Some(line) => self.alter(&line.clone(), by, settings),
                None => Action::None,
            },
            Message::Enter => match lines.get(self.chosen) {
                Some(line) => self.take(&line.clone(), settings),
                None => Action::None,
            },
            Message::Take(line) => {
                self.chosen = lines.iter().position(|known| *known == line).unwrap_or(self.chosen);
                self.take(&line, settings)
            }
            Message::AlterLine(line, by) => {
                self.chosen = lines.iter().position(|known| *known == line).unwrap_or(self.chosen);
                self.alter(&line, by, settings)
            }
            Message::Kind(kind) => {
                self.turn_to(kind);
                Action::None
            }
            Message::Ports(ports) => {
                self.ports = Some(ports);
                Action::None
            }
            Message::Back => Action::Leave,
        }
    }

    fn turn_to(&mut self, kind: Kind) {
        if self.kind != kind {
            self.kind = kind;
            self.close();
        }
        self.chosen = 0;
    }

    fn take(&mut self, line: &Line, settings: &Settings) -> Action {
        match line {
            Line::Camera(spec) => Action::Camera(spec.clone()),
            Line::Port(port) if port.is_empty() => Action::Serial(None),
            Line::Port(port) => {
                let serial = settings.serial.clone().unwrap_or_default();
                Action::Serial(Some(SerialSettings { port: port.clone(), ..serial }))
            }
            Line::Suggestion => self.suggestion(settings).unwrap_or(Action::None),
            // Enter goes on to the next value.
            other => self.alter(other, 1, settings),
        }
    }

    fn alter(&mut self, line: &Line, by: isize, settings: &Settings) -> Action {
        let wedge = settings.wedge.clone();
        let serial = |change: &dyn Fn(&mut SerialSettings)| match &settings.serial {
            Some(serial) => {
                let mut serial = serial.clone();
                change(&mut serial);
                Action::Serial(Some(serial.sane()))
            }
            None => Action::None,
        };
        match line {
            Line::Kind => {
                let kind = next(&Kind::ALL, self.kind, by);
                self.turn_to(kind);
                Action::None
            }
            Line::Mirror => Action::Mirror(!settings.mirror),
            Line::Speed => serial(&|serial| serial.speed = next(&SPEEDS, serial.speed, by)),
            Line::Ending => serial(&|serial| serial.ending = next(&Ending::ALL, serial.ending, by)),
            Line::Pause => serial(&|serial| serial.pause_ms = stepped(serial.pause_ms, 10, by)),
            Line::Suffix => Action::Wedge(WedgeSettings { suffix: next(&Suffix::ALL, wedge.suffix, by), ..wedge }),
            Line::Gap => Action::Wedge(WedgeSettings { gap_ms: stepped(wedge.gap_ms, 5, by), ..wedge }.sane()),
            Line::Length => {
                Action::Wedge(WedgeSettings { length: wedge.length.saturating_add_signed(by), ..wedge }.sane())
            }
            Line::Prefix if self.kind == Kind::Serial => serial(&|serial| serial.prefix.clear()),
            Line::Prefix => Action::Wedge(WedgeSettings { prefix: String::new(), ..wedge }),
            Line::Camera(_) | Line::Port(_) | Line::Suggestion => Action::None,
        }
    }
}

/// The value after or before that one, around the end.
fn next<T: Copy + PartialEq>(values: &[T], value: T, by: isize) -> T {
    let at = values.iter().position(|known| *known == value).unwrap_or(0);
    let count = isize::try_from(values.len()).unwrap_or(1).max(1);
    let to = (isize::try_from(at).unwrap_or(0) + by).rem_euclid(count);
    values.get(to.unsigned_abs()).copied().unwrap_or(value)
}

fn stepped(value: u64, step: u64, by: isize) -> u64 {
    let change = step.saturating_mul(u64::try_from(by.unsigned_abs()).unwrap_or(0));
    if by < 0 { value.saturating_sub(change) } else { value.saturating_add(change) }
}
