//! The payload as a whole.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::template::{collect, write_all};
use super::{AdditionalData, EmvcoError, Language, MAX_CHARACTERS, Template, checksum, tlv};

const FORMAT_INDICATOR: &str = "000201";
const CHECKSUM_ID: u8 = 63;
/// What EMVCo makes mandatory beside the format indicator, the checksum and at least one account.
const MANDATORY: [u8; 5] = [52, 53, 58, 59, 60];

/// Whether a code serves once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Initiation {
    /// `11`: the same code for many payments.
    Static,
    /// `12`: a code of its own for each payment.
    Dynamic,
}

/// Where the money goes, or who sees to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Account {
    /// 02-25: the merchant's number with a card scheme (02, 03 Visa; 04, 05 Mastercard; 15, 16 UnionPay; ...).
    Scheme(String),
    /// 26-51: a template of a payment system.
    Template(Template),
}

/// What the customer is asked for on top of the amount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tip {
    /// The wallet asks for a tip.
    Asked,
    /// A fixed fee, decimal.
    Fixed(String),
    /// A fee in percent of the amount, 00.01 to 99.99.
    Percent(String),
}

/// A payload. Amounts are decimal text in the currency's major units, so that no float comes near them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Payload {
    /// 01
    pub initiation: Option<Initiation>,
    /// 02-51, by id.
    pub accounts: BTreeMap<u8, Account>,
    /// 52: ISO 18245, four digits; `0000` where it does not matter.
    pub category: Option<String>,
    /// 53: ISO 4217 in three digits.
    pub currency: Option<String>,
    /// 54: digits with at most one point; the customer enters it where it is absent.
    pub amount: Option<String>,
    /// 55-57
    pub tip: Option<Tip>,
    /// 58: ISO 3166-1, two letters.
    pub country: Option<String>,
    /// 59: the merchant's name, up to 25 characters of ASCII; other scripts go into [`Payload::language`].
    pub name: Option<String>,
    /// 60: the merchant's city, up to 15 characters of ASCII.
    pub city: Option<String>,
    /// 61: up to 10 characters.
    pub postcode: Option<String>,
    /// 62
    pub additional: AdditionalData,
    /// 64
    pub language: Option<Language>,
    /// 65-99 as they are: reserved objects, and unreserved templates (80-99), which [`Template::read`] reads.
    pub others: BTreeMap<u8, String>,
}

impl Payload {
    /// The mandatory objects that are missing; 26 stands for "an account".
    #[must_use]
    pub fn missing(&self) -> Vec<u8> {
        let has = |id| match id {
            52 => self.category.is_some(),
            53 => self.currency.is_some(),
            58 => self.country.is_some(),
            59 => self.name.is_some(),
            _ => self.city.is_some(),
        };
        let account = self.accounts.is_empty().then_some(26);
        account.into_iter().chain(MANDATORY.into_iter().filter(|id| !has(*id))).collect()
    }

    /// The text for the code, its objects in the order of their ids and the checksum last.
    ///
    /// # Errors
    /// [`EmvcoError`] where a mandatory object is missing or a value is not of its form.
    pub fn to_text(&self) -> Result<String, EmvcoError> {
        self.to_profile_text(&[])
    }

    /// As [`Payload::to_text`], for a national profile that makes some of EMVCo's mandatory objects `optional`
    /// (PromptPay: 52, 59 and 60).
    ///
    /// # Errors
    /// As [`Payload::to_text`].
    pub fn to_profile_text(&self, optional: &[u8]) -> Result<String, EmvcoError> {
        if let Some(id) = self.missing().into_iter().find(|id| !optional.contains(id)) {
            return Err(EmvcoError::Missing { id });
        }
        self.check()?;
        for (id, value) in [(59, &self.name), (60, &self.city), (61, &self.postcode)] {
            if value.as_deref().is_some_and(|value| !value.bytes().all(|byte| (0x20..0x7f).contains(&byte))) {
                return Err(EmvcoError::Wrong { id, problem: "has characters other than printable ASCII" });
            }
        }
        let mut text = FORMAT_INDICATOR.to_owned();
        let initiation = self.initiation.map(|initiation| match initiation {
            Initiation::Static => "11".to_owned(),
            Initiation::Dynamic => "12".to_owned(),
        });
        write(&mut text, 1, initiation.as_ref())?;
        for (id, account) in &self.accounts {
            match account {
                Account::Scheme(number) => tlv::write(&mut text, *id, number)?,
                Account::Template(template) => tlv::write(&mut text, *id, &template.to_value()?)?,
            }
        }
        write(&mut text, 52, self.category.as_ref())?;
        write(&mut text, 53, self.currency.as_ref())?;
        write(&mut text, 54, self.amount.as_ref())?;
        match &self.tip {
            None => {}
            Some(Tip::Asked) => tlv::write(&mut text, 55, "01")?,
            Some(Tip::Fixed(fee)) => {
                tlv::write(&mut text, 55, "02")?;
                tlv::write(&mut text, 56, fee)?;
            }
            Some(Tip::Percent(rate)) => {
                tlv::write(&mut text, 55, "03")?;
                tlv::write(&mut text, 57, rate)?;
            }
        }
        write(&mut text, 58, self.country.as_ref())?;
        write(&mut text, 59, self.name.as_ref())?;
        write(&mut text, 60, self.city.as_ref())?;
        write(&mut text, 61, self.postcode.as_ref())?;
        if !self.additional.is_empty() {
            tlv::write(&mut text, 62, &self.additional.to_value()?)?;
        }
        if let Some(language) = &self.language {
            tlv::write(&mut text, 64, &language.to_value()?)?;
        }
        write_all(&mut text, &self.others)?;
        text.push_str("6304");
        let code = checksum(&text);
        text.push_str(&code);
        match text.chars().count() {
            0..=MAX_CHARACTERS => Ok(text),
            characters => Err(EmvcoError::TooLong { id: 0, characters, limit: MAX_CHARACTERS }),
        }
    }

    /// The forms of the values: what holds for a payload that is read as for one that is built.
    fn check(&self) -> Result<(), EmvcoError> {
        let digits =
            |value: &str, count: usize| value.len() == count && value.bytes().all(|byte| byte.is_ascii_digit());
        let check = |id, value: Option<&str>, problem, fits: &dyn Fn(&str) -> bool| match value {
            Some(value) if !fits(value) => Err(EmvcoError::Wrong { id, problem }),
            _ => Ok(()),
        };
        for (id, account) in &self.accounts {
            match account {
                Account::Scheme(_) if (2..=25).contains(id) => {}
                Account::Template(template) if (26..=51).contains(id) => {
                    at_most(0, &template.globally_unique_id, 32)?;
                }
                _ => return Err(EmvcoError::OutOfPlace { id: *id }),
            }
        }
        check(52, self.category.as_deref(), "is not four digits", &|value| digits(value, 4))?;
        check(53, self.currency.as_deref(), "is not three digits", &|value| digits(value, 3))?;
        check(54, self.amount.as_deref(), "is not an amount", &is_amount)?;
        match &self.tip {
            Some(Tip::Fixed(fee)) => check(56, Some(fee), "is not an amount", &is_amount)?,
            Some(Tip::Percent(rate)) => check(57, Some(rate), "is not a rate below 100", &is_rate)?,
            Some(Tip::Asked) | None => {}
        }
        let letters = |value: &str| value.len() == 2 && value.bytes().all(|byte| byte.is_ascii_alphabetic());
        check(58, self.country.as_deref(), "is not two letters", &letters)?;
        for (id, value, limit) in [(59, &self.name, 25), (60, &self.city, 15), (61, &self.postcode, 10)] {
            if let Some(value) = value {
                at_most(id, value, limit)?;
            }
        }
        if let Some(language) = &self.language {
            check(0, Some(&language.code), "is not a language of two letters", &letters)?;
            at_most(1, &language.name, 25)?;
            at_most(2, language.city.as_deref().unwrap_or_default(), 15)?;
        }
        match self.others.keys().find(|id| !(65..=99).contains(*id)) {
            Some(id) => Err(EmvcoError::OutOfPlace { id: *id }),
            None => Ok(()),
        }
    }
}

impl FromStr for Payload {
    type Err = EmvcoError;

    /// Reads a payload: checksum, order and forms. What a national profile may leave out may be missing; see
    /// [`Payload::missing`].
    fn from_str(text: &str) -> Result<Self, EmvcoError> {
        let text = text.trim();
        if !text.starts_with(FORMAT_INDICATOR) {
            return Err(EmvcoError::NotEmvco);
        }
        // A character has at most four bytes.
        if text.len() > 4 * MAX_CHARACTERS || text.chars().count() > MAX_CHARACTERS {
            return Err(EmvcoError::TooLong { id: 0, characters: text.chars().count(), limit: MAX_CHARACTERS });
        }
        let objects = tlv::read(text)?;
        let last = objects.last().filter(|object| object.id == CHECKSUM_ID);
        let Some(last) = last else {
            let stands = objects.iter().any(|object| object.id == CHECKSUM_ID);
            let id = CHECKSUM_ID;
            return Err(if stands { EmvcoError::OutOfPlace { id } } else { EmvcoError::Missing { id } });
        };
        let signed = text.get(..last.at + 4).unwrap_or_default();
        let is = checksum(signed);
        // Some makers write the hex in lower case.
        if !last.value.eq_ignore_ascii_case(&is) {
            return Err(EmvcoError::WrongChecksum { says: last.value.to_owned(), is });
        }
        let mut fields = collect(text)?;
        let mut take = |id: u8| fields.remove(&id);
        let _ = (take(0), take(CHECKSUM_ID));
        let initiation = match take(1).as_deref() {
            None => None,
            Some("11") => Some(Initiation::Static),
            Some("12") => Some(Initiation::Dynamic),
            Some(_) => return Err(EmvcoError::Wrong { id: 1, problem: "is neither 11 nor 12" }),
        };
        let tip = match (take(55).as_deref(), take(56), take(57)) {
            (None, None, None) => None,
            (Some("01"), None, None) => Some(Tip::Asked),
            (Some("02"), Some(fee), None) => Some(Tip::Fixed(fee)),
            (Some("03"), None, Some(rate)) => Some(Tip::Percent(rate)),
            _ => return Err(EmvcoError::Wrong { id: 55, problem: "does not agree with 56 and 57" }),
        };
        let mut payload = Self {
            initiation,
            accounts: BTreeMap::new(),
            category: take(52),
            currency: take(53),
            amount: take(54),
            tip,
            country: take(58),
            name: take(59),
            city: take(60),
            postcode: take(61),
            additional: take(62).map(|value| AdditionalData::read(&value)).transpose()?.unwrap_or_default(),
            language: take(64).map(|value| Language::read(&value)).transpose()?,
            others: BTreeMap::new(),
        };
        for (id, value) in fields {
            match id {
                2..=25 => drop(payload.accounts.insert(id, Account::Scheme(value))),
                26..=51 => drop(payload.accounts.insert(id, Account::Template(Template::read(&value)?))),
                _ => drop(payload.others.insert(id, value)),
            }
        }
        payload.check()?;
        Ok(payload)
    }
}

fn write(text: &mut String, id: u8, value: Option<&String>) -> Result<(), EmvcoError> {
    value.map_or(Ok(()), |value| tlv::write(text, id, value))
}

fn at_most(id: u8, value: &str, limit: usize) -> Result<(), EmvcoError> {
    match value.chars().count() {
        characters if characters > limit => Err(EmvcoError::TooLong { id, characters, limit }),
        _ => Ok(()),
    }
}

/// Digits with at most one point, up to 13 characters (section 4.7.5 allows a point without decimals).
fn is_amount(text: &str) -> bool {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    text.len() <= 13 && !whole.is_empty() && digits(whole) && digits(decimals)
}

/// `00.01` to `99.99`.
fn is_rate(text: &str) -> bool {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.len() <= 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    !whole.is_empty() && digits(whole) && digits(decimals) && text.bytes().any(|byte| (b'1'..=b'9').contains(&byte))
}
