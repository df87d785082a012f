//! The API's description, generated from the handlers.

use utoipa::OpenApi;

use super::events::__path_events;
use super::routes::*;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Scantill Payment API",
        description = "Amounts are integers in minor units (fen for CNY). Times are RFC 3339 in UTC. Requests under /v1 \
(but for notifications) are signed: `Authorization: SCANTILL-HMAC-SHA256 key=KEY, timestamp=SECONDS, nonce=NONCE, \
signature=HEX`, where HEX is the lower-case hex of HMAC-SHA256 under the till's secret over \
`METHOD\\npath?query\\nSECONDS\\nNONCE\\nhex(SHA-256(body))\\n`. A timestamp may differ from the server's clock by 300 s; \
a nonce (16 to 64 letters and digits) counts once. Where an operator is signed in (`POST /v1/sessions`), `session=TOKEN` \
stands before `signature`, and `TOKEN\\n` at the end of what is signed. Calls on payments that create carry an Idempotency-Key: the same key \
with the same request gives the same answer, with another request 409. Errors are application/problem+json with a stable `code`."
    ),
    paths(
        create_payment,
        list_payments,
        read_payment,
        change_payment,
        history,
        code,
        scan,
        cancel,
        confirm,
        refund,
        channels,
        takings,
        events,
        notices,
        notification,
        create_account,
        list_accounts,
        read_account,
        change_account,
        remove_account,
        rotate_account,
        forms,
        test_new,
        test_stored,
        read_policy,
        set_policy,
        list_keys,
        rotate_key,
        create_operator,
        list_operators,
        read_operator,
        change_operator,
        sign_in,
        create_store,
        list_stores,
        read_store,
        change_store,
        create_till,
        list_tills,
        read_till,
        change_till,
        health,
        metrics
    )
)]
struct Document;

/// `GET /openapi.json`
pub(super) async fn document() -> axum::Json<utoipa::openapi::OpenApi> {
    axum::Json(Document::openapi())
}
