//! Source repositories: where the source of a service lies, and how its host is asked.

use serde::{Deserialize, Serialize};

use super::secret::SecretFrom;
use crate::domain::commit::{Host, Scheme};
use crate::domain::{self, Remote};

/// What stands for the name of the service.
pub(super) const SERVICE: &str = "{service}";

/// One repository, or one for each service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Repository {
    /// As `git clone` or `svn checkout` takes it; `{service}` may stand in it.
    pub url: String,
    /// By name, in which `*` stands for any letters. Default: all.
    #[serde(default)]
    pub services: Vec<String>,
    /// The folder of a service in a repository of several: `services/{service}`.
    #[serde(default)]
    pub path: Option<String>,
    /// Where the host's own interface is, when it is not where its name says.
    #[serde(default)]
    pub api: Option<String>,
    /// For that interface. git and svn use the logins that the user has.
    #[serde(default)]
    pub token: Option<SecretFrom>,
}

impl Repository {
    /// Where the source of this service lies; `None` when this one is not about it.
    pub fn of(&self, service: &str) -> Option<domain::Repository> {
        if !is_about(&self.services, service) {
            return None;
        }
        let filled = |text: &str| text.replace(SERVICE, service);
        let mut remote = Remote::parse(&filled(&self.url)).ok()?;
        if let Some(host) = self.api.as_deref().and_then(host_of) {
            remote.host = host;
        }
        let folder = self.path.as_deref().map(filled);
        let folder = folder.map(|folder| folder.trim_matches('/').into());
        Some(domain::Repository {
            service: service.into(),
            remote,
            folder,
        })
    }

    /// What is wrong with it, with the fix.
    ///
    /// # Errors
    /// One sentence, in which no secret is.
    pub fn check(&self) -> Result<(), String> {
        let url = self.url.replace(SERVICE, "x");
        let remote = Remote::parse(&url).map_err(|why| format!("url: {why}"))?;
        if login(&url) {
            return Err(
                "url: a login has no place in it: git and svn use yours, and token is for the host"
                    .into(),
            );
        }
        let path = self.path.as_deref().unwrap_or("x");
        let odd = |piece: &str| ["", ".", ".."].contains(&piece) || piece.starts_with('-');
        if path.trim_matches('/').split('/').any(odd) {
            return Err("path: has to be a folder of the repository, as in services/cart".into());
        }
        let known = match self.api.as_deref() {
            None => remote.host != Host::Other,
            Some(api) => {
                let web = api.starts_with("https://") || api.starts_with("http://");
                if !web || login(api) || host_of(api).is_none() {
                    return Err(
                        "api: has to be the address of the interface: https://HOST/api/v3 (GitHub), /api/v4 (GitLab) or /api/v5 (Gitee)"
                            .into(),
                    );
                }
                remote.scheme == Scheme::Git
            }
        };
        match (known, self.token.is_some() || self.api.is_some()) {
            (false, true) => Err(
                "token and api: only GitHub, GitLab and Gitee are asked with them; api says which one it is"
                    .into(),
            ),
            (_, _) => Ok(()),
        }
    }
}

/// Where the source of a service lies. What its workload names only chooses among what the settings name: no address
/// from a cluster is ever asked.
pub fn of(rules: &[Repository], service: &str, named: Option<&str>) -> Option<domain::Repository> {
    let mut about = rules.iter().filter_map(|rule| rule.of(service));
    match named {
        None => about.next(),
        Some(named) => {
            let named = Remote::parse(named).ok()?;
            about.find(|repository| repository.remote.same_as(&named))
        }
    }
}

/// The interfaces are known by their versions.
fn host_of(api: &str) -> Option<Host> {
    match api.trim_end_matches('/') {
        "https://api.github.com" => Some(Host::GitHub),
        api if api.ends_with("/api/v3") => Some(Host::GitHub),
        api if api.ends_with("/api/v4") => Some(Host::GitLab),
        api if api.ends_with("/api/v5") => Some(Host::Gitee),
        _ => None,
    }
}

/// A password, or what is a token where the web is meant.
fn login(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once("://") else {
        return false;
    };
    let authority = rest.split('/').next().unwrap_or(rest);
    let user = authority.rsplit_once('@').map(|(user, _)| user);
    user.is_some_and(|user| {
        user.contains(':') || scheme.ends_with("http") || scheme.ends_with("https")
    })
}

/// Whether a rule for the services of these names, or for all when it names none, is for this one.
pub(super) fn is_about(services: &[String], service: &str) -> bool {
    services.is_empty() || services.iter().any(|name| fits(name, service))
}

/// `*` stands for any letters, none included.
fn fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((start, rest)) => name.strip_prefix(start).is_some_and(|name| {
            let mut ends = (0..=name.len()).filter(|at| name.is_char_boundary(*at));
            ends.any(|at| fits(rest, &name[at..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Repository {
        serde_yaml::from_str(text).unwrap()
    }

    #[test]
    fn whose_it_is() {
        let one = read("{url: 'git@github.com:shop/{service}.git'}");
        assert_eq!(one.check(), Ok(()));
        let cart = one.of("cart").unwrap();
        assert_eq!(cart.remote.to_string(), "github.com/shop/cart");
        assert_eq!(cart.folder, None);

        let many =
            "{url: https://git.corp/shop, services: [cart, 'mail-*'], path: '/services/{service}/',
            api: 'https://git.corp/api/v4', token: {env: T}}";
        let many = read(many);
        assert_eq!(many.check(), Ok(()));
        let mail = many.of("mail-in").unwrap();
        assert_eq!(mail.folder.as_deref(), Some("services/mail-in"));
        assert_eq!(mail.remote.host, Host::GitLab);
        for (service, about) in [
            ("cart", true),
            ("mail-", true),
            ("carts", false),
            ("mail", false),
        ] {
            assert_eq!(many.of(service).is_some(), about, "{service}");
        }
    }

    #[test]
    fn a_workload_chooses_only_among_what_the_settings_name() {
        let rules = "[{url: 'git@github.com:shop/platform.git', services: [cart], path: cart},
            {url: 'git@github.com:shop/{service}.git'}]";
        let rules: Vec<Repository> = serde_yaml::from_str(rules).unwrap();
        let chosen = |service, named| {
            let found = of(&rules, service, named)?;
            Some(format!("{} {:?}", found.remote, found.folder))
        };
        let platform = Some("github.com/shop/platform Some(\"cart\")".to_owned());
        assert_eq!(chosen("cart", None), platform);
        assert_eq!(
            chosen("mail", None),
            Some("github.com/shop/mail None".into())
        );
        let own = Some("github.com/shop/cart None".to_owned());
        assert_eq!(chosen("cart", Some("https://github.com/shop/cart")), own);
        for stranger in ["https://evil.example/shop/cart", "ext::sh -c x", ""] {
            assert_eq!(chosen("cart", Some(stranger)), None, "{stranger}");
        }
        assert_eq!(of(&[], "cart", None), None);
    }

    #[test]
    fn names_with_stars() {
        for (pattern, name, want) in [
            ("*", "", true),
            ("a*c", "abbc", true),
            ("a*c", "abcd", false),
            ("*-api", "cart-api", true),
            ("a*b*c", "aXbYc", true),
            ("a", "ab", false),
            ("", "", true),
        ] {
            assert_eq!(fits(pattern, name), want, "{pattern} {name}");
        }
    }

    #[test]
    fn mistakes() {
        for (text, want) in [
            ("{url: shop}", "url: a repository is written"),
            ("{url: 'ext::sh -c x'}", "url: a repository needs"),
            (
                "{url: 'https://ann:hunter2@x/y'}",
                "url: a login has no place",
            ),
            ("{url: 'https://hunter2@x/y'}", "url: a login has no place"),
            (
                "{url: 'https://x/y', path: ../z}",
                "path: has to be a folder",
            ),
            (
                "{url: 'https://x/y', token: {env: T}}",
                "token and api: only",
            ),
            ("{url: 'https://x/y', api: 'https://x'}", "api: has to be"),
            (
                "{url: 'https://x/y', api: 'https://a:hunter2@x/api/v4'}",
                "api: has to be",
            ),
            (
                "{url: 'svn://x/y', api: 'https://x/api/v4'}",
                "token and api: only",
            ),
        ] {
            let error = read(text).check().unwrap_err();
            assert!(error.starts_with(want), "{text}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
        for fine in [
            "git@host:shop/cart",
            "ssh://git@host/x",
            "svn+ssh://ann@host/x",
            "/srv/git/x",
        ] {
            assert_eq!(
                read(&format!("{{url: '{fine}'}}")).check(),
                Ok(()),
                "{fine}"
            );
        }
    }
}
