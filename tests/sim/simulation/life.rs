//! The life of one process. What a process does to the world it does through a gate that asks whether it lives; a dead
//! one stands still there for ever, so that dying at any await point is dying before or after one of these.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use async_trait::async_trait;
use scantill::ledger::{LedgerError, Medium};
use tokio::sync::Notify;

use super::world::{Fault, World};

pub struct Life {
    alive: AtomicBool,
    /// So many gates are passed before the process dies.
    left: AtomicI64,
    died: Notify,
}

impl Life {
    pub fn new() -> Arc<Self> {
        Arc::new(Self { alive: AtomicBool::new(true), left: AtomicI64::new(i64::MAX), died: Notify::new() })
    }

    pub fn dies_after(&self, gates: i64) {
        self.left.store(gates, Ordering::Relaxed);
    }

    pub fn die(&self) {
        if self.alive.swap(false, Ordering::Relaxed) {
            self.died.notify_waiters();
        }
    }

    pub fn is_alive(&self) -> bool {
        self.alive.load(Ordering::Relaxed)
    }

    /// Lets the living through.
    pub async fn pass(&self) {
        if self.is_alive() && self.left.fetch_sub(1, Ordering::Relaxed) <= 1 {
            self.die();
        }
        if !self.is_alive() {
            std::future::pending::<()>().await;
        }
    }

    /// Ready once it is dead.
    pub async fn died(&self) {
        let died = self.died.notified();
        tokio::pin!(died);
        died.as_mut().enable();
        if self.is_alive() {
            died.await;
        }
    }
}

/// A process's way to its disk.
pub struct DiskLine {
    pub world: Arc<World>,
    pub life: Arc<Life>,
}

impl DiskLine {
    async fn work(&self) {
        if self.world.hit(Fault::DiskSlow) {
            self.world.pass(self.world.some(50, 3_000)).await;
        }
    }

    fn trouble(&self) -> Result<(), LedgerError> {
        if self.world.hit(Fault::DiskLocked) {
            return Err(LedgerError::Locked { place: "memory".into() });
        }
        Ok(())
    }
}

#[async_trait]
impl Medium for DiskLine {
    async fn read(&self) -> Result<(), LedgerError> {
        if !self.life.is_alive() {
            std::future::pending::<()>().await;
        }
        self.trouble()
    }

    async fn write(&self) -> Result<(), LedgerError> {
        self.life.pass().await;
        self.work().await;
        self.life.pass().await;
        if self.world.hit(Fault::DiskFull) {
            return Err(LedgerError::DiskFull { place: "memory".into() });
        }
        self.trouble()
    }

    async fn written(&self) -> Result<(), LedgerError> {
        self.life.pass().await;
        self.work().await;
        if self.world.hit(Fault::WriteAnswerLost) {
            return Err(LedgerError::Unreachable { place: "memory".into(), detail: "the answer was lost".into() });
        }
        Ok(())
    }
}
