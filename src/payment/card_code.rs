//! The code that a bank card's app shows (EMVCo QR Code Specification for Payment Systems, Consumer-Presented Mode):
//! base64 of BER-TLV. Read only so far that a person can be told whose card it is; nothing here goes on a wire.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Serialize;
use zeroize::Zeroizing;

/// How every such code begins: tag 85, length 5, `CPV0` and the first six bits of `1`. What follows in base64 depends on
/// the next tag as well (`hQVDUFYwMW` before an application's 61).
const BEGINNING: &str = "hQVDUFYwM";
const FORMAT: &[u8] = b"CPV01";
/// The longest code in characters (the specification's limit is 512; some carry more data of the issuer's).
const MAX_CHARACTERS: usize = 2_048;
/// Templates within templates, at most.
const MAX_DEPTH: usize = 4;
/// More data objects than any true code has.
const MAX_OBJECTS: usize = 128;

const PAYLOAD_FORMAT: u32 = 0x85;
const APPLICATION: u32 = 0x61;
const COMMON: u32 = 0x62;
const AID: u32 = 0x4f;
const LABEL: u32 = 0x50;
const TRACK_2: u32 = 0x57;
const PAN: u32 = 0x5a;

/// Whose card it is, by the registered provider's part of the application id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CardScheme {
    /// China UnionPay.
    UnionPay,
    /// Visa.
    Visa,
    /// Mastercard.
    Mastercard,
    /// American Express.
    AmericanExpress,
    /// JCB.
    Jcb,
    /// Discover and Diners Club.
    Discover,
    /// Indonesia's QRIS.
    Qris,
    /// Another.
    Other,
}

impl CardScheme {
    /// The name that people know.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::UnionPay => "UnionPay",
            Self::Visa => "Visa",
            Self::Mastercard => "Mastercard",
            Self::AmericanExpress => "American Express",
            Self::Jcb => "JCB",
            Self::Discover => "Discover",
            Self::Qris => "QRIS",
            Self::Other => "bank",
        }
    }

    fn of(aid: &[u8]) -> Self {
        match aid.get(..5) {
            Some([0xa0, 0x00, 0x00, 0x03, 0x33]) => Self::UnionPay,
            Some([0xa0, 0x00, 0x00, 0x00, 0x03]) => Self::Visa,
            Some([0xa0, 0x00, 0x00, 0x00, 0x04]) => Self::Mastercard,
            Some([0xa0, 0x00, 0x00, 0x00, 0x25]) => Self::AmericanExpress,
            Some([0xa0, 0x00, 0x00, 0x00, 0x65]) => Self::Jcb,
            Some([0xa0, 0x00, 0x00, 0x01, 0x52]) => Self::Discover,
            Some([0xa0, 0x00, 0x00, 0x06, 0x02]) => Self::Qris,
            _ => Self::Other,
        }
    }
}

/// One card in the code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardApplication {
    /// Whose.
    pub scheme: CardScheme,
    /// The application id in upper-case hex; empty where it has none.
    pub aid: String,
    /// What the issuer calls it; printable ASCII.
    pub label: Option<String>,
    /// The card's number (or the token in its place), all but its first six and last four digits hidden.
    pub card: Option<String>,
}

/// A bank card's code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardCode {
    /// The cards, the one to be preferred first. Never empty.
    pub applications: Vec<CardApplication>,
}

/// Why a text that begins like a bank card's code is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CardCodeError {
    /// It does not begin as such a code does.
    #[error("this is no bank card code: it does not begin with {BEGINNING}")]
    NotCardCode,
    /// It is longer than any.
    #[error("this is longer than any bank card code")]
    TooLong,
    /// It is not base64.
    #[error("the bank card code is not base64: a character was lost or changed")]
    NotBase64,
    /// A data object leads past the end, or is of no known form.
    #[error("the bank card code ends within a data object, or a length in it is wrong")]
    Broken,
    /// Templates within templates without end, or too many data objects.
    #[error("the bank card code has more data objects than any true one")]
    TooMany,
    /// There is no card in it.
    #[error("there is no card in the bank card code")]
    NoCard,
}

impl CardCode {
    /// Whether a text begins as such a code does.
    #[must_use]
    pub fn is_one(text: &str) -> bool {
        text.trim_start().starts_with(BEGINNING)
    }

    /// Reads a scanned text.
    ///
    /// # Errors
    /// [`CardCodeError`].
    pub fn read(text: &str) -> Result<Self, CardCodeError> {
        let text = text.trim();
        if !Self::is_one(text) {
            return Err(CardCodeError::NotCardCode);
        }
        if text.len() > MAX_CHARACTERS {
            return Err(CardCodeError::TooLong);
        }
        let lenient = GeneralPurposeConfig::new()
            .with_decode_padding_mode(DecodePaddingMode::Indifferent)
            .with_decode_allow_trailing_bits(true);
        let bytes = GeneralPurpose::new(&STANDARD, lenient).decode(text).map_err(|_| CardCodeError::NotBase64)?;
        let bytes = Zeroizing::new(bytes);
        let mut budget = MAX_OBJECTS;
        let objects = objects(&bytes, &mut budget)?;
        if objects.first().is_none_or(|(tag, value)| *tag != PAYLOAD_FORMAT || *value != FORMAT) {
            return Err(CardCodeError::NotCardCode);
        }
        // What the cards have in common stands in a template of its own.
        let mut common = Vec::new();
        for (_, value) in objects.iter().filter(|(tag, _)| *tag == COMMON) {
            flatten(value, MAX_DEPTH, &mut budget, &mut common)?;
        }
        let mut applications = Vec::new();
        for (_, value) in objects.iter().filter(|(tag, _)| *tag == APPLICATION) {
            let mut own = Vec::new();
            flatten(value, MAX_DEPTH, &mut budget, &mut own)?;
            applications.push(application(&own, &common));
        }
        if applications.is_empty() {
            return Err(CardCodeError::NoCard);
        }
        Ok(Self { applications })
    }
}

type Object<'a> = (u32, &'a [u8]);

fn application(own: &[Object<'_>], common: &[Object<'_>]) -> CardApplication {
    let find = |wanted: u32| own.iter().chain(common).find(|(tag, _)| *tag == wanted).map(|(_, value)| *value);
    let aid = find(AID).unwrap_or_default();
    let label = find(LABEL).map(|label| label.iter().filter(|byte| (0x20..0x7f).contains(*byte)));
    let label: Option<String> = label.map(|label| label.map(|byte| char::from(*byte)).take(16).collect());
    let number = find(PAN).or_else(|| find(TRACK_2)).map(digits);
    CardApplication {
        scheme: CardScheme::of(aid),
        aid: hex::encode_upper(aid),
        label: label.map(|label| label.trim().to_owned()).filter(|label| !label.is_empty()),
        card: number.and_then(|number| masked(&number)),
    }
}

/// The number's digits: half a byte each, up to the padding (F) or track 2's separator (D).
fn digits(value: &[u8]) -> Zeroizing<String> {
    let halves = value.iter().flat_map(|byte| [byte >> 4, byte & 0x0f]);
    Zeroizing::new(halves.take_while(|half| *half < 10).map(|half| char::from(b'0' + half)).collect())
}

/// The first six and the last four digits of a card's number; `None` for what is too short to be one.
fn masked(number: &str) -> Option<String> {
    let hidden = number.len().checked_sub(10).filter(|hidden| (2..=9).contains(hidden))?;
    Some(format!("{}{}{}", number.get(..6)?, "*".repeat(hidden), number.get(6 + hidden..)?))
}

/// The data objects of a template, one after another.
fn objects<'a>(mut bytes: &'a [u8], budget: &mut usize) -> Result<Vec<Object<'a>>, CardCodeError> {
    let mut objects = Vec::new();
    while !bytes.is_empty() {
        *budget = budget.checked_sub(1).ok_or(CardCodeError::TooMany)?;
        let (tag, rest) = tag(bytes).ok_or(CardCodeError::Broken)?;
        let (length, rest) = length(rest).ok_or(CardCodeError::Broken)?;
        let (value, rest) = rest.split_at_checked(length).ok_or(CardCodeError::Broken)?;
        objects.push((tag, value));
        bytes = rest;
    }
    Ok(objects)
}

/// The primitive data objects of a template and of the templates within it.
fn flatten<'a>(
    bytes: &'a [u8],
    depth: usize,
    budget: &mut usize,
    into: &mut Vec<Object<'a>>,
) -> Result<(), CardCodeError> {
    let depth = depth.checked_sub(1).ok_or(CardCodeError::TooMany)?;
    for (tag, value) in objects(bytes, budget)? {
        // Issuers put bytes of their own form into their templates; what is no TLV there is left out.
        let mut inner = Vec::new();
        if is_template(tag) && flatten(value, depth, budget, &mut inner).is_ok() {
            into.extend(inner);
        } else {
            into.push((tag, value));
        }
    }
    Ok(())
}

/// Bit 6 of a tag's first byte says that its value is made of data objects.
const fn is_template(tag: u32) -> bool {
    let first = if tag > 0xffff {
        tag >> 16
    } else if tag > 0xff {
        tag >> 8
    } else {
        tag
    };
    first & 0x20 != 0
}

/// A tag of one to three bytes (EMV Book 3, annex B1).
fn tag(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (first, mut rest) = bytes.split_first()?;
    let mut tag = u32::from(*first);
    if first & 0x1f == 0x1f {
        for more in 0..2 {
            let (next, after) = rest.split_first()?;
            tag = tag << 8 | u32::from(*next);
            rest = after;
            if next & 0x80 == 0 {
                break;
            }
            if more == 1 {
                return None;
            }
        }
    }
    Some((tag, rest))
}

/// A length of one to three bytes (EMV Book 3, annex B2).
fn length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    match bytes {
        [0x81, length, rest @ ..] => Some((usize::from(*length), rest)),
        [0x82, high, low, rest @ ..] => Some((usize::from(*high) << 8 | usize::from(*low), rest)),
        [length @ 0..=0x7f, rest @ ..] => Some((usize::from(*length), rest)),
        _ => None,
    }
}
