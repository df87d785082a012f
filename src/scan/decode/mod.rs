//! From a grey frame to symbols. Pure: `rqrr`, `rxing` and readers of our own, in an order that reads much for little.

mod binarise;
mod code128;
mod libraries;
mod pyramid;
mod qr;
mod region;
mod schedule;
mod symbol;

pub use schedule::Decoder;
pub use symbol::{Format, Symbol};

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::scan::{GreyFrame, Scene, render_phone};

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn no_frame_makes_the_decoder_fall_over(width in 1_u32..64, height in 1_u32..64, seed: u64) {
            let mut state = seed | 1;
            let bytes: Vec<u8> = (0..width * height).map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                state.to_be_bytes()[0]
            }).collect();
            let frame = GreyFrame::new(width, height, width as usize, &bytes).unwrap();
            let _ = Decoder::thorough().decode(&frame);
            let mut live = Decoder::live();
            for _ in 0..12 {
                let _ = live.decode(&frame);
            }
        }
    }

    #[test]
    fn a_phone_held_up_is_read_within_a_few_frames() {
        for (tilt, code) in [(0.0, "281234567890123456"), (8.0, "131234567890123456"), (-12.0, "6212345678901234567")] {
            let frame = render_phone(code, &Scene { tilt_degrees: tilt, ..Scene::default() }).unwrap();
            let mut live = Decoder::live();
            let seen = (0..12).flat_map(|_| live.decode(&frame)).any(|symbol| symbol.text == code);
            assert!(seen, "{code} at {tilt} degrees");
        }
    }

    #[test]
    fn an_empty_scene_says_nothing() {
        let frame = GreyFrame::new(640, 480, 640, &vec![200; 640 * 480]).unwrap();
        assert_eq!(Decoder::thorough().decode(&frame), Vec::new());
    }
}
