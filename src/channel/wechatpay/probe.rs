//! What the test calls of both interfaces have in common. Pure but for the number.

use crate::channel::http::Answer;
use crate::channel::{AccountFault, AccountTest};
use crate::crypto::random_bytes;
use crate::payment::UnixMillis;

/// A clock that is further off than this is refused by the platform.
const MAX_SKEW_SECONDS: u64 = 300;

/// The number of an order that nobody has ever made or will.
pub(super) fn order_that_never_was() -> String {
    format!("SCANTILLTEST{}", hex::encode_upper(random_bytes::<8>()))
}

/// Compares our clock with the answer's `Date`.
pub(super) fn clock_skew(answer: &Answer, now: UnixMillis) -> Result<(), AccountTest> {
    let Some(theirs) = answer.date() else { return Ok(()) };
    let seconds = (now - theirs) / 1_000;
    if seconds.unsigned_abs() < MAX_SKEW_SECONDS {
        return Ok(());
    }
    Err(AccountTest::bad(AccountFault::ClockSkew { seconds }, "", ""))
}
