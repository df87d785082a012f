//! UnionPay's gateway (ACP 5.1.0): reads signed forms, answers with signed text.

mod answer;
mod calls;
mod file;
mod message;
mod notification;
mod request;

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

pub(super) use self::notification::NOTIFY;

use self::answer::{Refused, repeated, with_code};
use self::calls::Call;
use self::message::Fields;
use super::Shared;
use super::book::Provider;
use super::faults::Fate;
use super::wire::broken;

const HERE: Provider = Provider::Unionpay;

/// What faults may call the gateway's calls beside the names that all providers share.
pub(super) const CALL_NAMES: &[&str] = &["void", "reverse"];

/// `POST /gateway/api/backTransReq.do`: everything but the query.
pub(super) async fn back_trans(state: State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    answer(state, &headers, &body, |call| call != Call::Query).await
}

/// `POST /gateway/api/queryTrans.do`
pub(super) async fn query_trans(state: State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    answer(state, &headers, &body, |call| call == Call::Query).await
}

/// `POST /`: files have a host of their own, whose path is the root.
pub(super) async fn file_download(state: State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    answer(state, &headers, &body, |call| call == Call::File).await
}

async fn answer(
    State(shared): State<Arc<Shared>>,
    headers: &HeaderMap,
    body: &[u8],
    here: fn(Call) -> bool,
) -> Response {
    let form = headers.get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or("");
    let fields = if form.starts_with("application/x-www-form-urlencoded") { message::read(body) } else { None };
    let Some(fields) = fields else { return respond(&shared, with_code(Fields::new(), "10")) };
    let refuse = |refused: &Refused| respond(&shared, with_code(repeated(&fields), &refused.0));
    let request = match request::admit(&fields, &shared.credentials.unionpay) {
        Ok(request) => request,
        Err(refused) => return refuse(&refused),
    };
    let kind = |name: &str| request.optional(name).unwrap_or("");
    let Some(call) = Call::of(kind("txnType"), kind("txnSubType")).filter(|call| here(*call)) else {
        return refuse(&Refused::new("32"));
    };
    let fate = shared.faults().fate_of(HERE.name(), call.names());
    let told_code = match &fate {
        Fate::LoseRequest => return broken(),
        Fate::Http500 => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Fate::SystemError => return refuse(&Refused::new("03")),
        // Success with a flaw is a success: it is carried out.
        Fate::Refuse(code) if code == "A6" => Some("A6"),
        Fate::Refuse(code) => return refuse(&Refused::new(code)),
        Fate::Fine | Fate::LoseAnswer | Fate::Delay(_) => None,
    };
    let done = calls::perform(&shared, call, &request, shared.now(HERE));
    match fate {
        Fate::LoseAnswer => return broken(),
        Fate::Delay(wait) => tokio::time::sleep(wait).await,
        _ => {}
    }
    match done {
        Ok(told) => respond(&shared, told_code.map_or_else(|| told.clone(), |code| with_code(told.clone(), code))),
        Err(refused) => refuse(&refused),
    }
}

/// The gateway signs with its own key, whoever asks.
fn respond(shared: &Shared, mut fields: Fields) -> Response {
    fields.retain(|_, value| !value.is_empty());
    let keys = &shared.credentials.unionpay;
    message::sign(&mut fields, &keys.signer, &keys.signer_certificate.to_pem());
    ([("content-type", "text/html;charset=UTF-8")], message::to_text(&fields)).into_response()
}
