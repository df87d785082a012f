//! Cameras for the window: starts the scan room's reader, and turns what it tells into messages.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use iced::Task;
use iced::widget::image;
use tokio::sync::mpsc::UnboundedReceiver;

use super::screen::settings::Camera;
use super::widget::preview::CameraState;
use crate::payment::{CodeRule, PaymentCode};
use crate::scan::{Gate, Preview, ScanEvent, Scanner as Reader, Scene, SourceSpec, list_cameras, render_phone};

/// How often the training phone gives a frame.
const PHONE_FRAME: Duration = Duration::from_millis(120);
/// The longest that the training phone is held up, in case nobody takes it away.
const PHONE_FRAMES: u64 = 500;

/// A code's corners as shares of width and height, and whether it is a payment code.
pub type Outline = (Vec<(f32, f32)>, bool);

/// What a camera told.
#[derive(Debug, Clone)]
pub enum Heard {
    /// A code was read, once for each time it is held up.
    Code(String),
    /// What the camera is doing has changed.
    Camera(CameraState),
    /// What is seen: picture, width, height; and the outline of a code.
    Frame((image::Handle, u32, u32), Option<Outline>),
    /// The training phone was taken away.
    HeldDown,
    /// The cameras that can be chosen.
    Cameras(Vec<Camera>),
}

/// The reader, once started.
#[derive(Default)]
pub struct Scanner {
    reader: Option<Reader>,
    held_up: Option<Arc<AtomicBool>>,
}

impl Scanner {
    /// Starts to read: from what was given on the command line, else from the camera chosen in the settings (empty for
    /// none), else from the first.
    pub fn start(&mut self, chosen: Option<&str>, given: Option<SourceSpec>) -> Task<Heard> {
        let spec = given.or_else(|| spec_of(chosen));
        let off = spec.is_none();
        let (reader, events) = Reader::start(spec);
        reader.want_preview(true);
        self.reader = Some(reader);
        let state = if off { CameraState::Off } else { CameraState::Starting };
        Task::batch([Task::done(Heard::Camera(state)), Task::stream(heard(events))])
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

    /// Looks for cameras; drivers may take their time.
    pub fn list(&self) -> Task<Heard> {
        let look = || {
            let found = list_cameras().unwrap_or_else(|error| {
                tracing::info!(%error, "no cameras can be listed");
                Vec::new()
            });
            found.into_iter().map(|camera| Camera { name: camera.name, spec: camera.index.to_string() }).collect()
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

/// The reader's events as the window wants them; each code passes once until it was taken away.
fn heard(events: UnboundedReceiver<ScanEvent>) -> impl futures::Stream<Item = Heard> {
    let start = Instant::now();
    futures::stream::unfold((events, Gate::new()), move |(mut events, mut gate)| async move {
        loop {
            let heard = match events.recv().await? {
                ScanEvent::Seen(symbol) => {
                    let now = start.elapsed().as_millis() as u64;
                    if !gate.pass(&symbol.text, now) {
                        continue;
                    }
                    Heard::Code(symbol.text)
                }
                ScanEvent::Preview(preview) => shown(&preview),
                ScanEvent::Absent(why) => {
                    tracing::info!(%why, "no camera");
                    Heard::Camera(CameraState::None)
                }
                ScanEvent::Lost(why) => {
                    tracing::info!(%why, "camera lost");
                    Heard::Camera(CameraState::Lost)
                }
                ScanEvent::Ready => Heard::Camera(CameraState::Live),
            };
            return Some((heard, (events, gate)));
        }
    })
}

fn shown(preview: &Preview) -> Heard {
    let (width, height) = (preview.frame.width(), preview.frame.height());
    let pixels: Vec<u8> = preview.frame.luma().iter().flat_map(|grey| [*grey, *grey, *grey, 255]).collect();
    let outline = preview.symbols.first().map(|symbol| {
        let corners = symbol.corners.iter().map(|[x, y]| (x / width.max(1) as f32, y / height.max(1) as f32)).collect();
        (corners, PaymentCode::classify(&symbol.text, &CodeRule::published()).is_ok())
    });
    Heard::Frame((image::Handle::from_rgba(width, height, pixels), width, height), outline)
}
