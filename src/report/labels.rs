//! A report's words. The server writes reports without a window, so they are not in the till's translation files;
//! tests/report.rs checks that the two say the same.

use crate::payment::PaymentState;

/// A report's words in one language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Labels {
    /// BCP 47 tag.
    pub language: &'static str,
    /// Title.
    pub takings: &'static str,
    /// That no real money moved.
    pub training: &'static str,
    /// That nothing was taken.
    pub nothing: &'static str,
    /// Taken less returned.
    pub net: &'static str,
    /// Taken.
    pub gross: &'static str,
    /// Returned.
    pub refunds: &'static str,
    /// How many sales.
    pub count: &'static str,
    /// What a sale brought on average.
    pub average: &'static str,
    /// Heading of the channels.
    pub by_channel: &'static str,
    /// Heading of the hours.
    pub by_hour: &'static str,
    /// Heading of the tills.
    pub by_till: &'static str,
    /// A channel.
    pub channel: &'static str,
    /// An hour of the day.
    pub hour: &'static str,
    /// A till.
    pub till: &'static str,
    /// Part of the whole.
    pub share: &'static str,
    /// All together.
    pub total: &'static str,
    /// Heading of the list of sales.
    pub sales: &'static str,
    /// Time of day.
    pub time: &'static str,
    /// How a sale ended.
    pub state: &'static str,
    /// What a sale was for.
    pub note: &'static str,
    /// Our number with the provider.
    pub out_trade_no: &'static str,
    /// What was due.
    pub amount: &'static str,
    channels: [&'static str; 4],
    states: [&'static str; 8],
}

impl Labels {
    /// English.
    pub const ENGLISH: Self = Self {
        language: "en",
        takings: "Takings",
        training: "Training: none of this is real money",
        nothing: "No takings on this day yet.",
        net: "Net",
        gross: "Gross",
        refunds: "Refunds",
        count: "Sales",
        average: "Average sale",
        by_channel: "By channel",
        by_hour: "By hour",
        by_till: "By till",
        channel: "Channel",
        hour: "Hour",
        till: "Till",
        share: "Share",
        total: "Total",
        sales: "Sales",
        time: "Time",
        state: "State",
        note: "Note",
        out_trade_no: "Our number (out_trade_no)",
        amount: "Amount",
        channels: ["Alipay", "WeChat Pay", "UnionPay", "Bank transfer"],
        states: [
            "Not begun",
            "Under way",
            "Paid",
            "Not paid",
            "Cancelled",
            "Taken back",
            "Partly refunded",
            "Refunded",
        ],
    };

    /// Simplified Chinese.
    pub const CHINESE: Self = Self {
        language: "zh-CN",
        takings: "营业额",
        training: "练习：这些都不是真钱",
        nothing: "这一天还没有收款。",
        net: "净额",
        gross: "总收款",
        refunds: "退款",
        count: "笔数",
        average: "平均每笔",
        by_channel: "按渠道",
        by_hour: "按小时",
        by_till: "按收银台",
        channel: "渠道",
        hour: "时段",
        till: "收银台",
        share: "占比",
        total: "合计",
        sales: "交易明细",
        time: "时间",
        state: "状态",
        note: "备注",
        out_trade_no: "商户单号 (out_trade_no)",
        amount: "金额",
        channels: ["支付宝", "微信支付", "银联", "银行转账"],
        states: ["未开始", "进行中", "已收款", "没有收款", "已取消", "已撤销", "部分退款", "已退款"],
    };

    /// A channel's name; its id where it is not known.
    #[must_use]
    pub fn channel(&self, id: &str) -> String {
        let [alipay, wechatpay, unionpay, bank_transfer] = self.channels;
        match id {
            "alipay" => alipay,
            "wechatpay" => wechatpay,
            "unionpay" => unionpay,
            "bank_transfer" => bank_transfer,
            other => other,
        }
        .to_owned()
    }

    /// A state's word.
    #[must_use]
    pub const fn state(&self, state: PaymentState) -> &'static str {
        let [created, pending, succeeded, failed, closed, reversed, partially_refunded, refunded] = self.states;
        match state {
            PaymentState::Created => created,
            PaymentState::Pending => pending,
            PaymentState::Succeeded => succeeded,
            PaymentState::Failed => failed,
            PaymentState::Closed => closed,
            PaymentState::Reversed => reversed,
            PaymentState::PartiallyRefunded => partially_refunded,
            PaymentState::Refunded => refunded,
        }
    }
}
