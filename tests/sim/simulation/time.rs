//! Simulated time. It stands still while anything can run, and jumps to the next moment that somebody waits for once
//! nothing can.

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures::future::BoxFuture;
use scantill::engine::Time;
use scantill::payment::UnixMillis;

/// 2026-11-24T02:00:00Z, ten in the morning of the shop.
const BEGINNING: UnixMillis = 1_795_485_600_000;

/// So many waits begin at one moment only where somebody waits for what is over, again and again.
const WAITS_AT_A_MOMENT: u64 = 100_000;

/// Who waits for which moment; of one moment in the order in which they came.
struct Waiting {
    now: UnixMillis,
    came: u64,
    until: BTreeMap<(UnixMillis, u64), Waker>,
    beat: Option<Waker>,
    /// How many waits began at this moment.
    begun: u64,
}

/// The one time of a simulated world.
pub struct Timeline(Mutex<Waiting>);

impl Timeline {
    pub fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(Waiting { now: BEGINNING, came: 0, until: BTreeMap::new(), beat: None, begun: 0 })))
    }

    pub fn now(&self) -> UnixMillis {
        self.0.lock().unwrap().now
    }

    /// Ready after so many milliseconds.
    ///
    /// # Panics
    /// Time would stand still for ever: the task that asks goes down with it, and what it had to do stays undone.
    pub fn pass(self: &Arc<Self>, millis: i64) -> Pass {
        let mut waiting = self.0.lock().unwrap();
        waiting.begun += 1;
        let stands_still = waiting.begun > WAITS_AT_A_MOMENT;
        if stands_still {
            waiting.begun = 0;
        }
        drop(waiting);
        assert!(!stands_still, "time stands still: somebody waits for what is over, again and again");
        Pass { line: self.clone(), until: self.now() + millis.max(0), place: None }
    }

    /// Nothing can run: goes on to the next moment.
    pub fn advance(&self) {
        let mut waiting = self.0.lock().unwrap();
        let Some(((at, _), waker)) = waiting.until.pop_first() else { return };
        if at > waiting.now {
            (waiting.now, waiting.begun) = (at, 0);
        }
        let beat = waiting.beat.take();
        drop(waiting);
        waker.wake();
        if let Some(beat) = beat {
            beat.wake();
        }
    }

    /// Wakes with each moment. Where a moment wakes nobody else, as whoever waited for it has gone meanwhile or was woken
    /// through another, the thread would sleep for ever.
    pub async fn beat(self: Arc<Self>) {
        loop {
            let mut waits = false;
            poll_fn(|context| {
                if std::mem::replace(&mut waits, true) {
                    return Poll::Ready(());
                }
                self.0.lock().unwrap().beat = Some(context.waker().clone());
                Poll::Pending
            })
            .await;
        }
    }
}

/// A wait.
pub struct Pass {
    line: Arc<Timeline>,
    until: UnixMillis,
    place: Option<(UnixMillis, u64)>,
}

impl Future for Pass {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let line = self.line.clone();
        let mut waiting = line.0.lock().unwrap();
        if let Some(place) = self.place.take() {
            waiting.until.remove(&place);
        }
        if waiting.now >= self.until {
            return Poll::Ready(());
        }
        waiting.came += 1;
        let place = (self.until, waiting.came);
        waiting.until.insert(place, context.waker().clone());
        self.place = Some(place);
        Poll::Pending
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            self.line.0.lock().unwrap().until.remove(&place);
        }
    }
}

/// The clock of one machine: the world's time, and how wrong it is set.
pub struct MachineClock {
    line: Arc<Timeline>,
    wrong_by: AtomicI64,
    stepped: AtomicI64,
}

impl MachineClock {
    pub fn new(line: Arc<Timeline>, wrong_by: i64) -> Arc<Self> {
        Arc::new(Self { line, wrong_by: AtomicI64::new(wrong_by), stepped: AtomicI64::new(0) })
    }

    /// From now on it is wrong by so much, under the hands of whoever reads it.
    pub fn set(&self, wrong_by: i64) {
        let before = self.wrong_by.swap(wrong_by, Ordering::Relaxed);
        self.stepped.fetch_add(wrong_by - before, Ordering::Relaxed);
    }
}

impl Time for MachineClock {
    fn now(&self) -> UnixMillis {
        self.line.now() + self.wrong_by.load(Ordering::Relaxed)
    }

    fn stepped(&self) -> i64 {
        self.stepped.load(Ordering::Relaxed)
    }

    fn pass(&self, duration: Duration) -> BoxFuture<'static, ()> {
        // Whoever waits for ever waits for longer than any simulation lasts.
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX).min(1_000 * 24 * 3_600_000);
        Box::pin(self.line.pass(millis))
    }
}
