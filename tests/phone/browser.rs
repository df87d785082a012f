//! A headless Chromium, driven by the W3C WebDriver protocol.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// How long something may take to show.
const PATIENCE: Duration = Duration::from_secs(30);
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

pub struct Browser {
    driver: Child,
    http: reqwest::Client,
    session: String,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// A phone-sized window in the given language.
    pub async fn open(language: &str) -> Self {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver runs; packaging/test installs it (Debian: chromium, chromium-driver)");
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| line.split_once("successfully on port ")?.1.trim_end_matches('.').parse::<u16>().ok())
            .expect("chromedriver tells its port");
        // It stops where nobody reads what it says.
        std::thread::spawn(move || lines.for_each(drop));
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(60)).build().unwrap();
        let profile = tempfile::tempdir().unwrap();
        let arguments = [
            "--headless=new".to_owned(),
            "--no-sandbox".to_owned(),
            "--disable-gpu".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--no-first-run".to_owned(),
            "--disable-background-networking".to_owned(),
            "--disable-component-update".to_owned(),
            "--disable-sync".to_owned(),
            "--window-size=500,1000".to_owned(),
            format!("--lang={language}"),
            format!("--accept-lang={language}"),
            format!("--user-data-dir={}", profile.path().display()),
        ];
        let options = json!({ "args": arguments, "prefs": { "intl.accept_languages": language } });
        let wanted =
            json!({ "capabilities": { "alwaysMatch": { "browserName": "chrome", "goog:chromeOptions": options } } });
        let base = format!("http://127.0.0.1:{port}/session");
        let answer: Value = http.post(&base).json(&wanted).send().await.unwrap().json().await.unwrap();
        let id = answer["value"]["sessionId"].as_str().unwrap_or_else(|| panic!("no session: {answer}"));
        Self { session: format!("{base}/{id}"), driver, http, _profile: profile }
    }

    async fn post(&self, path: &str, body: Value) -> Result<Value, String> {
        let answer = self.http.post(format!("{}/{path}", self.session)).json(&body).send().await.unwrap();
        let fine = answer.status().is_success();
        let answer: Value = answer.json().await.unwrap();
        if fine { Ok(answer["value"].clone()) } else { Err(answer["value"]["message"].to_string()) }
    }

    pub async fn go(&self, url: &str) {
        self.post("url", json!({ "url": url })).await.unwrap();
    }

    /// What a script in the page gives back.
    pub async fn run(&self, script: &str) -> Value {
        self.post("execute/sync", json!({ "script": script, "args": [] })).await.unwrap()
    }

    async fn find(&self, selector: &str) -> Result<String, String> {
        let found = self.post("element", json!({ "using": "css selector", "value": selector })).await?;
        Ok(found[ELEMENT].as_str().unwrap().to_owned())
    }

    /// Does it until it works: the page draws itself anew now and then.
    async fn insist<T, F: Future<Output = Result<T, String>>>(&self, what: &str, deed: impl Fn() -> F) -> T {
        let started = Instant::now();
        loop {
            match deed().await {
                Ok(done) => return done,
                Err(error) if started.elapsed() > PATIENCE => {
                    let seen = self.run("return document.body.innerText").await;
                    panic!("{what}: {error}\nthe page says: {seen}")
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    }

    /// Presses what the selector finds, as a finger would.
    pub async fn press(&self, selector: &str) {
        self.insist(selector, || async {
            let element = self.find(selector).await?;
            self.post(&format!("element/{element}/click"), json!({})).await
        })
        .await;
    }

    /// Types into what the selector finds; for a file input, the file's path.
    pub async fn type_into(&self, selector: &str, text: &str) {
        self.insist(selector, || async {
            let element = self.find(selector).await?;
            self.post(&format!("element/{element}/value"), json!({ "text": text })).await
        })
        .await;
    }

    /// The text of what the selector finds, once `fits` is content with it.
    pub async fn text(&self, selector: &str, fits: impl Fn(&str) -> bool) -> String {
        self.insist(selector, || async {
            let element = self.find(selector).await?;
            let answer = self.http.get(format!("{}/element/{element}/text", self.session)).send().await.unwrap();
            let answer: Value = answer.json().await.unwrap();
            let text = answer["value"].as_str().ok_or("gone")?.to_owned();
            if fits(&text) { Ok(text) } else { Err(format!("it says {text:?}")) }
        })
        .await
    }

    /// A picture of the page, for people.
    pub async fn shoot(&self, file: &Path) {
        use base64::Engine as _;
        let answer = self.http.get(format!("{}/screenshot", self.session)).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        let png = base64::engine::general_purpose::STANDARD.decode(answer["value"].as_str().unwrap()).unwrap();
        std::fs::write(file, png).unwrap();
    }

    pub async fn close(mut self) {
        let _ = self.http.delete(&self.session).send().await;
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
