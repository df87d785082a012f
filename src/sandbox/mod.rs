//! Simulated Alipay and WeChat Pay on the provider's side: a second implementation of their wire protocols.
