//! AWS's SDK, with Mozilla's roots built in as for TPNS. Its own default reads the system's: 154 files on Debian, and most
//! of what Init takes with a ledger.

mod error;

use aws_config::{BehaviorVersion, SdkConfig};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode},
};
use data_encoding::BASE64;
use webpki_root_certs::TLS_SERVER_ROOT_CERTS;

pub use self::error::{AwsError, aws_code};

/// The SDK's configuration, from Lambda's environment.
pub(crate) async fn sdk() -> SdkConfig {
    let roots = TrustStore::empty().with_pem_certificate(pem());
    // Fails when a certificate can't be read, and these are built in: `the_roots_can_be_read` holds them to it.
    let client = Builder::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc));
    let client = match TlsContext::builder().with_trust_store(roots).build() {
        Ok(context) => client.tls_context(context),
        Err(_) => client,
    };
    aws_config::defaults(BehaviorVersion::latest()).http_client(client.build_https()).load().await
}

/// The only form that the SDK takes them in.
fn pem() -> Vec<u8> {
    let mut pem = String::with_capacity(TLS_SERVER_ROOT_CERTS.iter().map(|root| root.len() * 4 / 3 + 64).sum());
    for root in TLS_SERVER_ROOT_CERTS {
        pem.push_str("-----BEGIN CERTIFICATE-----\n");
        BASE64.encode_append(root, &mut pem);
        pem.push_str("\n-----END CERTIFICATE-----\n");
    }
    pem.into_bytes()
}

#[cfg(test)]
mod tests {
    use reqwest::Certificate;

    use super::*;

    #[test]
    fn the_roots_can_be_read() {
        let read = Certificate::from_pem_bundle(&pem()).unwrap();
        assert_eq!(read.len(), TLS_SERVER_ROOT_CERTS.len());
        assert!(read.len() > 100);
    }

    #[tokio::test]
    async fn the_sdk_has_a_client() {
        assert!(sdk().await.http_client().is_some());
    }
}
