//! Whose signatures are believed: Alipay's public key, or certificates named by their number; those that were replaced
//! for a while yet.

use std::sync::{PoisonError, RwLock};

use super::certificates;
use crate::channel::AccountError;
use crate::channel::credentials::{unreadable, wrong};
use crate::crypto::{Certificate, RsaPublicKey};
use crate::payment::UnixMillis;

/// Alipay renews a certificate every few years: more than these are not kept.
const MAX_FETCHED: usize = 8;

/// Why a signature is not believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Distrust {
    /// It does not fit any key that counts.
    Forged,
    /// It fits, but the certificate's time is over or has not begun.
    Expired,
    /// It names a certificate that is not known.
    Stranger(String),
}

/// A key of Alipay's.
#[derive(Debug, Clone)]
struct Signer {
    /// Its certificate's number; `None` for a bare key.
    number: Option<String>,
    key: RsaPublicKey,
    /// From when and until when it counts.
    valid: (UnixMillis, UnixMillis),
}

impl Signer {
    fn of_certificate(certificate: &Certificate) -> Result<Self, AccountError> {
        Ok(Self {
            number: Some(certificates::number(certificate)),
            key: certificate.key().map_err(unreadable("alipay_certificate"))?,
            valid: certificate.validity(),
        })
    }
}

/// Every key of Alipay's that this account believes.
#[derive(Debug)]
pub(super) struct Trust {
    entered: Vec<Signer>,
    fetched: RwLock<Vec<Signer>>,
    /// In certificate mode: the merchant's file of Alipay's certificate, and the roots.
    alipay: Vec<Certificate>,
    roots: Vec<Certificate>,
}

impl Trust {
    /// Public-key mode.
    pub fn of_key(key: RsaPublicKey) -> Self {
        let signer = Signer { number: None, key, valid: (UnixMillis::MIN, UnixMillis::MAX) };
        Self { entered: vec![signer], fetched: RwLock::default(), alipay: Vec::new(), roots: Vec::new() }
    }

    /// Certificate mode. Where the file holds the issuer too, the chain has to lead to the root; a lone certificate is
    /// believed as the merchant entered it. One that has expired is no reason to refuse the account: Alipay names the
    /// next one, and it is fetched.
    pub fn of_certificates(alipay: Vec<Certificate>, roots: Vec<Certificate>) -> Result<Self, AccountError> {
        let leaf = certificates::leaf(&alipay, "alipay_certificate")?;
        let signer = Signer::of_certificate(leaf)?;
        let issuers = alipay.iter().skip(1).chain(&roots);
        if issuers.clone().any(|issuer| issuer.subject() == leaf.issuer()) {
            // At a time when it was valid, for its time is another matter.
            leaf.check_chain(&alipay, &roots, leaf.validity().1)
                .or_else(|_| leaf.check_chain(&alipay, &roots, leaf.validity().0))
                .map_err(|_| wrong("alipay_certificate", "was not issued under alipay_root_certificate"))?;
        }
        Ok(Self { entered: vec![signer], fetched: RwLock::default(), alipay, roots })
    }

    /// Believes a replaced key until then.
    pub fn add_key_until(&mut self, key: RsaPublicKey, until: UnixMillis) {
        self.entered.push(Signer { number: None, key, valid: (UnixMillis::MIN, until) });
    }

    /// Believes a replaced certificate until then, if not past its own end.
    pub fn add_certificates_until(&mut self, replaced: &[Certificate], until: UnixMillis) {
        if let Some(Ok(mut signer)) = replaced.first().map(Signer::of_certificate) {
            signer.valid.1 = signer.valid.1.min(until);
            self.entered.push(signer);
        }
    }

    /// Whether an unknown certificate can be fetched and checked.
    pub fn has_root(&self) -> bool {
        !self.roots.is_empty()
    }

    /// Takes the certificate of that number out of what Alipay sent, if its chain is good.
    pub fn learn(&self, content: &str, number: &str, now: UnixMillis) -> Result<(), String> {
        let certificate = certificates::fetched(content, number, &self.alipay, &self.roots, now)?;
        let signer = Signer::of_certificate(&certificate).map_err(|error| error.to_string())?;
        let mut fetched = self.fetched.write().unwrap_or_else(PoisonError::into_inner);
        fetched.retain(|known| known.number != signer.number);
        if fetched.len() >= MAX_FETCHED {
            fetched.remove(0);
        }
        fetched.push(signer);
        Ok(())
    }

    /// Which of the readings of a signed text the signature fits. `number` is the certificate that the message names.
    pub fn check(
        &self,
        readings: &[&str],
        sign: &str,
        number: Option<&str>,
        now: UnixMillis,
    ) -> Result<usize, Distrust> {
        let fetched = self.fetched.read().unwrap_or_else(PoisonError::into_inner);
        let mut known = false;
        let mut expired = false;
        for signer in self.entered.iter().chain(fetched.iter()) {
            if let (Some(named), Some(own)) = (number, &signer.number) {
                if !own.eq_ignore_ascii_case(named) {
                    continue;
                }
                known = true;
            }
            let fits = |text: &&str| signer.key.verify_base64(text.as_bytes(), sign).is_ok();
            if let Some(reading) = readings.iter().position(fits) {
                if (signer.valid.0..=signer.valid.1).contains(&now) {
                    return Ok(reading);
                }
                expired = true;
            }
        }
        Err(match number {
            _ if expired => Distrust::Expired,
            Some(number) if !known && self.has_root() => Distrust::Stranger(number.to_owned()),
            _ => Distrust::Forged,
        })
    }
}
