//! The amount as it is being typed. Pure.

use crate::money::{Currency, MAX_SALE_MINOR, Money, MoneyError};

/// A key of the amount's keypad.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// `0` to `9`.
    Digit(u8),
    /// `00`.
    DoubleZero,
    /// The decimal point.
    Point,
    /// Takes back the last key.
    Backspace,
    /// Takes back all.
    Clear,
}

impl Key {
    /// The key that a typed character means; a comma and the Chinese full stop count as the point.
    #[must_use]
    pub fn of_char(character: char) -> Option<Self> {
        match character {
            '.' | ',' | '。' => Some(Self::Point),
            // Full-width digits come from Chinese input methods.
            '０'..='９' => Some(Self::Digit((u32::from(character) - u32::from('０')) as u8)),
            _ => character.to_digit(10).map(|digit| Self::Digit(digit as u8)),
        }
    }
}

/// Why a key was not taken. The amount stays as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The currency has no further decimal.
    Decimals,
    /// One sale takes no more than [`MAX_SALE_MINOR`].
    TooLarge,
}

/// The amount as it is being typed: at most one point, never more decimals than the currency has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    typed: String,
    currency: Currency,
}

impl Entry {
    /// Nothing typed yet.
    #[must_use]
    pub const fn new(currency: Currency) -> Self {
        Self { typed: String::new(), currency }
    }

    /// An amount as if it had been typed, to begin a sale again.
    #[must_use]
    pub fn of(amount: Money) -> Self {
        Self { typed: amount.to_decimal(), currency: amount.currency }
    }

    /// Whether nothing was typed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.typed.is_empty()
    }

    /// The currency of the amount.
    #[must_use]
    pub const fn currency(&self) -> Currency {
        self.currency
    }

    /// Takes a key.
    ///
    /// # Errors
    /// Says why the key was not taken; the amount is then as before.
    pub fn press(&mut self, key: Key) -> Result<(), Refusal> {
        match key {
            Key::Digit(digit) => self.push(char::from(b'0' + digit.min(9))),
            Key::DoubleZero => {
                let before = self.typed.clone();
                self.push('0').and_then(|()| self.push('0')).inspect_err(|_| self.typed = before)
            }
            Key::Point if self.currency.exponent() == 0 => Err(Refusal::Decimals),
            Key::Point => {
                if self.typed.is_empty() {
                    self.typed.push('0');
                }
                if !self.typed.contains('.') {
                    self.typed.push('.');
                }
                Ok(())
            }
            Key::Backspace => {
                let _ = self.typed.pop();
                if self.typed == "0" {
                    self.typed.clear();
                }
                Ok(())
            }
            Key::Clear => {
                self.typed.clear();
                Ok(())
            }
        }
    }

    fn push(&mut self, digit: char) -> Result<(), Refusal> {
        if let Some((_, decimals)) = self.typed.split_once('.')
            && decimals.len() >= self.currency.exponent() as usize
        {
            return Err(Refusal::Decimals);
        }
        if self.typed == "0" {
            self.typed.clear();
        }
        let mut next = self.typed.clone();
        next.push(digit);
        match Money::parse(&next, self.currency) {
            Ok(amount) if amount.minor <= MAX_SALE_MINOR => {
                self.typed = next;
                Ok(())
            }
            _ => Err(Refusal::TooLarge),
        }
    }

    /// The amount, if a sale can be made of it.
    ///
    /// # Errors
    /// As [`Money::parse_sale`]; nothing typed counts as zero.
    pub fn amount(&self) -> Result<Money, MoneyError> {
        if self.typed.is_empty() {
            return Err(MoneyError::NotPositive);
        }
        Money::parse_sale(&self.typed, self.currency)
    }

    /// What to show: what was typed with thousands separated, and the rest that completes it to all decimals, so
    /// that a screen can tell the two apart.
    #[must_use]
    pub fn shown(&self) -> (String, String) {
        let whole_money = Money::parse(&self.typed, self.currency).unwrap_or(Money::zero(self.currency));
        let full = whole_money.to_grouped();
        if self.typed.is_empty() {
            return (String::new(), full);
        }
        let missing = match (self.typed.split_once('.'), self.currency.exponent() as usize) {
            (_, 0) => 0,
            (Some((_, decimals)), exponent) => exponent - decimals.len().min(exponent),
            (None, exponent) => exponent + 1,
        };
        let (typed, rest) = full.split_at(full.len().saturating_sub(missing));
        (typed.to_owned(), rest.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn typed(keys: &str) -> Entry {
        let mut entry = Entry::new(Currency::CNY);
        for key in keys.chars() {
            let _ = entry.press(Key::of_char(key).unwrap());
        }
        entry
    }

    #[test]
    fn what_is_typed_is_what_is_due() {
        for (keys, minor) in [("12.5", 1250), ("12.50", 1250), (".5", 50), ("7", 700), ("0.01", 1), ("0012", 1200)] {
            assert_eq!(typed(keys).amount().map(|amount| amount.minor), Ok(minor), "{keys}");
        }
        assert_eq!(typed("12.5").shown(), ("12.5".to_owned(), "0".to_owned()));
        assert_eq!(typed("1234").shown(), ("1,234".to_owned(), ".00".to_owned()));
        assert_eq!(typed("1.").shown(), ("1.".to_owned(), "00".to_owned()));
        assert_eq!(typed("").shown(), (String::new(), "0.00".to_owned()));
    }

    #[test]
    fn zero_is_no_amount() {
        for keys in ["", "0", "0.00", ".", "000"] {
            assert_eq!(typed(keys).amount(), Err(MoneyError::NotPositive), "{keys}");
        }
    }

    #[test]
    fn a_third_decimal_and_a_second_point_change_nothing() {
        let mut entry = typed("1.23");
        assert_eq!(entry.press(Key::Digit(4)), Err(Refusal::Decimals));
        assert_eq!(entry.press(Key::Point), Ok(()));
        assert_eq!(entry.amount().map(|amount| amount.minor), Ok(123));
        let mut entry = typed("1.2");
        assert_eq!(entry.press(Key::DoubleZero), Err(Refusal::Decimals));
        assert_eq!(entry, typed("1.2"));
    }

    #[test]
    fn an_amount_over_the_limit_is_refused_and_the_digits_before_stay() {
        let mut entry = typed("99999999");
        assert_eq!(entry.press(Key::Digit(9)), Err(Refusal::TooLarge));
        assert_eq!(entry.amount().map(|amount| amount.minor), Ok(9_999_999_900));
        assert_eq!(typed("100000000").amount().map(|amount| amount.minor), Ok(MAX_SALE_MINOR));
    }

    #[test]
    fn backspace_takes_back_one_key_and_clear_all() {
        let mut entry = typed("12.5");
        let _ = entry.press(Key::Backspace);
        assert_eq!(entry, typed("12."));
        let _ = entry.press(Key::Clear);
        assert!(entry.is_empty());
        let mut entry = typed(".");
        let _ = entry.press(Key::Backspace);
        assert!(entry.is_empty());
    }

    proptest! {
        #[test]
        fn any_keys_leave_an_amount_within_the_rules(keys in proptest::collection::vec(0_u8..14, 0..40)) {
            let mut entry = Entry::new(Currency::CNY);
            for key in keys {
                let before = entry.clone();
                let refused = entry.press(match key {
                    0..=9 => Key::Digit(key),
                    10 => Key::DoubleZero,
                    11 => Key::Point,
                    12 => Key::Backspace,
                    _ => Key::Clear,
                }).is_err();
                if refused {
                    prop_assert_eq!(&entry, &before);
                }
                let (typed, rest) = entry.shown();
                let shown = format!("{typed}{rest}").replace(',', "");
                let minor = Money::parse(&shown, Currency::CNY).unwrap().minor;
                prop_assert!(minor <= MAX_SALE_MINOR);
                if let Ok(amount) = entry.amount() {
                    prop_assert_eq!(amount.minor, minor);
                }
            }
        }
    }
}
