//! The network goes: before, while and after. What cannot be known is not claimed, nothing waits in secret to be sent
//! later, and all comes to its end by itself when the network is back.

use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use futures::StreamExt;
use scantill::api::wire::{CreateAccount, PaymentQuery};
use scantill::channel::TimingOverrides;
use scantill::client::{Client, ClientError, StreamEvent, idempotency_key};
use scantill::payment::{ChannelId, PaymentState, PendingReason};
use scantill::sandbox::{Sandbox, SandboxConfig};
use tempfile::TempDir;

use crate::support::{PATIENCE, Phones, Running, client_of};
use crate::{new_sale, serve};

/// Providers that can be cut off and come back with all they knew, behind a `serve`.
struct Network {
    folder: TempDir,
    port: u16,
    sandbox: Option<Sandbox>,
    phones: Phones,
    _serve: Running,
    client: Client,
}

async fn sandbox(folder: &Path, port: u16) -> Sandbox {
    let config = SandboxConfig {
        listen: ([127, 0, 0, 1], port).into(),
        keys_dir: Some(folder.join("provider")),
        books: Some(folder.join("provider/books.json")),
        ..SandboxConfig::default()
    };
    Sandbox::start(config).await.unwrap()
}

impl Network {
    async fn open() -> Self {
        let folder = TempDir::new().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let sandbox = sandbox(folder.path(), port).await;
        let data = folder.path().join("data");
        let serve = serve(&data, |_| {});
        let client = client_of(&data);
        for channel in ["alipay", "wechatpay"] {
            let credentials = serde_json::from_str(&sandbox.credentials().account_json(channel)).unwrap();
            let account = CreateAccount {
                timing: TimingOverrides {
                    request_timeout_ms: Some(1_500),
                    query_interval_ms: Some(300),
                    shown_query_interval_ms: Some(300),
                    ..TimingOverrides::default()
                },
                ..CreateAccount::new(
                    channel.parse().unwrap(),
                    channel.into(),
                    sandbox.base_url().to_owned(),
                    credentials,
                )
            };
            client.create_account(&account).await.unwrap();
        }
        let phones = Phones::new(sandbox.base_url());
        Self { folder, port, sandbox: Some(sandbox), phones, _serve: serve, client }
    }

    async fn cut(&mut self) {
        if let Some(sandbox) = self.sandbox.take() {
            sandbox.stop().await;
        }
    }

    async fn mend(&mut self) {
        self.sandbox = Some(sandbox(self.folder.path(), self.port).await);
    }

    async fn until(
        &self,
        payment: &scantill::api::wire::PaymentView,
        reached: impl Fn(&scantill::api::wire::PaymentView) -> bool,
    ) -> scantill::api::wire::PaymentView {
        let deadline = std::time::Instant::now() + PATIENCE;
        loop {
            let now = self.client.payment(&payment.id).await.unwrap();
            if reached(&now) {
                return now;
            }
            assert!(std::time::Instant::now() < deadline, "it stays {now:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn sale(&self, amount: i64) -> scantill::api::wire::PaymentView {
        self.client.create_payment(&new_sale(amount), &idempotency_key()).await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_scanned_without_a_network_is_not_kept_to_be_sent_later() {
    let mut network = Network::open().await;
    let code = network.phones.auth_code("alipay").await;
    network.cut().await;
    let payment = network.sale(500).await;
    network.client.scan(&payment.id, &code).await.unwrap();
    let tried = network.until(&payment, |payment| payment.attempts.iter().all(|one| one.state.is_end())).await;
    assert_ne!(tried.state, PaymentState::Succeeded);
    // What is known is shown all the while.
    let listed = network.client.payments(&PaymentQuery::default()).await.unwrap().payments;
    assert_eq!(listed[0].id, payment.id);
    network.mend().await;
    network.client.cancel(&payment.id).await.unwrap();
    let end = network.until(&payment, |payment| payment.state.is_end()).await;
    assert_ne!(end.state, PaymentState::Succeeded, "{end:?}");
    assert!(network.phones.trades().await.is_empty(), "the customer was not charged behind everybody's back");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_flight_is_seen_as_such_and_comes_to_its_end_by_itself() {
    let mut network = Network::open().await;
    let (paid, open) = (network.sale(990).await, network.sale(770).await);
    let show = async |payment: &scantill::api::wire::PaymentView, channel: ChannelId| {
        let shown = network.client.show_code(&payment.id, &channel).await.unwrap();
        shown.attempts[0].code.clone().expect("a code")
    };
    let payload = show(&paid, ChannelId::WECHATPAY).await;
    show(&open, ChannelId::ALIPAY).await;
    network.cut().await;
    // Cancelled while nobody can be asked: it is not called closed, because the customer may still pay.
    network.client.cancel(&open.id).await.unwrap();
    let waiting = network.client.payment(&open.id).await.unwrap();
    assert_eq!(waiting.state, PaymentState::Pending, "{waiting:?}");
    let query = PaymentQuery { state: Some(PaymentState::Pending), ..PaymentQuery::default() };
    let in_flight = network.client.payments(&query).await.unwrap().payments;
    assert_eq!(in_flight.len(), 2, "the manager sees what is in flight");
    assert!(in_flight.iter().any(|one| one.pending == Some(PendingReason::Reversing)), "{in_flight:?}");

    network.mend().await;
    network.phones.pay_shown("wechatpay", &payload).await;
    let paid = network.until(&paid, |payment| payment.state.is_end()).await;
    assert_eq!(paid.state, PaymentState::Succeeded);
    let open = network.until(&open, |payment| payment.state.is_end()).await;
    assert_eq!(open.state, PaymentState::Closed, "{open:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_says_that_the_api_is_gone_and_misses_nothing() {
    let mut shop = crate::Shop::open().await;
    // The same address from start to start, as a shop has it.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let listen = format!("127.0.0.1:{port}");
    let start = |data: &Path| {
        let mut command = crate::scantill(data);
        command.args(["serve", "--listen", &listen]);
        let mut serve = Running::start(command);
        serve.json();
        serve
    };
    shop.close();
    shop.serve = start(shop.path());
    shop.client = client_of(shop.path());
    let mut events = shop.client.events(None);
    let next = async |events: &mut futures::stream::BoxStream<'static, StreamEvent>| {
        tokio::time::timeout(PATIENCE, events.next()).await.expect("something is told").expect("for ever")
    };
    assert_eq!(next(&mut events).await, StreamEvent::Connected);
    let payment = shop.sale(300).await;
    let StreamEvent::Event(told) = next(&mut events).await else { panic!("an event") };
    assert_eq!(told.payment.id, payment.id);

    shop.serve.kill();
    assert!(matches!(next(&mut events).await, StreamEvent::Lost(_)));
    let code = shop.phones.auth_code("alipay").await;
    for call in [
        shop.client.scan(&payment.id, &code).await,
        shop.client.cancel(&payment.id).await,
        shop.client.create_payment(&new_sale(1), &idempotency_key()).await,
    ] {
        assert!(matches!(call, Err(ClientError::Unreachable(_))), "{call:?}");
    }
    // Nothing that was asked for meanwhile is done when it is back; what was open goes on.
    shop.serve = start(shop.path());
    assert_eq!(next(&mut events).await, StreamEvent::Connected);
    let now = shop.client.payment(&payment.id).await.unwrap();
    assert!(now.attempts.is_empty() && !now.state.is_end(), "{now:?}");
    assert_eq!(shop.client.payments(&PaymentQuery::default()).await.unwrap().payments.len(), 1);
    shop.client.scan(&payment.id, &code).await.unwrap();
    loop {
        if let StreamEvent::Event(told) = next(&mut events).await
            && told.payment.state == PaymentState::Succeeded
        {
            break;
        }
    }
}
