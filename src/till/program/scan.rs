//! What cameras and scanners tell, and the page that sets them up.

use std::time::Instant;

use iced::Task;
use iced::keyboard::Key;
use iced::keyboard::key::Named;

use super::{Message, Page, Till};
use crate::scan::arrivals::Sign;
use crate::scan::serial::{Serial, SerialEvent, SerialSettings, list_ports};
use crate::till::keys::Stroke;
use crate::till::scanner::{Heard, Outlined};
use crate::till::screen::scanner::{self, Action, Kind, Port};
use crate::till::screen::settings::Choice;
use crate::till::sound::Sound;
use crate::till::widget::preview::{CameraState, Found};

/// While what is plugged in is shown, it is looked for so often, in ms.
const LOOK_AGAIN: i64 = 3_000;

impl Till {
    pub(super) fn heard(&mut self, heard: Heard) -> Task<Message> {
        match heard {
            Heard::Code(text, at) => return self.scanned(&text, at),
            Heard::Camera(state) => self.camera_is(state),
            Heard::Live(facts) => {
                self.scanner_page.facts = Some(facts);
                self.camera_is(CameraState::Live);
            }
            Heard::Frame(frame, codes) => {
                self.sight.frame = Some(frame);
                let found = |code: Outlined| Found { seen: self.counter.judge(&code.text), corners: code.corners };
                self.sight.found = codes.into_iter().map(found).collect();
            }
            Heard::HeldDown => {
                if self.sight.state != CameraState::Live {
                    self.sight.frame = None;
                }
            }
            Heard::Cameras(cameras) => {
                self.settings_page.cameras = Some(cameras.clone());
                self.scanner_page.cameras = Some(cameras);
            }
        }
        Task::none()
    }

    fn camera_is(&mut self, state: CameraState) {
        let back = state == CameraState::Live && self.sight.state == CameraState::Lost;
        self.sight.state = state;
        if state != CameraState::Live {
            self.sight.frame = None;
            self.scanner_page.facts = None;
        }
        if back {
            self.sounds.make(Sound::Attention);
        }
    }

    /// Whether the camera's picture is shown anywhere.
    pub(super) fn shows_picture(&self) -> bool {
        match self.page {
            Page::Counter => true,
            Page::Scanners => self.scanner_page.kind() == Kind::Camera,
            _ => false,
        }
    }

    /// A code was read at that moment, by whatever reads codes.
    pub(super) fn scanned(&mut self, text: &str, at: Instant) -> Task<Message> {
        if self.is_locked() {
            return Task::none();
        }
        // While scanners are set up nothing is paid with what they read.
        if self.page == Page::Scanners {
            self.scanner_page.scanned(text);
            self.sounds.make_for(Sound::Read, at);
            return Task::none();
        }
        if let Some(phone) = &mut self.phone {
            phone.code_was_read(text, self.now);
        }
        let effects = self.counter.scanned(text);
        if !effects.is_empty() {
            self.page = Page::Counter;
        }
        self.scanned_at = Some(at);
        let task = self.perform(effects);
        self.scanned_at = None;
        task
    }

    // The serial scanner.

    /// Reads the serial scanner of the settings, or none.
    pub(super) fn start_serial(&mut self) -> Task<Message> {
        self.serial_turn += 1;
        let turn = self.serial_turn;
        // The old thread lets go of the port before the new one takes it, as a rule; else it tries again.
        self.serial = None;
        let Some(settings) = self.settings.serial.clone() else {
            self.scanner_page.port = Port::Off;
            return Task::none();
        };
        self.scanner_page.port = Port::Opening;
        let (serial, mut events) = Serial::start(settings);
        self.serial = Some(serial);
        let stream = futures::stream::poll_fn(move |context| events.poll_recv(context));
        Task::stream(stream).map(move |event| Message::Serial(turn, event))
    }

    pub(super) fn serial_told(&mut self, turn: u64, event: SerialEvent) -> Task<Message> {
        if turn != self.serial_turn {
            return Task::none();
        }
        let code = match &event {
            SerialEvent::Code(text, at) => Some((text.clone(), *at)),
            SerialEvent::Lost(why) => {
                tracing::info!(%why, "serial scanner lost");
                self.sounds.make(Sound::Attention);
                None
            }
            _ => None,
        };
        self.scanner_page.serial(event);
        code.map_or_else(Task::none, |(text, at)| self.scanned(&text, at))
    }

    // The page.

    pub(super) fn open_scanners(&mut self) -> Task<Message> {
        self.listed_at = self.now;
        let ports = Task::perform(async { tokio::task::spawn_blocking(list_ports).await }, |ports| {
            Message::Scanners(scanner::Message::Ports(ports.unwrap_or_default()))
        });
        Task::batch([self.scanner.list().map(Message::Scan), ports])
    }

    /// Time goes on: what is plugged in meanwhile appears in the lists.
    pub(super) fn look_for_scanners(&mut self) -> Task<Message> {
        if !matches!(self.page, Page::Settings | Page::Scanners) || self.now - self.listed_at < LOOK_AGAIN {
            return Task::none();
        }
        self.open_scanners()
    }

    pub(super) fn scanners_message(&mut self, message: scanner::Message) -> Task<Message> {
        match self.scanner_page.update(message, &self.settings) {
            Action::None => Task::none(),
            Action::Camera(spec) => self.take(Choice::Camera(spec)),
            Action::Mirror(on) => self.take(Choice::Mirror(on)),
            Action::Wedge(wedge) => self.take(Choice::Wedge(wedge)),
            Action::Serial(serial) => self.take(Choice::Serial(serial)),
            Action::Leave => self.go(Page::Settings),
        }
    }

    pub(super) fn set_serial(&mut self, serial: Option<SerialSettings>) -> Task<Message> {
        self.settings.serial = serial;
        self.start_serial()
    }

    /// Every key that goes down while the page is open, before it is known what it is.
    pub(super) fn key_arrived(&mut self, stroke: &Stroke) {
        let sign = match &stroke.key {
            Key::Named(Named::Enter) => Sign::Enter,
            Key::Named(Named::Tab) => Sign::Tab,
            Key::Named(Named::Space) => Sign::Char(' '),
            Key::Character(_) => match stroke.character() {
                // A scanner's control characters come as letters with Ctrl: Ctrl+] is GS.
                Some(letter) if stroke.modifiers.control() && letter.is_ascii() => {
                    Sign::Control(letter.to_ascii_uppercase() as u8 & 0x1f)
                }
                Some(character) => Sign::Char(character),
                None => return,
            },
            _ => return,
        };
        self.scanner_page.key(sign, stroke.at);
    }

    /// A key that was typed on the page; `None` where it is for the program.
    pub(super) fn scanners_key(&self, stroke: &Stroke, named: Option<Named>) -> Option<Option<scanner::Message>> {
        use scanner::Message as M;
        let message = match named {
            Some(Named::ArrowUp) => M::Move(-1),
            Some(Named::ArrowDown) => M::Move(1),
            Some(Named::PageUp) => M::Move(-10),
            Some(Named::PageDown) => M::Move(10),
            Some(Named::ArrowLeft) => M::Alter(-1),
            Some(Named::ArrowRight) => M::Alter(1),
            // A scanner that is not set up yet ends with Enter, or sends spaces.
            Some(Named::Enter | Named::Space) if !stroke.repeat && !self.scanner_page.is_scanning() => M::Enter,
            Some(Named::Escape) if !stroke.repeat => M::Back,
            Some(Named::Enter | Named::Space | Named::Tab | Named::Backspace | Named::Escape) => return Some(None),
            _ if stroke.character().is_some() => return Some(None),
            _ => return None,
        };
        Some(Some(message))
    }
}
