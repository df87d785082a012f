//! What the API counts and tells of its calls.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State as FromState};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument;

use super::Shared;
use crate::metrics::{Counters, Durations, Page};
use crate::payment::PaymentId;

/// Counted since the process started.
pub(super) struct ApiMetrics {
    requests: Durations<3>,
    pub refused: Counters<1>,
    subscribers: AtomicUsize,
    started: Instant,
}

impl Default for ApiMetrics {
    fn default() -> Self {
        Self {
            requests: Durations::new(["method", "route", "status"]),
            refused: Counters::new(["code"]),
            subscribers: AtomicUsize::new(0),
            started: Instant::now(),
        }
    }
}

impl ApiMetrics {
    /// Writes what was counted, and how the process stands.
    pub fn tell(&self, page: &mut Page) {
        page.info("scantill_build_info", "This program.", "version", env!("CARGO_PKG_VERSION"));
        page.durations(
            "scantill_api_request_seconds",
            "Calls to the Payment API, by route and status.",
            &self.requests,
        );
        page.counters(
            "scantill_api_refused_total",
            "Calls that were not let in, by the problem's code.",
            &self.refused,
        );
        let subscribers = self.subscribers.load(Ordering::Relaxed);
        page.gauge("scantill_event_subscribers", "Event streams that are open.", subscribers);
        page.gauge("scantill_uptime_seconds", "Since the Payment API started.", self.started.elapsed().as_secs());
        if let Some(bytes) = resident_memory() {
            page.gauge("process_resident_memory_bytes", "Memory in use, where the system tells.", bytes);
        }
    }
}

/// One event stream, counted while it lives.
pub(super) struct Subscriber(Arc<ApiMetrics>);

impl Subscriber {
    pub fn new(metrics: &Arc<ApiMetrics>) -> Self {
        metrics.subscribers.fetch_add(1, Ordering::Relaxed);
        Self(metrics.clone())
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        self.0.subscribers.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Counts, times and tells a call; all that is told within bears the payment's id.
pub(super) async fn watched(FromState(state): FromState<Shared>, request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let story = tracing::error_span!("request", %method, route, payment = tracing::field::Empty);
    if let Some(id) = payment_of(request.uri().path()) {
        story.record("payment", id.as_str());
    }
    let started = Instant::now();
    async {
        let answer = next.run(request).await;
        let (took, status) = (started.elapsed(), answer.status());
        state.metrics.requests.add([known(&method), &route, status.as_str()], took);
        let (status, ms) = (status.as_u16(), millis(took));
        if status >= 500 {
            tracing::warn!(status, ms, "answered");
        } else if method == axum::http::Method::GET {
            tracing::debug!(status, ms, "answered");
        } else {
            tracing::info!(status, ms, "answered");
        }
        answer
    }
    .instrument(story)
    .await
}

/// A method's name; one that nobody knows is no label.
fn known(method: &axum::http::Method) -> &str {
    match method.as_str() {
        known @ ("GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE") => known,
        _ => "other",
    }
}

fn payment_of(path: &str) -> Option<PaymentId> {
    path.strip_prefix("/v1/payments/")?.split('/').next()?.parse().ok()
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// As Linux tells it; nothing elsewhere.
fn resident_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}
