//! Where frames come from: a camera, recorded pictures, recorded video, or frames that are pushed.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::facts::SourceFacts;
use super::frame::limits;
use super::{FrameError, GreyFrame};

/// How often recorded frames come, a second, where the recording does not say: as a camera's do.
const RECORDED_RATE: f64 = 30.0;
/// No recording is faster.
const FASTEST: f64 = 240.0;
/// The longest line of a Y4M header.
const MAX_HEADER: u64 = 4_096;
/// How a JPEG begins.
const JPEG: [u8; 2] = [0xff, 0xd8];
/// No compressed frame is larger.
const MAX_JPEG: usize = 32 << 20;

/// Where frames come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceSpec {
    /// The camera of that index.
    Device(u32),
    /// The first camera of that name, whatever index it has.
    Camera(String),
    /// The pictures of a folder, in name order, again and again.
    Frames(PathBuf),
    /// A recorded video (Y4M or MJPEG), again and again.
    Video(PathBuf),
}

/// Why a source gives no frames.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// Not a source's name.
    #[error("{0:?} is no camera: write a device index such as 0, camera:NAME, frames:DIR or video:FILE")]
    Spec(String),
    /// Files cannot be read.
    #[error("{path} cannot be read: {problem}")]
    File {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// A frame is damaged.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// There is no such camera, or it was unplugged.
    #[error("there is no such camera")]
    NoCamera,
    /// Another program has it.
    #[error("another program uses the camera")]
    CameraBusy,
    /// The system keeps it from this user.
    #[error("this user may not use the camera: add the user to the group `video` and log in again")]
    CameraForbidden,
    /// It gives nothing, and no error either.
    #[error("it gives no frames")]
    Silent,
    /// What the driver says.
    #[error("the camera cannot be used: {0}")]
    Camera(String),
}

impl FromStr for SourceSpec {
    type Err = SourceError;

    fn from_str(text: &str) -> Result<Self, SourceError> {
        let wrong = || SourceError::Spec(text.to_owned());
        let path = |path: &str| if path.is_empty() { Err(wrong()) } else { Ok(PathBuf::from(path)) };
        match text.split_once(':') {
            Some(("camera", "")) => Err(wrong()),
            Some(("camera", name)) => Ok(Self::Camera(name.to_owned())),
            Some(("frames", folder)) => path(folder).map(Self::Frames),
            Some(("video", file)) => path(file).map(Self::Video),
            Some(_) => Err(wrong()),
            None => text.parse().map(Self::Device).map_err(|_| wrong()),
        }
    }
}

impl SourceSpec {
    /// Reads a source's name: a device index, `camera:NAME`, `frames:DIR` or `video:FILE`.
    ///
    /// # Errors
    /// [`SourceError::Spec`].
    pub fn parse(text: &str) -> Result<Self, SourceError> {
        text.parse()
    }

    /// Opens it. A camera's driver may take its time, or for ever: never call this where somebody waits. `had` is what
    /// the camera was called when it was open before.
    pub(super) fn open(&self, had: Option<&str>) -> Result<Box<dyn FrameSource>, SourceError> {
        #[cfg(feature = "till")]
        use super::camera::{self, Wanted};
        match self {
            #[cfg(feature = "till")]
            Self::Device(index) => camera::open(Wanted::Index(*index, had)),
            #[cfg(feature = "till")]
            Self::Camera(name) => camera::open(Wanted::Name(name)),
            #[cfg(not(feature = "till"))]
            Self::Device(_) | Self::Camera(_) => {
                let _ = had;
                Err(SourceError::Camera("this build reads no cameras".into()))
            }
            Self::Frames(folder) => Frames::open(folder).map(|frames| Box::new(frames) as Box<dyn FrameSource>),
            Self::Video(file) => Video::open(file).map(|video| Box::new(video) as Box<dyn FrameSource>),
        }
    }
}

impl std::fmt::Display for SourceSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Device(index) => write!(f, "{index}"),
            Self::Camera(name) => write!(f, "camera:{name}"),
            Self::Frames(folder) => write!(f, "frames:{}", folder.display()),
            Self::Video(file) => write!(f, "video:{}", file.display()),
        }
    }
}

/// A frame, and when it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Captured {
    /// The picture.
    pub frame: GreyFrame,
    /// When its bytes were in the program's hands; turning them to luma comes after.
    pub arrived: Instant,
    /// When its luma was ready.
    pub ready: Instant,
    /// How old it was then, by the driver's clock, where the driver tells.
    pub age: Option<Duration>,
}

impl Captured {
    /// A frame that is ready now and arrived before.
    pub fn since(arrived: Instant, frame: GreyFrame) -> Self {
        Self { frame, arrived, ready: Instant::now(), age: None }
    }

    /// A frame that needs no more work.
    pub fn now(frame: GreyFrame) -> Self {
        Self::since(Instant::now(), frame)
    }
}

/// Gives one frame after another. A call may block; the scanner runs it on a thread that it can do without.
pub(super) trait FrameSource {
    /// The next frame.
    fn next(&mut self) -> Result<Captured, SourceError>;

    /// What the source is.
    fn facts(&self) -> SourceFacts;
}

/// Frames pushed from elsewhere, such as the training phone's: the newest wins.
#[derive(Clone, Default)]
pub struct FrameFeed {
    shared: Arc<(Mutex<Slot>, Condvar)>,
}

/// The newest frame, and how many it has displaced since the last look.
#[derive(Default)]
struct Slot {
    newest: Option<Captured>,
    passed_over: u32,
}

impl FrameFeed {
    /// A feed with nothing in it.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Shows a frame, in the place of one that was not looked at yet.
    pub fn push(&self, frame: GreyFrame) {
        self.put(Captured::now(frame));
    }

    pub(super) fn put(&self, captured: Captured) {
        let mut slot = self.shared.0.lock().unwrap_or_else(PoisonError::into_inner);
        if slot.newest.replace(captured).is_some() {
            slot.passed_over += 1;
        }
        drop(slot);
        self.shared.1.notify_all();
    }

    /// The newest frame, waiting for one so long, and how many frames nobody looked at since the last one taken.
    pub(super) fn take(&self, wait: Duration) -> Option<(Captured, u32)> {
        let held = self.shared.0.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = self.shared.1.wait_timeout_while(held, wait, |slot| slot.newest.is_none());
        let mut slot = waiting.unwrap_or_else(PoisonError::into_inner).0;
        let newest = slot.newest.take()?;
        Some((newest, std::mem::take(&mut slot.passed_over)))
    }
}

/// Keeps a recorded source to its rate.
struct Pace {
    next: Instant,
    every: Duration,
}

impl Pace {
    /// So many frames a second.
    fn new(rate: f64) -> Self {
        let rate = if rate.is_finite() { rate.clamp(1.0, FASTEST) } else { RECORDED_RATE };
        Self { next: Instant::now(), every: Duration::from_secs_f64(1.0 / rate) }
    }

    fn wait(&mut self) {
        let now = Instant::now();
        std::thread::sleep(self.next.saturating_duration_since(now));
        self.next = self.next.max(now) + self.every;
    }
}

struct Frames {
    folder: PathBuf,
    files: Vec<PathBuf>,
    at: usize,
    pace: Pace,
}

impl Frames {
    fn open(folder: &Path) -> Result<Self, SourceError> {
        let failed = |problem: String| SourceError::File { path: folder.to_owned(), problem };
        let mut files = Vec::new();
        for entry in fs::read_dir(folder).map_err(|error| failed(error.to_string()))? {
            let path = entry.map_err(|error| failed(error.to_string()))?.path();
            let kind = path.extension().and_then(|kind| kind.to_str()).unwrap_or("").to_ascii_lowercase();
            if matches!(kind.as_str(), "png" | "jpg" | "jpeg") {
                files.push(path);
            }
        }
        if files.is_empty() {
            return Err(failed("there is no JPEG or PNG in it".into()));
        }
        files.sort();
        Ok(Self { folder: folder.to_owned(), files, at: 0, pace: Pace::new(RECORDED_RATE) })
    }
}

impl FrameSource for Frames {
    fn next(&mut self) -> Result<Captured, SourceError> {
        self.pace.wait();
        let path = &self.files[self.at % self.files.len()];
        self.at += 1;
        let failed = |problem: String| SourceError::File { path: path.clone(), problem };
        let bytes = fs::read(path).map_err(|error| failed(error.to_string()))?;
        // A JPEG comes as from a camera; no camera sends PNGs, so reading one is no part of the time.
        if bytes.starts_with(&JPEG) {
            let arrived = Instant::now();
            let frame = GreyFrame::from_jpeg(&bytes).map_err(|error| failed(error.to_string()))?;
            return Ok(Captured::since(arrived, frame));
        }
        let mut reader = image::ImageReader::new(std::io::Cursor::new(&bytes))
            .with_guessed_format()
            .map_err(|error| failed(error.to_string()))?;
        reader.limits(limits());
        let picture = reader.decode().map_err(|error| failed(error.to_string()))?;
        Ok(Captured::now(GreyFrame::from_image(picture)?))
    }

    fn facts(&self) -> SourceFacts {
        SourceFacts { name: self.folder.display().to_string(), ..SourceFacts::default() }
    }
}

struct Video {
    path: PathBuf,
    stream: Stream,
    pace: Pace,
}

enum Stream {
    /// YUV4MPEG2: luma plane, then `chroma` bytes of colour.
    Y4m { reader: BufReader<File>, width: u32, height: u32, chroma: usize },
    /// JPEGs one after another.
    Mjpeg { reader: BufReader<File> },
}

impl Video {
    fn open(path: &Path) -> Result<Self, SourceError> {
        let failed = |problem: String| SourceError::File { path: path.to_owned(), problem };
        let file = File::open(path).map_err(|error| failed(error.to_string()))?;
        let mut reader = BufReader::new(file);
        let head = reader.fill_buf().map_err(|error| failed(error.to_string()))?;
        let mut rate = RECORDED_RATE;
        let stream = if head.starts_with(b"YUV4MPEG2") {
            let mut line = String::new();
            reader.by_ref().take(MAX_HEADER).read_line(&mut line).map_err(|error| failed(error.to_string()))?;
            let (width, height, chroma) =
                y4m_header(&line).ok_or_else(|| failed("its Y4M header is not understood".into()))?;
            rate = y4m_rate(&line).unwrap_or(RECORDED_RATE);
            Stream::Y4m { reader, width, height, chroma }
        } else if head.starts_with(&JPEG) {
            Stream::Mjpeg { reader }
        } else {
            return Err(failed("it is neither Y4M nor MJPEG".into()));
        };
        Ok(Self { path: path.to_owned(), stream, pace: Pace::new(rate) })
    }
}

/// Width, height and the bytes of colour to a frame. 8-bit forms only.
fn y4m_header(line: &str) -> Option<(u32, u32, usize)> {
    let field = |tag: char| line.split_whitespace().skip(1).find_map(|field| field.strip_prefix(tag));
    let width: u32 = field('W')?.parse().ok()?;
    let height: u32 = field('H')?.parse().ok()?;
    let sides = 1..=super::frame::MAX_SIDE;
    if !sides.contains(&width) || !sides.contains(&height) {
        return None;
    }
    let (wide, high) = (width as usize, height as usize);
    let chroma = match field('C').unwrap_or("420jpeg") {
        "mono" => 0,
        form if form.contains('p')
            && !form.ends_with("jpeg")
            && !form.ends_with("paldv")
            && !form.ends_with("mpeg2") =>
        {
            return None;
        }
        form if form.starts_with("420") => 2 * wide.div_ceil(2) * high.div_ceil(2),
        form if form.starts_with("422") => 2 * wide.div_ceil(2) * high,
        form if form.starts_with("444") => 2 * wide * high,
        _ => return None,
    };
    Some((width, height, chroma))
}

/// Frames a second.
fn y4m_rate(line: &str) -> Option<f64> {
    let (frames, seconds) =
        line.split_whitespace().skip(1).find_map(|field| field.strip_prefix('F'))?.split_once(':')?;
    let (frames, seconds): (u32, u32) = (frames.parse().ok()?, seconds.parse().ok()?);
    (frames > 0 && seconds > 0).then(|| f64::from(frames) / f64::from(seconds))
}

impl FrameSource for Video {
    fn next(&mut self) -> Result<Captured, SourceError> {
        self.pace.wait();
        for again in [true, false] {
            let frame = match &mut self.stream {
                Stream::Y4m { reader, width, height, chroma } => y4m_frame(reader, *width, *height, *chroma),
                Stream::Mjpeg { reader } => mjpeg_frame(reader),
            };
            match frame {
                Ok(Some(frame)) => return Ok(frame),
                // The end: from the start again, once.
                Ok(None) if again => {
                    let fresh = Self::open(&self.path)?;
                    self.stream = fresh.stream;
                }
                Ok(None) => break,
                Err(problem) => return Err(SourceError::File { path: self.path.clone(), problem }),
            }
        }
        Err(SourceError::File { path: self.path.clone(), problem: "there is no frame in it".into() })
    }

    fn facts(&self) -> SourceFacts {
        SourceFacts { name: self.path.display().to_string(), ..SourceFacts::default() }
    }
}

fn y4m_frame(reader: &mut impl BufRead, width: u32, height: u32, chroma: usize) -> Result<Option<Captured>, String> {
    let mut line = Vec::new();
    reader.take(MAX_HEADER).read_until(b'\n', &mut line).map_err(|error| error.to_string())?;
    if line.is_empty() {
        return Ok(None);
    }
    if !line.starts_with(b"FRAME") {
        return Err("a Y4M frame does not begin where it should".into());
    }
    let mut luma = vec![0; width as usize * height as usize];
    reader.read_exact(&mut luma).map_err(|_| "the last frame is cut off".to_owned())?;
    let skipped =
        std::io::copy(&mut reader.take(chroma as u64), &mut std::io::sink()).map_err(|error| error.to_string())?;
    if skipped < chroma as u64 {
        return Err("the last frame is cut off".into());
    }
    let frame = GreyFrame::from_pixels(width, height, luma).map_err(|error| error.to_string())?;
    Ok(Some(Captured::now(frame)))
}

fn mjpeg_frame(reader: &mut impl BufRead) -> Result<Option<Captured>, String> {
    // From one start-of-image marker to its end-of-image marker; within entropy-coded data 0xff is always stuffed.
    let mut bytes: Vec<u8> = Vec::new();
    loop {
        let before = bytes.len();
        reader.read_until(0xd9, &mut bytes).map_err(|error| error.to_string())?;
        if bytes.len() == before {
            return if bytes.is_empty() { Ok(None) } else { Err("the last frame is cut off".into()) };
        }
        if bytes.len() > MAX_JPEG {
            return Err("a frame is too large".into());
        }
        if bytes.ends_with(&[0xff, 0xd9]) {
            let arrived = Instant::now();
            let frame = GreyFrame::from_jpeg(&bytes).map_err(|error| error.to_string())?;
            return Ok(Some(Captured::since(arrived, frame)));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_source_is_named_in_three_ways() {
        assert_eq!(SourceSpec::parse("2"), Ok(SourceSpec::Device(2)));
        assert_eq!(SourceSpec::parse("camera:HD: Webcam"), Ok(SourceSpec::Camera("HD: Webcam".into())));
        assert_eq!(SourceSpec::parse("frames:a/b"), Ok(SourceSpec::Frames("a/b".into())));
        assert_eq!(SourceSpec::parse("video:a:b.y4m"), Ok(SourceSpec::Video("a:b.y4m".into())));
        for wrong in ["", "-1", "camera:", "frames:", "video:", "webcam", "http://x"] {
            assert_eq!(SourceSpec::parse(wrong), Err(SourceError::Spec(wrong.into())));
        }
    }

    #[test]
    fn the_newest_frame_wins_and_the_others_are_counted() {
        let feed = FrameFeed::new();
        let frame = |level: u8| GreyFrame::new(1, 1, 1, &[level]).unwrap();
        (0..4).for_each(|level| feed.push(frame(level)));
        let (newest, passed_over) = feed.take(Duration::ZERO).unwrap();
        assert_eq!((newest.frame.luma(), passed_over), (&[3][..], 3));
        assert_eq!(feed.take(Duration::ZERO), None);
        feed.push(frame(9));
        assert_eq!(feed.take(Duration::ZERO).unwrap().1, 0);
    }

    #[test]
    fn y4m_is_read_frame_by_frame() {
        assert_eq!(y4m_header("YUV4MPEG2 W4 H2 F30:1 Ip C420jpeg\n"), Some((4, 2, 4)));
        assert_eq!(y4m_header("YUV4MPEG2 W4 H2 Cmono\n"), Some((4, 2, 0)));
        assert_eq!(y4m_header("YUV4MPEG2 W4 H2 C420p10\n"), None);
        assert_eq!(y4m_header("YUV4MPEG2 W0 H2\n"), None);
        assert_eq!(y4m_rate("YUV4MPEG2 W4 H2 F30000:1001\n").map(|rate| rate.round() as u32), Some(30));
        assert_eq!((y4m_rate("YUV4MPEG2 W4 H2 F0:0\n"), y4m_rate("YUV4MPEG2 F25\n")), (None, None));
        let mut bytes = b"FRAME\n".to_vec();
        bytes.extend([7; 12]);
        let mut reader = Cursor::new(bytes);
        assert_eq!(y4m_frame(&mut reader, 4, 2, 4).unwrap().unwrap().frame.luma(), [7; 8]);
        assert_eq!(y4m_frame(&mut reader, 4, 2, 4), Ok(None));
    }

    proptest! {
        #[test]
        fn no_recording_makes_the_readers_fall_over(bytes: Vec<u8>, line: String) {
            let _ = (y4m_header(&line), y4m_rate(&line));
            let _ = y4m_frame(&mut Cursor::new(&bytes), 4, 4, 8);
            let _ = mjpeg_frame(&mut Cursor::new(&bytes));
        }
    }
}
