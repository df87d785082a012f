//! Clients that others wrote, as they come from PyPI and npm, at the sandbox; and the requests of our own channels
//! before those clients' verifiers. Only addresses and keys are theirs to change.

mod clients;
mod ours;
#[path = "../support/mod.rs"]
mod support;

use std::path::Path;

use clients::Language;
use support::{Running, scantill};

/// A sandbox in a process of its own, with its credentials in a folder.
struct Sandbox {
    folder: tempfile::TempDir,
    base_url: String,
    _running: Running,
}

impl Sandbox {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = scantill(folder.path());
        command.args(["sandbox", "--listen", "127.0.0.1:0", "--out"]).arg(folder.path());
        let mut running = Running::start(command);
        let base_url = running.json()["base_url"].as_str().expect("a base_url").to_owned();
        Self { folder, base_url, _running: running }
    }

    fn out(&self) -> &Path {
        self.folder.path()
    }
}

/// Runs one client's whole day at a sandbox of its own.
fn story(language: Language, script: &str, mode: Option<&str>) {
    let sandbox = Sandbox::start();
    let folder = sandbox.out().to_str().expect("a path in UTF-8");
    let arguments: Vec<_> = [folder].into_iter().chain(mode).collect();
    clients::run(language, script, &arguments);
}

#[test]
fn python_alipay_sdk_trades_by_public_key() {
    story(Language::Python, "alipay_story.py", None);
}

#[test]
fn python_alipay_sdk_trades_by_certificate() {
    story(Language::Python, "alipay_story.py", Some("certificate"));
}

#[test]
fn alipays_own_sdk_trades_by_public_key() {
    story(Language::Node, "alipay_story.mjs", None);
}

#[test]
fn alipays_own_sdk_trades_by_certificate() {
    story(Language::Node, "alipay_story.mjs", Some("certificate"));
}

#[test]
fn alipays_own_sdk_trades_with_encrypted_content() {
    story(Language::Node, "alipay_story.mjs", Some("encrypted"));
}

#[test]
fn wechatpayv3_trades_by_platform_certificate() {
    story(Language::Python, "wechatpay_v3_story.py", None);
}

#[test]
fn wechatpayv3_trades_by_platform_public_key() {
    story(Language::Python, "wechatpay_v3_story.py", Some("public_key"));
}

#[test]
fn wechatpay_axios_plugin_trades_on_v3_by_platform_certificate() {
    story(Language::Node, "wechatpay_v3_story.mjs", None);
}

#[test]
fn wechatpay_axios_plugin_trades_on_v3_by_platform_public_key() {
    story(Language::Node, "wechatpay_v3_story.mjs", Some("public_key"));
}

#[test]
fn wechatpy_trades_on_v2_signing_with_md5() {
    story(Language::Python, "wechatpay_v2_story.py", None);
}

#[test]
fn wechatpay_axios_plugin_trades_on_v2_signing_with_md5() {
    story(Language::Node, "wechatpay_v2_story.mjs", Some("MD5"));
}

#[test]
fn wechatpay_axios_plugin_trades_on_v2_signing_with_hmac() {
    story(Language::Node, "wechatpay_v2_story.mjs", Some("HMAC-SHA256"));
}
