//! Webcams, by `nokhwa`.

use nokhwa::Camera;
use nokhwa::pixel_format::LumaFormat;
use nokhwa::utils::{
    ApiBackend, CameraFormat, CameraIndex, FrameFormat, RequestedFormat, RequestedFormatType, Resolution,
};

use super::source::FrameSource;
use super::{GreyFrame, SourceError};

/// What is asked of a camera: enough pixels for a code held at arm's length, and enough frames to feel immediate.
const WANTED: (u32, u32, u32) = (1280, 720, 30);

/// A camera of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CameraInfo {
    /// Its index, for `--camera`.
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

/// Opens a camera. The driver may take its time, or for ever.
pub(super) fn open(index: u32) -> Result<Box<dyn FrameSource>, SourceError> {
    let failed = |error: nokhwa::NokhwaError| SourceError::Camera(error.to_string());
    let (width, height, rate) = WANTED;
    let wanted = CameraFormat::new(Resolution::new(width, height), FrameFormat::MJPEG, rate);
    let request = RequestedFormat::new::<LumaFormat>(RequestedFormatType::Closest(wanted));
    let mut camera = Camera::new(CameraIndex::Index(index), request).map_err(failed)?;
    camera.open_stream().map_err(failed)?;
    Ok(Box::new(Webcam(camera)))
}

struct Webcam(Camera);

impl FrameSource for Webcam {
    fn next(&mut self) -> Result<GreyFrame, SourceError> {
        let failed = |error: nokhwa::NokhwaError| SourceError::Camera(error.to_string());
        let buffer = self.0.frame().map_err(failed)?;
        let (width, height) = (buffer.resolution().width(), buffer.resolution().height());
        let bytes = buffer.buffer();
        // Luma without a detour by RGB where the camera sends it.
        let frame = match buffer.source_frame_format() {
            FrameFormat::MJPEG => GreyFrame::from_jpeg(bytes),
            FrameFormat::YUYV => GreyFrame::from_yuyv(width, height, bytes),
            FrameFormat::NV12 => GreyFrame::from_nv12(width, height, bytes),
            FrameFormat::GRAY => GreyFrame::new(width, height, width as usize, bytes),
            // The weights of red and blue change places; edges stay where they are.
            FrameFormat::RAWRGB | FrameFormat::RAWBGR => GreyFrame::from_rgb(width, height, bytes),
        };
        Ok(frame?)
    }
}
