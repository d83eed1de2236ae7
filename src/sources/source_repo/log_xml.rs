//! What `svn log --xml --verbose` prints. Only svn writes it, so a few tags are all the XML there is.

/// One revision.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Entry {
    pub revision: u64,
    pub author: String,
    /// RFC 3339.
    pub date: String,
    pub message: String,
    /// Without the slash they begin with.
    pub paths: Vec<Box<str>>,
}

/// One that is cut off at the end of the text is left out.
pub fn entries(text: &str) -> Vec<Entry> {
    let mut found = Vec::new();
    let mut open: Option<Entry> = None;
    for (tag, words) in text
        .split('<')
        .skip(1)
        .filter_map(|piece| piece.split_once('>'))
    {
        let (name, attributes) = tag.split_once(char::is_whitespace).unwrap_or((tag, ""));
        if name == "logentry" {
            open = Some(Entry {
                revision: attribute(attributes, "revision").unwrap_or_default(),
                ..Entry::default()
            });
            continue;
        }
        let Some(entry) = &mut open else { continue };
        match name {
            "author" => entry.author = plain(words),
            "date" => entry.date = plain(words),
            "msg" => entry.message = plain(words),
            "path" => {
                let path = plain(words);
                entry.paths.push(path.trim_start_matches('/').into());
            }
            "/logentry" => found.extend(open.take()),
            _ => {}
        }
    }
    found
}

fn attribute(attributes: &str, name: &str) -> Option<u64> {
    let (_, rest) = attributes.split_once(&format!("{name}=\""))?;
    rest.split('"').next()?.parse().ok()
}

/// With the characters that the references stand for; an unknown one stays as it is written.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let found = after
            .split_once(';')
            .and_then(|(name, after)| Some((character(name)?, after)));
        if let Some((character, after)) = found {
            out.push(character);
            rest = after;
        } else {
            out.push('&');
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

fn character(name: &str) -> Option<char> {
    match name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix('x') {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<log>
<logentry
   revision="3">
<author>ann</author>
<date>2026-11-27T13:00:00.123456Z</date>
<paths>
<path
   text-mods="true"
   kind="file"
   action="M"
   prop-mods="false">/trunk/a &amp; b &lt;c&gt;</path>
<path action="A">/trunk/db/migrate/7.sql</path>
</paths>
<msg>fix &quot;rounding&quot; &#13;
&lt;/msg&gt; &unknown; &</msg>
</logentry>
<logentry
   revision="2">
<msg></msg>
</logentry>
<logentry revision="1"><author>b</author><msg>cut o"#;

    #[test]
    fn what_svn_prints() {
        let found = entries(LOG);
        let want = [
            Entry {
                revision: 3,
                author: "ann".into(),
                date: "2026-11-27T13:00:00.123456Z".into(),
                message: "fix \"rounding\" \r\n</msg> &unknown; &".into(),
                paths: vec!["trunk/a & b <c>".into(), "trunk/db/migrate/7.sql".into()],
            },
            Entry {
                revision: 2,
                ..Entry::default()
            },
        ];
        assert_eq!(found, want);
        for none in [
            "",
            "<",
            "<log>",
            "no xml & more",
            "<author>x</author></logentry>",
        ] {
            assert_eq!(entries(none), [], "{none}");
        }
    }
}
