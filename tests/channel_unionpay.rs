//! The UnionPay channel against a gateway played by hand: what it sends, what it believes, and what it makes of it. The
//! certificates are made here: a root, a middle, UnionPay's own under it, and the merchant's.

mod channel_support;

use std::collections::BTreeMap;
use std::io::{Cursor, Write as _};
use std::sync::{Arc, LazyLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use channel_support::*;
use jiff::Timestamp;
use jiff::civil::date;
use jiff::tz::{Offset, TimeZone};
use proptest::prelude::*;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, PKCS_RSA_SHA256,
    SerialNumber,
};
use scantill::channel::{
    AccountError, AccountFault, BillError, BillKind, BillLineKind, Channel, CodeOutcome, MerchantAccount,
    NotificationError, PayOutcome, QueryOutcome, RawNotification, RefundOutcome, RefundRef, Retiring, TimingOverrides,
    Told, TradeRef, VoidOutcome,
};
use scantill::crypto::{Algorithm, Identity, RsaPrivateKey, Secret, certificates, write_pkcs12};
use scantill::money::{Currency, Money};
use scantill::payment::{ChannelId, FailureReason, Way};
use serde_json::{Value, json};

const MER: &str = "777290058110048";
const CODE: &str = "6212345678901234567";
const NAME: &str = "041@Z12@中国银联股份有限公司@00000001";
const QUERY_ID: &str = "202611241200005678908";
const BACK: &str = "/gateway/api/backTransReq.do";
const QUERY: &str = "/gateway/api/queryTrans.do";

/// A key with a certificate and what it takes to issue others.
struct Party {
    key: RsaPrivateKey,
    pair: KeyPair,
    params: CertificateParams,
    pem: String,
}

impl Party {
    fn named(name: &str, serial: u64, by: Option<&Self>, change: impl Fn(&mut CertificateParams)) -> Self {
        let key = RsaPrivateKey::generate().unwrap();
        let pair = KeyPair::from_pkcs8_pem_and_sign_algo(&key.to_pkcs8_pem().unwrap(), &PKCS_RSA_SHA256).unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CountryName, "CN");
        params.distinguished_name.push(DnType::CommonName, name);
        params.serial_number = Some(SerialNumber::from(serial));
        (params.not_before, params.not_after) = (rcgen::date_time_ymd(2020, 1, 1), rcgen::date_time_ymd(2050, 1, 1));
        change(&mut params);
        let certificate = match by {
            None => params.self_signed(&pair),
            Some(by) => params.signed_by(&pair, &Issuer::new(by.params.clone(), &by.pair)),
        };
        let pem = certificate.unwrap().pem();
        Self { key, pair, params, pem }
    }

    fn authority(name: &str, by: Option<&Self>) -> Self {
        Self::named(name, 1_001, by, |params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained))
    }

    fn p12(&self, password: &str) -> String {
        let key = RsaPrivateKey::from_pem(&self.key.to_pkcs8_pem().unwrap()).unwrap();
        let identity = Identity { key, chain: certificates(&self.pem).unwrap() };
        STANDARD.encode(write_pkcs12(&identity, password).unwrap())
    }
}

static ROOT: LazyLock<Party> = LazyLock::new(|| Party::authority("CFCA TEST CS CA", None));
static MIDDLE: LazyLock<Party> = LazyLock::new(|| Party::authority("CFCA TEST OCA1", Some(&ROOT)));
static UNIONPAY: LazyLock<Party> = LazyLock::new(|| Party::named(NAME, 7, Some(&MIDDLE), |_| {}));
static MERCHANT: LazyLock<Party> = LazyLock::new(|| Party::named("the shop", 68_759_663_125, Some(&MIDDLE), |_| {}));

fn credentials() -> Value {
    json!({
        "mer_id": MER, "sign_p12": MERCHANT.p12("000000"), "sign_p12_password": "000000",
        "middle_certificate": MIDDLE.pem, "root_certificate": ROOT.pem,
    })
}

fn with(mut value: Value, field: &str, becomes: &str) -> Value {
    value[field] = json!(becomes);
    value
}

fn account_at(base_url: &str, credentials: &Value) -> MerchantAccount {
    let timing = TimingOverrides { request_timeout_ms: Some(1_500), ..TimingOverrides::default() };
    account(ChannelId::UNIONPAY, base_url, credentials, timing)
}

/// SHA-256 in lower-case hex, past the house's own face over it.
fn digest(text: &str) -> String {
    aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes())
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

type Pairs = BTreeMap<String, String>;

fn joined(fields: &Pairs) -> String {
    let kept: Vec<_> =
        fields.iter().filter(|(name, _)| *name != "signature").map(|(k, v)| format!("{k}={v}")).collect();
    kept.join("&")
}

/// Signs as UnionPay does: the certificate goes along, and the signature is over the digest's hex.
fn sign_by(signer: &Party, mut fields: Pairs) -> Pairs {
    fields.insert("signMethod".into(), "01".into());
    fields.insert("signPubKeyCert".into(), signer.pem.trim().replace('\n', "\r\n"));
    let signature = signer.key.sign_base64(digest(&joined(&fields)).as_bytes()).unwrap();
    fields.insert("signature".into(), signature);
    fields
}

fn sign(fields: Pairs) -> Pairs {
    sign_by(&UNIONPAY, fields)
}

/// An answer's text, the signature somewhere within.
fn wire(fields: &Pairs) -> String {
    let pairs: Vec<_> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

fn sent(seen: &Seen) -> Pairs {
    let pairs = form(&seen.body);
    let fields: Pairs = pairs.iter().cloned().collect();
    assert_eq!(fields.len(), pairs.len(), "no field twice");
    fields
}

/// The fields that an answer repeats from its request, and those given.
fn answer(seen: &Seen, more: &[(&str, &str)]) -> Pairs {
    let asked = sent(seen);
    let names =
        ["version", "encoding", "bizType", "accessType", "merId", "orderId", "txnTime", "txnType", "txnSubType"];
    let mut fields: Pairs =
        names.iter().filter_map(|name| Some(((*name).to_owned(), asked.get(*name)?.clone()))).collect();
    fields.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    fields
}

fn is_query(seen: &Seen) -> bool {
    seen.path == QUERY
}

/// What a query hears of a transaction.
fn original(seen: &Seen, code: &str) -> Pairs {
    answer(
        seen,
        &[
            ("respCode", "00"),
            ("respMsg", "成功[0000000]"),
            ("origRespCode", code),
            ("origRespMsg", "{a&b=c}[x]"),
            ("queryId", QUERY_ID),
            ("txnAmt", "1234"),
            ("settleAmt", "1000"),
            ("currencyCode", "156"),
            ("accNo", "6226********0048"),
            ("traceNo", "331580"),
            ("traceTime", "1124120001"),
        ],
    )
}

struct Story {
    gateway: Gateway,
    channel: Arc<dyn Channel>,
}

impl Story {
    async fn begin() -> Self {
        Self::with(credentials()).await
    }

    async fn with(credentials: Value) -> Self {
        let gateway = Gateway::open().await;
        let channel = scantill::channel::open(&account_at(&gateway.base_url, &credentials)).unwrap();
        Self { gateway, channel }
    }

    /// Every call is answered with these fields beside what it repeats, signed.
    fn answers(&self, more: &'static [(&'static str, &'static str)]) {
        self.gateway.does(move |seen| Does::text(200, wire(&sign(answer(seen, more)))));
    }

    /// Transactions are answered with one code, queries hear another of the original.
    fn does(&self, code: &'static str, original_code: &'static str) {
        self.gateway.does(move |seen| {
            let fields = match is_query(seen) {
                true if original_code == "34" => answer(seen, &[("respCode", "34"), ("respMsg", "查无此交易")]),
                true => original(seen, original_code),
                false => answer(seen, &[("respCode", code), ("respMsg", "话")]),
            };
            Does::text(200, wire(&sign(fields)))
        });
    }

    async fn pay(&self) -> PayOutcome {
        self.channel.pay(&trade(Way::ConsumerPresented), &details(), CODE).await
    }

    async fn query(&self, way: Way) -> QueryOutcome {
        self.channel.query(&trade(way)).await
    }

    async fn void(&self, trade: &TradeRef) -> VoidOutcome {
        self.channel.void(trade).await
    }

    async fn refund(&self) -> RefundOutcome {
        self.channel.refund(&paid_trade(now()), &refund(REFUND)).await
    }
}

/// A purchase that is known to be paid.
fn paid_trade(paid_at: i64) -> TradeRef {
    TradeRef { provider_trade_no: Some(QUERY_ID.into()), paid_at: Some(paid_at), ..trade(Way::ConsumerPresented) }
}

fn aged(way: Way, seconds: i64) -> TradeRef {
    TradeRef { started_at: now() - seconds * 1_000, ..trade(way) }
}

fn china(at: i64) -> String {
    let zone = TimeZone::fixed(Offset::constant(8));
    Timestamp::from_millisecond(at).unwrap().to_zoned(zone).strftime("%Y%m%d%H%M%S").to_string()
}

/// Checks a request as the gateway would, by the documents and not by the channel's code.
fn admitted(seen: &Seen, path: &str, kind: (&str, &str)) -> Pairs {
    assert_eq!((seen.method.as_str(), seen.path.as_str()), ("POST", path));
    assert_eq!(seen.header("content-type"), "application/x-www-form-urlencoded;charset=UTF-8");
    let fields = sent(seen);
    assert!(fields.values().all(|value| !value.is_empty()), "{fields:?}");
    let public = MERCHANT.key.public_key().to_spki_pem().unwrap();
    assert!(verifies(&public, digest(&joined(&fields)).as_bytes(), &fields["signature"]), "{fields:?}");
    let fixed = [
        ("version", "5.1.0"),
        ("encoding", "UTF-8"),
        ("signMethod", "01"),
        ("certId", "68759663125"),
        ("bizType", "000000"),
        ("accessType", "0"),
        ("merId", MER),
        ("txnType", kind.0),
        ("txnSubType", kind.1),
    ];
    for (name, value) in fixed {
        assert_eq!(fields[name], value, "{name}");
    }
    fields
}

#[tokio::test]
async fn a_purchase_and_an_order_code_carry_what_unionpay_asks_for() {
    let story = Story::begin().await;
    story.answers(&[("respCode", "00"), ("respMsg", "成功[0000000]")]);
    let sale = trade(Way::ConsumerPresented);
    assert_eq!(story.channel.pay(&sale, &details(), CODE).await, PayOutcome::CustomerConfirming);
    let fields = admitted(&story.gateway.only(), BACK, ("01", "06"));
    let expected = [
        ("orderId", NUMBER),
        ("txnAmt", "1234"),
        ("currencyCode", "156"),
        ("qrNo", CODE),
        ("channelType", "08"),
        ("termId", "000TILL1"),
        ("backUrl", &*details().notify_url.unwrap()),
        ("riskRateInfo", "{commodityName=拿铁 large + 1 cookie}"),
        ("txnTime", &*china(sale.started_at)),
    ];
    for (name, value) in expected {
        assert_eq!(fields[name], value, "{name}");
    }

    story.answers(&[("respCode", "00"), ("qrCode", "https://qr.95516.com/00010001/62")]);
    let sale = trade(Way::MerchantPresented);
    let silent = scantill::channel::TradeDetails { notify_url: None, ..details() };
    let shown = story.channel.create_code(&sale, &silent).await;
    assert_eq!(shown, CodeOutcome::Shown { code: "https://qr.95516.com/00010001/62".into() });
    let fields = admitted(&story.gateway.only(), BACK, ("01", "07"));
    assert_eq!(fields["backUrl"], "http://www.specialUrl.com");
    assert!(!fields.contains_key("qrNo"));
    // It runs out when our side says, and never later than `void` waits for.
    assert!(fields["payTimeout"] <= china(silent.expires_at));
    assert!(fields["payTimeout"] > china(sale.started_at + 120_000));
    story.answers(&[("respCode", "00")]);
    assert!(matches!(story.channel.create_code(&sale, &silent).await, CodeOutcome::Unknown(_)));
    story.answers(&[("respCode", "33"), ("respMsg", "交易金额超限")]);
    let CodeOutcome::Failed(failure) = story.channel.create_code(&sale, &silent).await else { panic!() };
    assert_eq!((failure.reason, failure.provider_code.as_str()), (FailureReason::LimitExceeded, "33"));
}

#[tokio::test]
async fn a_purchase_is_never_paid_by_its_answer_and_never_failed_by_an_unknown_code() {
    let story = Story::begin().await;
    for code in ["00", "05", "70"] {
        story.does(code, "");
        assert_eq!(story.pay().await, PayOutcome::CustomerConfirming, "{code}");
    }
    for code in ["03", "04", "06", "12", "02", "99", "77X", "34"] {
        story.does(code, "");
        assert!(matches!(story.pay().await, PayOutcome::Unknown(_)), "{code}");
    }
    let reasons = [
        ("64", FailureReason::InsufficientFunds),
        ("86", FailureReason::CodeExpired),
        ("88", FailureReason::CodeInvalid),
        ("63", FailureReason::CustomerAccount),
        ("31", FailureReason::MerchantAccount),
        ("38", FailureReason::LimitExceeded),
        ("10", FailureReason::RequestRefused),
    ];
    for (code, reason) in reasons {
        story.does(code, "");
        let PayOutcome::Failed(failure) = story.pay().await else { panic!("{code}") };
        assert_eq!((failure.reason, failure.provider_code.as_str()), (reason, code));
    }
    for does in [Does::text(502, "<html>"), Does::Break(b"version=5.1.0&".to_vec()), Does::Sleep, Does::text(200, "")] {
        story.gateway.does(move |_| does.clone());
        assert!(matches!(story.pay().await, PayOutcome::Unknown(_)));
    }
    let nowhere = scantill::channel::open(&account_at(&nobody().await, &credentials())).unwrap();
    let PayOutcome::Failed(failure) = nowhere.pay(&trade(Way::ConsumerPresented), &details(), CODE).await else {
        panic!("nothing was sent");
    };
    assert_eq!(failure.reason, FailureReason::ProviderUnreachable);
    assert!(!format!("{failure:?}").contains(CODE));
}

#[tokio::test]
async fn a_query_asks_by_number_and_time_and_tells_paid_from_the_rest() {
    let story = Story::begin().await;
    story.does("", "00");
    let sale = aged(Way::ConsumerPresented, 40);
    let QueryOutcome::Paid(paid) = story.channel.query(&sale).await else { panic!() };
    assert_eq!((paid.provider_trade_no.as_str(), paid.amount), (QUERY_ID, Money::new(FEN, Currency::CNY)));
    assert_eq!(paid.payer.as_deref(), Some("6226********0048"));
    assert_eq!(china(paid.paid_at)[4..], *"1124120001");
    let fields = admitted(&story.gateway.only(), QUERY, ("00", "00"));
    assert_eq!((fields["orderId"].as_str(), &fields["txnTime"]), (NUMBER, &china(sale.started_at)));

    // In part: what was taken is told, and the engine compares.
    story.does("", "A6");
    let QueryOutcome::Paid(paid) = story.query(Way::ConsumerPresented).await else { panic!() };
    assert_eq!(paid.amount.minor, 1_000);

    let both = [
        ("05", QueryOutcome::CustomerConfirming, QueryOutcome::AwaitingCustomer),
        ("34", QueryOutcome::NotFound, QueryOutcome::NotFound),
        ("46", QueryOutcome::Returned, QueryOutcome::Returned),
    ];
    for (code, scanned, shown) in both {
        story.does("", code);
        assert_eq!(story.query(Way::ConsumerPresented).await, scanned, "{code}");
        assert_eq!(story.query(Way::MerchantPresented).await, shown, "{code}");
    }
    for code in ["03", "04", "83", "", "Z9"] {
        story.does("", code);
        assert!(matches!(story.query(Way::ConsumerPresented).await, QueryOutcome::Unknown(_)), "{code}");
        let over = story.channel.query(&aged(Way::MerchantPresented, 600)).await;
        assert!(matches!(over, QueryOutcome::Unknown(_)), "{code}");
    }
    // Who is refused with a shown order may try another card, until its time is over.
    story.does("", "64");
    let QueryOutcome::Failed(failure) = story.query(Way::ConsumerPresented).await else { panic!() };
    assert_eq!((failure.reason, failure.provider_code.as_str()), (FailureReason::InsufficientFunds, "64"));
    assert_eq!(story.query(Way::MerchantPresented).await, QueryOutcome::AwaitingCustomer);
    for code in ["64", "05", "34"] {
        story.does("", code);
        assert_eq!(story.channel.query(&aged(Way::MerchantPresented, 600)).await, QueryOutcome::Closed, "{code}");
    }
    story.does("", "00");
    assert!(matches!(story.channel.query(&aged(Way::MerchantPresented, 600)).await, QueryOutcome::Paid(_)));
    // The query itself was refused: that says nothing of the purchase.
    story.answers(&[("respCode", "37"), ("respMsg", "操作过于频繁")]);
    assert!(matches!(story.query(Way::ConsumerPresented).await, QueryOutcome::Unknown(_)));
}

#[tokio::test]
async fn a_scanned_purchase_is_reversed_by_its_own_number_and_time() {
    let story = Story::begin().await;
    let sale = aged(Way::ConsumerPresented, 30);
    story.does("00", "46");
    assert_eq!(story.void(&sale).await, VoidOutcome::Returned);
    let seen = story.gateway.seen();
    assert_eq!(seen.len(), 2, "one reversal, one question");
    let fields = admitted(&seen[0], BACK, ("99", "01"));
    assert_eq!((fields["orderId"].as_str(), &fields["txnTime"]), (NUMBER, &china(sale.started_at)));
    assert!(!fields.contains_key("txnAmt") && !fields.contains_key("qrNo"));

    let stories = [
        // Reversed; and the purchase had been refused, or was taken back.
        ("00", "64", VoidOutcome::Closed),
        ("46", "", VoidOutcome::Returned),
        ("45", "", VoidOutcome::Returned),
        // There never was one, and it cannot be on its way any more.
        ("34", "", VoidOutcome::Closed),
        ("00", "34", VoidOutcome::Closed),
        // It has an end already.
        ("35", "00", VoidOutcome::AlreadyPaid),
        ("35", "64", VoidOutcome::Closed),
    ];
    for (code, original, outcome) in stories {
        story.does(code, original);
        assert_eq!(story.void(&sale).await, outcome, "{code} {original}");
    }
    for (code, original) in [("05", ""), ("03", ""), ("06", ""), ("00", "05"), ("00", "00"), ("00", "03"), ("X1", "")] {
        story.does(code, original);
        assert!(matches!(story.void(&sale).await, VoidOutcome::Unknown(_)), "{code} {original}");
    }
    story.does("32", "");
    assert!(matches!(story.void(&sale).await, VoidOutcome::Failed(_)));
    // A request that may still be on its way is waited for.
    story.does("34", "");
    assert_eq!(story.void(&trade(Way::ConsumerPresented)).await, VoidOutcome::NotYet);
}

#[tokio::test]
async fn an_order_code_is_left_to_run_out_and_closed_no_sooner() {
    let story = Story::begin().await;
    let fresh = trade(Way::MerchantPresented);
    for code in ["05", "34", "64", "03"] {
        story.does("", code);
        assert_eq!(story.void(&fresh).await, VoidOutcome::NotYet, "{code}");
    }
    story.answers(&[("respCode", "02")]);
    assert_eq!(story.void(&fresh).await, VoidOutcome::NotYet);
    story.gateway.seen();
    let over = aged(Way::MerchantPresented, 240);
    for code in ["05", "34", "64"] {
        story.does("", code);
        assert_eq!(story.void(&over).await, VoidOutcome::Closed, "{code}");
    }
    for code in ["03", "04", "X"] {
        story.does("", code);
        assert!(matches!(story.void(&over).await, VoidOutcome::Unknown(_)), "{code}");
    }
    assert!(story.gateway.seen().iter().all(is_query), "nothing but questions");
    // A moment before the end is not over, nor is the moment after.
    for seconds in [179, 181, 200] {
        story.does("", "34");
        assert_eq!(story.void(&aged(Way::MerchantPresented, seconds)).await, VoidOutcome::NotYet, "{seconds}");
    }
}

#[tokio::test]
async fn what_was_paid_today_is_voided_once_and_what_was_paid_before_is_for_a_refund() {
    let story = Story::begin().await;
    story.does("00", "00");
    let sale = paid_trade(now());
    assert_eq!(story.void(&sale).await, VoidOutcome::Returned);
    let seen = story.gateway.seen();
    let fields = admitted(&seen[0], BACK, ("31", "00"));
    assert_eq!((fields["origQryId"].as_str(), fields["txnAmt"].as_str()), (QUERY_ID, "1234"));
    assert_eq!(fields["orderId"], format!("{NUMBER}V"));
    // It is asked about by its own number and time.
    let asked = admitted(&seen[1], QUERY, ("00", "00"));
    assert_eq!((&asked["orderId"], &asked["txnTime"]), (&fields["orderId"], &fields["txnTime"]));

    // Its answer was lost: before it is asked for again, the gateway is asked what became of it.
    story
        .gateway
        .does(|seen| if is_query(seen) { Does::text(200, wire(&sign(original(seen, "00")))) } else { Does::Sleep });
    assert_eq!(story.void(&sale).await, VoidOutcome::Returned);
    assert!(story.gateway.seen().iter().all(is_query));
    story.does("00", "05");
    assert!(matches!(story.void(&sale).await, VoidOutcome::Unknown(_)));
    assert!(story.gateway.seen().iter().all(is_query));

    for (code, outcome) in
        [("45", VoidOutcome::Returned), ("35", VoidOutcome::AlreadyPaid), ("39", VoidOutcome::AlreadyPaid)]
    {
        let story = Story::begin().await;
        story.does(code, "34");
        assert_eq!(story.void(&sale).await, outcome, "{code}");
    }
    for days in [1, 2, 40] {
        assert_eq!(story.void(&paid_trade(now() - days * 86_400_000)).await, VoidOutcome::AlreadyPaid);
    }
    assert!(story.gateway.seen().is_empty());

    // A shown order that turns out to be paid while it is taken back.
    let story = Story::begin().await;
    let at = china(now())[4..].to_owned();
    story.gateway.does(move |seen| {
        let mut fields = if is_query(seen) { original(seen, "00") } else { answer(seen, &[("respCode", "00")]) };
        fields.insert("traceTime".into(), at.clone());
        Does::text(200, wire(&sign(fields)))
    });
    assert_eq!(story.void(&trade(Way::MerchantPresented)).await, VoidOutcome::Returned);
    assert_eq!(admitted(&story.gateway.seen()[1], BACK, ("31", "00"))["origQryId"], QUERY_ID);
}

#[tokio::test]
async fn a_refund_has_a_number_and_a_time_of_its_own_and_is_asked_about_by_them() {
    let story = Story::begin().await;
    story.does("00", "00");
    let part = RefundRef {
        amount: Money::new(234, Currency::CNY),
        started_at: now() - 5_000,
        notify_url: Some("https://pos.example.com/v1/notifications/unionpay/acc_1".into()),
        ..refund(REFUND)
    };
    assert_eq!(story.channel.refund(&paid_trade(now()), &part).await, RefundOutcome::Done);
    let seen = story.gateway.seen();
    let fields = admitted(&seen[0], BACK, ("04", "00"));
    let expected = [
        ("orderId", REFUND),
        ("txnAmt", "234"),
        ("origQryId", QUERY_ID),
        ("reqReserved", NUMBER),
        ("txnTime", &*china(part.started_at)),
        ("backUrl", part.notify_url.as_deref().unwrap()),
    ];
    for (name, value) in expected {
        assert_eq!(fields[name], value, "{name}");
    }
    let asked = admitted(&seen[1], QUERY, ("00", "00"));
    assert_eq!((asked["orderId"].as_str(), &asked["txnTime"]), (REFUND, &china(part.started_at)));
    // Without the gateway's number the payment is named by ours and its time.
    let nameless = aged(Way::ConsumerPresented, 9);
    story.channel.refund(&nameless, &part).await;
    let fields = admitted(&story.gateway.seen()[0], BACK, ("04", "00"));
    assert_eq!((fields["origOrderId"].as_str(), &fields["origTxnTime"]), (NUMBER, &china(nameless.started_at)));

    for (code, original, outcome) in [
        ("00", "05", RefundOutcome::Processing),
        ("00", "34", RefundOutcome::Processing),
        ("00", "03", RefundOutcome::Processing),
        ("05", "00", RefundOutcome::Done),
        // Asked for twice: the first counts.
        ("12", "00", RefundOutcome::Done),
        ("12", "05", RefundOutcome::Processing),
    ] {
        story.does(code, original);
        assert_eq!(story.refund().await, outcome, "{code} {original}");
    }
    for (code, original) in [("03", "34"), ("12", "34"), ("06", "03"), ("Y7", "34")] {
        story.does(code, original);
        assert!(matches!(story.refund().await, RefundOutcome::Unknown(_)), "{code} {original}");
    }
    for (original, outcome) in [("34", RefundOutcome::NotFound), ("05", RefundOutcome::Processing)] {
        story.does("00", original);
        assert_eq!(story.channel.query_refund(&paid_trade(now()), &refund(REFUND)).await, outcome, "{original}");
    }
    for (code, original) in [("36", ""), ("34", ""), ("45", ""), ("00", "64")] {
        story.does(code, original);
        assert!(matches!(story.refund().await, RefundOutcome::Failed(_)), "{code} {original}");
    }
    story.gateway.seen();
    let odd = story.channel.refund(&paid_trade(now()), &refund("R-1")).await;
    assert!(matches!(odd, RefundOutcome::Failed(_)) && story.gateway.seen().is_empty());
}

/// The account's test says this of a gateway that answers so.
async fn tested(story: &Story, does: impl Fn(&Seen) -> Does + Send + Sync + 'static) -> Option<AccountFault> {
    story.gateway.does(does);
    let test = story.channel.test().await;
    assert!(test.fault.is_none_or(|fault| !fault.sentence().is_empty() && !fault.cure().is_empty()));
    test.fault
}

fn refused(seen: &Seen, code: &str) -> Does {
    Does::text(200, wire(&sign(answer(seen, &[("respCode", code), ("respMsg", "不行")]))))
}

#[tokio::test]
async fn an_answer_is_believed_only_by_its_certificate_its_signature_and_its_order() {
    let story = Story::begin().await;
    let paid = |seen: &Seen| original(seen, "00");
    let is_paid = |outcome: &QueryOutcome| matches!(outcome, QueryOutcome::Paid(_));
    story.gateway.does(move |seen| Does::text(200, wire(&sign(paid(seen)))));
    assert!(is_paid(&story.query(Way::ConsumerPresented).await));
    assert!(is_paid(&story.query(Way::ConsumerPresented).await), "by the certificate that was remembered");

    let stranger_root = Party::authority("CFCA TEST CS CA", None);
    let stranger = Party::named(NAME, 7, Some(&Party::authority("CFCA TEST OCA1", Some(&stranger_root))), |_| {});
    let neighbour = Party::named("041@Z12@中国银联股份有限公司北京分公司@1", 8, Some(&MIDDLE), |_| {});
    let expired = Party::named(NAME, 9, Some(&MIDDLE), |params| params.not_after = rcgen::date_time_ymd(2025, 1, 1));
    type Forge = Box<dyn Fn(&Seen) -> Pairs + Send + Sync>;
    let change = |field: &'static str, to: &'static str| -> Forge {
        Box::new(move |seen| {
            let mut fields = sign(original(seen, "00"));
            fields.insert(field.into(), to.into());
            fields
        })
    };
    let forgeries: Vec<(AccountFault, Forge)> = vec![
        (AccountFault::CertificateUnknown, Box::new(move |seen| sign_by(&stranger, original(seen, "00")))),
        (AccountFault::ProviderKeyWrong, Box::new(move |seen| sign_by(&neighbour, original(seen, "00")))),
        (AccountFault::CertificateExpired, Box::new(move |seen| sign_by(&expired, original(seen, "00")))),
        // A merchant's own certificate is under the same root, and no one's answer.
        (AccountFault::ProviderKeyWrong, Box::new(|seen| sign_by(&MERCHANT, original(seen, "00")))),
        (AccountFault::ProviderKeyWrong, change("txnAmt", "1")),
        (AccountFault::ProviderKeyWrong, change("extra", "1")),
        (AccountFault::ProviderKeyWrong, change("signature", "")),
        (AccountFault::ProviderKeyWrong, change("signature", "AAAA")),
        (AccountFault::ProviderKeyWrong, change("signMethod", "11")),
        (AccountFault::ProviderKeyWrong, change("signPubKeyCert", "")),
    ];
    for (fault, forge) in forgeries {
        let forge = Arc::new(forge);
        let again = forge.clone();
        story.gateway.does(move |seen| Does::text(200, wire(&forge(seen))));
        assert!(matches!(story.query(Way::ConsumerPresented).await, QueryOutcome::Unknown(_)), "{fault:?}");
        assert_eq!(tested(&story, move |seen| Does::text(200, wire(&again(seen)))).await, Some(fault));
    }
    // Signed well, and about something else.
    for (field, other) in [("orderId", "20261124ABCDEF02"), ("merId", "777290058110049"), ("txnTime", "20261124000000")]
    {
        story.gateway.does(move |seen| {
            let mut fields = original(seen, "00");
            fields.insert(field.into(), other.into());
            Does::text(200, wire(&sign(fields)))
        });
        assert!(matches!(story.query(Way::ConsumerPresented).await, QueryOutcome::Unknown(_)), "{field}");
    }
    // Fields in any order, and an empty one that is signed.
    story.gateway.does(move |seen| {
        let mut fields = original(seen, "00");
        fields.insert("reserved".into(), String::new());
        let mut pairs: Vec<_> = sign(fields).into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.reverse();
        Does::text(200, format!("{}\r\n", pairs.join("&")))
    });
    assert!(is_paid(&story.query(Way::ConsumerPresented).await));
    // A bracket that nobody closes.
    story.gateway.does(move |seen| {
        let mut fields = original(seen, "00");
        fields.insert("origRespMsg".into(), "{成功".into());
        Does::text(200, wire(&sign(fields)))
    });
    assert!(is_paid(&story.query(Way::ConsumerPresented).await));
}

#[tokio::test]
async fn the_test_of_an_account_names_cause_and_cure() {
    let story = Story::begin().await;
    assert_eq!(tested(&story, |seen| refused(seen, "34")).await, None);
    let fields = admitted(&story.gateway.only(), QUERY, ("00", "00"));
    assert!(fields["orderId"].len() >= 8);
    let stories = [
        ("11", AccountFault::WrongKey),
        ("31", AccountFault::WrongMerchant),
        ("32", AccountFault::NoPermission),
        ("02", AccountFault::ProviderDown),
        ("39", AccountFault::ClockSkew { seconds: 0 }),
        ("10", AccountFault::Refused),
        ("ZZ", AccountFault::Refused),
    ];
    for (code, fault) in stories {
        assert_eq!(tested(&story, move |seen| refused(seen, code)).await, Some(fault), "{code}");
    }
    // What is refused unread may come without a signature; it counts from a known peer (here: this very machine).
    let unsigned = |_: &Seen| Does::text(200, "respCode=11&respMsg=验证签名失败[5100011]");
    assert_eq!(tested(&story, unsigned).await, Some(AccountFault::WrongKey));
    assert!(
        matches!(story.pay().await, PayOutcome::Failed(failure) if failure.reason == FailureReason::MerchantAccount)
    );
    let paid_unsigned = |_: &Seen| Does::text(200, "respCode=00&origRespCode=00&queryId=1&txnAmt=1234");
    assert_eq!(tested(&story, paid_unsigned).await, Some(AccountFault::ProviderKeyWrong));
    assert_eq!(tested(&story, |_| Does::text(503, "")).await, Some(AccountFault::ProviderDown));
    assert_eq!(tested(&story, |_| Does::text(404, "")).await, Some(AccountFault::Refused));
    let portal = |_: &Seen| Does::text(200, "<html>Please log in</html>");
    assert_eq!(tested(&story, portal).await, Some(AccountFault::Unreachable));
    assert_eq!(tested(&story, |_| Does::Sleep).await, Some(AccountFault::Timeout));

    let clock = |seconds: i64, code: &'static str| {
        move |seen: &Seen| {
            let at = Timestamp::from_millisecond(now() - seconds * 1_000).unwrap();
            let date = jiff::fmt::rfc2822::to_string(&at.to_zoned(TimeZone::UTC)).unwrap().replace("+0000", "GMT");
            let Does::Answer { status, body, .. } = refused(seen, code) else { unreachable!() };
            Does::Answer { status, headers: vec![("date".into(), date)], body }
        }
    };
    match tested(&story, clock(600, "11")).await {
        Some(AccountFault::ClockSkew { seconds: 590..=610 }) => {}
        other => panic!("{other:?}"),
    }
    assert!(matches!(tested(&story, clock(-600, "11")).await, Some(AccountFault::ClockSkew { seconds: -610..=-590 })));
    assert_eq!(tested(&story, clock(600, "34")).await, None, "what works is not complained of");
    assert_eq!(tested(&story, clock(10, "11")).await, Some(AccountFault::WrongKey));

    let nowhere = scantill::channel::open(&account_at(&nobody().await, &credentials())).unwrap();
    assert_eq!(nowhere.test().await.fault, Some(AccountFault::Unreachable));
    let unknown_host = scantill::channel::open(&account_at("https://gateway.invalid", &credentials())).unwrap();
    assert_eq!(unknown_host.test().await.fault, Some(AccountFault::HostUnknown));
    let plain_behind_https = story.gateway.base_url.replace("http:", "https:");
    let tls = scantill::channel::open(&account_at(&plain_behind_https, &credentials())).unwrap();
    assert_eq!(tls.test().await.fault, Some(AccountFault::Tls));

    // Our own certificate has expired, and the gateway says only that it does not like the signature.
    let old = Party::named("the shop", 5, Some(&MIDDLE), |params| params.not_after = rcgen::date_time_ymd(2025, 1, 1));
    let story = Story::with(with(credentials(), "sign_p12", &old.p12("000000"))).await;
    assert_eq!(tested(&story, |seen| refused(seen, "11")).await, Some(AccountFault::CertificateExpired));
}

fn complaint(credentials: &Value) -> (&'static str, String) {
    match scantill::channel::open(&account_at("https://gateway.example", credentials)) {
        Err(AccountError::Credential { field, problem }) => (field, problem),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("opened"),
    }
}

#[tokio::test]
async fn an_account_that_cannot_work_is_told_at_once_and_by_field() {
    let (field, problem) = complaint(&with(credentials(), "sign_p12_password", "111111"));
    assert_eq!(field, "sign_p12_password");
    assert!(problem.contains("password") && !problem.contains("111111"));
    let not_a_container = STANDARD.encode("not a container");
    let fields = [
        ("mer_id", "12345"),
        ("mer_id", ""),
        ("sign_p12", "%%%"),
        ("sign_p12", not_a_container.as_str()),
        ("middle_certificate", "x"),
        ("root_certificate", ""),
    ];
    for (field, becomes) in fields {
        assert_eq!(complaint(&with(credentials(), field, becomes)).0, field);
    }
    // A key with another's certificate.
    let key = RsaPrivateKey::from_pem(&ROOT.key.to_pkcs8_pem().unwrap()).unwrap();
    let mixed = Identity { key, chain: certificates(&MERCHANT.pem).unwrap() };
    let mixed = STANDARD.encode(write_pkcs12(&mixed, "000000").unwrap());
    assert_eq!(complaint(&with(credentials(), "sign_p12", &mixed)).0, "sign_p12");

    let mut account = account_at("https://gateway.example", &credentials());
    account.algorithms = account.algorithms.with(Algorithm::RsaSha256, false);
    assert_eq!(scantill::channel::open(&account).err(), Some(AccountError::AlgorithmOff(Algorithm::RsaSha256)));
    // The middle or the root of another chain: only the gateway's answer shows it.
    let other = Party::authority("CFCA TEST CS CA", None);
    let story = Story::with(with(credentials(), "root_certificate", &other.pem)).await;
    assert_eq!(tested(&story, |seen| refused(seen, "34")).await, Some(AccountFault::CertificateUnknown));
    let story = Story::with(with(credentials(), "middle_certificate", &other.pem)).await;
    assert_eq!(tested(&story, |seen| refused(seen, "34")).await, Some(AccountFault::CertificateUnknown));
    // Another name, where the account says so.
    let story = Story::with(with(credentials(), "common_name", "UnionPay International")).await;
    assert_eq!(tested(&story, |seen| refused(seen, "34")).await, Some(AccountFault::ProviderKeyWrong));
    let story = Story::with(with(credentials(), "common_name", NAME)).await;
    assert_eq!(tested(&story, |seen| refused(seen, "34")).await, None);
}

#[tokio::test]
async fn what_comes_under_the_certificates_before_a_rotation_is_believed_until_then() {
    let new_root = Party::authority("NEW ROOT", None);
    let new_middle = Party::authority("NEW MIDDLE", Some(&new_root));
    let new = with(with(credentials(), "root_certificate", &new_root.pem), "middle_certificate", &new_middle.pem);
    let gateway = Gateway::open().await;
    gateway.does(|seen| Does::text(200, wire(&sign(original(seen, "00")))));
    let open_until = |until: i64| {
        let mut account = account_at(&gateway.base_url, &new);
        account.retiring = Some(Retiring { credentials: Secret::new(credentials().to_string()), until });
        scantill::channel::open(&account).unwrap()
    };
    let sale = trade(Way::ConsumerPresented);
    assert!(matches!(open_until(now() + 60_000).query(&sale).await, QueryOutcome::Paid(_)));
    assert!(matches!(open_until(now() - 1).query(&sale).await, QueryOutcome::Unknown(_)));
}

fn notified(fields: &Pairs) -> RawNotification {
    let body = to_form(fields.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    RawNotification { headers: vec![("content-type".into(), "application/x-www-form-urlencoded".into())], body }
}

fn paid_notification(changes: &[(&str, &str)]) -> Pairs {
    let fields = [
        ("accessType", "0"),
        ("accNo", "6226********0048"),
        ("bizType", "000000"),
        ("currencyCode", "156"),
        ("encoding", "UTF-8"),
        ("merId", MER),
        ("orderId", NUMBER),
        ("queryId", QUERY_ID),
        ("respCode", "00"),
        ("respMsg", "成功[0000000]"),
        ("settleAmt", "1234"),
        ("traceNo", "331580"),
        ("traceTime", "1124120001"),
        ("txnAmt", "1234"),
        ("txnSubType", "06"),
        ("txnTime", "20261124115959"),
        ("txnType", "01"),
        ("version", "5.1.0"),
    ];
    let fields = fields.iter().chain(changes);
    fields.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[tokio::test]
async fn a_notification_is_signed_for_this_merchant_and_says_what_it_says() {
    let story = Story::begin().await;
    let read = |fields: Pairs| story.channel.read_notification(&notified(&fields), now());
    let told = |changes: &[(&str, &str)]| read(sign(paid_notification(changes))).unwrap();
    let paid = told(&[]);
    assert_eq!(paid.out_trade_no.as_str(), NUMBER);
    let Told::Trade(QueryOutcome::Paid(paid)) = paid.told else { panic!() };
    assert_eq!((paid.amount.minor, paid.provider_trade_no.as_str()), (1_234, QUERY_ID));
    assert_eq!(china(paid.paid_at), "20261124120001");
    // Only a part was taken; another amount was asked for: the books compare.
    for (changes, fen) in [(&[("respCode", "A6"), ("settleAmt", "1000")][..], 1_000), (&[("txnAmt", "999")], 999)] {
        let Told::Trade(QueryOutcome::Paid(paid)) = told(changes).told else { panic!() };
        assert_eq!(paid.amount.minor, fen);
    }
    // The same message again is the same message, another is another.
    assert_eq!(told(&[]).id, told(&[]).id);
    assert_ne!(told(&[]).id, told(&[("respCode", "05")]).id);

    let Told::Trade(QueryOutcome::Failed(failure)) = told(&[("respCode", "64")]).told else { panic!() };
    assert_eq!(failure.reason, FailureReason::InsufficientFunds);
    let shown = told(&[("respCode", "64"), ("txnSubType", "07")]);
    assert_eq!(shown.told, Told::Trade(QueryOutcome::AwaitingCustomer), "another card may follow");
    assert!(matches!(told(&[("respCode", "03")]).told, Told::Trade(QueryOutcome::Unknown(_))));

    let refunded = told(&[("txnType", "04"), ("txnSubType", "00"), ("orderId", REFUND), ("reqReserved", NUMBER)]);
    assert_eq!(refunded.out_trade_no.as_str(), NUMBER);
    let expected = Told::Refund { out_refund_no: Some(REFUND.into()), outcome: RefundOutcome::Done };
    assert_eq!(refunded.told, expected);
    let voided = told(&[("txnType", "31"), ("txnSubType", "00"), ("orderId", "X2345678"), ("origOrderId", NUMBER)]);
    assert_eq!((voided.out_trade_no.as_str(), voided.told), (NUMBER, Told::Trade(QueryOutcome::Returned)));

    let refusal = |fields: Pairs| read(fields).unwrap_err();
    assert_eq!(refusal(sign(paid_notification(&[("merId", "777290058110049")]))), NotificationError::OtherMerchant);
    assert_eq!(refusal(paid_notification(&[])), NotificationError::BadSignature);
    assert_eq!(refusal(sign_by(&MERCHANT, paid_notification(&[]))), NotificationError::BadSignature);
    let mut changed = sign(paid_notification(&[]));
    changed.insert("txnAmt".into(), "1".into());
    assert_eq!(refusal(changed), NotificationError::BadSignature);
    for changes in [&[("txnType", "04"), ("txnSubType", "00")][..], &[("txnType", "77")], &[("orderId", "支付")]] {
        assert!(matches!(refusal(sign(paid_notification(changes))), NotificationError::Unreadable(_)));
    }
    let accepted = story.channel.acknowledge(true);
    assert_eq!((accepted.status, accepted.body.as_str()), (200, "ok"));
    assert_ne!(story.channel.acknowledge(false).status, 200);
}

/// What the live gateway once sent (see the files' README): the one certificate stands for its own root, for CFCA's are
/// not published with it.
#[test]
fn a_notification_of_the_live_gateway_is_believed() {
    let body = include_bytes!("data/channel/unionpay/notification-2018.txt").to_vec();
    let certificate = form(&body).into_iter().find(|(name, _)| name == "signPubKeyCert").unwrap().1;
    let mut account = account_at("https://gateway.95516.com", &credentials());
    let own = with(with(credentials(), "middle_certificate", &certificate), "root_certificate", &certificate);
    account.credentials = Secret::new(with(own, "mer_id", "852333053119986").to_string());
    // It is signed with SHA-1, which an admin has to allow.
    assert_eq!(scantill::channel::open(&account).err(), Some(AccountError::AlgorithmOff(Algorithm::RsaSha1)));
    account.algorithms = account.algorithms.with(Algorithm::RsaSha1, true);
    let channel = scantill::channel::open(&account).unwrap();
    let then: i64 = 1_515_574_161_000;
    let raw = RawNotification { headers: Vec::new(), body: body.clone() };
    let notification = channel.read_notification(&raw, then).unwrap();
    assert_eq!(notification.out_trade_no.as_str(), "20180110164727");
    let Told::Trade(QueryOutcome::Paid(paid)) = notification.told else { panic!() };
    assert_eq!((paid.amount.minor, paid.provider_trade_no.as_str()), (1, "20180110369106144740"));
    assert_eq!(china(paid.paid_at), "20180110164921");
    // Its certificate has expired since.
    assert_eq!(channel.read_notification(&raw, now()), Err(NotificationError::BadSignature));
    for (is, becomes) in [("txnAmt=1&", "txnAmt=2&"), ("orderId=2018", "orderId=2019"), ("respCode=00", "respCode=A6")]
    {
        let changed = String::from_utf8(body.clone()).unwrap().replace(is, becomes).into_bytes();
        assert_ne!(changed, body);
        let raw = RawNotification { headers: Vec::new(), body: changed };
        assert_eq!(channel.read_notification(&raw, then), Err(NotificationError::BadSignature), "{is}");
    }
}

/// A line of the transaction file: columns of these widths with a space between (section 6.1).
fn zm(columns: &[(usize, &str)]) -> String {
    const WIDTHS: [usize; 42] = [
        3, 11, 11, 6, 10, 19, 12, 4, 2, 21, 2, 32, 2, 6, 10, 13, 13, 4, 15, 2, 2, 6, 2, 4, 32, 1, 21, 15, 1, 15, 32,
        13, 13, 8, 32, 13, 13, 12, 2, 1, 32, 98,
    ];
    let value = |column: usize| columns.iter().find(|(at, _)| *at == column).map_or("", |(_, value)| *value);
    let padded: Vec<_> = WIDTHS.iter().enumerate().map(|(at, width)| format!("{:<width$}", value(at + 1))).collect();
    padded.join(" ")
}

fn settlement_zip() -> Vec<u8> {
    let paid = zm(&[
        (1, "S22"),
        (5, "1124120001"),
        (7, "000000001234"),
        (10, QUERY_ID),
        (12, NUMBER),
        (16, "D000000000007"),
        (20, "01"),
        (28, MER),
    ]);
    let refunded = zm(&[
        (1, "S30"),
        (5, "1124130000"),
        (7, "000000000234"),
        (10, "202611241300005678909"),
        (12, REFUND),
        (16, "C000000000001"),
        (20, "04"),
        (28, MER),
        (41, NUMBER),
    ]);
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    writer.start_file(format!("INN26112488ZM_{MER}"), options).unwrap();
    write!(writer, "{paid}\r\n{refunded}\r\n").unwrap();
    writer.start_file(format!("INN26112488ZME_{MER}"), options).unwrap();
    writer.finish().unwrap().into_inner()
}

fn packed(bytes: &[u8]) -> String {
    let mut writer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    writer.write_all(bytes).unwrap();
    STANDARD.encode(writer.finish().unwrap())
}

#[tokio::test]
async fn the_settlement_file_is_fetched_unpacked_and_read() {
    let story = Story::begin().await;
    let content = packed(&settlement_zip());
    let answers = |content: String| {
        move |seen: &Seen| {
            let fields = [("respCode", "00"), ("fileName", "777290058110048_20261124.zip"), ("fileContent", &content)];
            Does::text(200, wire(&sign(answer(seen, &fields))))
        }
    };
    story.gateway.does(answers(content));
    let day = date(2026, 11, 24);
    let bill = story.channel.bill(day, BillKind::Trades).await.unwrap();
    let fields = admitted(&story.gateway.only(), "/", ("76", "01"));
    assert_eq!((fields["settleDate"].as_str(), fields["fileType"].as_str()), ("1124", "00"));
    assert!(!fields.contains_key("orderId"));
    assert_eq!((bill.file_name.as_str(), bill.lines.len()), ("777290058110048_20261124.zip", 2));
    let (paid, refunded) = (&bill.lines[0], &bill.lines[1]);
    assert_eq!((paid.kind, paid.out_trade_no.as_str(), paid.amount.minor), (BillLineKind::Payment, NUMBER, 1_234));
    assert_eq!((paid.provider_trade_no.as_str(), paid.fee.unwrap().minor), (QUERY_ID, 7));
    assert_eq!(china(paid.at.unwrap()), "20261124120001");
    assert_eq!((refunded.kind, refunded.out_trade_no.as_str()), (BillLineKind::Refund, NUMBER));
    assert_eq!((refunded.out_refund_no.as_deref(), refunded.amount.minor), (Some(REFUND), 234));
    assert_eq!(refunded.fee.unwrap().minor, -1, "a fee that was given back");
    assert_eq!(story.channel.read_bill(BillKind::Trades, &bill.raw).unwrap().lines, bill.lines);

    // No file: not yet, or no business.
    story.answers(&[("respCode", "98"), ("respMsg", "文件不存在")]);
    let today = Timestamp::now().to_zoned(TimeZone::fixed(Offset::constant(8))).date();
    assert_eq!(story.channel.bill(today, BillKind::Trades).await, Err(BillError::NotReady));
    assert_eq!(story.channel.bill(date(2026, 1, 5), BillKind::Trades).await.unwrap().lines, []);
    story.answers(&[("respCode", "32"), ("respMsg", "无此交易权限")]);
    assert!(matches!(story.channel.bill(day, BillKind::Trades).await, Err(BillError::Refused(_))));
    for broken in ["%", "AAAA", &packed(b"no zip"), &packed(&settlement_zip()[..300])] {
        story.gateway.does(answers(broken.to_owned()));
        assert!(matches!(story.channel.bill(day, BillKind::Trades).await, Err(BillError::Damaged(_))), "{broken}");
    }
    story.gateway.does(|_| Does::text(503, ""));
    assert!(matches!(story.channel.bill(day, BillKind::Trades).await, Err(BillError::Unreachable(_))));
    assert_eq!(story.channel.bill(day, BillKind::FundFlow).await, Err(BillError::Unsupported));
    assert!(matches!(story.channel.read_bill(BillKind::Trades, b"<html>"), Err(BillError::Damaged(_))));
}

#[test]
fn the_table_says_what_unionpay_can_do() {
    let form = scantill::channel::forms().into_iter().find(|form| form.channel == ChannelId::UNIONPAY).unwrap();
    let names: Vec<_> = form.fields.iter().map(|field| field.name).collect();
    for name in credentials().as_object().unwrap().keys() {
        assert!(names.contains(&name.as_str()), "{name}");
    }
    let channel = scantill::channel::open(&account_at("https://gateway.95516.com", &credentials())).unwrap();
    let table = channel.capabilities();
    assert!(table.refund.unwrap().partial && table.notifies && table.amount.contains(&1));
    assert!(table.bill.as_ref().unwrap().kinds.contains(&BillKind::Trades));
    assert!(table.ways.contains(&Way::MerchantPresented) && table.ways.contains(&Way::ConsumerPresented));
}

static CHANNEL: LazyLock<Arc<dyn Channel>> =
    LazyLock::new(|| scantill::channel::open(&account_at("https://gateway.example", &credentials())).unwrap());

proptest! {
    #[test]
    fn no_notification_makes_it_panic_or_believe(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let raw = RawNotification { headers: Vec::new(), body: bytes };
        prop_assert!(CHANNEL.read_notification(&raw, 1_800_000_000_000).is_err());
    }

    #[test]
    fn no_changed_byte_of_a_notification_is_believed_to_say_something_else(at: u16, to: u8) {
        static HONEST: LazyLock<Vec<u8>> = LazyLock::new(|| notified(&sign(paid_notification(&[]))).body);
        let read = |body: Vec<u8>| CHANNEL.read_notification(&RawNotification { headers: Vec::new(), body }, 1_800_000_000_000);
        let honest = read(HONEST.clone()).unwrap();
        let mut body = HONEST.clone();
        let at = usize::from(at) % body.len();
        body[at] = to;
        if let Ok(read) = read(body) {
            prop_assert_eq!(read, honest);
        }
    }

    #[test]
    fn no_settlement_file_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), at: u16, to: u8) {
        let _ = CHANNEL.read_bill(BillKind::Trades, &bytes);
        let mut file = settlement_zip();
        let at = usize::from(at) % file.len();
        file[at] = to;
        let _ = CHANNEL.read_bill(BillKind::Trades, &file);
    }
}
