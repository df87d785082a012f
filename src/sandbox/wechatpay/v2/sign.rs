//! The signature of APIv2: over everything that is not empty but the signature itself, in order of the names. Pure.

use super::xml::Fields;
use crate::crypto::{HmacSha256, constant_time_eq, md5_hex};

/// How a message is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SignType {
    Md5,
    HmacSha256,
}

impl SignType {
    /// The kind that a message names; MD5 where it names none.
    pub fn read(name: &str) -> Option<Self> {
        match name {
            "" | "MD5" => Some(Self::Md5),
            "HMAC-SHA256" => Some(Self::HmacSha256),
            _ => None,
        }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::HmacSha256 => "HMAC-SHA256",
        }
    }
}

/// Signs.
pub(super) fn sign(fields: &Fields, key: &str, kind: SignType) -> String {
    let mut content = String::new();
    for (name, value) in fields.iter().filter(|(name, value)| *name != "sign" && !value.is_empty()) {
        content.push_str(&format!("{name}={value}&"));
    }
    content.push_str(&format!("key={key}"));
    match kind {
        SignType::Md5 => md5_hex(content.as_bytes()).to_uppercase(),
        SignType::HmacSha256 => hex::encode_upper(HmacSha256::new(key.as_bytes()).sign(&[content.as_bytes()])),
    }
}

/// Whether the message carries the signature that its `sign_type` wants.
pub(super) fn is_signed(fields: &Fields, key: &str) -> Option<SignType> {
    let text = |name: &str| fields.get(name).map_or("", String::as_str);
    let kind = SignType::read(text("sign_type"))?;
    constant_time_eq(sign(fields, key, kind).as_bytes(), text("sign").as_bytes()).then_some(kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the platform's own page on signatures.
    #[test]
    fn it_matches_the_published_example() {
        let key = "192006250b4c09247ec02edce69f6a2d";
        let mut fields: Fields = [
            ("appid", "wxd930ea5d5a258f4f"),
            ("mch_id", "10000100"),
            ("device_info", "1000"),
            ("body", "test"),
            ("nonce_str", "ibuaiVcKdpRxkhJA"),
            ("attach", ""),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        let md5 = "9A0A8659F005D6984697E2CA0A9CF3B7";
        let hmac = "6A9AE1657590FD6257D693A078E1C3E4BB6BA4DC30B23E0EE2496E54170DACD6";
        assert_eq!(sign(&fields, key, SignType::Md5), md5);
        assert_eq!(sign(&fields, key, SignType::HmacSha256), hmac);
        assert_eq!(is_signed(&fields, key), None);
        fields.insert("sign".to_owned(), md5.to_owned());
        assert_eq!(is_signed(&fields, key), Some(SignType::Md5));
        fields.insert("sign_type".to_owned(), "SHA1".to_owned());
        assert_eq!(is_signed(&fields, key), None);
    }
}
