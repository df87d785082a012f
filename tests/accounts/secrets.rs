//! Nothing that is secret is found anywhere in plain: not in what is said, not in what is written.

use std::fs;
use std::path::Path;

use crate::support::{Running, scantill, stderr, stdout};
use crate::{Shop, account, another_key, json_of};

const PASSPHRASE: &str = "correct horse battery";

/// Everything that the program said or wrote, with a name for each.
#[derive(Default)]
struct Heard(Vec<(String, Vec<u8>)>);

impl Heard {
    fn output(&mut self, what: &str, output: &std::process::Output) {
        self.0.push((format!("stdout of {what}"), output.stdout.clone()));
        self.0.push((format!("stderr of {what}"), output.stderr.clone()));
    }

    fn files(&mut self, folder: &Path) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                self.files(&path);
            } else {
                self.0.push((path.display().to_string(), fs::read(&path).unwrap()));
            }
        }
    }

    fn holds(&self, secret: &str) -> Option<&str> {
        let found =
            self.0.iter().find(|(_, bytes)| bytes.windows(secret.len()).any(|window| window == secret.as_bytes()));
        found.map(|(name, _)| name.as_str())
    }
}

/// The lines of a private key that could be told apart, so that no form of quoting hides them.
fn lines_of(pem: &str) -> Vec<String> {
    pem.lines().filter(|line| line.len() == 64 && !line.starts_with('-')).skip(1).map(str::to_owned).collect()
}

#[test]
fn no_secret_is_ever_in_plain() {
    let shop = Shop::open();
    let data = shop.data.path();
    let environment = |command: &mut std::process::Command| {
        command.env("SCANTILL_KEY_STORE", "passphrase").env("SCANTILL_PASSPHRASE", PASSPHRASE);
        command.env("RUST_LOG", "trace");
    };
    let mut command = scantill(data);
    environment(&mut command);
    command.args(["-v", "serve", "--listen", "127.0.0.1:0"]);
    let mut serve = Running::start(command);
    serve.json();
    let mut heard = Heard::default();

    let mut secrets = vec![PASSPHRASE.to_owned()];
    let (alipay, wechatpay) = (shop.credentials("alipay"), shop.credentials("wechatpay"));
    secrets.extend(lines_of(alipay["app_private_key"].as_str().unwrap()));
    secrets.extend(lines_of(wechatpay["merchant_private_key"].as_str().unwrap()));
    secrets.push(wechatpay["api_v3_key"].as_str().unwrap().to_owned());
    let fresh = another_key();
    secrets.extend(lines_of(&fresh));
    let wrong_key = "12345678901234567890123456789012";
    secrets.push(wrong_key.to_owned());
    assert!(secrets.len() > 50, "the keys have many lines");

    let mut run = |args: &[&str], input: &str| {
        let output = account(data, &[&["-v"][..], args].concat(), input);
        heard.output(&args.join(" "), &output);
        output
    };
    for (channel, id, credentials) in [("alipay", "front", &alipay), ("wechatpay", "second", &wechatpay)] {
        run(
            &["add", "--channel", channel, "--base-url", "http://127.0.0.1:1", "--test", "--credentials", "-"],
            &credentials.to_string(),
        );
        let add = ["add", "--channel", channel, "--id", id, "--base-url", &shop.sandbox_url, "--json"];
        let output = run(&[&add[..], &["--credentials", "-"]].concat(), &credentials.to_string());
        assert_eq!(output.status.code(), Some(0), "{}{}", stdout(&output), stderr(&output));
        assert_eq!(json_of(&output)["id"], id);
    }
    run(&["list"], "");
    run(&["list", "--json"], "");
    run(&["show", "front"], "");
    run(&["show", "second", "--json"], "");
    run(&["test"], "");
    let file = shop.out.path().join("fresh.pem");
    fs::write(&file, &fresh).unwrap();
    let fresh_key = format!("app_private_key={}", file.display());
    run(&["rotate", "front", "--file", &fresh_key, "--overlap", "1h", "--json"], "");
    run(&["test", "front"], "");
    run(&["show", "front", "--json"], "");
    // What is refused is not told either.
    let api_key = format!("api_v3_key={wrong_key}x");
    run(&["change", "second", "--field", &api_key], "");
    run(&["change", "second", "--field", &format!("merchant_private_key={wrong_key}")], "");
    run(&["test", "second", "--field", &format!("api_v3_key={wrong_key}")], "");
    run(&["rotate", "second", "--credentials", "-"], &format!("{{\"api_v3_key\": {{\"a\": \"{wrong_key}\"}}}}"));
    run(&["rotate", "second", "--credentials", "-"], wrong_key);
    run(&["rekey"], "");
    run(&["disable", "front"], "");
    run(&["remove", "front", "--yes"], "");
    run(&["remove", "second", "--yes"], "");

    // The books while they are written, with the log beside the file, and the log of the server.
    let mut written = Heard::default();
    written.files(data);
    serve.kill();
    let said: Vec<_> = serve.errors();
    assert!(said.iter().any(|line| line.contains("TRACE")), "the log tells all it can");
    written.0.push(("the log of serve".into(), said.join("\n").into_bytes()));
    written.files(data);
    for secret in &secrets {
        for place in [&heard, &written] {
            assert_eq!(place.holds(secret), None, "a secret is in plain: {}…", &secret[..6]);
        }
    }
    // The search itself finds what is there.
    assert!(written.holds("alipay").is_some() && heard.holds("front").is_some());
}
