//! What scanners read and people type: payment codes, EMVCo payloads, amounts.

use scantill::money::{Currency, Money};
use scantill::payment::{CodeRule, PaymentCode};
use scantill::qr::emvco::Payload;

use crate::mutate::damaged_text;
use crate::run;

/// EMVCo's own sample of a merchant-presented payload, and PIX's.
const PAYLOADS: &[&str] = &[
    "00020101021229300012D156000000000510A93FO3230Q31280012D15600000001030812345678520441115802CN5914BEST TRANSPORT6007BEIJING64200002ZH0104最佳运输0202北京540523.7253031565502016233030412340603***0708A60086670902ME91320016A0112233449988770708123456786304A13A",
    "00020126580014br.gov.bcb.pix0136123e4567-e12b-12d1-a456-4266554400005204000053039865802BR5913Fulano de Tal6008BRASILIA62070503***63041D3D",
];

const SCANNED: &[&str] = &[
    "281234567890123456",
    "130012345678901234",
    "6212345678901234567",
    "https://qr.alipay.com/bax0123456789",
    "weixin://wxpay/bizpayurl?pr=abc",
    "hQVDUFYwMWETTwegAAADMwEBUAhVbmlvblBheQ==",
    "6901234567892",
    "WIFI:T:WPA;S:tea;P:secret;;",
];

#[test]
fn scanned_text_is_a_payment_code_or_told_what_it_is() {
    let rules = CodeRule::published();
    let samples: Vec<_> = SCANNED.iter().chain(PAYLOADS).copied().collect();
    run(&damaged_text(&samples), |text| match PaymentCode::classify(&text, &rules) {
        Ok(code) => {
            assert!(code.expose().bytes().all(|byte| byte.is_ascii_digit()), "{text:?}");
            assert!(!format!("{code:?}{code}").contains(code.expose()), "a code is never printed whole");
        }
        Err(rejection) => assert!(!rejection.kind().is_empty() && !rejection.to_string().is_empty()),
    });
}

#[test]
fn a_payload_that_parses_is_built_again_alike() {
    run(&damaged_text(PAYLOADS), |text| {
        if let Ok(payload) = text.parse::<Payload>()
            && let Ok(built) = payload.to_text()
        {
            assert_eq!(built.parse::<Payload>().as_ref(), Ok(&payload), "{text:?} became {built:?}");
        }
    });
}

#[test]
fn amounts_are_exact_or_refused() {
    run(&damaged_text(&["12.34", "0.01", "100000000.00", "1,234.50", "7"]), |text| {
        if let Ok(money) = Money::parse(&text, Currency::CNY) {
            assert_eq!(Money::parse(&money.to_decimal(), Currency::CNY), Ok(money), "{text:?}");
        }
    });
}
