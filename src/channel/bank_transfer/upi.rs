//! UPI (India): a link that every UPI app opens (NPCI, UPI linking specification 1.6).

use std::ops::RangeInclusive;

use super::reference::within;
use super::scheme::line;
use crate::channel::AccountError;
use crate::channel::credentials::{Fields, wrong};
use crate::money::Money;
use crate::payment::OutTradeNo;

/// `tr`: 35 characters at most.
const MAX_REFERENCE: usize = 35;
const MAX_NAME: usize = 50;
/// The general limit of one payment to a merchant: 1,00,000 rupees.
pub(super) const AMOUNTS: RangeInclusive<i64> = 1..=10_000_000;

/// Where the money goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Upi {
    address: String,
    name: String,
}

impl Upi {
    pub fn read(fields: &Fields) -> Result<Self, AccountError> {
        let address = fields.text("upi_address")?;
        if !is_address(address) {
            return Err(wrong("upi_address", "is no UPI id: it looks like shop@bank"));
        }
        Ok(Self { address: address.to_owned(), name: line(fields, "upi_name", MAX_NAME)? })
    }

    pub fn payload(&self, amount: Money, number: &OutTradeNo) -> String {
        let reference = within(number, MAX_REFERENCE);
        format!(
            "upi://pay?pa={}&pn={}&tr={reference}&tn={reference}&am={}&cu=INR",
            escaped(&self.address),
            escaped(&self.name),
            amount.to_decimal()
        )
    }
}

/// `name@handle`: letters, digits, point, hyphen and underscore before the sign, letters and digits after it.
fn is_address(text: &str) -> bool {
    let Some((name, handle)) = text.split_once('@') else { return false };
    (2..=256).contains(&name.len())
        && (2..=64).contains(&handle.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
        && handle.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && handle.starts_with(|first: char| first.is_ascii_alphabetic())
}

/// Percent-encoded as RFC 3986 has it, but for the sign in an address, which the apps expect as it is.
fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~@".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::channel::bank_transfer::scheme::tests::{fields, refused};
    use crate::money::Currency;

    fn shop(address: &str, name: &str) -> Result<Upi, AccountError> {
        Upi::read(&fields(&[("upi_address", address), ("upi_name", name)]))
    }

    /// The form of the specification's own examples (3.1 and 3.2).
    #[test]
    fn the_link_has_the_parameters_of_the_specification() {
        let shop = shop("nadeem@npci", "nadeem chinna").unwrap();
        let payload = shop.payload(Money::new(150_000, Currency::INR), &"4894398cndhcd23".parse().unwrap());
        assert_eq!(
            payload,
            "upi://pay?pa=nadeem@npci&pn=nadeem%20chinna&tr=4894398cndhcd23&tn=4894398cndhcd23&am=1500.00&cu=INR"
        );
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for address in
            ["", "shop", "@bank", "s@bank", "shop@", "shop@1x", "sh op@bank", "shop@ba.nk", "a@b@c", "商店@bank"]
        {
            assert!(refused(&shop(address, "Shop"), "upi_address"), "{address}");
        }
        assert!(refused(&shop("shop@bank", ""), "upi_name"));
        assert!(shop("9876543210@ybl", "Chai & Söhne").is_ok());
    }

    proptest! {
        #[test]
        fn a_link_reads_back(minor in AMOUNTS, text in "[0-9A-Za-z]{8,32}", name in "[\\PC&&[^ ]][\\PC]{0,10}[\\PC&&[^ ]]") {
            prop_assume!(name.trim() == name);
            let shop = Upi { address: "shop.1@bank".into(), name: name.clone() };
            let payload = shop.payload(Money::new(minor, Currency::INR), &text.parse().unwrap());
            let url = reqwest::Url::parse(&payload).unwrap();
            let got: std::collections::HashMap<_, _> = url.query_pairs().into_owned().collect();
            prop_assert_eq!(&got["pa"], "shop.1@bank");
            prop_assert_eq!(&got["pn"], &name);
            prop_assert_eq!(&got["tr"], &text);
            prop_assert_eq!(Money::parse(&got["am"], Currency::INR).unwrap().minor, minor);
            prop_assert_eq!(&got["cu"], "INR");
        }
    }
}
