//! The address of a source repository, as people and programs write it.

use std::fmt;

/// What serves the repository, which decides what its pages are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Host {
    GitHub,
    GitLab,
    Gitee,
    Other,
}

impl Host {
    /// By the name of the machine: `github.com`, `gitlab.example.com`.
    fn of(name: &str) -> Self {
        let is = |word: &str| name.split('.').any(|label| label == word);
        let known = [
            ("github", Self::GitHub),
            ("gitlab", Self::GitLab),
            ("gitee", Self::Gitee),
        ];
        let found = known.into_iter().find(|(word, _)| is(word));
        found.map_or(Self::Other, |(_, host)| host)
    }
}

/// What is spoken there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    Git,
    Subversion,
}

/// A parsed address. There is no password in it, whatever was written.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Remote {
    /// What `git` or `svn` is given.
    pub url: Box<str>,
    pub scheme: Scheme,
    pub host: Host,
    /// The machine, with its port where the address is that of its pages; empty for a folder of this machine.
    pub machine: Box<str>,
    /// `shop/checkout`: the owner and the name, without `.git`.
    pub path: Box<str>,
}

/// The ways that are spoken. `ext::` and the like run programs, and are none.
const GIT: &[&str] = &[
    "https",
    "http",
    "ssh",
    "git",
    "file",
    "git+ssh",
    "git+https",
];
const SUBVERSION: &[&str] = &["svn", "svn+ssh", "svn+http", "svn+https", "svn+file"];

impl Remote {
    /// `https://github.com/shop/checkout`, `git@github.com:shop/checkout.git`, `ssh://git@host:2222/shop/checkout`,
    /// `svn://host/shop/trunk`, `file:///srv/git/shop`, `/srv/git/shop`. Subversion over http is `svn+https://…`.
    ///
    /// # Errors
    /// What is wrong with it, without repeating it: there may be a password in it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        if text.is_empty() || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err("a repository needs an address without spaces");
        }
        if text.starts_with('/') {
            return Ok(Self::folder(text, text, Scheme::Git));
        }
        match text.split_once("://") {
            Some((scheme, rest)) => Self::with_scheme(&scheme.to_lowercase(), rest),
            None => Self::scp_like(text),
        }
    }

    fn with_scheme(scheme: &str, rest: &str) -> Result<Self, &'static str> {
        let spoken = match scheme {
            _ if GIT.contains(&scheme) => Scheme::Git,
            _ if SUBVERSION.contains(&scheme) => Scheme::Subversion,
            _ => return Err("a repository is reached by https, ssh, git, file or svn"),
        };
        // Some labels of images say `git+https://`; git itself does not know it.
        let scheme = match scheme.strip_prefix("git+").unwrap_or(scheme) {
            "svn+http" => "http",
            "svn+https" => "https",
            "svn+file" => "file",
            other => other,
        };
        let rest = rest.split(['?', '#']).next().unwrap_or(rest);
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        if scheme == "file" {
            return match authority {
                "" | "localhost" => Ok(Self::folder(&format!("file:///{path}"), path, spoken)),
                _ => Err("a file address has three slashes: file:///srv/git/shop"),
            };
        }
        let (user, machine) = split_user(authority);
        let secret = user.is_some_and(|user| user.contains(':'));
        // A user who is all there is before a machine on the web is a token.
        let web = matches!(scheme, "http" | "https");
        let user = user.filter(|_| !secret && !web);
        let before = user.map(|user| format!("{user}@")).unwrap_or_default();
        let url = format!("{scheme}://{before}{machine}/{path}");
        let pages = if web { machine } else { without_port(machine) };
        Self::on(spoken, &url, (user, machine, pages), path)
    }

    /// `git@host:shop/checkout.git`.
    fn scp_like(text: &str) -> Result<Self, &'static str> {
        let (before, path) = text
            .split_once(':')
            .filter(|(before, path)| !before.contains('/') && !path.starts_with(':'))
            .ok_or("a repository is written https://host/owner/name or git@host:owner/name")?;
        let (user, machine) = split_user(before);
        Self::on(Scheme::Git, text, (user, machine, machine), path)
    }

    fn on(
        scheme: Scheme,
        url: &str,
        (user, machine, pages): (Option<&str>, &str, &str),
        path: &str,
    ) -> Result<Self, &'static str> {
        let good = |name: &str| {
            let known = |b: u8| b.is_ascii_alphanumeric() || b"-._:[]~+%".contains(&b);
            !name.is_empty() && !name.starts_with('-') && name.bytes().all(known)
        };
        // One that begins with a dash is an option of ssh.
        if !good(machine) || !user.is_none_or(good) {
            return Err("the host of the repository cannot be one");
        }
        let path = tidied(path);
        if path.is_empty() || path.starts_with('-') {
            return Err("the address of the repository has no path");
        }
        let machine = pages.to_lowercase();
        Ok(Self {
            url: url.into(),
            scheme,
            host: match scheme {
                Scheme::Git => Host::of(without_port(&machine)),
                Scheme::Subversion => Host::Other,
            },
            machine: machine.into(),
            path: path.into(),
        })
    }

    fn folder(url: &str, path: &str, scheme: Scheme) -> Self {
        Self {
            url: url.into(),
            scheme,
            host: Host::Other,
            machine: Box::default(),
            path: tidied(path).into(),
        }
    }

    /// The same repository, however it is reached.
    pub fn same_as(&self, other: &Self) -> bool {
        let machine = |remote: &Self| without_port(&remote.machine).to_owned();
        machine(self) == machine(other) && self.path.eq_ignore_ascii_case(&other.path)
    }

    pub fn commit_url(&self, id: &str) -> Option<String> {
        self.page("commit", id)
    }

    /// What `to` has that `from` has not.
    pub fn compare_url(&self, from: &str, to: &str) -> Option<String> {
        self.page("compare", &format!("{from}...{to}"))
    }

    pub fn pull_request_url(&self, number: u64) -> Option<String> {
        let what = match self.host {
            Host::GitHub => "pull",
            Host::GitLab => "merge_requests",
            Host::Gitee => "pulls",
            Host::Other => return None,
        };
        self.page(what, &number.to_string())
    }

    fn page(&self, what: &str, which: &str) -> Option<String> {
        let Self { machine, path, .. } = self;
        match self.host {
            Host::GitHub | Host::Gitee => Some(format!("https://{machine}/{path}/{what}/{which}")),
            Host::GitLab => Some(format!("https://{machine}/{path}/-/{what}/{which}")),
            Host::Other => None,
        }
    }
}

impl fmt::Display for Remote {
    /// `github.com/shop/checkout`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.machine, self.path)
    }
}

fn split_user(authority: &str) -> (Option<&str>, &str) {
    match authority.rsplit_once('@') {
        Some((user, machine)) => (Some(user), machine),
        None => (None, authority),
    }
}

/// Of `[::1]:80` as well.
fn without_port(machine: &str) -> &str {
    match machine.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        Some(_) | None => machine,
    }
}

fn tidied(path: &str) -> &str {
    let path = path.trim_matches('/');
    path.strip_suffix(".git").unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is given to git or svn, and what it is.
    fn parsed(text: &str) -> (String, Scheme, Host, String) {
        let remote = Remote::parse(text).unwrap_or_else(|why| panic!("{text}: {why}"));
        let place = remote.to_string();
        (remote.url.into(), remote.scheme, remote.host, place)
    }

    #[test]
    fn addresses_that_stay_as_they_are() {
        use Host::{GitHub, GitLab, Gitee, Other};
        use Scheme::{Git, Subversion};
        for (text, scheme, host, place) in [
            ("https://github.com/a/b", Git, GitHub, "github.com/a/b"),
            ("git@github.com:a/b.git", Git, GitHub, "github.com/a/b"),
            ("git@gitee.com:a/b", Git, Gitee, "gitee.com/a/b"),
            (
                "ssh://git@gitlab.x:2222/a/b/c.git",
                Git,
                GitLab,
                "gitlab.x/a/b/c",
            ),
            (
                "https://gitlab.x:8443/a/b",
                Git,
                GitLab,
                "gitlab.x:8443/a/b",
            ),
            ("git://host/b.git", Git, Other, "host/b"),
            ("host:b", Git, Other, "host/b"),
            ("https://notgithub.com/a/b", Git, Other, "notgithub.com/a/b"),
            ("/srv/git/b.git", Git, Other, "/srv/git/b"),
            ("file:///srv/git/b", Git, Other, "/srv/git/b"),
            ("svn://host/a/trunk", Subversion, Other, "host/a/trunk"),
            ("svn+ssh://ann@host/a", Subversion, Other, "host/a"),
        ] {
            let want = (text.to_owned(), scheme, host, place.to_owned());
            assert_eq!(parsed(text), want);
        }
    }

    #[test]
    fn addresses_that_are_put_right_and_lose_their_secrets() {
        let github = "https://github.com/a/b";
        for (text, url) in [
            ("git+https://github.com/a/b#main", github),
            ("https://ann:secret@github.com/a/b", github),
            ("https://ghp_secret@github.com/a/b", github),
            ("HTTPS://github.com/a/b?x=y", github),
            ("svn+https://host/a", "https://host/a"),
            ("svn+file:///srv/svn", "file:///srv/svn"),
        ] {
            let (got, scheme, ..) = parsed(text);
            assert_eq!(got, url, "{text}");
            let subversion = text.starts_with("svn");
            assert_eq!(scheme == Scheme::Subversion, subversion, "{text}");
        }
    }

    #[test]
    fn what_is_none() {
        for text in [
            "",
            "shop",
            "two words",
            "https://",
            "https://host",
            "https://host/",
            "file://host/x",
            "ext::sh -c x",
            "ext::sh",
            "ext://x/y",
            "--upload-pack=x",
            "-oProxyCommand=x:y",
            "ssh://-oProxyCommand=x/y",
            "ssh://-x@host/y",
            "ssh://git@ho$(x)st/y",
            "git@host:-x",
            "a\u{1b}b:c",
        ] {
            assert!(Remote::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn pages() {
        let links = |text: &str| {
            let remote = Remote::parse(text).unwrap();
            let all = [
                remote.commit_url("a1"),
                remote.compare_url("a1", "b2"),
                remote.pull_request_url(7),
            ];
            all.map(Option::unwrap_or_default)
        };
        assert_eq!(
            links("git@github.com:shop/cart.git"),
            [
                "https://github.com/shop/cart/commit/a1",
                "https://github.com/shop/cart/compare/a1...b2",
                "https://github.com/shop/cart/pull/7"
            ]
        );
        assert_eq!(
            links("ssh://git@gitlab.x:2222/a/b/cart"),
            [
                "https://gitlab.x/a/b/cart/-/commit/a1",
                "https://gitlab.x/a/b/cart/-/compare/a1...b2",
                "https://gitlab.x/a/b/cart/-/merge_requests/7"
            ]
        );
        assert_eq!(
            links("https://gitee.com/shop/cart"),
            [
                "https://gitee.com/shop/cart/commit/a1",
                "https://gitee.com/shop/cart/compare/a1...b2",
                "https://gitee.com/shop/cart/pulls/7"
            ]
        );
        assert_eq!(links("git@host:shop/cart"), ["", "", ""]);
    }

    #[test]
    fn one_repository_by_several_ways() {
        let parse = |text| Remote::parse(text).unwrap();
        let cart = parse("https://github.com/shop/cart");
        for same in [
            "git@github.com:shop/cart.git",
            "ssh://git@github.com:22/Shop/cart",
        ] {
            assert!(cart.same_as(&parse(same)), "{same}");
        }
        for other in [
            "https://github.com/shop/cart2",
            "https://gitee.com/shop/cart",
        ] {
            assert!(!cart.same_as(&parse(other)), "{other}");
        }
    }
}
