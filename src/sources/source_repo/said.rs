//! What git and svn complain of: first what it means for a person, then their own words, in which no login is.

/// What the words hold, and what that means.
const KNOWN: &[(&[&str], &str)] = &[
    (
        &[
            "terminal prompts disabled",
            "can't get username or password",
            "interactive prompting is disabled",
            "no more credentials",
        ],
        "it wants a login, and there is none or a wrong one",
    ),
    (
        &[
            "authentication failed",
            "authorization failed",
            "permission denied (",
            "error: 401",
        ],
        "the login is wrong, or has run out",
    ),
    (
        &["error: 403", "e175013", "forbidden"],
        "the login may not read it",
    ),
    (
        &[
            "error: 404",
            "repository not found",
            "' not found",
            "e160013",
        ],
        "there is no such repository or path, or the login may not see it",
    ),
    (
        &["error: 5", "http status '5", "http status 5"],
        "the server failed",
    ),
    (
        &[
            "early eof",
            "hung up",
            "closed the connection",
            "unexpected disconnect",
            "transfer closed",
            "empty reply",
            "connection reset",
            "e120106",
        ],
        "the answer broke off",
    ),
    (
        &["too slow", "timed out", "e175012"],
        "the server sends nothing any more",
    ),
];

/// `the login may not read it: unable to access …: error: 403`.
pub fn plainly(words: &str) -> String {
    let folded = words.to_lowercase();
    let holds = |marks: &&[&str]| marks.iter().any(|mark| folded.contains(mark));
    match KNOWN.iter().find(|(marks, _)| holds(marks)) {
        Some((_, meaning)) => format!("{meaning}: {words}"),
        None => words.to_owned(),
    }
}

/// Without what stands before the machine of an address, and without its query: the settings of git may put a token
/// there. A user of ssh stays.
pub fn masked(words: &str) -> String {
    let mut out = String::with_capacity(words.len());
    let mut rest = words;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        out.push_str(before);
        let ends = |c: char| c.is_whitespace() || "'\"<>`".contains(c);
        let (address, left) = after.split_at(after.find(ends).unwrap_or(after.len()));
        let (place, query) = match address.find('?') {
            Some(at) => (&address[..at], "?***"),
            None => (address, ""),
        };
        let (authority, path) = place.split_at(place.find('/').unwrap_or(place.len()));
        let plain = before.ends_with("ssh://");
        match authority.rsplit_once('@') {
            Some((user, machine)) if !plain || user.contains(':') => {
                out.push_str("***@");
                out.push_str(machine);
            }
            Some(_) | None => out.push_str(authority),
        }
        out.push_str(path);
        out.push_str(query);
        rest = left;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_login_is_in_it() {
        for (words, want) in [
            (
                "unable to access 'https://oauth2:hunter2@git.corp/a/b.git/': The requested URL returned error: 403",
                "unable to access 'https://***@git.corp/a/b.git/': The requested URL returned error: 403",
            ),
            (
                "at 'http://hunter2@h:80' and svn://ann:hunter2@h/x?token=hunter2 too",
                "at 'http://***@h:80' and svn://***@h/x?*** too",
            ),
            ("ssh://git@h/x fails", "ssh://git@h/x fails"),
            ("ssh://git:hunter2@h", "ssh://***@h"),
            ("https://a:p@ss/w@h/x", "https://***@ss/w@h/x"),
            ("://", "://"),
            ("nothing at all", "nothing at all"),
        ] {
            assert_eq!(masked(words), want);
        }
    }

    #[test]
    fn what_it_means_comes_first() {
        for (words, want) in [
            (
                "could not read Username for 'http://h': terminal prompts disabled",
                "it wants a login",
            ),
            (
                "Authentication failed for 'http://h/'",
                "the login is wrong",
            ),
            (
                "git@h: Permission denied (publickey).",
                "the login is wrong",
            ),
            (
                "svn: E175013: Access to '/x' forbidden",
                "the login may not read it",
            ),
            ("repository 'http://h/' not found", "there is no such"),
            ("The requested URL returned error: 502", "the server failed"),
            (
                "svn: E175002: Unexpected HTTP status 500",
                "the server failed",
            ),
            ("early EOF", "the answer broke off"),
            ("Operation too slow.", "the server sends nothing"),
            ("could not resolve host: h", "could not resolve"),
        ] {
            let said = plainly(words);
            assert!(said.starts_with(want) && said.ends_with(words), "{said}");
        }
    }
}
