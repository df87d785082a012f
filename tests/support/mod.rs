//! What the stories share: the real binary as a child process, and the sandbox's control calls.

// Each story is a crate of its own and uses a part of this.
#![allow(dead_code)]

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use scantill::api::wire::PaymentView;
use scantill::client::Client;
use serde_json::{Value, json};

/// How long a story waits for something that has to happen.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The binary with a data folder of its own.
pub fn scantill(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_scantill"));
    command.env_remove("RUST_LOG").env_remove("SCANTILL_DATABASE").env_remove("DISPLAY").env("LANG", "C.UTF-8");
    command.env("SCANTILL_DATA_DIR", data);
    // No story leaves anything in the keyring of whoever runs it.
    command.env_remove("SCANTILL_PASSPHRASE").env_remove("SCANTILL_NEW_PASSPHRASE").env("SCANTILL_KEY_STORE", "file");
    command
}

/// Runs it to its end.
pub fn run(data: &Path, args: &[&str]) -> Output {
    scantill(data).args(args).stdin(Stdio::null()).output().expect("the binary runs")
}

/// What it said on stdout.
pub fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What it said on stderr.
pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A child that is killed when the story ends; its stdout comes line by line.
pub struct Running {
    pub child: Child,
    lines: Receiver<String>,
    errors: Receiver<String>,
}

impl Running {
    /// Starts `command`.
    pub fn start(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let lines = lines_of(child.stdout.take().expect("stdout is piped"));
        let errors = lines_of(child.stderr.take().expect("stderr is piped"));
        Self { child, lines, errors }
    }

    /// The next line on stdout.
    pub fn line(&mut self) -> String {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => line,
            Err(_) => {
                let said: Vec<_> = self.errors.try_iter().collect();
                panic!("no line on stdout; on stderr: {said:?}")
            }
        }
    }

    /// The next line on stdout, as JSON.
    pub fn json(&mut self) -> Value {
        let line = self.line();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line:?} is no JSON: {error}"))
    }

    /// Lines on stdout until one fits.
    pub fn json_until(&mut self, fits: impl Fn(&Value) -> bool) -> Value {
        loop {
            let value = self.json();
            if fits(&value) {
                return value;
            }
        }
    }

    /// Lines on stderr until one holds `text`.
    pub fn error_with(&mut self, text: &str) -> String {
        loop {
            let line = self.errors.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("never said: {text}"));
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Waits for the end: exit code, and the lines on stdout that were not read.
    pub fn end(mut self) -> (Option<i32>, Vec<String>) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("the child can be asked") {
                return (status.code(), self.lines.iter().collect());
            }
            assert!(
                Instant::now() < deadline,
                "the child did not end: {:?}",
                self.errors.try_iter().collect::<Vec<_>>()
            );
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// What it said on stderr and was not read yet; all of it once it has ended.
    pub fn errors(&mut self) -> Vec<String> {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            self.errors.iter().collect()
        } else {
            self.errors.try_iter().collect()
        }
    }

    /// SIGKILL: no goodbye.
    pub fn kill(&mut self) {
        self.child.kill().expect("the child can be killed");
        self.child.wait().expect("the child can be reaped");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines_of(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

/// The sandbox's control calls.
#[derive(Clone)]
pub struct Phones {
    base_url: String,
    http: reqwest::Client,
}

impl Phones {
    /// The wallets of the sandbox at `base_url`.
    pub fn new(base_url: &str) -> Self {
        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().expect("a client");
        Self { base_url: base_url.to_owned(), http }
    }

    /// The richest wallet of a channel.
    pub async fn wallet(&self, channel: &str) -> String {
        let wallets = self.get("/sandbox/wallets").await;
        let list = wallets.as_array().or_else(|| wallets["wallets"].as_array()).expect("a list of wallets").clone();
        list.iter()
            .filter(|wallet| wallet["channel"] == channel)
            .max_by_key(|wallet| wallet["balance"].as_i64())
            .and_then(|wallet| wallet["id"].as_str())
            .expect("a wallet of that channel")
            .to_owned()
    }

    /// A fresh payment code of that channel.
    pub async fn auth_code(&self, channel: &str) -> String {
        let wallet = self.wallet(channel).await;
        let code = self.post(&format!("/sandbox/wallets/{wallet}/code"), json!({})).await;
        code["auth_code"].as_str().expect("an auth_code").to_owned()
    }

    /// Scans a shown code and says yes.
    pub async fn pay_shown(&self, channel: &str, payload: &str) {
        let wallet = self.wallet(channel).await;
        self.post(&format!("/sandbox/wallets/{wallet}/scan"), json!({ "payload": payload, "confirm": true })).await;
    }

    /// Scans a shown code and says yes, where it can still be paid.
    pub async fn try_scan(&self, wallet: &str, payload: &str) {
        let url = format!("{}/sandbox/wallets/{wallet}/scan", self.base_url);
        let body = json!({ "payload": payload, "confirm": true });
        self.http.post(url).json(&body).send().await.expect("the sandbox answers");
    }

    /// Makes a wallet so rich.
    pub async fn set_balance(&self, wallet: &str, balance: i64) {
        let url = format!("{}/sandbox/wallets/{wallet}", self.base_url);
        let answer =
            self.http.patch(url).json(&json!({ "balance": balance })).send().await.expect("the sandbox answers");
        assert!(answer.status().is_success(), "{}", answer.status());
    }

    /// The providers' own books.
    pub async fn trades(&self) -> Vec<Value> {
        let trades = self.get("/sandbox/trades").await;
        trades.as_array().or_else(|| trades["trades"].as_array()).expect("a list of trades").clone()
    }

    /// The trade with that number.
    pub async fn trade(&self, out_trade_no: &str) -> Option<Value> {
        self.trades().await.into_iter().find(|trade| trade["out_trade_no"] == out_trade_no)
    }

    /// Plans a fault.
    pub async fn fault(&self, fault: Value) {
        self.post("/sandbox/faults", fault).await;
    }

    /// GET, as JSON.
    pub async fn get(&self, path: &str) -> Value {
        let answer = self.http.get(format!("{}{path}", self.base_url)).send().await.expect("the sandbox answers");
        assert!(answer.status().is_success(), "GET {path}: {}", answer.status());
        answer.json().await.expect("JSON")
    }

    /// POST, as JSON.
    pub async fn post(&self, path: &str, body: Value) -> Value {
        let url = format!("{}{path}", self.base_url);
        let answer = self.http.post(url).json(&body).send().await.expect("the sandbox answers");
        let status = answer.status();
        let text = answer.text().await.expect("a body");
        assert!(status.is_success(), "POST {path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }
}

/// Gives a running `serve` an Alipay and a WeChat Pay account on the sandbox whose credentials are in `out`.
pub async fn add_accounts(base_url: &str, key_file: &str, sandbox_url: &str, out: &Path) {
    use scantill::api::wire::CreateAccount;
    let reach: Value = serde_json::from_slice(&std::fs::read(key_file).expect("the key file")).expect("JSON");
    let key = scantill::client::ApiKey {
        id: reach["key_id"].as_str().expect("key_id").to_owned(),
        secret: reach["secret"].as_str().expect("secret").to_owned().into(),
    };
    let client = scantill::client::Client::new(base_url, key).expect("a client");
    let told: Value =
        serde_json::from_slice(&std::fs::read(out.join("credentials.json")).expect("credentials.json")).expect("JSON");
    let text = |channel: &str, field: &str| told[channel][field].as_str().expect(field).to_owned();
    let file = |channel: &str, field: &str| std::fs::read_to_string(out.join(text(channel, field))).expect(field);
    let alipay = json!({
        "app_id": text("alipay", "app_id"),
        "seller_id": text("alipay", "seller_id"),
        "app_private_key": file("alipay", "app_private_key_pkcs8"),
        "alipay_public_key": file("alipay", "alipay_public_key"),
    });
    let wechatpay = json!({
        "appid": text("wechatpay", "appid"),
        "mchid": text("wechatpay", "mchid"),
        "merchant_private_key": file("wechatpay", "merchant_private_key"),
        "merchant_serial": text("wechatpay", "merchant_serial"),
        "api_v3_key": text("wechatpay", "api_v3_key"),
        "platform_public_key_id": text("wechatpay", "platform_public_key_id"),
        "platform_public_key": file("wechatpay", "platform_public_key"),
    });
    for (channel, credentials) in [("alipay", alipay), ("wechatpay", wechatpay)] {
        let account = CreateAccount {
            notify_base_url: Some(base_url.into()),
            ..CreateAccount::new(channel.parse().expect("a channel"), channel.into(), sandbox_url.into(), credentials)
        };
        client.create_account(&account).await.expect("the account is taken");
    }
}

/// The client of the API that runs on `data`.
pub fn client_of(data: &Path) -> Client {
    let reach: Value = serde_json::from_slice(&std::fs::read(data.join("api.json")).expect("api.json")).expect("JSON");
    let text = |field: &str| reach[field].as_str().expect(field).to_owned();
    let key = scantill::client::ApiKey { id: text("key_id"), secret: text("secret").into() };
    Client::new(&text("base_url"), key).expect("a client")
}

/// What the latest payment's shown code of that channel says.
pub async fn shown_code(data: &Path, channel: &str) -> String {
    let client = client_of(data);
    let deadline = Instant::now() + PATIENCE;
    loop {
        let page = client.payments(&scantill::api::wire::PaymentQuery::default()).await.expect("payments");
        let code = page.payments.first().and_then(|payment| {
            payment.attempts.iter().find(|attempt| attempt.channel.as_str() == channel).and_then(|a| a.code.clone())
        });
        if let Some(code) = code {
            return code;
        }
        assert!(Instant::now() < deadline, "no code of {channel} was shown");
        thread::sleep(Duration::from_millis(50));
    }
}

/// The payment once it is where the story waits for it.
pub async fn until(client: &Client, payment: &PaymentView, reached: impl Fn(&PaymentView) -> bool) -> PaymentView {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let now = client.payment(&payment.id).await.unwrap();
        if reached(&now) {
            return now;
        }
        assert!(Instant::now() < deadline, "it stays {now:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
