//! The till's windows: opening, closing, full screen, and how large what they show is.

use iced::{Point, Size, Task, window};

use super::{Message, Till};

/// The size that the pages were drawn for; larger windows show the same larger.
const DESIGN: Size = Size::new(1280.0, 800.0);

/// A window's size in physical pixels of the system's own scale, and what it is shown enlarged by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pane {
    size: Size,
    pub(super) factor: f32,
}

impl Pane {
    fn of(size: Size) -> Self {
        let factor = (size.width / DESIGN.width).min(size.height / DESIGN.height).clamp(0.7, 4.0);
        Self { size, factor }
    }

    pub(super) fn logical(self) -> Size {
        Size::new(self.size.width / self.factor, self.size.height / self.factor)
    }
}

impl Till {
    pub(super) fn opened(&mut self, id: window::Id) -> Task<Message> {
        if id == self.cashier {
            tracing::info!(ms = self.started.elapsed().as_millis() as u64, "the cashier's window is open");
        }
        if id == self.cashier && self.wants_customer && self.customer.is_none() {
            return Task::batch([window::gain_focus(id), self.open_customer()]);
        }
        if Some(id) == self.customer {
            let focus = window::gain_focus(self.cashier);
            if self.full_screen {
                return Task::batch([window::set_mode(id, window::Mode::Fullscreen), focus]);
            }
            return focus;
        }
        Task::none()
    }

    pub(super) fn open_customer(&mut self) -> Task<Message> {
        self.full_screen = second_monitor();
        let position = if self.full_screen {
            // Monitors stand side by side as a rule: the second begins where the first ends.
            window::Position::SpecificWith(|_, monitor| Point::new(monitor.width + 32.0, 32.0))
        } else {
            window::Position::SpecificWith(|window, monitor| {
                Point::new((monitor.width - window.width).max(0.0), (monitor.height - window.height).max(0.0))
            })
        };
        let (id, open) = window::open(window::Settings {
            size: self.window_size,
            min_size: Some(Size::new(640.0, 480.0)),
            position,
            exit_on_close_request: false,
            ..window::Settings::default()
        });
        self.customer = Some(id);
        open.map(Message::Opened)
    }

    pub(super) fn toggle_customer(&mut self) -> Task<Message> {
        match self.customer.take() {
            Some(id) => {
                self.wants_customer = false;
                window::close(id)
            }
            None => {
                self.wants_customer = true;
                self.open_customer()
            }
        }
    }

    pub(super) fn toggle_full_screen(&mut self) -> Task<Message> {
        self.full_screen = !self.full_screen;
        let mode = if self.full_screen { window::Mode::Fullscreen } else { window::Mode::Windowed };
        self.customer.map_or_else(Task::none, |id| window::set_mode(id, mode))
    }

    pub(super) fn sized(&mut self, id: window::Id, size: Size) -> Task<Message> {
        let factor = self.scale_factor(id);
        let _ = self.panes.insert(id, Pane::of(Size::new(size.width * factor, size.height * factor)));
        Task::none()
    }

    pub(super) fn close_asked(&mut self, id: window::Id) -> Task<Message> {
        if id != self.cashier {
            return self.toggle_customer();
        }
        if self.counter.is_busy() && !self.closing {
            self.closing = true;
            return Task::none();
        }
        iced::exit()
    }

    pub(super) fn closed(&mut self, id: window::Id) -> Task<Message> {
        let _ = (self.panes.remove(&id), self.screens.remove(&id));
        if id == self.cashier {
            return iced::exit();
        }
        if self.customer == Some(id) {
            self.customer = None;
        }
        Task::none()
    }
}

/// Whether a second monitor is connected. Only Linux tells without a window on it.
fn second_monitor() -> bool {
    let Ok(entries) = std::fs::read_dir("/sys/class/drm") else { return false };
    let connected = entries
        .flatten()
        .filter(|entry| {
            std::fs::read_to_string(entry.path().join("status")).is_ok_and(|status| status.trim() == "connected")
        })
        .count();
    connected >= 2
}
