//! What an account with UnionPay consists of.

use crate::channel::{AccountForm, CredentialField, FieldKind, Required};
use crate::payment::ChannelId;

pub(super) fn form() -> AccountForm {
    let field = |name, kind, required, label, hint| CredentialField { name, kind, required, label, hint };
    AccountForm {
        channel: ChannelId::UNIONPAY,
        title: "UnionPay",
        default_base_url: super::GATEWAY,
        sandbox_base_url: super::TEST_GATEWAY,
        fields: vec![
            field(
                "mer_id",
                FieldKind::Text,
                Required::Always,
                "Merchant number (merId)",
                "The 15 digits that UnionPay or your bank gave the shop.",
            ),
            field(
                "sign_p12",
                FieldKind::Pkcs12,
                Required::Always,
                "Signing certificate (.pfx)",
                "The file that you exported after downloading the certificate from CFCA (acp_prod_sign.pfx).",
            ),
            field(
                "sign_p12_password",
                FieldKind::Secret,
                Required::Always,
                "Password of the .pfx file",
                "The one that you set when you exported the file.",
            ),
            field(
                "middle_certificate",
                FieldKind::Pem,
                Required::Always,
                "UnionPay's middle certificate",
                "acp_prod_middle.cer from UnionPay's developer package; acp_test_middle.cer for its test gateway.",
            ),
            field(
                "root_certificate",
                FieldKind::Pem,
                Required::Always,
                "UnionPay's root certificate",
                "acp_prod_root.cer from UnionPay's developer package; acp_test_root.cer for its test gateway.",
            ),
            field(
                "common_name",
                FieldKind::Text,
                Required::Never,
                "Name in UnionPay's certificate",
                "Leave it empty for 中国银联股份有限公司.",
            ),
            field(
                "file_base_url",
                FieldKind::Text,
                Required::Never,
                "Address of the settlement files",
                "Leave it empty for UnionPay's own.",
            ),
        ],
    }
}
