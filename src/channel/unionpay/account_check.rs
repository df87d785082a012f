//! What a harmless call says of an account: cause and cure. Pure.

use super::credentials::Credentials;
use super::fields::Fields;
use super::meaning::{Meaning, meaning};
use super::{Reply, Silence};
use crate::channel::{AccountFault, AccountTest};
use crate::payment::UnixMillis;

/// A clock that is further off makes signatures and certificates look wrong.
const SKEW_MS: i64 = 300_000;

/// Judges the reply to a query about an order that never was. `clock` is the gateway's, `at` ours.
pub(super) fn verdict(
    credentials: &Credentials,
    reply: &Reply,
    clock: Option<UnixMillis>,
    at: UnixMillis,
) -> AccountTest {
    let test = of_reply(reply);
    let Some(fault) = test.fault else { return test };
    // What follows from a wrong clock, or from a certificate of our own that has expired, is told as that.
    let skew = clock.map(|clock| at.saturating_sub(clock)).filter(|skew| skew.abs() > SKEW_MS);
    if let Some(skew) = skew {
        let fault = AccountFault::ClockSkew { seconds: skew / 1_000 };
        return AccountTest { fault: Some(fault), ..test };
    }
    let refused = matches!(fault, AccountFault::WrongKey | AccountFault::Refused | AccountFault::NoPermission);
    if refused && credentials.certificate.check_time(at).is_err() {
        return AccountTest { fault: Some(AccountFault::CertificateExpired), ..test };
    }
    test
}

fn of_reply(reply: &Reply) -> AccountTest {
    match reply {
        Reply::Signed(fields) => of_answer(fields),
        Reply::Refused(fields) => of_answer(fields),
        Reply::NotSent(lost) | Reply::Unknown(Silence::Lost(lost)) => {
            AccountTest::bad(lost.fault.account_fault(), "", lost.words.clone())
        }
        Reply::Unknown(silence) => {
            let fault = match silence {
                Silence::Status(500..) => AccountFault::ProviderDown,
                // A captive portal, a proxy, another address.
                Silence::NoMessage => AccountFault::Unreachable,
                Silence::Status(_) => AccountFault::Refused,
                Silence::Disbelieved(disbelief) => disbelief.account_fault(),
                _ => AccountFault::ProviderKeyWrong,
            };
            AccountTest::bad(fault, "", silence.words())
        }
    }
}

fn of_answer(fields: &Fields) -> AccountTest {
    let code = fields.get("respCode");
    let fault = match code {
        "11" => AccountFault::WrongKey,
        "31" => AccountFault::WrongMerchant,
        "32" | "43" | "92" | "93" | "94" | "95" | "96" => AccountFault::NoPermission,
        "39" => AccountFault::ClockSkew { seconds: 0 },
        "02" | "03" | "06" => AccountFault::ProviderDown,
        _ => match meaning(code) {
            Meaning::NotFound | Meaning::Done => return AccountTest::good(),
            _ => AccountFault::Refused,
        },
    };
    AccountTest::bad(fault, code, fields.get("respMsg"))
}
