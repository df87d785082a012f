//! What a code says is what a camera reads, whichever way it is drawn.

use image::GrayImage;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use scantill::qr::{Logo, Modules, QUIET_ZONE, QrError};

fn read(picture: &GrayImage) -> String {
    read_with_meta(picture).1
}

fn read_with_meta(picture: &GrayImage) -> (rqrr::MetaData, String) {
    let (width, height) = picture.dimensions();
    let mut prepared = rqrr::PreparedImage::prepare_from_greyscale(width as usize, height as usize, |x, y| {
        picture.get_pixel(x as u32, y as u32).0[0]
    });
    let grids = prepared.detect_grids();
    assert_eq!(grids.len(), 1, "one code");
    grids[0].decode().unwrap()
}

/// The picture that a person sees in the terminal, two modules a character, at `px` pixels a module.
fn seen_in_terminal(text: &str, px: u32) -> GrayImage {
    let rows: Vec<Vec<char>> = text
        .lines()
        .map(|line| line.trim_start_matches("\u{1b}[38;5;16;48;5;231m").trim_end_matches("\u{1b}[0m").chars().collect())
        .collect();
    let side = rows[0].len() as u32;
    assert!(rows.iter().all(|row| row.len() as u32 == side));
    GrayImage::from_fn(side * px, rows.len() as u32 * 2 * px, |x, y| {
        let (x, y) = (x / px, y / px);
        let dark = match rows[y as usize / 2][x as usize] {
            '█' => true,
            '▀' => y % 2 == 0,
            '▄' => y % 2 == 1,
            ' ' => false,
            other => panic!("unexpected {other:?}"),
        };
        image::Luma([if dark { 0 } else { 255 }])
    })
}

/// The picture of an SVG's path of one-unit-high runs, at `px` pixels a unit.
fn drawn_by_svg(svg: &str, side: usize, px: u32) -> GrayImage {
    let mut picture = GrayImage::from_pixel(side as u32 * px, side as u32 * px, image::Luma([255]));
    let path = svg.rsplit_once(" d=\"").unwrap().1.split_once('"').unwrap().0;
    for run in path.split('z').filter(|run| !run.is_empty()) {
        let (from, rest) = run.strip_prefix('M').unwrap().split_once('h').unwrap();
        let (x, y) = from.split_once(' ').unwrap();
        let (x, y): (u32, u32) = (x.parse().unwrap(), y.parse().unwrap());
        let length: u32 = rest.split_once('v').unwrap().0.parse().unwrap();
        for (dx, dy) in (0..length * px).flat_map(|dx| (0..px).map(move |dy| (dx, dy))) {
            picture.put_pixel(x * px + dx, y * px + dy, image::Luma([0]));
        }
    }
    picture
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, rng_seed: RngSeed::Fixed(20_261_124), ..ProptestConfig::default() })]

    #[test]
    fn every_way_to_draw_a_code_reads_back_as_its_text(text in "(weixin://wxpay/bizpayurl\\?pr=[A-Za-z0-9]{1,40})|([0-9]{16,24})|(https://qr\\.alipay\\.com/[a-z0-9]{1,60})|([一-龥 a-z0-9¥]{1,60})", px in 2_u32..6) {
        let code = Modules::of(&text).unwrap();
        prop_assert_eq!(&read(&code.to_pixels(px)), &text);
        let png = image::load_from_memory(&code.to_png(px).unwrap()).unwrap().into_luma8();
        prop_assert_eq!(&read(&png), &text);
        prop_assert_eq!(&read(&seen_in_terminal(&code.to_terminal(), px)), &text);
        prop_assert_eq!(&read(&drawn_by_svg(&code.to_svg(), code.full_size(), px)), &text);
    }

    #[test]
    fn a_code_fits_where_it_is_told_to_with_whole_pixels(text in "[ -~]{1,200}", room in 200_u32..1200) {
        let code = Modules::of(&text).unwrap();
        let px = code.px_per_module_within(room);
        let side = code.to_pixels(px).width();
        prop_assert!(side <= room && side + code.full_size() as u32 > room);
        prop_assert_eq!(side % code.full_size() as u32, 0);
    }
}

#[test]
fn the_quiet_zone_is_light_on_all_four_sides() {
    let code = Modules::of("https://qr.alipay.com/bax03431ljhokirwl38f00a7").unwrap();
    assert_eq!(code.full_size(), code.size() + 2 * QUIET_ZONE);
    let picture = code.to_pixels(3);
    let (edge, side) = (QUIET_ZONE as u32 * 3, picture.width());
    for (x, y, pixel) in picture.enumerate_pixels() {
        if x.min(y) < edge || x.max(y) >= side - edge {
            assert_eq!(pixel.0[0], 255, "dark at {x},{y}");
        }
    }
    assert_eq!(picture.get_pixel(edge, edge).0[0], 0, "the first module is a finder's corner");
    assert!(!code.dark(code.size(), 0) && !code.dark(0, usize::MAX));
}

#[test]
fn short_codes_take_as_much_correction_as_their_size_holds() {
    // 43 bytes fit version 3 at level L but 4 at M (ISO/IEC 18004, table 7): correction is not given up for size.
    assert_eq!(Modules::of(&"a".repeat(43)).unwrap().size(), 33);
    // 20 bytes fit version 2 at level Q (26 at M): the room that M would leave over is used. Level Q reads as 3.
    let (meta, _) = read_with_meta(&Modules::of(&"a".repeat(20)).unwrap().to_pixels(4));
    assert_eq!((meta.version.0, meta.ecc_level), (2, 3));
    // A WeChat Pay Native code of 35 bytes: version 3 at level M is the smallest.
    assert_eq!(Modules::of("weixin://wxpay/bizpayurl?pr=abcDEF1").unwrap().size(), 29);
}

#[test]
fn what_no_code_can_say_is_refused() {
    assert_eq!(Modules::of(""), Err(QrError::Empty));
    assert_eq!(Modules::of(&"a".repeat(2953)).unwrap().size(), 177);
    assert_eq!(Modules::of(&"a".repeat(2954)), Err(QrError::TooLong { bytes: 2954 }));
    assert_eq!(read(&Modules::of(&"茶".repeat(600)).unwrap().to_pixels(3)), "茶".repeat(600));
}

const SWISS: &str = "SPC\n0200\n1\nCH4431999123000889012\nS\nRobert Schneider AG\nRue du Lac\n1268\n2501\nBiel\nCH\n\n\n\n\n\n\n\n\
                     1949.75\nCHF\n\n\n\n\n\n\n\nQRR\n210000000003139471430009017\nA1B2C3D4\nEPD";

#[test]
fn bank_transfers_have_the_correction_that_their_standards_prescribe() {
    // Level M reads as 0. Other short texts of this kind take what their size has room for.
    for text in [SWISS, "BCD\n002\n1\nSCT\n\nA\nBE72000000001616\nEUR1.00"] {
        let (meta, said) = read_with_meta(&Modules::of(text).unwrap().to_pixels(4));
        assert_eq!((meta.ecc_level, said.as_str()), (0, text));
    }
    let long = format!("BCD\n002\n1\nSCT\n\n{}\nBE72000000001616\nEUR1.00\n\n\n{}", "x".repeat(70), "y".repeat(140));
    assert_eq!(read_with_meta(&Modules::of(&long).unwrap().to_pixels(4)).0.ecc_level, 0);
}

#[test]
fn a_swiss_bill_carries_its_cross_and_reads_all_the_same() {
    let code = Modules::of(SWISS).unwrap();
    for px in [4, 5, 8] {
        let picture = code.to_pixels(px);
        assert_eq!(read(&picture), SWISS);
        // In the middle the cross is light, beside its arms its field is dark, and a light rim keeps it apart.
        let side = picture.width() as f32;
        let code_side = (code.size() as u32 * px) as f32;
        let at = |x: f32, y: f32| {
            let place = |part: f32| (side / 2.0 + code_side * 7.0 / 46.0 * (part - 0.5)) as u32;
            picture.get_pixel(place(x), place(y)).0[0]
        };
        assert_eq!([at(0.5, 0.5), at(0.5, 0.25), at(0.25, 0.5)], [255; 3]);
        assert_eq!([at(0.25, 0.25), at(0.75, 0.25), at(0.25, 0.75), at(0.5, 0.12)], [0; 4]);
    }
    assert!(code.to_svg().matches("shape-rendering=\"auto\"").count() == 4);
    assert!(Modules::of("https://qr.alipay.com/bax03431ljhokirwl38f00a7").unwrap().patches().is_empty());
}

/// A shop's logo: a dark disc on a coloured square, with a transparent rim.
fn logo(side: u32) -> Logo {
    let picture = image::RgbaImage::from_fn(side, side, |x, y| {
        let from_middle = (x.abs_diff(side / 2).pow(2) + y.abs_diff(side / 2).pow(2)) * 4;
        match from_middle {
            d if d < side * side / 4 => image::Rgba([20, 30, 40, 255]),
            d if d < side * side => image::Rgba([230, 120, 30, 255]),
            _ => image::Rgba([0, 0, 0, 0]),
        }
    });
    let mut file = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut file, image::ImageFormat::Png).unwrap();
    Logo::from_png(&file.into_inner()).unwrap()
}

#[test]
fn a_code_with_a_logo_is_read_as_its_text_at_every_size_and_by_another_reader() {
    let logo = logo(300);
    for text in
        ["weixin://wxpay/bizpayurl?pr=abcDEF1", "https://qr.alipay.com/bax03431ljhokirwl38f00a7", "6212345678901234567"]
    {
        let code = Modules::with_logo(text, &logo).unwrap();
        let placed = code.logo().expect("short codes bear a logo");
        let hidden = placed.side * placed.side * 100 / (code.size() * code.size());
        assert!((2..=7).contains(&hidden), "{hidden} of 100 modules are hidden");
        for px in [2, 3, 5, 8, 13] {
            let (meta, said) = read_with_meta(&code.to_pixels(px));
            assert_eq!((meta.ecc_level, said.as_str()), (2, text), "level H reads as 2");
        }
        let png = image::load_from_memory(&code.to_png(6).unwrap()).unwrap();
        let frame = scantill::scan::GreyFrame::from_image(png.clone()).unwrap();
        assert!(scantill::scan::Decoder::thorough().decode(&frame).iter().any(|symbol| symbol.text == text));
        let colours = png.into_rgb8();
        let middle = colours.get_pixel(colours.width() / 2, colours.height() / 2).0;
        assert!(middle[0] < 40 && middle[2] > middle[0], "the logo keeps its colours: {middle:?}");
        assert!(code.to_svg().contains("<image ") && code.to_svg().contains("data:image/png;base64,"));
    }
}

#[test]
fn a_code_that_bears_no_logo_comes_without_one() {
    let logo = logo(64);
    for text in [
        SWISS.to_owned(),
        "BCD\n002\n1\nSCT\n\nA\nBE72000000001616\nEUR1.00".to_owned(),
        "x".repeat(400),
        "a".repeat(2_953),
    ] {
        let code = Modules::with_logo(&text, &logo).unwrap();
        assert_eq!(code.logo(), None);
        assert_eq!(code, Modules::of(&text).unwrap());
    }
    assert_eq!(Modules::with_logo("", &logo), Err(QrError::Empty));
    for wrong in [&b""[..], b"\x89PNG\r\n\x1a\n", b"GIF89a"] {
        assert!(matches!(Logo::from_png(wrong), Err(QrError::Logo(_))));
    }
}
