//! The sandbox answers as the real gateways would: same fields, codes and signatures, seen through real HTTP by a
//! merchant that signs and verifies with code of its own.

mod alipay;
mod alipay_bill;
mod alipay_modes;
mod books;
mod control;
mod house;
mod notifications;
mod unionpay;
mod wechatpay;
mod wechatpay_bills;
mod wechatpay_keys;
mod wechatpay_refunds;
mod wechatpay_tls;
mod wechatpay_v2;
