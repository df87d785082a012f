//! Every word on the screen, in the language of the moment. The words themselves are in `assets/translations`; how
//! their keys are named is written at the top of `en.ftl`.

use std::borrow::Cow;
use std::sync::OnceLock;

use fluent_bundle::FluentArgs;
use fluent_bundle::FluentResource;
use fluent_bundle::concurrent::FluentBundle;
use unic_langid::LanguageIdentifier;

use crate::money::{Currency, Money};
use crate::payment::ChannelId;

/// A value put into a text: `"¥12.50".into()`, `3.into()`.
pub use fluent_bundle::FluentValue as Value;

/// A language the till speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Language {
    /// Simplified Chinese.
    ZhCn,
    /// English.
    #[default]
    En,
}

impl Language {
    /// Every language, in the order settings show them.
    pub const ALL: [Self; 2] = [Self::ZhCn, Self::En];

    /// The BCP 47 tag: `zh-CN` or `en`.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::ZhCn => "zh-CN",
            Self::En => "en",
        }
    }

    /// What the language calls itself.
    #[must_use]
    pub const fn own_name(self) -> &'static str {
        match self {
            Self::ZhCn => "简体中文",
            Self::En => "English",
        }
    }

    /// The language of a tag or a POSIX locale (`zh-CN`, `zh_CN.UTF-8`, `en_GB`); English for what is not spoken here.
    #[must_use]
    pub fn of_locale(locale: &str) -> Self {
        if locale.to_ascii_lowercase().starts_with("zh") { Self::ZhCn } else { Self::En }
    }

    /// The next one in turn, for the key that switches.
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::ZhCn => Self::En,
            Self::En => Self::ZhCn,
        }
    }

    const fn source(self) -> &'static str {
        match self {
            Self::ZhCn => include_str!("../../assets/translations/zh-CN.ftl"),
            Self::En => include_str!("../../assets/translations/en.ftl"),
        }
    }

    fn bundle(self) -> &'static FluentBundle<FluentResource> {
        static ZH_CN: OnceLock<FluentBundle<FluentResource>> = OnceLock::new();
        static EN: OnceLock<FluentBundle<FluentResource>> = OnceLock::new();
        let cell = match self {
            Self::ZhCn => &ZH_CN,
            Self::En => &EN,
        };
        cell.get_or_init(|| {
            let locale: LanguageIdentifier = self.tag().parse().unwrap_or_default();
            let mut bundle = FluentBundle::new_concurrent(vec![locale]);
            // The marks that isolate a variable's direction are for right-to-left scripts; some fonts draw boxes.
            bundle.set_use_isolating(false);
            // A message that does not parse is left out and falls back to English; tests/text.rs finds it.
            let resource = FluentResource::try_new(self.source().to_owned()).unwrap_or_else(|(partial, _)| partial);
            let _ = bundle.add_resource(resource);
            bundle
        })
    }
}

/// The words of one language. Costs nothing to copy: the translations are read once for the whole program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Text {
    language: Language,
}

impl Text {
    /// The words of that language.
    #[must_use]
    pub const fn new(language: Language) -> Self {
        Self { language }
    }

    /// Which language they are in.
    #[must_use]
    pub const fn language(self) -> Language {
        self.language
    }

    /// The text of a key without variables. What is not translated comes in English, and what is not there at all as
    /// its key.
    #[must_use]
    pub fn t(self, key: &str) -> String {
        self.ta(key, &[])
    }

    /// The text of a key with variables: `text.ta("bar-today", &[("total", "¥4.50".into()), ("count", 2.into())])`.
    #[must_use]
    pub fn ta(self, key: &str, values: &[(&str, Value<'_>)]) -> String {
        self.find(key, values).unwrap_or_else(|| key.to_owned())
    }

    /// The text of a stable name, such as `failure` and `code_expired` for `failure-code-expired`. A name that has no
    /// text, such as one that a newer Payment API sends, comes as it is.
    #[must_use]
    pub fn named(self, prefix: &str, name: &str) -> String {
        self.named_with(prefix, name, &[])
    }

    /// As [`Text::named`], with variables.
    #[must_use]
    pub fn named_with(self, prefix: &str, name: &str, values: &[(&str, Value<'_>)]) -> String {
        let key = format!("{prefix}-{}", name.replace('_', "-"));
        self.find(&key, values).unwrap_or_else(|| name.to_owned())
    }

    /// What a refusal of the API's means: in our words where there are any for its code, else in its own.
    #[must_use]
    pub fn problem(self, code: &str, detail: &str) -> String {
        self.find(&format!("error-{}", code.replace('_', "-")), &[]).unwrap_or_else(|| detail.to_owned())
    }

    /// A channel's name.
    #[must_use]
    pub fn channel(self, channel: &ChannelId) -> String {
        self.named("channel", channel.as_str())
    }

    /// What a voice says, or a line shows, when money came in: "Alipay, 12.50 received", "支付宝收款 12 元 5 角".
    #[must_use]
    pub fn voice_line(self, channel: &ChannelId, amount: Money) -> String {
        let channel = self.channel(channel);
        self.ta("voice-received", &[("channel", channel.into()), ("amount", self.spoken(amount).into())])
    }

    /// An amount as it is said aloud.
    fn spoken(self, amount: Money) -> Cow<'static, str> {
        match (self.language, amount.currency) {
            (Language::ZhCn, Currency::CNY) => spoken_yuan(amount.minor).into(),
            _ => amount.to_decimal().into(),
        }
    }

    fn find(self, key: &str, values: &[(&str, Value<'_>)]) -> Option<String> {
        let mut args = FluentArgs::with_capacity(values.len());
        for (name, value) in values {
            args.set((*name).to_owned(), value.clone());
        }
        [self.language, Language::En].into_iter().find_map(|language| {
            let bundle = language.bundle();
            let pattern = bundle.get_message(key)?.value()?;
            let mut errors = Vec::new();
            // A missing variable shows as its name in braces: wrong, but the rest can still be read.
            Some(bundle.format_pattern(pattern, Some(&args), &mut errors).into_owned())
        })
    }
}

/// 1250 -> `12 元 5 角`, 1205 -> `12 元零 5 分`, 50 -> `5 角`.
fn spoken_yuan(fen: i64) -> String {
    let sign = if fen < 0 { "负 " } else { "" };
    let fen = fen.unsigned_abs();
    let (yuan, jiao, fen) = (fen / 100, fen / 10 % 10, fen % 10);
    let yuan_part = if yuan > 0 || (jiao == 0 && fen == 0) { format!("{yuan} 元") } else { String::new() };
    let rest = match (jiao, fen) {
        (0, 0) => String::new(),
        (0, fen) if yuan > 0 => format!("零 {fen} 分"),
        (0, fen) => format!("{fen} 分"),
        (jiao, 0) => format!("{jiao} 角"),
        (jiao, fen) => format!("{jiao} 角 {fen} 分"),
    };
    let gap = if yuan_part.is_empty() || rest.is_empty() || rest.starts_with('零') { "" } else { " " };
    format!("{sign}{yuan_part}{gap}{rest}")
}
