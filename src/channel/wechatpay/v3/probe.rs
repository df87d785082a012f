//! Whether an account works: the certificates are asked for (merchant number, key, serial, clock, APIv3 key, the
//! platform's key), then an order that never was is reversed (the application).

use std::sync::Arc;

use reqwest::Method;
use serde_json::json;

use super::V3;
use super::answer::ApiError;
use super::certificates::{self, ListError, PATH};
use super::signature::Distrust;
use crate::channel::http::{Answer, now};
use crate::channel::wechatpay::probe::{clock_skew, order_that_never_was};
use crate::channel::{AccountFault, AccountTest};
use crate::crypto::RsaPublicKey;
use crate::payment::UnixMillis;

impl V3 {
    pub async fn test(self: &Arc<Self>) -> AccountTest {
        match self.try_account().await {
            Ok(()) => AccountTest::good(),
            Err(test) => test,
        }
    }

    async fn try_account(&self) -> Result<(), AccountTest> {
        self.try_own_certificate()?;
        let answer = self.exchange(Method::GET, PATH, String::new()).await?;
        let moment = now();
        match certificates::read(&self.credentials, &answer, moment) {
            Ok(keys) => self.credentials.platform.put(keys, moment),
            // A merchant with a public key may have no certificates at all.
            Err(ListError::Refused(404, Some(error)))
                if error.code == "RESOURCE_NOT_EXISTS" && !self.credentials.platform.is_empty(moment) =>
            {
                self.check(&answer, moment).map_err(|distrust| distrusted(&distrust, &answer, moment))?;
            }
            Err(error) => return Err(list_fault(error, &answer, moment)),
        }
        let credentials = &self.credentials;
        let path = format!("/v3/pay/transactions/out-trade-no/{}/reverse", order_that_never_was());
        let body = json!({ "appid": credentials.appid, "mchid": credentials.mchid }).to_string();
        let answer = self.exchange(Method::POST, &path, body).await?;
        let moment = now();
        match ApiError::of_bytes(&answer.body) {
            Some(error) if answer.status >= 400 => {
                refused(answer.status, error)?;
                self.check(&answer, moment).map_err(|distrust| distrusted(&distrust, &answer, moment))
            }
            _ => self.check(&answer, moment).map_err(|distrust| distrusted(&distrust, &answer, moment)),
        }
    }

    /// What shows without asking anybody.
    fn try_own_certificate(&self) -> Result<(), AccountTest> {
        let credentials = &self.credentials;
        let Some(certificate) = &credentials.merchant_certificate else { return Ok(()) };
        if let Err(error) = certificate.check_time(now()) {
            return Err(AccountTest::bad(AccountFault::CertificateExpired, "", error.to_string()));
        }
        if !certificate.serial_hex().eq_ignore_ascii_case(&credentials.merchant_serial) {
            let words = format!("the certificate's serial number is {}", certificate.serial_hex());
            return Err(AccountTest::bad(AccountFault::WrongKey, "", words));
        }
        let spki = |key: RsaPublicKey| key.to_spki_pem().ok();
        let own = spki(credentials.merchant_private_key.public_key());
        if certificate.key().ok().and_then(spki) != own {
            let words = "the private key is not the one that the certificate was made for";
            return Err(AccountTest::bad(AccountFault::WrongKey, "", words));
        }
        Ok(())
    }

    /// One exchange that says what stands in the way of any answer.
    async fn exchange(&self, method: Method, path: &str, body: String) -> Result<Answer, AccountTest> {
        let lost = |lost: crate::channel::http::Lost| AccountTest::bad(lost.fault.account_fault(), "", lost.words);
        let answer = self.send(method, path, body).await.map_err(lost)?;
        clock_skew(&answer, now())?;
        if answer.status >= 500 {
            let words = format!("WeChat Pay answered HTTP {}", answer.status);
            let error = ApiError::of_bytes(&answer.body).unwrap_or(ApiError { code: String::new(), message: words });
            return Err(AccountTest::bad(AccountFault::ProviderDown, error.code, error.message));
        }
        Ok(answer)
    }
}

fn list_fault(error: ListError, answer: &Answer, now: UnixMillis) -> AccountTest {
    let words = error.words();
    match error {
        // "No platform certificates: apply for the public key."
        ListError::Refused(404, Some(error)) if error.code == "RESOURCE_NOT_EXISTS" => {
            AccountTest::bad(AccountFault::ProviderKeyWrong, error.code, error.message)
        }
        ListError::Refused(status, Some(error)) => {
            let other = AccountTest::bad(AccountFault::Refused, error.code.clone(), error.message.clone());
            refused(status, error).err().unwrap_or(other)
        }
        ListError::Refused(_, None) | ListError::Unreadable(_) => {
            AccountTest::bad(AccountFault::Unreachable, "", words)
        }
        ListError::Sealed => AccountTest::bad(AccountFault::ApiKeyWrong, "", words),
        ListError::Distrusted(distrust) => distrusted(&distrust, answer, now),
    }
}

fn distrusted(distrust: &Distrust, answer: &Answer, now: UnixMillis) -> AccountTest {
    match distrust {
        Distrust::Stale => {
            let theirs = answer.header("wechatpay-timestamp").and_then(|text| text.parse::<i64>().ok());
            let seconds = theirs.map_or(0, |theirs| now / 1_000 - theirs);
            AccountTest::bad(AccountFault::ClockSkew { seconds }, "", "")
        }
        // Whoever answers without a signature is not WeChat Pay: a proxy, or another address.
        Distrust::Missing => AccountTest::bad(AccountFault::Unreachable, "", "the answer is not signed by WeChat Pay"),
        Distrust::Signature => AccountTest::bad(
            AccountFault::ProviderKeyWrong,
            "",
            "the answer's signature does not fit the key held here",
        ),
        Distrust::Serial(serial) => {
            let words = format!("the answer is signed with the key {}", serial.chars().take(64).collect::<String>());
            AccountTest::bad(AccountFault::ProviderKeyWrong, "", words)
        }
    }
}

/// Which refusals speak against the account. That the order does not exist, or cannot be reversed, speaks for it.
fn refused(status: u16, error: ApiError) -> Result<(), AccountTest> {
    let says = |word: &str| error.message.to_lowercase().contains(word);
    let fault = match (status, error.code.as_str()) {
        (_, "APPID_MCHID_NOT_MATCH" | "APPID_NOT_EXIST") => AccountFault::WrongAppId,
        (_, "MCH_NOT_EXISTS" | "MCHID_NOT_EXIST") => AccountFault::WrongMerchant,
        (_, "NO_AUTH" | "NOAUTH") => AccountFault::NoPermission,
        // The platform looks at the time before it looks at the signature.
        (401, _) if says("timestamp") => AccountFault::ClockSkew { seconds: 0 },
        (401, _) if says("过期") || says("作废") || says("更换证书") => AccountFault::CertificateExpired,
        (401, _) if says("商户号") && !says("证书") => AccountFault::WrongMerchant,
        (401, _) | (_, "SIGN_ERROR") => AccountFault::WrongKey,
        (_, "PARAM_ERROR") if says("appid") => AccountFault::WrongAppId,
        (_, "PARAM_ERROR") if says("mchid") || says("商户号") => AccountFault::WrongMerchant,
        (_, "PARAM_ERROR") => AccountFault::Refused,
        _ => return Ok(()),
    };
    Err(AccountTest::bad(fault, error.code, error.message))
}
