//! The engine takes every payment to the end that the provider's books show, whatever is lost on the way.

mod cashier;
mod http;
mod notifications;
mod race;
mod refunds;
mod shop;
mod stores;
