//! An account from its first field to its end.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{self, Phones, Running, run, scantill, stderr, stdout};
use crate::{Shop, another_key, serve};

#[test]
fn the_help_of_every_word_has_examples() {
    let data = tempfile::tempdir().unwrap();
    for word in
        ["forms", "add", "list", "show", "test", "change", "remove", "rotate", "enable", "disable", "policy", "rekey"]
    {
        let output = run(data.path(), &["account", word, "--help"]);
        assert!(output.status.success(), "{word}");
        assert!(stdout(&output).contains("Examples:\n  scantill account"), "{word}: {}", stdout(&output));
    }
}

#[test]
fn forms_name_every_field_with_its_hint() {
    let shop = Shop::open();
    let output = shop.account(&["forms", "--json"]);
    let forms: Vec<Value> = stdout(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for channel in ["alipay", "wechatpay"] {
        let form = forms.iter().find(|form| form["channel"] == channel).expect(channel);
        assert!(form["default_base_url"].as_str().unwrap().starts_with("https://"), "{form}");
        let fields = form["fields"].as_array().unwrap();
        assert!(fields.iter().all(|field| !field["hint"].as_str().unwrap().is_empty()), "{form}");
        let key = fields.iter().find(|field| field["kind"] == "private_key").expect("a private key");
        assert_eq!(key["secret"], true);
    }
    let text = shop.account(&["forms", "--channel", "alipay"]);
    assert!(stdout(&text).contains("app_private_key"), "{}", stdout(&text));
    let none = shop.account(&["forms", "--channel", "cowries"]);
    assert_eq!(none.status.code(), Some(2));
    assert!(stderr(&none).contains("alipay, wechatpay"), "{}", stderr(&none));
}

#[test]
fn what_is_missing_is_named_where_nobody_can_be_asked() {
    let shop = Shop::open();
    let bad = |args: &[&str], told: &str| {
        let output = shop.account(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(told), "{args:?}: {}", stderr(&output));
    };
    bad(&["add", "--channel", "alipay"], "--file app_private_key=PATH");
    bad(&["add", "--channel", "alipay", "--field", "colour=red"], "has no field of that name");
    bad(&["add", "--channel", "alipay", "--field", "app_id"], "--field NAME=TEXT");
    bad(&["add", "--channel", "cowries"], "is no channel");
    bad(&["add"], "--channel");
    bad(&["rotate", "alipay-1", "--overlap", "soon"], "24h");
    bad(&["policy", "alipay-1", "--allow", "rot13"], "rsa_sha256");
    bad(&["show", "no such id"], "is no account's id");
    for args in [&["show", "nobody"][..], &["test", "nobody"], &["remove", "nobody"], &["enable", "nobody"]] {
        let output = shop.account(args);
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        assert!(stderr(&output).contains("no such account"), "{args:?}: {}", stderr(&output));
    }
}

#[test]
fn a_secret_on_the_command_line_is_warned_of_and_one_in_a_file_is_not() {
    let shop = Shop::open();
    let key = shop.file("alipay", "app_private_key_pkcs8");
    let key = key.to_str().unwrap();
    let (app_id, public) = (shop.told("alipay", "app_id"), shop.file("alipay", "alipay_public_key"));
    let (app_id, public) = (format!("app_id={app_id}"), format!("alipay_public_key={}", public.display()));
    let at = format!("app_private_key=@{key}");
    let args = |secret: &str, id: &str| -> Vec<String> {
        ["add", "--channel", "alipay", "--id", id, "--base-url", &shop.sandbox_url, "--field", &app_id, "--file"]
            .into_iter()
            .chain([public.as_str(), "--field", secret, "--test"])
            .map(str::to_owned)
            .collect()
    };
    let run = |args: Vec<String>| shop.account(&args.iter().map(String::as_str).collect::<Vec<_>>());
    let output = run(args(&at, "quiet"));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(!stderr(&output).contains("can be seen by others"), "{}", stderr(&output));
    assert!(stdout(&output).contains("good"), "{}", stdout(&output));

    let text = std::fs::read_to_string(key).unwrap();
    let output = run(args(&format!("app_private_key={text}"), "loud"));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("app_private_key on the command line can be seen by others"),
        "{}",
        stderr(&output)
    );
}

#[tokio::test]
async fn an_account_lives_from_its_first_test_to_its_end() {
    let shop = Shop::open();
    let _serve = serve(shop.data.path());
    let added = shop.add("alipay", "front");
    assert_eq!((&added["id"], &added["training"], &added["enabled"]), (&json!("front"), &json!(false), &json!(true)));
    assert_eq!(added["problem"], Value::Null, "{added}");
    let listed = shop.good(&["list"]);
    assert_eq!(listed, added, "the list tells the same");

    // It takes payments at once: nothing has to be started anew.
    let phones = Phones::new(&shop.sandbox_url);
    let pay = async || {
        let code = phones.auth_code("alipay").await;
        run(shop.data.path(), &["pay", "1.00", "--code", &code, "--json"])
    };
    assert_eq!(pay().await.status.code(), Some(0));
    assert_eq!(shop.good(&["test", "front"])["ok"], true);

    assert_eq!(shop.good(&["disable", "front"])["enabled"], false);
    let refused = pay().await;
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains("account"), "{}", stderr(&refused));
    assert_eq!(shop.good(&["enable", "front"])["enabled"], true);
    assert_eq!(pay().await.status.code(), Some(0));

    // Only what is named changes.
    let changed = shop.good(&["change", "front", "--name", "Front shop", "--field", "seller_id=2088000000009999"]);
    assert_eq!((&changed["name"], &changed["credential_fields"]), (&json!("Front shop"), &added["credential_fields"]));
    let shown = |account: &Value, name: &str| {
        let credentials = account["credentials"].as_array().unwrap();
        let found = credentials.iter().find(|credential| credential["name"] == name).expect("it is there");
        found.get("shown").cloned()
    };
    assert_eq!(shown(&changed, "seller_id"), Some(json!("…9999")));
    assert_eq!(shown(&changed, "app_private_key"), None);
    assert!(shown(&changed, "alipay_public_key").unwrap().as_str().unwrap().starts_with("SHA-256 "));

    // Stores have to exist.
    assert_eq!(shop.good(&["change", "front", "--store", "store-1"])["stores"], json!(["store-1"]));
    let output = shop.account(&["change", "front", "--store", "nowhere"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("no store nowhere"), "{}", stderr(&output));
    assert_eq!(shop.good(&["change", "front", "--every-store"])["stores"], json!([]));

    assert_eq!(shop.account(&["remove", "front", "--yes"]).status.code(), Some(0));
    assert_eq!(stdout(&shop.account(&["list", "--json"])), "");
    assert_eq!(pay().await.status.code(), Some(1));
}

#[test]
fn an_account_that_an_unfinished_payment_needs_stays() {
    let shop = Shop::open();
    let _serve = serve(shop.data.path());
    shop.add("alipay", "front");
    let mut command = scantill(shop.data.path());
    command.args(["pay", "5.00", "--show", "alipay", "--json"]);
    let mut waiting = Running::start(command);
    waiting.json_until(|line| line["codes"].as_array().is_some_and(|codes| !codes.is_empty()));
    let output = shop.account(&["remove", "front", "--yes"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stderr(&output).contains("unfinished payment"), "{}", stderr(&output));
    assert_eq!(shop.good(&["show", "front"])["id"], "front");
}

#[test]
fn credentials_are_rotated_with_an_overlap_that_ends_by_itself() {
    let shop = Shop::open();
    let serve = serve(shop.data.path());
    shop.add("alipay", "front");
    let key = shop.out.path().join("new.pem");
    std::fs::write(&key, another_key()).unwrap();
    let file = format!("app_private_key={}", key.display());

    // A key that the provider does not know is found out before it is stored.
    let output = shop.account(&["rotate", "front", "--file", &file, "--test", "--json"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert_eq!(shop.good(&["test", "front"])["ok"], true, "nothing was changed");
    let same = format!("app_id={}", shop.told("alipay", "app_id"));
    let output = shop.account(&["rotate", "front", "--field", &same]);
    assert!(stderr(&output).contains("has already"), "{}", stderr(&output));

    let rotated = shop.good(&["rotate", "front", "--file", &file, "--overlap", "1h"]);
    let until: jiff::Timestamp = rotated["retiring_until"].as_str().unwrap().parse().unwrap();
    let left = until.duration_since(jiff::Timestamp::now()).as_secs();
    assert!((3_500..=3_600).contains(&left), "{left}");
    let signed = shop.account(&["test", "front", "--json"]);
    assert_eq!(crate::json_of(&signed)["ok"], false, "the new key signs");

    // The right key again, with a short overlap: the other one is forgotten when it ends, also in the books.
    let good = format!("app_private_key={}", shop.file("alipay", "app_private_key_pkcs8").display());
    shop.good(&["rotate", "front", "--file", &good, "--overlap", "1"]);
    let deadline = std::time::Instant::now() + support::PATIENCE;
    while retiring_in_the_books(&shop) {
        assert!(std::time::Instant::now() < deadline, "the old credentials are still there");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(shop.good(&["show", "front"])["retiring_until"], Value::Null);
    assert_eq!(shop.good(&["test", "front"])["ok"], true);
    drop(serve);
}

/// Whether replaced credentials lie in the books, as the books themselves tell.
fn retiring_in_the_books(shop: &Shop) -> bool {
    use scantill::ledger::{BusinessCalendar, Ledger, LedgerConfig};
    let seal = std::fs::read_to_string(shop.data.path().join("keys/seal.key")).unwrap();
    let mut seal_key = [0; 32];
    hex::decode_to_slice(seal.trim(), &mut seal_key).unwrap();
    let config = LedgerConfig {
        url: format!("sqlite:{}", shop.data.path().join("scantill.db").display()),
        chain_key: [0; 32].into(),
        seal_key: seal_key.into(),
        calendar: BusinessCalendar { time_zone: None, cutover_hour: 0 },
        read_only: true,
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let ledger = Ledger::open(config).await.unwrap();
        let accounts = ledger.accounts().await.unwrap();
        ledger.close().await;
        accounts.iter().any(|account| account.retiring.is_some())
    })
}

#[test]
fn weak_algorithms_are_off_turned_on_knowingly_and_shown() {
    let shop = Shop::open();
    let _serve = serve(shop.data.path());
    shop.add("wechatpay", "front");
    let algorithms = shop.good(&["policy", "front"])["algorithms"].clone();
    assert!(
        algorithms.as_array().unwrap().iter().all(|name| !["md5", "rsa_sha1", "des"].contains(&name.as_str().unwrap()))
    );
    for weak in ["md5", "rsa_sha1", "des"] {
        let output = shop.account(&["policy", "front", "--allow", weak]);
        assert_eq!(output.status.code(), Some(1), "{weak}");
        assert!(stderr(&output).contains("is broken"), "{}", stderr(&output));
    }
    shop.good(&["policy", "front", "--allow", "md5", "--accept-weak"]);
    let shown = shop.good(&["show", "front"]);
    let warning = shown["warnings"].as_array().unwrap().iter().find(|one| one["code"] == "weak_algorithm").unwrap();
    assert_eq!(warning["algorithm"], "md5");
    let listed = shop.account(&["list"]);
    assert!(stdout(&listed).contains("MD5 is broken and turned on"), "{}", stdout(&listed));
    // What is on stays on without being asked again; what is off is off at once.
    shop.good(&["policy", "front", "--deny", "aes_cbc"]);
    assert!(shop.good(&["policy", "front"])["algorithms"].as_array().unwrap().contains(&json!("md5")));
    shop.good(&["policy", "front", "--deny", "md5"]);
    let shown = shop.good(&["show", "front"]);
    assert!(!shown["warnings"].to_string().contains("weak_algorithm"), "{shown}");
    // An account that needs what is off says so.
    shop.good(&["policy", "front", "--deny", "rsa_sha256"]);
    let test = shop.account(&["test", "front", "--json"]);
    assert_eq!(test.status.code(), Some(1));
    assert_eq!(crate::json_of(&test)["fault"], "algorithm_off", "{}", stdout(&test));
}
