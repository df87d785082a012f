//! Which of the forms that a camera offers reads best. Pure.

use crate::scan::facts::{Form, Pixels};

/// A counter's camera: enough pixels for a code at arm's length, as few as that takes.
const WANTED: (u32, u32) = (1280, 720);
/// The next best: more to look at, and 2.25 times the work.
const LARGER: (u32, u32) = (1920, 1080);
/// What feels immediate; more costs power and reads no more.
const WANTED_RATE: u32 = 30;
/// Below this a hand that moves is a blur.
const LEAST_RATE: u32 = 24;

/// The form that reads best: first one whose rate is enough, then the size, then no compression, then the rate that is
/// nearest to 30 a second. `None` where nothing is offered.
#[must_use]
pub fn best(offered: &[Form]) -> Option<Form> {
    offered.iter().copied().min_by_key(|form| {
        (
            slowness(form.rate) + oddness(form.width, form.height),
            compression(form.pixels),
            form.rate.abs_diff(WANTED_RATE),
        )
    })
}

const fn slowness(rate: u32) -> u32 {
    match rate {
        LEAST_RATE.. => 0,
        15.. => 4,
        _ => 8,
    }
}

/// How far a size is from what is wanted.
fn oddness(width: u32, height: u32) -> u32 {
    let pixels = u64::from(width) * u64::from(height);
    let wanted = u64::from(WANTED.0) * u64::from(WANTED.1);
    match (width, height) {
        WANTED => 0,
        LARGER => 1,
        // 1280x960, 1600x1200 and their like.
        _ if width.max(height) <= 2_048 && pixels > wanted * 3 / 4 => 2,
        // 800x600.
        _ if pixels * 2 > wanted => 3,
        // 640x480.
        _ if pixels * 4 > wanted => 5,
        // Film sizes, which take all the time there is to look at.
        _ if pixels > wanted => 6,
        _ => 9,
    }
}

const fn compression(pixels: Pixels) -> u32 {
    match pixels {
        Pixels::Grey | Pixels::Nv12 => 0,
        Pixels::Yuyv => 1,
        Pixels::Rgb | Pixels::Bgr => 2,
        Pixels::Mjpeg => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn form(width: u32, height: u32, rate: u32, pixels: Pixels) -> Form {
        Form { width, height, rate, pixels }
    }

    #[test]
    fn a_usb_2_webcam_gives_jpegs_since_its_plain_frames_are_too_slow() {
        let offered = [
            form(640, 480, 30, Pixels::Yuyv),
            form(1280, 720, 10, Pixels::Yuyv),
            form(1920, 1080, 5, Pixels::Yuyv),
            form(640, 480, 30, Pixels::Mjpeg),
            form(1280, 720, 60, Pixels::Mjpeg),
            form(1280, 720, 30, Pixels::Mjpeg),
            form(1920, 1080, 30, Pixels::Mjpeg),
            form(3840, 2160, 30, Pixels::Mjpeg),
        ];
        assert_eq!(best(&offered), Some(form(1280, 720, 30, Pixels::Mjpeg)));
    }

    #[test]
    fn frames_come_uncompressed_where_the_rate_allows() {
        let offered = [
            form(1280, 720, 30, Pixels::Mjpeg),
            form(1280, 720, 30, Pixels::Yuyv),
            form(1280, 720, 25, Pixels::Nv12),
            form(640, 480, 60, Pixels::Nv12),
        ];
        assert_eq!(best(&offered), Some(form(1280, 720, 25, Pixels::Nv12)));
    }

    #[test]
    fn the_nearest_size_is_taken_where_the_wanted_one_is_not_offered() {
        let offered =
            [form(320, 240, 30, Pixels::Yuyv), form(640, 480, 30, Pixels::Yuyv), form(1600, 1200, 5, Pixels::Mjpeg)];
        assert_eq!(best(&offered), Some(form(640, 480, 30, Pixels::Yuyv)), "enough frames come before many pixels");
        let offered = [form(640, 480, 30, Pixels::Yuyv), form(1920, 1080, 30, Pixels::Mjpeg)];
        assert_eq!(best(&offered), Some(form(1920, 1080, 30, Pixels::Mjpeg)));
        assert_eq!(best(&[]), None);
    }
}
