//! Bank transfer through the one trait: a channel without a provider.

use scantill::channel::{
    AccountError, BillError, BillKind, Channel, CodeOutcome, ConfirmedBy, MerchantAccount, NotificationError,
    PayOutcome, QueryOutcome, RawNotification, RefundOutcome, RefundRef, Required, TimingOverrides, TradeDetails,
    TradeRef, VoidOutcome, forms, open,
};
use scantill::crypto::{AlgorithmPolicy, Secret};
use scantill::money::{Currency, Money};
use scantill::payment::{FailureReason, Way};
use scantill::qr::Modules;
use serde_json::{Value, json};

const NUMBER: &str = "0192A3B4C5D6777788889999AAAABB01";

/// An account of every scheme, its currency, and what its payload has to hold.
fn accounts() -> Vec<(Value, Currency, &'static [&'static str])> {
    vec![
        (
            json!({ "scheme": "promptpay", "promptpay_kind": "phone", "promptpay_id": "081-234-5678" }),
            Currency::THB,
            &["A000000677010111", "0066812345678", "540512.34", "0192A3B4C5D689999AAAABB01"],
        ),
        (
            json!({ "scheme": "pix", "pix_key": "loja@example.com", "pix_name": "Loja", "pix_city": "Recife" }),
            Currency::BRL,
            &["br.gov.bcb.pix", "loja@example.com", "540512.34", "0192A3B4C5D689999AAAABB01"],
        ),
        (
            json!({ "scheme": "paynow", "paynow_kind": "uen", "paynow_id": "201403121W", "paynow_name": "Kopi" }),
            Currency::SGD,
            &["SG.PAYNOW", "201403121W", "540512.34", "0192A3B4C5D689999AAAABB01"],
        ),
        (
            json!({ "scheme": "upi", "upi_address": "shop@bank", "upi_name": "Chai Shop" }),
            Currency::INR,
            &["upi://pay?pa=shop@bank&pn=Chai%20Shop", "am=12.34&cu=INR", NUMBER],
        ),
        (
            json!({ "scheme": "sepa", "sepa_iban": "DE89370400440532013000", "sepa_name": "Bäckerei" }),
            Currency::EUR,
            &["DE89370400440532013000", "EUR12.34", NUMBER],
        ),
        (
            json!({
                "scheme": "swiss", "swiss_iban": "CH4431999123000889012", "swiss_name": "Robert Schneider AG",
                "swiss_postcode": "2501", "swiss_town": "Biel", "swiss_country": "CH",
            }),
            Currency::CHF,
            &["CH4431999123000889012", "12.34\nCHF", "\nQRR\n", NUMBER],
        ),
    ]
}

fn account(credentials: &Value) -> MerchantAccount {
    MerchantAccount {
        id: "shop".parse().unwrap(),
        channel: "bank_transfer".parse().unwrap(),
        name: "The shop".into(),
        base_url: String::new(),
        training: false,
        enabled: true,
        notify_base_url: None,
        timing: TimingOverrides::default(),
        stores: Vec::new(),
        algorithms: AlgorithmPolicy::default(),
        credentials: Secret::new(credentials.to_string()),
        retiring: None,
    }
}

fn trade(minor: i64, currency: Currency) -> TradeRef {
    TradeRef {
        out_trade_no: NUMBER.parse().unwrap(),
        amount: Money::new(minor, currency),
        way: Way::MerchantPresented,
        started_at: 1_795_000_000_000,
        provider_trade_no: None,
        paid_at: None,
    }
}

fn details() -> TradeDetails {
    TradeDetails {
        description: "A coffee".into(),
        store: "store-1".into(),
        till: "till-1".into(),
        operator: None,
        expires_at: 1_795_000_120_000,
        notify_url: None,
    }
}

async fn shown(channel: &dyn Channel, trade: &TradeRef) -> String {
    match channel.create_code(trade, &details()).await {
        CodeOutcome::Shown { code } => code,
        other => panic!("{other:?}"),
    }
}

fn read(payload: &str) -> String {
    let picture = Modules::of(payload).unwrap().to_pixels(4);
    let (width, height) = picture.dimensions();
    let mut prepared = rqrr::PreparedImage::prepare_from_greyscale(width as usize, height as usize, |x, y| {
        picture.get_pixel(x as u32, y as u32).0[0]
    });
    prepared.detect_grids()[0].decode().unwrap().1
}

#[tokio::test]
async fn every_scheme_shows_a_code_with_account_amount_and_number_that_a_camera_reads() {
    for (credentials, currency, wanted) in accounts() {
        let channel = open(&account(&credentials)).unwrap();
        let trade = trade(1_234, currency);
        let code = shown(channel.as_ref(), &trade).await;
        for part in wanted {
            assert!(code.contains(part), "{part} is not in {code}");
        }
        assert_eq!(read(&code), code);
        assert_eq!(shown(channel.as_ref(), &trade).await, code, "the same attempt has the same code");
        assert!(channel.test().await.fault.is_none());
    }
}

#[tokio::test]
async fn nobody_is_asked_and_the_cashier_confirms() {
    for (credentials, currency, _) in accounts() {
        let channel = open(&account(&credentials)).unwrap();
        let can = channel.capabilities();
        assert_eq!((can.confirmed_by, can.notifies), (ConfirmedBy::Cashier, false));
        assert_eq!((&can.ways, &can.currencies), (&vec![Way::MerchantPresented], &vec![currency]));
        assert!(can.code_rules.is_empty() && can.refund.is_none() && can.bill.is_none());
        let trade = trade(1_234, currency);
        assert_eq!(channel.query(&trade).await, QueryOutcome::AwaitingCustomer);
        assert_eq!(channel.void(&trade).await, VoidOutcome::Closed);
        assert!(matches!(channel.pay(&trade, &details(), "2812345678901234").await, PayOutcome::Failed(_)));
        let refund = RefundRef {
            out_refund_no: "R1".into(),
            amount: trade.amount,
            reason: None,
            started_at: 0,
            notify_url: None,
        };
        assert!(matches!(channel.refund(&trade, &refund).await, RefundOutcome::Failed(_)));
        assert!(matches!(channel.query_refund(&trade, &refund).await, RefundOutcome::Failed(_)));
        let day = jiff::civil::date(2026, 11, 25);
        assert_eq!(channel.bill(day, BillKind::Trades).await, Err(BillError::Unsupported));
        assert_eq!(channel.read_bill(BillKind::Trades, b"a,b"), Err(BillError::Unsupported));
        let raw = RawNotification { headers: Vec::new(), body: b"paid".to_vec() };
        assert_eq!(channel.read_notification(&raw, 0), Err(NotificationError::NotSent));
        assert_eq!(channel.acknowledge(true).status, 404);
    }
}

#[tokio::test]
async fn what_a_scheme_does_not_carry_is_refused() {
    for (credentials, currency, _) in accounts() {
        let channel = open(&account(&credentials)).unwrap();
        let largest = *channel.capabilities().amount.end();
        shown(channel.as_ref(), &trade(largest, currency)).await;
        for wrong in [trade(largest + 1, currency), trade(0, currency), trade(1_234, Currency::CNY)] {
            let outcome = channel.create_code(&wrong, &details()).await;
            let CodeOutcome::Failed(failure) = outcome else { panic!("{outcome:?}") };
            assert_eq!(failure.reason, FailureReason::LimitExceeded);
        }
    }
}

#[test]
fn a_wrong_field_is_named_and_its_value_is_not() {
    for (credentials, field, value) in [
        (json!({}), "scheme", ""),
        (json!({ "scheme": "cash-on-delivery" }), "scheme", "cash-on-delivery"),
        (json!({ "scheme": "sepa", "sepa_iban": "DE00SECRET", "sepa_name": "A" }), "sepa_iban", "SECRET"),
        (json!({ "scheme": "upi", "upi_address": "not-an-address", "upi_name": "A" }), "upi_address", "not-an"),
        (json!({ "scheme": "pix", "pix_key": 12, "pix_name": "A", "pix_city": "B" }), "pix_key", "12"),
    ] {
        let error = open(&account(&credentials)).err().unwrap();
        let AccountError::Credential { field: named, .. } = &error else { panic!("{error}") };
        assert_eq!(*named, field);
        assert!(value.is_empty() || !error.to_string().contains(value), "{error}");
    }
}

#[test]
fn the_form_asks_for_every_field_that_the_accounts_above_have() {
    let form = forms().into_iter().find(|form| form.channel.as_str() == "bank_transfer").unwrap();
    for (credentials, ..) in accounts() {
        let scheme = credentials["scheme"].as_str().unwrap();
        let asked: Vec<_> = form
            .fields
            .iter()
            .filter(|field| match field.required {
                Required::Always | Required::Never => true,
                Required::When { field, is } | Required::OptionalWhen { field, is } => {
                    credentials[field].as_str() == Some(is)
                }
            })
            .collect();
        for name in credentials.as_object().unwrap().keys() {
            assert!(asked.iter().any(|field| field.name == name), "{name} of {scheme} is not asked for");
        }
        for field in asked.iter().filter(|field| matches!(field.required, Required::Always)) {
            assert!(credentials.get(field.name).is_some(), "{} is missing", field.name);
        }
    }
}
