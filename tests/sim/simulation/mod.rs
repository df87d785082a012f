//! A whole shop in one thread, under simulated time, network, disk and death, from a seed.
//!
//! The Payment API's handlers, the engine, the ledger's rules and the sandbox's provider books are the real ones. What
//! lies between them is played: time, the network, the disk, processes that die, customers and cashiers.

mod channel;
mod check;
mod dice;
mod life;
mod listener;
mod notices;
mod process;
mod providers;
mod sale;
mod till;
mod time;
mod witness;
mod world;

use std::sync::Arc;

use scantill::payment::UnixMillis;
use scantill::sandbox::book::Provider;

use self::dice::Dice;
use self::listener::Listener;
use self::process::{House, TILLS};
use self::providers::Providers;
use self::till::Tills;
use self::time::Timeline;
use self::witness::Witness;
use self::world::World;

/// For how long things go wrong, unless they still do with somebody who has something to do.
const STORM_MS: i64 = 1_200_000;
/// Within so long after that everything has an end: the longest outage, the providers' time limits and pauses, and some.
const BOUND_MS: i64 = 10 * 3_600_000;

/// What came of a seed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub seed: u64,
    pub payments: u64,
    pub faults: u64,
    pub lost: u64,
    pub doubled: u64,
    pub stuck: u64,
    /// What must never be, in words.
    pub wrongs: Vec<String>,
    /// Of everything that happened, and of the journal.
    pub digest: u64,
}

impl Report {
    pub fn is_good(&self) -> bool {
        self.wrongs.is_empty() && self.lost + self.doubled + self.stuck == 0
    }
}

/// Plays a seed's world to its end.
pub fn run(seed: u64, aloud: bool) -> Report {
    let line = Timeline::new();
    let (idle, pulse) = (line.clone(), line.clone());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .on_thread_park(move || idle.advance())
        .build()
        .expect("a runtime");
    let world = World::new(line, seed, aloud);
    // The world is a task of its own: what wakes it is then in the same queue as all else.
    let played = runtime.block_on(async {
        tokio::spawn(pulse.beat());
        tokio::spawn(play(world, seed)).await
    });
    // What still waits for somebody who is dead goes down with the runtime.
    runtime.shutdown_background();
    played.expect("a world that holds")
}

async fn play(world: Arc<World>, seed: u64) -> Report {
    let mut dice = Dice::new(seed ^ 0x5ca9_7111);
    let providers = Providers::new(world.clone(), seed);
    let house = House::open(&world, &providers, if dice.percent(30) { 2 } else { 1 }).await;
    providers.tell_to(&house);
    let witness = Witness::new(&providers);
    let listeners: Vec<_> = TILLS[..usize::try_from(dice.below(3)).unwrap()]
        .iter()
        .map(|till| Listener::start(&house, till, &witness))
        .collect();
    let tills = Tills::new(&house, &witness);
    for _ in 0..dice.within(10, 40) {
        sale::begin(&tills, dice.split());
    }
    if dice.percent(25) {
        let from = world.now() + dice.within(0, 600_000);
        providers.goes_down(*dice.pick(&Provider::ALL), from, from + dice.within(5_000, 3_600_000));
    }
    world.pass(STORM_MS).await;
    house.calm_down();
    settle(&house, &listeners, world.now() + BOUND_MS).await;
    let found = check::check(&house, &listeners).await.expect("books that can be read");
    for wrong in &found.wrongs {
        world.tell(format_args!("WRONG {wrong}"));
    }
    let ledger = house.ledger();
    for row in ledger.rows_after(0, u32::MAX).await.expect("a journal") {
        world.tell(format_args!("{} {} {:?} {} {}", row.seq, row.at, row.payment, row.actor, row.payload));
    }
    Report {
        seed,
        payments: found.payments,
        faults: world.faults(),
        lost: found.lost,
        doubled: found.doubled,
        stuck: found.stuck,
        wrongs: found.wrongs,
        digest: world.digest(),
    }
}

/// Waits until nobody has anything left to do, or it should have been over by then.
async fn settle(house: &Arc<House>, listeners: &[Arc<Listener>], until: UnixMillis) {
    let (world, ledger) = (&house.world, house.ledger());
    while world.now() < until {
        let unfinished = ledger.unfinished("nobody", UnixMillis::MAX).await.expect("books that can be read");
        if unfinished.is_empty() && !world.is_busy() {
            let last = *ledger.watch().borrow();
            let rows = ledger.rows_after(0, u32::MAX).await.expect("a journal");
            let last = rows.last().map_or(last, |row| row.seq);
            if listeners.iter().all(|listener| listener.last() >= last) {
                return;
            }
        }
        world.pass(5_000).await;
    }
}
