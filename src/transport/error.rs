//! Why no answer came: decided by types, in words that quote neither an address nor anything of an event.

use std::{
    error::Error,
    io::{self, ErrorKind},
};

use rustls::CertificateError;

/// No whole answer came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.text())]
pub enum TransportError {
    /// Nothing was sent.
    NoConnection(NoConnection),
    /// Not in time.
    Timeout,
    /// The connection broke, or the answer was cut short.
    Broken,
    /// An answer of a size that no call has.
    TooLong,
}

impl TransportError {
    /// The text that is printed.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::NoConnection(error) => error.text(),
            Self::Timeout => "no whole answer in time",
            Self::Broken => "the connection broke before the answer was complete",
            Self::TooLong => "the answer is too long",
        }
    }
}

impl From<NoConnection> for TransportError {
    fn from(error: NoConnection) -> Self {
        Self::NoConnection(error)
    }
}

/// Why there is no connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.text())]
pub enum NoConnection {
    /// No address for the name.
    Unresolved,
    /// Nothing listens there.
    Refused,
    /// No way there: a route, a permission, a descriptor is missing.
    Unreachable,
    /// Neither yes nor no in time.
    TimedOut,
    /// Something listens, and TLS with it failed.
    Tls(TlsFailure),
}

impl NoConnection {
    /// The text that is printed.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Unresolved => "the host name could not be resolved",
            Self::Refused => "the connection was refused",
            Self::Unreachable => "the address could not be reached",
            Self::TimedOut => "timed out while connecting",
            Self::Tls(failure) => failure.text(),
        }
    }
}

/// Why TLS failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.text())]
pub enum TlsFailure {
    /// Of a chain that ends in none of the built-in roots.
    Untrusted,
    /// After its time.
    Expired,
    /// Before its time; or the clock here is wrong.
    NotYetValid,
    /// Of another host.
    WrongName,
    /// Taken back.
    Revoked,
    /// One that can't be read or used.
    BadCertificate,
    /// No version or cipher in common, or a fatal alert.
    Refused,
    /// What came back is not TLS.
    NotTls,
    /// Closed before it was complete.
    Closed,
    /// Any other violation of the protocol.
    Handshake,
}

impl TlsFailure {
    /// The text that is printed.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Untrusted => "TLS failed: the certificate is not trusted",
            Self::Expired => "TLS failed: the certificate has expired",
            Self::NotYetValid => "TLS failed: the certificate is not valid yet",
            Self::WrongName => "TLS failed: the certificate is for another host name",
            Self::Revoked => "TLS failed: the certificate has been revoked",
            Self::BadCertificate => "TLS failed: the certificate can't be used",
            Self::Refused => "TLS failed: the server refused the handshake",
            Self::NotTls => "TLS failed: the server does not speak TLS",
            Self::Closed => "TLS failed: the connection was closed during the handshake",
            Self::Handshake => "TLS failed: the handshake failed",
        }
    }
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
