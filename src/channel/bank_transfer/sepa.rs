//! SEPA credit transfer (EPC069-12, version 002): lines that banking apps of the euro area read.

use std::ops::RangeInclusive;

use super::iban::{Iban, bic};
use super::scheme::line;
use crate::channel::AccountError;
use crate::channel::credentials::{Fields, wrong};
use crate::money::Money;
use crate::payment::OutTradeNo;

/// 0.01 to 999,999,999.99 euros.
pub(super) const AMOUNTS: RangeInclusive<i64> = 1..=99_999_999_999;
const MAX_NAME: usize = 70;
/// A code holds 331 bytes, of which the name may take so many.
const MAX_NAME_BYTES: usize = 180;

/// Where the money goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sepa {
    iban: Iban,
    bic: Option<String>,
    name: String,
}

impl Sepa {
    pub fn read(fields: &Fields) -> Result<Self, AccountError> {
        let iban = Iban::parse(fields.text("sepa_iban")?).map_err(|why| wrong("sepa_iban", why))?;
        let bic = fields.optional("sepa_bic")?.map(bic).transpose().map_err(|why| wrong("sepa_bic", why))?;
        if bic.is_none() && !iban.needs_no_bic() {
            return Err(wrong("sepa_bic", "is missing: it is needed for accounts outside the European Economic Area"));
        }
        let name = line(fields, "sepa_name", MAX_NAME)?;
        if name.len() > MAX_NAME_BYTES {
            return Err(wrong("sepa_name", "is too long for the code"));
        }
        Ok(Self { iban, bic, name })
    }

    /// The attempt's number goes as text: the structured reference has no room for all of it.
    pub fn payload(&self, amount: Money, number: &OutTradeNo) -> String {
        let lines = [
            "BCD",
            "002",
            // UTF-8.
            "1",
            "SCT",
            self.bic.as_deref().unwrap_or_default(),
            &self.name,
            self.iban.as_str(),
            &format!("EUR{}", amount.to_decimal()),
            // Purpose and structured reference.
            "",
            "",
            number.as_str(),
        ];
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::channel::bank_transfer::scheme::tests::{fields, refused};
    use crate::money::Currency;
    use crate::qr::Modules;

    fn account(iban: &str, bic: &str, name: &str) -> Result<Sepa, AccountError> {
        Sepa::read(&fields(&[("sepa_iban", iban), ("sepa_bic", bic), ("sepa_name", name)]))
    }

    /// The guidelines' own example, with our number as its text.
    #[test]
    fn the_lines_stand_as_in_the_guidelines() {
        let red_cross = account("BE72 0000 0000 1616", "BPOTBEB1", "Red Cross of Belgium").unwrap();
        assert_eq!(
            red_cross.payload(Money::new(100, Currency::EUR), &"UrgencyFund".parse().unwrap()),
            "BCD\n002\n1\nSCT\nBPOTBEB1\nRed Cross of Belgium\nBE72000000001616\nEUR1.00\n\n\nUrgencyFund"
        );
        let alone = account("DE33100205000001194700", "", "Wikimedia Fördergesellschaft").unwrap();
        assert_eq!(
            alone.payload(Money::new(2_000, Currency::EUR), &"ToWikipedia".parse().unwrap()),
            "BCD\n002\n1\nSCT\n\nWikimedia Fördergesellschaft\nDE33100205000001194700\nEUR20.00\n\n\nToWikipedia"
        );
    }

    #[test]
    fn what_a_bank_would_refuse_is_refused_here() {
        assert!(refused(&account("DE33100205000001194701", "", "A"), "sepa_iban"));
        assert!(refused(&account("DE33100205000001194700", "BANK", "A"), "sepa_bic"));
        assert!(refused(&account("GB29NWBK60161331926819", "", "A"), "sepa_bic"));
        assert!(account("GB29NWBK60161331926819", "NWBKGB2L", "A").is_ok());
        assert!(refused(&account("DE33100205000001194700", "", ""), "sepa_name"));
        assert!(refused(&account("DE33100205000001194700", "", &"x".repeat(71)), "sepa_name"));
        assert!(refused(&account("DE33100205000001194700", "", "two\nlines"), "sepa_name"));
        assert!(refused(&account("DE33100205000001194700", "", &"面".repeat(61)), "sepa_name"));
    }

    #[test]
    fn the_longest_payload_fits_into_the_code_that_the_guidelines_allow() {
        let longest = account("MT84MALT011000012345MTLCAST001S", "VALLMTMTXXX", &"面".repeat(60)).unwrap();
        let payload = longest.payload(Money::new(*AMOUNTS.end(), Currency::EUR), &"X".repeat(32).parse().unwrap());
        assert!(payload.len() <= 331, "{}", payload.len());
        // Version 13 has 69 modules on a side.
        assert!(Modules::of(&payload).unwrap().size() <= 69);
    }

    proptest! {
        #[test]
        fn lines_read_back(minor in AMOUNTS, text in "[0-9A-Za-z]{8,32}", name in "[A-Za-zäöüß .&-]{1,70}") {
            prop_assume!(!name.trim().is_empty());
            let sepa = account("DE89370400440532013000", "", &name).unwrap();
            let payload = sepa.payload(Money::new(minor, Currency::EUR), &text.parse().unwrap());
            let lines: Vec<_> = payload.split('\n').collect();
            prop_assert_eq!(&lines[..5], &["BCD", "002", "1", "SCT", ""]);
            prop_assert_eq!(lines[5], name.trim());
            prop_assert_eq!(lines[6], "DE89370400440532013000");
            let amount = lines[7].strip_prefix("EUR").unwrap();
            prop_assert_eq!(Money::parse(amount, Currency::EUR).unwrap().minor, minor);
            prop_assert_eq!(lines[10], text);
            prop_assert_eq!(lines.len(), 11);
        }
    }
}
