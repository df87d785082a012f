//! Takes a payment from intent to a known end.
