//! What the gateway's answer codes mean (平台接入接口规范 第5部分 附录). Pure. A code that is not in the list leaves the
//! result unknown: it is never called a failure.

use super::fields::Fields;
use crate::payment::{Failure, FailureReason};

/// What a code says of the transaction that it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Done; of a purchase: paid. (`A6`: in part.)
    Done,
    /// Accepted; the customer, or the card's bank, is at it.
    UnderWay,
    /// There is no such transaction.
    NotFound,
    /// Taken, and returned since: reversed, voided, refunded, or too late to count.
    Returned,
    /// Refused; nothing was taken.
    Refused(FailureReason),
    /// Nobody knows.
    Unknown,
}

pub(super) fn meaning(code: &str) -> Meaning {
    use FailureReason as R;
    Meaning::Refused(match code {
        "00" | "A6" => return Meaning::Done,
        // 05 accepted; 70 waiting for the cardholder; 82 the password is asked for.
        "05" | "70" | "82" => return Meaning::UnderWay,
        "34" => return Meaning::NotFound,
        // 42 paid too late, which the gateway returns by itself; 45 refunded or voided; 46 reversed.
        "42" | "45" | "46" => return Meaning::Returned,
        "01" => R::ProviderRefused,
        // Malformed, incomplete, of another original, not within the time for it.
        "10" | "13" | "14" | "35" | "36" | "39" | "41" => R::RequestRefused,
        // Signature; the merchant's state, permissions and licence.
        "11" | "31" | "32" | "43" | "92" | "93" | "94" | "95" | "96" => R::MerchantAccount,
        "33" | "38" | "81" | "87" => R::LimitExceeded,
        // Card, issuer, token.
        "30" | "40" | "44" | "60" | "61" | "62" | "63" | "66" | "67" | "68" | "72" | "73" | "76" | "77" | "78"
        | "79" | "80" | "85" | "89" => R::CustomerAccount,
        "64" | "90" => R::InsufficientFunds,
        // A wrong password or code from the phone.
        "65" | "71" | "91" => R::CustomerRefused,
        "69" => R::TimedOut,
        "86" => R::CodeExpired,
        "88" => R::CodeInvalid,
        // 02 closed at the moment, 03 timeout, 04 not known, 06 busy, 12 duplicate, 37 asked too often, 74 and 75 taken
        // but not booked, 83 at the card's bank, 99 anything; and every code that is not known here.
        _ => return Meaning::Unknown,
    })
}

/// A refusal in the gateway's words; the transaction's own where the answer is to a query.
pub(super) fn failure(fields: &Fields, reason: FailureReason) -> Failure {
    let (code, message) = match fields.some("origRespCode") {
        Some(code) => (code, fields.get("origRespMsg")),
        None => (fields.get("respCode"), fields.get("respMsg")),
    };
    Failure { reason, provider_code: code.to_owned(), provider_message: message.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_unknown_is_called_refused() {
        for code in
            ["02", "03", "04", "06", "12", "37", "74", "75", "83", "84", "97", "98", "99", "", "A5", "ZZ", "0", "000"]
        {
            assert_eq!(meaning(code), Meaning::Unknown, "{code}");
        }
        assert_eq!(meaning("64"), Meaning::Refused(FailureReason::InsufficientFunds));
        assert_eq!((meaning("00"), meaning("A6"), meaning("05")), (Meaning::Done, Meaning::Done, Meaning::UnderWay));
    }
}
