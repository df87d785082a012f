//! Asynchronous notifications, repeated on the provider's schedule (sped up) until the merchant acknowledges.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use super::book::{Provider, Trade};
use super::{Shared, alipay, wechatpay, wire};
use crate::crypto::random_bytes;

/// A minute of the provider's schedule takes a second here.
const SPEED_UP: u32 = 60;
/// The longest answer that is read.
const MAX_ANSWER: usize = 64;
/// Seconds before each repeat, as Alipay documents them.
const ALIPAY: [u64; 7] = [240, 600, 600, 3_600, 7_200, 21_600, 54_000];
/// The same of WeChat Pay.
const WECHATPAY: [u64; 15] =
    [15, 15, 30, 180, 600, 1_200, 1_800, 1_800, 1_800, 3_600, 10_800, 10_800, 10_800, 21_600, 21_600];

/// Tells the merchant that a trade was paid, where it asked to be told.
pub(super) fn paid(shared: &Arc<Shared>, trade: &Trade) {
    let Some(url) = trade.notify_url.clone() else { return };
    let (sender, trade) = (shared.clone(), trade.clone());
    let mut tasks = shared.tasks.lock().unwrap_or_else(PoisonError::into_inner);
    while tasks.try_join_next().is_some() {}
    tasks.spawn(async move {
        // The same through all repeats: a merchant knows a repeat by it.
        let id = hex::encode(random_bytes::<16>());
        let schedule: &[u64] = match trade.channel {
            Provider::Alipay => &ALIPAY,
            Provider::Wechatpay => &WECHATPAY,
        };
        for pause in std::iter::once(0).chain(schedule.iter().copied()) {
            tokio::time::sleep(Duration::from_secs(pause) / SPEED_UP).await;
            if deliver(&sender, &trade, &url, &id).await {
                return;
            }
        }
    });
}

/// One delivery; whether the merchant took it.
async fn deliver(shared: &Shared, trade: &Trade, url: &str, id: &str) -> bool {
    let now = wire::now();
    let credentials = &shared.credentials;
    let request = shared.http.post(url);
    let request = match trade.channel {
        Provider::Alipay => request
            .header("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
            .body(alipay::notification(credentials, trade, id, now)),
        Provider::Wechatpay => {
            let body = wechatpay::notification(credentials, trade, id, now);
            let serial = trade.notify_serial.as_ref().unwrap_or(&credentials.platform_serial);
            let signature = wechatpay::signature(credentials, serial, body.as_bytes(), now);
            let request = request.header("Content-Type", "application/json");
            signature.into_iter().fold(request, |request, (name, value)| request.header(name, value)).body(body)
        }
    };
    let Ok(mut answer) = request.send().await else { return false };
    match trade.channel {
        Provider::Alipay => {
            let mut text = Vec::new();
            while let Ok(Some(chunk)) = answer.chunk().await {
                text.extend_from_slice(&chunk);
                if text.len() > MAX_ANSWER {
                    return false;
                }
            }
            text.trim_ascii() == b"success"
        }
        Provider::Wechatpay => matches!(answer.status().as_u16(), 200 | 204),
    }
}
