//! The bill of a day: one call whose answer is the file itself, or an XML that says why there is none. Neither is
//! signed; the connection tells who answers.

use jiff::civil::Date;

use super::V2;
use super::answer::stranger;
use super::sign::SignType;
use super::xml::Message;
use crate::channel::http::now;
use crate::channel::wechatpay::bill;
use crate::channel::wechatpay::meaning::ApiError;
use crate::channel::{Bill, BillError, BillKind};

impl V2 {
    pub async fn bill(&self, day: Date, kind: BillKind) -> Result<Bill, BillError> {
        let mut message = Message::new();
        message.set("bill_date", day.strftime("%Y%m%d").to_string());
        message.set("tar_type", "GZIP");
        let (path, sign_type) = match kind {
            BillKind::Trades => {
                message.set("bill_type", "ALL");
                ("/pay/downloadbill", self.credentials.key.sign_type)
            }
            // This one takes no other signature.
            BillKind::FundFlow => {
                message.set("account_type", "Basic");
                ("/pay/downloadfundflow", SignType::HmacSha256)
            }
        };
        let request = self.request(path, message, sign_type);
        let answer = self.sender.download(request).await.map_err(|lost| BillError::Unreachable(lost.words))?;
        if answer.status != 200 {
            return Err(BillError::Unreachable(format!("WeChat Pay answered HTTP {}", answer.status)));
        }
        let mchid = &self.credentials.mchid;
        if answer.body.trim_ascii_start().starts_with(b"<") {
            let message = Message::parse(&answer.body)
                .map_err(|error| BillError::Damaged(format!("it is neither a file nor an answer: {error}")))?;
            return bill::refused(&refusal(&message), day, now()).map(|()| bill::without_lines(mchid, day, kind));
        }
        bill::read(kind, bill::unpacked(answer.body)?, bill::file_name(mchid, day, kind))
    }
}

/// Why there is no file, in the codes of APIv3.
fn refusal(message: &Message) -> ApiError {
    let words = match message.text("err_code_des") {
        "" => message.text("return_msg"),
        words => words,
    };
    let says = |part: &str| words.to_lowercase().replace(' ', "").contains(part);
    let code = if says("nobillexist") || message.text("err_code") == "NO_BILL_EXIST" {
        "NO_STATEMENT_EXIST"
    } else if says("billcreating") {
        "STATEMENT_CREATING"
    } else {
        match (message.text("err_code"), message.text("error_code"), stranger(words)) {
            (_, _, Some(code)) => code,
            ("", code, None) | (code, _, None) => code,
        }
    };
    ApiError { code: code.to_owned(), message: words.to_owned() }
}
