//! What is to be heard: a read beep, a success chord, a failure's two low notes, and a call for attention. Each is
//! made of sine waves when it is needed, and told from the others without looking.
//!
//! A thread of its own plays them: no sound ever holds up the window, and a machine without a loudspeaker is simply
//! silent. There is no voice: that takes recordings or a speech engine in each language. `Text::voice_line` has the
//! words for it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use rodio::buffer::SamplesBuffer;
use rodio::{DeviceSinkBuilder, MixerDeviceSink, nz};

const SAMPLES_PER_SECOND: u16 = 44_100;
/// So many sounds may wait; more at once would only be noise.
const WAITING: usize = 4;
/// The loudspeaker is given back after so long without a sound: an open one wakes the machine a hundred times a second.
const IDLE: Duration = Duration::from_secs(60);
/// How long after a failure to open a loudspeaker it is tried again.
const RETRY: Duration = Duration::from_secs(15);

/// Something to be heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sound {
    /// A code was read.
    Read,
    /// Paid.
    Success,
    /// Not paid.
    Failure,
    /// Look here.
    Attention,
}

/// A sine wave that fades: pitch in Hz, start and length in ms, loudness up to 1.
struct Note {
    pitch: f32,
    start: u16,
    length: u16,
    loudness: f32,
}

const fn note(pitch: f32, start: u16, length: u16, loudness: f32) -> Note {
    Note { pitch, start, length, loudness }
}

impl Sound {
    const fn notes(self) -> &'static [Note] {
        match self {
            // Short and high, as scanners do.
            Self::Read => const { &[note(1_865.0, 0, 80, 0.4)] },
            // C major upwards, left to ring.
            Self::Success => {
                const {
                    &[
                        note(523.25, 0, 620, 0.22),
                        note(659.25, 70, 600, 0.22),
                        note(783.99, 140, 580, 0.22),
                        note(1_046.5, 210, 650, 0.26),
                    ]
                }
            }
            // Low, twice, the second lower.
            Self::Failure => const { &[note(233.08, 0, 190, 0.55), note(174.61, 240, 320, 0.55)] },
            // A door bell, twice.
            Self::Attention => {
                const {
                    &[
                        note(987.77, 0, 170, 0.3),
                        note(783.99, 150, 220, 0.3),
                        note(987.77, 430, 170, 0.3),
                        note(783.99, 580, 300, 0.3),
                    ]
                }
            }
        }
    }

    /// The sound as mono samples from -1 to 1, 44,100 a second.
    #[must_use]
    pub fn samples(self) -> Vec<f32> {
        let rate = usize::from(SAMPLES_PER_SECOND);
        let at = |ms: u16| usize::from(ms) * rate / 1000;
        let end = self.notes().iter().map(|note| at(note.start) + at(note.length)).max().unwrap_or(0);
        let mut samples = vec![0.0; end];
        for note in self.notes() {
            let length = at(note.length);
            for (index, sample) in samples.iter_mut().skip(at(note.start)).take(length).enumerate() {
                let (step, whole) = (index as f32, length as f32);
                let turn = std::f32::consts::TAU * note.pitch * step / f32::from(SAMPLES_PER_SECOND);
                // An octave above makes low notes heard on small loudspeakers.
                let wave = 0.8 * turn.sin() + 0.2 * (2.0 * turn).sin();
                // Up within 4 ms and down to nothing, so that neither end clicks.
                let rise = (step / (0.004 * f32::from(SAMPLES_PER_SECOND))).min(1.0);
                let fall = (1.0 - step / whole) * (-3.0 * step / whole).exp();
                *sample += note.loudness * wave * rise * fall;
            }
        }
        samples
    }
}

/// Plays sounds, or keeps silent. Nothing is opened before the first sound.
#[derive(Debug, Default)]
pub struct Sounds {
    on: bool,
    player: OnceLock<Option<SyncSender<Sound>>>,
}

impl Sounds {
    /// A player that is on, or mute.
    #[must_use]
    pub const fn new(on: bool) -> Self {
        Self { on, player: OnceLock::new() }
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

    /// Makes a sound heard and returns at once. Where too many wait, where there is no loudspeaker, or while mute, nothing is
    /// heard.
    pub fn make(&self, sound: Sound) {
        if !self.on {
            return;
        }
        let player = self.player.get_or_init(|| {
            let (sender, sounds) = sync_channel(WAITING);
            let started = thread::Builder::new().name("sound".into()).spawn(move || play_all(&sounds));
            started.ok().map(|_| sender)
        });
        if let Some(player) = player {
            let _ = player.try_send(sound);
        }
    }

    /// A code was read.
    pub fn read(&self) {
        self.make(Sound::Read);
    }

    /// Paid.
    pub fn success(&self) {
        self.make(Sound::Success);
    }

    /// Not paid.
    pub fn failure(&self) {
        self.make(Sound::Failure);
    }

    /// Look here.
    pub fn attention(&self) {
        self.make(Sound::Attention);
    }
}

/// Plays what comes until the window is gone.
fn play_all(sounds: &Receiver<Sound>) {
    let mut speaker: Option<Speaker> = None;
    let mut failed_at: Option<Instant> = None;
    loop {
        match sounds.recv_timeout(IDLE) {
            Ok(sound) => {
                if speaker.as_ref().is_some_and(Speaker::is_lost) {
                    speaker = None;
                }
                if speaker.is_none() && failed_at.is_none_or(|at| at.elapsed() > RETRY) {
                    speaker = Speaker::open();
                    failed_at = speaker.is_none().then(Instant::now);
                }
                if let Some(speaker) = &speaker {
                    speaker.play(sound);
                }
            }
            Err(RecvTimeoutError::Timeout) => speaker = None,
            Err(RecvTimeoutError::Disconnected) => return,
        }
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
        let flag = Arc::clone(&lost);
        let mut sink = DeviceSinkBuilder::from_default_device()
            .ok()?
            .with_error_callback(move |_| flag.store(true, Ordering::Relaxed))
            .open_stream()
            .ok()?;
        sink.log_on_drop(false);
        Some(Self { sink, lost })
    }

    fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }

    fn play(&self, sound: Sound) {
        self.sink.mixer().add(SamplesBuffer::new(nz!(1), nz!(44_100), sound.samples()));
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

    const ALL: [Sound; 4] = [Sound::Read, Sound::Success, Sound::Failure, Sound::Attention];

    #[test]
    fn sounds_are_short_never_clip_and_end_in_silence() {
        for sound in ALL {
            let samples = sound.samples();
            assert!(samples.len() < usize::from(SAMPLES_PER_SECOND), "{sound:?} is longer than a second");
            let loudest = samples.iter().fold(0.0_f32, |loudest, sample| loudest.max(sample.abs()));
            assert!((0.15..0.95).contains(&loudest), "{sound:?} is {loudest} loud");
            assert!(samples[0].abs() < 0.001 && samples[samples.len() - 1].abs() < 0.01, "{sound:?} clicks");
        }
    }

    #[test]
    fn a_failure_is_lower_than_a_success_throughout() {
        let pitches = |sound: Sound| sound.notes().iter().map(|note| note.pitch).collect::<Vec<_>>();
        let highest = pitches(Sound::Failure).into_iter().fold(0.0, f32::max);
        assert!(pitches(Sound::Success).into_iter().all(|pitch| pitch > 2.0 * highest));
    }

    #[test]
    fn a_mute_player_starts_nothing_and_a_flood_of_sounds_is_dropped() {
        let mut sounds = Sounds::new(false);
        sounds.success();
        assert!(sounds.player.get().is_none());
        sounds.set_on(true);
        for _ in 0..100 {
            sounds.read();
        }
        assert!(sounds.player.get().is_some() && sounds.is_on());
    }
}
