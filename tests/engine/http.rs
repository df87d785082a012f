//! Confirmations, refunds and notices over HTTP, through the payment client.

use futures::StreamExt;
use scantill::api::wire::{ConfirmPayment, CreatePayment, NoticeQuery, PaymentView, RefundPayment};
use scantill::api::{Server, ServerConfig};
use scantill::channel::ConfirmedBy;
use scantill::client::{ApiKey, Client, ClientError, StreamEvent, idempotency_key};
use scantill::crypto::Secret;
use scantill::ledger::{Store, Till};
use scantill::money::Currency;
use scantill::payment::{AttemptState, ChannelId, PaymentId, PaymentState, RefundState, Way};

use crate::shop::{ALIPAY_CODE, Fake, Plan, Shop};

const SECRET: &str = "a till's secret";

/// A shop with its Payment API, and a client of an admin's and of a plain till's in another store.
struct Counter {
    shop: Shop,
    server: Server,
    client: Client,
    other_store: Client,
}

impl Counter {
    async fn open() -> Self {
        let mut only = Fake::new(&"elsewhere".parse().unwrap());
        only.stores = vec!["store-2".parse().unwrap()];
        let shop = Shop::also(vec![Fake::by_cashier("bank_transfer"), only]).await;
        let ledger = shop.engine.ledger();
        for (store, till, admin) in [("store-1", "till-1", true), ("store-2", "till-2", false)] {
            let store = Store { id: store.parse().unwrap(), name: "Riverside Tea".into() };
            ledger.put_store(1, "test", &store).await.unwrap();
            let till = Till {
                id: till.parse().unwrap(),
                store: store.id,
                name: till.into(),
                secret: Secret::new(SECRET.into()),
                enabled: true,
                admin,
                retiring: None,
            };
            ledger.put_till(1, "test", &till).await.unwrap();
        }
        let listen = "127.0.0.1:0".parse().unwrap();
        let server = Server::start(ServerConfig { listen, engine: shop.engine.clone() }).await.unwrap();
        let client = |till: &str| {
            let key = ApiKey { id: till.into(), secret: Secret::new(SECRET.into()) };
            Client::new(&format!("http://{}", server.local_addr()), key).unwrap()
        };
        let (client, other_store) = (client("till-1"), client("till-2"));
        Self { shop, server, client, other_store }
    }

    async fn sale(&self) -> PaymentId {
        let new = CreatePayment {
            amount: 1_250,
            currency: Currency::CNY,
            description: None,
            operator: None,
            collect_seconds: None,
        };
        self.client.create_payment(&new, &idempotency_key()).await.unwrap().id
    }

    async fn finished(&self, id: &PaymentId) -> PaymentView {
        self.shop.until(id, |payment| !payment.is_unfinished()).await;
        self.client.payment(id).await.unwrap()
    }
}

fn refused(error: ClientError) -> (u16, String) {
    let ClientError::Refused(problem) = error else { panic!("{error}") };
    assert!(problem.detail.len() > 20, "a sentence: {}", problem.detail);
    (problem.status, problem.code)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_of_channels_tells_what_the_table_says_for_the_callers_store() {
    let counter = Counter::open().await;
    let listed = counter.client.channels().await.unwrap();
    let names: Vec<_> = listed.iter().map(|one| one.channel.as_str()).collect();
    assert_eq!(names, ["alipay", "bank_transfer", "wechatpay"]);
    let (alipay, bank) = (&listed[0], &listed[1]);
    assert_eq!(
        (bank.confirmed_by, bank.refund, bank.ways.as_slice()),
        (ConfirmedBy::Cashier, None, &[Way::MerchantPresented][..])
    );
    assert_eq!((alipay.confirmed_by, alipay.currencies.as_slice()), (ConfirmedBy::Provider, &[Currency::CNY][..]));
    let refund = alipay.refund.unwrap();
    assert_eq!((refund.window_seconds, refund.partial), (60, true));
    let rule = &alipay.code_rules[0];
    assert_eq!((rule.first_prefix, rule.last_prefix, rule.min_length, rule.max_length), (25, 30, 16, 24));
    let elsewhere = counter.other_store.channels().await.unwrap();
    assert!(elsewhere.iter().any(|one| one.channel.as_str() == "elsewhere"));
    counter.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cashier_confirms_and_the_money_goes_back_by_hand() {
    let counter = Counter::open().await;
    let bank: ChannelId = "bank_transfer".parse().unwrap();
    let id = counter.sale().await;
    let seen = ConfirmPayment { operator: Some("Li".into()), ..ConfirmPayment::default() };
    assert_eq!(refused(counter.client.confirm(&id, &seen).await.unwrap_err()), (409, "nothing_to_confirm".into()));
    let shown = counter.client.show_code(&id, &bank).await.unwrap();
    assert_eq!(
        (shown.attempts[0].confirmed_by, shown.attempts[0].state),
        (ConfirmedBy::Cashier, AttemptState::CodeShown)
    );
    let stranger = counter.other_store.confirm(&id, &seen).await.unwrap_err();
    assert_eq!(refused(stranger), (404, "not_found".into()));
    counter.client.confirm(&id, &seen).await.unwrap();
    let paid = counter.finished(&id).await;
    assert_eq!(
        (paid.state, paid.refundable, paid.attempts[0].seen_by.as_deref()),
        (PaymentState::Succeeded, 1_250, Some("Li"))
    );

    let ask = RefundPayment::default();
    assert_eq!(
        refused(counter.client.refund(&id, &ask, &idempotency_key()).await.unwrap_err()),
        (422, "refund_by_hand".into())
    );
    let hand = RefundPayment { amount: Some(250), by_hand: true, ..ask };
    assert_eq!(
        refused(counter.client.refund(&id, &hand, &idempotency_key()).await.unwrap_err()),
        (422, "reason_missing".into())
    );
    let hand = RefundPayment { reason: Some("cash".into()), ..hand };
    let key = idempotency_key();
    let done = counter.client.refund(&id, &hand, &key).await.unwrap();
    let again = counter.client.refund(&id, &hand, &key).await.unwrap();
    assert_eq!((&done, done.refunds.len()), (&again, 1), "the same key is the same refund");
    assert_eq!((done.state, done.refunded, done.refundable), (PaymentState::PartiallyRefunded, 250, 1_000));
    assert_eq!((done.refunds[0].by.as_str(), done.refunds[0].by_hand), ("till:till-1", true));
    counter.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_is_asked_once_and_what_comes_of_it_is_told() {
    let counter = Counter::open().await;
    counter.shop.alipay.plan("refund", &[Plan::AnswerLost]);
    let id = counter.sale().await;
    counter.client.scan(&id, ALIPAY_CODE).await.unwrap();
    counter.finished(&id).await;
    let mut events = counter.client.events(None);
    assert_eq!(events.next().await, Some(StreamEvent::Connected));
    let wish = RefundPayment { amount: Some(300), reason: Some("cold".into()), ..RefundPayment::default() };
    let key = idempotency_key();
    let tries = (0..6).map(|_| {
        let (client, id, wish, key) = (counter.client.clone(), id.clone(), wish.clone(), key.clone());
        tokio::spawn(async move { client.refund(&id, &wish, &key).await.unwrap() })
    });
    let answers = futures::future::join_all(tries).await;
    assert!(answers.iter().all(|answer| answer.as_ref().unwrap().refunds.len() == 1));
    let mut kinds = Vec::new();
    while kinds.len() < 2 {
        if let Some(StreamEvent::Event(event)) = events.next().await {
            kinds.push(event.kind);
        }
    }
    assert_eq!(kinds, ["refund_started", "refund_succeeded"]);
    let other = RefundPayment { amount: Some(301), ..wish.clone() };
    let mismatch = counter.client.refund(&id, &other, &key).await.unwrap_err();
    assert_eq!(refused(mismatch), (409, "idempotency_mismatch".into()));
    let much = RefundPayment { amount: Some(951), ..wish.clone() };
    let much = counter.client.refund(&id, &much, &idempotency_key()).await.unwrap_err();
    assert_eq!(refused(much), (422, "refund_out_of_range".into()));
    let whole = counter.client.refund(&id, &RefundPayment::default(), &idempotency_key()).await.unwrap();
    assert_eq!(whole.refunds[1].amount, 950);
    let end = counter.finished(&id).await;
    assert!(end.refunds.iter().all(|refund| refund.state == RefundState::Succeeded), "{:?}", end.refunds);
    assert_eq!((end.state, end.refunded), (PaymentState::Refunded, 1_250));
    counter.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fits_no_payment_is_told_to_a_manager() {
    let counter = Counter::open().await;
    let mut events = counter.client.events(None);
    assert_eq!(events.next().await, Some(StreamEvent::Connected));
    let url = format!("http://{}/v1/notifications/alipay/alipay", counter.server.local_addr());
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let post = async |body: String| http.post(&url).body(body).send().await.unwrap().status().as_u16();
    assert_eq!(post("sealed n1 0123456789ABCDEF 1250".into()).await, 200);
    assert_eq!(post("x".repeat(70_000)).await, 413);
    let Some(StreamEvent::Notice(told)) = events.next().await else { panic!("no notice") };
    assert!(told.detail.contains("0123456789ABCDEF"), "{}", told.detail);
    assert_eq!((told.channel.as_deref(), told.account.as_deref()), (Some("alipay"), Some("alipay")));
    let listed = counter.client.notices(&NoticeQuery::default()).await.unwrap();
    assert_eq!(listed, [*told]);
    let after = NoticeQuery { after: Some(listed[0].seq), limit: None };
    assert!(counter.client.notices(&after).await.unwrap().is_empty());
    assert_eq!(refused(counter.other_store.notices(&NoticeQuery::default()).await.unwrap_err()).0, 403);
    counter.server.stop().await;
}
