//! How APIv3 refuses. Pure.

use serde_json::{Value, json};

use crate::sandbox::book::Refusal;

/// An error in the platform's words.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Refused {
    pub status: u16,
    code: String,
    message: String,
    detail: Option<Value>,
}

/// Where in a request a value stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Body,
    Query,
    Path,
}

impl Place {
    /// As the platform's messages name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Body => "body",
            Self::Query => "query",
            Self::Path => "uri_template",
        }
    }
}

impl Refused {
    pub fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self { status, code: code.to_owned(), message: message.into(), detail: None }
    }

    /// The error of that name, under the status that it has with most calls.
    pub fn named(code: &str) -> Self {
        let status = match code {
            "SYSTEM_ERROR" | "BANK_ERROR" => 500,
            "SERVICE_UNAVAILABLE" => 503,
            "FREQUENCY_LIMITED" | "RATELIMIT_EXCEEDED" => 429,
            "ORDER_NOT_EXIST" | "RESOURCE_NOT_EXISTS" => 404,
            "NO_AUTH" | "NOT_ENOUGH" | "OUT_TRADE_NO_USED" | "RULE_LIMIT" | "TRADE_ERROR" | "USER_ACCOUNT_ABNORMAL" => {
                403
            }
            "SIGN_ERROR" => 401,
            _ => 400,
        };
        Self::new(status, code, "业务处理失败")
    }

    /// Not as the interface's rules want it.
    pub fn invalid(message: &str) -> Self {
        Self::new(400, "INVALID_REQUEST", message)
    }

    /// Not signed by a merchant.
    pub fn sign(message: &str) -> Self {
        Self::new(401, "SIGN_ERROR", message)
    }

    pub fn param(message: impl Into<String>) -> Self {
        Self::new(400, "PARAM_ERROR", message)
    }

    /// A value that breaks a rule of its field.
    pub fn rule(place: Place, value: &Value, message: impl Into<String>) -> Self {
        Self::param(message).with(json!({ "location": place.name(), "value": value }))
    }

    pub fn no_resource(message: &str) -> Self {
        Self::new(404, "RESOURCE_NOT_EXISTS", message)
    }

    pub fn system() -> Self {
        Self::new(500, "SYSTEM_ERROR", "系统异常，请用相同参数重新调用")
    }

    pub fn with(self, detail: Value) -> Self {
        Self { detail: Some(detail), ..self }
    }

    pub fn to_json(&self) -> Value {
        let mut told = json!({ "code": self.code, "message": self.message });
        if let Some(detail) = &self.detail {
            told["detail"] = detail.clone();
        }
        told
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::CodeInvalid => Self::new(400, "AUTH_CODE_INVALID", "付款码无效，请重新扫码"),
            Refusal::CodeUsed => Self::new(400, "AUTH_CODE_EXPIRE", "每个二维码仅限使用一次，请刷新再试"),
            Refusal::CodeExpired => Self::new(400, "AUTH_CODE_EXPIRE", "付款码已过期，请刷新再试"),
            Refusal::Balance => Self::new(403, "NOT_ENOUGH", "用户的账户余额不足"),
            Refusal::Paid => Self::new(400, "ORDERPAID", "该订单已支付"),
            Refusal::Closed => Self::new(400, "ORDER_CLOSED", "该订单已关闭"),
            Refusal::Inconsistent => Self::new(403, "OUT_TRADE_NO_USED", "商户订单号重复"),
            Refusal::Absent | Refusal::NoSuchCode => Self::new(404, "ORDER_NOT_EXIST", "订单不存在"),
            Refusal::TooMuch => Self::invalid("申请退款金额大于订单可退金额"),
            Refusal::OtherRefund => Self::invalid("订单金额或退款金额与之前请求不一致，请核实后再试"),
            Refusal::TooSoon => Self::invalid("请勿在支付后立即撤销，请15秒后再试"),
            Refusal::WrongWay => Self::invalid("订单的支付场景不支持该请求"),
            Refusal::TooLate => Self::new(400, "REVERSE_EXPIRE", "订单无法撤销，已超过撤销有效期"),
            _ => Self::new(403, "TRADE_ERROR", "订单状态不支持该请求"),
        }
    }
}
