//! A till as its network lets it: calls get lost, cut off and repeated under the same key.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use serde::Deserialize;
use serde_json::Value;

use super::process::{House, Lost};
use super::witness::Witness;
use super::world::Fault;

/// How often a till repeats a call before it gives up.
const TRIES: u32 = 12;

pub struct Tills {
    pub house: Arc<House>,
    pub witness: Arc<Witness>,
    /// What was answered to an idempotency key.
    answered: Mutex<HashMap<String, String>>,
}

/// What a till knows of a call in the end.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub payment: Seen,
}

impl Answer {
    pub const fn is_good(&self) -> bool {
        self.status / 100 == 2
    }
}

/// What people look at of a payment; empty where the answer was no payment.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Seen {
    pub id: String,
    pub state: String,
    pub amount: i64,
    pub out_trade_no: Option<String>,
    pub attempts: Vec<SeenAttempt>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct SeenAttempt {
    pub channel: String,
    pub code: Option<String>,
}

impl Seen {
    /// What the newest shown code of that channel says.
    pub fn code_of(&self, channel: &str) -> Option<String> {
        self.attempts.iter().rev().filter(|attempt| attempt.channel == channel).find_map(|attempt| attempt.code.clone())
    }
}

impl Tills {
    pub fn new(house: &Arc<House>, witness: &Arc<Witness>) -> Arc<Self> {
        Arc::new(Self { house: house.clone(), witness: witness.clone(), answered: Mutex::default() })
    }

    /// A call that creates something: said again under its key until it is answered, and sometimes once more.
    pub async fn post(&self, till: &str, path: &str, body: &Value) -> Option<Answer> {
        let world = &self.house.world;
        let key = world.dice(|dice| format!("key-{:016x}", dice.next()));
        let mut answer = None;
        let mut again = 0;
        for _ in 0..TRIES {
            if let Ok(answered) = self.once(till, "POST", path, Some(body), Some(&key)).await {
                // Busy books, and a key that is being worked on: later.
                let later = answered.status >= 500;
                answer = Some(answered);
                if !later {
                    again += 1;
                    if again > 1 || !world.dice(|dice| dice.percent(8)) {
                        break;
                    }
                    world.pass(world.some(0, 30_000)).await;
                    continue;
                }
            }
            world.pass(world.some(200, 4_000)).await;
        }
        answer
    }

    pub async fn get(&self, till: &str, path: &str) -> Option<Answer> {
        let answer = self.once(till, "GET", path, None, None).await.ok()?;
        answer.is_good().then_some(answer)
    }

    async fn once(
        &self,
        till: &str,
        method: &str,
        path: &str,
        body: Option<&Value>,
        key: Option<&str>,
    ) -> Result<Answer, Lost> {
        let world = &self.house.world;
        if world.hit(Fault::CallLost) {
            return Err(Lost);
        }
        let body = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
        let call = self.house.call(Some(till), method, path, body, key.map(|key| ("idempotency-key", key)));
        let (status, body) = if world.hit(Fault::CallDropped) {
            tokio::select! {
                biased;
                answer = call => answer?,
                () = world.pass(world.some(0, 3_000)) => return Err(Lost),
            }
        } else {
            call.await?
        };
        let text = std::str::from_utf8(&body).unwrap_or_default();
        if status / 100 == 2
            && let Some(key) = key
        {
            self.same_as_before(key, text);
        }
        if world.hit(Fault::CallAnswerLost) {
            return Err(Lost);
        }
        let payment: Seen = serde_json::from_str(text).unwrap_or_default();
        world.tell(format_args!("{till} {method} {path}: {status} {}", payment.state));
        let answer = Answer { status, payment };
        if answer.is_good() && path.starts_with("/v1/payments") {
            self.witness.saw(&answer.payment.id, &answer.payment.state);
        }
        Ok(answer)
    }

    fn same_as_before(&self, key: &str, text: &str) {
        let mut answered = self.answered.lock().unwrap();
        match answered.get(key) {
            Some(before) if before != text => {
                let brief = |text: &str| {
                    let payment: Value = serde_json::from_str(text).unwrap_or_default();
                    format!("{} {} version {}", payment["id"], payment["pending"], payment["version"])
                };
                let (before, now) = (brief(before), brief(text));
                self.house.world.wrong(format!("the same call was answered with {before}, then with {now}"));
            }
            Some(_) => {}
            None => {
                answered.insert(key.to_owned(), text.to_owned());
            }
        }
    }
}
