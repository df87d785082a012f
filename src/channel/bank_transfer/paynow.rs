//! PayNow (Singapore): the SGQR profile of EMVCo.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::reference::within;
use super::scheme::ascii_line;
use crate::channel::AccountError;
use crate::channel::credentials::{Fields, wrong};
use crate::money::Money;
use crate::payment::OutTradeNo;
use crate::qr::emvco::{Account, AdditionalData, EmvcoError, Initiation, Payload, Template};

/// To 200,000.00 dollars, the limit of a fast transfer.
pub(super) const AMOUNTS: RangeInclusive<i64> = 1..=20_000_000;
/// What an account is known by.
pub(super) const KINDS: [&str; 2] = ["uen", "mobile"];
const MAX_REFERENCE: usize = 25;

/// Where the money goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PayNow {
    proxy: Proxy,
    name: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Proxy {
    /// With its `+65`.
    Mobile(String),
    /// A company's number, perhaps with three characters that tell its accounts apart.
    Uen(String),
}

impl PayNow {
    pub fn read(fields: &Fields) -> Result<Self, AccountError> {
        let id: String = fields.text("paynow_id")?.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
        let id = id.to_ascii_uppercase();
        let proxy = match fields.optional("paynow_kind")?.unwrap_or("uen") {
            "uen" => {
                uen(&id).map(Proxy::Uen).ok_or("is no UEN: it has 9 or 10 characters, the last of them a check letter")
            }
            "mobile" => {
                mobile(&id).map(Proxy::Mobile).ok_or("is no mobile number of Singapore: 8 digits beginning 8 or 9")
            }
            _ => return Err(wrong("paynow_kind", "is neither uen nor mobile")),
        };
        let proxy = proxy.map_err(|why| wrong("paynow_id", why))?;
        Ok(Self { proxy, name: ascii_line(fields, "paynow_name", 25)? })
    }

    pub fn payload(&self, amount: Money, number: &OutTradeNo) -> Result<String, EmvcoError> {
        let template = match &self.proxy {
            Proxy::Mobile(mobile) => Template::new("SG.PAYNOW").with(1, "0").with(2, mobile),
            Proxy::Uen(uen) => Template::new("SG.PAYNOW").with(1, "2").with(2, uen),
        };
        let payload = Payload {
            initiation: Some(Initiation::Dynamic),
            // The customer cannot change the amount.
            accounts: BTreeMap::from([(26, Account::Template(template.with(3, "0")))]),
            category: Some("0000".into()),
            currency: Some("702".into()),
            amount: Some(amount.to_decimal()),
            country: Some("SG".into()),
            name: Some(self.name.clone()),
            city: Some("Singapore".into()),
            additional: AdditionalData {
                bill_number: Some(within(number, MAX_REFERENCE)),
                ..AdditionalData::default()
            },
            ..Payload::default()
        };
        payload.to_text()
    }
}

fn mobile(text: &str) -> Option<String> {
    let text =
        text.strip_prefix('+').map_or(Some(text), |rest| rest.strip_prefix("65").filter(|_| rest.len() == 10))?;
    let good = text.len() == 8 && text.starts_with(['8', '9']) && text.bytes().all(|byte| byte.is_ascii_digit());
    good.then(|| format!("+65{text}"))
}

/// A UEN, perhaps with a suffix of three characters.
fn uen(text: &str) -> Option<String> {
    let with_suffix = || {
        let (head, suffix) = text.split_at_checked(text.len().checked_sub(3)?)?;
        Some(is_uen(head) && suffix.bytes().all(|byte| byte.is_ascii_alphanumeric()))
    };
    (is_uen(text) || with_suffix().unwrap_or(false)).then(|| text.to_owned())
}

/// Whether the check letter fits: of a business (8 digits), a local company (9 digits, the year first) or another
/// entity (letter, year, kind, 4 digits).
fn is_uen(text: &str) -> bool {
    const ALPHABET: &str = "ABCDEFGHJKLMNPQRSTUVWX0123456789";
    let Some((body, check)) = text.len().checked_sub(1).and_then(|last| text.split_at_checked(last)) else {
        return false;
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let letter = |letters: &'static str, index: u32| letters.chars().nth(index as usize).map(String::from);
    let weigh = |weights: &[u32]| -> u32 {
        body.chars().zip(weights).map(|(c, weight)| c.to_digit(10).unwrap_or_default() * weight).sum()
    };
    let fits = match body.len() {
        8 if digits(body) => letter("XMKECAWLJDB", weigh(&[10, 4, 9, 3, 8, 2, 7, 1]) % 11),
        9 if digits(body) => letter("ZKCMDNERGWH", weigh(&[10, 8, 6, 4, 9, 7, 5, 3, 1]) % 11),
        9 => {
            let (head, serial) = body.split_at_checked(5).unwrap_or_default();
            let (year, kind) = (head.get(1..3).unwrap_or_default(), head.get(3..5).unwrap_or_default());
            let shaped = head.starts_with(['R', 'S', 'T']) && digits(year) && digits(serial) && !digits(kind);
            let places: Option<Vec<u32>> =
                body.chars().map(|c| ALPHABET.chars().position(|known| known == c)?.try_into().ok()).collect();
            let Some(places) = places.filter(|_| shaped) else { return false };
            let sum: u32 = places.iter().zip([4, 3, 5, 3, 10, 2, 2, 5, 7]).map(|(place, weight)| place * weight).sum();
            // Five less, kept above zero.
            letter(ALPHABET, (sum + 6) % 11)
        }
        _ => None,
    };
    fits.is_some_and(|letter| letter == check)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::channel::bank_transfer::scheme::tests::{fields, refused};
    use crate::money::Currency;

    fn account(kind: &str, id: &str, name: &str) -> Result<PayNow, AccountError> {
        PayNow::read(&fields(&[("paynow_kind", kind), ("paynow_id", id), ("paynow_name", name)]))
    }

    /// What a public generator writes for the same shop, but for the date of expiry, which we leave out.
    #[test]
    fn the_code_stands_as_public_generators_write_it() {
        let shop = account("uen", "201403121W", "ACME Pte Ltd.").unwrap();
        let code = shop.payload(Money::new(1_234, Currency::SGD), &"TQINV10001".parse().unwrap()).unwrap();
        assert_eq!(
            code,
            "00020101021226370009SG.PAYNOW010120210201403121W0301052040000530370254051\
             2.345802SG5913ACME Pte Ltd.6009Singapore62140110TQINV100016304BFC0"
        );
    }

    #[test]
    fn what_is_no_account_is_refused() {
        for good in
            ["00192200M", "197401143C", "S16FC0121D", "T01FC6132D", "201403121w", "201403121WABC", "2014 0312 1W"]
        {
            assert!(account("uen", good, "A").is_ok(), "{good}");
        }
        for bad in
            ["", "201403121X", "20140312W", "T01FC6132E", "U01FC6132D", "T0111 6132D", "201403121W12", "公司201403121W"]
        {
            assert!(refused(&account("uen", bad, "A"), "paynow_id"), "{bad}");
        }
        assert_eq!(mobile("+6591234567").as_deref(), Some("+6591234567"));
        assert_eq!(account("mobile", "9123 4567", "A").unwrap().proxy, Proxy::Mobile("+6591234567".into()));
        for bad in ["", "61234567", "912345678", "+6591234", "+8691234567", "9123456a"] {
            assert!(refused(&account("mobile", bad, "A"), "paynow_id"), "{bad}");
        }
        assert!(refused(&account("nric", "1", "A"), "paynow_kind"));
        assert!(KINDS.iter().all(|kind| !refused(&account(kind, "1", "A"), "paynow_kind")));
        assert!(refused(&account("uen", "201403121W", "a name of twenty-six chars"), "paynow_name"));
    }

    proptest! {
        #[test]
        fn a_code_reads_back(minor in AMOUNTS, text in "[0-9A-Za-z]{8,32}") {
            let shop = account("mobile", "91234567", "Kopi").unwrap();
            let code = shop.payload(Money::new(minor, Currency::SGD), &text.parse().unwrap()).unwrap();
            let read: Payload = code.parse().unwrap();
            let Some(Account::Template(template)) = read.accounts.get(&26) else { panic!("no account in {code}") };
            prop_assert_eq!((template.get(2), template.get(3)), (Some("+6591234567"), Some("0")));
            prop_assert_eq!(Money::parse(&read.amount.unwrap(), Currency::SGD).unwrap().minor, minor);
            prop_assert_eq!(read.additional.bill_number.unwrap(), within(&text.parse().unwrap(), 25));
        }

        #[test]
        fn any_text_is_an_account_or_not(text in "\\PC{0,20}") {
            let _ = (uen(&text), mobile(&text));
        }
    }
}
