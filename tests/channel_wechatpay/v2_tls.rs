//! APIv2 over a real TLS connection to a server that demands the merchant's certificate.

use std::io;
use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::Uri;
use axum::serve::Listener;
use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use scantill::channel::{AccountFault, RefundOutcome, VoidOutcome};
use scantill::crypto::RsaPrivateKey;
use scantill::payment::Way;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig, crypto::aws_lc_rs};
use tokio_rustls::server::TlsStream;

use super::channel_support::*;
use super::v2::{account_v2, credentials_v2, fields, signed_xml};
use super::{credentials, with};

/// An authority with its key.
struct Authority {
    pem: String,
    der: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        parameters.distinguished_name.push(DnType::CommonName, name);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = parameters.self_signed(&key).unwrap();
        Self { pem: certificate.pem(), der: certificate.der().clone(), issuer: Issuer::new(parameters, key) }
    }
}

static PUBLIC: LazyLock<Authority> = LazyLock::new(|| Authority::new("a public authority"));
static TENPAY: LazyLock<Authority> = LazyLock::new(|| Authority::new("the merchants' authority"));
static STRANGER: LazyLock<Authority> = LazyLock::new(|| Authority::new("another authority"));

/// A merchant's private key and its certificate under an authority.
fn merchant(authority: &Authority) -> Value {
    let key = RsaPrivateKey::generate().unwrap().to_pkcs8_pem().unwrap();
    let pair = KeyPair::from_pem_and_sign_algo(&key, &rcgen::PKCS_RSA_SHA256).unwrap();
    let mut parameters = CertificateParams::new(Vec::new()).unwrap();
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let certificate = parameters.signed_by(&pair, &authority.issuer).unwrap();
    json!({
        "merchant_private_key": key.as_str(), "merchant_certificate": certificate.pem(),
        "gateway_root_certificate": PUBLIC.pem,
    })
}

struct Tls {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl Listener for Tls {
    type Io = TlsStream<TcpStream>;
    type Addr = std::net::SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let Ok((stream, address)) = self.listener.accept().await else { continue };
            match self.acceptor.accept(stream).into_fallible().await {
                Ok(stream) => return (stream, address),
                // The client has to hear why: what it sent is read before the connection goes.
                Err((_, mut stream)) => {
                    tokio::spawn(async move { tokio::io::copy(&mut stream, &mut tokio::io::sink()).await });
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

/// A gateway that lets nobody in without a certificate under the merchants' authority, and answers every call in turn.
async fn gateway() -> (String, tokio::sync::mpsc::UnboundedReceiver<(String, Vec<u8>)>) {
    let key = KeyPair::generate().unwrap();
    let parameters = CertificateParams::new(vec!["127.0.0.1".into()]).unwrap();
    let certificate = parameters.signed_by(&key, &PUBLIC.issuer).unwrap();
    let mut merchants = RootCertStore::empty();
    merchants.add(TENPAY.der.clone()).unwrap();
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(merchants), provider.clone()).build().unwrap();
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
        )
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("https://{}", listener.local_addr().unwrap());
    let (seen, requests) = tokio::sync::mpsc::unbounded_channel();
    let app = Router::new()
        .fallback(
            |State(seen): State<tokio::sync::mpsc::UnboundedSender<(String, Vec<u8>)>>, uri: Uri, body: Bytes| async move {
                seen.send((uri.path().to_owned(), body.to_vec())).unwrap();
                signed_xml(
                    &json!({ "out_trade_no": NUMBER, "out_refund_no": REFUND, "refund_fee": "1234", "recall": "N" }),
                    "HMAC-SHA256",
                )
            },
        )
        .with_state(seen);
    let tls = Tls { listener, acceptor: TlsAcceptor::from(Arc::new(config)) };
    tokio::spawn(async move { axum::serve(tls, app).await });
    (base_url, requests)
}

#[tokio::test]
async fn with_the_merchants_certificate_money_goes_back() {
    let (base_url, mut requests) = gateway().await;
    let account = account_v2(&base_url, &with(credentials_v2(), merchant(&TENPAY)));
    let channel = scantill::channel::open(&account).unwrap();
    let trade = trade(Way::ConsumerPresented);
    assert_eq!(channel.void(&trade).await, VoidOutcome::Closed);
    assert_eq!(channel.refund(&trade, &refund(REFUND)).await, RefundOutcome::Processing);
    for path in ["/secapi/pay/reverse", "/secapi/pay/refund"] {
        let (seen, body) = requests.recv().await.unwrap();
        assert_eq!((seen.as_str(), fields(&body)["out_trade_no"].as_str()), (path, NUMBER));
    }
    assert_eq!(channel.test().await.fault, None);
}

#[tokio::test]
async fn without_one_or_with_a_strangers_nothing_is_taken_and_the_cause_is_named() {
    let (base_url, mut requests) = gateway().await;
    let trade = trade(Way::ConsumerPresented);
    let stranger = account_v2(&base_url, &with(credentials_v2(), merchant(&STRANGER)));
    let channel = scantill::channel::open(&stranger).unwrap();
    assert!(matches!(channel.void(&trade).await, VoidOutcome::Unknown(_)));
    assert!(matches!(channel.refund(&trade, &refund(REFUND)).await, RefundOutcome::Unknown(_)));
    let told = channel.test().await;
    assert_eq!(told.fault, Some(AccountFault::Tls), "{told:?}");
    assert!(told.provider_message.contains("alert"), "{told:?}");

    // An account of the other interface shows no certificate.
    let none = account_v2(&base_url, &with(credentials(), json!({ "gateway_root_certificate": PUBLIC.pem })));
    let told = scantill::channel::open(&none).unwrap().test().await;
    assert_eq!(told.fault, Some(AccountFault::Tls), "{told:?}");
    assert!(told.provider_message.to_lowercase().contains("certificate"), "{told:?}");

    // And a server that nobody vouches for is told nothing.
    let mut own = merchant(&TENPAY);
    own.as_object_mut().unwrap().remove("gateway_root_certificate");
    let unknown = account_v2(&base_url, &with(credentials_v2(), own));
    let told = scantill::channel::open(&unknown).unwrap().test().await;
    assert_eq!(told.fault, Some(AccountFault::Tls), "{told:?}");
    assert!(requests.try_recv().is_err());
}
