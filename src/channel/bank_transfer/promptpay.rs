//! PromptPay (Thailand): the Thai QR Payment Standard's profile of EMVCo.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::reference::within;
use crate::channel::AccountError;
use crate::channel::credentials::{Fields, wrong};
use crate::money::Money;
use crate::payment::OutTradeNo;
use crate::qr::emvco::{Account, AdditionalData, EmvcoError, Initiation, Payload, Template};

/// To 2,000,000.00 baht; banks set lower limits of their own.
pub(super) const AMOUNTS: RangeInclusive<i64> = 1..=200_000_000;
/// What an account is known by.
pub(super) const KINDS: [&str; 4] = ["phone", "tax_id", "ewallet", "biller"];

/// Credit transfer to a proxy.
const TRANSFER: &str = "A000000677010111";
/// Bill payment to a biller, with references of its own.
const BILL: &str = "A000000677010112";
const MAX_BILL_REFERENCE: usize = 20;
const MAX_REFERENCE: usize = 25;

/// Where the money goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PromptPay {
    /// Thirteen digits: `0066` and the number without its 0.
    Phone(String),
    /// A person's or a company's number.
    TaxId(String),
    /// A wallet's number.
    EWallet(String),
    /// The company's tax number and two digits.
    Biller(String),
}

impl PromptPay {
    pub fn read(fields: &Fields) -> Result<Self, AccountError> {
        let field = "promptpay_id";
        let digits: String = fields.text(field)?.chars().filter(|c| !matches!(c, ' ' | '-' | '+')).collect();
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(wrong(field, "is no number"));
        }
        match fields.optional("promptpay_kind")?.unwrap_or("phone") {
            "phone" => {
                let national = digits.strip_prefix("66").filter(|rest| rest.len() == 9);
                let national = national.or_else(|| digits.strip_prefix('0').filter(|rest| rest.len() == 9));
                let mobile = national.filter(|rest| rest.starts_with(['6', '8', '9']));
                let number = mobile.ok_or_else(|| wrong(field, "is no Thai mobile number, such as 081 234 5678"))?;
                Ok(Self::Phone(format!("0066{number}")))
            }
            "tax_id" if is_tax_id(&digits) => Ok(Self::TaxId(digits)),
            "tax_id" => Err(wrong(field, "is no tax or national number: 13 digits, the last of them a check digit")),
            "ewallet" if digits.len() == 15 => Ok(Self::EWallet(digits)),
            "ewallet" => Err(wrong(field, "is no e-wallet number of 15 digits")),
            "biller" if digits.len() == 15 && digits.get(..13).is_some_and(is_tax_id) => Ok(Self::Biller(digits)),
            "biller" => Err(wrong(field, "is no biller number: the 13 digits of the tax number and two more")),
            _ => Err(wrong("promptpay_kind", "is none of phone, tax_id, ewallet and biller")),
        }
    }

    pub fn payload(&self, amount: Money, number: &OutTradeNo) -> Result<String, EmvcoError> {
        let mut additional = AdditionalData::default();
        let (id, template) = match self {
            Self::Phone(proxy) => (29, Template::new(TRANSFER).with(1, proxy)),
            Self::TaxId(proxy) => (29, Template::new(TRANSFER).with(2, proxy)),
            Self::EWallet(proxy) => (29, Template::new(TRANSFER).with(3, proxy)),
            Self::Biller(biller) => {
                let reference = within(number, MAX_BILL_REFERENCE).to_ascii_uppercase();
                (30, Template::new(BILL).with(1, biller).with(2, reference))
            }
        };
        if id == 29 {
            additional.reference_label = Some(within(number, MAX_REFERENCE));
        }
        let payload = Payload {
            initiation: Some(Initiation::Dynamic),
            accounts: BTreeMap::from([(id, Account::Template(template))]),
            currency: Some("764".into()),
            amount: Some(amount.to_decimal()),
            country: Some("TH".into()),
            additional,
            ..Payload::default()
        };
        payload.to_profile_text(&[52, 59, 60])
    }
}

/// Thirteen digits, the last a check digit (weights 13 to 2, modulo 11).
fn is_tax_id(text: &str) -> bool {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(10)).collect();
    let sum: u32 = digits.iter().zip((2..=13).rev()).map(|(digit, weight)| digit * weight).sum();
    text.len() == 13 && digits.len() == 13 && digits.last() == Some(&((11 - sum % 11) % 10))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::channel::bank_transfer::scheme::tests::{fields, refused};
    use crate::money::Currency;

    fn account(kind: &str, id: &str) -> Result<PromptPay, AccountError> {
        PromptPay::read(&fields(&[("promptpay_kind", kind), ("promptpay_id", id)]))
    }

    fn payload(account: &PromptPay, minor: i64, number: &str) -> String {
        account.payload(Money::new(minor, Currency::THB), &number.parse().unwrap()).unwrap()
    }

    /// The same objects as the public generators write for these accounts and amounts; they put them in another order
    /// and write no reference.
    #[test]
    fn the_objects_are_those_of_public_generators() {
        let phone = account("phone", "080-123-4567").unwrap();
        assert_eq!(
            payload(&phone, 4_250, "ABCDEFGH"),
            "00020101021229370016A00000067701011101130066801234567530376454054\
             2.505802TH62120508ABCDEFGH6304CA0F"
        );
        let tax = payload(&account("tax_id", "1234567890121").unwrap(), 422, "ABCDEFGH");
        assert!(tax.contains("29370016A00000067701011102131234567890121"), "{tax}");
        let wallet = payload(&account("ewallet", "012345678901234").unwrap(), 100, "ABCDEFGH");
        assert!(wallet.contains("29390016A0000006770101110315012345678901234"), "{wallet}");
        let biller = payload(&account("biller", "123456789012199").unwrap(), 10_050, "CUSTOMER001");
        assert!(biller.contains("30540016A00000067701011201151234567890121990211CUSTOMER001"), "{biller}");
    }

    #[test]
    fn phones_are_taken_in_the_forms_that_people_write() {
        for text in ["0812345678", "+66 81 234 5678", "66812345678", "081-234-5678"] {
            assert_eq!(account("phone", text).unwrap(), PromptPay::Phone("0066812345678".into()), "{text}");
        }
    }

    #[test]
    fn what_is_no_account_is_refused() {
        for (kind, id) in [
            ("phone", ""),
            ("phone", "081234567"),
            ("phone", "021234567"),
            ("phone", "08123456789"),
            ("phone", "๐๘๑๒๓๔๕๖๗๘"),
            ("tax_id", "1234567890123"),
            ("tax_id", "123456789012"),
            ("ewallet", "01234567890123"),
            ("biller", "1234567890121"),
            ("biller", "123456789012399"),
        ] {
            assert!(refused(&account(kind, id), "promptpay_id"), "{kind} {id}");
        }
        assert!(refused(&account("iban", "1"), "promptpay_kind"));
        assert!(KINDS.iter().all(|kind| !refused(&account(kind, "1"), "promptpay_kind")));
    }

    proptest! {
        #[test]
        fn a_code_reads_back(minor in AMOUNTS, text in "[0-9A-Za-z]{8,32}") {
            let code = payload(&account("phone", "0812345678").unwrap(), minor, &text);
            let read: Payload = code.parse().unwrap();
            let Some(Account::Template(template)) = read.accounts.get(&29) else { panic!("no account in {code}") };
            prop_assert_eq!(template.get(1), Some("0066812345678"));
            prop_assert_eq!(Money::parse(&read.amount.unwrap(), Currency::THB).unwrap().minor, minor);
            prop_assert_eq!(read.additional.reference_label.unwrap(), within(&text.parse().unwrap(), 25));
        }
    }
}
