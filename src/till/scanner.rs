//! Cameras for the window: starts the scan room's reader, and turns what it tells into messages.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use iced::Task;
use iced::widget::image;
use tokio::sync::mpsc::UnboundedReceiver;

use super::widget::preview::CameraState;
use crate::scan::{
    CameraInfo, Gate, Preview, ScanEvent, Scanner as Reader, Scene, SourceError, SourceFacts, SourceSpec, list_cameras,
    render_phone,
};

/// How often the training phone gives a frame.
const PHONE_FRAME: Duration = Duration::from_millis(120);
/// The longest that the training phone is held up, in case nobody takes it away.
const PHONE_FRAMES: u64 = 500;

/// A code in a picture: its corners as shares of width and height, and what it says.
#[derive(Debug, Clone, PartialEq)]
pub struct Outlined {
    /// Around it.
    pub corners: Vec<(f32, f32)>,
    /// Its text.
    pub text: String,
}

/// A camera that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Camera {
    /// What it is called.
    pub name: String,
    /// How it is chosen: a source's spelling; empty for none.
    pub spec: String,
}

/// What a camera told.
#[derive(Debug, Clone)]
pub enum Heard {
    /// A code was read at that moment, told once for each time it is held up.
    Code(String, Instant),
    /// What the camera is doing has changed.
    Camera(CameraState),
    /// It gives pictures, and this is what it is.
    Live(SourceFacts),
    /// What is seen: picture, width, height; and the codes in it.
    Frame((image::Handle, u32, u32), Vec<Outlined>),
    /// The training phone was taken away.
    HeldDown,
    /// The cameras that can be chosen.
    Cameras(Vec<Camera>),
}

/// The reader, once started.
#[derive(Default)]
pub struct Scanner {
    reader: Option<Reader>,
    mirror: Arc<AtomicBool>,
    held_up: Option<Arc<AtomicBool>>,
}

impl Scanner {
    /// Starts to read: from what was given on the command line, else from the camera chosen in the settings (empty for
    /// none), else from the first.
    pub fn start(&mut self, chosen: Option<&str>, given: Option<SourceSpec>) -> Task<Heard> {
        let spec = given.or_else(|| spec_of(chosen));
        let off = spec.is_none();
        let (reader, events) = Reader::start(spec);
        self.reader = Some(reader);
        let state = if off { CameraState::Off } else { CameraState::Starting };
        Task::batch([Task::done(Heard::Camera(state)), Task::stream(heard(events, self.mirror.clone()))])
    }

    /// Reads from another camera; empty for none.
    pub fn choose(&mut self, spec: &str) -> Task<Heard> {
        let spec = spec_of(Some(spec));
        let state = if spec.is_none() { CameraState::Off } else { CameraState::Starting };
        if let Some(reader) = &self.reader {
            reader.switch(spec);
        }
        Task::done(Heard::Camera(state))
    }

    /// Whether the picture is shown anywhere.
    pub fn want_preview(&self, wanted: bool) {
        if let Some(reader) = &self.reader {
            reader.want_preview(wanted);
        }
    }

    /// Whether the picture is shown as a mirror shows it.
    pub fn set_mirror(&self, on: bool) {
        self.mirror.store(on, Ordering::Relaxed);
    }

    /// Looks for cameras; drivers may take their time.
    pub fn list(&self) -> Task<Heard> {
        let look = || {
            let found = list_cameras().unwrap_or_else(|error| {
                tracing::info!(%error, "no cameras can be listed");
                Vec::new()
            });
            choices(&found)
        };
        Task::perform(async move { tokio::task::spawn_blocking(look).await }, |found| {
            Heard::Cameras(found.unwrap_or_default())
        })
    }

    /// Holds the training phone with this code up to the camera, or takes it away.
    pub fn hold_up(&mut self, code: Option<String>) -> Task<Heard> {
        self.take_away();
        let (Some(code), Some(reader)) = (code, &self.reader) else { return Task::none() };
        let held = Arc::new(AtomicBool::new(true));
        self.held_up = Some(held.clone());
        let feed = reader.feed();
        let hold = move || {
            for seed in 0..PHONE_FRAMES {
                if !held.load(Ordering::Relaxed) {
                    break;
                }
                // A hand is never quite still, and no picture is without noise.
                let tilt_degrees = (seed % 7) as f32 - 3.0;
                let scene = Scene { tilt_degrees, noise: 4.0, seed, ..Scene::default() };
                match render_phone(&code, &scene) {
                    Ok(frame) => feed.push(frame),
                    Err(error) => {
                        tracing::warn!(%error, "the training phone shows nothing");
                        break;
                    }
                }
                std::thread::sleep(PHONE_FRAME);
            }
            // The last frames are still on their way to the preview.
            std::thread::sleep(PHONE_FRAME);
        };
        Task::perform(async move { tokio::task::spawn_blocking(hold).await }, |_| Heard::HeldDown)
    }

    /// Takes the training phone away.
    pub fn take_away(&mut self) {
        if let Some(held) = self.held_up.take() {
            held.store(false, Ordering::Relaxed);
        }
    }
}

fn spec_of(chosen: Option<&str>) -> Option<SourceSpec> {
    match chosen {
        Some("") => None,
        Some(text) => Some(SourceSpec::parse(text).unwrap_or(SourceSpec::Device(0))),
        None => Some(SourceSpec::Device(0)),
    }
}

/// Cameras are chosen by their name, which stays when they are plugged in elsewhere; twins by their index.
fn choices(found: &[CameraInfo]) -> Vec<Camera> {
    let twins = |name: &str| found.iter().filter(|camera| camera.name == name).count() > 1;
    let spec = |camera: &CameraInfo| {
        if camera.name.is_empty() || twins(&camera.name) {
            SourceSpec::Device(camera.index)
        } else {
            SourceSpec::Camera(camera.name.clone())
        }
    };
    let name = |camera: &CameraInfo| {
        if twins(&camera.name) { format!("{} ({})", camera.name, camera.index) } else { camera.name.clone() }
    };
    found.iter().map(|camera| Camera { name: name(camera), spec: spec(camera).to_string() }).collect()
}

/// The reader's events as the window wants them; each code passes once until it was taken away.
fn heard(events: UnboundedReceiver<ScanEvent>, mirror: Arc<AtomicBool>) -> impl futures::Stream<Item = Heard> {
    let start = Instant::now();
    futures::stream::unfold((events, Gate::new(), mirror), move |(mut events, mut gate, mirror)| async move {
        loop {
            let heard = match events.recv().await? {
                ScanEvent::Seen(reading) => {
                    let now = start.elapsed().as_millis() as u64;
                    if !gate.pass(&reading.symbol.text, now) {
                        continue;
                    }
                    Heard::Code(reading.symbol.text, reading.times.done)
                }
                ScanEvent::Looked(..) => continue,
                ScanEvent::Preview(preview) => shown(&preview, mirror.load(Ordering::Relaxed)),
                ScanEvent::Absent(why) => {
                    tracing::info!(%why, "no camera");
                    Heard::Camera(match why {
                        SourceError::CameraBusy => CameraState::Busy,
                        SourceError::CameraForbidden => CameraState::Forbidden,
                        SourceError::NoCamera => CameraState::None,
                        _ => CameraState::Failed,
                    })
                }
                ScanEvent::Lost(why) => {
                    tracing::info!(%why, "camera lost");
                    Heard::Camera(CameraState::Lost)
                }
                ScanEvent::Ready(facts) => {
                    let form = facts.form.map(|form| form.to_string());
                    tracing::info!(name = %facts.name, ?form, "camera live");
                    facts.controls.iter().for_each(|control| tracing::info!("{control}"));
                    Heard::Live(facts)
                }
            };
            return Some((heard, (events, gate, mirror)));
        }
    })
}

fn shown(preview: &Preview, mirror: bool) -> Heard {
    let (width, height) = (preview.frame.width(), preview.frame.height());
    let mirrored = mirror.then(|| preview.frame.mirrored());
    let frame = mirrored.as_ref().unwrap_or(&preview.frame);
    let pixels: Vec<u8> = frame.luma().iter().flat_map(|grey| [*grey, *grey, *grey, 255]).collect();
    let place = |[x, y]: [f32; 2]| {
        let x = x / width.max(1) as f32;
        (if mirror { 1.0 - x } else { x }, y / height.max(1) as f32)
    };
    let outline = |symbol: &crate::scan::Symbol| Outlined {
        corners: symbol.corners.iter().copied().map(place).collect(),
        text: symbol.text.clone(),
    };
    let codes = preview.symbols.iter().map(outline).collect();
    Heard::Frame((image::Handle::from_rgba(width, height, pixels), width, height), codes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::{Format, GreyFrame, Symbol};

    #[test]
    fn a_camera_is_chosen_by_its_name_and_twins_by_their_index() {
        let camera = |index, name: &str| CameraInfo { index, name: name.into(), description: String::new() };
        let specs = |found: &[_]| choices(found).into_iter().map(|camera| camera.spec).collect::<Vec<_>>();
        assert_eq!(specs(&[camera(0, "Built-in"), camera(2, "C920")]), ["camera:Built-in", "camera:C920"]);
        assert_eq!(specs(&[camera(0, "C920"), camera(2, "C920"), camera(4, "")]), ["0", "2", "4"]);
        assert_eq!(choices(&[camera(0, "C920"), camera(2, "C920")])[1].name, "C920 (2)");
    }

    #[test]
    fn a_mirrored_preview_carries_its_outlines_along() {
        let frame = GreyFrame::new(4, 1, 4, &[0, 50, 100, 150]).unwrap();
        let symbol = Symbol {
            format: Format::Qr,
            text: "a".into(),
            bytes: b"a".to_vec(),
            corners: [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]],
            confidence: 1.0,
        };
        let preview = Preview { frame, symbols: vec![symbol] };
        let corner = |mirror| match shown(&preview, mirror) {
            Heard::Frame(_, codes) => codes[0].corners[1],
            _ => unreachable!(),
        };
        assert_eq!((corner(false), corner(true)), ((0.25, 0.0), (0.75, 0.0)));
        assert_eq!(preview.frame.mirrored().luma(), [150, 100, 50, 0]);
    }
}
