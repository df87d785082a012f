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
    /// Every call of the channel breaks, until as many calls have come.
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
    /// `pay`, `precreate`, `query`, `cancel`, `close`, `refund`, `refund_query`, `native`, `codepay`, `reverse`; any where absent.
    #[serde(default)]
    pub call: Option<String>,
    /// For how many calls; 1 where absent.
    #[serde(default = "one")]
    pub times: u32,
    /// How long an answer waits, in milliseconds.
    #[serde(default)]
    pub delay_ms: u64,
}

const fn one() -> u32 {
    1
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

#[derive(Default)]
pub(super) struct Faults(Vec<Fault>);

impl Faults {
    /// Reads `fault:channel.call:times[:delay ms]`, comma between; `*` for any channel or call.
    pub fn parse(spec: &str) -> Result<Self, String> {
        let any = |text: &str| (text != "*").then(|| text.to_owned());
        spec.split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(|part| {
                let wrong = || format!("{part:?} is not fault:channel.call:times[:delay ms]");
                let mut fields = part.split(':');
                let fault = fields.next().ok_or_else(wrong)?;
                let fault = serde_json::from_value(fault.into()).map_err(|_| format!("{fault:?} is no fault"))?;
                let target = fields.next().unwrap_or("*");
                let (channel, call) = target.split_once('.').unwrap_or((target, "*"));
                let times = fields.next().map_or(Ok(1), |times| times.parse().map_err(|_| wrong()))?;
                let delay_ms = fields.next().map_or(Ok(0), |delay| delay.parse().map_err(|_| wrong()))?;
                if fields.next().is_some() {
                    return Err(wrong());
                }
                Ok(Fault { fault, channel: any(channel), call: any(call), times, delay_ms })
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    pub fn plan(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    /// What is to happen to this call; a planned fault is used up by it.
    pub fn fate(&mut self, channel: &str, call: &str) -> Fate {
        let fits = |wanted: &Option<String>, is: &str| wanted.as_deref().is_none_or(|wanted| wanted == is);
        let planned = self.0.iter_mut().find(|fault| {
            let call_fits = fault.fault == Kind::Down || fits(&fault.call, call);
            fault.times > 0 && fits(&fault.channel, channel) && call_fits
        });
        let Some(fault) = planned else { return Fate::Fine };
        fault.times -= 1;
        let fate = match fault.fault {
            Kind::LoseRequest | Kind::Down => Fate::LoseRequest,
            Kind::LoseAnswer => Fate::LoseAnswer,
            Kind::Delay => Fate::Delay(Duration::from_millis(fault.delay_ms)),
            Kind::Http500 => Fate::Http500,
            Kind::SystemError => Fate::SystemError,
        };
        self.0.retain(|fault| fault.times > 0);
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
        assert!(Faults::parse("explode").is_err());
        assert!(Faults::parse("delay:*:often").is_err());
    }
}
