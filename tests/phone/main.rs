//! The phone page in a real browser: a customer pays, refuses, is too late, and looks back. The shop's side is our own
//! channels, so that what the page says is held against what the provider says.
//!
//! With `SCANTILL_SHOTS=DIR` pictures of the screens are left there.

mod browser;

use std::path::PathBuf;
use std::sync::Arc;

use browser::Browser;
use scantill::channel::{
    self, Channel, CodeOutcome, MerchantAccount, PayOutcome, QueryOutcome, TimingOverrides, TradeDetails, TradeRef,
};
use scantill::crypto::{AlgorithmPolicy, Secret};
use scantill::money::{Currency, Money};
use scantill::payment::Way;
use scantill::qr::Modules;
use scantill::sandbox::{Sandbox, SandboxConfig};

struct Shop {
    sandbox: Sandbox,
    channel: Arc<dyn Channel>,
}

fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

impl Shop {
    async fn open(channel: &str) -> Self {
        let sandbox = Sandbox::start(SandboxConfig::default()).await.unwrap();
        let account = MerchantAccount {
            id: "shop".parse().unwrap(),
            channel: channel.parse().unwrap(),
            name: "shop".into(),
            base_url: sandbox.base_url().into(),
            training: true,
            enabled: true,
            notify_base_url: None,
            timing: TimingOverrides::default(),
            stores: Vec::new(),
            algorithms: AlgorithmPolicy::default(),
            credentials: Secret::new(sandbox.credentials().account_json(channel)),
            retiring: None,
        };
        Self { channel: channel::open(&account).unwrap(), sandbox }
    }

    fn trade(number: &str, fen: i64, way: Way) -> TradeRef {
        TradeRef {
            out_trade_no: number.parse().unwrap(),
            amount: Money::new(fen, Currency::CNY),
            way,
            started_at: now(),
            provider_trade_no: None,
            paid_at: None,
        }
    }

    fn details() -> TradeDetails {
        TradeDetails {
            description: "Tea house 茶馆".into(),
            store: "store-1".into(),
            till: "till-1".into(),
            operator: None,
            expires_at: now() + 300_000,
            notify_url: None,
        }
    }

    /// A code that the shop shows.
    async fn shows(&self, number: &str, fen: i64) -> String {
        let trade = Self::trade(number, fen, Way::MerchantPresented);
        match self.channel.create_code(&trade, &Self::details()).await {
            CodeOutcome::Shown { code } => code,
            other => panic!("no code: {other:?}"),
        }
    }

    async fn asks(&self, number: &str, fen: i64) -> QueryOutcome {
        self.channel.query(&Self::trade(number, fen, Way::MerchantPresented)).await
    }

    async fn charges(&self, number: &str, fen: i64, auth_code: &str) -> PayOutcome {
        let trade = Self::trade(number, fen, Way::ConsumerPresented);
        self.channel.pay(&trade, &Self::details(), auth_code).await
    }

    async fn closes(&self, number: &str, fen: i64) {
        self.channel.void(&Self::trade(number, fen, Way::MerchantPresented)).await;
    }

    fn page(&self, wallet: &str) -> String {
        format!("{}/phone?wallet={wallet}", self.sandbox.base_url())
    }

    async fn pass_time(&self, seconds: u64) {
        let url = format!("{}/sandbox/clock", self.sandbox.base_url());
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let answer = http.post(url).json(&serde_json::json!({ "advance_ms": seconds * 1_000 })).send().await.unwrap();
        assert!(answer.status().is_success());
    }
}

async fn shoot(browser: &Browser, name: &str) {
    if let Some(folder) = std::env::var_os("SCANTILL_SHOTS").map(PathBuf::from) {
        std::fs::create_dir_all(&folder).unwrap();
        browser.shoot(&folder.join(format!("phone-{name}.png"))).await;
    }
}

/// The digits that the wallet shows now.
async fn digits(browser: &Browser) -> String {
    let shown = |text: &str| text.chars().filter(char::is_ascii_digit).count() >= 16;
    if browser.run("return !/\\d{4} \\d{4} \\d{4}/.test(document.getElementById('digits')?.innerText ?? '')").await
        == true
    {
        browser.press("[data-do=digits]").await;
    }
    browser.text("#digits", shown).await.replace(' ', "")
}

async fn result(browser: &Browser, kind: &str) -> String {
    browser.text(&format!("#result[data-kind={kind}]"), |text| !text.is_empty()).await
}

async fn paste(browser: &Browser, payload: &str) {
    browser.press("[data-do=scan]").await;
    browser.type_into("#payload", payload).await;
    browser.press("form [type=submit]").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_pays_by_the_code_on_the_phone() {
    for (channel, wallet) in [("alipay", "alipay-1"), ("wechatpay", "wechatpay-1")] {
        let shop = Shop::open(channel).await;
        let browser = Browser::open("en-GB").await;
        browser.go(&format!("{}/phone", shop.sandbox.base_url())).await;
        shoot(&browser, &format!("{channel}-wallets")).await;
        browser.press(&format!("[data-wallet={wallet}]")).await;
        let code = digits(&browser).await;
        shoot(&browser, &format!("{channel}-code")).await;
        assert!(matches!(shop.charges("PHONE00001", 1_234, &code).await, PayOutcome::Paid(_)));
        assert!(result(&browser, "paid").await.contains("¥12.34"));
        shoot(&browser, &format!("{channel}-paid")).await;
        browser.press("[data-do=done]").await;
        browser.text("#balance", |text| text == "¥9,987.66").await;
        // A spent code is not shown again.
        assert_ne!(digits(&browser).await, code);

        // Over the threshold the wallet asks first.
        let code = digits(&browser).await;
        assert_eq!(shop.charges("PHONE00002", 150_000, &code).await, PayOutcome::CustomerConfirming);
        browser.text("#asked-amount", |text| text == "¥1,500.00").await;
        shoot(&browser, &format!("{channel}-asked")).await;
        browser.press("[data-do=confirm]").await;
        assert!(result(&browser, "paid").await.contains("¥1,500.00"));
        assert!(matches!(shop.asks("PHONE00002", 150_000).await, QueryOutcome::Paid(_)));
        browser.press("[data-do=done]").await;

        browser.press("[data-do=history]").await;
        let listed = browser.text(".trades", |text| text.contains("1,500.00") && text.contains("12.34")).await;
        assert!(listed.find("1,500.00") < listed.find("12.34"), "the newest comes first: {listed}");
        shoot(&browser, &format!("{channel}-history")).await;
        browser.close().await;
        shop.sandbox.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_pays_by_the_code_that_the_shop_shows() {
    let shop = Shop::open("wechatpay").await;
    let browser = Browser::open("zh-CN").await;
    browser.go(&shop.page("wechatpay-1")).await;
    shoot(&browser, "zh-code").await;
    let code = shop.shows("PHONE00003", 800).await;
    paste(&browser, &code).await;
    browser.text("#asked-amount", |text| text == "¥8.00").await;
    shoot(&browser, "zh-asked").await;
    browser.press("[data-do=confirm]").await;
    assert!(result(&browser, "paid").await.contains("支付成功"));
    shoot(&browser, "zh-paid").await;
    assert!(matches!(shop.asks("PHONE00003", 800).await, QueryOutcome::Paid(paid) if paid.amount.minor == 800));
    browser.press("[data-do=done]").await;

    // The same from a photograph.
    let code = shop.shows("PHONE00004", 900).await;
    let folder = tempfile::tempdir().unwrap();
    let picture = folder.path().join("shop.png");
    std::fs::write(&picture, Modules::of(&code).unwrap().to_png(6).unwrap()).unwrap();
    browser.press("[data-do=scan]").await;
    shoot(&browser, "zh-scan").await;
    browser.type_into("#picture", picture.to_str().unwrap()).await;
    browser.text("#asked-amount", |text| text == "¥9.00").await;
    browser.press("[data-do=confirm]").await;
    result(&browser, "paid").await;
    assert!(matches!(shop.asks("PHONE00004", 900).await, QueryOutcome::Paid(_)));
    browser.press("[data-do=done]").await;

    // A code that was paid, one of nobody's, and a picture without any: told, and nothing is taken.
    paste(&browser, &code).await;
    browser.text("#message", |text| text.contains("没有重复扣款")).await;
    shoot(&browser, "zh-refused-code").await;
    browser.press("[data-do=back]").await;
    paste(&browser, "https://example.com/").await;
    browser.text("#message", |text| text.contains("没有找到对应的订单")).await;
    let blank = folder.path().join("blank.png");
    image::GrayImage::from_pixel(64, 64, image::Luma([200])).save(&blank).unwrap();
    browser.type_into("#picture", blank.to_str().unwrap()).await;
    browser.text("#message", |text| text.contains("没有找到二维码")).await;
    browser.press("[data-do=back]").await;
    browser.text("#balance", |text| text == "¥9,983.00").await;
    browser.close().await;
    shop.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_refuses_or_is_too_late() {
    let shop = Shop::open("alipay").await;
    let browser = Browser::open("en-GB").await;
    browser.go(&shop.page("alipay-1")).await;
    let code = shop.shows("PHONE00005", 700).await;
    paste(&browser, &code).await;
    browser.press("[data-do=refuse]").await;
    assert!(result(&browser, "refused").await.contains("Nothing was taken"));
    shoot(&browser, "refused").await;
    browser.press("[data-do=done]").await;
    assert!(!matches!(shop.asks("PHONE00005", 700).await, QueryOutcome::Paid(_)));

    let code = shop.shows("PHONE00006", 600).await;
    paste(&browser, &code).await;
    browser.text("#asked-amount", |text| text == "¥6.00").await;
    shop.pass_time(3_600).await;
    assert!(result(&browser, "ran_out").await.contains("Nothing was taken"));
    shoot(&browser, "too-late").await;
    browser.press("[data-do=done]").await;
    assert!(!matches!(shop.asks("PHONE00006", 600).await, QueryOutcome::Paid(_)));
    browser.text("#balance", |text| text == "¥10,000.00").await;

    // The same for the phone's own code, over the threshold.
    let code = digits(&browser).await;
    assert_eq!(shop.charges("PHONE00007", 150_000, &code).await, PayOutcome::CustomerConfirming);
    browser.text("#asked-amount", |text| text == "¥1,500.00").await;
    browser.press("[data-do=refuse]").await;
    result(&browser, "refused").await;
    browser.press("[data-do=done]").await;
    let spent = code;
    let fresh = |text: &str| text.len() >= 16 && text.replace(' ', "") != spent;
    browser.text("#digits", fresh).await;
    let code = digits(&browser).await;
    assert_eq!(shop.charges("PHONE00008", 160_000, &code).await, PayOutcome::CustomerConfirming);
    browser.text("#asked-amount", |text| text == "¥1,600.00").await;
    shop.pass_time(4 * 3_600).await;
    result(&browser, "ran_out").await;
    browser.press("[data-do=done]").await;

    // And the shop may think better of it.
    let code = shop.shows("PHONE00009", 500).await;
    paste(&browser, &code).await;
    browser.text("#asked-amount", |text| text == "¥5.00").await;
    shop.closes("PHONE00009", 500).await;
    assert!(result(&browser, "closed").await.contains("Nothing was taken"));
    browser.press("[data-do=done]").await;

    // Looking back: what became of each, the newest first.
    browser.press("[data-do=history]").await;
    let listed = browser.text(".trades", |text| text.contains("PHONE00005") && text.contains("PHONE00009")).await;
    let became: Vec<_> = listed
        .lines()
        .filter(|line| ["Refused", "Time ran out", "Closed by the shop", "Paid"].contains(&line.trim()))
        .map(str::trim)
        .collect();
    assert_eq!(became, ["Closed by the shop", "Time ran out", "Refused", "Time ran out", "Refused"], "{listed}");
    shoot(&browser, "history").await;
    browser.press("[data-do=back]").await;
    browser.text("#balance", |text| text == "¥10,000.00").await;
    browser.close().await;
    shop.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_payment_code_is_renewed_before_it_ends() {
    let shop = Shop::open("alipay").await;
    let browser = Browser::open("en-GB").await;
    browser.go(&shop.page("alipay-1")).await;
    let first = digits(&browser).await;
    shop.pass_time(61).await;
    browser.text("#digits", |text| text.replace(' ', "") != first && text.len() >= 16).await;
    // A phone's own clock may be wrong: the code lives by the sandbox's.
    browser.run("const then = Date.now; Date.now = () => then() + 3_600_000; return null").await;
    let second = digits(&browser).await;
    browser.text("#renews", |text| text.contains("50 s") || text.contains("49 s")).await;
    assert_eq!(digits(&browser).await, second);
    browser.close().await;
    shop.sandbox.stop().await;
}
