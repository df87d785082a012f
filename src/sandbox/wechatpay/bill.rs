//! The bills of a day, as both versions of the interface hand them out. Pure.
//!
//! Every value has a back-tick before it, so that no spreadsheet takes a long number for a float; the last two lines
//! are the totals. The file begins with a byte order mark and its lines end with CR LF: the digest covers both.

use super::answer::{openid, trade_type};
use super::settling::RefundStatus;
use crate::sandbox::book::{Entry, Millis, Movement, Refund, Trade};
use crate::sandbox::wire::{china, yuan};

const TIME: &str = "%Y-%m-%d %H:%M:%S";
/// The merchant's rate: six in a thousand.
const RATE: (i64, i64) = (6, 1_000);
const RATE_TEXT: &str = "0.60%";

/// Which lines a trade bill has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// What was paid and what went back.
    All,
    /// What was paid.
    Success,
    /// What went back.
    Refund,
}

impl Kind {
    /// The kind by its name on the wire; an absent one is all.
    pub fn read(name: &str) -> Option<Self> {
        match name {
            "" | "ALL" => Some(Self::All),
            "SUCCESS" => Some(Self::Success),
            "REFUND" => Some(Self::Refund),
            _ => None,
        }
    }
}

const FIRST: &[&str] = &[
    "交易时间",
    "公众账号ID",
    "商户号",
    "特约商户号",
    "设备号",
    "微信订单号",
    "商户订单号",
    "用户标识",
    "交易类型",
    "交易状态",
    "付款银行",
    "货币种类",
    "应结订单金额",
    "代金券金额",
];
const REFUND_TIMES: &[&str] = &["退款申请时间", "退款成功时间"];
const REFUND: &[&str] = &["微信退款单号", "商户退款单号", "退款金额", "充值券退款金额", "退款类型", "退款状态"];
const LAST: &[&str] = &["商品名称", "商户数据包", "手续费", "费率", "订单金额"];
const TOTALS: &[&str] =
    &["总交易单数", "应结订单总金额", "退款总金额", "充值券退款总金额", "手续费总金额", "订单总金额", "申请退款总金额"];
const FLOW: &[&str] = &[
    "记账时间",
    "微信支付业务单号",
    "资金流水单号",
    "业务名称",
    "业务类型",
    "收支类型",
    "收支金额(元)",
    "账户结余(元)",
    "资金变更提交申请人",
    "备注",
    "业务凭证号",
];
const FLOW_TOTALS: &[&str] = &["资金流水总笔数", "收入笔数", "收入金额", "支出笔数", "支出金额"];

/// Whose bill it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Merchant<'a> {
    pub appid: &'a str,
    pub mchid: &'a str,
}

/// What the platform keeps of an amount, rounded to the fen.
const fn fee(amount: i64) -> i64 {
    (amount * RATE.0 + RATE.1 / 2) / RATE.1
}

/// A merchant's own text: what would end a value is written in another way.
fn own(text: &str) -> String {
    text.replace(',', "\\ ").replace('\r', "").replace('\n', "\\n")
}

struct Sheet(String);

impl Sheet {
    fn new(heads: &[&[&str]]) -> Self {
        Self(format!("\u{feff}{}\r\n", heads.concat().join(",")))
    }

    fn line(&mut self, values: &[String]) {
        let values: Vec<_> = values.iter().map(|value| format!("`{value}")).collect();
        self.0.push_str(&values.join(","));
        self.0.push_str("\r\n");
    }

    fn totals(mut self, heads: &[&str], values: &[String]) -> String {
        self.0.push_str(&heads.join(","));
        self.0.push_str("\r\n");
        self.line(values);
        self.0
    }
}

/// What went back in a movement.
struct Returned<'a> {
    /// Nobody numbers what a reversal gives back.
    refund: Option<&'a Refund>,
    amount: i64,
    /// What the platform gives back of its own fee.
    fee: i64,
}

fn returned(entry: &Entry) -> Option<Returned<'_>> {
    let whole = entry.trade.amount;
    match &entry.movement {
        Movement::Paid => None,
        Movement::Reversed => Some(Returned { refund: None, amount: whole, fee: fee(whole) }),
        Movement::Refunded(refund) => {
            // So that all of them together give back the whole fee and no more.
            let earlier = entry.trade.refunds.iter().take_while(|other| other.refund_id != refund.refund_id);
            let before = whole - earlier.map(|other| other.amount).sum::<i64>();
            let fee = fee(before) - fee(before - refund.amount);
            Some(Returned { refund: Some(refund), amount: refund.amount, fee })
        }
    }
}

/// The trade bill of a day; `None` where nothing of that kind happened.
pub(super) fn trade_bill(by: Merchant<'_>, kind: Kind, entries: &[Entry], now: Millis) -> Option<String> {
    let heads: &[&[&str]] = match kind {
        Kind::All => &[FIRST, REFUND, LAST, &["申请退款金额", "费率备注"]],
        Kind::Success => &[FIRST, LAST, &["费率备注"]],
        Kind::Refund => &[FIRST, REFUND_TIMES, REFUND, LAST, &["申请退款金额", "费率备注"]],
    };
    let mut sheet = Sheet::new(heads);
    let (mut count, mut paid, mut back, mut fees) = (0, 0, 0, 0);
    for entry in entries {
        let returned = returned(entry);
        match (kind, &returned) {
            (Kind::Success, Some(_)) | (Kind::Refund, None) => continue,
            _ => count += 1,
        }
        fees += returned.as_ref().map_or_else(|| fee(entry.trade.amount), |returned| -returned.fee);
        back += returned.as_ref().map_or(0, |returned| returned.amount);
        paid += if returned.is_none() { entry.trade.amount } else { 0 };
        sheet.line(&trade_line(by, kind, entry, returned.as_ref(), now));
    }
    let zero = || yuan(0);
    let totals = [count.to_string(), yuan(paid), yuan(back), zero(), five(fees), yuan(paid), yuan(back)];
    (count > 0).then(|| sheet.totals(TOTALS, &totals))
}

/// Fees are told to five places, though they are whole fen.
fn five(fen: i64) -> String {
    yuan(fen) + "000"
}

fn trade_line(by: Merchant<'_>, kind: Kind, entry: &Entry, back: Option<&Returned<'_>>, now: Millis) -> Vec<String> {
    let trade = &entry.trade;
    let state = match &entry.movement {
        Movement::Paid => "SUCCESS",
        Movement::Refunded(_) => "REFUND",
        Movement::Reversed => "REVOKED",
    };
    // The bill of refunds has the time of the payment here, and columns of its own for the refund's.
    let at = if kind == Kind::Refund { trade.paid_at.unwrap_or(entry.at) } else { entry.at };
    let settled = if back.is_none() { trade.amount } else { 0 };
    let mut values = vec![
        china(at, TIME),
        by.appid.to_owned(),
        by.mchid.to_owned(),
        "0".to_owned(),
        own(device(trade)),
        trade.provider_trade_no.clone(),
        trade.out_trade_no.clone(),
        openid(trade).to_owned(),
        trade_type(trade).to_owned(),
        state.to_owned(),
        "OTHERS".to_owned(),
        "CNY".to_owned(),
        yuan(settled),
        yuan(0),
    ];
    let number = |number: fn(&Refund) -> &String| {
        back.and_then(|back| back.refund).map_or_else(|| "0".to_owned(), |refund| number(refund).clone())
    };
    let status =
        back.map(|back| back.refund.map_or(RefundStatus::Success { at }, |refund| RefundStatus::of(refund, now)));
    if kind == Kind::Refund {
        let done = matches!(status, Some(RefundStatus::Success { .. }));
        values.push(china(entry.at, TIME));
        values.push(if done { china(entry.at, TIME) } else { String::new() });
    }
    if kind != Kind::Success {
        values.extend([
            number(|refund| &refund.refund_id),
            number(|refund| &refund.out_refund_no),
            yuan(back.map_or(0, |back| back.amount)),
            yuan(0),
            if back.is_some() { "ORIGINAL".to_owned() } else { String::new() },
            // The bill's own word for a refund that nobody's account takes.
            status
                .map_or("", |status| if status == RefundStatus::Abnormal { "CHANGE" } else { status.name() })
                .to_owned(),
        ]);
    }
    values.extend([
        own(&trade.subject),
        own(trade.attach.as_deref().unwrap_or("")),
        five(back.map_or_else(|| fee(trade.amount), |back| -back.fee)),
        RATE_TEXT.to_owned(),
        yuan(settled),
    ]);
    if kind != Kind::Success {
        values.push(yuan(back.map_or(0, |back| back.amount)));
    }
    values.push(String::new());
    values
}

fn device(trade: &Trade) -> &str {
    trade.details.get("device_info").map_or("", String::as_str)
}

/// A line of the fund flow before the balance is known.
struct Flow {
    at: Millis,
    business: String,
    name: &'static str,
    kind: &'static str,
    /// In fen; less than nothing where it leaves the account.
    amount: i64,
    by: String,
    remark: String,
    voucher: String,
}

fn flows(mchid: &str, entry: &Entry) -> Vec<Flow> {
    let trade = &entry.trade;
    let line = |business: &str, name, kind, amount, by: &str, remark: String, voucher: &str| Flow {
        at: entry.at,
        business: business.to_owned(),
        name,
        kind,
        amount,
        by: by.to_owned(),
        remark,
        voucher: voucher.to_owned(),
    };
    let number = trade.provider_trade_no.as_str();
    let voucher = trade.out_trade_no.as_str();
    let Some(back) = returned(entry) else {
        let kept = fee(trade.amount);
        let remark = format!("结算总金额 {} 元;含手续费 {} 元", yuan(trade.amount), yuan(kept));
        let mut lines = vec![line(number, "交易", "交易", trade.amount, "system", remark.clone(), voucher)];
        if kept > 0 {
            lines.push(line(number, "交易", "扣除交易手续费", -kept, "system", remark, voucher));
        }
        return lines;
    };
    let remark = format!("退款总金额{}元;含手续费{}元", yuan(back.amount), yuan(back.fee));
    let (business, voucher) =
        back.refund.map_or((number, voucher), |refund| (refund.refund_id.as_str(), refund.out_refund_no.as_str()));
    vec![line(business, "退款", "退款", back.fee - back.amount, &format!("{mchid}API"), remark, voucher)]
}

/// The fund flow of the day that begins at `from`, out of everything up to its end: the balance runs on from day to
/// day. `None` where nothing moved on it.
pub(super) fn fund_flow(mchid: &str, entries: &[Entry], from: Millis) -> Option<String> {
    let mut sheet = Sheet::new(&[FLOW]);
    let (mut balance, mut came, mut left) = (0, (0, 0), (0, 0));
    for entry in entries {
        for flow in flows(mchid, entry) {
            balance += flow.amount;
            if flow.at < from {
                continue;
            }
            let side = if flow.amount < 0 { &mut left } else { &mut came };
            *side = (side.0 + 1, side.1 + flow.amount.abs());
            sheet.line(&[
                china(flow.at, TIME),
                flow.business,
                entry.trade.provider_trade_no.clone(),
                flow.name.to_owned(),
                flow.kind.to_owned(),
                if flow.amount < 0 { "支出" } else { "收入" }.to_owned(),
                yuan(flow.amount.abs()),
                yuan(balance),
                flow.by,
                flow.remark,
                flow.voucher,
            ]);
        }
    }
    let count: i64 = came.0 + left.0;
    let totals = [count.to_string(), came.0.to_string(), yuan(came.1), left.0.to_string(), yuan(left.1)];
    (count > 0).then(|| sheet.totals(FLOW_TOTALS, &totals))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sandbox::book::{Book, Number, Order, Provider, Refunding};

    const BY: Merchant<'static> = Merchant { appid: "wx1", mchid: "1900000001" };

    #[test]
    fn the_fee_is_rounded_to_the_fen() {
        assert_eq!([fee(1), fee(83), fee(84), fee(129_902), fee(0)], [0, 0, 1, 779, 0]);
    }

    #[test]
    fn a_merchants_text_cannot_end_a_value() {
        assert_eq!(own("a,b\r\nc"), "a\\ b\\nc");
    }

    /// A trade that was paid, and parts of it that went back.
    fn entries(subject: &str, attach: &str, amount: i64, parts: &[i64]) -> Vec<Entry> {
        let mut book = Book::new(1, 0);
        let (code, _) = book.issue_code("wechatpay-1", 0).unwrap();
        let order = Order {
            channel: Provider::Wechatpay,
            out_trade_no: "order1".into(),
            subject: subject.into(),
            amount,
            expires_at: 9,
            attach: Some(attach.into()),
            notify_url: None,
            notify_serial: None,
            details: [("device_info".to_owned(), subject.to_owned())].into(),
        };
        book.pay_by_code(order, &code, 0).unwrap();
        for (index, amount) in parts.iter().enumerate() {
            let wanted = Refunding { out_refund_no: format!("r{index}"), amount: *amount, ..Refunding::default() };
            let _ = book.refund(Provider::Wechatpay, Number::Merchant("order1"), &wanted, 1);
        }
        book.between(Provider::Wechatpay, 0, 9)
    }

    /// The lines of a bill as values; every line has as many as its heads, and the totals are the last two.
    fn read(text: &str) -> (Vec<Vec<String>>, Vec<String>) {
        let text = text.strip_prefix('\u{feff}').unwrap().strip_suffix("\r\n").unwrap();
        let lines: Vec<Vec<String>> =
            text.split("\r\n").map(|line| line.split(',').map(str::to_owned).collect()).collect();
        let (rows, totals) = lines.split_at(lines.len() - 2);
        assert!(rows.iter().all(|row| row.len() == rows[0].len()) && totals[0].len() == totals[1].len());
        let bare = |row: &Vec<String>| row.iter().map(|value| value.strip_prefix('`').unwrap().to_owned()).collect();
        (rows[1..].iter().map(bare).collect(), bare(&totals[1]))
    }

    fn fen(yuan: &str) -> i64 {
        yuan.replace('.', "").parse().unwrap()
    }

    proptest! {
        #[test]
        fn whatever_a_merchant_writes_the_columns_hold_and_the_totals_are_the_lines(
            subject in ".*", attach in ".*", amount in 1_i64..90_000, parts in prop::collection::vec(1_i64..30_000, 0..4),
        ) {
            let entries = entries(&subject, &attach, amount, &parts);
            let (rows, totals) = read(&trade_bill(BY, Kind::All, &entries, 9).unwrap());
            let sum = |column: usize| rows.iter().map(|row| fen(&row[column])).sum::<i64>();
            prop_assert_eq!(&totals[0], &rows.len().to_string());
            prop_assert_eq!((fen(&totals[1]), fen(&totals[2]), fen(&totals[4])), (sum(12), sum(16), sum(22)));
            let back = sum(16);
            // All that went back gave the fee back with it, and no more.
            prop_assert_eq!(sum(22) / 1_000, fee(amount - back));
            let (rows, _) = read(&trade_bill(BY, Kind::Success, &entries, 9).unwrap());
            prop_assert_eq!(rows.len(), 1);
            prop_assert_eq!(trade_bill(BY, Kind::Refund, &entries, 9).is_some(), back > 0);
            let (rows, totals) = read(&fund_flow("1900000001", &entries, 0).unwrap());
            let balance = fen(&rows.last().unwrap()[7]);
            prop_assert_eq!(balance, fen(&totals[2]) - fen(&totals[4]));
            prop_assert_eq!(balance, amount - back - fee(amount - back));
            prop_assert!(fund_flow("1900000001", &entries, 9).is_none());
        }
    }
}
