//! What is to be heard: a read beep, a success chord, a failure's two low notes, and a call for attention. Each is
//! made of sine waves when it is needed, and told from the others without looking.
//!
//! A thread of its own plays them (`player`): no sound ever holds up the window, and a machine without a loudspeaker is
//! simply silent. There is no voice: that takes recordings or a speech engine in each language. `Text::voice_line` has the
//! words for it.

mod player;

pub use player::{Delay, Sounds};

const SAMPLES_PER_SECOND: u16 = 44_100;

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
    /// Every sound.
    const ALL: [Self; 4] = [Self::Read, Self::Success, Self::Failure, Self::Attention];

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sounds_are_short_never_clip_and_end_in_silence() {
        for sound in Sound::ALL {
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
}
