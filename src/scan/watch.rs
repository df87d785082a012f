//! Keeps a source of frames going.
//!
//! A camera that is unplugged tends to block its driver's frame call for good. So that call has a thread of its own;
//! when no frame comes for [`SILENCE`], the thread is left to itself, the loss is told, and the camera is opened anew,
//! under whatever index it has by then.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::facts::SourceFacts;
use super::scanner::{ScanEvent, Shared, spawn};
use super::source::FrameSource;
use super::{SourceError, SourceSpec};

/// No frame for so long: the source is taken for lost.
const SILENCE: Duration = Duration::from_secs(2);
/// A driver may take this long to give its first frame: some cameras wake slowly.
const FIRST_SILENCE: Duration = Duration::from_secs(5);
/// How long to wait before a lost source is opened again; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(4);
/// How often it is looked whether the source still gives frames.
const LOOK_UP: Duration = Duration::from_millis(100);
/// So many damaged frames in a row, and the source is taken for lost.
const DAMAGED_ENOUGH: u32 = 30;

/// The source that is wanted, and how often that has changed.
#[derive(Debug, Clone)]
pub(super) struct Wish {
    pub turn: u64,
    pub spec: Option<SourceSpec>,
}

/// What a capture thread leaves for the watch: what it opened, when the last frame came, or why there is none.
#[derive(Default)]
struct Pulse {
    facts: Option<SourceFacts>,
    last: Option<Instant>,
    ended: Option<SourceError>,
    abandoned: bool,
}

type Opened = Result<Box<dyn FrameSource>, SourceError>;

/// Keeps a capture thread going for the wanted source, and starts another where it fell silent.
pub(super) fn watch(
    shared: &Arc<Shared>,
    wish: &Mutex<Wish>,
    open: impl Fn(&SourceSpec, Option<&str>) -> Opened + Clone + Send + 'static,
) {
    let wish = || wish.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let mut pause = FIRST_PAUSE;
    let (mut turn, mut told_absent) = (0, false);
    // What the camera was called: under that name it is found again.
    let mut had: Option<String> = None;
    while !shared.stopped() {
        let now = wish();
        if now.turn != turn {
            (turn, told_absent, pause, had) = (now.turn, false, FIRST_PAUSE, None);
        }
        let Some(spec) = now.spec else {
            thread::sleep(LOOK_UP);
            continue;
        };
        let pulse = Arc::new(Mutex::new(Pulse::default()));
        let (capturing, beat, opening, name) = (shared.clone(), pulse.clone(), open.clone(), had.clone());
        spawn("camera", move || capture(&capturing, &beat, || opening(&spec, name.as_deref())));
        let begun = Instant::now();
        let mut was_ready = false;
        let why = loop {
            thread::sleep(LOOK_UP);
            let mut pulse = pulse.lock().unwrap_or_else(PoisonError::into_inner);
            if shared.stopped() || wish().turn != turn {
                pulse.abandoned = true;
                break None;
            }
            if pulse.last.is_some() && !was_ready {
                was_ready = true;
                (told_absent, pause) = (false, FIRST_PAUSE);
                let facts = pulse.facts.clone().unwrap_or_default();
                had = Some(facts.name.clone()).filter(|name| !name.is_empty());
                shared.tell(ScanEvent::Ready(facts));
            }
            if let Some(error) = pulse.ended.take() {
                break Some(error);
            }
            let silence = if was_ready { SILENCE } else { FIRST_SILENCE };
            if pulse.last.unwrap_or(begun).elapsed() > silence {
                pulse.abandoned = true;
                break Some(SourceError::Silent);
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
        while Instant::now() < resume && !shared.stopped() && wish().turn == turn {
            thread::sleep(LOOK_UP);
        }
    }
}

fn capture(shared: &Shared, pulse: &Mutex<Pulse>, open: impl Fn() -> Opened) {
    let pulse = || pulse.lock().unwrap_or_else(PoisonError::into_inner);
    let mut source = match open() {
        Ok(source) => source,
        Err(error) => {
            pulse().ended = Some(error);
            return;
        }
    };
    pulse().facts = Some(source.facts());
    let mut damaged = 0;
    while !shared.stopped() && !pulse().abandoned {
        match source.next() {
            Ok(captured) => {
                damaged = 0;
                let mut pulse = pulse();
                // A thread that was given up on may wake up much later; its frame is nobody's then.
                if pulse.abandoned {
                    return;
                }
                pulse.last = Some(Instant::now());
                drop(pulse);
                shared.feed.put(captured);
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
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::sync::mpsc;

    use super::super::scanner::decode;
    use super::super::source::Captured;
    use super::*;
    use crate::scan::{Scene, render_phone};

    /// Gives three frames, then blocks for good, as a driver does whose camera was unplugged.
    struct Unplugged(u32);

    impl FrameSource for Unplugged {
        fn next(&mut self) -> Result<Captured, SourceError> {
            self.0 += 1;
            if self.0 > 3 {
                thread::sleep(Duration::from_secs(3_600));
            }
            thread::sleep(Duration::from_millis(20));
            Ok(Captured::now(render_phone("281234567890123456", &Scene::default())?))
        }

        fn facts(&self) -> SourceFacts {
            SourceFacts { name: "Counter camera".into(), ..SourceFacts::default() }
        }
    }

    fn running(
        open: impl Fn(&SourceSpec, Option<&str>) -> Opened + Clone + Send + 'static,
    ) -> (Arc<Shared>, mpsc::UnboundedReceiver<ScanEvent>) {
        let (shared, receiver) = Shared::new();
        let (decoding, watching) = (shared.clone(), shared.clone());
        spawn("scan", move || decode(&decoding));
        let wish = Mutex::new(Wish { turn: 0, spec: Some(SourceSpec::Device(0)) });
        spawn("watch", move || watch(&watching, &wish, open));
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

    const fn is_ready(event: &ScanEvent) -> bool {
        matches!(event, ScanEvent::Ready(_))
    }

    #[test]
    fn a_camera_that_blocks_for_good_is_given_up_and_comes_back_by_its_name() {
        let names: Arc<Mutex<Vec<Option<String>>>> = Arc::default();
        let asked = names.clone();
        let (shared, mut events) = running(move |_, had| {
            asked.lock().unwrap().push(had.map(str::to_owned));
            Ok(Box::new(Unplugged(0)))
        });
        until(&mut events, is_ready);
        until(&mut events, |event| matches!(event, ScanEvent::Seen(read) if read.symbol.text == "281234567890123456"));
        until(&mut events, |event| *event == ScanEvent::Lost(SourceError::Silent));
        until(&mut events, is_ready);
        assert_eq!(names.lock().unwrap()[..2], [None, Some("Counter camera".to_owned())]);
        shared.stop();
    }

    #[test]
    fn an_absent_camera_is_told_once_and_tried_again() {
        let opened = Arc::new(AtomicU32::new(0));
        let count = opened.clone();
        let (shared, mut events) = running(move |_, _| {
            // Twice there is none; then somebody plugs it in.
            if count.fetch_add(1, Ordering::Relaxed) < 2 {
                return Err(SourceError::NoCamera);
            }
            Ok(Box::new(Unplugged(0)))
        });
        let first = events.blocking_recv().unwrap();
        assert_eq!(first, ScanEvent::Absent(SourceError::NoCamera));
        let second = until(&mut events, |event| !matches!(event, ScanEvent::Seen(_)));
        assert!(is_ready(&second), "not told twice: {second:?}");
        shared.stop();
    }
}
