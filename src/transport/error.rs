//! Why no answer came: decided by types, in words that quote neither an address nor anything of an event.

use std::{
    error::Error,
    io::{self, ErrorKind},
};

use rustls::CertificateError;

/// No whole answer came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// Nothing was sent.
    #[error(transparent)]
    NoConnection(#[from] NoConnection),
    /// Not in time.
    #[error("no whole answer in time")]
    Timeout,
    /// The connection broke, or the answer was cut short.
    #[error("the connection broke before the answer was complete")]
    Broken,
    /// An answer of a size that no call has.
    #[error("the answer is too long")]
    TooLong,
}

/// Why there is no connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoConnection {
    /// No address for the name.
    #[error("the host name could not be resolved")]
    Unresolved,
    /// Nothing listens there.
    #[error("the connection was refused")]
    Refused,
    /// No way there: a route, a permission, a descriptor is missing.
    #[error("the address could not be reached")]
    Unreachable,
    /// Neither yes nor no in time.
    #[error("timed out while connecting")]
    TimedOut,
    /// Something listens, and TLS with it failed.
    #[error("TLS failed: {0}")]
    Tls(TlsFailure),
}

/// Why TLS failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TlsFailure {
    /// Of a chain that ends in none of the built-in roots.
    #[error("the certificate is not trusted")]
    Untrusted,
    /// After its time.
    #[error("the certificate has expired")]
    Expired,
    /// Before its time; or the clock here is wrong.
    #[error("the certificate is not valid yet")]
    NotYetValid,
    /// Of another host.
    #[error("the certificate is for another host name")]
    WrongName,
    /// Taken back.
    #[error("the certificate has been revoked")]
    Revoked,
    /// One that can't be read or used.
    #[error("the certificate can't be used")]
    BadCertificate,
    /// No version or cipher in common, or a fatal alert.
    #[error("the server refused the handshake")]
    Refused,
    /// What came back is not TLS.
    #[error("the server does not speak TLS")]
    NotTls,
    /// Closed before it was complete.
    #[error("the connection was closed during the handshake")]
    Closed,
    /// Any other violation of the protocol.
    #[error("the handshake failed")]
    Handshake,
}

/// The resolver's failure; hyper-util passes it on among others.
#[derive(Debug, thiserror::Error)]
#[error("name not resolved")]
pub(super) struct Unresolved;

/// Of a connection attempt that failed before TLS.
pub(super) fn tcp(error: &(dyn Error + 'static)) -> NoConnection {
    for source in sources(error) {
        if source.is::<Unresolved>() {
            return NoConnection::Unresolved;
        }
        if let Some(error) = source.downcast_ref::<io::Error>() {
            return match error.kind() {
                ErrorKind::ConnectionRefused => NoConnection::Refused,
                ErrorKind::TimedOut => NoConnection::TimedOut,
                _ => NoConnection::Unreachable,
            };
        }
    }
    NoConnection::Unreachable
}

/// Of a handshake that failed.
pub(super) fn tls(error: &io::Error) -> TlsFailure {
    // tokio-rustls puts rustls's error inside one of io, which does not count as its source.
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(error) => of_rustls(error),
        None => TlsFailure::Closed,
    }
}

fn of_rustls(error: &rustls::Error) -> TlsFailure {
    match error {
        rustls::Error::InvalidCertificate(error) => of_certificate(error),
        rustls::Error::NoCertificatesPresented => TlsFailure::BadCertificate,
        rustls::Error::AlertReceived(_) | rustls::Error::PeerIncompatible(_) | rustls::Error::NoApplicationProtocol => {
            TlsFailure::Refused
        }
        rustls::Error::InvalidMessage(_) | rustls::Error::PeerSentOversizedRecord => TlsFailure::NotTls,
        _ => TlsFailure::Handshake,
    }
}

fn of_certificate(error: &CertificateError) -> TlsFailure {
    use CertificateError as E;
    match error {
        E::Expired | E::ExpiredContext { .. } => TlsFailure::Expired,
        E::NotValidYet | E::NotValidYetContext { .. } => TlsFailure::NotYetValid,
        E::NotValidForName | E::NotValidForNameContext { .. } => TlsFailure::WrongName,
        E::Revoked => TlsFailure::Revoked,
        // What signs itself is its own authority, which webpki names among its other errors.
        E::UnknownIssuer | E::BadSignature | E::Other(_) => TlsFailure::Untrusted,
        _ => TlsFailure::BadCertificate,
    }
}

fn sources<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| (*error).source())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runbook_says_what_to_do_about_each() {
        use TlsFailure as T;
        let tls = [
            T::Untrusted,
            T::Expired,
            T::NotYetValid,
            T::WrongName,
            T::Revoked,
            T::BadCertificate,
            T::Refused,
            T::NotTls,
            T::Closed,
            T::Handshake,
        ];
        let tcp = [NoConnection::Unresolved, NoConnection::Refused, NoConnection::Unreachable, NoConnection::TimedOut];
        let runbook = include_str!("../../docs/runbook.md");
        for failure in tcp.into_iter().chain(tls.map(NoConnection::Tls)) {
            assert!(runbook.contains(&format!("\n| `{failure}` |")), "{failure}");
        }
    }

    #[test]
    fn what_an_sdk_error_ends_with_are_our_words() {
        let error = TransportError::NoConnection(NoConnection::Tls(TlsFailure::Expired));
        assert_eq!(sources(&error).count(), 1);
        assert_eq!(error.to_string(), "TLS failed: the certificate has expired");
    }
}
