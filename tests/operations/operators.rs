//! Who may do what at a till: PINs and how often they may be mistyped, sessions, and roles.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use scantill::api::Limits;
use scantill::api::auth::Covered;
use scantill::api::wire::{ChangeOperator, CreateOperator, CreatePayment, Problem, RefundPayment, Role};
use scantill::client::{Client, ClientError, idempotency_key};
use scantill::crypto::{HmacSha256, Secret};
use scantill::engine::Clock;
use scantill::money::Currency;
use scantill::payment::OperatorId;
use serde_json::{Value, json};

use crate::house::{House, Off, SECRET, client_of, start};

const PIN: &str = "4711";
const MINUTE: i64 = 60_000;

fn id(text: &str) -> OperatorId {
    text.parse().unwrap()
}

fn pin(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

fn operator(of: &str, role: Role) -> CreateOperator {
    CreateOperator { id: Some(id(of)), name: of.to_uppercase(), role, store: None, pin: pin(PIN) }
}

/// A house whose clock the test moves; it has to be moved on by little steps only, as requests are fresh for 300 s.
async fn house() -> (House, Arc<Off>) {
    let off = Arc::new(Off(AtomicI64::new(0)));
    let house = House::open_by(Clock::given(off.clone()), Limits::default()).await;
    let account = json!({
        "channel": "bank_transfer",
        "name": "Bank",
        "training": true,
        "credentials": { "scheme": "sepa", "sepa_iban": "DE89370400440532013000", "sepa_name": "Tea" },
    });
    house.client("till-1").create_account(&serde_json::from_value(account).unwrap()).await.unwrap();
    (house, off)
}

/// A sale in a currency that the account takes.
fn new_sale(amount: i64) -> CreatePayment {
    CreatePayment { currency: Currency::EUR, ..crate::new_sale(amount) }
}

/// Why a call was refused.
fn refusal<T: std::fmt::Debug>(answer: Result<T, ClientError>) -> Problem {
    match answer {
        Err(ClientError::Refused(problem)) => *problem,
        other => panic!("not refused: {other:?}"),
    }
}

async fn mistype(client: &Client, who: &str, times: u32) -> Vec<Problem> {
    let mut told = Vec::new();
    for _ in 0..times {
        told.push(refusal(client.sign_in(&id(who), pin("0815")).await));
    }
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn five_wrong_pins_lock_an_operator_out_for_longer_each_time() {
    let (house, off) = house().await;
    let (admin, till) = (house.client("till-1"), house.client("till-3"));
    admin.create_operator(&operator("anna", Role::Cashier)).await.unwrap();
    admin.create_operator(&operator("li", Role::Cashier)).await.unwrap();
    for seconds in [60, 300, 900, 3_600, 3_600] {
        let told = mistype(&till, "anna", 5).await;
        let left: Vec<_> = told.iter().map(|problem| problem.tries_left).collect();
        assert_eq!(left, [Some(4), Some(3), Some(2), Some(1), None]);
        assert!(told[..4].iter().all(|problem| (problem.status, problem.code.as_str()) == (403, "pin_wrong")));
        assert_eq!((told[4].status, told[4].code.as_str()), (429, "operator_locked_out"));
        assert_eq!(told[4].retry_after, Some(seconds));
        // The right PIN helps nobody now, here or at another till.
        for till in ["till-3", "till-4"] {
            let told = refusal(house.client(till).sign_in(&id("anna"), pin(PIN)).await);
            assert_eq!(told.code, "operator_locked_out");
        }
        let listed = admin.operators().await.unwrap();
        assert!(listed[0].locked_until.is_some() && listed[1].locked_until.is_none(), "{listed:?}");
        off.0.fetch_add(i64::try_from(seconds).unwrap() * 1_000, Ordering::Relaxed);
    }
    // Somebody else was never locked out, and who gives the right PIN begins anew.
    till.sign_in(&id("li"), pin(PIN)).await.unwrap();
    till.sign_in(&id("anna"), pin(PIN)).await.unwrap();
    assert_eq!(mistype(&till, "anna", 5).await[4].retry_after, Some(60));
    // Whoever looks after the operators lets them try at once.
    let unlocked = admin
        .change_operator(&id("anna"), &ChangeOperator { locked: Some(false), ..Default::default() })
        .await
        .unwrap();
    assert_eq!(unlocked.locked_until, None);
    till.sign_in(&id("anna"), pin(PIN)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_a_new_start_nor_many_servers_nor_many_at_once_give_more_tries() {
    let (house, off) = house().await;
    house.client("till-1").create_operator(&operator("anna", Role::Cashier)).await.unwrap();
    mistype(&house.client("till-3"), "anna", 2).await;
    let other = start(&house.engine, Limits::default()).await;
    let told = mistype(&client_of(&other, "till-3"), "anna", 1).await;
    assert_eq!(told[0].tries_left, Some(2), "counted in the books");
    other.stop().await;
    let after = start(&house.engine, Limits::default()).await;
    // Two tries are left for twenty that come at the same moment to two servers.
    let (here, there) = (house.client("till-3"), client_of(&after, "till-4"));
    let tries = (0..20).map(|number| {
        let client = if number % 2 == 0 { here.clone() } else { there.clone() };
        async move { client.sign_in(&id("anna"), pin("0815")).await }
    });
    let told: Vec<_> = futures::future::join_all(tries).await.into_iter().map(refusal).collect();
    let looked_at = told.iter().filter(|problem| problem.code == "pin_wrong").count();
    // The last but one may learn of the lock instead, where the last was faster; nobody was locked out twice over.
    assert!(looked_at <= 1, "{told:?}");
    assert!(told.iter().all(|problem| problem.retry_after.is_none_or(|seconds| seconds < 100)), "{told:?}");
    assert!(told.iter().all(|problem| ["pin_wrong", "operator_locked_out"].contains(&problem.code.as_str())));
    off.0.fetch_add(MINUTE, Ordering::Relaxed);
    client_of(&after, "till-3").sign_in(&id("anna"), pin(PIN)).await.unwrap();
    after.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn money_moves_only_for_who_is_signed_in_and_may_do_it() {
    let (house, _) = house().await;
    let (admin, till) = (house.client("till-1"), house.client("till-3"));
    let sell = async |client: &Client| client.create_payment(&new_sale(500), &idempotency_key()).await;
    // As long as there is nobody to sign in, nobody is asked.
    sell(&till).await.unwrap();
    for (who, role) in [("anna", Role::Cashier), ("li", Role::Supervisor), ("wang", Role::Manager)] {
        admin.create_operator(&operator(who, role)).await.unwrap();
    }
    let told = refusal(sell(&till).await);
    assert_eq!((told.status, told.code.as_str()), (401, "sign_in_needed"));
    assert!(told.detail.contains("Nothing was done"));

    let session = till.sign_in(&id("anna"), pin(PIN)).await.unwrap();
    assert_eq!((session.operator.id.as_str(), session.operator.role), ("anna", Role::Cashier));
    let sale = sell(&till).await.unwrap();
    assert_eq!(sale.operator.as_deref(), Some("anna"));
    till.cancel(&sale.id).await.unwrap();
    let refund = RefundPayment::default();
    let told = refusal(till.refund(&sale.id, &refund, &idempotency_key()).await);
    assert_eq!((told.status, told.code.as_str()), (403, "role_too_low"));
    till.sign_in(&id("li"), pin(PIN)).await.unwrap();
    let told = refusal(till.refund(&sale.id, &refund, &idempotency_key()).await);
    assert_ne!(told.code, "role_too_low", "a supervisor may; there is just nothing to return");
    // The till's key has to allow it as well.
    till.sign_in(&id("wang"), pin(PIN)).await.unwrap();
    assert_eq!(refusal(till.accounts().await).code, "forbidden");
    admin.sign_in(&id("anna"), pin(PIN)).await.unwrap();
    assert_eq!(refusal(admin.accounts().await).code, "role_too_low");
    admin.sign_in(&id("wang"), pin(PIN)).await.unwrap();
    admin.accounts().await.unwrap();
    assert_eq!(refusal(admin.create_operator(&operator("eve", Role::Admin)).await).code, "role_too_low");
    till.sign_out();
    assert_eq!(refusal(sell(&till).await).code, "sign_in_needed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_with_its_time_and_with_any_change_of_its_operator() {
    let (house, off) = house().await;
    let (admin, till) = (house.client("till-1"), house.client("till-3"));
    admin.create_operator(&operator("anna", Role::Cashier)).await.unwrap();
    let sell = async || till.create_payment(&new_sale(500), &idempotency_key()).await;
    let changes = [
        ChangeOperator { enabled: Some(false), ..Default::default() },
        ChangeOperator { enabled: Some(true), role: Some(Role::Supervisor), ..Default::default() },
        ChangeOperator { pin: Some(pin("90123")), ..Default::default() },
    ];
    for (change, known) in changes.iter().zip([PIN, "", PIN]) {
        if !known.is_empty() {
            till.sign_in(&id("anna"), pin(known)).await.unwrap();
            sell().await.unwrap();
        }
        admin.change_operator(&id("anna"), change).await.unwrap();
        if !known.is_empty() {
            assert_eq!(refusal(sell().await).code, "session_over");
            // Whoever only looks still may.
            till.channels().await.unwrap();
        }
    }
    assert_eq!(refusal(till.sign_in(&id("anna"), pin(PIN)).await).code, "pin_wrong", "the old one");
    let session = till.sign_in(&id("anna"), pin("90123")).await.unwrap();
    let renamed = ChangeOperator { name: Some("Anna W".into()), ..Default::default() };
    admin.change_operator(&id("anna"), &renamed).await.unwrap();
    sell().await.unwrap();
    let hours = session.expires_at.as_millisecond() - jiff::Timestamp::now().as_millisecond();
    assert!((hours - 12 * 60 * MINUTE).abs() < MINUTE, "{hours}");
    off.0.fetch_add(12 * 60 * MINUTE, Ordering::Relaxed);
    assert_eq!(refusal(sell().await).code, "session_over");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_counts_at_its_own_till_and_only_as_it_was_signed() {
    let (house, _) = house().await;
    let admin = house.client("till-1");
    admin.create_operator(&operator("anna", Role::Cashier)).await.unwrap();
    admin.create_operator(&operator("wang", Role::Admin)).await.unwrap();
    let token =
        async |who: &str| house.client("till-3").sign_in(&id(who), pin(PIN)).await.unwrap().token.expose().clone();
    let (anna, wang) = (token("anna").await, token("wang").await);
    // A session that was signed for, and one that is put in its place on the way.
    let send = async |key: &str, signed: Option<&str>, sent: Option<&str>| {
        let (nonce, body) = (idempotency_key(), json!({ "amount": 500, "currency": "EUR" }).to_string());
        let covered = Covered {
            method: "POST",
            path: "/v1/payments",
            timestamp: jiff::Timestamp::now().as_second(),
            nonce: &nonce,
            body: body.as_bytes(),
            session: signed,
        };
        let header = covered.authorization(key, &HmacSha256::new(SECRET.as_bytes()));
        let field = |session: Option<&str>| session.map(|session| format!("session={session}, ")).unwrap_or_default();
        let header = header.replace(&field(signed), "").replace("signature=", &format!("{}signature=", field(sent)));
        let request =
            house.http.post(format!("http://{}/v1/payments", house.address())).header("Authorization", header);
        let answer = request.header("Idempotency-Key", idempotency_key()).body(body).send().await.unwrap();
        let status = answer.status().as_u16();
        let told: Value = answer.json().await.unwrap();
        (status, told["code"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(send("till-3", Some(&anna), Some(&anna)).await.0, 201);
    assert_eq!(send("till-4", Some(&anna), Some(&anna)).await.1, "session_over", "another till's");
    assert_eq!(send("till-3", Some(&anna), Some(&wang)).await.1, "bad_signature", "put in its place");
    assert_eq!(send("till-3", None, Some(&anna)).await.1, "bad_signature", "put in");
    assert_eq!(send("till-3", Some(&anna), None).await.1, "bad_signature", "taken off");
    let [header, payload, signature] = anna.split('.').collect::<Vec<_>>()[..] else { panic!("three parts") };
    let flipped: String = signature.chars().rev().collect();
    for forged in [format!("{header}.{payload}.{flipped}"), format!("{header}.{payload}."), "x.y.z".into(), "-".into()]
    {
        assert_eq!(send("till-3", Some(&forged), Some(&forged)).await.1, "session_over", "{forged}");
    }
    // Another server of the same books believes it too, also one that was there before the key was made.
    let other = start(&house.engine, Limits::default()).await;
    let client = client_of(&other, "till-3");
    client.sign_in(&id("anna"), pin(PIN)).await.unwrap();
    client.create_payment(&new_sale(500), &idempotency_key()).await.unwrap();
    other.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_are_listed_where_they_work_and_easy_pins_refused() {
    let (house, _) = house().await;
    let (admin, till) = (house.client("till-1"), house.client("till-3"));
    let elsewhere = serde_json::from_value(json!({ "id": "store-2", "name": "Two" })).unwrap();
    admin.create_store(&elsewhere).await.unwrap();
    admin.create_operator(&operator("anna", Role::Cashier)).await.unwrap();
    let far = CreateOperator { store: Some("store-2".parse().unwrap()), ..operator("li", Role::Cashier) };
    admin.create_operator(&far).await.unwrap();
    let nowhere = CreateOperator { store: Some("store-9".parse().unwrap()), ..operator("wu", Role::Cashier) };
    assert_eq!(refusal(admin.create_operator(&nowhere).await).code, "store_unknown");
    assert_eq!(refusal(admin.create_operator(&operator("anna", Role::Cashier)).await).code, "exists");
    let ids = |listed: Vec<scantill::api::wire::OperatorView>| {
        listed.into_iter().map(|operator| operator.id.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(ids(admin.operators().await.unwrap()), ["anna", "li"]);
    assert_eq!(ids(till.operators().await.unwrap()), ["anna"]);
    assert_eq!(ids(admin.operators_here().await.unwrap()), ["anna"]);
    for stranger in ["li", "nobody"] {
        assert_eq!(refusal(till.sign_in(&id(stranger), pin(PIN)).await).code, "operator_unknown");
    }
    for easy in ["", "12", "0000", "1234", "987654", "1234567890123", "short", "has\ttab in it"] {
        let new = CreateOperator { pin: pin(easy), ..operator("new", Role::Cashier) };
        assert_eq!(refusal(admin.create_operator(&new).await).code, "pin_invalid", "{easy:?}");
    }
    let new = CreateOperator { pin: pin("a long password 密码"), ..operator("new", Role::Cashier) };
    admin.create_operator(&new).await.unwrap();
    till.sign_in(&id("new"), pin("a long password 密码")).await.unwrap();
}
