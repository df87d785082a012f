//! What goes wrong on purpose, planned for so many calls.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

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
    /// Every call breaks, whichever it is.
    Down,
}

/// A planned fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Fault {
    /// What goes wrong.
    pub fault: Kind,
    /// `alipay` or `wechatpay`; any where absent.
    #[serde(default)]
    pub channel: Option<String>,
    /// `pay`, `precreate`, `query`, `cancel`, `close`, `refund`, `refund_query`, `certificates`; `codepay`, `native` and
    /// `reverse` are WeChat Pay's names of the first, second and fourth. Any where absent.
    #[serde(default)]
    pub call: Option<String>,
    /// For how many calls; 1 where absent, 0 for all until the faults are cleared.
    #[serde(default = "one")]
    pub times: u32,
    /// How long an answer waits, in milliseconds.
    #[serde(default)]
    pub delay_ms: u64,
}

const fn one() -> u32 {
    1
}

const CHANNELS: [&str; 2] = ["alipay", "wechatpay"];
const CALLS: [&str; 11] = [
    "pay",
    "precreate",
    "query",
    "cancel",
    "close",
    "refund",
    "refund_query",
    "certificates",
    "codepay",
    "native",
    "reverse",
];

impl Fault {
    /// A fault that would never meet a call is a mistake.
    pub fn check(&self) -> Result<(), String> {
        let known = |what: &str, given: &Option<String>, all: &[&str]| match given.as_deref() {
            Some(given) if !all.contains(&given) => Err(format!("{given:?} is no {what}: use {}", all.join(", "))),
            _ => Ok(()),
        };
        known("channel", &self.channel, &CHANNELS)?;
        known("call", &self.call, &CALLS)
    }
}

/// What is to happen to one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Fine,
    LoseRequest,
    LoseAnswer,
    Delay(Duration),
    Http500,
    SystemError,
}

/// The plan, in the order it was made.
#[derive(Default)]
pub(super) struct Faults(Vec<Fault>);

impl Faults {
    /// Reads `fault:channel.call:times[:delay ms]`, comma between; `*` for any channel or call, 0 times for ever.
    pub fn parse(spec: &str) -> Result<Self, String> {
        let any = |text: &str| (text != "*").then(|| text.to_owned());
        spec.split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(|part| {
                let wrong = || format!("{part:?} is not fault:channel.call:times[:delay ms]");
                let mut fields = part.split(':');
                let fault = fields.next().ok_or_else(wrong)?;
                let fault = serde_json::from_value(fault.into()).map_err(|_| {
                    format!(
                        "{fault:?} is no fault: use lose_request, lose_answer, delay, http_500, system_error or down"
                    )
                })?;
                let target = fields.next().unwrap_or("*");
                let (channel, call) = target.split_once('.').unwrap_or((target, "*"));
                let times = fields.next().map_or(Ok(1), |times| times.parse().map_err(|_| wrong()))?;
                let delay_ms = fields.next().map_or(Ok(0), |delay| delay.parse().map_err(|_| wrong()))?;
                if fields.next().is_some() {
                    return Err(wrong());
                }
                let fault = Fault { fault, channel: any(channel), call: any(call), times, delay_ms };
                fault.check().map(|()| fault)
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    pub fn plan(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub fn planned(&self) -> &[Fault] {
        &self.0
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// What is to happen to this call; a planned fault is used up by it.
    pub fn fate(&mut self, channel: &str, call: &str) -> Fate {
        self.fate_of(channel, &[call])
    }

    /// The same for a call that goes by several names.
    pub fn fate_of(&mut self, channel: &str, names: &[&str]) -> Fate {
        let planned = self.0.iter().position(|fault| {
            let channel_fits = fault.channel.as_deref().is_none_or(|wanted| wanted == channel);
            let call_fits = fault.call.as_deref().is_none_or(|wanted| names.contains(&wanted));
            channel_fits && (call_fits || fault.fault == Kind::Down)
        });
        let Some(index) = planned else { return Fate::Fine };
        let fault = &mut self.0[index];
        let fate = match fault.fault {
            Kind::LoseRequest | Kind::Down => Fate::LoseRequest,
            Kind::LoseAnswer => Fate::LoseAnswer,
            Kind::Delay => Fate::Delay(Duration::from_millis(fault.delay_ms)),
            Kind::Http500 => Fate::Http500,
            Kind::SystemError => Fate::SystemError,
        };
        match fault.times {
            0 => {}
            1 => drop(self.0.remove(index)),
            _ => fault.times -= 1,
        }
        fate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_planned_fault_meets_the_calls_it_names_and_no_more() {
        let mut faults = Faults::parse("lose_answer:alipay.pay:2, delay:*:1:250").unwrap();
        assert_eq!(faults.fate("alipay", "pay"), Fate::LoseAnswer);
        assert_eq!(faults.fate("wechatpay", "query"), Fate::Delay(Duration::from_millis(250)));
        assert_eq!(faults.fate("wechatpay", "query"), Fate::Fine);
        assert_eq!(faults.fate("alipay", "pay"), Fate::LoseAnswer);
        assert_eq!(faults.fate("alipay", "pay"), Fate::Fine);
        for (wrong, told) in [
            ("explode", "is no fault"),
            ("delay:*:often", "times"),
            ("delay:*:1:2:3", "times"),
            ("delay:paypal", "is no channel"),
            ("delay:alipay.sing", "is no call"),
        ] {
            let why = Faults::parse(wrong).err().unwrap();
            assert!(why.contains(told), "{why}");
        }
    }

    #[test]
    fn nought_times_is_for_ever_and_down_is_every_call() {
        let mut faults = Faults::parse("delay:*:0:200,down:wechatpay.pay:2").unwrap();
        for _ in 0..3 {
            assert_eq!(faults.fate("alipay", "pay"), Fate::Delay(Duration::from_millis(200)));
        }
        faults.clear();
        assert_eq!(faults.fate("alipay", "pay"), Fate::Fine);
        let mut faults = Faults::parse("down:wechatpay:2").unwrap();
        assert_eq!(faults.fate("alipay", "pay"), Fate::Fine);
        assert_eq!(faults.fate("wechatpay", "query"), Fate::LoseRequest);
        assert_eq!(faults.fate("wechatpay", "close"), Fate::LoseRequest);
        assert_eq!(faults.fate("wechatpay", "close"), Fate::Fine);
    }

    #[test]
    fn a_call_may_be_named_the_same_for_every_provider() {
        let mut faults = Faults::parse("http_500:*.pay:1,system_error:*.reverse:1").unwrap();
        assert_eq!(faults.fate_of("wechatpay", &["reverse", "cancel"]), Fate::SystemError);
        assert_eq!(faults.fate_of("wechatpay", &["codepay", "pay"]), Fate::Http500);
    }
}
