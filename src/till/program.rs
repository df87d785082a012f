//! The running till: windows, routing of messages to screens, and the errands that screens ask for.

mod accounts;
mod refund;
mod scan;

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use iced::widget::{button, column, container, row, space, stack};
use iced::{Center, Element, Fill, Point, Size, Subscription, Task, Theme, keyboard, window};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::keys::{self, Stroke};
use super::sale::{Counter, Cue, Effect, Hint, Phase, Press};
use super::scanner::{Heard, Scanner};
use super::screen::cashier::{self, Around, Link, Page};
use super::screen::settings::Choice;
use super::screen::{
    accounts as accounts_page, customer, help, phone, refund as refund_page, sales, scanner as scanner_page, settings,
    story, takings,
};
use super::settings::Settings;
use super::sound::{Sound, Sounds};
use super::text::{Language, Text};
use super::theme::palette::{DARK, LIGHT};
use super::theme::{self, Look, Palette, Role, size, space as distance};
use super::widget::preview::Sight;
use super::widget::{ime, keys as caps, line, strong};
use super::{Connection, Launch, font};
use crate::api::wire::{
    ChannelView, ConfirmPayment, CreatePayment, PaymentPage, PaymentQuery, PaymentView, StoryStep, Takings,
    TakingsParams,
};
use crate::client::{self, Client, ClientError, StreamEvent};
use crate::payment::{ChannelId, PaymentId, PaymentState};
use crate::scan::serial::{Serial, SerialEvent};

/// How many sales are kept at hand.
const RECENT: u32 = 100;
/// The size that the pages were drawn for; larger windows show the same larger.
const DESIGN: Size = Size::new(1280.0, 800.0);

/// Everything that can happen.
#[derive(Clone)]
pub enum Message {
    /// A window stands.
    Opened(window::Id),
    /// A window has another size, in logical pixels of that moment.
    Sized(window::Id, Size),
    /// A window is on a screen of so many physical pixels per logical one.
    Scaled(window::Id, f32),
    /// Somebody wants to close a window.
    CloseAsked(window::Id),
    /// A window is gone.
    Closed(window::Id),
    /// Time goes on.
    Tick,
    /// The API is there, or why not.
    Connected(Box<Result<Connection, String>>),
    /// The event stream tells something.
    Stream(StreamEvent),
    /// What can be paid through.
    Channels(Result<Vec<ChannelView>, ClientError>),
    /// The last sales.
    Recent(Result<PaymentPage, ClientError>),
    /// The sales that are under way.
    InFlight(Result<PaymentPage, ClientError>),
    /// Today's takings.
    Today(Result<Takings, ClientError>),
    /// The takings of the day chosen on the takings page.
    DayTakings(Option<String>, Result<Takings, ClientError>),
    /// A sale's steps.
    Steps(PaymentId, Result<Vec<StoryStep>, ClientError>),
    /// The answer to a creation.
    Created(Box<Result<PaymentView, ClientError>>),
    /// The answer to a request for a code.
    CodeShown(PaymentId, ChannelId, Box<Result<PaymentView, ClientError>>),
    /// The answer to a submitted code.
    Submitted(PaymentId, Box<Result<PaymentView, ClientError>>),
    /// The answer to a cancellation.
    Cancelled(PaymentId, Box<Result<PaymentView, ClientError>>),
    /// A payment as it stands, after a reconnection.
    Looked(Box<Result<PaymentView, ClientError>>),
    /// A key went down in some window.
    Key(Stroke),
    /// An input method gave text.
    Composed(String),
    /// The clipboard's text.
    Pasted(Option<String>),
    /// A held-back key's time is up.
    KeysSettleAt(Instant),
    /// A camera told something.
    Scan(Heard),
    /// The serial scanner started last told something.
    Serial(u64, SerialEvent),
    /// The cashier's window.
    Cashier(cashier::Message),
    /// The sales page.
    Sales(sales::Message),
    /// The takings page.
    Takings(takings::Message),
    /// The settings page.
    Settings(settings::Message),
    /// The page that sets up cameras and scanners.
    Scanners(scanner_page::Message),
    /// The accounts page.
    Accounts(accounts_page::Message),
    /// The refund page.
    Refund(refund_page::Message),
    /// The training phone.
    Phone(phone::Message),
    /// The customer's display goes to full screen and back.
    FullScreen,
    /// Close although a sale is under way.
    CloseAnyway,
    /// Stay.
    Stay,
    /// Nothing more to do.
    Done,
}

/// A window's size in physical pixels of the system's own scale, and what it is shown enlarged by.
#[derive(Debug, Clone, Copy)]
struct Pane {
    size: Size,
    factor: f32,
}

impl Pane {
    fn of(size: Size) -> Self {
        let factor = (size.width / DESIGN.width).min(size.height / DESIGN.height).clamp(0.7, 4.0);
        Self { size, factor }
    }

    fn logical(self) -> Size {
        Size::new(self.size.width / self.factor, self.size.height / self.factor)
    }
}

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
                    self.takings.in_flight = page.payments;
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
                if let Ok(view) = answer.as_ref() {
                    self.remember(view);
                }
                let effects = self.counter.created(*answer, self.now);
                self.perform(effects)
            }
            Message::CodeShown(id, channel, answer) => {
                let effects = self.counter.code_shown(&id, &channel, *answer, self.now);
                self.perform(effects)
            }
            Message::Submitted(id, answer) => {
                let effects = self.counter.submitted(&id, *answer, self.now);
                self.perform(effects)
            }
            Message::Cancelled(id, answer) => {
                let effects = self.counter.cancelled(&id, *answer, self.now);
                self.perform(effects)
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
            Message::Cashier(message) => match message {
                cashier::Message::Press(press) => self.press(press),
                cashier::Message::Open(id) => self.open_story(&id),
                cashier::Message::Go(page) => self.go(page),
                cashier::Message::Phone => self.toggle_phone(),
                cashier::Message::Refund => self.open_refund(),
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
            Message::Phone(message) => self.phone_message(message),
            Message::FullScreen => self.toggle_full_screen(),
        }
    }

    fn tick(&mut self) -> Task<Message> {
        let Some(phone) = self.phone.as_mut().filter(|_| self.phone_open) else { return self.look_for_scanners() };
        if phone.is_over(self.now) {
            self.scanner.take_away();
        }
        phone.tick(self.now).map(Message::Phone)
    }

    fn opened(&mut self, id: window::Id) -> Task<Message> {
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

    fn open_customer(&mut self) -> Task<Message> {
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

    fn toggle_customer(&mut self) -> Task<Message> {
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

    fn toggle_full_screen(&mut self) -> Task<Message> {
        self.full_screen = !self.full_screen;
        let mode = if self.full_screen { window::Mode::Fullscreen } else { window::Mode::Windowed };
        self.customer.map_or_else(Task::none, |id| window::set_mode(id, mode))
    }

    fn sized(&mut self, id: window::Id, size: Size) -> Task<Message> {
        let factor = self.scale_factor(id);
        let _ = self.panes.insert(id, Pane::of(Size::new(size.width * factor, size.height * factor)));
        Task::none()
    }

    fn close_asked(&mut self, id: window::Id) -> Task<Message> {
        if id != self.cashier {
            return self.toggle_customer();
        }
        if self.counter.is_busy() && !self.closing {
            self.closing = true;
            return Task::none();
        }
        iced::exit()
    }

    fn closed(&mut self, id: window::Id) -> Task<Message> {
        let _ = (self.panes.remove(&id), self.screens.remove(&id));
        if id == self.cashier {
            return iced::exit();
        }
        if self.customer == Some(id) {
            self.customer = None;
        }
        Task::none()
    }

    fn connected(&mut self, result: Result<Connection, String>) -> Task<Message> {
        match result {
            Err(why) => {
                self.link = Link::Broken(why);
                Task::none()
            }
            Ok(connection) => {
                let stream = Task::run(connection.client.events(None), Message::Stream);
                if let Some(url) = &connection.sandbox_url {
                    self.phone = Some(phone::State::new(url.clone()));
                }
                self.connection = Some(connection);
                let channels = self.fetch_channels();
                Task::batch([stream, channels, self.refresh()])
            }
        }
    }

    fn client(&self) -> Option<&Client> {
        self.connection.as_ref().map(|connection| &connection.client)
    }

    /// A call to the API whose answer is a message; nothing where there is no connection yet.
    fn call<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
        &self,
        call: impl FnOnce(Client) -> F,
        then: impl Fn(T) -> Message + Send + 'static,
    ) -> Task<Message> {
        self.client().cloned().map_or_else(Task::none, |client| Task::perform(call(client), then))
    }

    fn fetch_channels(&self) -> Task<Message> {
        self.call(|client| async move { client.channels().await }, Message::Channels)
    }

    fn refresh(&self) -> Task<Message> {
        let query = PaymentQuery { limit: Some(RECENT), ..PaymentQuery::default() };
        let params = self.takings_params();
        Task::batch([
            self.call(|client| async move { client.payments(&query).await }, Message::Recent),
            self.call(|client| async move { client.takings(&params).await }, Message::Today),
        ])
    }

    fn fetch_day(&self) -> Task<Message> {
        let date = self.takings.date();
        let params = TakingsParams { date: date.clone(), ..self.takings_params() };
        self.call(
            |client| async move { client.takings(&params).await },
            move |answer| Message::DayTakings(date.clone(), answer),
        )
    }

    fn local_day(&self) -> jiff::civil::Date {
        Timestamp::from_millisecond(self.now).unwrap_or_default().to_zoned(self.zone.clone()).date()
    }

    fn streamed(&mut self, event: StreamEvent) -> Task<Message> {
        match event {
            StreamEvent::Connected => {
                self.link = Link::Online;
                if self.counter.hint == Some(Hint::Offline) {
                    self.counter.hint = None;
                }
                // What was missed while the stream was down shows in the payment itself.
                let look = self
                    .counter
                    .collecting()
                    .and_then(|collecting| collecting.view.as_ref())
                    .map(|view| view.id.clone())
                    .map_or_else(Task::none, |id| {
                        self.call(
                            |client| async move { client.payment(&id).await },
                            |answer| Message::Looked(Box::new(answer)),
                        )
                    });
                Task::batch([look, self.fetch_channels(), self.refresh()])
            }
            StreamEvent::Lost(_) => {
                self.link = Link::Offline;
                Task::none()
            }
            StreamEvent::Event(event) => self.moved(event.payment),
            // It is about no sale of this till's; the manager's screens ask for it.
            StreamEvent::Notice(notice) => {
                self.counter.hint = Some(Hint::Api { code: notice.kind, detail: notice.detail });
                self.sounds.make(Sound::Attention);
                Task::none()
            }
        }
    }

    fn moved(&mut self, view: PaymentView) -> Task<Message> {
        self.remember(&view);
        let story = match &mut self.story {
            Some(story) if self.page == Page::Story && story.sale.id == view.id => {
                story.sale = view.clone();
                let id = view.id.clone();
                self.fetch_story(id)
            }
            _ => Task::none(),
        };
        if let Some(refund) = &mut self.refund {
            refund.moved(&view);
        }
        let ended = view.state.is_end();
        let effects = self.counter.moved(view, self.now);
        let refresh = if ended && !effects.contains(&Effect::Refresh) { self.refresh_takings() } else { Task::none() };
        Task::batch([story, self.perform(effects), refresh])
    }

    fn takings_params(&self) -> TakingsParams {
        TakingsParams { currency: Some(self.counter.entry.currency()), ..TakingsParams::default() }
    }

    fn refresh_takings(&self) -> Task<Message> {
        let params = self.takings_params();
        let today = self.call(|client| async move { client.takings(&params).await }, Message::Today);
        if self.page != Page::Takings {
            return today;
        }
        let day = if self.takings.day.is_some() { self.fetch_day() } else { Task::none() };
        Task::batch([today, day, self.fetch_in_flight()])
    }

    fn fetch_in_flight(&self) -> Task<Message> {
        let query = PaymentQuery { state: Some(PaymentState::Pending), limit: Some(200), ..PaymentQuery::default() };
        self.call(|client| async move { client.payments(&query).await }, Message::InFlight)
    }

    fn remember(&mut self, view: &PaymentView) {
        match self.recent.iter_mut().find(|sale| sale.id == view.id) {
            Some(sale) if sale.version <= view.version => *sale = view.clone(),
            Some(_) => {}
            None => {
                self.recent.insert(0, view.clone());
                self.recent.truncate(RECENT as usize);
            }
        }
    }

    fn perform(&mut self, effects: Vec<Effect>) -> Task<Message> {
        self.display.prepare(&self.counter);
        let tasks: Vec<_> = effects.into_iter().map(|effect| self.errand(effect)).collect();
        Task::batch(tasks)
    }

    fn errand(&mut self, effect: Effect) -> Task<Message> {
        match effect {
            Effect::Create { amount, note } => {
                // A code may be held up any moment now.
                self.sounds.wake();
                let new = CreatePayment {
                    amount: amount.minor,
                    currency: amount.currency,
                    description: note,
                    operator: None,
                    collect_seconds: None,
                };
                let key = client::idempotency_key();
                let call = move |client: Client| async move { client.create_payment(&new, &key).await };
                self.call(call, |answer| Message::Created(Box::new(answer)))
            }
            Effect::ShowCode(id, channel) => {
                let of = (id.clone(), channel.clone());
                self.call(
                    move |client| async move { client.show_code(&id, &channel).await },
                    move |answer| Message::CodeShown(of.0.clone(), of.1.clone(), Box::new(answer)),
                )
            }
            Effect::Submit(id, code) => {
                let of = id.clone();
                self.call(
                    move |client| async move { client.scan(&id, code.expose()).await },
                    move |answer| Message::Submitted(of.clone(), Box::new(answer)),
                )
            }
            Effect::Cancel(id) => {
                let of = id.clone();
                self.call(
                    move |client| async move { client.cancel(&id).await },
                    move |answer| Message::Cancelled(of.clone(), Box::new(answer)),
                )
            }
            Effect::Confirm(id, channel) => {
                let of = id.clone();
                let seen = ConfirmPayment { channel: Some(channel), ..ConfirmPayment::default() };
                self.call(
                    move |client| async move { client.confirm(&id, &seen).await },
                    move |answer| Message::Submitted(of.clone(), Box::new(answer)),
                )
            }
            Effect::Sound(cue) => {
                let since = self.scanned_at.take().unwrap_or_else(Instant::now);
                self.sounds.make_for(sound_of(&cue), since);
                Task::none()
            }
            Effect::Refresh => self.refresh(),
        }
    }

    fn press(&mut self, press: Press) -> Task<Message> {
        if press == Press::Enter && matches!(self.counter.phase, Phase::Entry) && self.link != Link::Online {
            self.counter.hint = (self.link == Link::Offline).then_some(Hint::Offline);
            return Task::none();
        }
        let effects = self.counter.press(press);
        self.perform(effects)
    }

    // Keys.

    fn key(&mut self, stroke: Stroke) -> Task<Message> {
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

    fn settle_later(&self) -> Task<Message> {
        self.keys.wait(Instant::now()).map_or_else(Task::none, |wait| {
            let wait = wait + Duration::from_millis(1);
            Task::perform(async move { tokio::time::sleep(wait).await }, |()| Message::KeysSettleAt(Instant::now()))
        })
    }

    fn typed(&mut self, outcome: keys::Outcome) -> Task<Message> {
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

    fn stroke(&mut self, stroke: &Stroke) -> Task<Message> {
        use keyboard::key::Named;
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

    fn page_key(&mut self, stroke: &Stroke, named: Option<keyboard::key::Named>) -> Task<Message> {
        use keyboard::key::Named;
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

    fn toggle(&mut self, page: Page) -> Task<Message> {
        self.go(if self.page == page { Page::Counter } else { page })
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

    fn fetch_story(&self, id: PaymentId) -> Task<Message> {
        let of = id.clone();
        self.call(|client| async move { client.history(&id).await }, move |answer| Message::Steps(of.clone(), answer))
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

    // The training phone.

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

    // Views.

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
            training: self.training,
            link: &self.link,
            recent: &self.recent,
            today: self.today.as_ref(),
            sight: &self.sight,
            window: self.logical(window),
            phone: self.phone_open,
        };
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
            _ => self.counter.focus == super::sale::Focus::Note,
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

/// The language of the system's locale.
fn system_language() -> Language {
    ["LC_ALL", "LC_MESSAGES", "LANG"]
        .into_iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|value| !value.is_empty())
        .map_or_else(Language::default, |locale| Language::of_locale(&locale))
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

/// What is to be heard.
const fn sound_of(cue: &Cue) -> Sound {
    match cue {
        Cue::Read => Sound::Read,
        Cue::Success(..) => Sound::Success,
        Cue::Failure => Sound::Failure,
        Cue::Attention => Sound::Attention,
    }
}
