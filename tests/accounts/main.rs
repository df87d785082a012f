//! Merchant accounts as a merchant meets them: through the real binary, against the real sandbox.

#[path = "../support/mod.rs"]
mod support;

mod faults;
mod keys;
mod life;
mod secrets;

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use serde_json::{Value, json};
use support::{Running, scantill, stderr, stdout};
use tempfile::TempDir;

/// A sandbox, the credentials that it wrote, and a data folder with nothing in it yet.
struct Shop {
    data: TempDir,
    out: TempDir,
    _sandbox: Running,
    sandbox_url: String,
}

impl Shop {
    fn open() -> Self {
        Self::with_faults("")
    }

    fn with_faults(faults: &str) -> Self {
        let (data, out) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let mut command = scantill(data.path());
        command.args(["sandbox", "--listen", "127.0.0.1:0", "--faults", faults, "--out"]).arg(out.path());
        let mut sandbox = Running::start(command);
        let sandbox_url = sandbox.json()["base_url"].as_str().unwrap().to_owned();
        Self { data, out, _sandbox: sandbox, sandbox_url }
    }

    /// What `credentials.json` says.
    fn told(&self, channel: &str, field: &str) -> String {
        let text = std::fs::read(self.out.path().join("credentials.json")).unwrap();
        let told: Value = serde_json::from_slice(&text).unwrap();
        told[channel][field].as_str().unwrap_or_else(|| panic!("{channel}.{field}")).to_owned()
    }

    /// The file that `credentials.json` names.
    fn file(&self, channel: &str, field: &str) -> PathBuf {
        self.out.path().join(self.told(channel, field))
    }

    /// The credentials that fit the sandbox, in the account's own names.
    fn credentials(&self, channel: &str) -> Value {
        let read = |field: &str| std::fs::read_to_string(self.file(channel, field)).unwrap();
        let text = |field: &str| self.told(channel, field);
        match channel {
            "alipay" => json!({
                "app_id": text("app_id"),
                "seller_id": text("seller_id"),
                "app_private_key": read("app_private_key_pkcs8"),
                "alipay_public_key": read("alipay_public_key"),
            }),
            "wechatpay" => json!({
                "appid": text("appid"),
                "mchid": text("mchid"),
                "merchant_private_key": read("merchant_private_key"),
                "merchant_serial": text("merchant_serial"),
                "api_v3_key": text("api_v3_key"),
                "platform_public_key_id": text("platform_public_key_id"),
                "platform_public_key": read("platform_public_key"),
            }),
            other => panic!("{other}"),
        }
    }

    /// `scantill account ...` to its end, with `input` on stdin.
    fn account_with(&self, args: &[&str], input: &str) -> Output {
        account(self.data.path(), args, input)
    }

    /// `scantill account ...` to its end.
    fn account(&self, args: &[&str]) -> Output {
        self.account_with(args, "")
    }

    /// The same, which has to go well; its last line of JSON.
    fn good(&self, args: &[&str]) -> Value {
        self.good_with(args, "")
    }

    /// The same with `input` on stdin.
    fn good_with(&self, args: &[&str], input: &str) -> Value {
        let output = self.account_with(&[args, &["--json"]].concat(), input);
        assert_eq!(output.status.code(), Some(0), "{args:?}: {}{}", stdout(&output), stderr(&output));
        json_of(&output)
    }

    /// Adds a live account that fits the sandbox.
    fn add(&self, channel: &str, id: &str) -> Value {
        let credentials = self.credentials(channel).to_string();
        let args = ["add", "--channel", channel, "--id", id, "--base-url", &self.sandbox_url, "--credentials", "-"];
        self.good_with(&args, &credentials)
    }
}

/// `scantill account ...` on a data folder.
fn account(data: &Path, args: &[&str], input: &str) -> Output {
    let mut command = scantill(data);
    command.arg("account").args(args);
    run_with(command, input)
}

/// Runs to the end with `input` on stdin.
fn run_with(mut command: std::process::Command, input: &str) -> Output {
    use std::io::Write;
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary starts");
    // A command that reads nothing may be gone already.
    let _ = child.stdin.take().expect("stdin is piped").write_all(input.as_bytes());
    child.wait_with_output().expect("the binary ends")
}

/// The last line on stdout as JSON.
fn json_of(output: &Output) -> Value {
    let text = stdout(output);
    let line = text.lines().last().unwrap_or_else(|| panic!("nothing on stdout; on stderr: {}", stderr(output)));
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{line:?} is no JSON: {error}"))
}

/// A `serve` on the shop's data folder, for commands to go through.
fn serve(data: &Path) -> Running {
    let mut command = scantill(data);
    command.args(["-v", "serve", "--listen", "127.0.0.1:0"]);
    let mut serve = Running::start(command);
    serve.json();
    serve
}

/// Another RSA key, in the file's form that the sandbox uses.
fn another_key() -> String {
    scantill::crypto::RsaPrivateKey::generate().unwrap().to_pkcs8_pem().unwrap().to_string()
}
