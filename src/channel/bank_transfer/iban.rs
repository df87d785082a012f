//! Account numbers (ISO 13616) and bank codes (ISO 9362). Pure.

/// How long a country's account numbers are: the countries of SEPA, which hold Switzerland and Liechtenstein too. The
/// last column says whether a transfer may leave out the bank's code (EPC069-12: within the European Economic Area).
const COUNTRIES: [(&str, usize, bool); 41] = [
    ("AD", 24, false),
    ("AL", 28, false),
    ("AT", 20, true),
    ("BE", 16, true),
    ("BG", 22, true),
    ("CH", 21, false),
    ("CY", 28, true),
    ("CZ", 24, true),
    ("DE", 22, true),
    ("DK", 18, true),
    ("EE", 20, true),
    ("ES", 24, true),
    ("FI", 18, true),
    ("FR", 27, true),
    ("GB", 22, false),
    ("GI", 23, false),
    ("GR", 27, true),
    ("HR", 21, true),
    ("HU", 28, true),
    ("IE", 22, true),
    ("IS", 26, true),
    ("IT", 27, true),
    ("LI", 21, true),
    ("LT", 20, true),
    ("LU", 20, true),
    ("LV", 21, true),
    ("MC", 27, false),
    ("MD", 24, false),
    ("ME", 22, false),
    ("MK", 19, false),
    ("MT", 31, true),
    ("NL", 18, true),
    ("NO", 15, true),
    ("PL", 28, true),
    ("PT", 25, true),
    ("RO", 24, true),
    ("RS", 22, false),
    ("SE", 24, true),
    ("SI", 19, true),
    ("SK", 24, true),
    ("SM", 27, false),
];

/// An account number whose length and check digits are right, without spaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Iban(String);

impl Iban {
    /// Reads one as people write it, in groups of four or without.
    ///
    /// # Errors
    /// What is wrong, to stand after the field's name.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let text: String = text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_uppercase()).collect();
        let country = text.get(..2).unwrap_or_default();
        let (_, length, _) = COUNTRIES
            .into_iter()
            .find(|(code, ..)| *code == country)
            .ok_or("does not begin with a country of the single euro payments area, such as DE or CH")?;
        if text.len() != length {
            return Err("has not as many characters as the account numbers of its country");
        }
        let checks = text.get(2..4).unwrap_or_default();
        if !checks.bytes().all(|byte| byte.is_ascii_digit()) || mod_97(&rotated(&text)) != Some(1) {
            return Err("has check digits that do not fit: look for a mistyped or swapped character");
        }
        Ok(Self(text))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The country's two letters.
    pub fn country(&self) -> &str {
        self.0.get(..2).unwrap_or_default()
    }

    /// Whether a transfer to it may leave out the bank's code.
    pub fn needs_no_bic(&self) -> bool {
        COUNTRIES.iter().any(|(code, _, alone)| *code == self.country() && *alone)
    }

    /// Whether it is Swiss (or of Liechtenstein) and meant for transfers with a QR reference alone: its bank number
    /// lies between 30000 and 31999.
    pub fn is_qr_iban(&self) -> bool {
        let bank = self.0.get(4..9).and_then(|bank| bank.parse::<u32>().ok());
        matches!(self.country(), "CH" | "LI") && bank.is_some_and(|bank| (30_000..=31_999).contains(&bank))
    }
}

/// A bank's code: 8 or 11 characters.
///
/// # Errors
/// What is wrong, to stand after the field's name.
pub(super) fn bic(text: &str) -> Result<String, &'static str> {
    let text = text.trim().to_ascii_uppercase();
    let (head, tail) = text.split_at_checked(6).unwrap_or_default();
    let good = matches!(text.len(), 8 | 11)
        && head.bytes().all(|byte| byte.is_ascii_uppercase())
        && tail.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    if good { Ok(text) } else { Err("is no BIC: it has 8 or 11 characters, six letters first") }
}

/// The first four characters last, as the check is made.
pub(super) fn rotated(text: &str) -> String {
    let (head, tail) = text.split_at_checked(4).unwrap_or_default();
    format!("{tail}{head}")
}

/// The rest of ISO 7064's division by 97, letters counting 10 to 35; `None` where another character is in it.
pub(super) fn mod_97(text: &str) -> Option<u32> {
    text.chars().try_fold(0, |rest, c| {
        let value = c.to_digit(36)?;
        Some(if value < 10 { (rest * 10 + value) % 97 } else { (rest * 100 + value) % 97 })
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn published_numbers_are_taken_and_changed_ones_refused() {
        for good in [
            "DE89 3704 0044 0532 0130 00",
            "BE72000000001616",
            "FR1420041010050500013M02606",
            "nl91abna0417164300",
            "NO9386011117947",
            "MT84MALT011000012345MTLCAST001S",
            "CH4431999123000889012",
            "LI21088100002324013AA",
        ] {
            assert!(Iban::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "DE",
            "DE89370400440532013001",
            "DE8937040044053201300",
            "US12345",
            "DEXX370400440532013000",
            "DE89370400440532O1300é",
        ] {
            assert!(Iban::parse(bad).is_err(), "{bad}");
        }
        assert!(Iban::parse("CH4431999123000889012").unwrap().is_qr_iban());
        assert!(!Iban::parse("CH5800791123000889012").unwrap().is_qr_iban());
        assert!(Iban::parse("DE89370400440532013000").unwrap().needs_no_bic());
        assert!(!Iban::parse("GB29NWBK60161331926819").unwrap().needs_no_bic());
    }

    #[test]
    fn bank_codes_have_eight_or_eleven_characters() {
        assert_eq!(bic("bpotbeb1"), Ok("BPOTBEB1".into()));
        assert!(bic("COBADEFFXXX").is_ok());
        for bad in ["", "COBADEF", "COBADEFFXX", "C0BADEFF", "COBADEFFXXXX", "COBAÄEFF"] {
            assert!(bic(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn one_wrong_character_is_found(index in 4_usize..22, digit in 0_u8..10) {
            let good = "DE89370400440532013000";
            let mut bytes = good.as_bytes().to_vec();
            bytes[index] = b'0' + digit;
            let text = String::from_utf8(bytes).unwrap();
            prop_assert_eq!(Iban::parse(&text).is_ok(), text == good);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,40}") {
            let _ = (Iban::parse(&text), bic(&text), mod_97(&text));
        }
    }
}
