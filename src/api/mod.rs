//! The Payment API over HTTP.

pub mod wire;
