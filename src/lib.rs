//! Scantill: a scan-to-pay point-of-sale terminal.
//!
//! The map of the house, lower floor first. A room knows only the rooms above it in this list:
//!
//! - [`money`] and [`payment`]: what an amount and a payment are. Pure: no I/O, time passed in.
//! - [`metrics`]: counting, and Prometheus' text form. Pure.
//! - [`crypto`]: one face over the crypto libraries.
//! - [`qr`]: payload text to code modules, SVG and PNG.
//! - [`channel`]: the trait every provider fills, and one folder per provider.
//! - [`ledger`]: the books, a chained journal and the tables derived from it.
//! - [`report`]: takings as a table, CSV, spreadsheet or page. Pure.
//! - [`engine`]: takes a payment from intent to a known end.
//! - [`api`]: the Payment API over HTTP.
//! - [`client`]: the payment client. The till and the commands speak to the API only through it.
//! - [`scan`]: frames to symbols to payment codes; keyboard-wedge scanners.
//! - [`till`]: the window (feature `till`).
//! - [`sandbox`]: the simulated providers, a second implementation of their protocols.
//! - [`app`]: the commands, and how the rooms are put together into a running program.

pub mod api;
pub mod app;
pub mod channel;
pub mod client;
pub mod crypto;
pub mod engine;
pub mod ledger;
pub mod metrics;
pub mod money;
pub mod payment;
pub mod qr;
pub mod report;
pub mod sandbox;
pub mod scan;
#[cfg(feature = "till")]
pub mod till;
