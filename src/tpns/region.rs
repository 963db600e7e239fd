//! TPNS's addresses (facts.md, section 1).

use hyper::Uri;
use url::Url;

use super::Operation;

/// The paths of the operations this function calls.
const BATCH_OPERATE: &str = "/v3/device/account/batchoperate";
const QUERY: &str = "/v3/device/account/query";

/// The access points by region. Their data are isolated from each other: the wrong host answers 1008035.
const REGIONS: [(&str, &str); 4] = [
    ("guangzhou", "https://api.tpns.tencent.com"),
    ("shanghai", "https://api.tpns.sh.tencent.com"),
    ("hongkong", "https://api.tpns.hk.tencent.com"),
    ("singapore", "https://api.tpns.sgp.tencent.com"),
];

/// The address of an app's account API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    url: Url,
    batch_operate: Uri,
    query: Uri,
}

/// An address that can't be one of TPNS. Does not quote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// No URL.
    #[error("must be a URL such as https://api.tpns.tencent.com")]
    Unreadable,
    /// A URL without a host.
    #[error("must name a host")]
    NoHost,
    /// Plain http to another machine.
    #[error("must be https; http is for loopback addresses only")]
    PlainHttp,
    /// Another scheme.
    #[error("must be an https URL")]
    Scheme,
    /// A user name or password in the URL.
    #[error("must not contain a user name or password; access_id and secret_key sign the calls")]
    UserInfo,
    /// More than a scheme and a host.
    #[error("must be a scheme and a host, without path or query")]
    Path,
}

impl Endpoint {
    /// The access point of a region; `None` for a name that isn't one.
    #[must_use]
    pub fn of_region(region: &str) -> Option<Self> {
        let (_, base) = REGIONS.into_iter().find(|(name, _)| *name == region)?;
        Self::free(base).ok()
    }

    /// The names of the regions.
    pub fn regions() -> impl Iterator<Item = &'static str> {
        REGIONS.into_iter().map(|(name, _)| name)
    }

    /// Another host: one more access point that Tencent opened for a customer, or a local TPNS.
    ///
    /// # Errors
    /// What the address must be. Plain http is for loopback only: signatures can be replayed (facts.md, section 2).
    pub fn free(base: &str) -> Result<Self, EndpointError> {
        let url = Url::parse(base).map_err(|_| EndpointError::Unreadable)?;
        let loopback = match url.host_str() {
            Some("localhost") => true,
            Some(host) => {
                let host = host.trim_start_matches('[').trim_end_matches(']');
                host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
            }
            None => return Err(EndpointError::NoHost),
        };
        match url.scheme() {
            "https" => {}
            "http" if loopback => {}
            "http" => return Err(EndpointError::PlainHttp),
            _ => return Err(EndpointError::Scheme),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(EndpointError::UserInfo);
        }
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err(EndpointError::Path);
        }
        let at = |path| url.join(path).map_err(|_| EndpointError::Unreadable);
        let uri = |url: &Url| url.as_str().parse().map_err(|_| EndpointError::Unreadable);
        let batch_operate = at(BATCH_OPERATE)?;
        Ok(Self { batch_operate: uri(&batch_operate)?, query: uri(&at(QUERY)?)?, url: batch_operate })
    }

    /// Scheme, host and port in one form, however the address was written.
    #[must_use]
    pub fn origin(&self) -> String {
        let (host, port) =
            (self.url.host_str().unwrap_or_default(), self.url.port_or_known_default().unwrap_or_default());
        format!("{}://{}:{port}", self.url.scheme(), host.trim_end_matches('.'))
    }

    /// The address that changes are posted to.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The address of an operation, as requests name it.
    pub(super) fn uri(&self, operation: Operation) -> &Uri {
        match operation {
            Operation::Change(_) => &self.batch_operate,
            Operation::Query(_) => &self.query,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tpns::{OperatorType, QueryBy};

    #[test]
    fn each_region_has_its_own_host() {
        let urls: Vec<_> =
            Endpoint::regions().map(|name| Endpoint::of_region(name).unwrap().url().to_string()).collect();
        assert_eq!(
            urls,
            [
                "https://api.tpns.tencent.com/v3/device/account/batchoperate",
                "https://api.tpns.sh.tencent.com/v3/device/account/batchoperate",
                "https://api.tpns.hk.tencent.com/v3/device/account/batchoperate",
                "https://api.tpns.sgp.tencent.com/v3/device/account/batchoperate",
            ]
        );
        assert_eq!(Endpoint::of_region("toronto"), None);
    }

    #[test]
    fn each_operation_has_its_path() {
        let endpoint = Endpoint::free("http://localhost:8090/").unwrap();
        assert_eq!(endpoint.uri(Operation::Change(OperatorType::Bind)).to_string(), endpoint.url().to_string());
        for by in [QueryBy::Account, QueryBy::Token] {
            let uri = endpoint.uri(Operation::Query(by)).to_string();
            assert_eq!(uri, "http://localhost:8090/v3/device/account/query");
        }
    }

    #[test]
    fn a_free_endpoint_is_https_or_loopback() {
        for good in [
            "https://tpns.example.com",
            "https://tpns.example.com:8443/",
            "http://127.0.0.1:8090",
            "http://localhost:1",
            "http://[::1]:80",
        ] {
            assert!(Endpoint::free(good).is_ok(), "{good}");
        }
        for bad in [
            "http://tpns.example.com",
            "http://10.0.0.1",
            "http://127.0.0.1.example.com",
            "ftp://127.0.0.1",
            "tpns.example.com",
            "https://",
            "https://user:pass@tpns.example.com",
            "https://tpns.example.com/v3",
            "https://tpns.example.com/?a=1",
            "",
        ] {
            assert!(Endpoint::free(bad).is_err(), "{bad}");
        }
    }
}
