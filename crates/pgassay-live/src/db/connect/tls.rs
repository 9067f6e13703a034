//! TLS as sslmode asks for it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    SupportedProtocolVersion,
};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::super::DbError;
use super::parameters::{Parameters, home};

/// sslmode (manual, "SSL Support": protection provided in different modes).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mode {
    Disable,
    Allow,
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

impl Mode {
    pub fn of(parameters: &Parameters) -> Result<Mode, DbError> {
        let system = parameters.get("sslrootcert") == Some("system");
        let mode = match parameters.get("sslmode") {
            // The system's store trusts far too many for less than verify-full.
            None if system => Mode::VerifyFull,
            None | Some("prefer") => Mode::Prefer,
            Some("disable") => Mode::Disable,
            Some("allow") => Mode::Allow,
            Some("require") => Mode::Require,
            Some("verify-ca") => Mode::VerifyCa,
            Some("verify-full") => Mode::VerifyFull,
            // Of other programs.
            Some("no-verify") => Mode::Require,
            Some(other) => return Err(DbError::Parameters(format!("{other:?} is no sslmode"))),
        };
        if system && mode < Mode::VerifyFull {
            return Err(DbError::Parameters("sslrootcert=system needs sslmode=verify-full".to_owned()));
        }
        Ok(mode)
    }
}

/// How much of a certificate is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Check {
    Nothing,
    Authority,
    AuthorityAndName,
}

/// The connector for a mode that uses TLS.
pub(super) fn connector(parameters: &Parameters, mode: Mode) -> Result<MakeRustlsConnect, DbError> {
    let provider = Arc::new(ring::default_provider());
    let roots = roots(parameters, mode)?;
    let check = match mode {
        Mode::VerifyFull => Check::AuthorityAndName,
        Mode::VerifyCa => Check::Authority,
        // "For backwards compatibility": with a root certificate, require checks it.
        Mode::Require if roots.is_some() && parameters.get("sslmode") != Some("no-verify") => Check::Authority,
        _ => Check::Nothing,
    };
    let verifier = Verifier::new(roots.unwrap_or_default(), check, provider.clone())?;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions(parameters)?)
        .map_err(|error| DbError::Parameters(format!("TLS: {error}")))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = match client_certificate(parameters)? {
        Some((certificates, key)) => builder
            .with_client_auth_cert(certificates, key)
            .map_err(|error| DbError::Parameters(format!("the client certificate cannot be used: {error}")))?,
        None => builder.with_no_client_auth(),
    };
    if parameters.get("sslnegotiation") == Some("direct") {
        config.alpn_protocols = vec![b"postgresql".to_vec()];
    }
    config.enable_sni = parameters.get("sslsni") != Some("0");
    Ok(MakeRustlsConnect::new(config))
}

static ONLY_12: &[&SupportedProtocolVersion] = &[&rustls::version::TLS12];
static ONLY_13: &[&SupportedProtocolVersion] = &[&rustls::version::TLS13];

fn versions(parameters: &Parameters) -> Result<&'static [&'static SupportedProtocolVersion], DbError> {
    match parameters.get("ssl_min_protocol_version") {
        Some("TLSv1.3") => Ok(ONLY_13),
        None | Some("TLSv1" | "TLSv1.1" | "TLSv1.2") => match parameters.get("ssl_max_protocol_version") {
            Some("TLSv1.2") => Ok(ONLY_12),
            _ => Ok(rustls::ALL_VERSIONS),
        },
        Some(other) => Err(DbError::Parameters(format!("{other:?} is no version of TLS"))),
    }
}

/// The certificates that are trusted: none where there is no file and the mode does not ask for one.
fn roots(parameters: &Parameters, mode: Mode) -> Result<Option<Vec<CertificateDer<'static>>>, DbError> {
    let named = parameters.get("sslrootcert");
    if named == Some("system") {
        let found = rustls_native_certs::load_native_certs();
        if found.certs.is_empty() {
            return Err(DbError::Parameters("sslrootcert=system: this system has no root certificates".to_owned()));
        }
        return Ok(Some(found.certs));
    }
    let path = named.map(PathBuf::from).or_else(|| own_file("root.crt"));
    match path {
        Some(path) if path.exists() => certificates(&path).map(Some),
        Some(path) if named.is_some() && mode >= Mode::VerifyCa => {
            Err(DbError::File { path, message: "the root certificate that sslrootcert names is not there".to_owned() })
        }
        _ if mode >= Mode::VerifyCa => Err(DbError::Parameters(
            "the sslmode needs a root certificate: name it in sslrootcert, or use sslrootcert=system".to_owned(),
        )),
        _ => Ok(None),
    }
}

/// A file of libpq's folder in the user's home.
fn own_file(name: &str) -> Option<PathBuf> {
    home().map(|home| home.join(".postgresql").join(name))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, DbError> {
    let wrong = |message: String| DbError::File { path: path.to_owned(), message };
    let found: Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(path).map_err(|error| wrong(error.to_string()))?.collect();
    let found = found.map_err(|error| wrong(error.to_string()))?;
    if found.is_empty() { Err(wrong("it has no certificate in PEM form".to_owned())) } else { Ok(found) }
}

type ClientCertificate = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn client_certificate(parameters: &Parameters) -> Result<Option<ClientCertificate>, DbError> {
    if parameters.get("sslcertmode") == Some("disable") {
        return Ok(None);
    }
    let named = |key: &str, usual: &str| {
        let own = || own_file(usual).filter(|path| path.exists());
        parameters.get(key).map(PathBuf::from).or_else(own)
    };
    let Some(certificate) = named("sslcert", "postgresql.crt") else { return Ok(None) };
    let Some(key) = named("sslkey", "postgresql.key") else {
        return Err(DbError::Parameters("sslcert is set, and sslkey is not".to_owned()));
    };
    let metadata =
        fs::metadata(&key).map_err(|error| DbError::File { path: key.clone(), message: error.to_string() })?;
    if !is_private(&metadata) {
        let message =
            "others can read this private key; its permissions should be 0600, or 0640 if root owns it".to_owned();
        return Err(DbError::File { path: key, message });
    }
    let private = PrivateKeyDer::from_pem_file(&key)
        .map_err(|error| DbError::File { path: key.clone(), message: error.to_string() })?;
    Ok(Some((certificates(&certificate)?, private)))
}

/// As libpq wants it (pgtls_init, fe-secure-openssl.c).
#[cfg(unix)]
fn is_private(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    let forbidden = if metadata.uid() == 0 { 0o037 } else { 0o077 };
    metadata.mode() & forbidden == 0
}

#[cfg(not(unix))]
fn is_private(_metadata: &fs::Metadata) -> bool {
    true
}

/// Checks as much of the server's certificate as the mode asks for.
#[derive(Debug)]
struct Verifier {
    check: Check,
    trusted: Vec<CertificateDer<'static>>,
    authority: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl Verifier {
    fn new(
        trusted: Vec<CertificateDer<'static>>,
        check: Check,
        provider: Arc<CryptoProvider>,
    ) -> Result<Verifier, DbError> {
        let authority = if check == Check::Nothing {
            None
        } else {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(trusted.iter().cloned());
            let built = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build();
            Some(built.map_err(|error| DbError::Parameters(format!("sslrootcert cannot be used: {error}")))?)
        };
        Ok(Verifier { check, trusted, authority, provider })
    }

    /// A certificate that is itself among the trusted ones needs no authority.
    fn is_pinned(&self, certificate: &CertificateDer) -> bool {
        self.trusted.iter().any(|trusted| trusted.as_ref() == certificate.as_ref())
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(authority) = &self.authority else { return Ok(ServerCertVerified::assertion()) };
        if self.is_pinned(end_entity) {
            if self.check == Check::AuthorityAndName {
                rustls::client::verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
            }
            return Ok(ServerCertVerified::assertion());
        }
        match authority.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            // The name is the last thing that is checked.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if self.check == Check::Authority => Ok(ServerCertVerified::assertion()),
            result => result,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
