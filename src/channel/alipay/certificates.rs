//! Certificate mode: the numbers by which certificates are named, and what is asked of each before it is believed.
//! Pure.

use jiff::Timestamp;

use crate::channel::AccountError;
use crate::channel::credentials::{Fields, unreadable, wrong};
use crate::crypto::{Certificate, RsaPublicKey, certificates, md5_hex};
use crate::payment::UnixMillis;

/// No provider's file holds more; a longer one is none.
const MAX_CERTIFICATES: usize = 32;

/// What every request names in certificate mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Numbers {
    /// `app_cert_sn`
    pub app: String,
    /// `alipay_root_cert_sn`
    pub roots: String,
}

/// A certificate's number: MD5 in hex of the issuer's name and the serial number in decimal. It names the certificate
/// and proves nothing.
pub(super) fn number(certificate: &Certificate) -> String {
    md5_hex(format!("{}{}", certificate.issuer(), certificate.serial_decimal()).as_bytes())
}

/// The numbers of those roots that are signed with RSA, joined; `None` where there is none.
pub(super) fn root_numbers(roots: &[Certificate]) -> Option<String> {
    let numbers: Vec<String> = roots.iter().filter(|root| root.is_signed_with_rsa()).map(number).collect();
    (!numbers.is_empty()).then(|| numbers.join("_"))
}

/// Reads a field that holds one certificate or several.
pub(super) fn read(fields: &Fields, field: &'static str) -> Result<Vec<Certificate>, AccountError> {
    let found = certificates(fields.text(field)?).map_err(unreadable(field))?;
    if found.len() > MAX_CERTIFICATES {
        return Err(wrong(field, "holds too many certificates"));
    }
    Ok(found)
}

/// The certificate that the file is about stands first in it; the others are its issuers.
pub(super) fn leaf<'a>(found: &'a [Certificate], field: &'static str) -> Result<&'a Certificate, AccountError> {
    found.first().ok_or_else(|| wrong(field, "holds no certificate"))
}

/// Checks the application's own certificate: it is for its private key, and within its time.
pub(super) fn check_own(own: &Certificate, key: &RsaPublicKey, now: UnixMillis) -> Result<(), AccountError> {
    let field = "app_certificate";
    let certified = own.key().map_err(unreadable(field))?;
    match (certified.to_spki_pem(), key.to_spki_pem()) {
        (Ok(certified), Ok(key)) if certified == key => {}
        _ => return Err(wrong(field, "is not for app_private_key: it was made for another key")),
    }
    own.check_time(now).map_err(|_| {
        let (from, until) = own.validity();
        let when = if now > until { ("has expired on", until) } else { ("is not valid before", from) };
        wrong(field, &format!("{} {}: get a fresh one at Alipay's console", when.0, date(when.1)))
    })
}

fn date(at: UnixMillis) -> String {
    Timestamp::from_millisecond(at).unwrap_or_default().strftime("%Y-%m-%d").to_string()
}

/// Picks the certificate of that number out of what Alipay sent, and checks it.
///
/// The answer that brings it cannot be verified, so the chain to the merchant's root has to say everything. The
/// certificates of all applications lead to that root too: this one has to be of the same issuer as the one that the
/// merchant entered, or of the same name.
pub(super) fn fetched(
    content: &str,
    wanted: &str,
    entered: &[Certificate],
    roots: &[Certificate],
    now: UnixMillis,
) -> Result<Certificate, String> {
    let found = certificates(content).map_err(|error| error.to_string())?;
    if found.len() > MAX_CERTIFICATES {
        return Err("too many certificates".to_owned());
    }
    let certificate = found
        .iter()
        .find(|certificate| number(certificate) == wanted)
        .ok_or_else(|| "Alipay sent another certificate than the one asked for".to_owned())?;
    let issuers: Vec<Certificate> = found.iter().chain(entered).cloned().collect();
    certificate.check_chain(&issuers, roots, now).map_err(|error| error.to_string())?;
    let alike = entered.iter().any(|known| {
        known.issuer() == certificate.issuer()
            || (!known.common_name().is_empty() && known.common_name() == certificate.common_name())
    });
    if !alike {
        return Err("the certificate is not one of Alipay's for signing".to_owned());
    }
    Ok(certificate.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/channel/alipay/");

    fn file(name: &str) -> Vec<Certificate> {
        certificates(&std::fs::read_to_string(format!("{FOLDER}{name}")).unwrap()).unwrap()
    }

    /// Certificates and numbers from the tests of Alipay's Node SDK (alipay-sdk-nodejs-all, MIT,
    /// test/antcertutil.test.ts); the root file is the one that Alipay's console gives out.
    #[test]
    fn numbers_are_those_that_alipays_own_tools_compute() {
        assert_eq!(number(&file("app-2020.crt")[0]), "866efef280dec9137a87d047ac446315");
        assert_eq!(number(&file("alipay-2020.crt")[0]), "7513daaaa48aa3ba2e4018d84402479c");
        let roots = file("root.crt");
        // One of SM2, one of an elliptic curve, one signed with SHA-1: only RSA counts.
        assert_eq!(roots.len(), 4);
        assert_eq!(root_numbers(&roots).unwrap(), "687b59193f3f462dd5336e5abf83c5d8_02941eef3187dddf3d3b83462e1dfcf6");
        assert_eq!(root_numbers(&roots[..1]), None);
    }

    /// 2021-01-01, when all of them were valid.
    const THEN: UnixMillis = 1_609_459_200_000;

    #[test]
    fn alipays_own_chain_leads_to_its_root() {
        let (leaf, issuer, roots) = (file("alipay-2020.crt"), file("class-2.crt"), file("root.crt"));
        let all = format!("{}{}", leaf[0].to_pem(), issuer[0].to_pem());
        let wanted = number(&leaf[0]);
        assert_eq!(fetched(&all, &wanted, &leaf, &roots, THEN).unwrap(), leaf[0]);
        // It ended in May 2022.
        assert!(fetched(&all, &wanted, &leaf, &roots, 1_700_000_000_000).is_err());
        assert!(fetched(&leaf[0].to_pem(), &wanted, &leaf, &roots, THEN).is_err(), "without its issuer");
        assert!(fetched(&all, &wanted, &leaf, &roots[..1], THEN).is_err(), "another root");
        assert!(fetched(&all, "866efef280dec9137a87d047ac446315", &leaf, &roots, THEN).is_err(), "another number");
        // An application's certificate is no signer's, although it may lead to the same root.
        assert!(fetched(&all, &wanted, &file("app-2020.crt"), &roots, THEN).is_err());
    }
}
