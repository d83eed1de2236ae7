//! Which proxy, if any, leads to a cluster: the rules of Go's programs, which kubectl users know.

use std::net::IpAddr;

use http::Uri;

use crate::config::Proxy;

/// The proxy's address. The kubeconfig's own `proxy-url` always holds, as in kubectl: `NO_PROXY` belongs to the
/// environment's proxies, and so does the rule that loopback is reached directly.
pub fn choose(server: &Uri, explicit: Option<&str>, environment: &Proxy) -> Option<String> {
    if let Some(proxy) = explicit.filter(|proxy| !proxy.is_empty()) {
        return Some(proxy.to_owned());
    }
    let secure = server.scheme_str() != Some("http");
    let proxy = if secure {
        environment.https.as_deref()
    } else {
        environment.http.as_deref()
    };
    let proxy = proxy.map(str::trim).filter(|proxy| !proxy.is_empty())?;
    let host = server.host()?.trim_matches(['[', ']']).to_ascii_lowercase();
    let port = server.port_u16().unwrap_or(if secure { 443 } else { 80 });
    if is_loopback(&host) || excluded(&host, port, environment.exclude.as_deref().unwrap_or("")) {
        return None;
    }
    Some(if proxy.contains("://") {
        proxy.to_owned()
    } else {
        format!("http://{proxy}")
    })
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

fn excluded(host: &str, port: u16, list: &str) -> bool {
    let mut entries = list
        .split(',')
        .map(|entry| entry.trim().to_ascii_lowercase());
    entries.any(|entry| !entry.is_empty() && matches(host, port, &entry))
}

fn matches(host: &str, port: u16, entry: &str) -> bool {
    if entry == "*" {
        return true;
    }
    if let Ok(address) = host.parse::<IpAddr>()
        && let Some((network, bits)) = entry.split_once('/')
    {
        return in_network(address, network, bits);
    }
    let (name, wanted_port) = split_port(entry);
    if wanted_port.is_some_and(|wanted| wanted != port) {
        return false;
    }
    if let (Ok(address), Ok(wanted)) = (host.parse::<IpAddr>(), name.parse::<IpAddr>()) {
        return address == wanted;
    }
    let suffix = name.strip_prefix('*').unwrap_or(name);
    match suffix.strip_prefix('.') {
        // `.corp` and `*.corp` are what is below it, `corp` is itself as well.
        Some(_) => host.ends_with(suffix),
        None => {
            host == suffix
                || host
                    .strip_suffix(suffix)
                    .is_some_and(|rest| rest.ends_with('.'))
        }
    }
}

/// `host:8443`, `[::1]:8443`; a bare IPv6 address has no port.
fn split_port(entry: &str) -> (&str, Option<u16>) {
    if let Some(rest) = entry.strip_prefix('[') {
        let (name, port) = rest.split_once(']').unwrap_or((rest, ""));
        return (
            name,
            port.strip_prefix(':').and_then(|port| port.parse().ok()),
        );
    }
    match entry.rsplit_once(':') {
        Some((name, port)) if !name.contains(':') => match port.parse() {
            Ok(port) => (name, Some(port)),
            Err(_) => (entry, None),
        },
        _ => (entry, None),
    }
}

fn in_network(address: IpAddr, network: &str, bits: &str) -> bool {
    let (Ok(network), Ok(bits)) = (network.parse::<IpAddr>(), bits.parse::<u32>()) else {
        return false;
    };
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) if bits <= 32 => {
            let differ = u64::from(address.to_bits() ^ network.to_bits());
            differ >> (32 - bits) == 0
        }
        (IpAddr::V6(address), IpAddr::V6(network)) if bits <= 128 => {
            let differ = address.to_bits() ^ network.to_bits();
            differ.checked_shr(128 - bits).unwrap_or(0) == 0
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROXY: &str = "http://proxy.corp:3128";

    fn through(server: &str, exclude: &str) -> bool {
        let environment = Proxy {
            https: Some(PROXY.into()),
            http: None,
            exclude: Some(exclude.into()),
        };
        choose(&server.parse().unwrap(), None, &environment).is_some()
    }

    #[test]
    fn no_proxy_table() {
        for (server, exclude, want) in [
            ("https://k8s.corp:6443", "", true),
            ("https://k8s.corp:6443", "*", false),
            ("https://k8s.corp:6443", "k8s.corp", false),
            ("https://K8S.corp:6443", "k8s.CORP", false),
            ("https://k8s.corp:6443", "corp", false),
            ("https://k8s.corp:6443", ".corp", false),
            ("https://k8s.corp:6443", "*.corp", false),
            ("https://corp:6443", ".corp", true),
            ("https://notcorp:6443", "corp", true),
            ("https://k8s.corp:6443", "other, k8s.corp:6443", false),
            ("https://k8s.corp:6443", "k8s.corp:443", true),
            ("https://k8s.corp", "k8s.corp:443", false),
            ("https://10.1.2.3:6443", "10.1.2.3", false),
            ("https://10.1.2.3:6443", "10.0.0.0/8", false),
            ("https://11.1.2.3:6443", "10.0.0.0/8", true),
            ("https://11.1.2.3:6443", "0.0.0.0/0", false),
            ("https://11.1.2.3:6443", "10.0.0.0/99,nonsense/x", true),
            ("https://[fd00::5]:6443", "fd00::/8", false),
            ("https://[fd00::5]:6443", "::/0", false),
            ("https://[fd00::5]:6443", "[fd00::5]:6443", false),
            ("https://[fd00::5]:6443", "fd00::5", false),
            ("https://[fd00::5]:6443", "fe80::/10", true),
            ("https://127.0.0.1:6443", "", false),
            ("https://[::1]:6443", "", false),
            ("https://localhost:6443", "", false),
            ("http://k8s.corp:8080", "", false),
        ] {
            assert_eq!(through(server, exclude), want, "{server} with {exclude}");
        }
    }

    #[test]
    fn the_kubeconfigs_own_proxy_outranks_the_environment() {
        let environment = Proxy {
            https: Some("proxy.corp:3128".into()),
            http: None,
            exclude: Some("*".into()),
        };
        let local: Uri = "https://127.0.0.1:6443".parse().unwrap();
        let tunnel = choose(&local, Some("socks5://localhost:1080"), &environment);
        assert_eq!(tunnel.as_deref(), Some("socks5://localhost:1080"));
        let open = Proxy {
            exclude: None,
            ..environment
        };
        let server: Uri = "https://k8s.corp".parse().unwrap();
        assert_eq!(choose(&server, Some(""), &open).as_deref(), Some(PROXY));
    }
}
