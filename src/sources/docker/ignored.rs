//! Which files of a build stay here: `.dockerignore`, by the rules of docker.

/// In their order: the last that fits decides.
pub struct Ignored(Vec<Pattern>);

struct Pattern {
    segments: Vec<String>,
    /// `!`: it takes back what was left out.
    back: bool,
}

impl Ignored {
    pub fn read(text: &str) -> Self {
        let lines = text.lines().map(str::trim);
        let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        let pattern = |line: &str| {
            let (back, line) = match line.strip_prefix('!') {
                Some(rest) => (true, rest.trim()),
                None => (false, line),
            };
            let segments = line.split('/').filter(|s| !s.is_empty() && *s != ".");
            let segments: Vec<_> = segments.map(String::from).collect();
            (!segments.is_empty()).then_some(Pattern { segments, back })
        };
        Self(lines.filter_map(pattern).collect())
    }

    /// `path` with slashes, from the folder of the build.
    pub fn holds(&self, path: &str) -> bool {
        let path: Vec<_> = path.split('/').collect();
        let fits = |pattern: &&Pattern| {
            let mut upwards = (1..=path.len()).rev();
            upwards.any(|end| matches(&pattern.segments, &path[..end]))
        };
        self.0
            .iter()
            .rev()
            .find(fits)
            .is_some_and(|pattern| !pattern.back)
    }

    /// Nothing below a folder that is left out comes back.
    pub fn is_final(&self) -> bool {
        self.0.iter().all(|pattern| !pattern.back)
    }
}

fn matches(pattern: &[String], path: &[&str]) -> bool {
    match (pattern.split_first(), path.split_first()) {
        (None, None) => true,
        (Some((first, rest)), _) if first == "**" => {
            (0..=path.len()).any(|skipped| matches(rest, &path[skipped..]))
        }
        (Some((first, rest)), Some((name, below))) => {
            let (first, name): (Vec<_>, Vec<_>) = (first.chars().collect(), name.chars().collect());
            fits(&first, &name) && matches(rest, below)
        }
        (None, Some(_)) | (Some(_), None) => false,
    }
}

/// `*` is any text, `?` any character.
fn fits(pattern: &[char], name: &[char]) -> bool {
    match (pattern.split_first(), name.split_first()) {
        (None, None) => true,
        (Some(('*', rest)), _) => (0..=name.len()).any(|skipped| fits(rest, &name[skipped..])),
        (Some(('?', rest)), Some((_, below))) => fits(rest, below),
        (Some((wanted, rest)), Some((c, below))) => wanted == c && fits(rest, below),
        (None, Some(_)) | (Some(_), None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_that_fits_decides() {
        let ignored =
            Ignored::read("# a\n\n*.log\n/target/\n**/tmp\nsecrets\n!secrets/public\ndocs/?.md\n");
        for (path, held) in [
            ("a.log", true),
            ("sub/a.log", false),
            ("target", true),
            ("target/debug/x", true),
            ("src/target", false),
            ("tmp", true),
            ("a/b/tmp/c", true),
            ("secrets/key", true),
            ("secrets/public/key", false),
            ("docs/a.md", true),
            ("docs/ab.md", false),
            ("src/main.rs", false),
        ] {
            assert_eq!(ignored.holds(path), held, "{path}");
        }
        assert!(!ignored.is_final() && Ignored::read("*").is_final());
    }
}
