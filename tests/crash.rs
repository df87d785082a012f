//! Killed between request and answer: after the restart the payment comes to the end that the provider's books show.

mod support;

use std::path::Path;
use std::time::Instant;

use scantill::api::wire::{CreatePayment, PaymentView, TakingsParams};
use scantill::client::{ApiKey, Client, idempotency_key};
use scantill::money::Currency;
use scantill::payment::PaymentState;
use serde_json::{Value, json};
use support::{PATIENCE, Phones, Running, add_accounts, run, scantill, stdout};
use tempfile::tempdir;

struct Shop {
    _sandbox: Running,
    serve: Running,
    phones: Phones,
    client: Client,
    data: tempfile::TempDir,
}

fn serve(data: &Path) -> (Running, Client) {
    let mut command = scantill(data);
    command.args(["serve", "--listen", "127.0.0.1:0"]);
    let mut serve = Running::start(command);
    let told = serve.json();
    let key: Value = serde_json::from_slice(&std::fs::read(told["key_file"].as_str().unwrap()).unwrap()).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let key_of = ApiKey { id: text(&key["key_id"]), secret: text(&key["secret"]).into() };
    let client = Client::new(&text(&told["base_url"]), key_of).unwrap();
    (serve, client)
}

impl Shop {
    async fn open() -> Self {
        let data = tempdir().unwrap();
        let out = data.path().join("credentials");
        let mut command = scantill(data.path());
        command.args(["sandbox", "--listen", "127.0.0.1:0", "--out"]).arg(&out);
        let mut sandbox = Running::start(command);
        let sandbox_url = sandbox.json()["base_url"].as_str().unwrap().to_owned();
        let (serve, client) = serve(data.path());
        let reach: Value = serde_json::from_slice(&std::fs::read(data.path().join("api.json")).unwrap()).unwrap();
        let key_file = data.path().join("api.json");
        add_accounts(reach["base_url"].as_str().unwrap(), key_file.to_str().unwrap(), &sandbox_url, &out).await;
        Self { _sandbox: sandbox, serve, phones: Phones::new(&sandbox_url), client, data }
    }

    async fn sale(&self, amount: i64) -> PaymentView {
        let new = CreatePayment {
            amount,
            currency: Currency::CNY,
            description: Some("lunch set".into()),
            operator: None,
            collect_seconds: None,
        };
        self.client.create_payment(&new, &idempotency_key()).await.unwrap()
    }

    /// SIGKILL, and a new start on the same books.
    fn kill_and_restart(&mut self) {
        self.serve.kill();
        (self.serve, self.client) = serve(self.data.path());
    }

    async fn until(&self, payment: &PaymentView, reached: impl Fn(&PaymentView) -> bool) -> PaymentView {
        support::until(&self.client, payment, reached).await
    }

    async fn gross(&self) -> i64 {
        self.client.takings(&TakingsParams::default()).await.unwrap().total.gross
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_the_answer_to_a_paid_code_is_on_its_way() {
    for (channel, call) in [("alipay", "pay"), ("wechatpay", "codepay")] {
        let mut shop = Shop::open().await;
        shop.phones
            .fault(json!({ "fault": "delay", "channel": channel, "call": call, "times": 1, "delay_ms": 8000 }))
            .await;
        let payment = shop.sale(1234).await;
        let code = shop.phones.auth_code(channel).await;
        let submitted = shop.client.scan(&payment.id, &code).await.unwrap();
        let number = submitted.out_trade_no.clone().expect("the intent is durable before the request leaves");
        // The provider has taken the money, or is about to; its answer is held back. Now everything stops.
        let deadline = Instant::now() + PATIENCE;
        while shop.phones.trade(number.as_str()).await.is_none() && Instant::now() < deadline {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        shop.kill_and_restart();
        let end = shop.until(&payment, |payment| payment.state.is_end()).await;
        let trade = shop.phones.trade(number.as_str()).await.expect("the provider has the trade");
        let taken = trade["amount"].as_i64().unwrap() - trade["refunded"].as_i64().unwrap();
        assert_eq!(end.state, PaymentState::Succeeded, "{channel}: {trade}");
        assert_eq!((taken, shop.gross().await), (1234, 1234), "{channel}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_before_the_provider_heard_of_it() {
    let mut shop = Shop::open().await;
    shop.phones.fault(json!({ "fault": "lose_request", "channel": "alipay", "call": "pay", "times": 1 })).await;
    let payment = shop.sale(500).await;
    let code = shop.phones.auth_code("alipay").await;
    shop.client.scan(&payment.id, &code).await.unwrap();
    shop.kill_and_restart();
    let end = shop.until(&payment, |payment| payment.state.is_end()).await;
    assert!(matches!(end.state, PaymentState::Closed | PaymentState::Reversed), "{end:?}");
    assert_eq!(shop.gross().await, 0);
    let trades = shop.phones.trades().await;
    let taken: i64 = trades
        .iter()
        .filter(|trade| trade["state"].as_str().is_some_and(|state| state.contains("SUCCESS")))
        .map(|trade| trade["amount"].as_i64().unwrap() - trade["refunded"].as_i64().unwrap())
        .sum();
    assert_eq!(taken, 0, "{trades:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn paid_by_the_shown_code_while_nothing_was_running() {
    let mut shop = Shop::open().await;
    let payment = shop.sale(990).await;
    let shown = shop.client.show_code(&payment.id, &"wechatpay".parse().unwrap()).await.unwrap();
    let payload = shown.attempts[0].code.clone().expect("a code");
    shop.serve.kill();
    shop.phones.pay_shown("wechatpay", &payload).await;
    (shop.serve, shop.client) = serve(shop.data.path());
    let end = shop.until(&payment, |payment| payment.state.is_end()).await;
    assert_eq!(end.state, PaymentState::Succeeded);
    assert_eq!(shop.gross().await, 990);
    let whole = run(shop.data.path(), &["ledger", "verify"]);
    assert!(whole.status.success(), "{}", stdout(&whole));
}
