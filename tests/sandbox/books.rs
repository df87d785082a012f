//! The sandbox's books on disk: what was is there again after a restart.

use std::fs;

use scantill::sandbox::{Sandbox, SandboxConfig, SandboxError};
use serde_json::{Value, json};

use crate::alipay::{call, order, pay, query};
use crate::house::{House, config};

#[tokio::test]
async fn wallets_and_trades_are_there_again_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sandbox").join("books.json");
    let kept = || SandboxConfig { books: Some(file.clone()), ..config() };
    let house = House::with(kept()).await;
    pay(&house, "kept1", "12.00", &house.auth_code("alipay-1").await).await;
    let back = json!({ "out_trade_no": "kept1", "refund_amount": "2.00", "out_request_no": "r1" });
    call(&house, "alipay.trade.refund", back).await;
    let shown = call(&house, "alipay.trade.precreate", order("kept2", "3.00")).await;
    let payload = shown["qr_code"].as_str().unwrap().to_owned();
    let change = json!({ "ask_always": true });
    house.control("PATCH", "/sandbox/wallets/alipay-2", change).await;
    let (_, before) = house.control("GET", "/sandbox/trades", Value::Null).await;
    house.sandbox.stop().await;

    let house = House::with(kept()).await;
    assert_eq!(house.control("GET", "/sandbox/trades", Value::Null).await.1, before);
    assert_eq!(house.balance("alipay-1").await, 1_000_000 - 1_000);
    let (_, wallets) = house.control("GET", "/sandbox/wallets", Value::Null).await;
    assert!(wallets.as_array().unwrap().iter().any(|w| w["id"] == "alipay-2" && w["ask_always"] == true));
    assert_eq!(query(&house, "kept1").await["trade_status"], "TRADE_SUCCESS");
    let again = json!({ "out_trade_no": "kept1", "refund_amount": "2.00", "out_request_no": "r1" });
    assert_eq!(call(&house, "alipay.trade.refund", again).await["fund_change"], "N", "the refund counted once");
    let (status, trade) = house.scan("alipay-1", &payload, Some(true)).await;
    assert_eq!((status, &trade["state"]), (200, &json!("SUCCESS")), "a shown code is still good");
    let told = pay(&house, "kept3", "1.00", &house.auth_code("alipay-1").await).await;
    assert_eq!(house.trade("kept3").await["id"], "trade-3", "{told}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[tokio::test]
async fn damaged_books_are_told_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("books.json");
    for text in ["", "{", "{\"format\":7,\"earlier\":0,\"wallets\":[],\"trades\":[]}", "[1]"] {
        fs::write(&file, text).unwrap();
        let start = Sandbox::start(SandboxConfig { books: Some(file.clone()), ..config() }).await;
        let error = start.err().unwrap();
        assert!(matches!(error, SandboxError::File { .. }), "{error}");
        let told = error.to_string();
        assert!(told.contains("damaged") && told.contains("Remove the file") && told.contains("books.json"), "{told}");
        assert_eq!(fs::read_to_string(&file).unwrap(), text);
    }
}

#[tokio::test]
async fn a_wallet_can_be_filled_up_again() {
    let house = House::open().await;
    let change = |balance: i64| house.control("PATCH", "/sandbox/wallets/alipay-2", json!({ "balance": balance }));
    let (status, wallet) = change(500_000).await;
    assert_eq!((status, &wallet["balance"], &wallet["ask_always"]), (200, &json!(500_000), &json!(false)));
    assert_eq!(house.balance("alipay-2").await, 500_000);
    assert_eq!(change(-1).await.0, 400);
}
