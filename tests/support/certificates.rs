//! The certificates of one test cluster: its authority, its servers, its users.

use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};

pub struct Authority {
    pub pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its private key, as PEM.
pub struct Signed {
    pub certificate: String,
    pub key: String,
}

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
            .distinguished_name
            .push(DnType::CommonName, "rolldeck test authority");
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().expect("a key");
        let pem = params.self_signed(&key).expect("a certificate").pem();
        Self {
            pem,
            issuer: Issuer::new(params, key),
        }
    }

    /// For servers on the loopback address.
    pub fn server(&self) -> Signed {
        let names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
        let params = CertificateParams::new(names).expect("good names");
        self.sign(params, "server", ExtendedKeyUsagePurpose::ServerAuth)
    }

    /// A Kubernetes user, in a group or in none.
    pub fn user(&self, name: &str, group: Option<&str>) -> Signed {
        self.client(name, group, None)
    }

    /// A user of no group, until `end` (Unix time, in seconds).
    pub fn user_until(&self, name: &str, end: u64) -> Signed {
        self.client(name, None, Some(end))
    }

    fn client(&self, name: &str, group: Option<&str>, end: Option<u64>) -> Signed {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        if let Some(group) = group {
            params
                .distinguished_name
                .push(DnType::OrganizationName, group);
        }
        if let Some(end) = end {
            params.not_after = date_time_ymd(1970, 1, 1) + Duration::from_secs(end);
        }
        self.sign(params, name, ExtendedKeyUsagePurpose::ClientAuth)
    }

    fn sign(
        &self,
        mut params: CertificateParams,
        name: &str,
        usage: ExtendedKeyUsagePurpose,
    ) -> Signed {
        params.distinguished_name.push(DnType::CommonName, name);
        params.key_usages.push(KeyUsagePurpose::DigitalSignature);
        params.extended_key_usages.push(usage);
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a signature");
        Signed {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        }
    }
}

/// The pair that signs and verifies service account tokens: private key, public key.
pub fn token_keys() -> (String, String) {
    let key = KeyPair::generate().expect("a key");
    (key.serialize_pem(), key.public_key_pem())
}
