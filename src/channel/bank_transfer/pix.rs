//! PIX (Brazil): the central bank's BR Code, a profile of EMVCo.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::reference::within;
use super::scheme::ascii_line;
use crate::channel::AccountError;
use crate::channel::credentials::{Fields, wrong};
use crate::money::{MAX_SALE_MINOR, Money};
use crate::payment::OutTradeNo;
use crate::qr::emvco::{Account, AdditionalData, EmvcoError, Payload, Template};

/// The scheme sets no limit; the till's own holds.
pub(super) const AMOUNTS: RangeInclusive<i64> = 1..=MAX_SALE_MINOR;
/// `txid` of a static code: 25 letters and digits at most.
const MAX_REFERENCE: usize = 25;

/// Where the money goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pix {
    key: String,
    name: String,
    city: String,
}

impl Pix {
    pub fn read(fields: &Fields) -> Result<Self, AccountError> {
        let why =
            "is no PIX key: use a CPF, a CNPJ, a telephone number beginning +55, an e-mail address or a random key";
        let key = key(fields.text("pix_key")?).ok_or_else(|| wrong("pix_key", why))?;
        Ok(Self { key, name: ascii_line(fields, "pix_name", 25)?, city: ascii_line(fields, "pix_city", 15)? })
    }

    pub fn payload(&self, amount: Money, number: &OutTradeNo) -> Result<String, EmvcoError> {
        // Without object 01, as the central bank's manual has it for codes that no provider stands behind.
        let template = Template::new("br.gov.bcb.pix").with(1, &self.key);
        let payload = Payload {
            accounts: BTreeMap::from([(26, Account::Template(template))]),
            category: Some("0000".into()),
            currency: Some("986".into()),
            amount: Some(amount.to_decimal()),
            country: Some("BR".into()),
            name: Some(self.name.clone()),
            city: Some(self.city.clone()),
            additional: AdditionalData {
                reference_label: Some(within(number, MAX_REFERENCE)),
                ..AdditionalData::default()
            },
            ..Payload::default()
        };
        payload.to_text()
    }
}

/// A key in the form that the central bank's directory keeps it in.
fn key(text: &str) -> Option<String> {
    if text.contains('@') {
        return is_email(text).then(|| text.to_ascii_lowercase());
    }
    if let Some(phone) = text.strip_prefix('+') {
        let digits: String = phone.chars().filter(|c| !matches!(c, ' ' | '-' | '(' | ')')).collect();
        let national = digits.strip_prefix("55")?;
        let good = matches!(national.len(), 10 | 11) && digits.bytes().all(|byte| byte.is_ascii_digit());
        return good.then(|| format!("+{digits}"));
    }
    if let Ok(random) = uuid::Uuid::try_parse(text) {
        return Some(random.hyphenated().to_string());
    }
    let bare: String = text.chars().filter(|c| !matches!(c, '.' | '-' | '/' | ' ')).collect();
    let bare = bare.to_ascii_uppercase();
    (is_cpf(&bare) || is_cnpj(&bare)).then_some(bare)
}

/// At most 77 characters, a point in the domain, no spaces.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".!#$'*+/=?^_`{|}~-&".contains(&byte);
    text.len() <= 77
        && !local.is_empty()
        && local.bytes().all(allowed)
        && domain.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte))
        && domain.split('.').count() >= 2
        && domain.split('.').all(|label| !label.is_empty())
}

/// A person's tax number: 11 digits, the last two check digits.
fn is_cpf(text: &str) -> bool {
    let values = values(text);
    text.len() == 11
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && values.iter().any(|value| Some(value) != values.first())
        && check_digit(values.iter().take(9), (2..=10).rev()) == values.get(9).copied()
        && check_digit(values.iter().take(10), (2..=11).rev()) == values.get(10).copied()
}

/// A company's tax number: 12 digits or (since July 2026) letters, and two check digits.
fn is_cnpj(text: &str) -> bool {
    let values = values(text);
    text.len() == 14
        && text.bytes().take(12).all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
        && text.bytes().skip(12).all(|byte| byte.is_ascii_digit())
        && values.iter().any(|value| Some(value) != values.first())
        && check_digit(values.iter().take(12), [5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2]) == values.get(12).copied()
        && check_digit(values.iter().take(13), [6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2]) == values.get(13).copied()
}

/// Digits count as they are, letters as their place in ASCII after the digit 0.
fn values(text: &str) -> Vec<u32> {
    text.bytes().map(|byte| u32::from(byte.saturating_sub(b'0'))).collect()
}

fn check_digit<'a>(values: impl Iterator<Item = &'a u32>, weights: impl IntoIterator<Item = u32>) -> Option<u32> {
    let sum: u32 = values.zip(weights).map(|(value, weight)| value * weight).sum();
    let rest = sum % 11;
    Some(if rest < 2 { 0 } else { 11 - rest })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::channel::bank_transfer::scheme::tests::{fields, refused};
    use crate::money::Currency;

    fn account(key: &str, name: &str, city: &str) -> Result<Pix, AccountError> {
        Pix::read(&fields(&[("pix_key", key), ("pix_name", name), ("pix_city", city)]))
    }

    /// The central bank's own example (Manual do BR Code), with an amount and a number.
    #[test]
    fn the_code_stands_as_in_the_central_banks_example() {
        let shop = account("123e4567-e12b-12d1-a456-426655440000", "Fulano de Tal", "BRASILIA").unwrap();
        let code = shop.payload(Money::new(1_050, Currency::BRL), &"ABCD1234".parse().unwrap()).unwrap();
        assert_eq!(
            code,
            "00020126580014br.gov.bcb.pix0136123e4567-e12b-12d1-a456-426655440000520400005303986540510.50\
             5802BR5913Fulano de Tal6008BRASILIA62120508ABCD1234630400A0"
        );
    }

    #[test]
    fn keys_are_of_five_kinds() {
        for (written, kept) in [
            ("123.456.789-09", "12345678909"),
            ("11.222.333/0001-81", "11222333000181"),
            ("12.abc.345/01de-35", "12ABC34501DE35"),
            ("+55 (61) 91234-5678", "+5561912345678"),
            ("Loja@Example.com.br", "loja@example.com.br"),
            ("123E4567-E12B-12D1-A456-426655440000", "123e4567-e12b-12d1-a456-426655440000"),
        ] {
            assert_eq!(key(written).as_deref(), Some(kept), "{written}");
        }
        for bad in [
            "",
            "12345678900",
            "11111111111",
            "11222333000182",
            "00000000000000",
            "+1 202 555 0100",
            "+55619",
            "a@b",
            "@b.c",
            "a b@c.d",
            "12ABC34501DE36",
            "chave",
            "a@b..c",
        ] {
            assert!(refused(&account(bad, "A", "B"), "pix_key"), "{bad}");
        }
        assert!(refused(&account("loja@example.com", "São João", "B"), "pix_name"));
        assert!(refused(&account("loja@example.com", "A", "A city of 16 chr"), "pix_city"));
    }

    proptest! {
        #[test]
        fn a_code_reads_back(minor in AMOUNTS, text in "[0-9A-Za-z]{8,32}") {
            let shop = account("loja@example.com.br", "Loja", "Recife").unwrap();
            let code = shop.payload(Money::new(minor, Currency::BRL), &text.parse().unwrap()).unwrap();
            let read: Payload = code.parse().unwrap();
            let Some(Account::Template(template)) = read.accounts.get(&26) else { panic!("no account in {code}") };
            prop_assert_eq!(template.get(1), Some("loja@example.com.br"));
            prop_assert_eq!(Money::parse(read.amount.as_deref().unwrap(), Currency::BRL).unwrap().minor, minor);
            prop_assert_eq!(read.additional.reference_label.clone().unwrap(), within(&text.parse().unwrap(), 25));
            prop_assert_eq!(read.missing(), Vec::<u8>::new());
        }

        #[test]
        fn any_text_is_a_key_or_not(text in "\\PC{0,40}") {
            let _ = key(&text);
        }
    }
}
