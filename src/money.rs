//! Amounts of money: integers in minor units, never floats.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The largest amount a till accepts for one sale, in minor units of a currency with cents: 100,000,000.00, Alipay's
/// limit for one trade. The same number of whole units holds for a currency without cents.
pub const MAX_SALE_MINOR: i64 = 10_000_000_000;

/// An ISO 4217 currency that a till can sell in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Currency {
    /// Chinese yuan; minor unit fen.
    CNY,
    /// Euro; minor unit cent.
    EUR,
    /// United States dollar; minor unit cent.
    USD,
    /// Hong Kong dollar; minor unit cent.
    HKD,
    /// Japanese yen; no minor unit.
    JPY,
    /// Swiss franc; minor unit rappen.
    CHF,
    /// Thai baht; minor unit satang.
    THB,
    /// Singapore dollar; minor unit cent.
    SGD,
    /// Indian rupee; minor unit paisa.
    INR,
    /// Brazilian real; minor unit centavo.
    BRL,
}

impl Currency {
    /// Every currency known, in the order settings show them.
    pub const ALL: [Self; 10] =
        [Self::CNY, Self::EUR, Self::USD, Self::HKD, Self::JPY, Self::CHF, Self::THB, Self::SGD, Self::INR, Self::BRL];

    /// The three-letter ISO 4217 code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::CNY => "CNY",
            Self::EUR => "EUR",
            Self::USD => "USD",
            Self::HKD => "HKD",
            Self::JPY => "JPY",
            Self::CHF => "CHF",
            Self::THB => "THB",
            Self::SGD => "SGD",
            Self::INR => "INR",
            Self::BRL => "BRL",
        }
    }

    /// The sign shown before an amount. Baht and rupee go by letters: their signs are in few fonts.
    #[must_use]
    pub const fn sign(self) -> &'static str {
        match self {
            Self::CNY | Self::JPY => "¥",
            Self::EUR => "€",
            Self::USD => "$",
            Self::HKD => "HK$",
            Self::CHF => "CHF ",
            Self::THB => "THB ",
            Self::SGD => "S$",
            Self::INR => "Rs ",
            Self::BRL => "R$",
        }
    }

    /// How many decimals the minor unit has (ISO 4217 exponent).
    #[must_use]
    pub const fn exponent(self) -> u32 {
        match self {
            Self::JPY => 0,
            _ => 2,
        }
    }

    const fn scale(self) -> i64 {
        10_i64.pow(self.exponent())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.code().to_owned()
    }
}

impl FromStr for Currency {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|currency| currency.code() == text)
            .ok_or_else(|| MoneyError::UnknownCurrency(text.chars().take(8).collect()))
    }
}

impl TryFrom<String> for Currency {
    type Error = MoneyError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// An amount in minor units of a currency (fen for CNY).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    /// Minor units; may be negative in a report, never in a payment.
    pub minor: i64,
    /// The currency the minor units are of.
    pub currency: Currency,
}

impl Money {
    /// An amount of `minor` units.
    #[must_use]
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Nothing, in this currency.
    #[must_use]
    pub const fn zero(currency: Currency) -> Self {
        Self::new(0, currency)
    }

    /// Reads an amount as a cashier types it: digits, at most one point, no sign, no more decimals than the
    /// currency has. Zero and amounts over [`MAX_SALE_MINOR`] are refused.
    ///
    /// # Errors
    /// Says which rule the text breaks.
    pub fn parse_sale(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        let amount = Self::parse(text, currency)?;
        amount.check_sale()
    }

    /// Checks that this amount may be asked for in one sale.
    ///
    /// # Errors
    /// [`MoneyError::NotPositive`] or [`MoneyError::TooLarge`].
    pub const fn check_sale(self) -> Result<Self, MoneyError> {
        if self.minor <= 0 {
            Err(MoneyError::NotPositive)
        } else if self.minor > MAX_SALE_MINOR / 100 * self.currency.scale() {
            Err(MoneyError::TooLarge)
        } else {
            Ok(self)
        }
    }

    /// Reads a decimal amount in major units (`12.5`, `12.50`, `.5`), as providers and people write it.
    ///
    /// # Errors
    /// [`MoneyError::Malformed`], [`MoneyError::TooManyDecimals`], [`MoneyError::NotPositive`] for a minus sign,
    /// or [`MoneyError::TooLarge`] where it does not fit.
    pub fn parse(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        let text = text.trim();
        let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(decimals) || (whole.is_empty() && decimals.is_empty()) {
            return Err(MoneyError::Malformed);
        }
        if negative {
            return Err(MoneyError::NotPositive);
        }
        let exponent = currency.exponent() as usize;
        if decimals.len() > exponent {
            return Err(MoneyError::TooManyDecimals { allowed: currency.exponent() });
        }
        let number = |part: &str| -> Result<i64, MoneyError> {
            if part.is_empty() { Ok(0) } else { part.parse().map_err(|_| MoneyError::TooLarge) }
        };
        let fraction = number(&format!("{decimals:0<exponent$}"))?;
        number(whole)?
            .checked_mul(currency.scale())
            .and_then(|minor| minor.checked_add(fraction))
            .map(|minor| Self::new(minor, currency))
            .ok_or(MoneyError::TooLarge)
    }

    /// Sum; `None` on overflow or where the currencies differ.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        if self.currency != other.currency {
            return None;
        }
        self.minor.checked_add(other.minor).map(|minor| Self::new(minor, self.currency))
    }

    /// Difference; `None` on overflow or where the currencies differ.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        if self.currency != other.currency {
            return None;
        }
        self.minor.checked_sub(other.minor).map(|minor| Self::new(minor, self.currency))
    }

    /// Major units with all decimals and no grouping, as the providers' wire wants it: `1234.50`.
    #[must_use]
    pub fn to_decimal(self) -> String {
        let sign = if self.minor < 0 { "-" } else { "" };
        let magnitude = self.minor.unsigned_abs();
        let scale = self.currency.scale().unsigned_abs();
        match self.currency.exponent() as usize {
            0 => format!("{sign}{magnitude}"),
            exponent => format!("{sign}{}.{:0exponent$}", magnitude / scale, magnitude % scale),
        }
    }

    /// Major units with thousands separated, for people: `1,234.50`.
    #[must_use]
    pub fn to_grouped(self) -> String {
        let plain = self.to_decimal();
        let (sign, plain) = plain.strip_prefix('-').map_or(("", plain.as_str()), |rest| ("-", rest));
        let (whole, decimals) = plain.split_once('.').map_or((plain, None), |(w, d)| (w, Some(d)));
        let mut grouped = String::with_capacity(whole.len() * 4 / 3 + 4);
        for (index, digit) in whole.chars().enumerate() {
            if index > 0 && (whole.len() - index).is_multiple_of(3) {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        match decimals {
            Some(decimals) => format!("{sign}{grouped}.{decimals}"),
            None => format!("{sign}{grouped}"),
        }
    }
}

impl fmt::Display for Money {
    /// `¥1,234.50`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let grouped = self.to_grouped();
        match grouped.strip_prefix('-') {
            Some(rest) => write!(f, "-{}{rest}", self.currency.sign()),
            None => write!(f, "{}{grouped}", self.currency.sign()),
        }
    }
}

/// Why a text or a number is no amount for a sale.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Not digits with at most one point.
    #[error("this is not an amount: write digits with at most one point, such as 12.50")]
    Malformed,
    /// More decimals than the currency has.
    #[error("an amount in this currency has at most {allowed} decimals")]
    TooManyDecimals {
        /// What the currency allows.
        allowed: u32,
    },
    /// Zero or negative.
    #[error("an amount must be more than zero")]
    NotPositive,
    /// Over [`MAX_SALE_MINOR`].
    #[error("the amount is too large: one sale takes at most 100,000,000.00")]
    TooLarge,
    /// No currency that this program knows.
    #[error("the currency {0:?} is not known: use one of CNY, EUR, USD, HKD, JPY, CHF, THB, SGD, INR, BRL")]
    UnknownCurrency(String),
}
