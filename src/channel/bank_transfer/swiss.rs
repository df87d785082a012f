//! Swiss QR-bill (SIX, Swiss Implementation Guidelines for the QR-bill, version 2.3): 31 lines, structured addresses.

use std::ops::RangeInclusive;

use super::iban::Iban;
use super::reference::{creditor_reference, qr_reference};
use super::scheme::line;
use crate::channel::AccountError;
use crate::channel::credentials::{Fields, wrong};
use crate::money::{Currency, Money};
use crate::payment::OutTradeNo;

/// 0.01 to 999,999,999.99.
pub(super) const AMOUNTS: RangeInclusive<i64> = 1..=99_999_999_999;
/// Lines of a party that is left out: the final creditor, who is not to be filled in, and the payer.
const NOBODY: [&str; 7] = [""; 7];

/// Where the money goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Swiss {
    iban: Iban,
    currency: Currency,
    name: String,
    street: String,
    house: String,
    postcode: String,
    town: String,
    country: String,
}

impl Swiss {
    pub fn read(fields: &Fields) -> Result<Self, AccountError> {
        let iban = Iban::parse(fields.text("swiss_iban")?).map_err(|why| wrong("swiss_iban", why))?;
        if !matches!(iban.country(), "CH" | "LI") {
            return Err(wrong("swiss_iban", "is no account in Switzerland or Liechtenstein"));
        }
        let currency = match fields.optional("swiss_currency")? {
            None | Some("CHF") => Currency::CHF,
            Some("EUR") => Currency::EUR,
            Some(_) => return Err(wrong("swiss_currency", "is neither CHF nor EUR")),
        };
        let country = line(fields, "swiss_country", 2)?.to_ascii_uppercase();
        if country.len() != 2 || !country.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return Err(wrong("swiss_country", "is no country's two letters, such as CH"));
        }
        let optional = |field, length| match fields.optional(field)? {
            None => Ok(String::new()),
            Some(_) => latin(fields, field, length),
        };
        Ok(Self {
            iban,
            currency,
            name: latin(fields, "swiss_name", 70)?,
            street: optional("swiss_street", 70)?,
            house: optional("swiss_house", 16)?,
            postcode: latin(fields, "swiss_postcode", 16)?,
            town: latin(fields, "swiss_town", 35)?,
            country,
        })
    }

    pub const fn currency(&self) -> Currency {
        self.currency
    }

    /// A QR-IBAN takes a QR reference and no other; other accounts get a creditor reference. Neither has room for the
    /// attempt's whole number, which stands in the message.
    pub fn payload(&self, amount: Money, number: &OutTradeNo) -> String {
        let (kind, reference) =
            if self.iban.is_qr_iban() { ("QRR", qr_reference(number)) } else { ("SCOR", creditor_reference(number)) };
        let amount = amount.to_decimal();
        let head = ["SPC", "0200", "1", self.iban.as_str()];
        let creditor = ["S", &self.name, &self.street, &self.house, &self.postcode, &self.town, &self.country];
        let money = [amount.as_str(), self.currency.code()];
        let purpose = [kind, reference.as_str(), number.as_str(), "EPD"];
        [&head[..], &creditor, &NOBODY, &money, &NOBODY, &purpose].concat().join("\n")
    }
}

/// A text of the characters that the guidelines allow: Latin with its supplement and its extension A, and a few more.
fn latin(fields: &Fields, field: &'static str, length: usize) -> Result<String, AccountError> {
    let text = line(fields, field, length)?;
    let allowed = |c: char| matches!(c, '\u{20}'..='\u{7e}' | '\u{a0}'..='\u{17f}' | 'Ș' | 'ș' | 'Ț' | 'ț' | '€');
    if text.chars().all(allowed) { Ok(text) } else { Err(wrong(field, "has characters that are not Latin")) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::channel::bank_transfer::reference::{is_creditor_reference, is_qr_reference};
    use crate::channel::bank_transfer::scheme::tests::{fields, refused};
    use crate::qr::Modules;

    const SCHNEIDER: [(&str, &str); 8] = [
        ("swiss_iban", "CH44 3199 9123 0008 8901 2"),
        ("swiss_currency", "CHF"),
        ("swiss_name", "Robert Schneider AG"),
        ("swiss_street", "Rue du Lac"),
        ("swiss_house", "1268"),
        ("swiss_postcode", "2501"),
        ("swiss_town", "Biel"),
        ("swiss_country", "CH"),
    ];

    fn with(field: &'static str, value: &str) -> Result<Swiss, AccountError> {
        let mut given = SCHNEIDER.map(|(field, value)| (field, value.to_owned()));
        given.iter_mut().filter(|(known, _)| *known == field).for_each(|(_, known)| value.clone_into(known));
        let given: Vec<_> = given.iter().map(|(field, value)| (*field, value.as_str())).collect();
        Swiss::read(&fields(&given))
    }

    /// The guidelines' example of a QR-IBAN, but for the payer and our own reference.
    #[test]
    fn the_lines_stand_as_in_the_guidelines() {
        let number: OutTradeNo = "0192A3B4C5D6777788889999AAAABB01".parse().unwrap();
        let payload = Swiss::read(&fields(&SCHNEIDER)).unwrap().payload(Money::new(194_975, Currency::CHF), &number);
        let reference = qr_reference(&number);
        let expected = format!(
            "SPC\n0200\n1\nCH4431999123000889012\nS\nRobert Schneider AG\nRue du Lac\n1268\n2501\nBiel\nCH\n\n\n\n\n\n\n\n\
             1949.75\nCHF\n\n\n\n\n\n\n\nQRR\n{reference}\n{number}\nEPD"
        );
        assert_eq!(payload, expected);
        assert_eq!(payload.split('\n').count(), 31);
        let plain = with("swiss_iban", "CH5800791123000889012").unwrap();
        let payload = plain.payload(Money::new(19_995, Currency::CHF), &number);
        assert!(payload.contains(&format!("\nSCOR\n{}\n{number}\nEPD", creditor_reference(&number))), "{payload}");
    }

    #[test]
    fn what_a_bank_would_refuse_is_refused_here() {
        for (field, value) in [
            ("swiss_iban", "DE89370400440532013000"),
            ("swiss_iban", "CH4431999123000889013"),
            ("swiss_currency", "USD"),
            ("swiss_name", ""),
            ("swiss_name", "面馆"),
            ("swiss_street", "a\nb"),
            ("swiss_house", "12345678901234567"),
            ("swiss_postcode", ""),
            ("swiss_town", ""),
            ("swiss_country", "Schweiz"),
            ("swiss_country", "C1"),
        ] {
            assert!(refused(&with(field, value), field), "{field} {value}");
        }
        assert!(with("swiss_street", "").is_ok() && with("swiss_name", "Żółć & Söhne Œuvre €").is_ok());
        assert_eq!(with("swiss_currency", "EUR").unwrap().currency(), Currency::EUR);
    }

    #[test]
    fn the_longest_payload_fits_into_the_code_that_the_guidelines_allow() {
        let long = "ß".repeat(70);
        let swiss = Swiss {
            iban: Iban::parse("CH4431999123000889012").unwrap(),
            currency: Currency::CHF,
            name: long.clone(),
            street: long,
            house: "ß".repeat(16),
            postcode: "ß".repeat(16),
            town: "ß".repeat(35),
            country: "CH".into(),
        };
        let payload = swiss.payload(Money::new(*AMOUNTS.end(), Currency::CHF), &"X".repeat(32).parse().unwrap());
        assert!(payload.chars().count() <= 997);
        // Version 25 has 117 modules on a side.
        assert!(Modules::of(&payload).unwrap().size() <= 117);
    }

    proptest! {
        #[test]
        fn lines_read_back(minor in AMOUNTS, text in "[0-9A-Za-z]{8,32}", qr_iban in any::<bool>()) {
            let iban = if qr_iban { "CH4431999123000889012" } else { "CH5800791123000889012" };
            let payload = with("swiss_iban", iban).unwrap().payload(Money::new(minor, Currency::CHF), &text.parse().unwrap());
            let lines: Vec<_> = payload.split('\n').collect();
            prop_assert_eq!(lines.len(), 31);
            prop_assert_eq!((lines[0], lines[3], lines[30]), ("SPC", iban, "EPD"));
            prop_assert_eq!(Money::parse(lines[18], Currency::CHF).unwrap().minor, minor);
            prop_assert_eq!(lines[29], text);
            if qr_iban {
                prop_assert!(lines[27] == "QRR" && is_qr_reference(lines[28]));
            } else {
                prop_assert!(lines[27] == "SCOR" && is_creditor_reference(lines[28]));
            }
        }
    }
}
