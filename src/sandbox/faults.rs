//! What goes wrong on purpose: planned for so many calls, or by chance from the seed.

use std::collections::HashMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::book::{Millis, Provider};
use super::{alipay, unionpay, wechatpay};
use crate::crypto::sha256;

/// A kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    /// The connection breaks before the request is looked at.
    LoseRequest,
    /// The request is carried out; the connection breaks before its answer.
    LoseAnswer,
    /// The request is carried out; its answer waits.
    Delay,
    /// HTTP 500, and nothing is done.
    #[serde(rename = "http_500")]
    Http500,
    /// The provider's own "system error", and nothing is done.
    SystemError,
    /// The provider refuses with the error that `code` names, and nothing is done.
    Refuse,
    /// Every call breaks, whichever it is.
    Down,
    /// The provider's clock is off by `delay_ms` (negative: behind) as long as this is planned.
    ClockSkew,
    /// A notification's delivery is lost on its way; the provider's schedule goes on.
    Lose,
    /// A notification waits for `delay_ms` before its first delivery.
    Late,
    /// A notification waits until the merchant has taken another, at most `delay_ms` (10 s where 0).
    Reorder,
    /// A notification is delivered twice, each signed anew.
    Duplicate,
    /// A notification is preceded by a false one that somebody else signed.
    Forge,
    /// A notification comes once more after it was taken, byte for byte, `delay_ms` (1 s where 0) later.
    Replay,
    /// A delivery tells one fen more than was paid or returned, rightly signed.
    WrongAmount,
}

impl Kind {
    /// Whether it is about notifications.
    const fn of_notifications(self) -> bool {
        matches!(
            self,
            Self::Lose | Self::Late | Self::Reorder | Self::Duplicate | Self::Forge | Self::Replay | Self::WrongAmount
        )
    }
}

/// A planned fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Fault {
    /// What goes wrong.
    pub fault: Kind,
    /// A provider's name, such as `alipay`; any where absent.
    #[serde(default)]
    pub channel: Option<String>,
    /// `pay`, `precreate`, `query`, `cancel`, `close`, `refund`, `refund_query`, `bill`, `certificates`, or what a
    /// provider calls the same; `notify` for notifications. Any where absent.
    #[serde(default)]
    pub call: Option<String>,
    /// For how many calls; 1 where absent, 0 for all until the faults are cleared.
    #[serde(default = "one")]
    pub times: u32,
    /// Not every call that it is planned for, but so many in a hundred, by chance from the seed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 100)]
    pub percent: Option<u8>,
    /// How long something waits, or how far the clock is off, in milliseconds.
    #[serde(default)]
    pub delay_ms: i64,
    /// The provider's error that `refuse` answers with, such as `ACQ.PAYMENT_FAIL`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

const fn one() -> u32 {
    1
}

/// The names that mean the same with every provider.
const CALLS: [&str; 10] =
    ["pay", "precreate", "query", "cancel", "close", "refund", "refund_query", "bill", "certificates", NOTIFY];
const NOTIFY: &str = "notify";
const MAX_WAIT: i64 = 86_400_000;

/// Every name of a call, the common ones and each provider's own.
fn calls() -> Vec<&'static str> {
    CALLS.iter().chain(alipay::CALL_NAMES).chain(wechatpay::CALL_NAMES).chain(unionpay::CALL_NAMES).copied().collect()
}

impl Fault {
    /// A fault that would never meet a call is a mistake.
    pub fn check(&self) -> Result<(), String> {
        let known = |what: &str, given: &Option<String>, all: &[&str]| match given.as_deref() {
            Some(given) if !all.contains(&given) => Err(format!("{given:?} is no {what}: use {}", all.join(", "))),
            _ => Ok(()),
        };
        known("channel", &self.channel, &Provider::ALL.map(Provider::name))?;
        known("call", &self.call, &calls())?;
        let notify = self.call.as_deref().is_none_or(|call| call == NOTIFY);
        if self.fault.of_notifications() && !notify {
            return Err(format!("this fault is about notifications: use {NOTIFY} for its call, or none"));
        }
        if !self.fault.of_notifications() && self.call.as_deref() == Some(NOTIFY) {
            return Err("this fault is about calls, not about notifications".to_owned());
        }
        if self.fault == Kind::Refuse && self.code.as_deref().is_none_or(str::is_empty) {
            return Err("refuse needs the provider's error code, such as refuse:alipay.pay:1:ACQ.PAYMENT_FAIL".into());
        }
        if self.percent.is_some_and(|percent| !(1..=100).contains(&percent)) {
            return Err("a percentage is from 1% to 100%".to_owned());
        }
        let backwards = self.fault != Kind::ClockSkew && self.delay_ms < 0;
        if backwards || (self.fault != Kind::ClockSkew && self.delay_ms > MAX_WAIT) {
            return Err("a delay is from 0 to 86400000 ms".to_owned());
        }
        Ok(())
    }

    fn fits(&self, channel: &str, names: &[&str]) -> bool {
        let channel_fits = self.channel.as_deref().is_none_or(|wanted| wanted == channel);
        let call_fits = self.call.as_deref().is_none_or(|wanted| names.contains(&wanted));
        channel_fits && (call_fits || self.fault == Kind::Down)
    }
}

/// What is to happen to one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fate {
    Fine,
    LoseRequest,
    LoseAnswer,
    Delay(Duration),
    Http500,
    SystemError,
    /// The provider's own error code.
    Refuse(String),
}

/// What is to happen to one delivery of a notification; the duration is the fault's own.
pub(super) type NoticeFate = Option<(Kind, Duration)>;

/// The plan, in the order it was made.
#[derive(Default)]
pub(super) struct Faults {
    planned: Vec<Fault>,
    seed: u64,
    /// How often chance was asked about a fault and a call: the same seed and the same calls meet the same faults, in
    /// whatever order calls of different names come.
    asked: HashMap<(usize, String), u64>,
}

impl Faults {
    /// Reads `fault:channel.call:times[:more]`, comma between: `*` for any channel or call; `times` 0 for ever, or `5%`
    /// for five in a hundred by chance; `more` is milliseconds, or `refuse`'s error code.
    pub fn parse(spec: &str, seed: u64) -> Result<Self, String> {
        let any = |text: &str| (text != "*").then(|| text.to_owned());
        let planned = spec
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(|part| {
                let wrong = || format!("{part:?} is not fault:channel.call:times[:delay ms]");
                let mut fields = part.split(':');
                let fault = fields.next().ok_or_else(wrong)?;
                let fault: Kind = serde_json::from_value(fault.into()).map_err(|_| {
                    format!(
                        "{fault:?} is no fault: use lose_request, lose_answer, delay, http_500, system_error, refuse, \
                         down or clock_skew, and for notifications lose, late, reorder, duplicate, forge, replay or \
                         wrong_amount"
                    )
                })?;
                let target = fields.next().unwrap_or("*");
                let (channel, call) = target.split_once('.').unwrap_or((target, "*"));
                let (times, percent) = match fields.next() {
                    None => (1, None),
                    Some(text) => match text.strip_suffix('%') {
                        Some(percent) => (0, Some(percent.parse().map_err(|_| wrong())?)),
                        None => (text.parse().map_err(|_| wrong())?, None),
                    },
                };
                let (mut delay_ms, mut code) = (0, None);
                match fields.next() {
                    Some(text) if fault == Kind::Refuse => code = Some(text.to_owned()),
                    Some(text) => delay_ms = text.parse().map_err(|_| wrong())?,
                    None => {}
                }
                if fields.next().is_some() {
                    return Err(wrong());
                }
                let fault = Fault { fault, channel: any(channel), call: any(call), times, percent, delay_ms, code };
                fault.check().map(|()| fault)
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { planned, seed, asked: HashMap::new() })
    }

    /// None planned.
    pub fn none(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    pub fn plan(&mut self, fault: Fault) {
        self.planned.push(fault);
    }

    pub fn planned(&self) -> &[Fault] {
        &self.planned
    }

    pub fn clear(&mut self) {
        self.planned.clear();
        self.asked.clear();
    }

    /// What is to happen to this call; a planned fault is used up by it.
    pub fn fate(&mut self, channel: &str, call: &str) -> Fate {
        self.fate_of(channel, &[call])
    }

    /// The same for a call that goes by several names.
    pub fn fate_of(&mut self, channel: &str, names: &[&str]) -> Fate {
        let met = self.meet(channel, names, |kind| !kind.of_notifications() && kind != Kind::ClockSkew);
        let Some(fault) = met else { return Fate::Fine };
        match fault.fault {
            Kind::LoseRequest | Kind::Down => Fate::LoseRequest,
            Kind::LoseAnswer => Fate::LoseAnswer,
            Kind::Delay => Fate::Delay(fault.wait(0)),
            Kind::Http500 => Fate::Http500,
            Kind::SystemError => Fate::SystemError,
            Kind::Refuse => Fate::Refuse(fault.code.unwrap_or_default()),
            _ => Fate::Fine,
        }
    }

    /// What is to happen to this delivery of a notification.
    pub fn notice_fate(&mut self, channel: Provider) -> NoticeFate {
        let fault = self.meet(channel.name(), &[NOTIFY], Kind::of_notifications)?;
        let usual = match fault.fault {
            Kind::Reorder => 10_000,
            Kind::Replay => 1_000,
            _ => 0,
        };
        Some((fault.fault, fault.wait(usual)))
    }

    /// How far a provider's clock is off.
    pub fn skew(&self, channel: Provider) -> Millis {
        let skews = self.planned.iter().filter(|fault| fault.fault == Kind::ClockSkew);
        skews.filter(|fault| fault.fits(channel.name(), &[])).map(|fault| fault.delay_ms).sum()
    }

    /// The first planned fault that meets this call, used up by it.
    fn meet(&mut self, channel: &str, names: &[&str], wanted: impl Fn(Kind) -> bool) -> Option<Fault> {
        for index in 0..self.planned.len() {
            let fault = &self.planned[index];
            if !wanted(fault.fault) || !fault.fits(channel, names) {
                continue;
            }
            if let Some(percent) = fault.percent {
                let call = format!("{channel}.{}", names.first().unwrap_or(&""));
                let asked = self.asked.entry((index, call.clone())).or_default();
                *asked += 1;
                let drawn = sha256(format!("{}|{index}|{call}|{asked}", self.seed).as_bytes());
                let drawn = u16::from_be_bytes([drawn[0], drawn[1]]);
                if u32::from(drawn) * 100 >= u32::from(percent) << 16 {
                    continue;
                }
            }
            let met = self.planned[index].clone();
            match met.times {
                0 => {}
                1 => drop(self.planned.remove(index)),
                _ => self.planned[index].times -= 1,
            }
            return Some(met);
        }
        None
    }
}

impl Fault {
    fn wait(&self, usual: u64) -> Duration {
        let wait = u64::try_from(self.delay_ms).unwrap_or_default();
        Duration::from_millis(if wait == 0 { usual } else { wait })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(spec: &str) -> Faults {
        Faults::parse(spec, 7).unwrap()
    }

    #[test]
    fn a_planned_fault_meets_the_calls_it_names_and_no_more() {
        let mut faults = parse("lose_answer:alipay.pay:2, delay:*:1:250");
        assert_eq!(faults.fate("alipay", "pay"), Fate::LoseAnswer);
        assert_eq!(faults.fate("wechatpay", "query"), Fate::Delay(Duration::from_millis(250)));
        assert_eq!(faults.fate("wechatpay", "query"), Fate::Fine);
        assert_eq!(faults.fate("alipay", "pay"), Fate::LoseAnswer);
        assert_eq!(faults.fate("alipay", "pay"), Fate::Fine);
        for (wrong, told) in [
            ("explode", "is no fault"),
            ("delay:*:often", "times"),
            ("delay:*:1:2:3", "times"),
            ("delay:*:1:-5", "delay"),
            ("delay:paypal", "is no channel"),
            ("delay:alipay.sing", "is no call"),
            ("lose:alipay.pay", "about notifications"),
            ("http_500:alipay.notify", "about calls"),
            ("refuse:alipay.pay:1", "error code"),
            ("delay:*:0%", "percentage"),
            ("delay:*:101%", "percentage"),
            ("delay:*:x%", "times"),
        ] {
            let why = Faults::parse(wrong, 7).err().unwrap();
            assert!(why.contains(told), "{why}");
        }
    }

    #[test]
    fn nought_times_is_for_ever_and_down_is_every_call() {
        let mut faults = parse("delay:*:0:200,down:wechatpay.pay:2");
        for _ in 0..3 {
            assert_eq!(faults.fate("alipay", "pay"), Fate::Delay(Duration::from_millis(200)));
        }
        faults.clear();
        assert_eq!(faults.fate("alipay", "pay"), Fate::Fine);
        let mut faults = parse("down:wechatpay:2");
        assert_eq!(faults.fate("alipay", "pay"), Fate::Fine);
        assert_eq!(faults.fate("wechatpay", "query"), Fate::LoseRequest);
        assert_eq!(faults.fate("wechatpay", "close"), Fate::LoseRequest);
        assert_eq!(faults.fate("wechatpay", "close"), Fate::Fine);
    }

    #[test]
    fn a_call_may_be_named_the_same_for_every_provider() {
        let mut faults = parse("http_500:*.pay:1,system_error:*.reverse:1,refuse:*.pay:1:NOT_ENOUGH");
        assert_eq!(faults.fate_of("wechatpay", &["reverse", "cancel"]), Fate::SystemError);
        assert_eq!(faults.fate_of("wechatpay", &["codepay", "pay"]), Fate::Http500);
        assert_eq!(faults.fate_of("wechatpay", &["codepay", "pay"]), Fate::Refuse("NOT_ENOUGH".into()));
    }

    #[test]
    fn chance_follows_from_the_seed_whatever_else_is_called_in_between() {
        let drawn = |seed, between: bool| -> Vec<bool> {
            let mut faults = Faults::parse("lose_answer:*:20%", seed).unwrap();
            let mut draw = || {
                if between {
                    faults.fate("wechatpay", "query");
                }
                faults.fate("alipay", "pay") == Fate::LoseAnswer
            };
            (0..500).map(|_| draw()).collect()
        };
        let one = drawn(7, false);
        assert_eq!(one, drawn(7, true), "other calls do not disturb it");
        assert_ne!(one, drawn(8, false));
        let lost = one.iter().filter(|lost| **lost).count();
        assert!((60..140).contains(&lost), "{lost} of 500");
        let mut always = parse("lose_answer:*:100%");
        assert!((0..50).all(|_| always.fate("alipay", "pay") == Fate::LoseAnswer));
    }

    #[test]
    fn notifications_have_faults_of_their_own_and_clocks_are_off_until_cleared() {
        let mut faults = parse("lose:alipay:1,replay:*.notify:1,clock_skew:alipay:0:-660000");
        assert_eq!(faults.fate("alipay", "pay"), Fate::Fine);
        assert_eq!(faults.notice_fate(Provider::Wechatpay), Some((Kind::Replay, Duration::from_secs(1))));
        assert_eq!(faults.notice_fate(Provider::Alipay), Some((Kind::Lose, Duration::ZERO)));
        assert_eq!(faults.notice_fate(Provider::Alipay), None);
        assert_eq!((faults.skew(Provider::Alipay), faults.skew(Provider::Wechatpay)), (-660_000, 0));
        faults.clear();
        assert_eq!(faults.skew(Provider::Alipay), 0);
    }
}
