//! Sales of many tills held against the providers' own books.

// Each program uses a part of it.
#![allow(dead_code)]

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64};

use scantill::api::wire::{PaymentQuery, PaymentView};
use scantill::client::Client;
use scantill::payment::{PaymentId, PaymentState, RefundState};
use serde_json::Value;

/// What the tills were told, to be held against the books at the end.
#[derive(Default)]
pub struct Told {
    /// Payments that were begun, and their amounts.
    pub created: Mutex<HashMap<PaymentId, i64>>,
    /// Those that were told as paid.
    pub paid: Mutex<HashMap<PaymentId, i64>>,
    /// Set when tills are to stop.
    pub stop: AtomicBool,
    /// Calls without an answer.
    pub unanswered: AtomicU64,
}

/// All payments, page by page.
pub async fn every_payment(client: &Client) -> Vec<PaymentView> {
    let mut all = Vec::new();
    let mut cursor = None;
    loop {
        let query = PaymentQuery { cursor, limit: Some(200), ..PaymentQuery::default() };
        let page = client.payments(&query).await.unwrap();
        all.extend(page.payments);
        cursor = page.next_cursor;
        if cursor.is_none() {
            return all;
        }
    }
}

/// Whether nothing about it is under way.
pub fn is_over(payment: &PaymentView) -> bool {
    payment.state.is_end()
        && payment.attempts.iter().all(|attempt| attempt.state.is_end())
        && payment.refunds.iter().all(|refund| refund.state.is_end())
}

/// What a comparison counted.
#[derive(Default)]
pub struct Checked {
    pub paid: usize,
    pub refunds: usize,
    /// In fen.
    pub net: i64,
}

/// Holds the books against the providers', and against what the tills were told.
pub fn compare(payments: &[PaymentView], trades: &[Value], told: &Told) -> Checked {
    let net = |trade: &Value| match trade["state"].as_str().unwrap() {
        "SUCCESS" | "REFUNDED" => trade["amount"].as_i64().unwrap() - trade["refunded"].as_i64().unwrap(),
        _ => 0,
    };
    let mut by_number: BTreeMap<&str, &Value> = BTreeMap::new();
    for trade in trades {
        assert!(by_number.insert(trade["out_trade_no"].as_str().unwrap(), trade).is_none(), "{trade}");
    }
    let mut checked = Checked::default();
    let mut known = BTreeMap::new();
    for payment in payments {
        let theirs: i64 = payment
            .attempts
            .iter()
            .filter_map(|attempt| by_number.remove(attempt.out_trade_no.as_str()))
            .map(net)
            .sum();
        let returned: i64 = payment
            .refunds
            .iter()
            .filter(|refund| refund.state == RefundState::Succeeded)
            .map(|refund| refund.amount)
            .sum();
        let ours = match payment.state {
            PaymentState::Succeeded | PaymentState::PartiallyRefunded | PaymentState::Refunded => {
                checked.paid += 1;
                payment.amount - returned
            }
            _ => 0,
        };
        assert_eq!(ours, theirs, "ours and the provider's: {payment:#?}");
        checked.refunds += payment.refunds.len();
        checked.net += ours;
        known.insert(payment.id.clone(), payment);
    }
    for (number, trade) in by_number {
        assert_eq!(net(trade), 0, "{number} is paid, and in no books of ours: {trade}");
    }
    for (id, amount) in &*told.created.lock().unwrap() {
        assert_eq!(known.get(id).map(|payment| payment.amount), Some(*amount), "{id} was told to a till, and is gone");
    }
    for id in told.paid.lock().unwrap().keys() {
        let payment = known[id];
        let paid =
            matches!(payment.state, PaymentState::Succeeded | PaymentState::PartiallyRefunded | PaymentState::Refunded);
        assert!(paid, "a till was told that it is paid: {payment:#?}");
    }
    checked
}
