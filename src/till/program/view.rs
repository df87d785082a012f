//! What the windows show.

use iced::widget::{button, column, container, row, space, stack};
use iced::{Center, Element, Fill, Size, window};

use super::sign_in::Who;
use super::{Link, Message, Page, Till};
use crate::till::font;
use crate::till::sale::{Focus, Phase};
use crate::till::screen::cashier::{self, Around};
use crate::till::screen::{customer, help, refund as refund_page};
use crate::till::theme::{self, Look, Role, size, space as distance};
use crate::till::widget::{ime, keys as caps, line, strong};

impl Till {
    fn look(&self, window: window::Id) -> Look<'_> {
        Look {
            palette: self.palette,
            words: self.words,
            zone: &self.zone,
            now: self.now,
            // A code's modules are whole pixels of the screen, so the system's own enlargement counts too.
            scale: self.scale_factor(window) * self.screens.get(&window).copied().unwrap_or(1.0),
            motion: self.settings.motion,
        }
    }

    fn logical(&self, window: window::Id) -> Size {
        self.panes.get(&window).map_or(self.window_size, |pane| pane.logical())
    }

    /// What the customer's display shows. While the API is away nobody here would see that a code was paid: no code is
    /// offered then.
    #[must_use]
    pub fn customer_page(&self) -> customer::Page {
        match customer::page(&self.counter, self.now) {
            customer::Page::Due(due, ..) if self.link == Link::Offline => customer::Page::Preparing(due),
            page => page,
        }
    }

    /// A window's content.
    pub fn view(&self, window: window::Id) -> Element<'_, Message> {
        let look = self.look(window);
        let store = self.connection.as_ref().map_or("Scantill", |connection| connection.store_name.as_str());
        if Some(window) == self.customer {
            let page = self.customer_page();
            let size = self.logical(window);
            return customer::view(look, &self.display, &page, store, self.training, size, Message::FullScreen);
        }
        let around = Around {
            store,
            till: self.connection.as_ref().map_or("", |connection| connection.till_name.as_str()),
            operator: self.operator().map(|operator| operator.name.as_str()),
            training: self.training,
            link: &self.link,
            recent: &self.recent,
            today: self.today.as_ref(),
            sight: &self.sight,
            window: self.logical(window),
            phone: self.phone_open,
        };
        if let Who::Nobody(sign_in) = &self.who {
            // No figure of the shop's is shown to whoever comes along.
            let page = container(sign_in.view(look).map(Message::SignIn)).padding(distance::GAP).height(Fill);
            let page = column![cashier::header(look, &around).map(Message::Cashier), page];
            let ground = theme::nudged(self.palette.background, 7);
            let page = container(page).width(Fill).height(Fill).style(theme::ground(ground, self.palette.text));
            return if self.closing { stack![page, self.closing_view(look)].into() } else { page.into() };
        }
        let body: Element<'_, Message> = match self.page {
            Page::Counter => cashier::body(look, &self.counter, &around).map(Message::Cashier),
            Page::Sales => self.sales.view(look, &self.recent, store).map(Message::Sales),
            Page::Story => match &self.story {
                Some(story) => story.view(look, store),
                None => space().into(),
            },
            Page::Takings => self.takings.view(look, self.local_day()).map(Message::Takings),
            Page::Settings => {
                self.settings_page.view(look, &self.settings, self.customer.is_some()).map(Message::Settings)
            }
            Page::Scanners => {
                let width = self.logical(window).width;
                self.scanner_page.view(look, &self.settings, &self.sight, width).map(Message::Scanners)
            }
            Page::Accounts => self.accounts.view(look).map(Message::Accounts),
            Page::Refund => match &self.refund {
                Some(refund) => refund.view(look).map(Message::Refund),
                None => space().into(),
            },
            Page::Help => help::view(look),
        };
        let phone = self
            .phone
            .as_ref()
            .filter(|_| self.phone_open && self.page == Page::Counter)
            .map(|phone| container(phone.view(look).map(Message::Phone)).width(cashier::PHONE_WIDTH).height(Fill));
        let middle = row![container(body).width(Fill).height(Fill), phone]
            .spacing(distance::GAP)
            .padding(distance::GAP)
            .height(Fill);
        let phase = match &self.counter.phase {
            Phase::Entry => 0,
            Phase::Collecting(_) => 1,
            Phase::Result(_) => 2,
        };
        let step = if self.page == Page::Counter { phase + 4 * u8::from(self.phone_open) } else { 8 + self.page as u8 };
        let ground = theme::nudged(self.palette.background, step);
        let page = column![
            cashier::header(look, &around).map(Message::Cashier),
            middle,
            cashier::footer(look, &around, self.page).map(Message::Cashier),
        ];
        let page = container(page).width(Fill).height(Fill).style(theme::ground(ground, self.palette.text));
        let text = match self.page {
            Page::Accounts => self.accounts.takes_text(),
            Page::Refund => self.refund.as_ref().is_some_and(refund_page::State::takes_text),
            _ => self.counter.focus == Focus::Note,
        };
        let page = ime::wants_text(page, text, Message::Composed);
        if self.closing { stack![page, self.closing_view(look)].into() } else { page }
    }

    fn closing_view<'a>(&'a self, look: Look<'a>) -> Element<'a, Message> {
        let palette = self.palette;
        let choice = |key: &str, cap, role, message| {
            let color = if role == Role::Primary { palette.on_accent } else { palette.text };
            button(
                row![line(look.say(key), size::LABEL, color).font(font::LATIN_BOLD), caps::cap(look, cap)]
                    .spacing(distance::SMALL)
                    .align_y(Center)
                    .height(Fill),
            )
            .height(distance::TOUCH)
            .padding([0.0, distance::GROUP])
            .on_press(message)
            .style(theme::press(palette, role))
        };
        let ask = container(
            column![
                strong(look.say("close-title"), size::HEADING, palette.text),
                line(look.say("close-body"), size::LABEL, palette.muted),
                space().height(distance::SMALL),
                row![
                    choice("close-stay", "Esc", Role::Primary, Message::Stay),
                    choice("close-anyway", "Enter", Role::Plain, Message::CloseAnyway),
                ]
                .spacing(distance::GAP),
            ]
            .spacing(distance::MEDIUM),
        )
        .padding(distance::PAGE)
        .max_width(560)
        .style(theme::floating(palette, distance::CARD_RADIUS));
        let veil = iced::Color { a: 0.5, ..iced::Color::BLACK };
        iced::widget::opaque(container(ask).center(Fill).style(theme::ground(veil, palette.text)))
    }
}
