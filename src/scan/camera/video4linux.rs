//! What nokhwa does not tell of a Linux camera: which nodes capture, all forms they offer, and the controls of exposure
//! and focus.

use std::io;

use v4l::capability::Flags;
use v4l::control::{self, Type, Value};
use v4l::frameinterval::FrameIntervalEnum;
use v4l::framesize::FrameSizeEnum;
use v4l::video::Capture;
use v4l::video::capture::Parameters;
use v4l::{Device, Format, FourCC};

use super::controls::{Offer, carry_out, plan};
use super::{CameraInfo, form};
use crate::scan::SourceError;
use crate::scan::facts::{ControlReport, Form, Pixels};

/// Sizes to ask for where a driver takes any.
const SIZES: [(u32, u32); 4] = [(1280, 720), (1920, 1080), (800, 600), (640, 480)];
/// The rate to ask for where a driver takes any.
const RATE: u32 = 30;

/// The nodes that capture pictures. A webcam has a second one for data about its frames, which gives none.
pub fn list() -> Vec<CameraInfo> {
    let mut found: Vec<CameraInfo> = v4l::context::enum_devices()
        .into_iter()
        .filter_map(|node| {
            let name = node.name().unwrap_or_else(|| node.path().display().to_string());
            // A camera that this user may not open is still one: the sentence about it comes when it is chosen.
            let capabilities = Device::with_path(node.path()).and_then(|device| device.query_caps());
            if capabilities.is_ok_and(|caps| !caps.capabilities.contains(Flags::VIDEO_CAPTURE)) {
                return None;
            }
            let index = u32::try_from(node.index()).ok()?;
            Some(CameraInfo { index, name, description: node.path().display().to_string() })
        })
        .collect();
    found.sort_by_key(|camera| camera.index);
    found
}

/// The camera made ready: its best form chosen and set. It keeps it when it is opened again.
pub fn prepare(index: u32) -> Result<Form, SourceError> {
    let device = open(index)?;
    let offered = forms(&device).map_err(|error| SourceError::Camera(error.to_string()))?;
    let none = || SourceError::Camera("it offers no form of pictures that can be read here".to_owned());
    let best = form::best(&offered).ok_or_else(none)?;
    let refused = |error: io::Error| match error.raw_os_error() {
        Some(EBUSY) => SourceError::CameraBusy,
        _ => SourceError::Camera(error.to_string()),
    };
    device.set_format(&Format::new(best.width, best.height, fourcc(best.pixels))).map_err(refused)?;
    // Some drivers have one rate and no way to ask for it.
    if let Err(error) = device.set_params(&Parameters::with_fps(best.rate)) {
        tracing::debug!(%error, "the camera keeps its own rate");
    }
    Ok(best)
}

/// The bytes from one row to the next, which may be more than the pixels need.
pub fn stride(index: u32) -> Option<usize> {
    let format = open(index).ok()?.format().ok()?;
    usize::try_from(format.stride).ok().filter(|stride| *stride > 0)
}

/// Sets exposure and focus. A second handle to a camera that streams may do that.
pub fn set_controls(index: u32) -> Vec<ControlReport> {
    let Ok(device) = open(index) else { return Vec::new() };
    let offers: Vec<Offer> = device.query_controls().unwrap_or_default().iter().filter_map(offer).collect();
    carry_out(&plan(&offers), |id, value| {
        let switch = offers.iter().any(|offer| offer.id == id && offer.switch);
        let value = if switch { Value::Boolean(value != 0) } else { Value::Integer(value) };
        let written = device.set_control(control::Control { id, value });
        if let Err(error) = &written {
            tracing::debug!(%error, id, "the camera refused a setting");
        }
        written.is_ok()
    })
}

const ENOENT: i32 = 2;
const ENXIO: i32 = 6;
const EACCES: i32 = 13;
const EBUSY: i32 = 16;
const ENODEV: i32 = 19;

fn open(index: u32) -> Result<Device, SourceError> {
    Device::new(index as usize).map_err(|error| match error.raw_os_error() {
        Some(ENOENT | ENXIO | ENODEV) => SourceError::NoCamera,
        Some(EACCES) => SourceError::CameraForbidden,
        Some(EBUSY) => SourceError::CameraBusy,
        _ => SourceError::Camera(error.to_string()),
    })
}

fn forms(device: &Device) -> io::Result<Vec<Form>> {
    let mut forms = Vec::new();
    for format in device.enum_formats()? {
        let Some(pixels) = pixels(format.fourcc) else { continue };
        let mut sizes = Vec::new();
        for size in device.enum_framesizes(format.fourcc).unwrap_or_default() {
            match size.size {
                FrameSizeEnum::Discrete(size) => sizes.push((size.width, size.height)),
                FrameSizeEnum::Stepwise(range) => sizes.extend(SIZES.iter().copied().filter(|(width, height)| {
                    (range.min_width..=range.max_width).contains(width)
                        && (range.min_height..=range.max_height).contains(height)
                })),
            }
        }
        for (width, height) in sizes {
            let rates = device.enum_frameintervals(format.fourcc, width, height).unwrap_or_default();
            let mut form = |rate| forms.push(Form { width, height, rate, pixels });
            if rates.is_empty() {
                form(RATE);
            }
            for interval in rates {
                match interval.interval {
                    // nokhwa takes whole rates only.
                    FrameIntervalEnum::Discrete(time) if time.numerator == 1 => form(time.denominator),
                    FrameIntervalEnum::Discrete(_) => {}
                    FrameIntervalEnum::Stepwise(_) => form(RATE),
                }
            }
        }
    }
    Ok(forms)
}

fn pixels(fourcc: FourCC) -> Option<Pixels> {
    match &fourcc.repr {
        b"YUYV" => Some(Pixels::Yuyv),
        b"NV12" => Some(Pixels::Nv12),
        b"MJPG" => Some(Pixels::Mjpeg),
        b"RGB3" => Some(Pixels::Rgb),
        b"BGR3" => Some(Pixels::Bgr),
        _ => None,
    }
}

fn fourcc(pixels: Pixels) -> FourCC {
    FourCC::new(match pixels {
        Pixels::Yuyv => b"YUYV",
        Pixels::Nv12 => b"NV12",
        Pixels::Mjpeg => b"MJPG",
        Pixels::Rgb => b"RGB3",
        Pixels::Bgr => b"BGR3",
        Pixels::Grey => b"GREY",
    })
}

fn offer(control: &control::Description) -> Option<Offer> {
    use control::Flags as F;
    if control.flags.intersects(F::DISABLED | F::READ_ONLY) || control.typ == Type::CtrlClass {
        return None;
    }
    let menu = control.items.iter().flatten().map(|(index, _)| i64::from(*index)).collect();
    let (least, most) = (control.minimum, control.maximum);
    Some(Offer { id: control.id, least, most, menu, switch: control.typ == Type::Boolean })
}
