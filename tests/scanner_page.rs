//! Setting up cameras and scanners: the page's machine alone, without a window, and what the preview says of a code.
#![cfg(feature = "till")]

use std::time::{Duration, Instant};

use scantill::api::wire::ChannelView;
use scantill::money::Currency;
use scantill::payment::{ConfirmedBy, Way};
use scantill::scan::arrivals::Sign;
use scantill::scan::serial::{Ending, PortInfo, SerialEvent, SerialSettings};
use scantill::scan::{Suffix, WedgeSettings};
use scantill::till::sale::{Counter, Press};
use scantill::till::scanner::Camera;
use scantill::till::screen::scanner::{Action, Kind, Line, Message, State};
use scantill::till::seen::Seen;
use scantill::till::settings::Settings;

const CODE: &str = "281234567890123456";

/// The keys of a scanner that sends one each `gap` ms.
fn scan(page: &mut State, text: &str, end: Option<Sign>, gap: u64) {
    let start = Instant::now();
    for (index, sign) in text.chars().map(Sign::Char).chain(end).enumerate() {
        page.key(sign, start + Duration::from_millis(index as u64 * gap));
    }
}

#[test]
fn a_slow_scanner_that_ends_with_tab_is_set_up_by_scanning_once_and_pressing_enter() {
    let mut page = State::default();
    let mut settings =
        Settings { wedge: WedgeSettings { suffix: Suffix::Enter, ..WedgeSettings::default() }, ..Settings::default() };
    let _ = page.update(Message::Kind(Kind::Keyboard), &settings);
    scan(&mut page, CODE, Some(Sign::Tab), 55);
    assert!(page.is_scanning(), "its Enter and Tab would choose nothing");
    page.typed(&settings.wedge);
    let _ = page.update(Message::Move(99), &settings);
    let Action::Wedge(wedge) = page.update(Message::Enter, &settings) else { panic!("nothing was suggested") };
    assert_eq!((wedge.suffix, wedge.gap_ms, wedge.length), (Suffix::Tab, 110, 8));
    settings.wedge = wedge;
    let again = page.update(Message::Take(Line::Suggestion), &settings);
    assert_eq!(again, Action::None, "what takes the scan is left as it is");
}

#[test]
fn a_hand_on_the_keys_is_no_scanner_and_moves_through_the_page() {
    let mut page = State::default();
    let settings = Settings::default();
    let _ = page.update(Message::Kind(Kind::Keyboard), &settings);
    scan(&mut page, "12.50", Some(Sign::Enter), 250);
    assert!(!page.is_scanning());
    // Down to what codes end with, then right and left.
    let _ = page.update(Message::Move(1), &settings);
    assert_eq!(
        page.update(Message::Alter(1), &settings),
        Action::Wedge(WedgeSettings { suffix: Suffix::Enter, ..WedgeSettings::default() })
    );
    assert_eq!(
        page.update(Message::Alter(-1), &settings),
        Action::Wedge(WedgeSettings { suffix: Suffix::None, ..WedgeSettings::default() })
    );
    let _ = page.update(Message::Move(1), &settings);
    for _ in 0..3 {
        assert!(matches!(page.update(Message::Alter(-1), &settings), Action::Wedge(wedge) if wedge.gap_ms == 35));
    }
    assert_eq!(page.update(Message::Back, &settings), Action::Leave);
}

#[test]
fn a_serial_scanner_is_chosen_and_its_ending_taken_from_what_arrives() {
    let mut page = State::default();
    let mut settings = Settings::default();
    let _ = page.update(Message::Kind(Kind::Serial), &settings);
    let port = PortInfo { port: "/dev/ttyACM0".into(), label: "Honeywell 1470g (ttyACM0)".into() };
    let _ = page.update(Message::Ports(vec![port.clone()]), &settings);
    let _ = page.update(Message::Move(1), &settings);
    let Action::Serial(Some(serial)) = page.update(Message::Enter, &settings) else { panic!("no port was taken") };
    assert_eq!(serial, SerialSettings { port: port.port, ..SerialSettings::default() });
    settings.serial = Some(serial);
    let _ = page.update(Message::Take(Line::Speed), &settings);
    assert!(matches!(
        page.update(Message::Alter(1), &settings),
        Action::Serial(Some(serial)) if serial.speed == 19_200
    ));
    page.serial(SerialEvent::Bytes(format!("~{CODE}").into_bytes(), Instant::now()));
    page.serial(SerialEvent::Dropped(19));
    let Action::Serial(Some(better)) = page.update(Message::Take(Line::Suggestion), &settings) else {
        panic!("nothing was suggested")
    };
    assert_eq!((better.ending, better.prefix.as_str(), better.speed), (Ending::Pause, "~", 9_600));
    settings.serial = Some(better);
    page.scanned(CODE);
    assert_eq!(page.update(Message::Take(Line::Suggestion), &settings), Action::None);
    assert_eq!(page.update(Message::Take(Line::Port(String::new())), &settings), Action::Serial(None));
}

#[test]
fn cameras_are_chosen_by_keys_alone() {
    let camera = |name: &str| Camera { name: name.into(), spec: format!("camera:{name}") };
    let mut page = State::default();
    page.cameras = Some(vec![camera("Built-in"), camera("Counter")]);
    let settings = Settings::default();
    let _ = page.update(Message::Move(2), &settings);
    assert_eq!(page.update(Message::Enter, &settings), Action::Camera("camera:Counter".into()));
    let _ = page.update(Message::Move(1), &settings);
    assert_eq!(page.update(Message::Enter, &settings), Action::Camera(String::new()));
    let _ = page.update(Message::Move(1), &settings);
    assert_eq!(page.update(Message::Enter, &settings), Action::Mirror(true));
    // From the top, left and right turn to the other kinds.
    let _ = page.update(Message::Move(-99), &settings);
    let _ = page.update(Message::Alter(1), &settings);
    assert_eq!(page.kind(), Kind::Keyboard);
    let _ = page.update(Message::Alter(-2), &settings);
    assert_eq!(page.kind(), Kind::Serial);
}

fn open_channel(name: &str) -> ChannelView {
    ChannelView {
        account: format!("{name}-1").parse().unwrap(),
        channel: name.parse().unwrap(),
        ways: vec![Way::MerchantPresented, Way::ConsumerPresented],
        min_amount: 1,
        max_amount: 5_000_000,
        code_lifetime_seconds: 120,
        closes_codes: true,
        training: false,
        currencies: vec![Currency::CNY],
        confirmed_by: ConfirmedBy::Provider,
        code_rules: Vec::new(),
        refund: None,
    }
}

#[test]
fn the_preview_says_why_a_code_in_sight_is_not_taken() {
    let mut counter = Counter { channels: vec![open_channel("alipay")], ..Counter::default() };
    let alipay = "alipay".parse().unwrap();
    assert!(matches!(counter.judge("https://example.com/menu"), Seen::Rejected(_)));
    assert!(matches!(counter.judge("131234567890123456"), Seen::NotOpen(channel) if channel.as_str() == "wechatpay"));
    assert_eq!(counter.judge(CODE), Seen::AmountFirst);
    let _ = counter.press(Press::Text("12.5".into()));
    assert_eq!(counter.judge(CODE), Seen::EnterFirst);
    let _ = counter.press(Press::Enter);
    assert_eq!(counter.judge(CODE), Seen::Taken(alipay));
    // Held up before the payment stands, it is kept and sent; it stays in sight meanwhile.
    let _ = counter.scanned(CODE);
    assert!(counter.judge(CODE).is_good());
}
