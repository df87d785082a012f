//! APIv2's signature, the same both ways. Pure.

use crate::crypto::{HmacSha256, Secret, constant_time_eq, md5_hex};

use super::xml::Message;

/// How messages are signed: `sign_type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SignType {
    HmacSha256,
    /// Only where the account's policy allows it.
    Md5,
}

impl SignType {
    /// The name that `sign_type` gives it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::HmacSha256 => "HMAC-SHA256",
            Self::Md5 => "MD5",
        }
    }
}

/// What is signed but for the key: every field that is not empty and not `sign`, sorted, joined by `&`.
fn text(message: &Message) -> String {
    let mut text = String::new();
    for (name, value) in message.fields().filter(|(name, value)| *name != "sign" && !value.is_empty()) {
        if !text.is_empty() {
            text.push('&');
        }
        text.push_str(name);
        text.push('=');
        text.push_str(value);
    }
    text
}

/// The signature of a message, in upper-case hex.
pub(super) fn signature(message: &Message, key: &Secret<String>, sign_type: SignType) -> String {
    let text = text(message);
    let keyed = Secret::new(format!("{text}&key={}", key.expose()));
    let digest = match sign_type {
        SignType::HmacSha256 => {
            hex::encode(HmacSha256::new(key.expose().as_bytes()).sign(&[keyed.expose().as_bytes()]))
        }
        SignType::Md5 => md5_hex(keyed.expose().as_bytes()),
    };
    digest.to_ascii_uppercase()
}

/// Whether a message carries its signature.
pub(super) fn is_signed(message: &Message, key: &Secret<String>, sign_type: SignType) -> bool {
    let right = signature(message, key, sign_type);
    constant_time_eq(right.as_bytes(), message.text("sign").to_ascii_uppercase().as_bytes())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The platform's published example; the HMAC was computed with Python's `hmac`.
    #[test]
    fn the_published_example_gives_the_published_signatures() {
        let mut message = Message::new();
        for (name, value) in [
            ("appid", "wxd930ea5d5a258f4f"),
            ("mch_id", "10000100"),
            ("device_info", "1000"),
            ("body", "test"),
            ("nonce_str", "ibuaiVcKdpRxkhJA"),
            ("sign", "ignored"),
        ] {
            message.set(name, value);
        }
        let key = Secret::new("192006250b4c09247ec02edce69f6a2d".to_owned());
        assert_eq!(signature(&message, &key, SignType::Md5), "9A0A8659F005D6984697E2CA0A9CF3B7");
        assert_eq!(
            signature(&message, &key, SignType::HmacSha256),
            "6A9AE1657590FD6257D693A078E1C3E4BB6BA4DC30B23E0EE2496E54170DACD6"
        );
    }

    proptest! {
        #[test]
        fn what_is_signed_is_believed_and_nothing_else(
            fields in proptest::collection::vec(("[a-z_]{1,10}", "[a-zA-Z0-9 中&=]{1,20}"), 1..8),
            key in "[a-z0-9]{32}",
            at: prop::sample::Index,
        ) {
            let key = Secret::new(key);
            for sign_type in [SignType::HmacSha256, SignType::Md5] {
                let mut message = Message::new();
                for (name, value) in &fields {
                    message.set(name, value.clone());
                }
                let sign = signature(&message, &key, sign_type);
                message.set("sign", sign);
                let message = Message::parse(message.to_xml().as_bytes()).unwrap();
                prop_assert!(is_signed(&message, &key, sign_type));
                let (name, value) = at.get(&fields);
                let mut other = message.clone();
                other.set(name, format!("{value}x"));
                prop_assert!(name == "sign" || !is_signed(&other, &key, sign_type));
                prop_assert!(!is_signed(&message, &Secret::new("0".repeat(32)), sign_type));
            }
        }
    }
}
