//! What a harmless call says of the account: cause and cure. Pure.

use super::answer::{Body, Reply};
use crate::channel::{AccountFault, AccountTest};
use crate::payment::UnixMillis;

/// A trade of this number is asked for; there is none, and that is the answer of an account that works.
pub(super) const NUMBER: &str = "SCANTILLTEST";
/// A clock that differs by more is worth a word: signatures, certificates and the books' days hang on it.
const MAX_SKEW: i64 = 300_000;

/// What the answer says. `date` is the gateway's clock, `ours` this machine's when the answer came.
pub(super) fn verdict(reply: &Reply, date: Option<UnixMillis>, ours: UnixMillis) -> AccountTest {
    let ahead = date.map(|date| ours.saturating_sub(date));
    let skewed =
        ahead.filter(|ahead| ahead.abs() > MAX_SKEW).map(|ahead| AccountFault::ClockSkew { seconds: ahead / 1_000 });
    match reply {
        Reply::Signed(body) | Reply::Refused(body) => {
            let fault = fault_of(body, ahead).or(skewed);
            match fault {
                Some(fault) => AccountTest::bad(fault, body.code(), body.message()),
                None => AccountTest::good(),
            }
        }
        // To a clock that is wrong by months, a good certificate has expired.
        Reply::Unknown(doubt) if doubt.fault == AccountFault::CertificateExpired => {
            AccountTest::bad(skewed.unwrap_or(doubt.fault), "", doubt.words.clone())
        }
        Reply::NotSent(doubt) | Reply::Unknown(doubt) => AccountTest::bad(doubt.fault, "", doubt.words.clone()),
    }
}

/// What is wrong, by the gateway's codes (opendocs.alipay.com/common/02km9f and 02kdnf); `None` where nothing is.
fn fault_of(body: &Body, ahead: Option<i64>) -> Option<AccountFault> {
    let sub_code = body.get("sub_code");
    // Some are written with and some without the gateway's prefix.
    let plain = sub_code.trim_start_matches("isv.").trim_start_matches("aop.").trim_start_matches("isp.");
    Some(match (body.get("code"), plain) {
        ("10000", _) | ("40004", "ACQ.TRADE_NOT_EXIST") => return None,
        (_, "invalid-app-id" | "missing-app-id" | "not-online-app") => AccountFault::WrongAppId,
        (_, "invalid-signature" | "missing-signature-config" | "missing-signature-key" | "missing-signature") => {
            AccountFault::WrongKey
        }
        (_, "invalid-timestamp" | "missing-timestamp") => {
            AccountFault::ClockSkew { seconds: ahead.unwrap_or_default() / 1_000 }
        }
        (_, plain) if plain.contains("cert") && plain.contains("expire") => AccountFault::CertificateExpired,
        (_, plain) if plain.contains("cert") => AccountFault::CertificateUnknown,
        (_, plain) if plain.contains("crypt") => AccountFault::ApiKeyWrong,
        ("20000", _) => AccountFault::ProviderDown,
        (_, plain) if plain.ends_with("SYSTEM_ERROR") || plain.ends_with("unknow-error") => AccountFault::ProviderDown,
        ("20001" | "40006", _) => AccountFault::NoPermission,
        (_, "ACQ.ACCESS_FORBIDDEN" | "ACQ.MERCHANT_AGREEMENT_NOT_EXIST" | "insufficient-isv-permissions") => {
            AccountFault::NoPermission
        }
        (_, "ACQ.PARTNER_ERROR" | "ACQ.SELLER_NOT_EXIST") => AccountFault::WrongMerchant,
        _ => AccountFault::Refused,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn refused(code: &str, sub_code: &str) -> Reply {
        let fields = [("code", code), ("sub_code", sub_code)].map(|(name, value)| (name.to_owned(), value.to_owned()));
        Reply::Refused(Body::from(HashMap::from(fields)))
    }

    #[test]
    fn each_code_of_the_gateways_has_its_cause() {
        use AccountFault as F;
        for (code, sub_code, fault) in [
            ("40002", "isv.invalid-app-id", F::WrongAppId),
            ("40002", "isv.invalid-signature", F::WrongKey),
            ("40003", "isv.missing-signature-config", F::WrongKey),
            ("40002", "isv.invalid-timestamp", F::ClockSkew { seconds: 0 }),
            ("40002", "isv.app-cert-expired", F::CertificateExpired),
            ("40002", "app-cert-expired", F::CertificateExpired),
            ("40002", "isv.app-cert-not-exist", F::CertificateUnknown),
            ("40002", "isv.invalid-alipay-root-cert-sn", F::CertificateUnknown),
            ("40001", "isv.missing-app-cert-sn", F::CertificateUnknown),
            ("40003", "isv.decryption-error-unknown", F::ApiKeyWrong),
            ("40002", "isv.invalid-encrypt-type", F::ApiKeyWrong),
            ("20000", "isp.unknow-error", F::ProviderDown),
            ("20000", "aop.unknow-error", F::ProviderDown),
            ("40004", "ACQ.SYSTEM_ERROR", F::ProviderDown),
            ("40006", "isv.insufficient-isv-permissions", F::NoPermission),
            ("20001", "aop.invalid-auth-token", F::NoPermission),
            ("40004", "ACQ.ACCESS_FORBIDDEN", F::NoPermission),
            ("40004", "ACQ.INVALID_PARAMETER", F::Refused),
            ("12345", "", F::Refused),
        ] {
            assert_eq!(verdict(&refused(code, sub_code), None, 0).fault, Some(fault), "{sub_code}");
        }
        assert_eq!(verdict(&refused("40004", "ACQ.TRADE_NOT_EXIST"), Some(299_000), 0), AccountTest::good());
    }

    #[test]
    fn a_clock_is_told_by_either_sign() {
        let good = refused("40004", "ACQ.TRADE_NOT_EXIST");
        let fault = |reply: &Reply, date| verdict(reply, Some(date), 1_000_000_000).fault;
        assert_eq!(fault(&good, 999_400_000), Some(AccountFault::ClockSkew { seconds: 600 }));
        assert_eq!(fault(&good, 1_000_600_000), Some(AccountFault::ClockSkew { seconds: -600 }));
        let stamp = refused("40002", "isv.invalid-timestamp");
        assert_eq!(fault(&stamp, 999_400_000), Some(AccountFault::ClockSkew { seconds: 600 }));
        let expired = Reply::unknown(AccountFault::CertificateExpired, "x");
        assert_eq!(fault(&expired, 0), Some(AccountFault::ClockSkew { seconds: 1_000_000 }));
        assert_eq!(fault(&expired, 1_000_000_000), Some(AccountFault::CertificateExpired));
        // Another cause goes before a clock that is merely off.
        assert_eq!(fault(&refused("40002", "isv.invalid-signature"), 0), Some(AccountFault::WrongKey));
    }
}
