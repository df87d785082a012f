//! Payment codes: each names a wallet for a minute, once.

use std::collections::HashMap;

use super::types::{Millis, Provider, Refusal, Wallet};

/// How long a payment code is good.
pub(super) const LIFETIME: Millis = 60_000;
/// A code that ran out is remembered for so long, so that it can be told from one that never was.
const MEMORY: Millis = 3_600_000;

/// What a code is good for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Spent {
    pub wallet: String,
    /// The customer has to confirm, whatever the amount.
    pub ask: bool,
}

struct Code {
    wallet: String,
    channel: Provider,
    expires_at: Millis,
    used: bool,
}

/// Codes that begin so are always good and any number of times: a command that starts its own sandbox has no phone to
/// ask for a fresh one. The last two digits say what comes of them.
fn training(channel: Provider, auth_code: &str) -> Option<Result<Spent, Refusal>> {
    let (prefix, wallet) = match channel {
        Provider::Alipay => ("28000000", "alipay-1"),
        Provider::Wechatpay => ("13000000", "wechatpay-1"),
        Provider::Unionpay => ("62000000", "unionpay-1"),
    };
    let digits = auth_code.bytes().all(|byte| byte.is_ascii_digit());
    let rest = auth_code.strip_prefix(prefix).filter(|rest| digits && rest.len() >= 8)?;
    let spent = |ask| Ok(Spent { wallet: wallet.to_owned(), ask });
    Some(match rest.get(rest.len() - 2..) {
        Some("91") => Err(Refusal::Balance),
        Some("92") => spent(true),
        Some("93") => Err(Refusal::CodeExpired),
        _ => spent(false),
    })
}

/// Every code that was given out lately.
#[derive(Default)]
pub(super) struct Codes {
    known: HashMap<String, Code>,
    swept_at: Millis,
}

impl Codes {
    /// Gives out a code of a wallet; `digits` draws that many random digits. An older code of the same wallet is good
    /// until its own end: the till may have read it already.
    pub fn issue(&mut self, wallet: &Wallet, now: Millis, mut digits: impl FnMut(usize) -> String) -> (String, Millis) {
        if now - self.swept_at > LIFETIME {
            self.known.retain(|_, code| code.expires_at + MEMORY > now);
            self.swept_at = now;
        }
        let expires_at = now + LIFETIME;
        let rules = wallet.channel.rules();
        loop {
            let code = format!("{}{}", rules.code_prefix, digits(rules.code_length - rules.code_prefix.len()));
            if !self.known.contains_key(&code) && training(wallet.channel, &code).is_none() {
                let known = Code { wallet: wallet.id.clone(), channel: wallet.channel, expires_at, used: false };
                self.known.insert(code.clone(), known);
                return (code, expires_at);
            }
        }
    }

    /// Uses a code up.
    pub fn spend(&mut self, channel: Provider, auth_code: &str, now: Millis) -> Result<Spent, Refusal> {
        if let Some(training) = training(channel, auth_code) {
            return training;
        }
        let code = self.known.get_mut(auth_code).filter(|code| code.channel == channel).ok_or(Refusal::CodeInvalid)?;
        if code.used {
            return Err(Refusal::CodeUsed);
        }
        if now >= code.expires_at {
            return Err(Refusal::CodeExpired);
        }
        code.used = true;
        Ok(Spent { wallet: code.wallet.clone(), ask: false })
    }
}
