//! The commands keep their contracts: exit codes, streams, JSON, and a sentence for every bad input.

mod support;

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use serde_json::{Value, json};
use support::{Phones, Running, run, scantill, stderr, stdout};
use tempfile::tempdir;

/// A sandbox of its own, and a `serve` with accounts on it: what a chain has, small.
struct Chain {
    _sandbox: Running,
    serve: Running,
    phones: Phones,
    base_url: String,
    key_file: String,
    _folder: tempfile::TempDir,
}

impl Chain {
    async fn start(data: &Path) -> Self {
        let folder = tempdir().unwrap();
        let out = folder.path().join("credentials");
        let mut command = scantill(data);
        command.args(["sandbox", "--listen", "127.0.0.1:0", "--out"]).arg(&out);
        let mut sandbox = Running::start(command);
        let sandbox_url = sandbox.json()["base_url"].as_str().unwrap().to_owned();
        let mut command = scantill(data);
        command.args(["serve", "--listen", "127.0.0.1:0"]);
        let mut serve = Running::start(command);
        let told = serve.json();
        let base_url = told["base_url"].as_str().unwrap().to_owned();
        let key_file = told["key_file"].as_str().unwrap().to_owned();
        support::add_accounts(&base_url, &key_file, &sandbox_url, &out).await;
        Self { _sandbox: sandbox, serve, phones: Phones::new(&sandbox_url), base_url, key_file, _folder: folder }
    }
}

#[test]
fn every_help_has_examples_and_every_command_is_there() {
    let data = tempdir().unwrap();
    for words in [
        &["--help"][..],
        &["serve", "--help"],
        &["sandbox", "--help"],
        &["pay", "--help"],
        &["refund", "--help"],
        &["decode", "--help"],
        &["qr", "--help"],
        &["camera", "list", "--help"],
        &["camera", "test", "--help"],
        &["takings", "--help"],
        &["ledger", "verify", "--help"],
        &["ledger", "rebuild", "--help"],
        &["ledger", "backup", "--help"],
        &["ledger", "restore", "--help"],
        &["ledger", "accept", "--help"],
        &["doctor", "--help"],
    ] {
        let output = run(data.path(), words);
        assert!(output.status.success(), "{words:?}");
        assert!(stdout(&output).contains("Examples:\n  scantill"), "{words:?}: {}", stdout(&output));
    }
}

#[test]
fn amounts_that_are_none_are_bad_usage_and_begin_nothing() {
    let data = tempdir().unwrap();
    for (amount, told) in [
        ("0", "more than zero"),
        ("-1", "more than zero"),
        ("1.234", "at most 2 decimals"),
        ("99999999999", "too large"),
        ("99999999999999999999999", "too large"),
        ("abc", "digits"),
        ("", "digits"),
        ("1,50", "digits"),
        ("１２", "digits"),
    ] {
        let output = run(data.path(), &["pay", amount, "--code", "281234567890123456"]);
        assert_eq!(output.status.code(), Some(2), "{amount:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(told), "{amount:?}: {}", stderr(&output));
        assert_eq!(stdout(&output), "");
    }
    assert!(!data.path().join("scantill.db").exists());
    let neither = run(data.path(), &["pay", "1"]);
    assert_eq!(neither.status.code(), Some(2));
}

#[test]
fn codes_that_are_none_are_named_and_the_payment_is_closed() {
    let data = tempdir().unwrap();
    for (code, told) in [
        ("2812", "too few"),
        ("991234567890123456", "begin with 99"),
        ("https://example.com/", "web address"),
        ("4006381333931", "product"),
        ("hello", "text"),
    ] {
        let output = run(data.path(), &["pay", "1.00", "--code", code, "--json"]);
        assert_eq!(output.status.code(), Some(1), "{code}: {}", stderr(&output));
        assert!(stderr(&output).contains(told), "{code}: {}", stderr(&output));
        let last: Value = serde_json::from_str(stdout(&output).lines().last().unwrap()).unwrap();
        assert_eq!(last["state"], "closed", "{last}");
        assert_eq!(last["amount"], 100);
        assert!(!stdout(&output).contains(code), "a code is never told again");
    }
}

#[tokio::test]
async fn a_stranger_takes_a_payment_both_ways_in_training() {
    let data = tempdir().unwrap();
    let mut command = scantill(data.path());
    command.args(["pay", "12.34", "--show", "alipay", "--json", "--note", "lunch set"]);
    let mut shown = Running::start(command);
    let url = shown.error_with("The sandbox is at ");
    let phones = Phones::new(url.rsplit(' ').next().unwrap());
    let codes = shown.json_until(|line| line["codes"].as_array().is_some_and(|codes| !codes.is_empty()));
    let payload = codes["codes"][0].as_str().unwrap();

    // While that one waits, a second `pay` finds the API of the first and uses it.
    let code = phones.auth_code("wechatpay").await;
    let other = run(data.path(), &["pay", "8.5", "--code", &code, "--json"]);
    assert_eq!(other.status.code(), Some(0), "{}", stderr(&other));
    let paid: Value = serde_json::from_str(stdout(&other).lines().last().unwrap()).unwrap();
    assert_eq!(
        (&paid["state"], &paid["amount"], &paid["channel"]),
        (&json!("succeeded"), &json!(850), &json!("wechatpay"))
    );
    assert!(paid["out_trade_no"].is_string() && paid["id"].is_string() && paid["currency"] == "CNY");
    assert!(!stdout(&other).contains(&code), "a code is masked everywhere but on the wire");

    // The same code again is refused, in words.
    let again = run(data.path(), &["pay", "8.5", "--code", &code]);
    assert_eq!(again.status.code(), Some(1));
    assert!(stderr(&again).contains("used"), "{}", stderr(&again));

    phones.pay_shown("alipay", payload).await;
    let (exit, lines) = shown.end();
    assert_eq!(exit, Some(0), "{lines:?}");
    let paid: Value = serde_json::from_str(lines.last().unwrap()).unwrap();
    assert_eq!(
        (&paid["state"], &paid["amount"], &paid["channel"]),
        (&json!("succeeded"), &json!(1234), &json!("alipay"))
    );

    let takings = run(data.path(), &["takings", "--format", "json"]);
    let takings: Value = serde_json::from_str(&stdout(&takings)).unwrap();
    assert_eq!((&takings["gross"], &takings["refunds"], &takings["net"]), (&json!(2084), &json!(0), &json!(2084)));
    assert_eq!((&takings["count"], &takings["currency"]), (&json!(2), &json!("CNY")));
    assert_eq!(takings["by_channel"]["alipay"]["gross"], 1234);
    assert_eq!(takings["by_channel"]["wechatpay"]["gross"], 850);

    let whole = run(data.path(), &["ledger", "verify"]);
    assert!(whole.status.success() && stdout(&whole).contains("whole"), "{}", stdout(&whole));
    for (format, head) in [("csv", &b"business_day"[..]), ("xlsx", b"PK"), ("pdf", b"%PDF"), ("table", b"")] {
        let output = run(data.path(), &["takings", "--format", format]);
        assert!(output.status.success(), "{format}: {}", stderr(&output));
        assert!(!output.stdout.is_empty() && output.stdout.starts_with(head), "{format}");
    }
}

#[tokio::test]
async fn money_is_returned_from_the_shell() {
    let data = tempdir().unwrap();
    let chain = Chain::start(data.path()).await;
    let code = chain.phones.auth_code("alipay").await;
    let api = ["--api", &chain.base_url, "--key-file", &chain.key_file];
    let paid = run(data.path(), &[&["pay", "12.34", "--code", &code, "--json"][..], &api].concat());
    let paid: Value = serde_json::from_str(stdout(&paid).lines().last().unwrap()).unwrap();
    let id = paid["id"].as_str().unwrap();
    let refund = |words: &[&str]| run(data.path(), &[&["refund"][..], words, &api].concat());

    let part = refund(&[id, "2.34", "--reason", "one cup was cold", "--json"]);
    assert_eq!(part.status.code(), Some(0), "{}", stderr(&part));
    let lines: Vec<Value> = stdout(&part).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["event"], "refund_started");
    let last = lines.last().unwrap();
    assert_eq!(
        (&last["state"], &last["refunded"], &last["refundable"]),
        (&json!("partially_refunded"), &json!(234), &json!(1000))
    );
    assert_eq!(last["refunds"][0]["reason"], "one cup was cold");
    let trade = chain.phones.trade(paid["out_trade_no"].as_str().unwrap()).await.expect("the provider has the trade");
    assert_eq!(trade["refunded"], 234);

    let much = refund(&[id, "10.01"]);
    assert_eq!(much.status.code(), Some(1));
    assert!(stderr(&much).contains("10.00"), "what is left is told: {}", stderr(&much));
    for (words, code) in [
        (&[id, "abc"][..], 2),
        (&["../etc"], 2),
        (&["pay_none"], 1),
        (&[id, "--by-hand"], 2),
        (&[id, "--by-hand", "--reason", "cash"], 1),
    ] {
        let refused = refund(words);
        assert_eq!(refused.status.code(), Some(code), "{words:?}: {}", stderr(&refused));
        assert_eq!(stdout(&refused), "", "{words:?}");
    }
    let rest = refund(&[id]);
    assert!(stdout(&rest).starts_with("Returned: "), "{}{}", stdout(&rest), stderr(&rest));
    let takings = run(data.path(), &["takings", "--format", "json"]);
    let takings: Value = serde_json::from_str(&stdout(&takings)).unwrap();
    assert_eq!((&takings["gross"], &takings["refunds"], &takings["net"]), (&json!(1234), &json!(1234), &json!(0)));
}

#[tokio::test]
async fn a_given_api_is_paid_through_with_its_key() {
    let data = tempdir().unwrap();
    let chain = Chain::start(data.path()).await;
    let elsewhere = tempdir().unwrap();
    let code = chain.phones.auth_code("alipay").await;
    let api = ["--api", &chain.base_url, "--key-file", &chain.key_file];
    let paid = run(elsewhere.path(), &[&["pay", "3", "--code", &code, "--json"][..], &api].concat());
    assert_eq!(paid.status.code(), Some(0), "{}", stderr(&paid));
    let paid: Value = serde_json::from_str(stdout(&paid).lines().last().unwrap()).unwrap();
    let trade = chain.phones.trade(paid["out_trade_no"].as_str().unwrap()).await.expect("the provider has the trade");
    assert_eq!(trade["amount"], 300);
    assert!(!elsewhere.path().join("scantill.db").exists(), "the books are the API's");

    let takings = run(data.path(), &["takings", "--format", "json"]);
    let takings: Value = serde_json::from_str(&stdout(&takings)).unwrap();
    assert_eq!(takings["gross"], 300, "read while the API writes");

    // The port is taken, the books are in use: a sentence each, exit 1.
    let port = chain.base_url.rsplit(':').next().unwrap().to_owned();
    let third = tempdir().unwrap();
    let taken = run(third.path(), &["serve", "--listen", &format!("127.0.0.1:{port}")]);
    assert_eq!(taken.status.code(), Some(1));
    assert!(stderr(&taken).contains(&port), "{}", stderr(&taken));
    let locked = run(data.path(), &["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(locked.status.code(), Some(1));
    assert!(stderr(&locked).contains("in use by another program"), "{}", stderr(&locked));
    drop(chain.serve);
}

#[test]
fn what_is_broken_is_told_in_a_sentence_and_left_as_it_is() {
    let data = tempdir().unwrap();
    let start = |told: &str| {
        let output = run(data.path(), &["pay", "1", "--show", "alipay"]);
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).contains(told), "{told}: {}", stderr(&output));
    };
    fs::write(data.path().join("config.toml"), "store_name = 3").unwrap();
    start("line 1");
    fs::remove_file(data.path().join("config.toml")).unwrap();

    fs::write(data.path().join("scantill.db"), "this is no database, and it is long enough to look at twice").unwrap();
    start("not a scantill database");
    assert_eq!(&fs::read(data.path().join("scantill.db")).unwrap()[..4], b"this");
    fs::remove_file(data.path().join("scantill.db")).unwrap();

    fs::write(data.path().join("keys/chain.key"), "short").unwrap();
    start("damaged");

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let output = run(data.path(), &["sandbox", "--listen", &address]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains(&address), "{}", stderr(&output));

    let none = tempdir().unwrap();
    let output = run(none.path(), &["takings"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("no books"), "{}", stderr(&output));
    let output = run(none.path(), &["takings", "--date", "yesterday"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn decode_reads_each_image_and_names_what_is_none() {
    let data = tempdir().unwrap();
    let frames = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/scan");
    let image = fs::read_dir(&frames)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.file_name().unwrap().to_string_lossy().starts_with("qrcode"))
        .expect("a photograph of a QR code");
    let none = data.path().join("none.png");
    fs::write(&none, "no image").unwrap();
    let (image, none) = (image.to_str().unwrap(), none.to_str().unwrap());
    let output = run(data.path(), &["decode", "--json", "--repeat", "2", none, image, "absent.jpg"]);
    assert_eq!(output.status.code(), Some(1));
    let lines: Vec<Value> = stdout(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3);
    assert_eq!((&lines[0]["file"], &lines[1]["file"]), (&json!(none), &json!(image)));
    assert!(lines[0]["error"].is_string() && lines[2]["error"].is_string());
    assert_eq!(lines[1]["codes"][0]["format"], "QR");
    assert_eq!(lines[1]["codes"][0]["corners"].as_array().unwrap().len(), 4);
    assert!(lines[1]["ms"].as_f64().unwrap() > 0.0);
}

#[test]
fn a_code_is_written_as_svg_and_png_and_reads_back() {
    let data = tempdir().unwrap();
    let file = |name: &str| data.path().join(name).display().to_string();
    let text = "https://example.com/menu";
    for name in ["menu.svg", "menu.png"] {
        let output = run(data.path(), &["qr", text, "--out", &file(name)]);
        assert!(output.status.success() && stdout(&output).is_empty(), "{}", stderr(&output));
    }
    assert!(fs::read_to_string(file("menu.svg")).unwrap().starts_with("<svg "));
    let read = run(data.path(), &["decode", "--json", &file("menu.png")]);
    let read: Value = serde_json::from_str(&stdout(&read)).unwrap();
    assert_eq!(read["codes"][0]["text"], text);
    // The picture of a code is as good a logo as any.
    let logo = ["qr", text, "--out", &file("logo.png"), "--logo", &file("menu.png"), "--px", "6"];
    let output = run(data.path(), &logo);
    assert!(output.status.success(), "{}", stderr(&output));
    let read = run(data.path(), &["decode", "--json", &file("logo.png")]);
    assert!(stdout(&read).contains(text), "{}", stdout(&read));
    assert_eq!(run(data.path(), &["qr", text, "--out", &file("menu.gif")]).status.code(), Some(2));
    assert_eq!(run(data.path(), &["qr", &"x".repeat(3_000), "--out", &file("x.png")]).status.code(), Some(1));
    assert!(stdout(&run(data.path(), &["qr", text])).contains('█'));
}

#[test]
fn a_camera_test_tells_latency_rate_and_codes_of_recorded_frames() {
    let data = tempdir().unwrap();
    let shots = data.path().join("shots");
    fs::create_dir(&shots).unwrap();
    let code = run(data.path(), &["qr", "281234567890123456", "--out", &shots.join("1.png").display().to_string()]);
    assert!(code.status.success(), "{}", stderr(&code));
    let source = format!("frames:{}", shots.display());
    let output = run(data.path(), &["camera", "test", "--source", &source, "--seconds", "4", "--json"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let lines: Vec<Value> = stdout(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    // The first frame may be read before its source is told of.
    assert!(lines.iter().any(|line| line["source"]["name"] == shots.display().to_string()), "{}", lines[0]);
    assert!(!stdout(&output).contains("281234567890123456") && stdout(&output).contains("28**************56"));
    let last = lines.last().unwrap();
    assert!(last["frames"].as_u64().unwrap() > 0 && last["frames_per_second"].as_f64().unwrap() > 0.0, "{last}");
    assert_eq!((&last["frames_with_codes"], &last["different_codes"]), (&last["frames"], &json!(1)), "{last}");
    for spread in ["latency_ms", "frame_ms", "luma_ms", "waiting_ms", "decoding_ms"] {
        let ms = |rank: &str| last[spread][rank].as_f64().unwrap();
        assert!(ms("median") <= ms("p95") && ms("p95") <= ms("worst"), "{spread}: {last}");
    }
    let none = run(data.path(), &["camera", "test", "--source", "frames:/nowhere", "--seconds", "1", "--json"]);
    assert_eq!(none.status.code(), Some(1));
    assert!(stderr(&none).contains("cannot be read"), "{}", stderr(&none));
}
