//! Where a key goes: to a scanner's burst, to the page that is open, or to the counter.

use std::time::{Duration, Instant};

use iced::keyboard::key::Named;
use iced::{Task, keyboard};

use super::{Message, Page, Till};
use crate::till::keys::{self, Stroke};
use crate::till::sale::Press;
use crate::till::screen::settings::Choice;
use crate::till::screen::{phone, sales, settings, takings};

impl Till {
    pub(super) fn key(&mut self, stroke: Stroke) -> Task<Message> {
        if stroke.window != self.cashier && Some(stroke.window) != self.customer {
            return Task::none();
        }
        if self.page == Page::Scanners {
            self.key_arrived(&stroke);
        }
        let outcome = self.keys.take(stroke);
        let settle = self.settle_later();
        Task::batch([self.typed(outcome), settle])
    }

    pub(super) fn settle_later(&self) -> Task<Message> {
        self.keys.wait(Instant::now()).map_or_else(Task::none, |wait| {
            let wait = wait + Duration::from_millis(1);
            Task::perform(async move { tokio::time::sleep(wait).await }, |()| Message::KeysSettleAt(Instant::now()))
        })
    }

    pub(super) fn typed(&mut self, outcome: keys::Outcome) -> Task<Message> {
        let mut tasks = Vec::new();
        if let Some(code) = outcome.scanned {
            tasks.push(self.scanned(&code, Instant::now()));
        }
        if self.page == Page::Scanners && !outcome.keys.is_empty() {
            self.scanner_page.typed(&self.settings.wedge);
        }
        for stroke in outcome.keys {
            tasks.push(self.stroke(&stroke));
        }
        Task::batch(tasks)
    }

    pub(super) fn stroke(&mut self, stroke: &Stroke) -> Task<Message> {
        let named = match &stroke.key {
            keyboard::Key::Named(named) => Some(*named),
            _ => None,
        };
        if self.closing {
            return match named {
                Some(Named::Enter) => iced::exit(),
                Some(Named::Escape) => self.update(Message::Stay),
                _ => Task::none(),
            };
        }
        if self.is_locked() {
            return self.locked_key(stroke, named);
        }
        if stroke.modifiers.alt() && self.phone_open {
            let message = self.phone.as_ref().and_then(|_| phone::shortcut(stroke));
            return message.map_or_else(Task::none, |message| self.phone_message(message));
        }
        if self.page == Page::Accounts
            && let Some(message) = self.accounts_key(stroke, named)
        {
            return self.accounts_message(message);
        }
        if self.page == Page::Refund
            && let Some(message) = Self::refund_key(stroke, named)
        {
            return self.refund_message(message);
        }
        if self.page == Page::Scanners
            && let Some(message) = self.scanners_key(stroke, named)
        {
            return message.map_or_else(Task::none, |message| self.scanners_message(message));
        }
        if stroke.modifiers.control() || stroke.modifiers.logo() {
            return match stroke.character() {
                Some('l') => self.lock(),
                Some('v') => iced::clipboard::read().map(Message::Pasted),
                _ => Task::none(),
            };
        }
        match named {
            Some(Named::F1) => return self.toggle(Page::Help),
            Some(Named::F2) => return self.toggle(Page::Sales),
            Some(Named::F3) => return self.toggle(Page::Takings),
            Some(Named::F4) => return self.open_refund(),
            Some(Named::F5) => return self.toggle(Page::Settings),
            Some(Named::F8) => return self.toggle_phone(),
            Some(Named::F9) => return self.lock(),
            Some(Named::F10) => return self.take(Choice::Language(self.words.language().next())),
            Some(Named::F11) => return self.take(Choice::Dark(!self.palette.dark)),
            Some(Named::F12) => return self.toggle_customer(),
            _ => {}
        }
        if self.page != Page::Counter {
            return self.page_key(stroke, named);
        }
        keys::press_of(stroke).map_or_else(Task::none, |press| self.press(press))
    }

    /// While the till is locked only what the room sees can be changed.
    fn locked_key(&mut self, stroke: &Stroke, named: Option<Named>) -> Task<Message> {
        match named {
            Some(Named::F10) => self.take(Choice::Language(self.words.language().next())),
            Some(Named::F11) => self.take(Choice::Dark(!self.palette.dark)),
            Some(Named::F12) => self.toggle_customer(),
            _ => Self::sign_in_key(stroke, named).map_or_else(Task::none, |message| self.sign_in_message(message)),
        }
    }

    pub(super) fn page_key(&mut self, stroke: &Stroke, named: Option<Named>) -> Task<Message> {
        let lines = match named {
            Some(Named::ArrowUp) => Some(-1),
            Some(Named::ArrowDown) => Some(1),
            Some(Named::PageUp) => Some(-10),
            Some(Named::PageDown) => Some(10),
            _ => None,
        };
        match (self.page, named, lines) {
            (Page::Story, Some(Named::Escape | Named::Backspace), _) => self.go(self.back),
            (_, Some(Named::Escape | Named::Backspace), _) => self.go(Page::Counter),
            (Page::Sales, _, Some(by)) => self.update(Message::Sales(sales::Message::Move(by))),
            (Page::Sales, Some(Named::Enter), _) => self.update(Message::Sales(sales::Message::Enter)),
            (Page::Takings, Some(Named::ArrowLeft), _) => self.update(Message::Takings(takings::Message::Days(-1))),
            (Page::Takings, Some(Named::ArrowRight), _) => self.update(Message::Takings(takings::Message::Days(1))),
            (Page::Takings, Some(Named::Home), _) => self.update(Message::Takings(takings::Message::Today)),
            (Page::Settings, _, Some(by)) => self.update(Message::Settings(settings::Message::Move(by))),
            (Page::Settings, Some(Named::Enter | Named::Space), _) => {
                self.update(Message::Settings(settings::Message::Enter))
            }
            _ => match stroke.character() {
                // Digits are for the next sale, wherever the cashier is.
                Some(character) if character.is_ascii_digit() => {
                    let _ = self.go(Page::Counter);
                    self.press(Press::Text(character.to_string()))
                }
                _ => Task::none(),
            },
        }
    }

    pub(super) fn toggle(&mut self, page: Page) -> Task<Message> {
        self.go(if self.page == page { Page::Counter } else { page })
    }
}
