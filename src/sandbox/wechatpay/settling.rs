//! How a refund comes to its end: at once, after a while, or not at all. Pure.
//!
//! The books move the money with the call; what the platform says of it is kept with the refund.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::sandbox::book::{Details, Millis, Refund};

const OUTCOME: &str = "outcome";
const SETTLES_AT: &str = "settles_at";
/// So long a refund is on its way that is not done at once.
const ON_ITS_WAY: Millis = 5_000;

/// What comes of refunds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::sandbox) enum Refunds {
    /// Done when the call is answered.
    #[default]
    AtOnce,
    /// `PROCESSING` for five seconds of the books' time, then done.
    Slowly,
    /// `PROCESSING` for five seconds, then `ABNORMAL`: the customer's account takes nothing.
    Abnormal,
}

impl Refunds {
    /// What is kept with a refund that is asked for now.
    pub fn details(self, now: Millis) -> Details {
        match self {
            Self::AtOnce => Details::new(),
            Self::Slowly => Details::from([(SETTLES_AT.to_owned(), (now + ON_ITS_WAY).to_string())]),
            Self::Abnormal => Details::from([
                (SETTLES_AT.to_owned(), (now + ON_ITS_WAY).to_string()),
                (OUTCOME.to_owned(), "ABNORMAL".to_owned()),
            ]),
        }
    }
}

/// Where a refund stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RefundStatus {
    Processing,
    Success { at: Millis },
    Abnormal,
}

impl RefundStatus {
    pub fn of(refund: &Refund, now: Millis) -> Self {
        let settles_at = settles_at(refund);
        match refund.details.get(OUTCOME) {
            _ if now < settles_at => Self::Processing,
            None => Self::Success { at: settles_at },
            Some(_) => Self::Abnormal,
        }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Processing => "PROCESSING",
            Self::Success { .. } => "SUCCESS",
            Self::Abnormal => "ABNORMAL",
        }
    }
}

/// When a refund comes to its end.
pub(super) fn settles_at(refund: &Refund) -> Millis {
    refund.details.get(SETTLES_AT).and_then(|at| at.parse().ok()).unwrap_or(refund.at)
}
