//! Plays sounds on a thread of its own. The loudspeaker is opened once, ahead of need ([`Sounds::wake`]), and given back
//! after a minute without a sound; the samples are made once. So a beep only has to be put into the mixer.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rodio::buffer::SamplesBuffer;
use rodio::cpal::BufferSize;
use rodio::{DeviceSinkBuilder, MixerDeviceSink, nz};

use super::Sound;

/// So many sounds may wait; more at once would only be noise.
const WAITING: usize = 4;
/// The loudspeaker is given back after so long without a sound: an open one wakes the machine a hundred times a second.
const IDLE: Duration = Duration::from_secs(60);
/// How long after a failure to open a loudspeaker it is tried again.
const RETRY: Duration = Duration::from_secs(15);
/// What the loudspeaker takes at a time, in samples: 12 ms, so that a sound is not held back long.
const BUFFER: u32 = 512;
/// So many delays are kept.
const KEPT_DELAYS: usize = 4_096;

/// From the reason for a sound to its samples in the mixer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delay {
    /// How long.
    pub took: Duration,
    /// Whether there was a loudspeaker to hear it on.
    pub heard: bool,
}

enum Order {
    Wake,
    Make(Sound, Instant),
}

/// Plays sounds, or keeps silent. Nothing is opened before the first sound or [`Sounds::wake`].
#[derive(Default)]
pub struct Sounds {
    on: bool,
    player: OnceLock<Option<SyncSender<Order>>>,
    delays: Arc<Mutex<VecDeque<Delay>>>,
}

impl Sounds {
    /// A player that is on, or mute.
    #[must_use]
    pub fn new(on: bool) -> Self {
        Self { on, ..Self::default() }
    }

    /// Whether sounds are on.
    #[must_use]
    pub const fn is_on(&self) -> bool {
        self.on
    }

    /// Turns sounds on or off.
    pub const fn set_on(&mut self, on: bool) {
        self.on = on;
    }

    /// A sound may soon be needed: the loudspeaker is opened, which takes some systems a third of a second.
    pub fn wake(&self) {
        self.order(Order::Wake);
    }

    /// Makes a sound heard and returns at once. Where too many wait, where there is no loudspeaker, or while mute, nothing
    /// is heard.
    pub fn make(&self, sound: Sound) {
        self.make_for(sound, Instant::now());
    }

    /// The same for something that happened at `since`; the delay is counted from there.
    pub fn make_for(&self, sound: Sound, since: Instant) {
        self.order(Order::Make(sound, since));
    }

    /// The delays of the latest sounds, in their order.
    #[must_use]
    pub fn delays(&self) -> Vec<Delay> {
        self.delays.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect()
    }

    fn order(&self, order: Order) {
        if !self.on {
            return;
        }
        let player = self.player.get_or_init(|| {
            let (sender, orders) = sync_channel(WAITING);
            let delays = self.delays.clone();
            let started = thread::Builder::new().name("sound".into()).spawn(move || play_all(&orders, &delays));
            started.ok().map(|_| sender)
        });
        if let Some(player) = player {
            let _ = player.try_send(order);
        }
    }
}

/// Plays what comes until the window is gone.
fn play_all(orders: &Receiver<Order>, delays: &Mutex<VecDeque<Delay>>) {
    let samples = Sound::ALL.map(|sound| (sound, sound.samples()));
    let mut speaker: Option<Speaker> = None;
    let mut failed_at: Option<Instant> = None;
    loop {
        let order = match orders.recv_timeout(IDLE) {
            Ok(order) => order,
            Err(RecvTimeoutError::Timeout) => {
                speaker = None;
                continue;
            }
            Err(RecvTimeoutError::Disconnected) => return,
        };
        if speaker.as_ref().is_some_and(Speaker::is_lost) {
            speaker = None;
        }
        if speaker.is_none() && failed_at.is_none_or(|at| at.elapsed() > RETRY) {
            speaker = Speaker::open();
            failed_at = speaker.is_none().then(Instant::now);
        }
        let Order::Make(sound, since) = order else { continue };
        if let Some(speaker) = &speaker {
            let (_, samples) = samples.iter().find(|(known, _)| *known == sound).unwrap_or(&samples[0]);
            speaker.play(samples.clone());
        }
        let delay = Delay { took: since.elapsed(), heard: speaker.is_some() };
        tracing::debug!(?sound, ms = delay.took.as_secs_f64() * 1_000.0, heard = delay.heard, "sound queued");
        let mut delays = delays.lock().unwrap_or_else(PoisonError::into_inner);
        if delays.len() == KEPT_DELAYS {
            let _ = delays.pop_front();
        }
        delays.push_back(delay);
    }
}

/// The machine's loudspeaker.
struct Speaker {
    sink: MixerDeviceSink,
    lost: Arc<AtomicBool>,
}

impl Speaker {
    fn open() -> Option<Self> {
        if !may_have_loudspeaker() {
            return None;
        }
        let lost = Arc::new(AtomicBool::new(false));
        let builder = || {
            let flag = Arc::clone(&lost);
            let builder = DeviceSinkBuilder::from_default_device().ok()?;
            Some(builder.with_error_callback(move |_| flag.store(true, Ordering::Relaxed)))
        };
        let quick = builder()?.with_buffer_size(BufferSize::Fixed(BUFFER)).open_stream();
        // Not every loudspeaker takes so little at a time.
        let mut sink = quick.ok().or_else(|| builder()?.open_stream().ok())?;
        sink.log_on_drop(false);
        Some(Self { sink, lost })
    }

    fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }

    fn play(&self, samples: Vec<f32>) {
        self.sink.mixer().add(SamplesBuffer::new(nz!(1), nz!(44_100), samples));
    }
}

/// Whether it is worth asking ALSA, which writes lines of complaint to stderr where there is nothing to play on: a
/// playback device, or a sound server of this user.
#[cfg(target_os = "linux")]
fn may_have_loudspeaker() -> bool {
    let device = std::fs::read_dir("/dev/snd").is_ok_and(|entries| {
        entries.filter_map(Result::ok).any(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.starts_with("pcm") && name.ends_with('p')
        })
    });
    let server = std::env::var_os("XDG_RUNTIME_DIR")
        .map(std::path::PathBuf::from)
        .is_some_and(|folder| folder.join("pulse/native").exists() || folder.join("pipewire-0").exists());
    device || server || std::env::var_os("PULSE_SERVER").is_some()
}

#[cfg(not(target_os = "linux"))]
const fn may_have_loudspeaker() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mute_player_starts_nothing_and_a_flood_of_sounds_is_dropped() {
        let mut sounds = Sounds::new(false);
        sounds.make(Sound::Success);
        sounds.wake();
        assert!(sounds.player.get().is_none());
        sounds.set_on(true);
        for _ in 0..100 {
            sounds.make(Sound::Read);
        }
        assert!(sounds.player.get().is_some() && sounds.is_on());
    }

    #[test]
    fn a_sound_s_delay_counts_from_its_reason() {
        let sounds = Sounds::new(true);
        let earlier = Instant::now().checked_sub(Duration::from_secs(3)).unwrap();
        sounds.make_for(Sound::Read, earlier);
        let delay = loop {
            match sounds.delays().first() {
                Some(delay) => break *delay,
                None => thread::sleep(Duration::from_millis(5)),
            }
        };
        assert!(delay.took >= Duration::from_secs(3));
    }
}
