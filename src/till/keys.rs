//! Every key comes here first, whatever has the focus: bursts of a keyboard-wedge scanner are told from typing and
//! never reach a field.

use std::time::{Duration, Instant};

use iced::keyboard::key::Named;
use iced::keyboard::{self, Key, Location, Modifiers};
use iced::{Event, event, window};

use super::program::Message;
use super::sale::Press;

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
        _ => None,
    }
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

/// stand-in
#[derive(Debug, Default)]
pub struct Keys {}
impl Keys {
    pub fn take(&mut self, stroke: Stroke) -> Outcome { Outcome { scanned: None, keys: vec![stroke] } }
    pub fn settle(&mut self, _now: Instant) -> Outcome { Outcome::default() }
    pub fn deadline(&self) -> Option<Duration> { None }
}
