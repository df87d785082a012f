//! The bill of a day: asked for with one call, fetched with another whose answer is not signed. The hash in the first
//! answer, which is, vouches for the file.

use std::sync::Arc;

use jiff::civil::Date;
use reqwest::{Method, Url};

use super::V3;
use super::answer::{ApiError, Body, Reply};
use crate::channel::http::now;
use crate::channel::wechatpay::bill;
use crate::channel::{Bill, BillError, BillKind};
use crate::crypto::sha1_hex;

/// Where the file is, and what it has to be.
struct Ticket {
    url: Url,
    /// SHA-1 of the unpacked file in hex: a checksum that the platform prescribes. The signature over it is RSA's.
    sha1: String,
}

impl V3 {
    pub async fn bill(self: &Arc<Self>, day: Date, kind: BillKind) -> Result<Bill, BillError> {
        let path = match kind {
            BillKind::Trades => format!("/v3/bill/tradebill?bill_date={day}&bill_type=ALL&tar_type=GZIP"),
            BillKind::FundFlow => format!("/v3/bill/fundflowbill?bill_date={day}&account_type=BASIC&tar_type=GZIP"),
        };
        let ticket = match self.call(Method::GET, &path, None).await {
            Reply::NotSent(words) | Reply::Unknown(words) => return Err(BillError::Unreachable(words)),
            Reply::Refused(error) => {
                return bill::refused(&error, day, now())
                    .map(|()| bill::without_lines(&self.credentials.mchid, day, kind));
            }
            Reply::Signed(body) => self.ticket(&body)?,
        };
        let text = bill::unpacked(self.fetch(&ticket).await?)?;
        if !sha1_hex(&text).eq_ignore_ascii_case(&ticket.sha1) {
            return Err(BillError::Damaged("its SHA-1 is not the one that WeChat Pay announced".into()));
        }
        bill::read(kind, text, bill::file_name(&self.credentials.mchid, day, kind))
    }

    fn ticket(&self, body: &Body) -> Result<Ticket, BillError> {
        let damaged = |why: &str| BillError::Damaged(why.to_owned());
        if body.text("hash_type") != "SHA1" || body.text("hash_value").is_empty() {
            return Err(damaged("the answer announces no SHA-1 of it"));
        }
        let url = Url::parse(body.text("download_url")).map_err(|_| damaged("the answer does not say where it is"))?;
        // The file tells of every sale, and is fetched no more openly than the platform is asked.
        if url.scheme() != "https" && url.scheme() != self.sender.scheme() {
            return Err(damaged("the answer wants it fetched over an open connection"));
        }
        Ok(Ticket { url, sha1: body.text("hash_value").to_owned() })
    }

    async fn fetch(&self, ticket: &Ticket) -> Result<Vec<u8>, BillError> {
        let path = match ticket.url.query() {
            Some(query) => format!("{}?{query}", ticket.url.path()),
            None => ticket.url.path().to_owned(),
        };
        let request = self.sender.request_to(Method::GET, ticket.url.as_str());
        let request = self.signed(request, &Method::GET, &path, String::new());
        let unreachable = |lost: crate::channel::http::Lost| BillError::Unreachable(lost.words);
        let answer = self.sender.download(request.map_err(unreachable)?).await.map_err(unreachable)?;
        if answer.status == 200 {
            return Ok(answer.body);
        }
        let words = ApiError::of_bytes(&answer.body).map(|error| error.words());
        Err(BillError::Unreachable(words.unwrap_or_else(|| format!("WeChat Pay answered HTTP {}", answer.status))))
    }
}
