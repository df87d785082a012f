//! The form of every message: fields, what a signature covers, and text of it. Pure.

use std::collections::BTreeMap;

use crate::crypto::{CryptoError, RsaPrivateKey, RsaPublicKey, sha256_hex};

/// A message's fields, in the order in which they are signed.
pub(super) type Fields = BTreeMap<String, String>;

/// The fields of a form in UTF-8; `None` where it is none, or names a field twice.
pub(super) fn read(body: &[u8]) -> Option<Fields> {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_bytes(body).ok()?;
    let count = pairs.len();
    let fields: Fields = pairs.into_iter().collect();
    (fields.len() == count && !fields.is_empty()).then_some(fields)
}

/// What a signature is made over: every field but `signature` that has a value, sorted by name, values as they are;
/// of that the SHA-256 in lower-case hex.
fn digest(fields: &Fields) -> String {
    let pairs: Vec<_> = fields
        .iter()
        .filter(|(name, value)| *name != "signature" && !value.is_empty())
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    sha256_hex(pairs.join("&").as_bytes())
}

/// Puts the certificate and the signature into a message.
pub(super) fn sign(fields: &mut Fields, key: &RsaPrivateKey, certificate_pem: &str) {
    // The gateway writes its certificate with the line ends of another system.
    let pem = certificate_pem.trim_end().replace('\n', "\r\n");
    fields.insert("signPubKeyCert".into(), pem);
    let signature = key.sign_base64(digest(fields).as_bytes()).unwrap_or_default();
    fields.insert("signature".into(), signature);
}

/// Checks a merchant's signature.
pub(super) fn verify(fields: &Fields, key: &RsaPublicKey) -> Result<(), CryptoError> {
    let signature = fields.get("signature").map_or("", String::as_str);
    key.verify_base64(digest(fields).as_bytes(), signature)
}

/// An answer's text: values are not encoded, whatever stands in them.
pub(super) fn to_text(fields: &Fields) -> String {
    let pairs: Vec<_> =
        fields.iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fields(pairs: &[(&str, &str)]) -> Fields {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_signature_covers_sorted_fields_that_have_a_value() {
        let some = fields(&[("txnType", "01"), ("accessType", "0"), ("signature", "x"), ("reqReserved", "")]);
        assert_eq!(digest(&some), sha256_hex(b"accessType=0&txnType=01"));
    }

    #[test]
    fn what_was_signed_is_verified_until_it_is_changed() {
        let key = RsaPrivateKey::generate().unwrap();
        let mut message = fields(&[("merId", "777290058110048"), ("respMsg", "成功[0000000]")]);
        sign(&mut message, &key, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
        assert!(message["signPubKeyCert"].contains("\r\nAAAA\r\n"));
        assert_eq!(verify(&message, &key.public_key()), Ok(()));
        message.insert("respCode".into(), "00".into());
        assert!(verify(&message, &key.public_key()).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(body in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Some(fields) = read(&body) {
                let _ = (digest(&fields), to_text(&fields));
            }
        }
    }

    #[test]
    fn a_field_named_twice_is_no_message() {
        assert!(read(b"a=1&b=2").is_some());
        assert!(read(b"a=1&a=2").is_none());
        assert!(read(b"").is_none());
        assert!(read(b"a=%ff").is_none_or(|fields| fields.len() == 1));
    }
}
