//! Several merchant accounts: which of them serves a store, and in which currency.

use scantill::engine::EngineError;
use scantill::money::Currency;
use scantill::payment::ChannelId;

use crate::shop::{Fake, Shop};

fn alipay(account: &str, stores: &[&str]) -> Fake {
    let mut fake = Fake::new(&ChannelId::ALIPAY);
    fake.account = account.parse().unwrap();
    fake.stores = stores.iter().map(|store| store.parse().unwrap()).collect();
    fake
}

async fn account_at(shop: &Shop, store: &str) -> String {
    let id = shop.sale_at(store, 60).await.unwrap();
    let shown = shop.show(&id, &ChannelId::ALIPAY).await;
    let account = shown.attempts[0].account.to_string();
    let listed = shop.engine.channels(&store.parse().unwrap());
    let listed = listed.iter().find(|open| open.channel == ChannelId::ALIPAY).unwrap();
    assert_eq!(listed.account.as_str(), account, "the list tells what is taken");
    account
}

#[tokio::test(flavor = "multi_thread")]
async fn the_account_that_names_the_store_comes_before_one_that_serves_all() {
    let mut closed = alipay("a-closed", &["store-2"]);
    closed.enabled = false;
    // The shop's own account `alipay` serves all.
    let others = vec![
        closed,
        alipay("z-all", &[]),
        alipay("z-second", &["store-2", "store-3"]),
        alipay("b-third", &["store-3"]),
    ];
    let shop = Shop::also(others).await;
    assert_eq!(account_at(&shop, "store-1").await, "alipay");
    assert_eq!(account_at(&shop, "store-2").await, "z-second", "one that is not enabled serves nobody");
    assert_eq!(account_at(&shop, "store-3").await, "b-third", "of two the first by id");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_no_account_serves_begins_nothing() {
    let mut shop = Shop::open().await;
    for fake in [&mut shop.alipay, &mut shop.wechatpay] {
        fake.stores = vec!["store-2".parse().unwrap()];
    }
    shop.restart().await;
    assert!(shop.engine.channels(&"store-1".parse().unwrap()).is_empty());
    let refused = shop.sale_at("store-1", 60).await.unwrap_err();
    assert!(matches!(refused, EngineError::NoAccount), "{refused}");
    assert_eq!(shop.engine.channels(&"store-2".parse().unwrap()).len(), 2);
    shop.sale_at("store-2", 60).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_goes_through_an_account_that_takes_its_currency() {
    let mut first = alipay("a-dollar", &[]);
    first.capabilities.currencies = vec![Currency::HKD];
    let mut shop = Shop::also(vec![first]).await;
    assert_eq!(account_at_cny(&shop).await, "alipay", "the dollar account comes first by id, and takes no yuan");
    let listed = shop.engine.channels(&"store-1".parse().unwrap());
    let of_alipay: Vec<_> = listed
        .iter()
        .filter(|open| open.channel == ChannelId::ALIPAY)
        .map(|open| (open.account.as_str(), open.capabilities.currencies.clone()))
        .collect();
    assert_eq!(of_alipay, [("a-dollar", vec![Currency::HKD]), ("alipay", vec![Currency::CNY])]);

    shop.alipay.enabled = false;
    shop.restart().await;
    let id = shop.sale_at("store-1", 60).await.unwrap();
    let refused = shop.engine.show_code(&id, "till:test", &ChannelId::ALIPAY, None).await.unwrap_err();
    assert!(matches!(refused, EngineError::CurrencyNotTaken { .. }), "{refused}");
}

async fn account_at_cny(shop: &Shop) -> String {
    let id = shop.sale_at("store-1", 60).await.unwrap();
    shop.show(&id, &ChannelId::ALIPAY).await.attempts[0].account.to_string()
}
