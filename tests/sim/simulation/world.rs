//! What everything in a simulated world shares: time, chance, what goes wrong, and what is told of it.

use std::fmt::{self, Write as _};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use scantill::payment::UnixMillis;

use super::dice::Dice;
use super::time::{Pass, Timeline};

/// What can go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A request to a provider never arrives.
    RequestLost,
    /// It arrives late, within its time limit.
    RequestSlow,
    /// It arrives twice.
    RequestTwice,
    /// It was carried out, and the answer is lost.
    AnswerLost,
    /// The answer comes late, or too late.
    AnswerSlow,
    /// 5xx, and nothing was done.
    ServerError,
    /// 5xx, or the provider's "unknown", and it was done.
    UnknownDone,
    /// A notification does not arrive this time.
    NoticeLost,
    /// It arrives much later.
    NoticeLate,
    /// It arrives twice.
    NoticeTwice,
    /// Somebody sends one that the provider never signed.
    NoticeForged,
    /// Somebody sends an old one again.
    NoticeReplayed,
    /// The provider signs another amount.
    NoticeWrongAmount,
    /// A provider takes another amount of a scanned code's wallet than it was asked for.
    WrongAmountTaken,
    /// A process dies.
    Killed,
    /// A process comes back only after hours.
    LongOutage,
    /// A machine's clock is set wrong when its process starts.
    ClockWrong,
    /// It is set while its process runs.
    ClockSet,
    /// The disk is full for a while.
    DiskFull,
    /// Another program holds the database for a while.
    DiskLocked,
    /// The disk takes its time.
    DiskSlow,
    /// A write is durable, and the answer is lost.
    WriteAnswerLost,
    /// A till's request does not arrive.
    CallLost,
    /// A till hangs up while its call is worked on.
    CallDropped,
    /// A till's call is answered, and the answer is lost.
    CallAnswerLost,
    /// The line of somebody who listens to events breaks.
    StreamBroken,
}

/// How often each goes wrong, of ten thousand occasions.
const ODDS: [(Fault, u64); 26] = [
    (Fault::RequestLost, 150),
    (Fault::RequestSlow, 150),
    (Fault::RequestTwice, 100),
    (Fault::AnswerLost, 200),
    (Fault::AnswerSlow, 150),
    (Fault::ServerError, 150),
    (Fault::UnknownDone, 200),
    (Fault::NoticeLost, 1_500),
    (Fault::NoticeLate, 800),
    (Fault::NoticeTwice, 500),
    (Fault::NoticeForged, 300),
    (Fault::NoticeReplayed, 300),
    (Fault::NoticeWrongAmount, 100),
    (Fault::WrongAmountTaken, 50),
    (Fault::Killed, 6_000),
    (Fault::LongOutage, 500),
    (Fault::ClockWrong, 2_000),
    (Fault::ClockSet, 3_000),
    (Fault::DiskFull, 10),
    (Fault::DiskLocked, 20),
    (Fault::DiskSlow, 50),
    (Fault::WriteAnswerLost, 30),
    (Fault::CallLost, 200),
    (Fault::CallDropped, 300),
    (Fault::CallAnswerLost, 300),
    (Fault::StreamBroken, 100),
];

/// A running digest of everything that is told, and the text where somebody wants to read it.
struct Trace {
    digest: u64,
    aloud: bool,
}

impl fmt::Write for Trace {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // FNV-1a.
        for byte in text.bytes() {
            self.digest = (self.digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        if self.aloud {
            eprint!("{text}");
        }
        Ok(())
    }
}

pub struct World {
    pub line: Arc<Timeline>,
    dice: Mutex<Dice>,
    odds: [u64; ODDS.len()],
    calm: AtomicBool,
    faults: AtomicU64,
    /// How many people and messages still have something to do.
    busy: AtomicU64,
    trace: Mutex<Trace>,
    wrongs: Mutex<Vec<String>>,
}

/// Somebody who still has something to do.
pub struct Busy(Arc<World>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.busy.fetch_sub(1, Ordering::Relaxed);
    }
}

impl World {
    pub fn new(line: Arc<Timeline>, seed: u64, aloud: bool) -> Arc<Self> {
        let mut dice = Dice::new(seed);
        // Each world has troubles of its own: some never happen, some all the time.
        let odds = ODDS.map(|(_, usual)| match dice.below(6) {
            0 | 1 => 0,
            2..=4 => usual,
            _ => (usual * 5).min(9_000),
        });
        Arc::new(Self {
            line,
            dice: Mutex::new(dice),
            odds,
            calm: AtomicBool::new(false),
            faults: AtomicU64::new(0),
            busy: AtomicU64::new(0),
            trace: Mutex::new(Trace { digest: 0xcbf2_9ce4_8422_2325, aloud }),
            wrongs: Mutex::default(),
        })
    }

    pub fn now(&self) -> UnixMillis {
        self.line.now()
    }

    pub fn pass(&self, millis: i64) -> Pass {
        self.line.pass(millis)
    }

    pub fn dice<T>(&self, throw: impl FnOnce(&mut Dice) -> T) -> T {
        throw(&mut self.dice.lock().unwrap())
    }

    /// A time between the two, in milliseconds.
    pub fn some(&self, from: i64, until: i64) -> i64 {
        self.dice(|dice| dice.within(from, until))
    }

    /// Whether this goes wrong now. Nothing does once the world is calm.
    pub fn hit(&self, fault: Fault) -> bool {
        if self.is_calm() {
            return false;
        }
        let place = ODDS.iter().position(|(one, _)| *one == fault).unwrap();
        let hit = self.odds[place] > 0 && self.dice(|dice| dice.below(10_000)) < self.odds[place];
        if hit {
            self.count(fault);
        }
        hit
    }

    pub fn count(&self, fault: Fault) {
        self.faults.fetch_add(1, Ordering::Relaxed);
        self.tell(format_args!("fault {fault:?}"));
    }

    pub fn faults(&self) -> u64 {
        self.faults.load(Ordering::Relaxed)
    }

    /// From now on nothing goes wrong any more.
    pub fn calm_down(&self) {
        self.calm.store(true, Ordering::Relaxed);
        self.tell(format_args!("calm"));
    }

    pub fn is_calm(&self) -> bool {
        self.calm.load(Ordering::Relaxed)
    }

    pub fn busy(self: &Arc<Self>) -> Busy {
        self.busy.fetch_add(1, Ordering::Relaxed);
        Busy(self.clone())
    }

    pub fn is_busy(&self) -> bool {
        self.busy.load(Ordering::Relaxed) > 0
    }

    /// A line of the trace.
    pub fn tell(&self, what: fmt::Arguments<'_>) {
        let now = self.now();
        let mut trace = self.trace.lock().unwrap();
        let _ = writeln!(trace, "{now} {what}");
    }

    pub fn digest(&self) -> u64 {
        self.trace.lock().unwrap().digest
    }

    /// Something that must never be.
    pub fn wrong(&self, what: String) {
        self.tell(format_args!("WRONG {what}"));
        self.wrongs.lock().unwrap().push(what);
    }

    pub fn wrongs(&self) -> Vec<String> {
        std::mem::take(&mut *self.wrongs.lock().unwrap())
    }
}
