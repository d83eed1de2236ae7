//! A snapshot as text, and what is wrong with a text that is none.

use super::{FORMAT, Place, Snapshot};

/// Where, from 1, and what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    pub line: usize,
    pub column: usize,
    pub sentence: String,
}

const HEAD: &str = "\
# What ran in these namespaces. `rolldeck restore FILE` plans the way back.
# It holds the text of ConfigMaps and of environment variables as they are, and of Secrets their names alone.
";

/// # Errors
/// It cannot be put into YAML.
pub fn text(snapshot: &Snapshot) -> Result<String, serde_yaml::Error> {
    Ok(format!("{HEAD}{}", serde_yaml::to_string(snapshot)?))
}

/// Nothing is taken from a file that is not whole.
///
/// # Errors
/// The first mistake in it.
pub fn read(text: &str) -> Result<Snapshot, Mistake> {
    of_this_format(text)?;
    let (last, end) = last_line(text);
    if !end.starts_with("end: ") || !text.ends_with('\n') {
        return Err(Mistake {
            line: last,
            column: end.chars().count() + 1,
            sentence: "it is cut off: its last line, `end:`, is missing; nothing was done".into(),
        });
    }
    let snapshot: Snapshot = serde_yaml::from_str(text).map_err(|error| unreadable(&error))?;
    let held = snapshot.places.iter().flat_map(Place::manifests);
    let held = held.count();
    if held != snapshot.end {
        let sentence = format!(
            "it says {} manifests at its end and holds {held}: a part was lost or added; \
             write {held} here if that was meant",
            snapshot.end
        );
        return Err(Mistake {
            line: last,
            column: "end: ".len() + 1,
            sentence,
        });
    }
    Ok(snapshot)
}

/// Known before the rest is looked at, which another version may write in another way.
fn of_this_format(text: &str) -> Result<(), Mistake> {
    const KEY: &str = "format: ";
    let mut lines = text.lines().zip(1..);
    let Some((found, line)) = lines.find(|(line, _)| line.starts_with(KEY)) else {
        return Err(Mistake {
            line: 1,
            column: 1,
            sentence: format!("it is no snapshot: it has no line `{KEY}{FORMAT}`"),
        });
    };
    let format = found[KEY.len()..].trim();
    if format == FORMAT {
        return Ok(());
    }
    Err(Mistake {
        line,
        column: KEY.len() + 1,
        sentence: format!("its format is {format}, and this rolldeck reads {FORMAT} alone"),
    })
}

fn last_line(text: &str) -> (usize, &str) {
    text.lines()
        .zip(1..)
        .last()
        .map_or((1, ""), |(line, number)| (number, line))
}

fn unreadable(error: &serde_yaml::Error) -> Mistake {
    let text = error.to_string();
    let message = text.split(" at line ").next().unwrap_or(&text);
    let (line, column) = error
        .location()
        .map_or((1, 1), |at| (at.line(), at.column()));
    Mistake {
        line,
        column,
        sentence: message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::snapshot::{Manifest, Unfinished};
    use serde_json::json;

    fn snapshot() -> Snapshot {
        let manifest = |body| Manifest::try_from(body).unwrap();
        Snapshot {
            format: FORMAT.into(),
            rolldeck: "0.1.0".into(),
            taken: "2026-11-27T17:00:00Z".parse().unwrap(),
            places: vec![Place {
                cluster: "eu".into(),
                environment: None,
                namespace: "shop".into(),
                outside: vec!["secret/db".into()],
                unfinished: vec![Unfinished {
                    service: "deploy/web".into(),
                    asked: "2.0".into(),
                    ready: [("1.10".into(), 4), ("2.0".into(), 1)].into(),
                }],
                workloads: vec![manifest(json!({
                    "apiVersion": "apps/v1", "kind": "Deployment",
                    "metadata": {"name": "web"}, "spec": {"replicas": 2}}))],
                beside: vec![manifest(json!({
                    "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web"},
                    "data": {"a": "yes", "b": "0x1", "c": "two\nlines\n", "d": "1e3", "e": " \t\u{1b}[31m"}}))],
            }],
            end: 2,
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let text = text(&snapshot()).unwrap();
        assert_eq!(read(&text), Ok(snapshot()));
    }

    #[test]
    fn a_text_that_was_cut_anywhere_is_not_read() {
        let text = text(&snapshot()).unwrap();
        for cut in 0..text.len() {
            if text.is_char_boundary(cut) {
                assert!(read(&text[..cut]).is_err(), "{}", &text[..cut]);
            }
        }
    }

    #[test]
    fn mistakes_have_their_place() {
        let good = text(&snapshot()).unwrap();
        let other = good.replace("snapshot/1", "snapshot/2");
        let mistake = read(&other).unwrap_err();
        assert_eq!((mistake.line, mistake.column), (3, 9));
        assert!(mistake.sentence.contains("rolldeck-snapshot/2"));
        let lost = read(&good.replace("end: 2", "end: 3")).unwrap_err();
        assert!(lost.sentence.contains("says 3 manifests"), "{lost:?}");
        let line = good.lines().position(|line| line == "end: 2").unwrap() + 1;
        assert_eq!((lost.line, lost.column), (line, 6));
        let unknown = read(&good.replace("cluster: eu", "clutser: eu")).unwrap_err();
        assert!(unknown.sentence.contains("clutser"), "{unknown:?}");
        assert!(unknown.line > 3, "{unknown:?}");
        let kind = read(&good.replace("kind: ConfigMap", "kind: Secret")).unwrap_err();
        assert!(kind.sentence.contains("web is of a kind"), "{kind:?}");
        assert_eq!(read("hello").unwrap_err().line, 1);
    }
}
