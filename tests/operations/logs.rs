//! The log as programs read it: a payment's id through every line of its story.

use serde_json::Value;

use crate::Shop;

#[tokio::test(flavor = "multi_thread")]
async fn every_line_of_a_payments_story_bears_its_id() {
    let mut shop = Shop::open_with(|command| {
        command.args(["--log-format", "json"]).env("RUST_LOG", "scantill=debug");
    })
    .await;
    let payment = shop.sell(1234).await;
    let number = payment.attempts[0].out_trade_no.to_string();
    let lines = shop.close();
    let lines: Vec<Value> = lines
        .iter()
        .filter(|line| line.starts_with('{'))
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}")))
        .collect();
    let id = payment.id.as_str();
    let bears_id = |line: &Value| {
        line["payment"] == id
            || line["spans"].as_array().is_some_and(|spans| spans.iter().any(|one| one["payment"] == id))
    };
    let told = |message: &str| lines.iter().filter(|line| line["message"] == message).collect::<Vec<_>>();
    for message in ["written", "asking the provider", "the provider was asked"] {
        assert!(told(message).iter().any(|line| bears_id(line)), "{message}: {lines:#?}");
    }
    let about = lines.iter().filter(|line| line.to_string().contains(&number) || line.to_string().contains(id));
    for line in about {
        assert!(bears_id(line), "{line}");
        assert!(line["timestamp"].is_string() && line["level"].is_string() && line["target"].is_string(), "{line}");
    }
    let events: String = told("written").iter().filter_map(|line| line["events"].as_str()).collect();
    for event in ["created", "attempt_started", "attempt_succeeded"] {
        assert!(events.contains(event), "{event} in {events}");
    }
    let scans = lines.iter().filter(|line| line["spans"].to_string().contains("/v1/payments/{id}/scan"));
    assert!(scans.clone().count() > 0 && scans.clone().all(bears_id), "calls of the API about it, too");
}
