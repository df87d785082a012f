//! Somebody who listens to the event stream, and comes back where the line broke.

use std::sync::{Arc, Mutex};

use futures::StreamExt;

use super::process::House;
use super::witness::Witness;
use super::world::Fault;

pub struct Listener {
    house: Arc<House>,
    till: &'static str,
    witness: Arc<Witness>,
    heard: Mutex<Vec<i64>>,
}

impl Listener {
    pub fn start(house: &Arc<House>, till: &'static str, witness: &Arc<Witness>) -> Arc<Self> {
        let listener =
            Arc::new(Self { house: house.clone(), till, witness: witness.clone(), heard: Mutex::new(Vec::new()) });
        tokio::spawn(listener.clone().listen());
        listener
    }

    /// Every event's number, as it came.
    pub fn heard(&self) -> Vec<i64> {
        self.heard.lock().unwrap().clone()
    }

    pub fn last(&self) -> i64 {
        self.heard.lock().unwrap().last().copied().unwrap_or(0)
    }

    async fn listen(self: Arc<Self>) {
        let world = &self.house.world;
        loop {
            self.follow().await;
            world.pass(world.some(100, 5_000)).await;
        }
    }

    async fn follow(&self) {
        let world = &self.house.world;
        let last = self.last().to_string();
        let opened = self
            .house
            .open_call(Some(self.till), "GET", "/v1/events", Vec::new(), Some(("last-event-id", &last)))
            .await;
        let Ok((process, response)) = opened else { return };
        if response.status().as_u16() != 200 {
            return;
        }
        let mut chunks = response.into_body().into_data_stream();
        let mut text = String::new();
        loop {
            let chunk = tokio::select! {
                biased;
                () = process.life.died() => return,
                chunk = chunks.next() => chunk,
            };
            let Some(Ok(chunk)) = chunk else { return };
            text.push_str(&String::from_utf8_lossy(&chunk));
            while let Some(end) = text.find("\n\n") {
                self.hear(&text[..end]);
                text.drain(..end + 2);
            }
            if world.hit(Fault::StreamBroken) {
                return;
            }
        }
    }

    fn hear(&self, event: &str) {
        let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        if field("event:") == Some("connected") {
            return;
        }
        let Some(seq) = field("id:").and_then(|id| id.parse().ok()) else { return };
        self.heard.lock().unwrap().push(seq);
        // The payment's id and state come before its attempts'.
        let data = field("data:").unwrap_or_default();
        let payment = data.split_once("\"payment\":").map_or("", |(_, payment)| payment);
        let value = |name: &str| payment.split_once(name).and_then(|(_, rest)| rest.split('"').next());
        if let (Some(id), Some(state)) = (value("\"id\":\""), value("\"state\":\"")) {
            self.witness.saw(id, state);
        }
    }
}
