//! The event stream: sets itself up again and resumes after the last event, for ever.

use std::time::Duration;

use eventsource_stream::Eventsource;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use reqwest::Method;

use super::{Call, Client, ClientError, lost, read};
use crate::api::wire::{EventView, NoticeView};

/// The server sends a sign of life each 5 s; after this long without one the stream is taken for dead.
const SILENCE: Duration = Duration::from_secs(15);
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What the event stream tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamEvent {
    /// The stream stands; from here on nothing is missed.
    Connected,
    /// Something happened.
    Event(Box<EventView>),
    /// Something about no payment that a person has to look at.
    Notice(Box<NoticeView>),
    /// The stream broke; it is being set up again and resumes after the last event.
    Lost(String),
}

type Bytes = BoxStream<'static, Result<Vec<u8>, String>>;
type Events = BoxStream<'static, Result<eventsource_stream::Event, String>>;

struct State {
    client: Client,
    after: Option<i64>,
    stream: Option<Events>,
    pause: Duration,
    told_lost: bool,
}

impl Client {
    /// Events after `after` (`None`: from now on), for ever: it sets itself up again and resumes by itself.
    #[must_use]
    pub fn events(&self, after: Option<i64>) -> BoxStream<'static, StreamEvent> {
        let state = State { client: self.clone(), after, stream: None, pause: Duration::ZERO, told_lost: false };
        stream::unfold(state, |mut state| async move {
            let event = state.next().await;
            Some((event, state))
        })
        .boxed()
    }

    async fn connect(&self, after: Option<i64>) -> Result<Events, ClientError> {
        let path = after.map_or_else(|| "/v1/events".to_owned(), |after| format!("/v1/events?after={after}"));
        let call = Call { method: Method::GET, path, body: Vec::new(), idempotency_key: None };
        let request = self.sign(&call).header("Accept", "text/event-stream");
        let answer = match tokio::time::timeout(SILENCE, request.send()).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return Err(lost(&error)),
            Err(_) => return Err(ClientError::NoAnswer),
        };
        if !answer.status().is_success() {
            let refused = read::<serde_json::Value>(answer).await.err();
            if let Some(ClientError::Refused(problem)) = &refused
                && problem.code == "stale_request"
            {
                self.learn_clock().await?;
            }
            return Err(refused.unwrap_or(ClientError::NoAnswer));
        }
        // A keep-alive comment is no event: silence is measured on the bytes.
        let bytes: Bytes = stream::unfold(answer.bytes_stream(), |mut bytes| async move {
            let item = match tokio::time::timeout(SILENCE, bytes.next()).await {
                Ok(None) => return None,
                Ok(Some(Ok(chunk))) => Ok(chunk.to_vec()),
                Ok(Some(Err(error))) => Err(error.to_string()),
                Err(_) => Err("no sign of life".to_owned()),
            };
            Some((item, bytes))
        })
        .boxed();
        Ok(bytes.eventsource().map(|event| event.map_err(|error| error.to_string())).boxed())
    }
}

impl State {
    async fn next(&mut self) -> StreamEvent {
        loop {
            let Some(stream) = &mut self.stream else {
                tokio::time::sleep(self.pause).await;
                self.pause = (self.pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE);
                match self.client.connect(self.after).await {
                    Ok(stream) => {
                        self.stream = Some(stream);
                        continue;
                    }
                    Err(_) if self.told_lost => continue,
                    Err(error) => {
                        self.told_lost = true;
                        return StreamEvent::Lost(error.to_string());
                    }
                }
            };
            let why = match stream.next().await {
                Some(Ok(event)) => {
                    self.pause = FIRST_PAUSE;
                    if event.event == "connected" {
                        self.after = event.id.parse().ok().or(self.after);
                        self.told_lost = false;
                        return StreamEvent::Connected;
                    }
                    if event.event == "notice"
                        && let Ok(notice) = serde_json::from_str::<NoticeView>(&event.data)
                    {
                        self.after = Some(notice.seq);
                        return StreamEvent::Notice(Box::new(notice));
                    }
                    match serde_json::from_str::<EventView>(&event.data) {
                        Ok(view) => {
                            self.after = Some(view.seq);
                            return StreamEvent::Event(Box::new(view));
                        }
                        Err(error) => error.to_string(),
                    }
                }
                Some(Err(error)) => error,
                None => "the server ended it".to_owned(),
            };
            self.stream = None;
            if !std::mem::replace(&mut self.told_lost, true) {
                return StreamEvent::Lost(why);
            }
        }
    }
}
