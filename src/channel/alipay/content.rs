//! Content encryption (接口内容加密): AES in CBC with PKCS#7 and an all-zero initial vector, in base64, as Alipay lays
//! down. It hides the content and proves nothing: only what is signed is opened.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::crypto::{AesCbc, CryptoError};
use crate::payment::UnixMillis;

/// Alipay's own choice; every content under one key begins alike.
const IV: [u8; 16] = [0; 16];

/// The key in use, and replaced ones for a while yet.
#[derive(Debug)]
pub(super) struct ContentKeys {
    current: AesCbc,
    replaced: Vec<(AesCbc, UnixMillis)>,
}

impl ContentKeys {
    pub const fn new(current: AesCbc) -> Self {
        Self { current, replaced: Vec::new() }
    }

    /// What was encrypted under a replaced key is opened until then.
    pub fn add_until(&mut self, key: AesCbc, until: UnixMillis) {
        self.replaced.push((key, until));
    }

    /// Encrypts what is sent.
    pub fn encrypt(&self, plain: &str) -> Result<String, CryptoError> {
        self.current.encrypt(IV, plain.as_bytes()).map(|sealed| BASE64.encode(sealed))
    }

    /// Opens what came. A wrong key may go unnoticed by the padding: a text that `reads` as nothing is tried with the
    /// next key.
    pub fn decrypt<T>(&self, sealed: &str, now: UnixMillis, reads: impl Fn(&str) -> Option<T>) -> Option<T> {
        let sealed = BASE64.decode(sealed.trim()).ok()?;
        let replaced = self.replaced.iter().filter(|(_, until)| now <= *until).map(|(key, _)| key);
        std::iter::once(&self.current).chain(replaced).find_map(|key| {
            let plain = key.decrypt(IV, &sealed).ok()?;
            reads(std::str::from_utf8(&plain).ok()?)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `printf '%s' '{"code":"10000","msg":"Success"}' | openssl enc -aes-128-cbc -K
    /// 000102030405060708090a0b0c0d0e0f -iv 00000000000000000000000000000000 -a -A`
    #[test]
    fn a_text_is_encrypted_as_openssl_does() {
        let keys = ContentKeys::new(AesCbc::new(&(0..16).collect::<Vec<u8>>()).unwrap());
        let sealed = keys.encrypt(r#"{"code":"10000","msg":"Success"}"#).unwrap();
        assert_eq!(sealed, "igATcyTqqgv1AFpBiHJyVcugyf5CDvrbjnJ+MAdK6CX8O1VlKkZ1NpZhkNX6X6m3");
        let read = |text: &str| Some(text.to_owned());
        assert_eq!(keys.decrypt(&sealed, 0, read).unwrap(), r#"{"code":"10000","msg":"Success"}"#);
        assert_eq!(keys.decrypt("not base64!", 0, read), None);
        assert_eq!(keys.decrypt("AAAA", 0, read), None);
    }
}
