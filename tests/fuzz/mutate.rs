//! Damage: samples that were good until something was cut out, put in, doubled or flipped.

use proptest::collection::vec;
use proptest::prelude::*;

/// What parsers trip over.
const WORDS: &[&str] = &[
    "",
    "0",
    "-1",
    "1e9",
    "9223372036854775808",
    "0.1",
    "12.345",
    "１２",
    "\u{0}",
    "\r\n",
    "\n\n",
    "=",
    "&",
    "&&",
    "==",
    "%",
    "%zz",
    "+",
    "\"",
    "\\",
    "\\ud800",
    "{",
    "}",
    "[",
    "]",
    "{\"a\":",
    "null",
    "<",
    ">",
    "</xml>",
    "<xml>",
    "<![CDATA[",
    "]]>",
    "&lt;",
    "<!DOCTYPE a [<!ENTITY b \"c\">]>",
    "&b;",
    "`",
    ",",
    "\t",
    "#",
    "6304",
    "000201",
    "99",
    "\u{feff}",
    "\u{1f4b0}",
    "A",
];

/// One piece of damage; places and lengths are taken modulo the sample's.
#[derive(Debug, Clone)]
pub enum Damage {
    Flip(usize, u8),
    Cut(usize, usize),
    End(usize),
    Put(usize, Vec<u8>),
    Double(usize, usize),
    Swap(usize, usize, usize),
}

fn damage() -> impl Strategy<Value = Damage> {
    let place = || 0_usize..1 << 20;
    let word = prop_oneof![
        3 => prop::sample::select(WORDS).prop_map(|word| word.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 1..9),
    ];
    prop_oneof![
        3 => (place(), 0_u8..8).prop_map(|(at, bit)| Damage::Flip(at, bit)),
        3 => (place(), 1_usize..40).prop_map(|(at, length)| Damage::Cut(at, length)),
        1 => place().prop_map(Damage::End),
        4 => (place(), word).prop_map(|(at, word)| Damage::Put(at, word)),
        2 => (place(), 1_usize..200).prop_map(|(at, length)| Damage::Double(at, length)),
        1 => (place(), place(), 1_usize..20).prop_map(|(a, b, length)| Damage::Swap(a, b, length)),
    ]
}

fn apply(sample: &mut Vec<u8>, damage: &Damage) {
    let length = sample.len();
    let range = |at: usize, wanted: usize| {
        let from = at % (length + 1);
        from..(from + wanted).min(length)
    };
    match damage {
        Damage::Flip(at, bit) if length > 0 => sample[at % length] ^= 1 << bit,
        Damage::Flip(..) => {}
        Damage::Cut(at, wanted) => drop(sample.drain(range(*at, *wanted))),
        Damage::End(at) => sample.truncate(at % (length + 1)),
        Damage::Put(at, word) => drop(sample.splice(at % (length + 1)..at % (length + 1), word.iter().copied())),
        Damage::Double(at, wanted) => {
            let piece = sample[range(*at, *wanted)].to_vec();
            let at = at % (length + 1);
            sample.splice(at..at, piece);
        }
        Damage::Swap(a, b, wanted) => {
            for (one, other) in range(*a, *wanted).zip(range(*b, *wanted)) {
                sample.swap(one, other);
            }
        }
    }
}

/// One of the samples, whole or damaged; now and then nothing but noise.
pub fn damaged(samples: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let spoiled = (prop::sample::select(samples), vec(damage(), 0..6)).prop_map(|(mut sample, all)| {
        all.iter().for_each(|damage| apply(&mut sample, damage));
        sample
    });
    prop_oneof![9 => spoiled, 1 => vec(any::<u8>(), 0..400)]
}

/// The same as text.
pub fn damaged_text(samples: &[&str]) -> impl Strategy<Value = String> {
    damaged(samples.iter().map(|sample| sample.as_bytes().to_vec()).collect())
        .prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}
