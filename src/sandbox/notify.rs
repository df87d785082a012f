//! Asynchronous notifications, repeated on the provider's schedule (sped up) until the merchant acknowledges.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use super::Shared;
use super::book::Trade;
use super::{alipay, wechatpay, wire};
use crate::crypto::random_bytes;

/// A minute of the provider's schedule takes a second here.
const SPEED_UP: u32 = 60;
/// Seconds before each repeat, as Alipay documents them.
const ALIPAY: [u64; 7] = [240, 600, 600, 3_600, 7_200, 21_600, 54_000];
/// The same of WeChat Pay.
const WECHATPAY: [u64; 15] =
    [15, 15, 30, 180, 600, 1_200, 1_800, 1_800, 1_800, 3_600, 10_800, 10_800, 10_800, 21_600, 21_600];

/// Tells the merchant that a trade was paid, where it asked to be told.
pub(super) fn paid(shared: &Arc<Shared>, trade: &Trade) {
    let Some(url) = trade.notify_url.clone() else { return };
    let (shared, trade) = (shared.clone(), trade.clone());
    let keeper = shared.clone();
    let mut tasks = keeper.tasks.lock().unwrap_or_else(PoisonError::into_inner);
    while tasks.try_join_next().is_some() {}
    tasks.spawn(async move {
        let id = hex::encode(random_bytes::<16>());
        let schedule: &[u64] = if trade.channel == "alipay" { &ALIPAY } else { &WECHATPAY };
        let pauses = std::iter::once(0).chain(schedule.iter().copied());
        for pause in pauses {
            tokio::time::sleep(Duration::from_secs(pause) / SPEED_UP).await;
            if deliver(&shared, &trade, &url, &id).await {
                return;
            }
        }
    });
}

async fn deliver(shared: &Shared, trade: &Trade, url: &str, id: &str) -> bool {
    let now = wire::now();
    let request = if trade.channel == "alipay" {
        shared
            .http
            .post(url)
            .header("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
            .body(alipay::notification(shared, trade, id, now))
    } else {
        let body = wechatpay::notification(shared, trade, id, now);
        // The public key's id: the newer of the two ways a merchant may check with.
        let serial = &shared.credentials.platform_public_key_id;
        let mut request = shared.http.post(url).header("Content-Type", "application/json");
        for (name, value) in wechatpay::signature(shared, serial, body.as_bytes(), now) {
            request = request.header(name, value);
        }
        request.body(body)
    };
    let Ok(answer) = request.send().await else { return false };
    let status = answer.status();
    if trade.channel == "alipay" {
        return answer.text().await.is_ok_and(|text| text == "success");
    }
    status == 200 || status == 204
}
