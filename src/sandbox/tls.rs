//! The listener that speaks TLS. On it the calls under `/secapi` want the merchant's own certificate, as WeChat Pay's
//! do; on the plain listener nobody is asked for one.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::{Html, IntoResponse, Response};
use axum::serve::{IncomingStream, Listener};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::SandboxError;
use super::keys::Credentials;
use super::wechatpay::OverTls;

/// Handshakes that are done and wait to be served.
const MAX_WAITING: usize = 16;

/// A server's certificate for this machine, and the one that a client has to trust for it.
pub(super) struct Server {
    config: Arc<ServerConfig>,
    /// The authority's certificate, PEM.
    pub authority: String,
}

fn refused(error: impl std::fmt::Display) -> SandboxError {
    SandboxError::Keys(error.to_string())
}

impl Server {
    /// Makes both anew, for an address and for this machine's own names.
    pub fn new(address: SocketAddr, credentials: &Credentials) -> Result<Self, SandboxError> {
        let key = KeyPair::generate().map_err(refused)?;
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "Scantill sandbox TLS");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let authority = params.self_signed(&key).map_err(refused)?.pem();
        let issuer = Issuer::new(params, key);
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned(), address.ip().to_string()];
        let mut params = CertificateParams::new(names).map_err(refused)?;
        params.distinguished_name.push(DnType::CommonName, "localhost");
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate().map_err(refused)?;
        let certificate = params.signed_by(&key, &issuer).map_err(refused)?;
        let chain = vec![CertificateDer::from(certificate.der().to_vec())];
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));

        let mut merchants = RootCertStore::empty();
        let merchant = credentials.wechatpay.merchant_certificate.der().to_vec();
        merchants.add(CertificateDer::from(merchant)).map_err(refused)?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(merchants), provider.clone())
            .allow_unauthenticated()
            .build()
            .map_err(refused)?;
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(refused)?
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain, key)
            .map_err(refused)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { config: Arc::new(config), authority })
    }

    /// Serves what the plain listener serves.
    pub fn serve(
        self,
        listener: TcpListener,
        app: Router,
        stop: tokio_util::sync::CancellationToken,
    ) -> io::Result<tokio::task::JoinHandle<()>> {
        let address = listener.local_addr()?;
        let (sender, waiting) = mpsc::channel(MAX_WAITING);
        let acceptor = TlsAcceptor::from(self.config);
        let accepting = tokio::spawn(accept(listener, acceptor, sender));
        let app = app.layer(from_fn(admit)).into_make_service_with_connect_info::<Peer>();
        Ok(tokio::spawn(async move {
            let serve = axum::serve(Handshaken { waiting, address }, app);
            let serve = serve.with_graceful_shutdown(async move { stop.cancelled().await });
            if let Err(error) = serve.await {
                tracing::error!(%error, "the sandbox stopped serving over TLS");
            }
            accepting.abort();
        }))
    }
}

/// Shakes hands with everybody who comes, side by side: one who is slow keeps nobody waiting.
async fn accept(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    sender: mpsc::Sender<(TlsStream<TcpStream>, SocketAddr)>,
) {
    loop {
        let Ok((stream, peer)) = listener.accept().await else {
            // Out of file descriptors, for one: it passes.
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            continue;
        };
        let (acceptor, sender) = (acceptor.clone(), sender.clone());
        tokio::spawn(async move {
            match acceptor.accept(stream).await {
                Ok(stream) => drop(sender.send((stream, peer)).await),
                Err(error) => tracing::debug!(%error, %peer, "a TLS handshake failed"),
            }
        });
    }
}

/// Connections whose handshake is done.
struct Handshaken {
    waiting: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
    address: SocketAddr,
}

impl Listener for Handshaken {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        match self.waiting.recv().await {
            Some(connection) => connection,
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

/// Whether the other side has shown the merchant's certificate.
#[derive(Debug, Clone, Copy)]
struct Peer {
    is_merchant: bool,
}

impl axum::extract::connect_info::Connected<IncomingStream<'_, Handshaken>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Handshaken>) -> Self {
        let (_, connection) = stream.io().get_ref();
        // Others than the merchant's do not pass the handshake.
        Self { is_merchant: connection.peer_certificates().is_some_and(|chain| !chain.is_empty()) }
    }
}

async fn admit(ConnectInfo(peer): ConnectInfo<Peer>, mut request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let wants = path.starts_with("/secapi/") || path == "/pay/downloadfundflow";
    if wants && !peer.is_merchant {
        let page = "<html><head><title>400 No required SSL certificate was sent</title></head></html>";
        return (StatusCode::BAD_REQUEST, Html(page)).into_response();
    }
    request.extensions_mut().insert(OverTls);
    next.run(request).await
}
