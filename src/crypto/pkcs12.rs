//! PKCS#12 containers (`.p12`, `.pfx`), in which providers hand out a merchant's key and certificate. How the container
//! is encrypted is the provider's choice, often triple DES: it is opened once, when the account is built, and lies at
//! rest under our own seal.

use p12_keystore::{KeyStore, KeyStoreEntry, Pkcs12ImportPolicy, PrivateKey, PrivateKeyChain};

use super::{Certificate, CryptoError, RsaPrivateKey};

/// A key and the certificate that belongs to it, with the certificates above it.
#[derive(Debug)]
pub struct Identity {
    /// The key.
    pub key: RsaPrivateKey,
    /// Its certificate first, then those above it.
    pub chain: Vec<Certificate>,
}

/// Opens a container.
///
/// # Errors
/// [`CryptoError::Unreadable`]: it is none, the password is another, or there is no RSA key with a certificate in it.
pub fn read_pkcs12(file: &[u8], password: &str) -> Result<Identity, CryptoError> {
    let unreadable = |hint| CryptoError::Unreadable { what: "PKCS#12 file", hint };
    let store = KeyStore::from_pkcs12(file, password, Pkcs12ImportPolicy::Relaxed)
        .map_err(|_| unreadable("expected a .p12 or .pfx file and its password"))?;
    let (_, chain) = store.private_key_chain().ok_or_else(|| unreadable("there is no private key in it"))?;
    let key = RsaPrivateKey::from_pkcs8_der(chain.key().as_der())?;
    let chain: Result<Vec<_>, _> =
        chain.certs().iter().map(|certificate| Certificate::from_der(certificate.as_der())).collect();
    let chain = chain?;
    if chain.is_empty() {
        return Err(unreadable("there is no certificate in it"));
    }
    Ok(Identity { key, chain })
}

/// Makes a container under `password`, with AES-256.
///
/// # Errors
/// The library refuses.
pub fn write_pkcs12(identity: &Identity, password: &str) -> Result<Vec<u8>, CryptoError> {
    let refused = |_: p12_keystore::error::Error| CryptoError::Refused("PKCS#12");
    let key = PrivateKey::from_der(&identity.key.to_pkcs8_der()?).map_err(refused)?;
    let certificates: Result<Vec<_>, _> =
        identity.chain.iter().map(|certificate| p12_keystore::Certificate::from_der(certificate.der())).collect();
    let chain = PrivateKeyChain::new([1_u8].as_slice(), key, certificates.map_err(refused)?);
    let mut store = KeyStore::new();
    store.add_entry("merchant", KeyStoreEntry::PrivateKeyChain(chain));
    store.writer(password).write().map_err(refused)
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256};

    use super::*;
    use crate::crypto::certificates;

    #[test]
    fn a_container_opens_with_its_password_only() {
        let key = RsaPrivateKey::generate().unwrap();
        let pair = KeyPair::from_pkcs8_pem_and_sign_algo(&key.to_pkcs8_pem().unwrap(), &PKCS_RSA_SHA256).unwrap();
        let pem = CertificateParams::default().self_signed(&pair).unwrap().pem();
        let identity = Identity { key, chain: certificates(&pem).unwrap() };
        let file = write_pkcs12(&identity, "000000").unwrap();
        let again = read_pkcs12(&file, "000000").unwrap();
        assert_eq!(again.chain, identity.chain);
        assert_eq!(again.key.sign(b"a").unwrap(), identity.key.sign(b"a").unwrap());
        assert!(read_pkcs12(&file, "111111").is_err());
        assert!(read_pkcs12(b"no container", "000000").is_err());
    }
}
