//! The sandbox's control calls, and what they tell of wallets and trades.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::payment::ChannelId;

/// A customer's wallet with a provider.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Wallet {
    /// Its id.
    pub id: String,
    /// The provider.
    pub channel: ChannelId,
    /// Whose.
    #[serde(default)]
    pub name: String,
    /// What is in it, in fen.
    #[serde(default)]
    pub balance: i64,
}

/// A trade in the provider's own books.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Trade {
    /// Its id.
    pub id: String,
    /// The provider.
    pub channel: ChannelId,
    /// In fen.
    pub amount: i64,
    /// Where it stands.
    pub state: String,
    /// Which wallet pays, where one has begun to.
    #[serde(default)]
    pub wallet: Option<String>,
    /// What for.
    #[serde(default)]
    pub subject: String,
    /// When it was made, in ms since 1970.
    #[serde(default)]
    pub created_at: i64,
    /// The customer said no.
    #[serde(default)]
    pub refused: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Code {
    pub(super) auth_code: String,
    pub(super) expires_at: jiff::Timestamp,
}

impl Trade {
    pub(super) fn is_waiting(&self) -> bool {
        self.state == "WAIT_BUYER_PAY"
    }
}

/// The sandbox's control calls.
#[derive(Debug, Clone)]
pub(super) struct Sandbox {
    pub(super) url: String,
    pub(super) http: reqwest::Client,
}

impl Sandbox {
    /// A list, bare or in a field of that name.
    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str, field: &str) -> Result<Vec<T>, String> {
        let answer = self.http.get(format!("{}{path}", self.url)).send().await.map_err(|error| error.to_string())?;
        let mut value: serde_json::Value = answer.json().await.map_err(|error| error.to_string())?;
        let list = match value.get_mut(field) {
            Some(list) => list.take(),
            None => value,
        };
        serde_json::from_value(list).map_err(|error| error.to_string())
    }

    pub(super) async fn post<T: DeserializeOwned>(&self, path: &str, body: serde_json::Value) -> Result<T, String> {
        let answer = self
            .http
            .post(format!("{}{path}", self.url))
            .json(&body)
            .send()
            .await
            .map_err(|error| error.to_string())?;
        if !answer.status().is_success() {
            let text = answer.text().await.unwrap_or_default();
            let detail = serde_json::from_str::<serde_json::Value>(&text).ok();
            let detail = detail.as_ref().and_then(|problem| problem.get("detail")?.as_str());
            return Err(detail.map_or(text.clone(), str::to_owned));
        }
        answer.json().await.map_err(|error| error.to_string())
    }
}
