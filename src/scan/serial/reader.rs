//! Reads a serial scanner on a thread of its own, until it is dropped. A scanner that is unplugged is opened again by
//! itself.

use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serial2::{CharSize, FlowControl, Parity, SerialPort, Settings, StopBits};
use tokio::sync::mpsc;

use super::{Framed, Framing, SerialSettings, list_ports, ports};

/// How often the thread looks whether it should end.
const LOOK_UP: Duration = Duration::from_millis(200);
/// How long to wait before a port is opened again.
const PAUSE: Duration = Duration::from_secs(1);

/// Why a serial scanner cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SerialError {
    /// There is no such port, or it was unplugged.
    #[error("there is no serial port {0}: plug the scanner in, or choose another port")]
    NoPort(String),
    /// Another program has it.
    #[error("another program uses {0}")]
    Busy(String),
    /// The system keeps it from this user.
    #[error("this user may not use {0}: add the user to the group `dialout` and log in again")]
    Forbidden(String),
    /// It is there, but is no serial port or refuses the speed.
    #[error("{port} cannot be read: {problem}")]
    Refused {
        /// Which.
        port: String,
        /// What the system says.
        problem: String,
    },
}

impl SerialError {
    fn of(port: &str, error: &std::io::Error) -> Self {
        let port = port.to_owned();
        match error.kind() {
            ErrorKind::NotFound => Self::NoPort(port),
            ErrorKind::PermissionDenied => Self::Forbidden(port),
            ErrorKind::ResourceBusy => Self::Busy(port),
            _ => Self::Refused { port, problem: error.to_string() },
        }
    }

    /// Its stable name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::NoPort(_) => "no_port",
            Self::Busy(_) => "busy",
            Self::Forbidden(_) => "forbidden",
            Self::Refused { .. } => "refused",
        }
    }
}

/// What a serial scanner tells.
#[derive(Debug, Clone, PartialEq)]
pub enum SerialEvent {
    /// The port is open (again).
    Ready(String),
    /// It cannot be opened. Told once; it is tried again quietly.
    Absent(SerialError),
    /// It was open and is gone.
    Lost(SerialError),
    /// Bytes as they came, and when.
    Bytes(Vec<u8>, Instant),
    /// A code, and when its last byte came.
    Code(String, Instant),
    /// Bytes that made no code: their ending or beginning did not come.
    Dropped(usize),
}

/// Reads a serial scanner until it is dropped.
pub struct Serial {
    stopped: Arc<AtomicBool>,
}

impl Serial {
    /// Starts to read; events come on the receiver.
    #[must_use]
    pub fn start(settings: SerialSettings) -> (Self, mpsc::UnboundedReceiver<SerialEvent>) {
        let (events, receiver) = mpsc::unbounded_channel();
        let stopped = Arc::new(AtomicBool::new(false));
        let watched = stopped.clone();
        let work = move || keep_reading(&settings.sane(), &events, &watched);
        if let Err(error) = thread::Builder::new().name("serial scanner".into()).spawn(work) {
            tracing::error!(%error, "no thread for the serial scanner");
        }
        (Self { stopped }, receiver)
    }
}

impl Drop for Serial {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
    }
}

fn keep_reading(settings: &SerialSettings, events: &mpsc::UnboundedSender<SerialEvent>, stopped: &AtomicBool) {
    let ended = || stopped.load(Ordering::Relaxed) || events.is_closed();
    let tell = |event| {
        let _ = events.send(event);
    };
    let mut told_absent = false;
    while !ended() {
        let is_there = std::fs::exists(&settings.port).unwrap_or(false);
        let port = ports::pick(&settings.port, &list_ports(), is_there);
        let opened = port.ok_or_else(|| SerialError::NoPort(settings.port.clone())).and_then(|port| {
            let opened = open(&port, settings.speed).map_err(|error| SerialError::of(&port, &error))?;
            Ok((port, opened))
        });
        match opened {
            Ok((name, port)) => {
                tell(SerialEvent::Ready(name.clone()));
                if let Err(error) = read(port, settings, &tell, &ended) {
                    tracing::info!(%error, port = %name, "serial scanner lost");
                    tell(SerialEvent::Lost(SerialError::NoPort(name)));
                    told_absent = true;
                }
            }
            Err(error) if !told_absent => {
                told_absent = true;
                tell(SerialEvent::Absent(error));
            }
            Err(_) => {}
        }
        let resume = Instant::now() + PAUSE;
        while !ended() && Instant::now() < resume {
            thread::sleep(LOOK_UP.min(PAUSE));
        }
    }
}

fn open(port: &str, speed: u32) -> std::io::Result<SerialPort> {
    let port = SerialPort::open(port, |mut settings: Settings| {
        settings.set_raw();
        settings.set_baud_rate(speed)?;
        settings.set_char_size(CharSize::Bits8);
        settings.set_parity(Parity::None);
        settings.set_stop_bits(StopBits::One);
        settings.set_flow_control(FlowControl::None);
        Ok(settings)
    })?;
    // Some scanners send only to a host that says it is ready; ports without these lines say so, and that is all.
    let _ = port.set_dtr(true);
    let _ = port.set_rts(true);
    Ok(port)
}

/// Reads until the port is gone, or nobody wants it any more.
fn read(
    mut port: SerialPort,
    settings: &SerialSettings,
    tell: &impl Fn(SerialEvent),
    ended: &impl Fn() -> bool,
) -> std::io::Result<()> {
    let mut framing = Framing::new(settings.clone());
    let start = Instant::now();
    let millis = |at: Instant| u64::try_from((at - start).as_millis()).unwrap_or(u64::MAX);
    let mut last = start;
    let told = |framed: Framed, last: Instant| match framed {
        Framed::Code(text) => tell(SerialEvent::Code(text, last)),
        Framed::Dropped(bytes) => tell(SerialEvent::Dropped(bytes.len())),
    };
    let mut buffer = [0; 1_024];
    while !ended() {
        let wait = framing.wait(millis(Instant::now())).map_or(LOOK_UP, |ms| Duration::from_millis(ms.max(1)));
        port.set_read_timeout(wait.min(LOOK_UP))?;
        match port.read(&mut buffer) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(count) => {
                let now = Instant::now();
                let bytes = &buffer[..count];
                tell(SerialEvent::Bytes(bytes.to_vec(), now));
                let framed = framing.bytes(bytes, millis(now));
                last = now;
                framed.into_iter().for_each(|framed| told(framed, now));
            }
            Err(error)
                if matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::Interrupted | ErrorKind::WouldBlock) =>
            {
                if let Some(framed) = framing.tick(millis(Instant::now())) {
                    told(framed, last);
                }
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
