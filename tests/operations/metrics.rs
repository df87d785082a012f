//! `/metrics`: what was done is counted, nothing that is anybody's business is told, and not everybody may read it.

use std::collections::BTreeMap;

use scantill::api::auth::Covered;
use scantill::api::wire::{ChangeAccount, CreateTill, RefundPayment, TimingOverrides};
use scantill::client::idempotency_key;
use scantill::crypto::HmacSha256;

use crate::{Shop, base_url, support};

/// Every sample by its name and labels; panics where a line is none that Prometheus reads.
fn samples(text: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut kinds = BTreeMap::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            assert!(kinds.insert(name.to_owned(), kind.to_owned()).is_none(), "told twice: {line}");
        } else if !line.starts_with("# HELP ") {
            let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{line:?}"));
            let name = series.split('{').next().unwrap();
            let family = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
            assert!(kinds.contains_key(family) || kinds.contains_key(name), "no type: {line}");
            assert!(value.parse::<f64>().is_ok(), "{line}");
            assert!(found.insert(series.to_owned(), value.to_owned()).is_none(), "{line}");
        }
    }
    found
}

fn value(samples: &BTreeMap<String, String>, series: &str) -> i64 {
    samples.get(series).unwrap_or_else(|| panic!("{series} in {samples:#?}")).parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_done_is_counted_and_nobody_is_named() {
    let shop = Shop::open().await;
    let paid = shop.sell(1234).await;
    shop.client.refund(&paid.id, &RefundPayment::default(), &idempotency_key()).await.unwrap();
    shop.until(&paid, |payment| payment.refunds.iter().all(|refund| refund.state.is_end())).await;
    let cancelled = shop.sale(777).await;
    shop.client.cancel(&cancelled.id).await.unwrap();
    shop.until(&cancelled, |payment| payment.state.is_end()).await;
    let waiting = shop.sale(778).await;

    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/metrics", base_url(shop.path()));
    let answer = http.get(&url).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    let text = answer.text().await.unwrap();
    let told = samples(&text);
    assert_eq!(value(&told, r#"scantill_payments_total{channel="alipay",state="succeeded"}"#), 1);
    assert_eq!(value(&told, r#"scantill_payments_total{channel="none",state="closed"}"#), 1);
    assert_eq!(value(&told, r#"scantill_refunds_total{channel="alipay",state="succeeded"}"#), 1);
    assert_eq!(value(&told, "scantill_payments_unfinished"), 1);
    let calls = r#"scantill_provider_call_seconds_count{channel="alipay",call="pay",outcome="paid"}"#;
    assert_eq!(value(&told, calls), 1);
    let route = r#"scantill_api_request_seconds_count{method="POST",route="/v1/payments/{id}/scan",status="200"}"#;
    assert_eq!(value(&told, route), 1);
    assert!(value(&told, "scantill_journal_sequence") > 8);
    assert!(value(&told, "process_resident_memory_bytes") > 1_000_000);
    assert!(value(&told, r#"scantill_commit_seconds_count{outcome="written"}"#) > 5);
    for hidden in [paid.id.as_str(), waiting.id.as_str(), "pay_", "1234", "777", "till-1", "store-1"] {
        assert!(!text.lines().any(|line| !line.starts_with('#') && line.split(' ').next().unwrap().contains(hidden)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_this_machine_and_admins_read_it() {
    let shop = Shop::open().await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/metrics", base_url(shop.path()));
    let through_a_proxy = async |key: Option<(&str, &str)>| {
        let mut request = http.get(&url).header("X-Forwarded-For", "203.0.113.9");
        if let Some((id, secret)) = key {
            let now = jiff::Timestamp::now().as_second();
            let secret = HmacSha256::new(secret.as_bytes());
            let nonce = idempotency_key();
            let covered =
                Covered { method: "GET", path: "/metrics", timestamp: now, nonce: &nonce, body: b"", session: None };
            let signed = covered.authorization(id, &secret);
            request = request.header("Authorization", signed);
        }
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(through_a_proxy(None).await, 401);
    let reach: serde_json::Value =
        serde_json::from_slice(&std::fs::read(shop.path().join("api.json")).unwrap()).unwrap();
    let admin = reach["secret"].as_str().unwrap();
    assert_eq!(through_a_proxy(Some(("till-1", admin))).await, 200);
    let new = CreateTill { id: Some("till-2".parse().unwrap()), store: "store-1".parse().unwrap(), name: "Two".into() };
    let till = shop.client.create_till(&new).await.unwrap();
    assert_eq!(through_a_proxy(Some(("till-2", &till.secret))).await, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_was_closed_is_not_asked_for_a_fresh_code_again_and_again() {
    let shop = Shop::open().await;
    let accounts = shop.client.accounts().await.unwrap();
    let alipay = accounts.iter().find(|account| account.channel.as_str() == "alipay").unwrap();
    // A code is renewed ten seconds before it ends: here two seconds after it is shown.
    let timing = TimingOverrides { code_lifetime_ms: Some(12_000), ..alipay.timing };
    let change = ChangeAccount { timing: Some(timing), ..ChangeAccount::default() };
    shop.client.change_account(&alipay.id, &change).await.unwrap();
    let sale = shop.sale(1234).await;
    shop.client.show_code(&sale.id, &alipay.channel).await.unwrap();
    let closed = ChangeAccount { enabled: Some(false), ..ChangeAccount::default() };
    shop.client.change_account(&alipay.id, &closed).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(4)).await;

    let url = format!("{}/metrics", base_url(shop.path()));
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let told = samples(&http.get(&url).send().await.unwrap().text().await.unwrap());
    let codes = r#"scantill_provider_call_seconds_count{channel="alipay",call="create_code",outcome="shown"}"#;
    assert_eq!(value(&told, codes), 1);
    // The code that is shown still counts.
    shop.phones.pay_shown("alipay", &support::shown_code(shop.path(), "alipay").await).await;
    shop.until(&sale, |payment| payment.state.is_paid()).await;
}
