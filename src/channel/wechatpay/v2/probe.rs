//! Whether an account works: an order that never was is asked for (merchant number, application, API key), then
//! reversed (the merchant's certificate).

use super::V2;
use super::answer::{Reply, read};
use super::xml::Message;
use crate::channel::http::{Answer, Lost, now};
use crate::channel::wechatpay::meaning::ApiError;
use crate::channel::wechatpay::probe::{clock_skew, order_that_never_was};
use crate::channel::{AccountFault, AccountTest};

impl V2 {
    pub async fn test(&self) -> AccountTest {
        match self.try_account().await {
            Ok(()) => AccountTest::good(),
            Err(test) => test,
        }
    }

    async fn try_account(&self) -> Result<(), AccountTest> {
        if let Err(error) = self.credentials.merchant_certificate.check_time(now()) {
            return Err(AccountTest::bad(AccountFault::CertificateExpired, "", error.to_string()));
        }
        for path in ["/pay/orderquery", "/secapi/pay/reverse"] {
            let mut message = Message::new();
            message.set("out_trade_no", order_that_never_was());
            let lost = |lost: Lost| AccountTest::bad(lost.fault.account_fault(), "", lost.words);
            let answer =
                self.sender.send(self.request(path, message, self.credentials.key.sign_type)).await.map_err(lost)?;
            clock_skew(&answer, now())?;
            self.judge(&answer)?;
        }
        Ok(())
    }

    fn judge(&self, answer: &Answer) -> Result<(), AccountTest> {
        let bad = |fault, words: String| Err(AccountTest::bad(fault, "", words));
        match read(&self.credentials, answer, now()) {
            Reply::Signed(_) => Ok(()),
            Reply::Refused(error, _) => refused(error),
            Reply::NotSent(words) => bad(AccountFault::Unreachable, words),
            Reply::Unknown(words) => match answer.status {
                // The gateway's front asks for the certificate with a page and not with an answer.
                400 | 403 if String::from_utf8_lossy(&answer.body).contains("SSL certificate") => {
                    bad(AccountFault::CertificateUnknown, words)
                }
                500.. => bad(AccountFault::ProviderDown, words),
                200 => match Message::parse(&answer.body) {
                    Ok(message) if message.text("return_code") == "SUCCESS" => bad(AccountFault::ApiKeyWrong, words),
                    Ok(_) => bad(AccountFault::ProviderDown, words),
                    Err(_) => bad(AccountFault::Unreachable, words),
                },
                _ => bad(AccountFault::Unreachable, words),
            },
        }
    }
}

/// Which refusals speak against the account. That the order does not exist, or cannot be reversed, speaks for it.
fn refused(error: ApiError) -> Result<(), AccountTest> {
    let expired = error.message.contains("过期") || error.message.contains("expired");
    let fault = match error.code.as_str() {
        "SIGNERROR" | "SIGN_ERROR" => AccountFault::ApiKeyWrong,
        "APPID_NOT_EXIST" | "APPID_MCHID_NOT_MATCH" => AccountFault::WrongAppId,
        "MCHID_NOT_EXIST" | "MCH_NOT_EXISTS" => AccountFault::WrongMerchant,
        "CERT_ERROR" if expired => AccountFault::CertificateExpired,
        "CERT_ERROR" => AccountFault::CertificateUnknown,
        "NOAUTH" | "NO_AUTH" => AccountFault::NoPermission,
        "SYSTEMERROR" | "SYSTEM_ERROR" => AccountFault::ProviderDown,
        "PARAM_ERROR" | "LACK_PARAMS" | "XML_FORMAT_ERROR" => AccountFault::Refused,
        _ => return Ok(()),
    };
    Err(AccountTest::bad(fault, error.code, error.message))
}
