//! Keys and certificates that are kept in a folder from start to start, and made where they are absent.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, SerialNumber,
};

use super::{file_error, keys_error, make_folder, write};
use crate::crypto::{Certificate, RsaPrivateKey, RsaPublicKey, certificates, random_bytes};
use crate::sandbox::SandboxError;

/// The folder; without one everything is made anew.
#[derive(Debug, Clone)]
pub(in crate::sandbox) struct KeyStore(Option<PathBuf>);

/// What a certificate is to say.
#[derive(Debug, Clone, Copy)]
pub(in crate::sandbox) struct Subject<'a> {
    /// The organisation.
    pub organization: &'a str,
    /// The organisation's unit; none where empty.
    pub unit: &'a str,
    /// The common name.
    pub common_name: &'a str,
    /// Whether it may issue others.
    pub authority: bool,
    /// First and last year, January the first of each.
    pub years: (i32, i32),
    /// How many bytes its serial number has, at most 20.
    pub serial_bytes: usize,
}

impl<'a> Subject<'a> {
    /// A certificate that outlives any test: a provider's own holds for some years.
    pub fn new(organization: &'a str, unit: &'a str, common_name: &'a str) -> Self {
        Self { organization, unit, common_name, authority: false, years: (2020, 2120), serial_bytes: 16 }
    }

    /// One that issues others.
    pub fn authority(self) -> Self {
        Self { authority: true, ..self }
    }

    fn params(&self) -> CertificateParams {
        let mut params = CertificateParams::default();
        // In this order: clients write the issuer's name themselves and digest what they wrote.
        let mut name = DistinguishedName::new();
        name.push(DnType::CountryName, "CN");
        name.push(DnType::OrganizationName, self.organization);
        if !self.unit.is_empty() {
            name.push(DnType::OrganizationalUnitName, self.unit);
        }
        name.push(DnType::CommonName, self.common_name);
        params.distinguished_name = name;
        params.not_before = rcgen::date_time_ymd(self.years.0, 1, 1);
        params.not_after = rcgen::date_time_ymd(self.years.1, 1, 1);
        if self.authority {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        } else {
            params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::ContentCommitment];
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        }
        let mut serial: [u8; 20] = random_bytes();
        // Positive and of full length, as an authority's own are.
        serial[0] = 0x50 | (serial[0] & 0x0f);
        params.serial_number = Some(SerialNumber::from_slice(serial.get(..self.serial_bytes).unwrap_or(&serial)));
        params
    }
}

fn pair(key: &RsaPrivateKey) -> Result<KeyPair, SandboxError> {
    let pem = key.to_pkcs8_pem().map_err(keys_error)?;
    KeyPair::from_pkcs8_pem_and_sign_algo(&pem, &PKCS_RSA_SHA256).map_err(keys_error)
}

impl KeyStore {
    /// The folder is made where it is absent.
    pub fn open(folder: Option<&Path>) -> Result<Self, SandboxError> {
        if let Some(folder) = folder {
            make_folder(folder)?;
        }
        Ok(Self(folder.map(Path::to_owned)))
    }

    /// The keys in `NAME.pem`, made side by side where absent: making one takes a while.
    pub fn keys<const N: usize>(&self, names: [&str; N]) -> Result<[RsaPrivateKey; N], SandboxError> {
        let keys: Result<Vec<_>, _> = std::thread::scope(|scope| {
            let makers = names.map(|name| scope.spawn(move || self.key(name)));
            makers
                .map(|maker| maker.join().unwrap_or_else(|_| Err(keys_error("a thread failed"))))
                .into_iter()
                .collect()
        });
        keys?.try_into().map_err(|_| keys_error("one is missing"))
    }

    fn key(&self, name: &str) -> Result<RsaPrivateKey, SandboxError> {
        let file = format!("{name}.pem");
        let make = || {
            let key = RsaPrivateKey::generate().map_err(keys_error)?;
            Ok(key.to_pkcs8_pem().map_err(keys_error)?.as_bytes().to_vec())
        };
        self.kept(&file, make, |bytes| {
            let text = std::str::from_utf8(bytes).map_err(|_| "no PEM".to_owned())?;
            RsaPrivateKey::from_pem(text).map_err(|error| error.to_string())
        })
    }

    /// The certificate in `NAME_certificate.pem` for a key, issued by another (subject and key) or by itself.
    pub fn certificate(
        &self,
        name: &str,
        subject: Subject<'_>,
        key: &RsaPrivateKey,
        issuer: Option<(Subject<'_>, &RsaPrivateKey)>,
    ) -> Result<Certificate, SandboxError> {
        let make = || {
            let (params, pair_of_key) = (subject.params(), pair(key)?);
            let made = match issuer {
                None => params.self_signed(&pair_of_key),
                Some((by, by_key)) => params.signed_by(&pair_of_key, &Issuer::new(by.params(), pair(by_key)?)),
            };
            Ok(made.map_err(keys_error)?.pem().into_bytes())
        };
        self.kept(&format!("{name}_certificate.pem"), make, |bytes| {
            let text = std::str::from_utf8(bytes).map_err(|_| "no PEM".to_owned())?;
            let certificate = certificates(text).map_err(|error| error.to_string())?.into_iter().next();
            let certificate = certificate.ok_or("there is no certificate in it")?;
            let spki = |key: &RsaPublicKey| key.to_spki_pem().map_err(|error| error.to_string());
            let certified = certificate.key().map_err(|error| error.to_string())?;
            if spki(&certified)? != spki(&key.public_key())? {
                return Err("the certificate is of another key: delete it, and it is made anew".to_owned());
            }
            Ok(certificate)
        })
    }

    /// A root whose key is no RSA key: bundles hold such, and clients have to pass over them.
    pub fn elliptic_root(&self, name: &str, subject: Subject<'_>) -> Result<Certificate, SandboxError> {
        let make = || {
            let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(keys_error)?;
            Ok(subject.params().self_signed(&key).map_err(keys_error)?.pem().into_bytes())
        };
        self.kept(&format!("{name}_certificate.pem"), make, |bytes| {
            let text = std::str::from_utf8(bytes).map_err(|_| "no PEM".to_owned())?;
            let certificate = certificates(text).map_err(|error| error.to_string())?.into_iter().next();
            certificate.ok_or_else(|| "there is no certificate in it".to_owned())
        })
    }

    /// What `read` makes of the file of that name; where there is none, it is made and kept.
    pub fn kept<T>(
        &self,
        file: &str,
        make: impl FnOnce() -> Result<Vec<u8>, SandboxError>,
        read: impl FnOnce(&[u8]) -> Result<T, String>,
    ) -> Result<T, SandboxError> {
        let path = self.0.as_deref().map(|folder| folder.join(file));
        if let Some(path) = path.as_deref().filter(|path| path.exists()) {
            let failed = file_error(path);
            let bytes = fs::read(path).map_err(|error| failed(error.to_string()))?;
            return read(&bytes).map_err(failed);
        }
        let bytes = make()?;
        if let Some(path) = &path {
            write(path, &bytes)?;
        }
        read(&bytes).map_err(SandboxError::Keys)
    }
}
