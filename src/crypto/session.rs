//! Tokens that tell who is signed in: JSON Web Tokens (RFC 7519) signed with ES256 (RFC 7518).

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::{CryptoError, Secret};

const REFUSED: CryptoError = CryptoError::Refused("ES256");

/// A key pair on P-256 that signs tokens and knows its own again.
#[derive(Clone)]
pub struct SessionKey {
    id: String,
    sign: EncodingKey,
    verify: DecodingKey,
}

impl SessionKey {
    /// A fresh private key: PKCS #8 in hex.
    ///
    /// # Errors
    /// The library refuses.
    pub fn generate() -> Result<Secret<String>, CryptoError> {
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
        document.map(|document| Secret::new(hex::encode(document.as_ref()))).map_err(|_| REFUSED)
    }

    /// The key of that id (the token's `kid`) from PKCS #8 in hex.
    ///
    /// # Errors
    /// It is no such key.
    pub fn open(id: &str, private: &Secret<String>) -> Result<Self, CryptoError> {
        let unreadable = || CryptoError::Unreadable { what: "session key", hint: "PKCS #8 in hex, on P-256" };
        let der = Zeroizing::new(hex::decode(private.expose()).map_err(|_| unreadable())?);
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der).map_err(|_| unreadable())?;
        let verify = DecodingKey::from_ec_der(pair.public_key().as_ref());
        Ok(Self { id: id.to_owned(), sign: EncodingKey::from_ec_der(&der), verify })
    }

    /// A token that says `claims`.
    ///
    /// # Errors
    /// The claims are no JSON object, or the library refuses.
    pub fn token(&self, claims: &impl Serialize) -> Result<String, CryptoError> {
        let header = Header { kid: Some(self.id.clone()), ..Header::new(Algorithm::ES256) };
        encode(&header, claims, &self.sign).map_err(|_| REFUSED)
    }

    /// What a token of this key says. Its times are the caller's to look at, by the caller's own clock.
    ///
    /// # Errors
    /// It was not signed by this key with ES256, or says something else.
    pub fn read<T: DeserializeOwned>(&self, token: &str) -> Result<T, CryptoError> {
        let mut validation = Validation::new(Algorithm::ES256);
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_aud = false;
        decode(token, &self.verify, &validation).map(|read| read.claims).map_err(|_| CryptoError::BadSignature)
    }

    /// The id of the key that a token says it was signed by.
    #[must_use]
    pub fn id_of(token: &str) -> Option<String> {
        decode_header(token).ok()?.kid
    }
}

impl std::fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SessionKey({})", self.id)
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn key(id: &str) -> SessionKey {
        SessionKey::open(id, &SessionKey::generate().unwrap()).unwrap()
    }

    #[test]
    fn a_token_is_believed_by_its_own_key_alone_and_only_as_it_was_signed() {
        let (ours, other) = (key("a"), key("a"));
        let claims = json!({ "sub": "anna", "exp": 1 });
        let token = ours.token(&claims).unwrap();
        assert_eq!(ours.read::<Value>(&token).unwrap(), claims);
        assert_eq!(SessionKey::id_of(&token).as_deref(), Some("a"));
        assert!(other.read::<Value>(&token).is_err());
        let [header, payload, signature] = token.split('.').collect::<Vec<_>>()[..] else { panic!("three parts") };
        let forged = URL_SAFE_NO_PAD.encode(json!({ "sub": "boss", "exp": 1 }).to_string());
        assert!(ours.read::<Value>(&format!("{header}.{forged}.{signature}")).is_err());
        let unsigned = URL_SAFE_NO_PAD.encode(json!({ "alg": "none", "typ": "JWT", "kid": "a" }).to_string());
        assert!(ours.read::<Value>(&format!("{unsigned}.{payload}.")).is_err());
        let by_hmac = URL_SAFE_NO_PAD.encode(json!({ "alg": "HS256", "typ": "JWT", "kid": "a" }).to_string());
        assert!(ours.read::<Value>(&format!("{by_hmac}.{payload}.{signature}")).is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_fall_over(text: String, parts in prop::collection::vec("[A-Za-z0-9_-]{0,40}", 0..5)) {
            let key = key("a");
            prop_assert!(key.read::<Value>(&text).is_err());
            prop_assert!(key.read::<Value>(&parts.join(".")).is_err());
            let _ = SessionKey::id_of(&text);
            let _ = SessionKey::open("a", &Secret::new(text));
        }
    }
}
