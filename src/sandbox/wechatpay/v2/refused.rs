//! How APIv2 refuses. Pure.

use crate::sandbox::book::Refusal;

/// An error in the platform's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refused {
    /// The message itself is not taken: `return_code` is `FAIL`, and nobody signs it.
    Message {
        what: String,
        /// A bill has a number for it.
        number: Option<&'static str>,
    },
    /// The message is taken and its wish refused: `result_code` is `FAIL`.
    Business {
        code: String,
        what: String,
        /// Whether a reversal is to be asked for again.
        recall: Option<bool>,
    },
}

impl Refused {
    pub fn message(what: impl Into<String>) -> Self {
        Self::Message { what: what.into(), number: None }
    }

    pub fn business(code: &str, what: &str) -> Self {
        Self::Business { code: code.to_owned(), what: what.to_owned(), recall: None }
    }

    /// What a reversal is refused with says whether to ask again: only where nothing speaks against it for ever.
    pub fn with_recall(self) -> Self {
        match self {
            Self::Business { code, what, .. } => {
                let again = matches!(code.as_str(), "SYSTEMERROR" | "INVALID_REQUEST" | "USERPAYING");
                Self::Business { code, what, recall: Some(again) }
            }
            refused @ Self::Message { .. } => refused,
        }
    }

    pub fn system() -> Self {
        Self::business("SYSTEMERROR", "系统超时")
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        let (code, what) = match refusal {
            Refusal::CodeInvalid => ("AUTH_CODE_INVALID", "101 付款码无效，请重新扫码"),
            Refusal::CodeUsed => ("AUTH_CODE_INVALID", "101 每个二维码仅限使用一次，请刷新再试"),
            Refusal::CodeExpired => ("AUTHCODEEXPIRE", "二维码已过期，请用户在微信上刷新后再试"),
            Refusal::Balance => ("NOTENOUGH", "余额不足"),
            Refusal::Paid => ("ORDERPAID", "该订单已支付"),
            Refusal::Closed => ("ORDERCLOSED", "该订单已关闭"),
            Refusal::Inconsistent => ("OUT_TRADE_NO_USED", "商户订单号重复"),
            Refusal::Absent | Refusal::NoSuchCode => ("ORDERNOTEXIST", "order not exist"),
            Refusal::TooMuch => ("INVALID_REQUEST", "申请退款金额大于订单可退金额"),
            Refusal::OtherRefund => ("REFUND_FEE_MISMATCH", "订单金额或退款金额与之前请求不一致，请核实后再试"),
            Refusal::TooSoon => ("INVALID_REQUEST", "请勿在支付后立即撤销，请15秒后再试"),
            Refusal::WrongWay => ("INVALID_REQUEST", "订单的支付场景不支持该请求"),
            Refusal::TooLate => ("REVERSE_EXPIRE", "订单无法撤销"),
            _ => ("TRADE_STATE_ERROR", "订单状态错误"),
        };
        Self::business(code, what)
    }
}
