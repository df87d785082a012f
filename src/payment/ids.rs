//! Identifiers. Each is a type of its own, so that a store's id cannot be given where a till's is wanted.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::UnixMillis;

/// A text that is no identifier of that kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is not a valid {kind}: {rule}")]
pub struct IdError {
    /// Which kind of identifier was wanted.
    pub kind: &'static str,
    /// What such an identifier looks like.
    pub rule: &'static str,
}

fn is_id_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $rule:literal, $length:expr, $valid:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(into = "String", try_from = "String")]
        pub struct $name(Cow<'static, str>);

        impl $name {
            /// The identifier as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let valid: fn(u8) -> bool = $valid;
                if $length.contains(&text.len()) && text.bytes().all(valid) {
                    Ok(Self(Cow::Owned(text.to_owned())))
                } else {
                    Err(IdError { kind: $kind, rule: $rule })
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.into_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id!(
    /// A payment's id: `pay_` and a version 7 UUID, so that ids sort by time.
    PaymentId, "payment id", "it is 1 to 64 letters, digits, _ or -", (1..=64), is_id_byte
);
text_id!(
    /// A merchant account's id.
    AccountId, "account id", "it is 1 to 64 letters, digits, _ or -", (1..=64), is_id_byte
);
text_id!(
    /// A store's id.
    StoreId, "store id", "it is 1 to 64 letters, digits, _ or -", (1..=64), is_id_byte
);
text_id!(
    /// A till's id.
    TillId, "till id", "it is 1 to 64 letters, digits, _ or -", (1..=64), is_id_byte
);
text_id!(
    /// The id of a person at a till.
    OperatorId, "operator id", "it is 1 to 64 letters, digits, _ or -", (1..=64), is_id_byte
);
text_id!(
    /// A channel's id, such as `alipay`; see the constants for those built in.
    ChannelId, "channel", "it is 1 to 32 lower-case letters, digits or _", (1..=32),
    |byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_'
);
text_id!(
    /// The merchant's own number of one attempt, unique for ever: 8 to 32 letters and digits, which every provider
    /// takes (WeChat Pay 6-32, UnionPay 8-40 without signs, Alipay up to 64).
    OutTradeNo, "out_trade_no", "it is 8 to 32 letters and digits", (8..=32), |byte| byte.is_ascii_alphanumeric()
);

impl PaymentId {
    /// A new id.
    #[must_use]
    pub fn generate() -> Self {
        Self::of(Uuid::now_v7())
    }

    /// The id of a payment begun at `at`, with chance from outside: the same arguments give the same id.
    #[must_use]
    pub fn at(at: UnixMillis, chance: [u8; 10]) -> Self {
        let millis = u64::try_from(at).unwrap_or_default();
        Self::of(uuid::Builder::from_unix_timestamp_millis(millis, &chance).into_uuid())
    }

    fn of(uuid: Uuid) -> Self {
        Self(Cow::Owned(format!("pay_{}", uuid.simple())))
    }

    /// The number of the payment's attempt `no`: the payment's own digits (time first) and the attempt in hex, so
    /// that a provider's list read by a person leads back to the sale. `None` past 255 attempts or for a foreign id.
    #[must_use]
    pub fn out_trade_no(&self, no: u32) -> Option<OutTradeNo> {
        let digits = self.0.strip_prefix("pay_")?;
        // The UUID's version and variant digits say nothing; the attempt's two digits take their place.
        let head = digits.get(..12)?;
        let middle = digits.get(13..31)?;
        if no > 0xff {
            return None;
        }
        format!("{head}{middle}{no:02x}").to_ascii_uppercase().parse().ok()
    }

    /// The number of the payment's refund `no`: 32 letters and digits like an attempt's, told from one by the R before
    /// its last two. The first digit gives way to it: it is 0 for some thousand years. `None` past 255 refunds or for
    /// a foreign id.
    #[must_use]
    pub fn out_refund_no(&self, no: u32) -> Option<String> {
        let digits = self.0.strip_prefix("pay_")?;
        let head = digits.get(1..12)?;
        let middle = digits.get(13..31)?;
        if no > 0xff {
            return None;
        }
        Some(format!("{head}{middle}R{no:02x}").to_ascii_uppercase())
    }
}

impl ChannelId {
    /// Alipay.
    pub const ALIPAY: Self = Self(Cow::Borrowed("alipay"));
    /// WeChat Pay.
    pub const WECHATPAY: Self = Self(Cow::Borrowed("wechatpay"));
    /// UnionPay (bank cards by QR).
    pub const UNIONPAY: Self = Self(Cow::Borrowed("unionpay"));

    /// What people call it, in English; a channel that is not built in goes by its id.
    #[must_use]
    pub fn title(&self) -> &str {
        match self.as_str() {
            "alipay" => "Alipay",
            "wechatpay" => "WeChat Pay",
            "unionpay" => "UnionPay",
            other => other,
        }
    }

    /// The id of a channel that is built in, checked where it is compiled.
    ///
    /// # Panics
    /// Where the name is no channel's id; in a constant that is an error of the compiler.
    #[must_use]
    pub const fn built_in(name: &'static str) -> Self {
        let bytes = name.as_bytes();
        assert!(!bytes.is_empty() && bytes.len() <= 32, "a channel's id is 1 to 32 characters");
        let mut index = 0;
        while index < bytes.len() {
            let byte = bytes[index];
            assert!(
                byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_',
                "a channel's id is lower-case letters, digits and _"
            );
            index += 1;
        }
        Self(Cow::Borrowed(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_of_a_payment_have_numbers_of_their_own_that_every_provider_takes() {
        let payment = PaymentId::generate();
        let numbers: std::collections::HashSet<_> = (0..=255).map(|no| payment.out_trade_no(no).unwrap()).collect();
        assert_eq!(numbers.len(), 256);
        assert!(numbers.iter().all(|number| number.as_str().len() == 32));
        assert_eq!(payment.out_trade_no(256), None);
        assert_eq!("pay_x".parse::<PaymentId>().unwrap().out_trade_no(1), None);
    }

    #[test]
    fn ids_sort_by_time_and_follow_from_it_and_chance() {
        let id = |at, chance| PaymentId::at(at, [chance; 10]);
        assert_eq!(id(1_795_000_000_000, 7), id(1_795_000_000_000, 7));
        assert!(id(1_795_000_000_000, 255) < id(1_795_000_000_001, 0));
        assert!(id(1_795_000_000_000, 7).out_trade_no(1).is_some());
    }

    #[test]
    fn refunds_of_a_payment_have_numbers_of_their_own_that_every_provider_takes() {
        let payment = PaymentId::generate();
        let numbers: std::collections::HashSet<_> = (0..=255)
            .map(|no| payment.out_refund_no(no).unwrap())
            .chain((0..=255).map(|no| payment.out_trade_no(no).unwrap().to_string()))
            // The number of a surplus's refund.
            .chain((0..=255).map(|no| format!("{}R", &payment.out_trade_no(no).unwrap().as_str()[1..])))
            .collect();
        assert_eq!(numbers.len(), 3 * 256);
        assert!(numbers.iter().all(|number| number.parse::<OutTradeNo>().is_ok() && number.len() == 32));
        assert_eq!(payment.out_refund_no(256), None);
        assert_eq!("pay_x".parse::<PaymentId>().unwrap().out_refund_no(1), None);
    }

    #[test]
    fn foreign_text_is_no_id() {
        assert!("".parse::<PaymentId>().is_err());
        assert!("a/b".parse::<StoreId>().is_err());
        assert!("Alipay".parse::<ChannelId>().is_err());
        assert!("ABC-1234".parse::<OutTradeNo>().is_err());
        assert!("支付宝".parse::<TillId>().is_err());
    }
}
