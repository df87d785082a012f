//! WeChat Pay APIv2: flat XML by POST, signed with a digest over the fields and the merchant's key.

mod answer;
mod call;
mod notification;
mod refused;
mod request;
mod sign;
mod xml;

use std::sync::Arc;

use axum::Router;
use axum::response::Response;
use axum::routing::any;
use jiff::civil::Date;

pub(super) use self::notification::{acknowledged, is_told, message};

use self::answer::PAGE;
use self::call::{Answer, Call, Request};
use self::refused::Refused;
use self::request::SIGN_TYPE;
use super::bill::Kind;
use super::download::{self, NoBill};
use super::{HERE, is_overdue, tell};
use crate::crypto::sha1_hex;
use crate::sandbox::Shared;
use crate::sandbox::book::{Millis, Number, Refunding, Refusal, TradeState};

/// The platform's own paths. A call by another method than POST is refused in a message of its own.
pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/pay/micropay", any(micropay))
        .route("/pay/unifiedorder", any(unified_order))
        .route("/pay/orderquery", any(order_query))
        .route("/pay/closeorder", any(close_order))
        .route("/secapi/pay/reverse", any(reverse))
        .route("/secapi/pay/refund", any(refund))
        .route("/pay/refundquery", any(refund_query))
        .route("/pay/downloadbill", any(download_bill))
        .route("/pay/downloadfundflow", any(download_fund_flow))
        .route("/payitil/report", any(report))
}

/// `POST /pay/micropay`
async fn micropay(call: Call) -> Response {
    call.answer(&["micropay", "codepay", "pay"], |call, request, now| {
        let (order, code) = request::code_order(request, now)?;
        let number = order.out_trade_no.clone();
        let mut book = call.shared.book();
        let paid = book.pay_by_code(order, code, now);
        let trade = match paid {
            Ok(trade) => trade,
            // This interface tells an order that was taken back from one that was closed.
            Err(Refusal::Closed) => {
                let known = book.query(HERE, Number::Merchant(&number), now)?;
                return Err(match known.state {
                    TradeState::Reversed => Refused::business("ORDERREVERSED", "订单已撤销"),
                    _ => Refusal::Closed.into(),
                });
            }
            Err(refusal) => return Err(refusal.into()),
        };
        match trade.state {
            TradeState::Success => Ok(Answer::Message(answer::trade(&trade))),
            _ => Err(Refused::business("USERPAYING", "需要用户输入支付密码")),
        }
    })
    .await
}

/// `POST /pay/unifiedorder`
async fn unified_order(call: Call) -> Response {
    call.answer(&["unifiedorder", "native", "precreate"], |call, request, now| {
        let order = request::shown_order(request, now)?;
        let trade = call.shared.book().create_order(order, now).map_err(|refusal| match refusal {
            Refusal::Inconsistent => Refused::business("INVALID_REQUEST", "201 商户订单号重复"),
            refusal => refusal.into(),
        })?;
        Ok(Answer::Message(answer::shown(&trade, now)))
    })
    .await
}

/// `POST /pay/orderquery`
async fn order_query(call: Call) -> Response {
    call.answer(&["orderquery", "query"], |call, request, now| {
        let number = request::order_number(request)?;
        let trade = call.shared.book().query(HERE, number, now)?;
        // The platform's number is told to nobody before the payment.
        if matches!(number, Number::Provider(_)) && trade.paid_at.is_none() {
            return Err(Refusal::Absent.into());
        }
        Ok(Answer::Message(answer::queried(&trade)))
    })
    .await
}

/// `POST /pay/closeorder`
async fn close_order(call: Call) -> Response {
    call.answer(&["closeorder", "close"], |call, request, now| {
        let number = request::order_number(request)?;
        let mut book = call.shared.book();
        let known = book.query(HERE, number, now)?;
        if matches!(known.state, TradeState::Closed | TradeState::Reversed) {
            return Err(Refused::business("ORDERCLOSED", "order closed"));
        }
        book.close(HERE, number, now)?;
        Ok(Answer::Message(vec![("result_msg", "OK".to_owned())]))
    })
    .await
}

/// `POST /secapi/pay/reverse`
async fn reverse(call: Call) -> Response {
    call.answer(&["reverse", "cancel"], |call, request, now| {
        let number = request::order_number(request)?;
        let taken = call.shared.book().take_back(HERE, number, now);
        taken.map_err(|refusal| Refused::from(refusal).with_recall())?;
        Ok(Answer::Message(vec![("recall", "N".to_owned())]))
    })
    .await
}

/// `POST /secapi/pay/refund`
async fn refund(call: Call) -> Response {
    call.answer(&["refund"], |call, request, now| {
        let wanted = request::Refund::read(request)?;
        let mut book = call.shared.book();
        let known = book.query(HERE, wanted.number, now)?;
        let Some(paid_at) = known.paid_at else { return Err(Refusal::WrongState.into()) };
        if known.amount != wanted.total {
            return Err(Refusal::OtherRefund.into());
        }
        if is_overdue(paid_at, now) {
            return Err(Refused::business("TRADE_OVERDUE", "订单已经超过可退款的最大期限(支付后一年内可退款)"));
        }
        let mut details = call.shared.wechatpay.refunds().details(now);
        details.insert(SIGN_TYPE.to_owned(), wanted.sign_type.name().to_owned());
        let asked = Refunding {
            out_refund_no: wanted.out_refund_no.to_owned(),
            amount: wanted.amount,
            notify_url: wanted.notify_url,
            details,
        };
        let (trade, refund, moved) = book.refund(HERE, wanted.number, &asked, now)?;
        drop(book);
        if moved {
            tell(&call.shared, trade.clone(), refund.clone());
        }
        Ok(Answer::Message(answer::refunded(&trade, &refund)))
    })
    .await
}

/// `POST /pay/refundquery`
async fn refund_query(call: Call) -> Response {
    call.answer(&["refundquery", "refund_query"], |call, request, now| {
        let absent = || Refused::business("REFUNDNOTEXIST", "not exist");
        let mut book = call.shared.book();
        let (id, own) = (request.text("refund_id"), request.text("out_refund_no"));
        let trade = if !id.is_empty() {
            let of = |trade: &&crate::sandbox::book::Trade| {
                trade.channel == HERE && trade.refunds.iter().any(|refund| refund.refund_id == id)
            };
            book.trades(now).iter().find(of).cloned().ok_or_else(absent)?
        } else if !own.is_empty() {
            book.find_refund(HERE, own).map_err(|_| absent())?.0
        } else {
            book.query(HERE, request::order_number(request)?, now).map_err(|_| absent())?
        };
        let named = |refund: &&crate::sandbox::book::Refund| match (id, own) {
            ("", "") => true,
            ("", own) => refund.out_refund_no == own,
            (id, _) => refund.refund_id == id,
        };
        let offset = match request.text("offset") {
            "" => 0,
            text => text.parse().map_err(|_| Refused::message("offset参数格式有误"))?,
        };
        if offset > trade.refunds.len() {
            return Err(Refused::business("PARAM_ERROR", "offset超过退款单总数"));
        }
        let page: Vec<_> = trade.refunds.iter().filter(named).skip(offset).take(PAGE).collect();
        match page.is_empty() {
            true => Err(absent()),
            false => Ok(Answer::Numbered(answer::refunds(&trade, &page, now))),
        }
    })
    .await
}

fn bill_refused(what: &str, number: &'static str) -> Refused {
    Refused::Message { what: what.to_owned(), number: Some(number) }
}

impl From<NoBill> for Refused {
    fn from(why: NoBill) -> Self {
        match why {
            NoBill::Day => bill_refused("invalid bill_date", "20001"),
            NoBill::NotYet => bill_refused("Bill Creating", "20002"),
            NoBill::Nothing => bill_refused("No Bill Exist", "20002"),
        }
    }
}

fn asked_day(request: &Request) -> Result<Date, Refused> {
    let text = request.text("bill_date");
    let day = Date::strptime("%Y%m%d", text).ok().filter(|_| text.len() == 8);
    day.ok_or_else(|| bill_refused("invalid bill_date", "20001"))
}

fn file(request: &Request, text: &str, digest: bool) -> Result<Answer, Refused> {
    let digest = digest.then(|| sha1_hex(text.as_bytes()));
    match request.text("tar_type") {
        "" => Ok(Answer::File { bytes: text.as_bytes().to_vec(), kind: "text/plain; charset=utf-8", digest }),
        "GZIP" => Ok(Answer::File { bytes: download::gzip(text), kind: "application/x-gzip", digest }),
        _ => Err(bill_refused("invalid tar_type", "20001")),
    }
}

/// `POST /pay/downloadbill`
async fn download_bill(call: Call) -> Response {
    call.answer(&["downloadbill", "bill"], |call, request, now: Millis| {
        let day = asked_day(request)?;
        let kind = match request.text("bill_type") {
            // Nobody puts money on an account here, so none of it goes back.
            "RECHARGE_REFUND" => return Err(NoBill::Nothing.into()),
            kind => Kind::read(kind).ok_or_else(|| bill_refused("invalid bill_type", "20001"))?,
        };
        file(request, &download::trades(&call.shared, day, kind, now)?, false)
    })
    .await
}

/// `POST /pay/downloadfundflow`: by HMAC-SHA256 alone.
async fn download_fund_flow(call: Call) -> Response {
    call.answer(&["downloadfundflow", "bill"], |call, request, now| {
        if request.sign_type != sign::SignType::HmacSha256 {
            return Err(Refused::message("签名错误，仅支持HMAC-SHA256"));
        }
        let day = asked_day(request)?;
        let basic = match request.text("account_type") {
            "Basic" => true,
            "Operation" | "Fees" => false,
            _ => return Err(Refused::message("Param Error")),
        };
        file(request, &download::flow(&call.shared, day, basic, now)?, true)
    })
    .await
}

/// `POST /payitil/report`: how long the merchant's calls took, which is taken note of and no more.
async fn report(call: Call) -> Response {
    call.answer(&["report"], |_, _, _| Ok(Answer::Message(Vec::new()))).await
}
