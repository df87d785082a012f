//! Whether a message comes from UnionPay. It brings its own certificate (`signPubKeyCert`): that has to lead, by
//! signatures and within its time, to the root that the account holds, and to bear UnionPay's name; then the message's
//! signature has to fit it. A certificate that was found good is remembered.

use std::sync::{Mutex, PoisonError};

use super::fields::Fields;
use crate::channel::AccountFault;
use crate::crypto::{Certificate, CertificateError, RsaPublicKey, certificates, sha256_hex};
use crate::payment::UnixMillis;

/// The certificates and the name that answers are measured by.
pub(super) struct Anchor {
    pub middle: Vec<Certificate>,
    pub root: Vec<Certificate>,
    /// The common name, or one of the parts between its `@`.
    pub name: String,
    /// Until when it counts; `None` for the account's present ones.
    pub until: Option<UnixMillis>,
}

/// Why a message is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Disbelief {
    #[error("it is not signed")]
    Unsigned,
    #[error("it is signed in another way than RSA with a certificate (signMethod 01)")]
    OtherMethod,
    #[error("it brings no certificate that can be read")]
    NoCertificate,
    #[error("{0}")]
    Certificate(CertificateError),
    #[error("its certificate is signed with SHA-1, which the account's policy does not allow")]
    Sha1,
    #[error("its certificate is for {0:?}, not for UnionPay")]
    OtherName(String),
    #[error("its signature does not fit its certificate")]
    BadSignature,
}

impl Disbelief {
    /// What a new merchant is told.
    pub const fn account_fault(&self) -> AccountFault {
        match self {
            Self::Certificate(CertificateError::OutOfTime { .. }) => AccountFault::CertificateExpired,
            Self::Certificate(CertificateError::Untrusted { .. }) | Self::Sha1 => AccountFault::CertificateUnknown,
            Self::Unsigned | Self::OtherMethod | Self::NoCertificate | Self::OtherName(_) | Self::BadSignature => {
                AccountFault::ProviderKeyWrong
            }
        }
    }
}

/// What an account believes.
pub(super) struct Trust {
    anchors: Vec<Anchor>,
    /// Whether the account's policy allows certificates that are signed with SHA-1.
    sha1: bool,
    good: Mutex<Option<Good>>,
}

/// A certificate that was found good.
#[derive(Clone)]
struct Good {
    pem: String,
    key: RsaPublicKey,
    /// The time within which it stays so.
    from: UnixMillis,
    until: UnixMillis,
}

impl Trust {
    pub const fn new(anchors: Vec<Anchor>, sha1: bool) -> Self {
        Self { anchors, sha1, good: Mutex::new(None) }
    }

    /// The reading of a message that its signature covers.
    pub fn believed(&self, readings: Vec<Fields>, now: UnixMillis) -> Result<Fields, Disbelief> {
        let mut why = Disbelief::Unsigned;
        for fields in readings {
            match self.check(&fields, now) {
                Ok(()) => return Ok(fields),
                Err(disbelief) => why = disbelief,
            }
        }
        Err(why)
    }

    fn check(&self, fields: &Fields, now: UnixMillis) -> Result<(), Disbelief> {
        let signature = fields.some("signature").ok_or(Disbelief::Unsigned)?;
        if fields.get("signMethod") != "01" {
            return Err(Disbelief::OtherMethod);
        }
        let key = self.key(fields.get("signPubKeyCert"), now)?;
        // The SDKs sign a message's empty fields in answers and leave them out in requests.
        let fits = |keep_empty: bool| {
            let digest = sha256_hex(fields.signed_text(keep_empty).as_bytes());
            key.verify_base64(digest.as_bytes(), signature).is_ok()
        };
        if fits(true) || fits(false) { Ok(()) } else { Err(Disbelief::BadSignature) }
    }

    /// The key of a certificate that leads to one of the roots.
    fn key(&self, pem: &str, now: UnixMillis) -> Result<RsaPublicKey, Disbelief> {
        let mut good = self.good.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(good) = good.as_ref().filter(|good| good.pem == pem && (good.from..=good.until).contains(&now)) {
            return Ok(good.key.clone());
        }
        let certificate = certificates(pem).map_err(|_| Disbelief::NoCertificate)?;
        let certificate = certificate.into_iter().next().ok_or(Disbelief::NoCertificate)?;
        let key = certificate.key().map_err(|_| Disbelief::NoCertificate)?;
        let mut why = Disbelief::NoCertificate;
        for anchor in self.anchors.iter().filter(|anchor| anchor.until.is_none_or(|until| now <= until)) {
            match self.check_certificate(&certificate, anchor, now) {
                Ok(()) => {
                    let chain = anchor.root.iter().chain(&anchor.middle).chain([&certificate]);
                    let (from, until) = chain.map(Certificate::validity).fold(
                        (UnixMillis::MIN, anchor.until.unwrap_or(UnixMillis::MAX)),
                        |(from, until), (begins, ends)| (from.max(begins), until.min(ends)),
                    );
                    *good = Some(Good { pem: pem.to_owned(), key: key.clone(), from, until });
                    return Ok(key);
                }
                Err(disbelief) => why = disbelief,
            }
        }
        Err(why)
    }

    fn check_certificate(&self, certificate: &Certificate, anchor: &Anchor, now: UnixMillis) -> Result<(), Disbelief> {
        let chain = if self.sha1 {
            certificate.check_chain_with_sha1(&anchor.middle, &anchor.root, now)
        } else {
            certificate.check_chain(&anchor.middle, &anchor.root, now)
        };
        if let Err(error) = chain {
            let sha1 = certificate.is_signed_with_sha1() || anchor.middle.iter().any(Certificate::is_signed_with_sha1);
            let untrusted = matches!(error, CertificateError::Untrusted { .. });
            return Err(if untrusted && sha1 && !self.sha1 { Disbelief::Sha1 } else { Disbelief::Certificate(error) });
        }
        // `041@8310000000083040@中国银联股份有限公司@00016495`: a part has to be the name, and not merely to hold it, for
        // others' names hold it too.
        let common_name = certificate.common_name();
        if common_name == anchor.name || common_name.split('@').any(|part| part == anchor.name) {
            Ok(())
        } else {
            Err(Disbelief::OtherName(common_name.to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What UnionPay's test gateway once answered (see the README beside it).
    const ANSWER: &str = include_str!("../../../tests/data/channel/unionpay/answer-2024.txt");
    const THEN: UnixMillis = 1_704_445_122_000;

    fn trust(until: Option<UnixMillis>) -> Trust {
        let certificate = Fields::of_answer(ANSWER).remove(0).get("signPubKeyCert").to_owned();
        // CFCA's certificates are not published with it: the one stands for its own root.
        let root = certificates(&certificate).unwrap();
        Trust::new(vec![Anchor { middle: Vec::new(), root, name: "中国银联股份有限公司".into(), until }], false)
    }

    #[test]
    fn an_answer_of_the_real_gateway_is_believed_within_its_time_and_unchanged() {
        let trust = trust(None);
        for _ in 0..2 {
            let fields = trust.believed(Fields::of_answer(ANSWER), THEN).unwrap();
            assert_eq!((fields.get("queryId"), fields.get("txnAmt")), ("052401051658427863998", "1"));
        }
        let later = trust.believed(Fields::of_answer(ANSWER), 1_795_000_000_000);
        assert!(matches!(later, Err(Disbelief::Certificate(CertificateError::OutOfTime { .. }))));
        for (is, becomes) in [("txnAmt=1&", "txnAmt=2&"), ("\r\n", "\n"), ("respCode=00", "respCode=01"), ("成功", "")]
        {
            let changed = ANSWER.replace(is, becomes);
            assert_eq!(trust.believed(Fields::of_answer(&changed), THEN), Err(Disbelief::BadSignature), "{is:?}");
        }
        assert_eq!(trust.believed(Vec::new(), THEN), Err(Disbelief::Unsigned));
    }

    #[test]
    fn what_was_found_good_is_not_remembered_past_its_time() {
        let trust = trust(Some(THEN + 1));
        assert!(trust.believed(Fields::of_answer(ANSWER), THEN + 1).is_ok());
        assert!(trust.believed(Fields::of_answer(ANSWER), THEN + 2).is_err());
    }
}
