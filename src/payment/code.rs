//! A customer's payment code: what the scanned text is, and whose.

use std::fmt;
use std::ops::RangeInclusive;

use serde::Serialize;
use zeroize::Zeroize;

use super::{CardCode, CardScheme, ChannelId};

/// Which digits belong to a channel: the first two and the length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeRule {
    /// The channel whose code it is.
    pub channel: ChannelId,
    /// The first two digits, inclusive.
    pub prefixes: RangeInclusive<u8>,
    /// How many digits in all, inclusive.
    pub lengths: RangeInclusive<usize>,
}

impl CodeRule {
    /// The providers' published rules: Alipay 25-30 with 16-24 digits, WeChat Pay 10-15 with 18,
    /// UnionPay 62 with 19.
    #[must_use]
    pub fn published() -> Vec<Self> {
        vec![
            Self { channel: ChannelId::ALIPAY, prefixes: 25..=30, lengths: 16..=24 },
            Self { channel: ChannelId::WECHATPAY, prefixes: 10..=15, lengths: 18..=18 },
            Self { channel: ChannelId::UNIONPAY, prefixes: 62..=62, lengths: 19..=19 },
        ]
    }
}

/// A payment code that a rule knows. `Debug` and `Display` mask it; only [`PaymentCode::expose`] gives the digits,
/// for the wire. It is wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct PaymentCode {
    channel: ChannelId,
    digits: String,
}

impl PaymentCode {
    /// Reads scanned or typed text. Spaces and line ends around and between the digits are dropped, as people type
    /// and some scanners send them.
    ///
    /// # Errors
    /// [`CodeRejection`] says what the text is instead.
    pub fn classify(text: &str, rules: &[CodeRule]) -> Result<Self, CodeRejection> {
        if text.len() > MAX_SCANNED_BYTES {
            return Err(CodeRejection::Text);
        }
        let digits: String = text.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
        if digits.is_empty() {
            return Err(CodeRejection::Empty);
        }
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(CodeRejection::of_text(text.trim()));
        }
        let Some(prefix) = digits.get(..2).and_then(|two| two.parse::<u8>().ok()) else {
            return Err(CodeRejection::TooShort { channel: None, digits: digits.len() });
        };
        let of_prefix: Vec<_> = rules.iter().filter(|rule| rule.prefixes.contains(&prefix)).collect();
        if let Some(rule) = of_prefix.iter().find(|rule| rule.lengths.contains(&digits.len())) {
            return Ok(Self { channel: rule.channel.clone(), digits });
        }
        if is_ean(&digits) {
            return Err(CodeRejection::Product);
        }
        match of_prefix.first() {
            Some(rule) if digits.len() < *rule.lengths.start() => {
                Err(CodeRejection::TooShort { channel: Some(rule.channel.clone()), digits: digits.len() })
            }
            Some(rule) => Err(CodeRejection::TooLong { channel: Some(rule.channel.clone()), digits: digits.len() }),
            None if digits.len() < MIN_CODE_DIGITS => {
                Err(CodeRejection::TooShort { channel: None, digits: digits.len() })
            }
            None => Err(CodeRejection::UnknownPrefix { prefix: format!("{prefix:02}"), known: known(rules) }),
        }
    }

    /// The channel whose code it is.
    #[must_use]
    pub const fn channel(&self) -> &ChannelId {
        &self.channel
    }

    /// The digits themselves, for the wire and nothing else.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.digits
    }

    /// The first two and the last two digits; what may be stored and shown.
    #[must_use]
    pub fn masked(&self) -> String {
        let (head, tail) = (&self.digits[..2], &self.digits[self.digits.len() - 2..]);
        format!("{head}{}{tail}", "*".repeat(self.digits.len() - 4))
    }
}

impl fmt::Debug for PaymentCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PaymentCode({} {})", self.channel, self.masked())
    }
}

impl fmt::Display for PaymentCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

impl Drop for PaymentCode {
    fn drop(&mut self) {
        self.digits.zeroize();
    }
}

/// The shortest payment code of any provider.
const MIN_CODE_DIGITS: usize = 16;
/// No QR code holds more than 7,089 characters.
const MAX_SCANNED_BYTES: usize = 8 * 1024;

/// What a scanned text is, if it is no payment code. The name (`kind`) is stable; the sentence is for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CodeRejection {
    /// Nothing at all.
    #[error("nothing was read: ask the customer to show the payment code again")]
    Empty,
    /// A link.
    #[error("this is a web address, not a payment code: ask for the code that the customer's wallet shows under Pay")]
    WebAddress,
    /// A code that a merchant shows to be paid, perhaps our own customer's display.
    #[error("this is a merchant's code, to be scanned by customers, not a customer's payment code")]
    MerchantCode,
    /// A bank card's consumer-presented code (EMVCo CPM). UnionPay's gateway takes only the digits (`qrNo`), which the
    /// same app shows as a barcode.
    #[error("this is the code of a {}, which this till cannot charge: ask for the 19 digits beginning 62, or another wallet", card_words(*scheme, card.as_deref()))]
    CardCode {
        /// Whose card, where the code says so.
        scheme: Option<CardScheme>,
        /// Its number, masked, where the code says it.
        card: Option<String>,
    },
    /// An EAN or UPC on a product.
    #[error("this is a product's barcode, not a payment code")]
    Product,
    /// A Wi-Fi invitation.
    #[error("this is a Wi-Fi code, not a payment code")]
    Wifi,
    /// A visiting card.
    #[error("this is a contact card, not a payment code")]
    Contact,
    /// Some other text.
    #[error("this is text, not a payment code: a payment code is 16 to 24 digits")]
    Text,
    /// Digits, but too few.
    #[error("this code has {digits} digits, too few for a payment code: scan it again, or type all of it")]
    TooShort {
        /// The channel that its first digits point to.
        channel: Option<ChannelId>,
        /// How many there are.
        digits: usize,
    },
    /// Digits, but too many.
    #[error("this code has {digits} digits, too many for a payment code of that kind: scan it again")]
    TooLong {
        /// The channel that its first digits point to.
        channel: Option<ChannelId>,
        /// How many there are.
        digits: usize,
    },
    /// Digits that begin as no channel's codes do.
    #[error("no wallet's payment codes begin with {prefix}: this till takes {}", known_words(known))]
    UnknownPrefix {
        /// The first two digits.
        prefix: String,
        /// What the codes begin with that are taken.
        known: Vec<KnownCodes>,
    },
}

/// What a channel's codes begin with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KnownCodes {
    /// The channel.
    pub channel: ChannelId,
    /// The first two digits, such as `25-30` or `62`.
    pub prefixes: String,
}

/// Each channel's prefixes once, in the order of the rules.
fn known(rules: &[CodeRule]) -> Vec<KnownCodes> {
    let mut known: Vec<KnownCodes> = Vec::new();
    for rule in rules {
        let (first, last) = (rule.prefixes.start(), rule.prefixes.end());
        let prefixes = if first == last { format!("{first:02}") } else { format!("{first:02}-{last:02}") };
        let codes = KnownCodes { channel: rule.channel.clone(), prefixes };
        if !known.contains(&codes) {
            known.push(codes);
        }
    }
    known
}

fn known_words(known: &[KnownCodes]) -> String {
    let words: Vec<_> = known.iter().map(|codes| format!("{} ({})", codes.channel.title(), codes.prefixes)).collect();
    words.join(", ")
}

fn card_words(scheme: Option<CardScheme>, card: Option<&str>) -> String {
    let scheme = scheme.unwrap_or(CardScheme::Other).title();
    card.map_or_else(|| format!("{scheme} card"), |card| format!("{scheme} card {card}"))
}

impl CodeRejection {
    /// The stable name, for the API's `code` and for translation keys.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::WebAddress => "web_address",
            Self::MerchantCode => "merchant_code",
            Self::CardCode { .. } => "card_code",
            Self::Product => "product",
            Self::Wifi => "wifi",
            Self::Contact => "contact",
            Self::Text => "text",
            Self::TooShort { .. } => "too_short",
            Self::TooLong { .. } => "too_long",
            Self::UnknownPrefix { .. } => "unknown_prefix",
        }
    }

    fn of_text(text: &str) -> Self {
        let lower = text.to_lowercase();
        let begins = |prefix: &str| lower.starts_with(prefix);
        // Addresses that a wallet opens to pay a merchant: Alipay's, WeChat Pay's and UnionPay's code hosts.
        let merchant = [
            "https://qr.alipay.com/",
            "weixin://wxpay/",
            "wxp://",
            "https://qr.95516.com/",
            "https://payapp.weixin.qq.com/",
        ];
        if merchant.iter().any(|prefix| begins(prefix)) || (text.starts_with("000201") && text.contains("6304")) {
            Self::MerchantCode
        } else if CardCode::is_one(text) {
            let card = CardCode::read(text).ok().and_then(|code| code.applications.into_iter().next());
            Self::CardCode { scheme: card.as_ref().map(|card| card.scheme), card: card.and_then(|card| card.card) }
        } else if begins("http://") || begins("https://") || begins("www.") {
            Self::WebAddress
        } else if begins("wifi:") {
            Self::Wifi
        } else if begins("begin:vcard") || begins("mecard:") {
            Self::Contact
        } else {
            Self::Text
        }
    }
}

/// Whether the digits are an EAN-8, UPC-A or EAN-13 with a right check digit.
fn is_ean(digits: &str) -> bool {
    if !matches!(digits.len(), 8 | 12 | 13) {
        return false;
    }
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(index, byte)| u32::from(byte - b'0') * if index % 2 == 1 { 3 } else { 1 })
        .sum();
    sum.is_multiple_of(10)
}
