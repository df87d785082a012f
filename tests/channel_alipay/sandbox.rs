//! The channel against the sandbox's gateway, which was written apart from it: two readings of one protocol have to
//! agree.

use scantill::channel::{BillKind, BillLineKind, RefundRef};
use scantill::money::{Currency, Money};
use scantill::sandbox::{SPEED_UP, Sandbox, SandboxConfig};

use super::*;

async fn open_sandbox() -> Sandbox {
    let config = SandboxConfig {
        listen: "127.0.0.1:0".parse().unwrap(),
        out: None,
        keys_dir: None,
        seed: 7,
        faults: None,
        speed_up: SPEED_UP,
        books: None,
        tls_listen: None,
    };
    Sandbox::start(config).await.unwrap()
}

/// A fresh payment code of the first wallet.
async fn code(sandbox: &Sandbox) -> String {
    let url = format!("{}/sandbox/wallets/alipay-1/code", sandbox.base_url());
    let shown = reqwest::Client::builder().no_proxy().build().unwrap().post(url).send().await.unwrap();
    let shown: Value = serde_json::from_slice(&shown.bytes().await.unwrap()).unwrap();
    shown["auth_code"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn both_modes_and_encrypted_content_trade_with_a_gateway_of_another_make() {
    let sandbox = open_sandbox().await;
    let keys: Value = serde_json::from_str(&sandbox.credentials().account_json("alipay")).unwrap();
    let certified: Value = serde_json::from_str(&sandbox.credentials().alipay_certificate_account_json()).unwrap();
    let encrypted = with(keys.clone(), json!({ "aes_key": "c2FuZGJveC1hZXMta2V5IQ==" }));
    let (mut paid, mut back) = (0, 0);
    for (index, credentials) in [keys, certified, encrypted].iter().enumerate() {
        let timing = TimingOverrides::default();
        let account = account(ChannelId::ALIPAY, sandbox.base_url(), credentials, timing);
        let channel = scantill::channel::open(&account).unwrap();
        let test = channel.test().await;
        assert_eq!(test.fault, None, "{index}: {test:?}");

        let mut sale = trade(Way::ConsumerPresented);
        sale.out_trade_no = format!("20261125SANDBOX{index}").parse().unwrap();
        let details = scantill::channel::TradeDetails { notify_url: None, ..details() };
        let outcome = channel.pay(&sale, &details, &code(&sandbox).await).await;
        assert!(matches!(&outcome, PayOutcome::Paid(told) if told.amount == sale.amount), "{index}: {outcome:?}");
        paid += FEN;
        let part = |number: &str, fen| RefundRef {
            amount: Money::new(fen, Currency::CNY),
            reason: Some("a cold one".into()),
            ..refund(number)
        };
        for (number, fen) in [("1", 400), ("1", 400), ("2", FEN - 400)] {
            let number = format!("R{index}{number}");
            assert_eq!(channel.refund(&sale, &part(&number, fen)).await, RefundOutcome::Done, "{number}");
            assert_eq!(channel.query_refund(&sale, &part(&number, fen)).await, RefundOutcome::Done, "{number}");
        }
        back += FEN;
        assert_eq!(channel.query(&sale).await, QueryOutcome::Returned);
        // The gateway is asked about a refund that it never saw, and about one of another amount.
        assert_eq!(channel.query_refund(&sale, &part("R9", 1)).await, RefundOutcome::NotFound);

        let mut shown = trade(Way::MerchantPresented);
        shown.out_trade_no = format!("20261125SHOWN{index}").parse().unwrap();
        assert!(matches!(channel.create_code(&shown, &details).await, CodeOutcome::Shown { .. }));
        assert_eq!(channel.query(&shown).await, QueryOutcome::NotFound);
        assert_eq!(channel.void(&shown).await, VoidOutcome::Closed);
    }

    let credentials: Value = serde_json::from_str(&sandbox.credentials().account_json("alipay")).unwrap();
    let account = account(ChannelId::ALIPAY, sandbox.base_url(), &credentials, TimingOverrides::default());
    let channel = scantill::channel::open(&account).unwrap();
    let zone = jiff::tz::TimeZone::fixed(jiff::tz::Offset::constant(8));
    let today = jiff::Timestamp::now().to_zoned(zone).date();
    for kind in [BillKind::Trades, BillKind::FundFlow] {
        let bill = channel.bill(today, kind).await.unwrap();
        let sum = |kind: BillLineKind| -> i64 {
            bill.lines.iter().filter(|line| line.kind == kind).map(|line| line.amount.minor).sum()
        };
        assert_eq!((sum(BillLineKind::Payment), sum(BillLineKind::Refund)), (paid, back), "{kind:?}");
        assert_eq!(channel.read_bill(kind, &bill.raw).unwrap().lines, bill.lines);
    }
    sandbox.stop().await;
}
