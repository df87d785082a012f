//! EMVCo's payloads: those of codes that merchants show are read and made again, those of cards are told by whose they
//! are, and no text makes a reader panic.

use std::collections::BTreeMap;

use proptest::prelude::*;
use scantill::payment::{CardCode, CardCodeError, CardScheme, CodeRejection, CodeRule, PaymentCode};
use scantill::qr::emvco::{
    Account, AdditionalData, EmvcoError, Initiation, Language, MAX_CHARACTERS, Payload, Template, Tip, checksum,
};

/// The sample of EMVCo's specification (MPM 1.0, annex B).
const EMVCO: &str = "00020101021229300012D156000000000510A93FO3230Q31280012D1560000000103081234567852044111\
    5802CN5914BEST TRANSPORT6007BEIJING64200002ZH0104最佳运输0202北京540523.7253031565502016233030412340603***0708A600\
    86670902ME91320016A0112233449988770708123456786304A13A";
/// The sample of Brazil's central bank (Manual de Padrões para Iniciação do Pix).
const PIX: &str = "00020126580014br.gov.bcb.pix0136123e4567-e12b-12d1-a456-4266554400005204000053039865802BR\
    5913Fulano de Tal6008BRASILIA62070503***63041D3D";

fn read(text: &str) -> Result<Payload, EmvcoError> {
    text.parse()
}

/// The text with the checksum that belongs to it.
fn sealed(text: &str) -> String {
    let text = format!("{text}6304");
    let code = checksum(&text);
    text + &code
}

#[test]
fn the_specifications_sample_is_read_and_keeps_its_meaning_when_it_is_made_again() {
    let payload = read(EMVCO).unwrap();
    assert_eq!(payload.initiation, Some(Initiation::Dynamic));
    let account = |id| match &payload.accounts[&id] {
        Account::Template(template) => template,
        Account::Scheme(number) => panic!("{number}"),
    };
    assert_eq!(account(29), &Template::new("D15600000000").with(5, "A93FO3230Q"));
    assert_eq!(account(31).get(3), Some("12345678"));
    assert_eq!(payload.category.as_deref(), Some("4111"));
    assert_eq!((payload.currency.as_deref(), payload.amount.as_deref()), (Some("156"), Some("23.72")));
    assert_eq!(payload.tip, Some(Tip::Asked));
    assert_eq!((payload.name.as_deref(), payload.city.as_deref()), (Some("BEST TRANSPORT"), Some("BEIJING")));
    let language = payload.language.clone().unwrap();
    assert_eq!((language.code.as_str(), language.name.as_str()), ("ZH", "最佳运输"));
    assert_eq!(language.city.as_deref(), Some("北京"));
    assert_eq!(payload.additional.store_label.as_deref(), Some("1234"));
    assert_eq!(payload.additional.customer_label.as_deref(), Some("***"));
    assert_eq!(payload.additional.terminal_label.as_deref(), Some("A6008667"));
    assert_eq!(payload.additional.consumer_data_request.as_deref(), Some("ME"));
    let own = Template::read(&payload.others[&91]).unwrap();
    assert_eq!(own, Template::new("A011223344998877").with(7, "12345678"));
    assert_eq!(payload.missing(), Vec::<u8>::new());
    // The sample's objects are in no order; ours are in that of their ids.
    let again = payload.to_text().unwrap();
    assert_eq!(again.chars().count(), EMVCO.chars().count());
    assert_eq!(read(&again).unwrap(), payload);
}

#[test]
fn the_sample_of_pix_is_made_character_by_character() {
    let payload = Payload {
        accounts: BTreeMap::from([(
            26,
            Account::Template(Template::new("br.gov.bcb.pix").with(1, "123e4567-e12b-12d1-a456-426655440000")),
        )]),
        category: Some("0000".into()),
        currency: Some("986".into()),
        country: Some("BR".into()),
        name: Some("Fulano de Tal".into()),
        city: Some("BRASILIA".into()),
        additional: AdditionalData { reference_label: Some("***".into()), ..AdditionalData::default() },
        ..Payload::default()
    };
    assert_eq!(payload.to_text().unwrap(), PIX);
    assert_eq!(read(PIX).unwrap(), payload);
    assert_eq!(read(&PIX.replace("1D3D", "1d3d")).unwrap(), payload);
}

#[test]
fn a_national_profile_may_leave_out_what_it_says_and_no_more() {
    // A PromptPay code without name, city and category.
    let text = sealed("00020101021229370016A000000677010111011300669012345675802TH530376454041.00");
    let payload = read(&text).unwrap();
    assert_eq!(payload.missing(), [52, 59, 60]);
    assert_eq!(payload.to_text(), Err(EmvcoError::Missing { id: 52 }));
    let again = payload.to_profile_text(&[52, 59, 60]).unwrap();
    assert_eq!(read(&again).unwrap(), payload);
    assert_eq!(payload.to_profile_text(&[52, 59]), Err(EmvcoError::Missing { id: 60 }));
}

#[test]
fn what_is_wrong_is_told_by_the_objects_id() {
    let wrong = |text: &str| read(text).unwrap_err();
    assert_eq!(wrong("https://qr.alipay.com/bax1"), EmvcoError::NotEmvco);
    assert_eq!(wrong(""), EmvcoError::NotEmvco);
    assert!(
        matches!(wrong(&EMVCO.replace("23.72", "23.73")), EmvcoError::WrongChecksum { says, .. } if says == "A13A")
    );
    assert_eq!(wrong(&EMVCO.replace("6304A13A", "")), EmvcoError::Missing { id: 63 });
    assert_eq!(wrong(&EMVCO[..EMVCO.len() - 1]), EmvcoError::Truncated { id: 63 });
    assert_eq!(wrong("000201630412345802CN"), EmvcoError::OutOfPlace { id: 63 });
    assert_eq!(wrong(&sealed("0002015802CN5802CN")), EmvcoError::Repeated { id: 58 });
    assert_eq!(wrong(&sealed("0002015800")), EmvcoError::Empty { id: 58 });
    assert_eq!(wrong("000201xx02CN"), EmvcoError::NotTlv { at: 6 });
    assert_eq!(wrong("00020158"), EmvcoError::NotTlv { at: 8 });
    assert_eq!(wrong("000201+102CN"), EmvcoError::NotTlv { at: 6 });
    assert_eq!(wrong(&sealed("000201010213")), EmvcoError::Wrong { id: 1, problem: "is neither 11 nor 12" });
    for (object, id) in [("52031234"[..7].to_owned(), 52), ("5303CNY".into(), 53), ("54041,00".into(), 54)] {
        assert!(matches!(wrong(&sealed(&format!("000201{object}"))), EmvcoError::Wrong { id: told, .. } if told == id));
    }
    assert!(matches!(wrong(&sealed("000201550202")), EmvcoError::Wrong { id: 55, .. }));
    assert!(matches!(wrong(&sealed("0002015502035705100.0")), EmvcoError::Wrong { id: 57, .. }));
    assert!(matches!(wrong(&sealed("000201550202560412,3")), EmvcoError::Wrong { id: 56, .. }));
    assert_eq!(wrong(&sealed("00020126040101")), EmvcoError::Truncated { id: 1 });
    assert_eq!(wrong(&sealed("00020126050101x")), EmvcoError::Missing { id: 0 });
    assert!(matches!(
        wrong(&sealed(&format!("0002015926{}", "x".repeat(26)))),
        EmvcoError::TooLong { id: 59, characters: 26, limit: 25 }
    ));
    let long = format!("000201{}", "8099".to_owned() + &"x".repeat(600));
    assert!(matches!(wrong(&long), EmvcoError::TooLong { id: 0, .. }));
}

#[test]
fn what_cannot_be_written_is_refused() {
    let payload = read(PIX).unwrap();
    let with = |change: &dyn Fn(&mut Payload)| {
        let mut payload = payload.clone();
        change(&mut payload);
        payload.to_text().unwrap_err()
    };
    let refused = with(&|payload| payload.name = Some("最佳运输".into()));
    assert_eq!(refused, EmvcoError::Wrong { id: 59, problem: "has characters other than printable ASCII" });
    assert_eq!(with(&|payload| payload.accounts.clear()), EmvcoError::Missing { id: 26 });
    assert_eq!(
        with(&|payload| payload.amount = Some(String::new())),
        EmvcoError::Wrong { id: 54, problem: "is not an amount" }
    );
    assert!(matches!(with(&|payload| payload.amount = Some("-1".into())), EmvcoError::Wrong { id: 54, .. }));
    assert_eq!(
        with(&|payload| drop(payload.accounts.insert(26, Account::Scheme("1".into())))),
        EmvcoError::OutOfPlace { id: 26 }
    );
    assert_eq!(with(&|payload| drop(payload.others.insert(63, "x".into()))), EmvcoError::OutOfPlace { id: 63 });
    assert!(matches!(
        with(&|payload| payload.additional.bill_number = Some("x".repeat(26))),
        EmvcoError::TooLong { id: 1, characters: 26, limit: 25 }
    ));
    let template = Template::new("x".repeat(20)).with(1, "y".repeat(80));
    assert!(matches!(
        with(&|payload| drop(payload.accounts.insert(27, Account::Template(template.clone())))),
        EmvcoError::TooLong { id: 27, .. }
    ));
    let full = |payload: &mut Payload| payload.others.extend((80..90).map(|id| (id, "x".repeat(99))));
    assert!(matches!(with(&full), EmvcoError::TooLong { id: 0, limit: MAX_CHARACTERS, .. }));
}

fn text(characters: &'static str) -> BoxedStrategy<String> {
    proptest::string::string_regex(characters).unwrap().boxed()
}

fn maybe(characters: &'static str) -> BoxedStrategy<Option<String>> {
    proptest::option::of(text(characters)).boxed()
}

fn template() -> impl Strategy<Value = Template> {
    (text("[a-zA-Z0-9.]{1,32}"), proptest::collection::btree_map(1..=99_u8, text("[ -~]{1,10}"), 0..3))
        .prop_map(|(globally_unique_id, objects)| Template { globally_unique_id, objects })
}

fn additional() -> impl Strategy<Value = AdditionalData> {
    let label = || maybe("[ -~]{1,8}");
    let labels = (label(), label(), label(), label(), label(), label(), label(), label());
    (labels, maybe("[AME]{1,3}")).prop_map(|(labels, consumer_data_request)| {
        let (
            bill_number,
            mobile_number,
            store_label,
            loyalty_number,
            reference_label,
            customer_label,
            terminal_label,
            purpose,
        ) = labels;
        AdditionalData {
            bill_number,
            mobile_number,
            store_label,
            loyalty_number,
            reference_label,
            customer_label,
            terminal_label,
            purpose,
            consumer_data_request,
            others: BTreeMap::new(),
        }
    })
}

fn payload() -> impl Strategy<Value = Payload> {
    let tip = prop_oneof![
        Just(None),
        Just(Some(Tip::Asked)),
        text("[1-9][0-9]{0,3}(\\.[0-9]{2})?").prop_map(|fee| Some(Tip::Fixed(fee))),
        text("[0-9]{1,2}\\.[0-9][1-9]").prop_map(|rate| Some(Tip::Percent(rate))),
    ];
    let account = prop_oneof![
        (2..=25_u8, text("[ -~]{1,15}")).prop_map(|(id, number)| (id, Account::Scheme(number))),
        (26..=51_u8, template()).prop_map(|(id, template)| (id, Account::Template(template))),
    ];
    let language = (text("[A-Z]{2}"), text("\\PC{1,25}"), maybe("\\PC{1,15}"))
        .prop_map(|(code, name, city)| Language { code, name, city, others: BTreeMap::new() });
    let initiation = proptest::option::of(prop_oneof![Just(Initiation::Static), Just(Initiation::Dynamic)]);
    let place = (maybe("[A-Z]{2}"), maybe("[!-~]{1,25}"), maybe("[!-~]{1,15}"), maybe("[!-~]{1,10}"));
    let sale = (maybe("[0-9]{4}"), maybe("[0-9]{3}"), maybe("[0-9]{1,8}(\\.[0-9]{0,3})?"), tip);
    let accounts = proptest::collection::vec(account, 0..3);
    (initiation, accounts, sale, place, additional(), proptest::option::of(language)).prop_map(
        |(initiation, accounts, sale, place, additional, language)| Payload {
            initiation,
            accounts: accounts.into_iter().collect(),
            category: sale.0,
            currency: sale.1,
            amount: sale.2,
            tip: sale.3,
            country: place.0,
            name: place.1,
            city: place.2,
            postcode: place.3,
            additional,
            language,
            others: BTreeMap::new(),
        },
    )
}

/// A UnionPay wallet's code, as an open client of UnionPay International's interface has it in its tests.
const UNIONPAY_CARD: &str = "hQVDUFYwMWFYTwigAAADMwEBAVcTYpJhA1hEQzVkHSIQIBAAABiAH180AQBjM58mCFaLEtnaC9l/nycBgJ8QEQ\
    cAAQOgAAABCDM5OTk5OTk5nzYCAAGCAgAAnzcE6gZYyA==";
/// The samples of EMVCo's specification: a card with track 2, and two applications with one card in common.
const TRACK_2: &str = "hQVDUFYwMWEaTwegAAAAVVVVVw8SNFZ4kBI0WNGRIgESNF8=";
const TWO_APPLICATIONS: &str = "hQVDUFYwMWETTwegAAAAVVVVUAhQcm9kdWN0MWETTwegAAAAZmZmUAhQcm9kdWN0MmJJWggSNFZ4kBI0WF8gDk\
    NBUkRIT0xERVIvRU1WXy0IcnVlc2RlZW5kIZ8QBwYBCgMAAACfJghYT9OF+iNLzJ82AgABnzcEbVjvEw==";
const QRIS: &str = "hQVDUFYwMWFcTwegAAAGAiAgUAdRUklTQ1BNWgqTYAACISAJl0KPXyAOcml6a2EgcmFtYWRoYW5fLQRpZGVuX1AVYWRob\
    24ucml6a3lAZ21haWwuY29tnyUCl0JjB590BGFlNjE=";
/// A transit ticket of GCash: no card in it, and the issuer's own bytes in its template.
const TICKET: &str = "hQVDUFYwMWGBl08FR0NBU0haGzExMDcwMDQwMDAwMDAwMDAwMDEwODkwMzA5MGNxwRZHQy0wNzI1MjAyNS0wMDAwMDkzOT\
    A4wgIAAcQEaINZd8gEaIM9a95HMEUCIGWdjueZsFZHMkVQSy/jlqQubfpvMk4BsQKeHJuIn5aJAiEAvNpixJCHfUCj6T/8Q8/V3ay0GmNFgAUdDz\
    E+c/Ilny0=";

#[test]
fn a_cards_code_is_told_by_its_scheme_and_shows_no_number() {
    let card = |text: &str| CardCode::read(text).unwrap().applications;
    let unionpay = &card(UNIONPAY_CARD)[0];
    assert_eq!((unionpay.scheme, unionpay.aid.as_str()), (CardScheme::UnionPay, "A000000333010101"));
    assert_eq!(unionpay.card.as_deref(), Some("629261*********5641"));
    let track_2 = &card(TRACK_2)[0];
    assert_eq!((track_2.scheme, track_2.card.as_deref()), (CardScheme::Other, Some("123456******3458")));
    let two = card(TWO_APPLICATIONS);
    assert_eq!(two.len(), 2);
    assert_eq!(two[1].label.as_deref(), Some("Product2"));
    assert_eq!(two[0].card.as_deref(), Some("123456******3458"), "from what they have in common");
    assert_eq!(card(QRIS)[0].scheme, CardScheme::Qris);
    assert_eq!(card(TICKET)[0].card, None);
    // Padding is often lost on the way.
    assert_eq!(card(UNIONPAY_CARD.trim_end_matches('='))[0], *unionpay);

    let wrong = |text: &str| CardCode::read(text).unwrap_err();
    assert_eq!(wrong("6212345678901234567"), CardCodeError::NotCardCode);
    assert_eq!(wrong("hQVDUFYwMQ"), CardCodeError::NoCard);
    assert_eq!(wrong(&UNIONPAY_CARD[..60]), CardCodeError::Broken);
    assert_eq!(wrong("hQVDUFYwMg=="), CardCodeError::NotCardCode, "CPV02");
    assert_eq!(wrong(&format!("{UNIONPAY_CARD}*")), CardCodeError::NotBase64);
    assert_eq!(wrong(&format!("hQVDUFYwMW{}", "A".repeat(3_000))), CardCodeError::TooLong);
}

#[test]
fn a_scanned_cards_code_is_refused_by_name() {
    let rules = CodeRule::published();
    let rejection = PaymentCode::classify(UNIONPAY_CARD, &rules).unwrap_err();
    let expected =
        CodeRejection::CardCode { scheme: Some(CardScheme::UnionPay), card: Some("629261*********5641".into()) };
    assert_eq!(rejection, expected);
    assert_eq!(rejection.kind(), "card_code");
    let words = rejection.to_string();
    assert!(words.contains("UnionPay card 629261*********5641") && words.contains("19 digits"), "{words}");
    let broken = PaymentCode::classify(&UNIONPAY_CARD[..60], &rules).unwrap_err();
    assert_eq!(broken, CodeRejection::CardCode { scheme: None, card: None });
    assert!(broken.to_string().contains("a bank card"));
}

#[test]
fn an_unknown_prefix_is_answered_with_those_that_are_known() {
    let mut rules = CodeRule::published();
    rules.push(CodeRule { channel: "tealpay".parse().unwrap(), prefixes: 7..=9, lengths: 18..=18 });
    let words = PaymentCode::classify("99123456789012345678", &rules).unwrap_err().to_string();
    for known in ["Alipay (25-30)", "WeChat Pay (10-15)", "UnionPay (62)", "tealpay (07-09)"] {
        assert!(words.contains(known), "{words}");
    }
}

proptest! {
    #[test]
    fn what_is_built_is_read_again(payload in payload()) {
        let optional: Vec<u8> = payload.missing();
        match payload.to_profile_text(&optional) {
            Ok(text) => prop_assert_eq!(read(&text).unwrap(), payload, "{}", text),
            // Additional data, or a payload, that grew beyond its limit.
            Err(error) => prop_assert!(matches!(error, EmvcoError::TooLong { id: 62 | 0, .. }), "{error}"),
        }
    }

    #[test]
    fn no_changed_character_goes_unseen(at in 0_usize..250, to in "[ -~]") {
        let mut characters: Vec<char> = EMVCO.chars().collect();
        let at = at % (characters.len() - 4);
        let to = to.chars().next().unwrap();
        prop_assume!(characters[at] != to);
        characters[at] = to;
        let changed: String = characters.into_iter().collect();
        prop_assert!(read(&changed).is_err(), "{changed}");
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC{0,200}", objects in "([0-9]{4}\\PC{0,12}){0,20}") {
        let _ = read(&text);
        let _ = read(&format!("000201{text}"));
        let _ = read(&sealed(&format!("000201{objects}")));
        let _ = Template::read(&objects);
    }

    #[test]
    fn no_cards_code_makes_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), at: u16, to: u8) {
        use base64::Engine as _;
        use base64::engine::general_purpose::STANDARD;
        let beginning = b"\x85\x05CPV01";
        let _ = CardCode::read(&STANDARD.encode([beginning.as_slice(), &bytes].concat()));
        for sample in [UNIONPAY_CARD, TWO_APPLICATIONS, TICKET] {
            let mut bytes = STANDARD.decode(sample).unwrap();
            let at = usize::from(at) % bytes.len();
            bytes[at] = to;
            if let Ok(code) = CardCode::read(&STANDARD.encode(&bytes)) {
                for application in code.applications {
                    let card = application.card.unwrap_or_default();
                    prop_assert!(card.is_empty() || card.matches('*').count() >= 2);
                }
            }
        }
        let _ = PaymentCode::classify(&String::from_utf8_lossy(&bytes), &CodeRule::published());
    }
}
