//! The till and its Payment API: the connection, what is fetched, and what the event stream tells.

use iced::Task;
use jiff::Timestamp;

use super::{Link, Message, Page, Till};
use crate::api::wire::{PaymentQuery, PaymentView, TakingsParams};
use crate::client::{Client, StreamEvent};
use crate::payment::{PaymentId, PaymentState};
use crate::till::Connection;
use crate::till::sale::{Effect, Hint};
use crate::till::screen::phone;
use crate::till::sound::Sound;

/// How many sales are kept at hand.
const RECENT: u32 = 100;

impl Till {
    pub(super) fn connected(&mut self, result: Result<Connection, String>) -> Task<Message> {
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
                let first = [self.fetch_channels(), self.fetch_operators(), self.refresh()];
                Task::batch([stream, Task::batch(first)])
            }
        }
    }

    pub(super) fn client(&self) -> Option<&Client> {
        self.connection.as_ref().map(|connection| &connection.client)
    }

    /// A call to the API whose answer is a message; nothing where there is no connection yet.
    pub(super) fn call<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
        &self,
        call: impl FnOnce(Client) -> F,
        then: impl Fn(T) -> Message + Send + 'static,
    ) -> Task<Message> {
        self.client().cloned().map_or_else(Task::none, |client| Task::perform(call(client), then))
    }

    pub(super) fn fetch_channels(&self) -> Task<Message> {
        self.call(|client| async move { client.channels().await }, Message::Channels)
    }

    pub(super) fn refresh(&self) -> Task<Message> {
        let query = PaymentQuery { limit: Some(RECENT), ..PaymentQuery::default() };
        let params = self.takings_params();
        Task::batch([
            self.call(|client| async move { client.payments(&query).await }, Message::Recent),
            self.call(|client| async move { client.takings(&params).await }, Message::Today),
        ])
    }

    pub(super) fn fetch_day(&self) -> Task<Message> {
        let date = self.takings.date();
        let params = TakingsParams { date: date.clone(), ..self.takings_params() };
        self.call(
            |client| async move { client.takings(&params).await },
            move |answer| Message::DayTakings(date.clone(), answer),
        )
    }

    pub(super) fn local_day(&self) -> jiff::civil::Date {
        Timestamp::from_millisecond(self.now).unwrap_or_default().to_zoned(self.zone.clone()).date()
    }

    pub(super) fn streamed(&mut self, event: StreamEvent) -> Task<Message> {
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
                Task::batch([look, self.fetch_channels(), self.fetch_operators(), self.refresh()])
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

    pub(super) fn moved(&mut self, view: PaymentView) -> Task<Message> {
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

    pub(super) fn takings_params(&self) -> TakingsParams {
        TakingsParams { currency: Some(self.counter.entry.currency()), ..TakingsParams::default() }
    }

    pub(super) fn refresh_takings(&self) -> Task<Message> {
        let params = self.takings_params();
        let today = self.call(|client| async move { client.takings(&params).await }, Message::Today);
        if self.page != Page::Takings {
            return today;
        }
        let day = if self.takings.day.is_some() { self.fetch_day() } else { Task::none() };
        Task::batch([today, day, self.fetch_in_flight()])
    }

    pub(super) fn fetch_in_flight(&self) -> Task<Message> {
        let query = PaymentQuery { state: Some(PaymentState::Pending), limit: Some(200), ..PaymentQuery::default() };
        self.call(|client| async move { client.payments(&query).await }, Message::InFlight)
    }

    pub(super) fn remember(&mut self, view: &PaymentView) {
        match self.recent.iter_mut().find(|sale| sale.id == view.id) {
            Some(sale) if sale.version <= view.version => *sale = view.clone(),
            Some(_) => {}
            None => {
                self.recent.insert(0, view.clone());
                self.recent.truncate(RECENT as usize);
            }
        }
    }

    pub(super) fn fetch_story(&self, id: PaymentId) -> Task<Message> {
        let of = id.clone();
        self.call(|client| async move { client.history(&id).await }, move |answer| Message::Steps(of.clone(), answer))
    }
}
