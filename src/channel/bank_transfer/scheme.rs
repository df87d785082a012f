//! Which scheme a shop's bank takes, and what each makes of an amount and a number. Pure.

use std::ops::RangeInclusive;

use super::paynow::{self, PayNow};
use super::pix::{self, Pix};
use super::promptpay::{self, PromptPay};
use super::sepa::{self, Sepa};
use super::swiss::{self, Swiss};
use super::upi::{self, Upi};
use crate::channel::AccountError;
use crate::channel::credentials::{Fields, wrong};
use crate::money::{Currency, Money};
use crate::payment::OutTradeNo;
use crate::qr::emvco::EmvcoError;

/// The names of the schemes in an account's credentials.
pub(super) const NAMES: [&str; 6] = ["promptpay", "pix", "paynow", "upi", "sepa", "swiss"];

/// A shop's account under one scheme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Scheme {
    PromptPay(PromptPay),
    Pix(Pix),
    PayNow(PayNow),
    Upi(Upi),
    Sepa(Sepa),
    Swiss(Swiss),
}

impl Scheme {
    pub fn read(fields: &Fields) -> Result<Self, AccountError> {
        match fields.text("scheme")? {
            "promptpay" => PromptPay::read(fields).map(Self::PromptPay),
            "pix" => Pix::read(fields).map(Self::Pix),
            "paynow" => PayNow::read(fields).map(Self::PayNow),
            "upi" => Upi::read(fields).map(Self::Upi),
            "sepa" => Sepa::read(fields).map(Self::Sepa),
            "swiss" => Swiss::read(fields).map(Self::Swiss),
            _ => Err(wrong("scheme", "is none that is known: use promptpay, pix, paynow, upi, sepa or swiss")),
        }
    }

    /// The one currency of the account.
    pub const fn currency(&self) -> Currency {
        match self {
            Self::PromptPay(_) => Currency::THB,
            Self::Pix(_) => Currency::BRL,
            Self::PayNow(_) => Currency::SGD,
            Self::Upi(_) => Currency::INR,
            Self::Sepa(_) => Currency::EUR,
            Self::Swiss(swiss) => swiss.currency(),
        }
    }

    /// Smallest and largest amount, in minor units.
    pub fn amounts(&self) -> RangeInclusive<i64> {
        match self {
            Self::PromptPay(_) => promptpay::AMOUNTS,
            Self::Pix(_) => pix::AMOUNTS,
            Self::PayNow(_) => paynow::AMOUNTS,
            Self::Upi(_) => upi::AMOUNTS,
            Self::Sepa(_) => sepa::AMOUNTS,
            Self::Swiss(_) => swiss::AMOUNTS,
        }
    }

    /// What the code says: the account, the exact amount, and a reference that follows from the attempt's number.
    ///
    /// # Errors
    /// A value has no room in the payload.
    pub fn payload(&self, amount: Money, number: &OutTradeNo) -> Result<String, EmvcoError> {
        match self {
            Self::PromptPay(account) => account.payload(amount, number),
            Self::Pix(account) => account.payload(amount, number),
            Self::PayNow(account) => account.payload(amount, number),
            Self::Upi(account) => Ok(account.payload(amount, number)),
            Self::Sepa(account) => Ok(account.payload(amount, number)),
            Self::Swiss(account) => Ok(account.payload(amount, number)),
        }
    }
}

/// A text of one line, that has to be there and is not too long.
pub(super) fn line(fields: &Fields, field: &'static str, length: usize) -> Result<String, AccountError> {
    let text = fields.text(field)?;
    if text.chars().any(char::is_control) {
        return Err(wrong(field, "has line ends or other characters that cannot be seen"));
    }
    if text.chars().count() > length {
        return Err(wrong(field, &format!("is too long: {length} characters are allowed")));
    }
    Ok(text.to_owned())
}

/// As [`line`], in ASCII: what EMVCo codes hold.
pub(super) fn ascii_line(fields: &Fields, field: &'static str, length: usize) -> Result<String, AccountError> {
    let text = line(fields, field, length)?;
    if text.is_ascii() {
        Ok(text)
    } else {
        Err(wrong(field, "has letters with accents or of another script: the code holds none"))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub fn fields(given: &[(&str, &str)]) -> Fields {
        Fields::of_pairs(given)
    }

    /// Whether it was refused for this very field.
    pub fn refused<T>(result: &Result<T, AccountError>, wanted: &str) -> bool {
        matches!(result, Err(AccountError::Credential { field, .. }) if *field == wanted)
    }

    #[test]
    fn every_scheme_has_its_currency() {
        let read = |given: &[(&str, &str)]| Scheme::read(&fields(given)).unwrap().currency();
        assert_eq!(read(&[("scheme", "upi"), ("upi_address", "a1@b1"), ("upi_name", "A")]), Currency::INR);
        let swiss = [
            ("scheme", "swiss"),
            ("swiss_iban", "CH4431999123000889012"),
            ("swiss_currency", "EUR"),
            ("swiss_name", "A"),
            ("swiss_postcode", "8000"),
            ("swiss_town", "Zürich"),
            ("swiss_country", "CH"),
        ];
        assert_eq!(read(&swiss), Currency::EUR);
        assert!(refused(&Scheme::read(&fields(&[("scheme", "cheque")])), "scheme"));
        assert!(refused(&Scheme::read(&fields(&[])), "scheme"));
        for name in NAMES {
            assert!(!refused(&Scheme::read(&fields(&[("scheme", name)])), "scheme"), "{name}");
        }
    }
}
