//! What a source of frames is: its name, the form of its frames, and what was set on it. Pure.

use std::fmt;

use serde::Serialize;

/// How a frame's pixels come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Pixels {
    /// Packed 4:2:2, uncompressed.
    Yuyv,
    /// A luma plane and a plane of colour, uncompressed.
    Nv12,
    /// One byte each.
    Grey,
    /// Three bytes each.
    Rgb,
    /// Three bytes each, blue first.
    Bgr,
    /// A JPEG for each frame.
    Mjpeg,
}

impl fmt::Display for Pixels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Yuyv => "YUYV",
            Self::Nv12 => "NV12",
            Self::Grey => "grey",
            Self::Rgb => "RGB",
            Self::Bgr => "BGR",
            Self::Mjpeg => "MJPEG",
        })
    }
}

/// The form of a camera's frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub struct Form {
    /// Pixels along a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Frames a second.
    pub rate: u32,
    /// How the pixels come.
    pub pixels: Pixels,
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{} at {}/s, {}", self.width, self.height, self.rate, self.pixels)
    }
}

/// What can be set on a camera so that it reads well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Control {
    /// How long each frame is lit.
    Exposure,
    /// That the frame rate does not fall in the dark.
    SteadyRate,
    /// How far away things are sharp.
    Focus,
}

impl Control {
    /// Its stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exposure => "exposure",
            Self::SteadyRate => "steady_rate",
            Self::Focus => "focus",
        }
    }
}

/// What became of a control.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Setting {
    /// The camera sees to it.
    Automatic,
    /// Set to a fixed value, since the camera cannot see to it.
    Fixed,
    /// The camera refused.
    Refused,
    /// The camera has no such control.
    Absent,
}

impl Setting {
    /// Its stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Automatic => "automatic",
            Self::Fixed => "fixed",
            Self::Refused => "refused",
            Self::Absent => "absent",
        }
    }
}

/// A control and what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub struct ControlReport {
    /// Which.
    pub control: Control,
    /// What became of it.
    pub setting: Setting,
}

impl fmt::Display for ControlReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.control, self.setting) {
            (Control::Exposure, Setting::Automatic) => "exposure is automatic",
            (Control::Exposure, Setting::Fixed) => "exposure is fixed at 10 ms: the camera cannot choose it",
            (Control::Exposure, Setting::Refused) => "exposure could not be set",
            (Control::Exposure, Setting::Absent) => "exposure cannot be set on this camera",
            (Control::SteadyRate, Setting::Refused) => {
                "the frame rate may fall in the dark: the camera refused to keep it"
            }
            (Control::SteadyRate, Setting::Absent) => {
                "whether the frame rate falls in the dark is the camera's own choice"
            }
            (Control::SteadyRate, _) => "the frame rate is kept in the dark",
            (Control::Focus, Setting::Automatic) => "focus is continuous",
            (Control::Focus, Setting::Fixed) => "focus is fixed near: the camera cannot follow",
            (Control::Focus, Setting::Refused) => "focus could not be set",
            (Control::Focus, Setting::Absent) => "focus cannot be set on this camera",
        })
    }
}

/// What a source is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct SourceFacts {
    /// The camera's name, or the recording's path.
    pub name: String,
    /// The form of a camera's frames.
    pub form: Option<Form>,
    /// What was set on it; nothing where this system gives no way to.
    pub controls: Vec<ControlReport>,
}
