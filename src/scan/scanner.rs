//! The scanner: a thread that decodes the newest frame, and a thread it can do without that waits for the driver.
//!
//! A camera that is unplugged tends to block its driver's frame call for good. So that call has a thread of its own;
//! when no frame comes for [`SILENCE`], the thread is left to itself, the loss is told, and the camera is opened anew.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::source::FrameSource;
use super::{Decoder, FrameFeed, GreyFrame, SourceError, SourceSpec, Symbol};

/// No frame for so long: the source is taken for lost.
const SILENCE: Duration = Duration::from_secs(2);
/// How long to wait before a lost source is opened again; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(8);
/// How long the decoder waits for a frame before it looks whether it should end.
const LOOK_UP: Duration = Duration::from_millis(100);
/// Previews come no oftener than this.
const PREVIEW_EVERY: Duration = Duration::from_millis(66);
/// The longer side of a preview, in pixels.
const PREVIEW_SIDE: u32 = 480;
/// So many damaged frames in a row, and the source is taken for lost.
const DAMAGED_ENOUGH: u32 = 30;

/// A small picture of what the camera sees.
#[derive(Debug, Clone, PartialEq)]
pub struct Preview {
    /// The picture.
    pub frame: GreyFrame,
    /// What was read in it; corners in the preview's pixels.
    pub symbols: Vec<Symbol>,
}

/// What the scanner tells.
#[derive(Debug, Clone, PartialEq)]
pub enum ScanEvent {
    /// A symbol was read. It comes with every frame that shows it: see [`super::Gate`].
    Seen(Symbol),
    /// What the camera sees, while previews are wanted.
    Preview(Arc<Preview>),
    /// There is no such source, or it cannot be opened. Told once; it is tried again quietly.
    Absent(String),
    /// The source gave frames and stopped.
    Lost(String),
    /// The source gives frames (again).
    Ready,
}

/// What the threads share.
struct Shared {
    feed: FrameFeed,
    stopped: AtomicBool,
    preview: AtomicBool,
    events: mpsc::UnboundedSender<ScanEvent>,
}

/// Reads codes until it is dropped.
pub struct Scanner {
    shared: Arc<Shared>,
    spec: Arc<Mutex<(u64, Option<SourceSpec>)>>,
}

impl Scanner {
    /// Starts to read from a source, or from pushed frames alone; events come on the receiver.
    #[must_use]
    pub fn start(spec: Option<SourceSpec>) -> (Self, mpsc::UnboundedReceiver<ScanEvent>) {
        let (events, receiver) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            feed: FrameFeed::new(),
            stopped: AtomicBool::new(false),
            preview: AtomicBool::new(false),
            events,
        });
        let decoding = shared.clone();
        spawn("scan", move || decode(&decoding));
        let spec = Arc::new(Mutex::new((0, spec)));
        let (watching, wanted) = (shared.clone(), spec.clone());
        spawn("camera watch", move || watch(&watching, &wanted, SourceSpec::open));
        (Self { shared, spec }, receiver)
    }

    /// Reads from another source from now on.
    pub fn switch(&self, spec: Option<SourceSpec>) {
        let mut wanted = self.spec.lock().unwrap_or_else(PoisonError::into_inner);
        *wanted = (wanted.0 + 1, spec);
    }

    /// Whether previews are wanted.
    pub fn want_preview(&self, wanted: bool) {
        self.shared.preview.store(wanted, Ordering::Relaxed);
    }

    /// Where frames can be pushed beside the source's.
    #[must_use]
    pub fn feed(&self) -> FrameFeed {
        self.shared.feed.clone()
    }
}

impl Drop for Scanner {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::Relaxed);
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) {
    if let Err(error) = thread::Builder::new().name(name.to_owned()).spawn(work) {
        tracing::error!(%error, "no thread for the scanner");
    }
}

impl Shared {
    fn stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed) || self.events.is_closed()
    }

    fn tell(&self, event: ScanEvent) {
        // Nobody listens any more: the threads end at their next look.
        let _ = self.events.send(event);
    }
}

fn decode(shared: &Shared) {
    let mut decoder = Decoder::live();
    let mut previewed: Option<Instant> = None;
    while !shared.stopped() {
        let Some(frame) = shared.feed.take(LOOK_UP) else { continue };
        let symbols = decoder.decode(&frame);
        for symbol in &symbols {
            shared.tell(ScanEvent::Seen(symbol.clone()));
        }
        let due = previewed.is_none_or(|last| last.elapsed() >= PREVIEW_EVERY);
        if due && shared.preview.load(Ordering::Relaxed) {
            previewed = Some(Instant::now());
            shared.tell(ScanEvent::Preview(Arc::new(preview(&frame, symbols))));
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

/// What a capture thread leaves for the watch: when the last frame came, or why there is none.
#[derive(Default)]
struct Pulse {
    last: Option<Instant>,
    ended: Option<SourceError>,
    abandoned: bool,
}

type Opened = Result<Box<dyn FrameSource>, SourceError>;

/// Keeps a capture thread going for the wanted source, and starts another where it fell silent.
fn watch(
    shared: &Arc<Shared>,
    wanted: &Mutex<(u64, Option<SourceSpec>)>,
    open: impl Fn(&SourceSpec) -> Opened + Clone + Send + 'static,
) {
    let mut pause = FIRST_PAUSE;
    let (mut turn, mut told_absent) = (0, false);
    while !shared.stopped() {
        let (now, spec) = wanted.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if now != turn {
            (turn, told_absent, pause) = (now, false, FIRST_PAUSE);
        }
        let Some(spec) = spec else {
            thread::sleep(LOOK_UP);
            continue;
        };
        let pulse = Arc::new(Mutex::new(Pulse::default()));
        let (capturing, beat, opening) = (shared.clone(), pulse.clone(), open.clone());
        spawn("camera", move || capture(&capturing, &spec, &beat, opening));
        let begun = Instant::now();
        let mut was_ready = false;
        let why = loop {
            thread::sleep(LOOK_UP);
            let mut pulse = pulse.lock().unwrap_or_else(PoisonError::into_inner);
            let switched = wanted.lock().unwrap_or_else(PoisonError::into_inner).0 != turn;
            if shared.stopped() || switched {
                pulse.abandoned = true;
                break None;
            }
            if let Some(error) = pulse.ended.take() {
                break Some(error.to_string());
            }
            if pulse.last.is_some() && !was_ready {
                was_ready = true;
                (told_absent, pause) = (false, FIRST_PAUSE);
                shared.tell(ScanEvent::Ready);
            }
            if pulse.last.unwrap_or(begun).elapsed() > SILENCE {
                pulse.abandoned = true;
                break Some("it gives no frames".to_owned());
            }
        };
        let Some(why) = why else { continue };
        if was_ready {
            shared.tell(ScanEvent::Lost(why));
            told_absent = true;
        } else if !told_absent {
            told_absent = true;
            shared.tell(ScanEvent::Absent(why));
        }
        let resume = Instant::now() + pause;
        pause = (pause * 2).min(LONGEST_PAUSE);
        while Instant::now() < resume && !shared.stopped() {
            if wanted.lock().unwrap_or_else(PoisonError::into_inner).0 != turn {
                break;
            }
            thread::sleep(LOOK_UP);
        }
    }
}

fn capture(shared: &Shared, spec: &SourceSpec, pulse: &Mutex<Pulse>, open: impl Fn(&SourceSpec) -> Opened) {
    let pulse = || pulse.lock().unwrap_or_else(PoisonError::into_inner);
    let mut source = match open(spec) {
        Ok(source) => source,
        Err(error) => {
            pulse().ended = Some(error);
            return;
        }
    };
    let mut damaged = 0;
    while !shared.stopped() && !pulse().abandoned {
        match source.next() {
            Ok(frame) => {
                damaged = 0;
                let mut pulse = pulse();
                // A thread that was given up on may wake up much later; its frame is nobody's then.
                if pulse.abandoned {
                    return;
                }
                pulse.last = Some(Instant::now());
                drop(pulse);
                shared.feed.push(frame);
            }
            // One damaged frame is no reason to give up the camera.
            Err(SourceError::Frame(error)) if damaged < DAMAGED_ENOUGH => {
                damaged += 1;
                tracing::debug!(%error, "a frame was skipped");
            }
            Err(error) => {
                pulse().ended = Some(error);
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use super::*;
    use crate::scan::{Scene, render_phone};

    /// Gives three frames, then blocks for good, as a driver does whose camera was unplugged.
    struct Unplugged(u32);

    impl FrameSource for Unplugged {
        fn next(&mut self) -> Result<GreyFrame, SourceError> {
            self.0 += 1;
            if self.0 > 3 {
                thread::sleep(Duration::from_secs(3_600));
            }
            thread::sleep(Duration::from_millis(20));
            Ok(render_phone("281234567890123456", &Scene::default())?)
        }
    }

    fn running(
        open: impl Fn(&SourceSpec) -> Opened + Clone + Send + 'static,
    ) -> (Arc<Shared>, mpsc::UnboundedReceiver<ScanEvent>) {
        let (events, receiver) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            feed: FrameFeed::new(),
            stopped: AtomicBool::new(false),
            preview: AtomicBool::new(false),
            events,
        });
        let (decoding, watching) = (shared.clone(), shared.clone());
        spawn("scan", move || decode(&decoding));
        spawn("watch", move || watch(&watching, &Mutex::new((0, Some(SourceSpec::Device(0)))), open));
        (shared, receiver)
    }

    fn until(receiver: &mut mpsc::UnboundedReceiver<ScanEvent>, wanted: impl Fn(&ScanEvent) -> bool) -> ScanEvent {
        loop {
            let event = receiver.blocking_recv().expect("the scanner goes on");
            if wanted(&event) {
                return event;
            }
        }
    }

    #[test]
    fn a_camera_that_blocks_for_good_is_given_up_and_comes_back() {
        let opened = Arc::new(AtomicU32::new(0));
        let count = opened.clone();
        let (shared, mut events) = running(move |_| {
            count.fetch_add(1, Ordering::Relaxed);
            Ok(Box::new(Unplugged(0)))
        });
        until(&mut events, |event| *event == ScanEvent::Ready);
        until(&mut events, |event| matches!(event, ScanEvent::Seen(symbol) if symbol.text == "281234567890123456"));
        until(&mut events, |event| matches!(event, ScanEvent::Lost(_)));
        until(&mut events, |event| *event == ScanEvent::Ready);
        assert!(opened.load(Ordering::Relaxed) >= 2);
        shared.stopped.store(true, Ordering::Relaxed);
    }

    #[test]
    fn an_absent_camera_is_told_once_and_tried_again() {
        let opened = Arc::new(AtomicU32::new(0));
        let count = opened.clone();
        let (shared, mut events) = running(move |_| {
            // Twice there is none; then somebody plugs it in.
            if count.fetch_add(1, Ordering::Relaxed) < 2 {
                return Err(SourceError::Camera("no such device".into()));
            }
            Ok(Box::new(Unplugged(0)))
        });
        let first = events.blocking_recv().unwrap();
        assert!(matches!(first, ScanEvent::Absent(_)), "{first:?}");
        let second = until(&mut events, |event| !matches!(event, ScanEvent::Seen(_)));
        assert_eq!(second, ScanEvent::Ready, "not told twice");
        shared.stopped.store(true, Ordering::Relaxed);
    }

    #[test]
    fn pushed_frames_go_the_same_way() {
        let (scanner, mut events) = Scanner::start(None);
        scanner.want_preview(true);
        scanner.feed().push(render_phone("131234567890123456", &Scene::default()).unwrap());
        let seen = until(&mut events, |event| matches!(event, ScanEvent::Seen(_)));
        assert!(matches!(seen, ScanEvent::Seen(symbol) if symbol.text == "131234567890123456"));
        let shown = until(&mut events, |event| matches!(event, ScanEvent::Preview(_)));
        assert!(matches!(shown, ScanEvent::Preview(preview) if preview.frame.width() <= PREVIEW_SIDE));
    }
}
