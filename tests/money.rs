//! Amounts are read and written without losing or making a cent.

use proptest::prelude::*;
use scantill::money::{Currency, Money, MoneyError};

fn currency() -> impl Strategy<Value = Currency> {
    prop::sample::select(Currency::ALL.to_vec())
}

/// Whole units of 100,000,000 are the most a sale takes.
fn limit(currency: Currency) -> i64 {
    if currency == Currency::JPY { 100_000_000 } else { 10_000_000_000 }
}

#[test]
fn what_cashiers_type_wrong_is_named() {
    let read = |text: &str| Money::parse_sale(text, Currency::CNY);
    let malformed = [
        "", " ", ".", "abc", "1e3", "+1", "--1", "-", "-abc", "1.2.3", "1,000", "0x10", "１２", "1 2", "NaN",
        "1\u{660}",
    ];
    for text in malformed {
        assert_eq!(read(text), Err(MoneyError::Malformed), "{text:?}");
    }
    for text in ["0", "0.00", "00", "-1", "-0", "-0.01", "-1.234"] {
        assert_eq!(read(text), Err(MoneyError::NotPositive), "{text:?}");
    }
    for text in ["1.234", "0.001", "1.000"] {
        assert_eq!(read(text), Err(MoneyError::TooManyDecimals { allowed: 2 }), "{text:?}");
    }
    for text in ["99999999999", "100000000.01", "9223372036854775807", "99999999999999999999999999"] {
        assert_eq!(read(text), Err(MoneyError::TooLarge), "{text:?}");
    }
    assert_eq!(Money::parse_sale("1.5", Currency::JPY), Err(MoneyError::TooManyDecimals { allowed: 0 }));
    assert_eq!(Money::parse_sale("100000001", Currency::JPY), Err(MoneyError::TooLarge));
}

#[test]
fn what_cashiers_type_right_is_taken() {
    for (text, minor) in
        [("12.5", 1250), ("12.50", 1250), (".5", 50), ("5.", 500), (" 7 ", 700), ("0.01", 1), ("007", 700)]
    {
        assert_eq!(Money::parse_sale(text, Currency::CNY), Ok(Money::new(minor, Currency::CNY)), "{text:?}");
    }
    assert_eq!(Money::parse_sale("100000000", Currency::CNY).map(|money| money.minor), Ok(10_000_000_000));
    assert_eq!(Money::parse_sale("500", Currency::JPY), Ok(Money::new(500, Currency::JPY)));
}

#[test]
fn people_read_thousands_apart_with_the_sign_before() {
    let shown = |minor, currency| Money::new(minor, currency).to_string();
    assert_eq!(shown(123_450, Currency::CNY), "¥1,234.50");
    assert_eq!(shown(-123_456_789, Currency::EUR), "-€1,234,567.89");
    assert_eq!(shown(5, Currency::HKD), "HK$0.05");
    assert_eq!(shown(1_000, Currency::JPY), "¥1,000");
    assert_eq!(shown(999, Currency::JPY), "¥999");
    assert_eq!(shown(i64::MIN, Currency::USD), "-$92,233,720,368,547,758.08");
}

#[test]
fn the_sentence_names_a_limit_that_holds() {
    for currency in Currency::ALL {
        let largest = Money::new(limit(currency), currency);
        assert!(largest.check_sale().is_ok());
        assert_eq!(Money::new(limit(currency) + 1, currency).check_sale(), Err(MoneyError::TooLarge));
        assert!(MoneyError::TooLarge.to_string().contains("100,000,000"));
    }
}

proptest! {
    #[test]
    fn writing_and_reading_gives_the_same_amount(minor in 0..=i64::MAX, currency in currency()) {
        let money = Money::new(minor, currency);
        prop_assert_eq!(Money::parse(&money.to_decimal(), currency), Ok(money));
        let json = serde_json::to_string(&money).unwrap();
        prop_assert_eq!(serde_json::from_str::<Money>(&json).unwrap(), money);
    }

    #[test]
    fn grouping_only_adds_commas_every_three_digits(minor in any::<i64>(), currency in currency()) {
        let money = Money::new(minor, currency);
        let grouped = money.to_grouped();
        prop_assert_eq!(grouped.replace(',', ""), money.to_decimal());
        let whole = grouped.trim_start_matches('-').split('.').next().unwrap();
        let groups: Vec<_> = whole.split(',').collect();
        prop_assert!((1..=3).contains(&groups[0].len()), "{}", grouped);
        prop_assert!(groups[1..].iter().all(|group| group.len() == 3), "{}", grouped);
    }

    #[test]
    fn no_text_panics_and_what_is_taken_is_in_range(text in "\\PC{0,24}|[0-9.,+-]{0,24}", currency in currency()) {
        if let Ok(money) = Money::parse_sale(&text, currency) {
            prop_assert!((1..=limit(currency)).contains(&money.minor));
            prop_assert_eq!(Money::parse_sale(&money.to_decimal(), currency), Ok(money));
        }
    }

    #[test]
    fn sums_are_right_or_refused(left in any::<i64>(), right in any::<i64>(), one in currency(), other in currency()) {
        let (a, b) = (Money::new(left, one), Money::new(right, other));
        let exact = i128::from(left) + i128::from(right);
        let fits = one == other && i64::try_from(exact).is_ok();
        prop_assert_eq!(a.checked_add(b).map(|sum| i128::from(sum.minor)), fits.then_some(exact));
        let exact = i128::from(left) - i128::from(right);
        let fits = one == other && i64::try_from(exact).is_ok();
        prop_assert_eq!(a.checked_sub(b).map(|rest| i128::from(rest.minor)), fits.then_some(exact));
    }

    #[test]
    fn a_currency_is_read_from_its_code_alone(text in "[A-Za-z]{0,4}") {
        match text.parse::<Currency>() {
            Ok(currency) => prop_assert_eq!(currency.code(), text),
            Err(error) => {
                prop_assert!(Currency::ALL.iter().all(|currency| currency.code() != text));
                prop_assert!(matches!(error, MoneyError::UnknownCurrency(_)));
            }
        }
    }
}
