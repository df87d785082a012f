//! Every key comes here first, whatever has the focus: bursts of a keyboard-wedge scanner are told from typing and
//! never reach a field.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use iced::keyboard::key::Named;
use iced::keyboard::{self, Key, Location, Modifiers};
use iced::{Event, event, window};

use super::program::Message;
use super::sale::Press;
use crate::scan::{self, Verdict, Wedge, WedgeSettings};

/// A key that went down.
#[derive(Debug, Clone)]
pub struct Stroke {
    /// In which window.
    pub window: window::Id,
    /// Which key, with Shift applied.
    pub key: Key,
    /// The text it gives.
    pub text: Option<String>,
    /// With which other keys.
    pub modifiers: Modifiers,
    /// Whether it repeats because it is held.
    pub repeat: bool,
    /// When.
    pub at: Instant,
}

impl Stroke {
    /// The character it means, where it is one.
    #[must_use]
    pub fn character(&self) -> Option<char> {
        match &self.key {
            Key::Character(text) => text.chars().next(),
            _ => None,
        }
    }
}

/// Takes key events of all windows with any status, and windows' sizes; for [`event::listen_with`].
#[must_use]
pub fn listen(event: Event, _status: event::Status, window: window::Id) -> Option<Message> {
    match event {
        Event::Keyboard(keyboard::Event::KeyPressed { modified_key, text, modifiers, repeat, location, .. }) => {
            // A scanner holds Shift for capitals and signs: that is no key of its own.
            if matches!(&modified_key, Key::Named(named) if is_modifier(*named)) {
                return None;
            }
            // On the number pad without Num Lock the keys are arrows; a cashier means digits.
            let key = match (location, &modified_key) {
                (Location::Numpad, Key::Named(named)) => numpad_digit(*named).unwrap_or(modified_key),
                _ => modified_key,
            };
            let text = match &key {
                Key::Character(character) if text.is_none() => Some(character.to_string()),
                _ => text.map(|text| text.to_string()),
            };
            Some(Message::Key(Stroke { window, key, text, modifiers, repeat, at: Instant::now() }))
        }
        Event::Window(window::Event::Opened { size, .. } | window::Event::Resized(size)) => {
            Some(Message::Sized(window, size))
        }
        Event::Window(window::Event::Rescaled(scale)) => Some(Message::Scaled(window, scale)),
        _ => None,
    }
}

const fn is_modifier(named: Named) -> bool {
    matches!(
        named,
        Named::Shift
            | Named::Control
            | Named::Alt
            | Named::AltGraph
            | Named::Super
            | Named::Meta
            | Named::Hyper
            | Named::Fn
            | Named::FnLock
            | Named::CapsLock
            | Named::NumLock
            | Named::ScrollLock
            | Named::Symbol
            | Named::SymbolLock
    )
}

fn numpad_digit(named: Named) -> Option<Key> {
    let digit = match named {
        Named::Insert => "0",
        Named::End => "1",
        Named::ArrowDown => "2",
        Named::PageDown => "3",
        Named::ArrowLeft => "4",
        Named::Clear => "5",
        Named::ArrowRight => "6",
        Named::Home => "7",
        Named::ArrowUp => "8",
        Named::PageUp => "9",
        Named::Delete => ".",
        _ => return None,
    };
    Some(Key::Character(digit.into()))
}

/// What a key means at the counter.
#[must_use]
pub fn press_of(stroke: &Stroke) -> Option<Press> {
    match &stroke.key {
        Key::Named(Named::Enter) => (!stroke.repeat).then_some(Press::Enter),
        Key::Named(Named::Escape) => (!stroke.repeat).then_some(Press::Escape),
        Key::Named(Named::Backspace) => Some(Press::Backspace),
        Key::Named(Named::Delete) => Some(Press::Clear),
        Key::Named(Named::Tab | Named::F6) => Some(Press::Note),
        Key::Named(Named::F7) => Some(Press::TypeCode),
        Key::Named(Named::Space) => Some(Press::Text(" ".to_owned())),
        Key::Named(_) | Key::Unidentified => None,
        Key::Character(character) => {
            let text = stroke.text.clone().unwrap_or_else(|| character.to_string());
            (!text.chars().all(char::is_control)).then_some(Press::Text(text))
        }
    }
}

/// What came of a key.
#[derive(Debug, Default)]
pub struct Outcome {
    /// A scanner's whole code.
    pub scanned: Option<String>,
    /// Keys that were typed by a person, in order.
    pub keys: Vec<Stroke>,
}

/// Tells scans from typing over all keys of the program. Plain keys are held back while they could be a scanner's.
#[derive(Debug)]
pub struct Keys {
    wedge: Wedge,
    held: VecDeque<Stroke>,
    until: Option<u64>,
    start: Instant,
}

impl Default for Keys {
    fn default() -> Self {
        Self { wedge: Wedge::default(), held: VecDeque::new(), until: None, start: Instant::now() }
    }
}

impl Keys {
    /// With a scanner's settings from now on.
    pub fn set(&mut self, settings: WedgeSettings) {
        self.wedge = Wedge::new(settings);
        self.held.clear();
        self.until = None;
    }

    /// A key went down.
    pub fn take(&mut self, stroke: Stroke) -> Outcome {
        let now = self.millis(stroke.at);
        let plain = !(stroke.modifiers.control() || stroke.modifiers.alt() || stroke.modifiers.logo());
        let key = match &stroke.key {
            Key::Named(Named::Enter) if plain => Some(scan::Key::Enter),
            Key::Named(Named::Tab) if plain => Some(scan::Key::Tab),
            Key::Named(Named::Space) if plain => Some(scan::Key::Char(' ')),
            Key::Character(text) if plain => text.chars().next().map(scan::Key::Char),
            _ => None,
        };
        let Some(key) = key else {
            // No scanner sends such a key: what was held before it was typed.
            let verdict = self.wedge.tick(u64::MAX);
            let mut outcome = self.outcome(verdict);
            outcome.keys.push(stroke);
            return outcome;
        };
        // What is over before this key is settled first: the key itself is no part of it.
        let verdict = self.wedge.tick(now);
        let before = self.outcome(verdict);
        self.held.push_back(stroke);
        let verdicts = self.wedge.key(key, now);
        let mut outcome = self.outcome(verdicts);
        outcome.keys.splice(0..0, before.keys);
        outcome.scanned = before.scanned.or(outcome.scanned);
        outcome
    }

    /// Time has passed: what was held long enough was typed.
    pub fn settle(&mut self, now: Instant) -> Outcome {
        let verdict = self.wedge.tick(self.millis(now));
        self.outcome(verdict)
    }

    /// How long until [`Keys::settle`] is to be called; nothing where nothing is held.
    #[must_use]
    pub fn wait(&self, now: Instant) -> Option<Duration> {
        self.until.map(|until| Duration::from_millis(until.saturating_sub(self.millis(now))))
    }

    fn millis(&self, at: Instant) -> u64 {
        at.saturating_duration_since(self.start).as_millis() as u64
    }

    fn outcome(&mut self, verdicts: impl IntoIterator<Item = Verdict>) -> Outcome {
        let mut outcome = Outcome::default();
        self.until = None;
        for verdict in verdicts {
            match verdict {
                Verdict::Hold { until } => self.until = Some(until),
                Verdict::Typed(keys) => {
                    let count = keys.len().min(self.held.len());
                    outcome.keys.extend(self.held.drain(..count));
                }
                Verdict::Scanned(text) => {
                    self.held.clear();
                    outcome.scanned = Some(text);
                }
            }
        }
        if self.until.is_none() && !self.held.is_empty() {
            self.until = Some(0);
        }
        outcome
    }
}
