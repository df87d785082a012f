//! The processes that serve the shop's Payment API on one set of books, and how they die and come back.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::Request;
use axum::response::Response;
use scantill::api;
use scantill::api::auth::Covered;
use scantill::crypto::{HmacSha256, Secret};
use scantill::engine::{Clock, Engine, EngineConfig, EngineError, Ids};
use scantill::ledger::{BusinessCalendar, Disk, Ledger, LedgerConfig, LedgerError, Store, Till};
use scantill::payment::PaymentId;
use tower::ServiceExt;
use zeroize::Zeroizing;

use super::channel;
use super::life::{DiskLine, Life};
use super::providers::Providers;
use super::time::MachineClock;
use super::world::{Fault, World};

/// The tills' API keys; the last manages.
pub const TILLS: [&str; 3] = ["front", "back", "office"];
pub const STORE: &str = "store";

/// There was no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lost;

/// A running process.
pub struct Process {
    pub life: Arc<Life>,
    engine: Engine,
    router: Router,
}

pub struct House {
    pub world: Arc<World>,
    pub providers: Arc<Providers>,
    disk: Disk,
    /// Whether several processes write to the books.
    shared: bool,
    running: Mutex<Vec<Option<Arc<Process>>>>,
}

pub fn books() -> LedgerConfig {
    LedgerConfig {
        url: "memory".into(),
        chain_key: Zeroizing::new([1; 32]),
        seal_key: Zeroizing::new([2; 32]),
        calendar: BusinessCalendar { time_zone: Some("Asia/Shanghai".into()), cutover_hour: 4 },
        read_only: false,
    }
}

impl House {
    /// Opens the shop with so many processes.
    pub async fn open(world: &Arc<World>, providers: &Arc<Providers>, processes: usize) -> Arc<Self> {
        let shared = processes > 1;
        let disk = Disk::new(shared);
        let house = Arc::new(Self {
            world: world.clone(),
            providers: providers.clone(),
            disk,
            shared,
            running: Mutex::new((0..processes).map(|_| None).collect()),
        });
        house.furnish().await.expect("a disk that nothing happens to");
        for place in 0..processes {
            tokio::spawn(house.clone().keep(place));
        }
        house
    }

    /// The books as nothing hinders: for whoever checks.
    pub fn ledger(&self) -> Ledger {
        Ledger::on(self.disk.clone(), &books()).expect("a calendar")
    }

    async fn furnish(&self) -> Result<(), LedgerError> {
        let (ledger, now) = (self.ledger(), self.world.now());
        ledger.put_store(now, "sim", &Store { id: STORE.parse().unwrap(), name: "Tea".into() }).await?;
        for id in TILLS {
            let till = Till {
                id: id.parse().unwrap(),
                store: STORE.parse().unwrap(),
                name: id.into(),
                secret: Secret::new(id.into()),
                retiring: None,
                enabled: true,
                admin: id == "office",
            };
            ledger.put_till(now, "sim", &till).await?;
        }
        Ok(())
    }

    /// Keeps one process running: starts it, lets it die, starts it again.
    async fn keep(self: Arc<Self>, place: usize) {
        let world = &self.world;
        for start in 0_u32.. {
            let life = Life::new();
            let name = format!("{place}-{start}");
            let started = tokio::select! {
                biased;
                () = life.died() => None,
                started = self.start(name, &life) => started.ok(),
            };
            if let Some(process) = started {
                world.tell(format_args!("process {place}-{start} runs"));
                self.running.lock().unwrap()[place] = Some(process.clone());
                self.fate(&life).await;
                life.died().await;
                self.running.lock().unwrap()[place] = None;
                world.tell(format_args!("process {place}-{start} is dead"));
                process.engine.stop().await;
            }
            let pause = match () {
                // It could not start, or it died in calm: not at once, or no time would pass.
                () if world.is_calm() => 1_000,
                () if world.hit(Fault::LongOutage) => world.some(600_000, 6 * 3_600_000),
                () if world.dice(|dice| dice.percent(50)) => 10,
                () => world.some(100, 60_000),
            };
            world.pass(pause).await;
        }
    }

    /// Decides when and where a process dies, if it does.
    async fn fate(&self, life: &Arc<Life>) {
        let world = &self.world;
        if !world.hit(Fault::Killed) {
            return;
        }
        if world.dice(|dice| dice.percent(50)) {
            life.dies_after(world.some(1, 120));
        } else {
            let time = world.some(0, 300_000);
            tokio::select! {
                biased;
                () = life.died() => {}
                () = world.pass(time) => if !world.is_calm() { life.die() },
            }
        }
    }

    /// How far a machine's clock is off, in ms. Of several machines each is set by the network's time; one alone may be
    /// wrong by much.
    fn some_error(&self) -> i64 {
        let little = self.shared || self.world.dice(|dice| dice.percent(50));
        if little { self.world.some(-4_000, 4_000) } else { self.world.some(-3_600_000, 3_600_000) }
    }

    async fn start(&self, name: String, life: &Arc<Life>) -> Result<Arc<Process>, EngineError> {
        let world = self.world.clone();
        let wrong_by = if world.hit(Fault::ClockWrong) { self.some_error() } else { 0 };
        let clock = MachineClock::new(world.line.clone(), wrong_by);
        if world.hit(Fault::ClockSet) {
            let (world, clock, life) = (world.clone(), clock.clone(), life.clone());
            let (time, wrong_by) = (world.some(0, 300_000), self.some_error());
            tokio::spawn(async move {
                tokio::select! {
                    biased;
                    () = life.died() => {}
                    () = world.pass(time) => {
                        world.tell(format_args!("a clock is set, from now on wrong by {wrong_by} ms"));
                        clock.set(wrong_by);
                    }
                }
            });
        }
        let medium = DiskLine { world: world.clone(), life: life.clone() };
        let ledger = Ledger::on(self.disk.through(Arc::new(medium)), &books())?;
        let ids = Ids::from_fn(move |now| {
            let mut chance = [0; 10];
            world.dice(|dice| chance.fill_with(|| dice.next().to_le_bytes()[0]));
            PaymentId::at(now, chance)
        });
        let exclusive = ledger.is_exclusive();
        let config = EngineConfig { exclusive, clock: Clock::given(clock), ids, ..EngineConfig::new(name) };
        let channels = channel::open_all(&self.providers, life);
        let engine = Engine::start_with(ledger, config, channels).await?;
        let router = match api::service(engine.clone()).await {
            Ok(router) => router,
            Err(error) => {
                engine.stop().await;
                return Err(error.into());
            }
        };
        Ok(Arc::new(Process { life: life.clone(), engine, router }))
    }

    /// Nothing goes wrong any more: what was to die lives.
    pub fn calm_down(&self) {
        self.world.calm_down();
        for process in self.running.lock().unwrap().iter().flatten() {
            process.life.dies_after(i64::MAX);
        }
    }

    /// One of the running processes.
    fn any(&self) -> Option<Arc<Process>> {
        let running = self.running.lock().unwrap();
        let running: Vec<_> = running.iter().flatten().filter(|one| one.life.is_alive()).collect();
        if running.is_empty() { None } else { Some(self.world.dice(|dice| (*dice.pick(&running)).clone())) }
    }

    /// A call over the network, signed where a till makes it. Nothing is told of one that is lost.
    pub async fn call(
        &self,
        till: Option<&str>,
        method: &str,
        path: &str,
        body: Vec<u8>,
        headers: Option<(&'static str, &str)>,
    ) -> Result<(u16, Bytes), Lost> {
        let (process, response) = self.open_call(till, method, path, body, headers).await?;
        let (parts, body) = response.into_parts();
        tokio::select! {
            biased;
            () = process.life.died() => Err(Lost),
            body = axum::body::to_bytes(body, usize::MAX) => Ok((parts.status.as_u16(), body.map_err(|_| Lost)?)),
        }
    }

    /// The same, before the body of the answer was read.
    pub async fn open_call(
        &self,
        till: Option<&str>,
        method: &str,
        path: &str,
        body: Vec<u8>,
        header: Option<(&'static str, &str)>,
    ) -> Result<(Arc<Process>, Response), Lost> {
        let process = self.any().ok_or(Lost)?;
        let mut request = Request::builder().method(method).uri(path);
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        if let Some(till) = till {
            let nonce = self.world.dice(|dice| format!("{:016x}", dice.next()));
            let (secret, now) = (HmacSha256::new(till.as_bytes()), process.engine.now() / 1_000);
            let covered = Covered { method, path, timestamp: now, nonce: &nonce, body: &body, session: None };
            request = request.header("authorization", covered.authorization(till, &secret));
        }
        let request = request.body(Body::from(body)).expect("a request");
        tokio::select! {
            biased;
            () = process.life.died() => Err(Lost),
            response = process.router.clone().oneshot(request) => {
                Ok((process, response.unwrap_or_else(|never| match never {})))
            }
        }
    }
}
