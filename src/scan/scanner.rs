//! The scanner: a thread that decodes the newest frame; [`super::watch`] sees to the frames.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::facts::SourceFacts;
use super::times::FrameTimes;
use super::watch::{Wish, watch};
use super::{Decoder, FrameFeed, GreyFrame, SourceError, SourceSpec, Symbol};

/// How long the decoder waits for a frame before it looks whether it should end.
const LOOK_UP: Duration = Duration::from_millis(100);
/// Previews come no oftener than 30 a second.
const PREVIEW_EVERY: Duration = Duration::from_micros(33_334);
/// The longer side of a preview, in pixels.
const PREVIEW_SIDE: u32 = 480;

/// A small picture of what the camera sees.
#[derive(Debug, Clone, PartialEq)]
pub struct Preview {
    /// The picture.
    pub frame: GreyFrame,
    /// What was read in it; corners in the preview's pixels.
    pub symbols: Vec<Symbol>,
}

/// A symbol that was read, and when.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The symbol.
    pub symbol: Symbol,
    /// When its frame went through the scanner.
    pub times: FrameTimes,
}

/// What the scanner tells.
#[derive(Debug, Clone, PartialEq)]
pub enum ScanEvent {
    /// A symbol was read. It comes with every frame that shows it: see [`super::Gate`].
    Seen(Reading),
    /// A frame was looked at, while times are wanted: when, how many symbols it had, and how many frames before it
    /// nobody looked at.
    Looked(FrameTimes, usize, u32),
    /// What the camera sees, while previews are wanted.
    Preview(Arc<Preview>),
    /// There is no such source, or it cannot be opened. Told once; it is tried again quietly.
    Absent(SourceError),
    /// The source gave frames and stopped.
    Lost(SourceError),
    /// The source gives frames (again).
    Ready(SourceFacts),
}

/// What the threads share.
pub(super) struct Shared {
    pub feed: FrameFeed,
    stopped: AtomicBool,
    preview: AtomicBool,
    times: AtomicBool,
    events: mpsc::UnboundedSender<ScanEvent>,
}

/// Reads codes until it is dropped.
pub struct Scanner {
    shared: Arc<Shared>,
    wish: Arc<Mutex<Wish>>,
}

impl Scanner {
    /// Starts to read from a source, or from pushed frames alone; events come on the receiver.
    #[must_use]
    pub fn start(spec: Option<SourceSpec>) -> (Self, mpsc::UnboundedReceiver<ScanEvent>) {
        let (shared, receiver) = Shared::new();
        let decoding = shared.clone();
        spawn("scan", move || decode(&decoding));
        let wish = Arc::new(Mutex::new(Wish { turn: 0, spec }));
        let (watching, wanted) = (shared.clone(), wish.clone());
        spawn("camera watch", move || watch(&watching, &wanted, SourceSpec::open));
        (Self { shared, wish }, receiver)
    }

    /// Reads from another source from now on.
    pub fn switch(&self, spec: Option<SourceSpec>) {
        let mut wish = self.wish.lock().unwrap_or_else(PoisonError::into_inner);
        *wish = Wish { turn: wish.turn + 1, spec };
    }

    /// Whether previews are wanted.
    pub fn want_preview(&self, wanted: bool) {
        self.shared.preview.store(wanted, Ordering::Relaxed);
    }

    /// Whether each frame's times are wanted.
    pub fn want_times(&self, wanted: bool) {
        self.shared.times.store(wanted, Ordering::Relaxed);
    }

    /// Where frames can be pushed beside the source's.
    #[must_use]
    pub fn feed(&self) -> FrameFeed {
        self.shared.feed.clone()
    }
}

impl Drop for Scanner {
    fn drop(&mut self) {
        self.shared.stop();
    }
}

pub(super) fn spawn(name: &str, work: impl FnOnce() + Send + 'static) {
    if let Err(error) = thread::Builder::new().name(name.to_owned()).spawn(work) {
        tracing::error!(%error, "no thread for the scanner");
    }
}

impl Shared {
    pub fn new() -> (Arc<Self>, mpsc::UnboundedReceiver<ScanEvent>) {
        let (events, receiver) = mpsc::unbounded_channel();
        let shared = Self {
            feed: FrameFeed::new(),
            stopped: AtomicBool::new(false),
            preview: AtomicBool::new(false),
            times: AtomicBool::new(false),
            events,
        };
        (Arc::new(shared), receiver)
    }

    pub fn stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed) || self.events.is_closed()
    }

    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    pub fn tell(&self, event: ScanEvent) {
        // Nobody listens any more: the threads end at their next look.
        let _ = self.events.send(event);
    }
}

pub(super) fn decode(shared: &Shared) {
    let mut decoder = Decoder::live();
    let mut preview_due = Instant::now();
    while !shared.stopped() {
        let Some((captured, passed_over)) = shared.feed.take(LOOK_UP) else { continue };
        let begun = Instant::now();
        let symbols = decoder.decode(&captured.frame);
        let times = FrameTimes {
            age: captured.age,
            arrived: captured.arrived,
            ready: captured.ready,
            begun,
            done: Instant::now(),
        };
        for symbol in &symbols {
            shared.tell(ScanEvent::Seen(Reading { symbol: symbol.clone(), times }));
        }
        if shared.times.load(Ordering::Relaxed) {
            shared.tell(ScanEvent::Looked(times, symbols.len(), passed_over));
        }
        let now = Instant::now();
        if now >= preview_due && shared.preview.load(Ordering::Relaxed) {
            // Counted from when it was due, so that the jitter of a camera's frames does not halve their number.
            preview_due = preview_due.max(now - PREVIEW_EVERY) + PREVIEW_EVERY;
            shared.tell(ScanEvent::Preview(Arc::new(preview(&captured.frame, symbols))));
        }
    }
}

fn preview(frame: &GreyFrame, mut symbols: Vec<Symbol>) -> Preview {
    let small = frame.shrunk_to(PREVIEW_SIDE);
    #[allow(clippy::cast_precision_loss)] // Pixel counts are small.
    let scale = small.width() as f32 / frame.width() as f32;
    for corner in symbols.iter_mut().flat_map(|symbol| symbol.corners.iter_mut()) {
        *corner = corner.map(|value| value * scale);
    }
    Preview { frame: small, symbols }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::{Scene, render_phone};

    fn until(receiver: &mut mpsc::UnboundedReceiver<ScanEvent>, wanted: impl Fn(&ScanEvent) -> bool) -> ScanEvent {
        loop {
            let event = receiver.blocking_recv().expect("the scanner goes on");
            if wanted(&event) {
                return event;
            }
        }
    }

    #[test]
    fn pushed_frames_go_the_same_way() {
        let (scanner, mut events) = Scanner::start(None);
        scanner.want_preview(true);
        scanner.feed().push(render_phone("131234567890123456", &Scene::default()).unwrap());
        let seen = until(&mut events, |event| matches!(event, ScanEvent::Seen(_)));
        assert!(matches!(seen, ScanEvent::Seen(reading) if reading.symbol.text == "131234567890123456"));
        let shown = until(&mut events, |event| matches!(event, ScanEvent::Preview(_)));
        assert!(matches!(shown, ScanEvent::Preview(preview) if preview.frame.width() <= PREVIEW_SIDE));
    }

    #[test]
    fn times_come_in_the_order_of_a_frame_s_way_and_only_when_they_are_wanted() {
        let (scanner, mut events) = Scanner::start(None);
        let frame = render_phone("131234567890123456", &Scene::default()).unwrap();
        scanner.feed().push(frame.clone());
        assert!(matches!(events.blocking_recv(), Some(ScanEvent::Seen(_))));
        scanner.want_times(true);
        scanner.feed().push(frame);
        let looked = until(&mut events, |event| matches!(event, ScanEvent::Looked(..)));
        let ScanEvent::Looked(times, symbols, passed_over) = looked else { unreachable!() };
        assert!(times.arrived <= times.ready && times.ready <= times.begun && times.begun <= times.done);
        assert_eq!(times.latency(), times.luma() + times.waited() + times.decoding());
        assert!(symbols >= 1 && passed_over == 0);
    }
}
