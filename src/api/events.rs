//! The event stream: every row about a payment, in order, at least once, resumed after the last one seen.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State as FromState;
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::stream::{self, Stream};
use serde::Deserialize;
use tokio::sync::watch;

use super::Shared;
use super::auth::Caller;
use super::extract::Params;
use super::feed::Told;
use super::problem::Answer;
use super::watch::Subscriber;
use super::wire::{EventView, Problem};
use crate::ledger::LedgerError;

/// A comment this often tells a client that the stream still stands.
const KEEP_ALIVE: Duration = Duration::from_secs(5);
/// How long to wait before books that could not be read are read again.
const READ_AGAIN: Duration = Duration::from_millis(500);

/// Where to resume, for clients that cannot set `Last-Event-ID`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct After {
    after: Option<i64>,
}

struct Reader {
    state: Shared,
    caller: Caller,
    watch: watch::Receiver<i64>,
    last: i64,
    waiting: VecDeque<Arc<Told>>,
    _counted: Subscriber,
}

/// Events about the caller's store (an admin's: about every store), from the one after `Last-Event-ID` on.
#[utoipa::path(get, path = "/v1/events", tag = "notices",
    params(("Last-Event-ID" = Option<i64>, Header, description = "resume after this event"),
           ("after" = Option<i64>, Query, description = "the same, for clients that cannot set the header")),
    responses((status = 200, description = "server-sent events: first `connected`, whose `id` is where the stream begins; then `data` is an EventView; under the event `notice` it is a NoticeView (admins only)", content_type = "text/event-stream", body = EventView)))]
pub(super) async fn events(
    FromState(state): FromState<Shared>,
    caller: Caller,
    Params(After { after }): Params<After>,
    headers: HeaderMap,
) -> Answer<Sse<impl Stream<Item = Result<Event, Infallible>>>> {
    let watch = state.engine.ledger().watch();
    let newest = *watch.borrow();
    let last = match headers.get("last-event-id") {
        None => after.unwrap_or(newest),
        Some(id) => id.to_str().ok().and_then(|id| id.parse().ok()).ok_or_else(|| {
            Problem::new(StatusCode::BAD_REQUEST, "last_event_id_invalid", "Last-Event-ID is the number of an event")
        })?,
    };
    let stopping = state.stopping.clone().cancelled_owned();
    let counted = Subscriber::new(&state.metrics);
    let reader = Reader { state, caller, watch, last, waiting: VecDeque::new(), _counted: counted };
    let events = stream::unfold(reader, |mut reader| async move {
        let event = reader.next().await?;
        Some((Ok(event), reader))
    });
    // Tells a client that begins from now where it began, so that it can resume there.
    let hello = Event::default().event("connected").id(last.to_string()).data("{}");
    let events = futures::StreamExt::chain(stream::once(async { Ok(hello) }), events);
    let events = futures::StreamExt::take_until(events, Box::pin(stopping));
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

impl Reader {
    async fn next(&mut self) -> Option<Event> {
        loop {
            match self.look().await {
                Ok(Some(event)) => return Some(event),
                Ok(None) => self.watch.changed().await.ok()?,
                Err(error) => {
                    tracing::error!(%error, "events cannot be read; trying again");
                    self.state.engine.clock().sleep(READ_AGAIN).await;
                }
            }
        }
    }

    /// The next event that is for the caller; `None` where there is none yet.
    async fn look(&mut self) -> Result<Option<Event>, LedgerError> {
        loop {
            while let Some(told) = self.waiting.pop_front() {
                self.last = told.seq;
                if self.caller.admin || told.store.as_ref() == Some(&self.caller.store) {
                    return Ok(Some(Event::default().id(told.seq.to_string()).event(&told.name).data(&told.data)));
                }
            }
            let newest = *self.watch.borrow_and_update();
            let told = self.state.feed.after(self.state.engine.ledger(), self.last, newest).await?;
            if told.is_empty() {
                return Ok(None);
            }
            self.waiting = told.into();
        }
    }
}
