//! The running till: windows, routing of messages to screens, and the errands that screens ask for.

mod accounts;
mod api;
mod errands;
mod keyboard;
mod message;
mod refund;
mod scan;
mod sign_in;
mod view;
mod windows;

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use iced::{Size, Subscription, Task, Theme, window};
use jiff::Timestamp;
use jiff::tz::TimeZone;

pub use self::message::Message;
use self::sign_in::Who;
use self::windows::Pane;
use super::keys;
use super::sale::{Counter, Press};
use super::scanner::Scanner;
use super::screen::cashier::{self, Link, Page};
use super::screen::settings::Choice;
use super::screen::{
    accounts as accounts_page, customer, phone, refund as refund_page, sales, scanner as scanner_page, settings,
    sign_in as sign_in_page, story, takings,
};
use super::settings::Settings;
use super::sound::Sounds;
use super::text::{Language, Text};
use super::theme::palette::{DARK, LIGHT};
use super::theme::{self, Palette};
use super::widget::preview::Sight;
use super::{Connection, Launch};
use crate::api::wire::{PaymentView, Takings};
use crate::payment::PaymentId;
use crate::scan::serial::Serial;

/// The till.
pub struct Till {
    cashier: window::Id,
    customer: Option<window::Id>,
    wants_customer: bool,
    full_screen: bool,
    window_size: Size,
    panes: HashMap<window::Id, Pane>,
    /// Physical pixels per logical one by the system, for each window.
    screens: HashMap<window::Id, f32>,

    connection: Option<Connection>,
    link: Link,
    who: Who,
    /// When somebody last did something here, in Unix milliseconds.
    touched_at: i64,
    training: bool,

    counter: Counter,
    page: Page,
    back: Page,
    sales: sales::State,
    story: Option<story::State>,
    takings: takings::State,
    settings_page: settings::State,
    scanner_page: scanner_page::State,
    accounts: accounts_page::State,
    refund: Option<refund_page::State>,
    phone: Option<phone::State>,
    phone_open: bool,
    display: customer::State,
    closing: bool,

    recent: Vec<PaymentView>,
    today: Option<Takings>,

    settings: Settings,
    settings_file: Option<PathBuf>,
    palette: &'static Palette,
    words: Text,
    zone: TimeZone,
    now: i64,
    started: Instant,

    scanner: Scanner,
    serial: Option<Serial>,
    serial_turn: u64,
    /// When cameras and ports were looked for last.
    listed_at: i64,
    sight: Sight,
    /// When the code was read that is being seen to.
    scanned_at: Option<Instant>,
    keys: keys::Keys,
    sounds: Sounds,
}

impl Till {
    /// The till with its first window on its way, and everything slow begun behind it.
    pub fn boot(launch: Launch) -> (Self, Task<Message>) {
        let mut till = Self::new(&launch);
        let settings = window::Settings {
            size: till.window_size,
            min_size: Some(Size::new(960.0, 640.0)),
            exit_on_close_request: false,
            icon: None,
            ..window::Settings::default()
        };
        let (id, open) = window::open(settings);
        till.cashier = id;
        let connect = Task::perform((launch.connect)(), |result| Message::Connected(Box::new(result)));
        let scan = till.scanner.start(till.settings.camera.as_deref(), launch.camera).map(Message::Scan);
        till.scanner.set_mirror(till.settings.mirror);
        let serial = till.start_serial();
        (till, Task::batch([open.map(Message::Opened), connect, scan, serial]))
    }

    /// The till without windows and errands: what tests look at.
    #[must_use]
    pub fn new(launch: &Launch) -> Self {
        let settings = Settings::load(launch.settings_file.as_deref());
        let language = launch
            .language
            .or_else(|| settings.language.as_deref().map(Language::of_locale))
            .unwrap_or_else(system_language);
        let dark = launch.dark.or(settings.dark).unwrap_or(false);
        let (width, height) = launch.window_size.unwrap_or((1280, 800));
        let mut keys = keys::Keys::default();
        keys.set(settings.wedge.clone());
        Self {
            cashier: window::Id::unique(),
            customer: None,
            wants_customer: launch.customer_display,
            full_screen: false,
            window_size: Size::new(width as f32, height as f32),
            panes: HashMap::new(),
            screens: HashMap::new(),
            connection: None,
            link: Link::Starting,
            who: Who::default(),
            touched_at: Timestamp::now().as_millisecond(),
            training: false,
            counter: Counter::taking(launch.currency),
            page: Page::Counter,
            back: Page::Counter,
            sales: sales::State::default(),
            story: None,
            takings: takings::State::default(),
            settings_page: settings::State::default(),
            scanner_page: scanner_page::State::default(),
            accounts: accounts_page::State::default(),
            refund: None,
            phone: None,
            phone_open: false,
            display: customer::State::with_logo(launch.logo.clone()),
            closing: false,
            recent: Vec::new(),
            today: None,
            sounds: Sounds::new(settings.sound),
            settings,
            settings_file: launch.settings_file.clone(),
            palette: if dark { &DARK } else { &LIGHT },
            words: Text::new(language),
            zone: TimeZone::system(),
            now: Timestamp::now().as_millisecond(),
            started: launch.started,
            scanner: Scanner::default(),
            serial: None,
            serial_turn: 0,
            listed_at: 0,
            sight: Sight::default(),
            scanned_at: None,
            keys,
        }
    }

    /// The cashier's window.
    #[must_use]
    pub const fn cashier_window(&self) -> window::Id {
        self.cashier
    }

    /// The customer's display, where it is open.
    #[must_use]
    pub const fn customer_window(&self) -> Option<window::Id> {
        self.customer
    }

    /// The counter, to look at.
    #[must_use]
    pub const fn counter(&self) -> &Counter {
        &self.counter
    }

    /// A window's title.
    #[must_use]
    pub fn title(&self, window: window::Id) -> String {
        let what = if window == self.cashier { "title-cashier" } else { "title-customer" };
        format!("Scantill · {}", self.words.t(what))
    }

    /// The theme for what widgets draw by themselves.
    #[must_use]
    pub fn theme(&self, _window: window::Id) -> Theme {
        theme::iced_theme(self.palette)
    }

    /// How much a window's content is enlarged.
    #[must_use]
    pub fn scale_factor(&self, window: window::Id) -> f32 {
        self.panes.get(&window).map_or(1.0, |pane| pane.factor)
    }

    /// What goes on without being asked for.
    pub fn subscription(&self) -> Subscription<Message> {
        let tick = if self.counter.is_busy() && self.settings.motion {
            Duration::from_millis(50)
        } else {
            Duration::from_secs(1)
        };
        Subscription::batch([
            iced::event::listen_with(keys::listen),
            window::close_requests().map(Message::CloseAsked),
            window::close_events().map(Message::Closed),
            iced::time::every(tick).map(|_| Message::Tick),
        ])
    }

    /// Routes a message.
    pub fn update(&mut self, message: Message) -> Task<Message> {
        self.now = Timestamp::now().as_millisecond();
        let by_hand = matches!(
            message,
            Message::Key(_)
                | Message::Composed(_)
                | Message::Cashier(_)
                | Message::Sales(_)
                | Message::Takings(_)
                | Message::Settings(_)
                | Message::Accounts(_)
                | Message::Refund(_)
        );
        // The list of ports comes by itself, again and again.
        let ports = |page: &scanner_page::Message| matches!(page, scanner_page::Message::Ports(_));
        if by_hand || matches!(&message, Message::Scanners(page) if !ports(page)) {
            self.touched();
        }
        let task = self.route(message);
        self.scanner.want_preview(self.shows_picture());
        task
    }

    fn route(&mut self, message: Message) -> Task<Message> {
        match message {
            Message::Done => Task::none(),
            Message::Tick => self.tick(),
            Message::Opened(id) => {
                let scale = window::scale_factor(id).map(move |scale| Message::Scaled(id, scale));
                Task::batch([self.opened(id), scale])
            }
            Message::Scaled(id, scale) => {
                let _ = self.screens.insert(id, scale);
                Task::none()
            }
            Message::Sized(id, size) => self.sized(id, size),
            Message::CloseAsked(id) => self.close_asked(id),
            Message::Closed(id) => self.closed(id),
            Message::CloseAnyway => iced::exit(),
            Message::Stay => {
                self.closing = false;
                Task::none()
            }
            Message::Connected(result) => self.connected(*result),
            Message::Stream(event) => self.streamed(event),
            Message::Channels(answer) => {
                if let Ok(channels) = answer {
                    self.training = !channels.is_empty() && channels.iter().all(|channel| channel.training);
                    self.counter.channels = channels;
                }
                Task::none()
            }
            Message::Recent(answer) => {
                if let Ok(page) = answer {
                    self.recent = page.payments;
                }
                Task::none()
            }
            Message::InFlight(answer) => {
                if let Ok(page) = answer {
                    let currency = self.counter.entry.currency();
                    self.takings.in_flight =
                        page.payments.into_iter().filter(|sale| sale.currency == currency).collect();
                }
                Task::none()
            }
            Message::Today(answer) => {
                if let Ok(takings) = answer {
                    if self.takings.day.is_none() {
                        self.takings.takings = Some(Ok(takings.clone()));
                    }
                    self.today = Some(takings);
                }
                Task::none()
            }
            Message::DayTakings(date, answer) => {
                if date == self.takings.date() {
                    self.takings.takings = Some(answer.map_err(|error| error.to_string()));
                }
                Task::none()
            }
            Message::Steps(id, answer) => {
                if let Some(story) = &mut self.story
                    && story.sale.id == id
                {
                    story.steps = Some(answer.map_err(|error| error.to_string()));
                }
                Task::none()
            }
            Message::Created(answer) => {
                let who = self.look_who(answer.as_ref().as_ref());
                if let Ok(view) = answer.as_ref() {
                    self.remember(view);
                }
                let effects = self.counter.created(*answer, self.now);
                Task::batch([who, self.perform(effects)])
            }
            Message::CodeShown(id, channel, answer) => {
                let who = self.look_who(answer.as_ref().as_ref());
                let effects = self.counter.code_shown(&id, &channel, *answer, self.now);
                Task::batch([who, self.perform(effects)])
            }
            Message::Submitted(id, answer) => {
                let who = self.look_who(answer.as_ref().as_ref());
                let effects = self.counter.submitted(&id, *answer, self.now);
                Task::batch([who, self.perform(effects)])
            }
            Message::Cancelled(id, answer) => {
                let who = self.look_who(answer.as_ref().as_ref());
                let effects = self.counter.cancelled(&id, *answer, self.now);
                Task::batch([who, self.perform(effects)])
            }
            Message::Looked(answer) => match *answer {
                Ok(view) => self.moved(view),
                Err(_) => Task::none(),
            },
            Message::Key(stroke) => self.key(stroke),
            Message::KeysSettleAt(now) => {
                let outcome = self.keys.settle(now);
                let settle = self.settle_later();
                Task::batch([self.typed(outcome), settle])
            }
            Message::Composed(text) if self.is_locked() => self.sign_in_message(sign_in_page::Message::Text(text)),
            Message::Composed(text) if self.page == Page::Accounts => {
                self.accounts_message(accounts_page::Message::Text(text))
            }
            Message::Composed(text) if self.page == Page::Refund => {
                self.refund_message(refund_page::Message::Text(text))
            }
            Message::Composed(text) => self.press(Press::Text(text)),
            Message::Pasted(text) => text.map_or_else(Task::none, |text| self.press(Press::Paste(text))),
            Message::Scan(heard) => self.heard(heard),
            Message::Serial(turn, event) => self.serial_told(turn, event),
            Message::Scanners(message) => self.scanners_message(message),
            Message::Cashier(_) if self.is_locked() => Task::none(),
            Message::Cashier(message) => match message {
                cashier::Message::Press(press) => self.press(press),
                cashier::Message::Open(id) => self.open_story(&id),
                cashier::Message::Go(page) => self.go(page),
                cashier::Message::Phone => self.toggle_phone(),
                cashier::Message::Refund => self.open_refund(),
                cashier::Message::Lock => self.lock(),
            },
            Message::Sales(message) => match self.sales.update(&message, &self.recent) {
                sales::Action::None => Task::none(),
                sales::Action::Scroll(task) => task.map(|()| Message::Done),
                sales::Action::Open(id) => self.open_story(&id),
            },
            Message::Takings(message) => match self.takings.update(&message, self.local_day()) {
                takings::Action::None => Task::none(),
                takings::Action::Fetch => self.fetch_day(),
            },
            Message::Settings(message) => {
                let choice = self.settings_page.update(message, &self.settings, self.customer.is_some());
                choice.map_or_else(Task::none, |choice| self.take(choice))
            }
            Message::Accounts(message) => {
                let stored = matches!(message, accounts_page::Message::Kept(_) | accounts_page::Message::Removed(_));
                let channels = if stored { self.fetch_channels() } else { Task::none() };
                Task::batch([self.accounts_message(message), channels])
            }
            Message::Refund(message) => self.refund_message(message),
            Message::Operators(answer) => self.operators_told(answer),
            Message::SignIn(message) => self.sign_in_message(message),
            Message::SignedIn(answer) => self.signed_in(*answer),
            Message::Lock => self.lock(),
            Message::Phone(message) => self.phone_message(message),
            Message::FullScreen => self.toggle_full_screen(),
        }
    }

    fn tick(&mut self) -> Task<Message> {
        let lock = self.lock_where_nobody_is();
        let Some(phone) = self.phone.as_mut().filter(|_| self.phone_open) else {
            return Task::batch([lock, self.look_for_scanners()]);
        };
        if phone.is_over(self.now) {
            self.scanner.take_away();
        }
        Task::batch([lock, phone.tick(self.now).map(Message::Phone)])
    }

    fn go(&mut self, page: Page) -> Task<Message> {
        if self.page == Page::Accounts && page != Page::Accounts {
            self.accounts.close();
        }
        if self.page == Page::Scanners && page != Page::Scanners {
            self.scanner_page.close();
        }
        self.page = page;
        match page {
            Page::Accounts => self.open_accounts(),
            Page::Takings => {
                self.takings.day = None;
                self.refresh_takings()
            }
            Page::Sales => self.refresh(),
            Page::Settings | Page::Scanners => self.open_scanners(),
            Page::Counter | Page::Story | Page::Help | Page::Refund => Task::none(),
        }
    }

    fn open_story(&mut self, id: &PaymentId) -> Task<Message> {
        let Some(sale) = self.recent.iter().find(|sale| sale.id == *id) else { return Task::none() };
        self.story = Some(story::State { sale: sale.clone(), steps: None });
        self.back = if self.page == Page::Sales { Page::Sales } else { Page::Counter };
        self.page = Page::Story;
        self.fetch_story(id.clone())
    }

    fn take(&mut self, choice: Choice) -> Task<Message> {
        let task = match choice {
            Choice::Language(language) => {
                self.words = Text::new(language);
                self.settings.language = Some(language.tag().to_owned());
                Task::none()
            }
            Choice::Dark(dark) => {
                self.palette = if dark { &DARK } else { &LIGHT };
                self.settings.dark = Some(dark);
                Task::none()
            }
            Choice::Motion(on) => {
                self.settings.motion = on;
                Task::none()
            }
            Choice::Sound(on) => {
                self.settings.sound = on;
                self.sounds = Sounds::new(on);
                Task::none()
            }
            Choice::Display(_) => return self.toggle_customer(),
            Choice::Accounts => return self.go(Page::Accounts),
            Choice::Scanners => return self.go(Page::Scanners),
            Choice::Mirror(on) => {
                self.settings.mirror = on;
                self.scanner.set_mirror(on);
                Task::none()
            }
            Choice::Wedge(wedge) => {
                self.keys.set(wedge.clone());
                self.settings.wedge = wedge;
                Task::none()
            }
            Choice::Serial(serial) => self.set_serial(serial),
            Choice::Camera(spec) => {
                self.settings.camera = Some(spec.clone());
                self.scanner.choose(&spec).map(Message::Scan)
            }
        };
        if let Some(file) = &self.settings_file
            && let Err(error) = self.settings.save(file)
        {
            tracing::warn!(%error, file = %file.display(), "the settings cannot be kept");
        }
        task
    }

    fn toggle_phone(&mut self) -> Task<Message> {
        let Some(phone) = &mut self.phone else { return Task::none() };
        self.phone_open = !self.phone_open;
        self.page = Page::Counter;
        if self.phone_open { phone.open(self.now).map(Message::Phone) } else { Task::none() }
    }

    fn phone_message(&mut self, message: phone::Message) -> Task<Message> {
        let Some(phone) = &mut self.phone else { return Task::none() };
        let codes = self
            .counter
            .collecting()
            .map(|collecting| collecting.shown_codes(&self.counter.channels))
            .unwrap_or_default();
        match phone.update(message, &codes, self.now) {
            phone::Action::None => Task::none(),
            phone::Action::Run(task) => task.map(Message::Phone),
            phone::Action::HoldUp(code) => self.scanner.hold_up(code).map(Message::Scan),
        }
    }
}

/// The language of the system's locale.
fn system_language() -> Language {
    ["LC_ALL", "LC_MESSAGES", "LANG"]
        .into_iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|value| !value.is_empty())
        .map_or_else(Language::default, |locale| Language::of_locale(&locale))
}
