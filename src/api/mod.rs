//! The Payment API over HTTP.
