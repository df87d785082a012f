//! Whatever the till shows, it says in both languages, with characters that the bundled fonts have.
#![cfg(feature = "till")]

use std::collections::{BTreeMap, BTreeSet};

use fluent_bundle::FluentResource;
use scantill::money::{Currency, Money};
use scantill::payment::{AttemptState, ChannelId, CodeRule, FailureReason, PaymentCode, VoidReason, Way};
use scantill::till::font;
use scantill::till::text::{Language, Text};

const ZH_CN: &str = include_str!("../assets/translations/zh-CN.ftl");
const EN: &str = include_str!("../assets/translations/en.ftl");

/// Each key with the variables its text uses.
fn variables(source: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut current = String::new();
    for line in source.lines().filter(|line| !line.starts_with('#')) {
        if line.starts_with(|c: char| c.is_ascii_lowercase()) {
            current = line.split(" =").next().unwrap().to_owned();
            assert!(found.insert(current.clone(), BTreeSet::new()).is_none(), "{current} is there twice");
        }
        for piece in line.split('$').skip(1) {
            let name: String = piece.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            found.get_mut(&current).unwrap().insert(name);
        }
    }
    found
}

/// The stable names that a source file gives in its `match` arms, so that a new one cannot be forgotten here.
fn names_in(source: &str) -> Vec<String> {
    let arms = source.lines().filter_map(|line| line.split_once("=> \"")?.1.split_once('"').map(|(name, _)| name));
    let is_name = |name: &&str| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    arms.filter(is_name).map(str::to_owned).collect()
}

fn serde_names<T: serde::Serialize>(values: &[T]) -> Vec<String> {
    values.iter().map(|value| serde_json::to_value(value).unwrap().as_str().unwrap().to_owned()).collect()
}

#[test]
fn both_files_parse_and_have_the_same_keys_with_the_same_variables() {
    for source in [ZH_CN, EN] {
        FluentResource::try_new(source.to_owned()).map_err(|(_, errors)| errors).unwrap();
    }
    let (zh, en) = (variables(ZH_CN), variables(EN));
    assert!(en.len() > 200, "the files were read");
    for (key, in_english) in &en {
        assert_eq!(zh.get(key), Some(in_english), "{key}");
    }
    let only_chinese: Vec<_> = zh.keys().filter(|key| !en.contains_key(*key)).collect();
    assert!(only_chinese.is_empty(), "en.ftl lacks {only_chinese:?}");
}

#[test]
fn every_text_can_be_shown_with_its_variables_filled_in() {
    for language in Language::ALL {
        let source = if language == Language::ZhCn { ZH_CN } else { EN };
        for (key, names) in variables(source) {
            let values: Vec<_> = names.iter().map(|name| (name.as_str(), 7.into())).collect();
            let shown = Text::new(language).ta(&key, &values);
            assert_ne!(shown, key);
            assert!(!shown.contains(['{', '}', '$']), "{key}: {shown}");
        }
    }
}

#[test]
fn every_name_the_program_can_send_has_its_words_in_both_languages() {
    let states = names_in(include_str!("../src/payment/state.rs"));
    let (states, pending) = states.split_at(8);
    let failures = names_in(include_str!("../src/payment/failure.rs"));
    let events = names_in(include_str!("../src/payment/event.rs"));
    let rejections = names_in(include_str!("../src/payment/code.rs"));
    assert_eq!((states[7].as_str(), pending.len(), failures.len()), ("refunded", 7, 11));
    let faults = names_in(include_str!("../src/channel/account_test.rs"));
    assert_eq!((events.len(), rejections.len(), faults.len()), (24, 11, 15));
    let attempts = serde_names(&[
        AttemptState::Prepared,
        AttemptState::CodeShown,
        AttemptState::CustomerConfirming,
        AttemptState::Unknown,
        AttemptState::Voiding,
        AttemptState::Succeeded,
        AttemptState::Failed,
        AttemptState::Closed,
        AttemptState::Reversed,
        AttemptState::SurplusRefunding,
        AttemptState::SurplusRefunded,
        AttemptState::SurplusOwed,
    ]);
    let voids = serde_names(&[
        VoidReason::Cancelled,
        VoidReason::Expired,
        VoidReason::PaidOtherwise,
        VoidReason::Renewed,
        VoidReason::StayedUnknown,
    ]);
    let ways = serde_names(&[Way::MerchantPresented, Way::ConsumerPresented]);
    let channels = ["alipay", "wechatpay", "unionpay", "bank_transfer"].map(str::to_owned);
    let short = |names: &[String]| names.iter().map(|name| format!("{name}_short")).collect::<Vec<_>>();
    let groups: [(&str, &[String]); 13] = [
        ("state", states),
        ("pending", pending),
        ("pending", &short(pending)),
        ("failure", &failures),
        ("failure", &short(&failures)),
        ("event", &events),
        ("rejection", &rejections),
        ("account-fault", &faults),
        ("attempt", &attempts),
        ("void", &voids),
        ("way", &ways),
        ("channel", &channels),
        ("channel", &short(&channels)),
    ];
    for language in Language::ALL {
        let known = variables(if language == Language::ZhCn { ZH_CN } else { EN });
        for (prefix, names) in groups {
            for name in names {
                let key = format!("{prefix}-{}", name.replace('_', "-"));
                assert!(known.contains_key(&key), "{} lacks {key}", language.tag());
                assert_ne!(Text::new(language).named(prefix, name), *name);
            }
        }
    }
}

#[test]
fn the_english_reason_is_the_sentence_that_commands_print() {
    let en = Text::new(Language::En);
    for name in names_in(include_str!("../src/payment/failure.rs")) {
        let reason: FailureReason = serde_json::from_value(name.clone().into()).unwrap();
        assert_eq!(en.named("failure", &name), reason.sentence());
    }
}

#[test]
fn a_rejected_code_is_explained_with_its_numbers() {
    let rejection = PaymentCode::classify("2812345678901", &CodeRule::published()).unwrap_err();
    assert_eq!(rejection.kind(), "too_short");
    let said = Text::new(Language::ZhCn).named_with("rejection", rejection.kind(), &[("digits", 13.into())]);
    assert_eq!(said, "这个码只有 13 位数字，比付款码短。请重新扫，或输入全部数字。");
}

#[test]
fn plural_and_formatted_amounts_come_out_plain() {
    let en = Text::new(Language::En);
    let today = |count: i64| en.ta("bar-today", &[("total", "¥4,218.50".into()), ("count", count.into())]);
    assert_eq!(today(137), "Today ¥4,218.50 · 137 sales");
    assert_eq!(today(1), "Today ¥4,218.50 · 1 sale");
    let decimals = |allowed: u32| en.ta("amount-too-many-decimals", &[("allowed", allowed.into())]);
    assert_eq!(decimals(2), "An amount has at most 2 decimals, such as 12.50.");
    assert_eq!(decimals(0), "This currency has no decimals.");
}

#[test]
fn what_is_not_translated_falls_back_and_never_fails() {
    let zh = Text::new(Language::ZhCn);
    assert_eq!(zh.t("no-such-key"), "no-such-key");
    assert_eq!(zh.named("event", "from_the_future"), "from_the_future");
    assert_eq!(zh.channel(&"paynow".parse::<ChannelId>().unwrap()), "paynow");
}

#[test]
fn the_voice_says_amounts_as_people_do() {
    let zh = Text::new(Language::ZhCn);
    let say = |minor| zh.voice_line(&ChannelId::ALIPAY, Money::new(minor, Currency::CNY));
    assert_eq!(say(1250), "支付宝收款 12 元 5 角");
    assert_eq!(say(1205), "支付宝收款 12 元零 5 分");
    assert_eq!(say(1255), "支付宝收款 12 元 5 角 5 分");
    assert_eq!(say(1200), "支付宝收款 12 元");
    assert_eq!(say(50), "支付宝收款 5 角");
    assert_eq!(say(1), "支付宝收款 1 分");
    let en = Text::new(Language::En).voice_line(&ChannelId::ALIPAY, Money::new(1250, Currency::CNY));
    assert_eq!(en, "Alipay, 12.50 received");
}

#[test]
fn a_locale_names_its_language() {
    assert_eq!(Language::of_locale("zh_CN.UTF-8"), Language::ZhCn);
    assert_eq!(Language::of_locale("en_GB.UTF-8"), Language::En);
    assert_eq!(Language::of_locale("C"), Language::En);
    assert_eq!(Language::ZhCn.next(), Language::En);
}

#[test]
fn the_fonts_have_every_character_of_both_languages_and_figures_stand_in_columns() {
    let fonts = font::bytes();
    let faces: Vec<_> = fonts.iter().map(|bytes| ttf_parser::Face::parse(bytes, 0).unwrap()).collect();
    let typographic_family = |face: &ttf_parser::Face<'_>| {
        let of_id = |id| face.names().into_iter().find(|name| name.name_id == id).and_then(|name| name.to_string());
        of_id(16).or_else(|| of_id(1)).unwrap()
    };
    let named: Vec<_> = faces.iter().map(|face| (typographic_family(face), face.weight().to_number())).collect();
    let expected =
        [("Scantill Sans", 400), ("Scantill Sans", 700), ("Scantill Figures", 500), ("Scantill Figures", 700)];
    assert_eq!(named, expected.map(|(name, weight)| (name.to_owned(), weight)));
    for face in &faces[..2] {
        let missing: BTreeSet<char> =
            ZH_CN.chars().chain(EN.chars()).filter(|c| !c.is_control() && face.glyph_index(*c).is_none()).collect();
        assert!(missing.is_empty(), "run packaging/fonts: the font lacks {missing:?}");
    }
    for face in &faces {
        let widths: BTreeSet<_> =
            ('0'..='9').map(|digit| face.glyph_hor_advance(face.glyph_index(digit).unwrap()).unwrap()).collect();
        assert_eq!(widths.len(), 1, "figures are not tabular");
        assert!("¥€$,.-".chars().all(|c| face.glyph_index(c).is_some()));
    }
    assert!(fonts.iter().map(|bytes| bytes.len()).sum::<usize>() < 5_000_000);
}

#[test]
fn an_accounts_form_and_what_is_wrong_with_it_have_words_in_both_languages() {
    let zh = variables(ZH_CN);
    for form in scantill::channel::forms() {
        let about = format!("accounts-about-{}", form.channel.as_str().replace('_', "-"));
        assert!(zh.contains_key(&about), "{about}");
        for field in form.fields {
            let key = format!("credential-{}-{}", form.channel, field.name).replace('_', "-");
            assert!(zh.contains_key(&key), "{key} = {}", field.label);
        }
    }
    for fault in names_in(include_str!("../src/channel/account_test.rs")) {
        let key = format!("account-fault-{}", fault.replace('_', "-"));
        assert!(zh.contains_key(&key), "{key}");
    }
}
