//! The key that credentials are sealed under: in the keyring, under a passphrase, in a file, and on its way between
//! them.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use scantill::api::wire::{KeyKind, RotateKey};
use scantill::client::{ApiKey, Client, ClientError};
use scantill::crypto::KeyStore;
use serde_json::Value;

use crate::support::{Running, client_of, run, scantill, stderr, stdout};
use crate::{Shop, json_of, run_with, serve};

const PASSPHRASE: &str = "correct horse battery";

/// `scantill account ...` in an environment of its own.
fn account_in(shop: &Shop, environment: &[(&str, &str)], args: &[&str]) -> Output {
    let mut command = scantill(shop.data.path());
    command.env_remove("SCANTILL_KEY_STORE").envs(environment.iter().copied()).arg("account").args(args);
    let input = if args.contains(&"add") { shop.credentials("alipay").to_string() } else { String::new() };
    run_with(command, &input)
}

fn add_args(shop: &Shop) -> [&str; 9] {
    ["add", "--channel", "alipay", "--id", "front", "--base-url", &shop.sandbox_url, "--credentials", "-"]
}

fn key_files(data: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(data.join("keys"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("seal"))
        .collect();
    names.sort();
    names
}

fn good(output: &Output) {
    assert_eq!(output.status.code(), Some(0), "{}{}", stdout(output), stderr(output));
}

#[test]
fn a_passphrase_guards_the_credentials_and_can_be_changed() {
    let shop = Shop::open();
    let data = shop.data.path();
    let under = |passphrase: &'static str| [("SCANTILL_PASSPHRASE", passphrase)];
    good(&account_in(&shop, &under(PASSPHRASE), &add_args(&shop)));
    assert_eq!(key_files(data), ["seal.json"]);
    let listed = account_in(&shop, &under(PASSPHRASE), &["list"]);
    assert!(stderr(&listed).contains("passphrase"), "{}", stderr(&listed));

    let before = fs::read(data.join("keys/seal.json")).unwrap();
    let wrong = account_in(&shop, &under("correct horse batterz"), &["list"]);
    assert_eq!(wrong.status.code(), Some(1));
    assert!(stderr(&wrong).contains("not the passphrase"), "{}", stderr(&wrong));
    let none = account_in(&shop, &[], &["list"]);
    assert_eq!(none.status.code(), Some(1));
    assert!(stderr(&none).contains("SCANTILL_PASSPHRASE"), "{}", stderr(&none));
    assert_eq!(fs::read(data.join("keys/seal.json")).unwrap(), before, "nothing is lost");
    // What needs no secret needs no passphrase.
    good(&run(data, &["takings"]));
    good(&run(data, &["ledger", "verify"]));

    let short = account_in(
        &shop,
        &[("SCANTILL_PASSPHRASE", PASSPHRASE), ("SCANTILL_NEW_PASSPHRASE", "short")],
        &["rekey", "--to", "passphrase"],
    );
    assert!(stderr(&short).contains("at least 8"), "{}", stderr(&short));
    good(&account_in(
        &shop,
        &[("SCANTILL_PASSPHRASE", PASSPHRASE), ("SCANTILL_NEW_PASSPHRASE", "another passphrase")],
        &["rekey", "--to", "passphrase"],
    ));
    assert_eq!(account_in(&shop, &under(PASSPHRASE), &["list"]).status.code(), Some(1));
    good(&account_in(&shop, &under("another passphrase"), &["rekey"]));
    good(&account_in(&shop, &under("another passphrase"), &["test", "front"]));

    good(&account_in(&shop, &under("another passphrase"), &["rekey", "--to", "file"]));
    assert_eq!(key_files(data), ["seal.key"]);
    let tested = account_in(&shop, &[("SCANTILL_KEY_STORE", "file")], &["test", "front"]);
    good(&tested);
}

#[test]
fn a_new_seal_key_takes_every_secret_along_and_the_old_one_opens_nothing() {
    let shop = Shop::open();
    let data = shop.data.path();
    let serve = serve(data);
    shop.add("alipay", "front");
    shop.add("alipay", "second");
    let old = fs::read_to_string(data.join("keys/seal.key")).unwrap();
    let refused = shop.account(&["rekey", "--to", "passphrase"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains("stop it first"), "{}", stderr(&refused));

    let as_anna = |args: &[&str]| {
        let mut command = scantill(data);
        command.args(args).env("SCANTILL_NEW_PIN", "4711").env("SCANTILL_PIN", "4711").output().unwrap()
    };
    good(&as_anna(&["operator", "add", "anna", "--name", "Anna"]));
    // A running API does it on the way.
    good(&shop.account(&["rekey"]));
    let signed_in = stderr(&as_anna(&["pay", "1", "--code", "7", "--as", "anna"]));
    assert!(signed_in.contains("Nothing was sent"), "her PIN is known, and the code is none: {signed_in}");
    let fresh = fs::read_to_string(data.join("keys/seal.key")).unwrap();
    assert_ne!(old, fresh);
    assert_eq!(key_files(data), ["seal.key"]);
    good(&shop.account(&["test"]));
    // What is written afterwards is under the new key as well.
    shop.good(&["change", "front", "--name", "Renamed"]);
    drop(serve);
    let opened = shop.good(&["show", "front"]);
    assert_eq!(opened["name"], "Renamed");

    fs::write(data.join("keys/seal.key"), old).unwrap();
    let locked = shop.account(&["list"]);
    assert_eq!(locked.status.code(), Some(1));
    assert!(stderr(&locked).contains("cannot be opened"), "{}", stderr(&locked));
    fs::write(data.join("keys/seal.key"), fresh).unwrap();
    good(&shop.account(&["test"]));
    good(&run(data, &["ledger", "verify"]));
}

#[test]
fn a_new_seal_key_that_was_broken_off_is_finished_at_the_next_start() {
    let shop = Shop::open();
    let data = shop.data.path();
    shop.add("alipay", "front");
    let keys = data.join("keys");
    // As a power cut leaves it: the new key is durable, and nothing is sealed under it yet.
    let mut store = KeyStore::open(&keys, || None).unwrap().unwrap();
    let next = store.begin_rotation().unwrap();
    drop(store);
    assert_eq!(key_files(data), ["seal.key", "seal.key.next"]);
    good(&shop.account(&["test", "front"]));
    assert_eq!(key_files(data), ["seal.key"]);
    let store = KeyStore::open(&keys, || None).unwrap().unwrap();
    assert_eq!(store.current(), &next);

    // Or later: everything is sealed under the new key, and the old one is not forgotten yet.
    let sealed = fs::read_to_string(keys.join("seal.key")).unwrap();
    drop(store);
    fs::rename(keys.join("seal.key"), keys.join("seal.key.next")).unwrap();
    fs::write(keys.join("seal.key"), hex::encode([7; 32])).unwrap();
    good(&shop.account(&["test", "front"]));
    assert_eq!(fs::read_to_string(keys.join("seal.key")).unwrap(), sealed);
}

#[tokio::test]
async fn a_tills_key_is_replaced_with_an_overlap() {
    let shop = Shop::open();
    let data = shop.data.path();
    let _serve = serve(data);
    let old = client_of(data);
    let rotate = |overlap_seconds| RotateKey { kind: KeyKind::Till, till: "till-1".parse().ok(), overlap_seconds };
    let before = fs::read_to_string(data.join("api.json")).unwrap();
    let rotated = old.rotate_key(&rotate(3_600)).await.unwrap();
    let secret = rotated.secret.expect("it is told once");
    assert!(rotated.key.retiring_until.is_some());
    old.channels().await.expect("the old key is still good");
    let after: Value = serde_json::from_str(&fs::read_to_string(data.join("api.json")).unwrap()).unwrap();
    assert_eq!(after["secret"].as_str(), Some(secret.as_str()), "commands on this machine find the new one");
    assert_ne!(before, after.to_string());
    let fresh = client_of(data);
    let listed = fresh.keys().await.unwrap();
    assert!(!serde_json::to_string(&listed).unwrap().contains(&secret));

    fresh.rotate_key(&rotate(0)).await.unwrap();
    for replaced in [&old, &fresh] {
        let refused = replaced.channels().await.unwrap_err();
        assert!(matches!(&refused, ClientError::Refused(problem) if problem.code == "bad_signature"), "{refused}");
    }
    let base_url = after["base_url"].as_str().unwrap();
    let key = ApiKey { id: "till-1".into(), secret: String::new().into() };
    assert!(Client::new(base_url, key).unwrap().channels().await.is_err());
    client_of(data).channels().await.expect("the third key");
}

/// A session bus with an unlocked keyring on it, in a folder of its own.
#[cfg(target_os = "linux")]
struct Keyring {
    _home: tempfile::TempDir,
    _bus: Running,
    address: String,
}

#[cfg(target_os = "linux")]
impl Keyring {
    fn unlocked() -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut command = Command::new("dbus-run-session");
        // The shell lives as long as its stdin is open, and the bus as long as the shell.
        command.args(["--", "sh", "-c"]).arg(
            "printf test | gnome-keyring-daemon --unlock --components=secrets >&2 && \
             echo \"{\\\"address\\\": \\\"$DBUS_SESSION_BUS_ADDRESS\\\"}\"; sleep 600",
        );
        for variable in ["HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"] {
            command.env(variable, home.path());
        }
        let mut bus = Running::start(command);
        let address = bus.json()["address"].as_str().expect("gnome-keyring and dbus are installed").to_owned();
        Self { _home: home, _bus: bus, address }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_systems_keyring_keeps_the_key_and_gives_it_back() {
    let keyring = Keyring::unlocked();
    let shop = Shop::open();
    let data = shop.data.path();
    let bus = [("DBUS_SESSION_BUS_ADDRESS", keyring.address.as_str())];
    // Nobody is there to find a session bus by himself.
    let no_bus = [("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent")];

    // Training needs no keyring, and the first real account finds it by itself.
    good(&account_in(&shop, &bus, &["list"]));
    assert_eq!(key_files(data), ["seal.key"]);
    let bare = fs::read_to_string(data.join("keys/seal.key")).unwrap();
    good(&account_in(&shop, &bus, &add_args(&shop)));
    assert_eq!(key_files(data), ["seal.json"]);
    let listed = account_in(&shop, &bus, &["list"]);
    assert!(stderr(&listed).contains("keyring"), "{}", stderr(&listed));
    good(&account_in(&shop, &bus, &["test", "front"]));
    let document = fs::read_to_string(data.join("keys/seal.json")).unwrap();
    assert!(!document.contains(bare.trim()), "the key that lay bare is not used any more");

    let away = account_in(&shop, &no_bus, &["list"]);
    assert_eq!(away.status.code(), Some(1));
    assert!(stderr(&away).contains("keyring"), "{}", stderr(&away));
    assert_eq!(fs::read_to_string(data.join("keys/seal.json")).unwrap(), document, "nothing is lost");

    good(&account_in(&shop, &bus, &["rekey"]));
    good(&account_in(&shop, &bus, &["test", "front"]));
    let moved = [bus[0], ("SCANTILL_NEW_PASSPHRASE", PASSPHRASE)];
    good(&account_in(&shop, &moved, &["rekey", "--to", "passphrase"]));
    let under = [no_bus[0], ("SCANTILL_PASSPHRASE", PASSPHRASE)];
    good(&account_in(&shop, &under, &["test", "front"]));
    let back = [bus[0], ("SCANTILL_PASSPHRASE", PASSPHRASE)];
    good(&account_in(&shop, &back, &["rekey", "--to", "keyring"]));
    let tested = account_in(&shop, &bus, &["test", "front", "--json"]);
    assert_eq!(json_of(&tested)["ok"], true);
}

#[cfg(target_os = "linux")]
#[test]
fn without_a_keyring_a_wish_for_it_is_refused_and_the_first_account_stays_in_a_file() {
    let shop = Shop::open();
    let data = shop.data.path();
    let no_bus = ("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent");
    let wished = account_in(&shop, &[no_bus, ("SCANTILL_KEY_STORE", "keyring")], &["list"]);
    assert_eq!(wished.status.code(), Some(1));
    assert!(stderr(&wished).contains("--key-store passphrase or file"), "{}", stderr(&wished));

    good(&account_in(&shop, &[no_bus], &add_args(&shop)));
    assert_eq!(key_files(data), ["seal.key"]);
    let shown = json_of(&account_in(&shop, &[no_bus], &["show", "front", "--json"]));
    assert!(shown["warnings"].to_string().contains("key_in_file"), "{shown}");
}
