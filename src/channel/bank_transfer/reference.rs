//! The number by which a transfer is found again, in the forms that schemes have room for. Pure: the same attempt has
//! the same reference, however often it is made.

use super::iban::mod_97;
#[cfg(test)]
use super::iban::rotated;
use crate::crypto::sha256;
use crate::payment::OutTradeNo;

/// An attempt's number begins with the time and ends with the attempt: what is cut is the middle.
const HEAD: usize = 12;

/// At most `length` characters of the attempt's number: all of it, or its beginning and its end.
pub(super) fn within(number: &OutTradeNo, length: usize) -> String {
    let text = number.as_str();
    let short = || {
        let tail = text.len().checked_sub(length.checked_sub(HEAD)?)?;
        Some(format!("{}{}", text.get(..HEAD)?, text.get(tail..)?))
    };
    if text.len() <= length { text.to_owned() } else { short().unwrap_or_else(|| text.chars().take(length).collect()) }
}

/// A Swiss QR reference: 26 digits that follow from the attempt's number, and a check digit. The digits are taken from
/// its SHA-256, since letters have no place in them.
pub(super) fn qr_reference(number: &OutTradeNo) -> String {
    let digest = sha256(number.as_str().as_bytes());
    let body: String = digest.iter().map(|byte| char::from(b'0' + byte % 10)).take(26).collect();
    let check = mod_10(&body).unwrap_or_default();
    format!("{body}{check}")
}

/// A creditor reference (ISO 11649): `RF`, two check digits, at most 21 characters.
pub(super) fn creditor_reference(number: &OutTradeNo) -> String {
    let body = within(number, 21).to_ascii_uppercase();
    let rest = mod_97(&format!("{body}RF00")).unwrap_or_default();
    format!("RF{:02}{body}", 98 - rest)
}

/// Whether a text is a creditor reference.
#[cfg(test)]
pub(super) fn is_creditor_reference(text: &str) -> bool {
    (5..=25).contains(&text.len())
        && text.starts_with("RF")
        && text.get(2..4).is_some_and(|checks| checks.bytes().all(|byte| byte.is_ascii_digit()))
        && mod_97(&rotated(text)) == Some(1)
}

/// Whether a text is a Swiss QR reference.
#[cfg(test)]
pub(super) fn is_qr_reference(text: &str) -> bool {
    let (body, check) = text.split_at_checked(26).unwrap_or_default();
    text.len() == 27 && mod_10(body).is_some_and(|digit| check == digit.to_string())
}

/// The check digit of the Swiss banks' recursive modulo 10; `None` where a character is no digit.
fn mod_10(digits: &str) -> Option<u32> {
    const TABLE: [u32; 10] = [0, 9, 4, 6, 8, 2, 7, 1, 3, 5];
    let carry = digits.chars().try_fold(0, |carry: u32, c| {
        let index = (carry + c.to_digit(10)?) % 10;
        TABLE.get(usize::try_from(index).ok()?).copied()
    })?;
    Some((10 - carry) % 10)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number(text: &str) -> OutTradeNo {
        text.parse().unwrap()
    }

    #[test]
    fn published_references_are_known() {
        for good in ["210000000003139471430009017", "000000000000000000000000000", "110001234560000000000813457"] {
            assert!(is_qr_reference(good), "{good}");
        }
        for bad in ["210000000003139471430009018", "21000000000313947143000901", "", "21000000000313947143000901é"] {
            assert!(!is_qr_reference(bad), "{bad}");
        }
        for good in ["RF18539007547034", "RF18000000000539007547034", "RF45G72UUR"] {
            assert!(is_creditor_reference(good), "{good}");
        }
        for bad in ["RF19539007547034", "RF", "RF18", "XX18539007547034", "RF1A539007547034", "RF18 5390 0754 7034"] {
            assert!(!is_creditor_reference(bad), "{bad}");
        }
        assert_eq!(creditor_reference(&number("539007547034")), "RF18539007547034");
    }

    #[test]
    fn a_long_number_keeps_its_time_and_its_attempt() {
        let long = number("0192A3B4C5D6777788889999AAAABB01");
        assert_eq!(within(&long, 25), "0192A3B4C5D689999AAAABB01");
        assert_eq!(within(&long, 32), long.as_str());
        assert_eq!(within(&long, 8), "0192A3B4");
    }

    proptest! {
        #[test]
        fn every_number_has_references_that_hold(text in "[0-9A-Za-z]{8,32}", length in 1_usize..40) {
            let number = number(&text);
            prop_assert!(is_qr_reference(&qr_reference(&number)));
            prop_assert!(is_creditor_reference(&creditor_reference(&number)));
            prop_assert_eq!(within(&number, length).len(), length.min(text.len()));
        }

        #[test]
        fn any_text_is_a_reference_or_not(text in "\\PC{0,40}") {
            let _ = (is_qr_reference(&text), is_creditor_reference(&text));
        }
    }
}
