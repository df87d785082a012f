//! Webcams, by `nokhwa`; on Linux with `v4l` for what it leaves out.

mod controls;
mod form;
#[cfg(target_os = "linux")]
mod video4linux;

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use nokhwa::Camera;
use nokhwa::utils::{
    ApiBackend, CameraFormat, CameraIndex, FrameFormat, RequestedFormat, RequestedFormatType, Resolution, frame_formats,
};

use super::facts::{ControlReport, Form, Pixels, SourceFacts};
use super::source::{Captured, FrameSource};
use super::{GreyFrame, SourceError};

/// A driver's clock that says more than this is not taken at its word.
const LONGEST_AGE: Duration = Duration::from_secs(1);

/// A camera of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CameraInfo {
    /// Its index, for `--camera`. Another one when it was plugged in again, perhaps.
    pub index: u32,
    /// What it calls itself.
    pub name: String,
    /// What the system says of it.
    pub description: String,
}

/// Why the cameras cannot be listed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the cameras cannot be listed: {0}")]
pub struct CameraError(String);

/// The cameras of this machine; none is no error.
///
/// # Errors
/// The system refuses.
#[cfg(target_os = "linux")]
#[allow(clippy::unnecessary_wraps)] // Other systems can refuse.
pub fn list_cameras() -> Result<Vec<CameraInfo>, CameraError> {
    Ok(video4linux::list())
}

/// The cameras of this machine; none is no error.
///
/// # Errors
/// The system refuses.
#[cfg(not(target_os = "linux"))]
pub fn list_cameras() -> Result<Vec<CameraInfo>, CameraError> {
    let found = nokhwa::query(ApiBackend::Auto).map_err(|error| CameraError(error.to_string()))?;
    Ok(found
        .iter()
        .filter_map(|camera| {
            Some(CameraInfo {
                index: camera.index().as_index().ok()?,
                name: camera.human_name(),
                description: camera.description().to_owned(),
            })
        })
        .collect())
}

/// Which camera is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted<'a> {
    /// The one of that index. Where it was open before under that name and is there again under another index, that one.
    Index(u32, Option<&'a str>),
    /// The first of that name.
    Name(&'a str),
}

/// The camera to open among those that are there: hot-plugging gives a camera another index, its name stays. The first
/// camera stands for index 0.
fn pick(wanted: Wanted<'_>, present: &[CameraInfo]) -> Option<u32> {
    let named = |name: &str| present.iter().find(|camera| camera.name == name).map(|camera| camera.index);
    match wanted {
        Wanted::Name(name) => named(name),
        Wanted::Index(index, had) => {
            let at_index = present.iter().find(|camera| camera.index == index);
            let same = had.and_then(|name| at_index.filter(|camera| camera.name == name).map(|camera| camera.index));
            same.or_else(|| had.and_then(named))
                .or_else(|| at_index.map(|camera| camera.index))
                .or_else(|| if index == 0 { present.first().map(|camera| camera.index) } else { None })
        }
    }
}

/// Opens a camera. The driver may take its time, or for ever.
pub(super) fn open(wanted: Wanted<'_>) -> Result<Box<dyn FrameSource>, SourceError> {
    let present = list_cameras().map_err(|error| SourceError::Camera(error.to_string()))?;
    let index = pick(wanted, &present).ok_or(SourceError::NoCamera)?;
    let name = present.into_iter().find(|camera| camera.index == index).map_or_else(String::new, |camera| camera.name);
    let (mut camera, stride) = at_best(index)?;
    camera.open_stream().map_err(failed)?;
    let got = camera.camera_format();
    let form = Form { width: got.width(), height: got.height(), rate: got.frame_rate(), pixels: pixels(got.format()) };
    let facts = SourceFacts { name, form: Some(form), controls: set_controls(index) };
    Ok(Box::new(Webcam { camera, stride, facts }))
}

/// The camera in its best form, and its bytes from one row to the next where they are known.
#[cfg(target_os = "linux")]
fn at_best(index: u32) -> Result<(Camera, Option<usize>), SourceError> {
    // nokhwa opens only a camera whose present form it knows: so the form is set before.
    let form = video4linux::prepare(index)?;
    let format = CameraFormat::new(Resolution::new(form.width, form.height), frame_format(form.pixels), form.rate);
    let request = RequestedFormat::with_formats(RequestedFormatType::Exact(format), frame_formats());
    let exact = Camera::with_backend(CameraIndex::Index(index), request, ApiBackend::Video4Linux);
    let camera = exact.or_else(|_| {
        // A driver that has its own idea of the rate: as it comes.
        let any = RequestedFormat::with_formats(RequestedFormatType::None, frame_formats());
        Camera::with_backend(CameraIndex::Index(index), any, ApiBackend::Video4Linux)
    });
    Ok((camera.map_err(failed)?, video4linux::stride(index)))
}

/// The camera in its best form, and its bytes from one row to the next where they are known.
#[cfg(not(target_os = "linux"))]
fn at_best(index: u32) -> Result<(Camera, Option<usize>), SourceError> {
    let any = RequestedFormat::with_formats(RequestedFormatType::None, frame_formats());
    let mut camera = Camera::new(CameraIndex::Index(index), any).map_err(failed)?;
    let offered: Vec<Form> = camera
        .compatible_camera_formats()
        .map_err(failed)?
        .iter()
        .map(|format| Form {
            width: format.width(),
            height: format.height(),
            rate: format.frame_rate(),
            pixels: pixels(format.format()),
        })
        .collect();
    if let Some(best) = form::best(&offered) {
        let format = CameraFormat::new(Resolution::new(best.width, best.height), frame_format(best.pixels), best.rate);
        camera.set_camera_format(format).map_err(failed)?;
    }
    Ok((camera, None))
}

#[cfg(target_os = "linux")]
fn set_controls(index: u32) -> Vec<ControlReport> {
    video4linux::set_controls(index)
}

/// Exposure and focus stay as the system has them: its ways to set them could not be tried.
#[cfg(not(target_os = "linux"))]
fn set_controls(_: u32) -> Vec<ControlReport> {
    Vec::new()
}

#[allow(clippy::needless_pass_by_value)] // For `map_err`.
fn failed(error: nokhwa::NokhwaError) -> SourceError {
    SourceError::Camera(error.to_string())
}

const fn pixels(format: FrameFormat) -> Pixels {
    match format {
        FrameFormat::MJPEG => Pixels::Mjpeg,
        FrameFormat::YUYV => Pixels::Yuyv,
        FrameFormat::NV12 => Pixels::Nv12,
        FrameFormat::GRAY => Pixels::Grey,
        FrameFormat::RAWRGB => Pixels::Rgb,
        FrameFormat::RAWBGR => Pixels::Bgr,
    }
}

const fn frame_format(pixels: Pixels) -> FrameFormat {
    match pixels {
        Pixels::Mjpeg => FrameFormat::MJPEG,
        Pixels::Yuyv => FrameFormat::YUYV,
        Pixels::Nv12 => FrameFormat::NV12,
        Pixels::Grey => FrameFormat::GRAY,
        Pixels::Rgb => FrameFormat::RAWRGB,
        Pixels::Bgr => FrameFormat::RAWBGR,
    }
}

struct Webcam {
    camera: Camera,
    stride: Option<usize>,
    facts: SourceFacts,
}

impl FrameSource for Webcam {
    fn next(&mut self) -> Result<Captured, SourceError> {
        let buffer = self.camera.frame().map_err(failed)?;
        let arrived = Instant::now();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let age = buffer.capture_timestamp().and_then(|at| now.checked_sub(at)).filter(|age| *age < LONGEST_AGE);
        let (width, height) = (buffer.resolution().width(), buffer.resolution().height());
        let (bytes, pixels) = (buffer.buffer(), pixels(buffer.source_frame_format()));
        let stride = |per_pixel: usize| self.stride.unwrap_or(0).max(width as usize * per_pixel);
        let frame = match pixels {
            Pixels::Mjpeg => GreyFrame::from_jpeg(bytes),
            Pixels::Yuyv => GreyFrame::from_yuyv(width, height, stride(2), bytes),
            Pixels::Nv12 => GreyFrame::from_nv12(width, height, stride(1), bytes),
            Pixels::Grey => GreyFrame::new(width, height, stride(1), bytes),
            Pixels::Rgb => GreyFrame::from_rgb(width, height, stride(3), bytes),
            Pixels::Bgr => GreyFrame::from_bgr(width, height, stride(3), bytes),
        }?;
        Ok(Captured { age, ..Captured::since(arrived, frame) })
    }

    fn facts(&self) -> SourceFacts {
        self.facts.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn camera(index: u32, name: &str) -> CameraInfo {
        CameraInfo { index, name: name.into(), description: String::new() }
    }

    #[test]
    fn a_camera_that_was_plugged_in_again_is_found_under_its_other_index() {
        let present = [camera(0, "Built-in"), camera(4, "Counter")];
        assert_eq!(pick(Wanted::Index(2, Some("Counter")), &present), Some(4));
        assert_eq!(pick(Wanted::Name("Counter"), &present), Some(4));
        assert_eq!(pick(Wanted::Index(0, Some("Counter")), &present), Some(4), "another one took its index");
        assert_eq!(pick(Wanted::Index(0, Some("Gone")), &present), Some(0), "a new camera in its place");
    }

    #[test]
    fn index_0_is_the_first_camera_and_another_index_is_itself_or_none() {
        let present = [camera(2, "Counter")];
        assert_eq!(pick(Wanted::Index(0, None), &present), Some(2));
        assert_eq!(pick(Wanted::Index(1, None), &present), None);
        assert_eq!(pick(Wanted::Index(2, None), &present), Some(2));
        assert_eq!(pick(Wanted::Name("Built-in"), &present), None);
        assert_eq!(pick(Wanted::Index(0, None), &[]), None);
        let twins = [camera(0, "Webcam"), camera(2, "Webcam")];
        assert_eq!(pick(Wanted::Index(2, Some("Webcam")), &twins), Some(2), "twins are told apart by their index");
    }
}
