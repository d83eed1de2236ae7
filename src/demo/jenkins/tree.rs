//! The `tree` parameter of Jenkins' API: which fields of a document are answered.

use serde_json::{Map, Value};

/// One field: its name, what of it, and which elements of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Field {
    name: String,
    inside: Option<Tree>,
    range: Option<(usize, usize)>,
}

/// `a,b[c,d],e[f]{0,20}`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tree(Vec<Field>);

impl Tree {
    /// `None` when it is not well formed, for which Jenkins has a 400.
    pub fn parse(text: &str) -> Option<Self> {
        let mut rest = text;
        let tree = fields(&mut rest)?;
        rest.is_empty().then_some(tree)
    }

    /// `_class` is always told.
    pub fn of(&self, value: &Value) -> Value {
        match value {
            Value::Array(list) => list.iter().map(|value| self.of(value)).collect(),
            Value::Object(object) => self.of_object(object),
            plain => plain.clone(),
        }
    }

    fn of_object(&self, object: &Map<String, Value>) -> Value {
        let mut kept = Map::new();
        for (name, value) in object {
            let field = self.0.iter().find(|f| f.name == *name || f.name == "*");
            let told = match field {
                Some(field) => field.of(value),
                None if name == "_class" => value.clone(),
                None => continue,
            };
            kept.insert(name.clone(), told);
        }
        kept.into()
    }
}

impl Field {
    fn of(&self, value: &Value) -> Value {
        let inside = self.inside.as_ref();
        let told = inside.map_or_else(|| brief(value), |tree| tree.of(value));
        match (self.range, told) {
            (Some((from, to)), Value::Array(list)) => {
                let to = to.min(list.len());
                list.get(from.min(to)..to).unwrap_or_default().into()
            }
            (_, told) => told,
        }
    }
}

/// A document without a tree: what is inside of it is only named.
pub fn whole(value: &Value) -> Value {
    let Value::Object(object) = value else {
        return value.clone();
    };
    let told = object
        .iter()
        .map(|(name, value)| (name.clone(), brief(value)));
    told.collect::<Map<_, _>>().into()
}

/// Jobs and builds inside of something else are only named; all else is whole.
fn brief(value: &Value) -> Value {
    const NAMES: [&str; 5] = ["_class", "name", "url", "color", "number"];
    match value {
        Value::Array(list) => list.iter().map(brief).collect(),
        Value::Object(object) if object.contains_key("url") && object.len() > NAMES.len() => {
            let named = object.iter().filter(|(name, _)| NAMES.contains(&&***name));
            let named = named.map(|(name, value)| (name.clone(), value.clone()));
            named.collect::<Map<_, _>>().into()
        }
        other => other.clone(),
    }
}

fn fields(rest: &mut &str) -> Option<Tree> {
    let mut found = Vec::new();
    loop {
        let end = rest.find([',', '[', ']', '{', '}']).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        if name.is_empty() {
            return None;
        }
        *rest = after;
        let inside = match rest.strip_prefix('[') {
            Some(after) => {
                *rest = after;
                let tree = fields(rest)?;
                *rest = rest.strip_prefix(']')?;
                Some(tree)
            }
            None => None,
        };
        let range = match rest.strip_prefix('{') {
            Some(after) => {
                let (text, after) = after.split_once('}')?;
                *rest = after;
                Some(range(text)?)
            }
            None => None,
        };
        found.push(Field {
            name: name.to_owned(),
            inside,
            range,
        });
        match rest.strip_prefix(',') {
            Some(after) => *rest = after,
            None => return Some(Tree(found)),
        }
    }
}

/// `{M,N}`, `{M,}`, `{,N}` and `{N}`, half open.
fn range(text: &str) -> Option<(usize, usize)> {
    let number = |text: &str, absent| match text {
        "" => Some(absent),
        text => text.parse().ok(),
    };
    let Some((from, to)) = text.split_once(',') else {
        let at: usize = text.parse().ok()?;
        return Some((at, at + 1));
    };
    Some((number(from, 0)?, number(to, usize::MAX)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn trees() {
        let document = json!({"_class": "J", "name": "a", "url": "u", "builds": [
            {"_class": "B", "number": 3, "url": "x", "result": "S"}, {"_class": "B", "number": 2}, {"_class": "B", "number": 1}]});
        for (tree, want) in [
            ("name", json!({"_class": "J", "name": "a"})),
            (
                "name,builds[number]{0,2}",
                json!({"_class": "J", "name": "a", "builds": [{"_class": "B", "number": 3}, {"_class": "B", "number": 2}]}),
            ),
            (
                "builds[number]{2}",
                json!({"_class": "J", "builds": [{"_class": "B", "number": 1}]}),
            ),
            ("builds[number]{5,9}", json!({"_class": "J", "builds": []})),
            ("nothing[here]", json!({"_class": "J"})),
        ] {
            assert_eq!(Tree::parse(tree).unwrap().of(&document), want, "{tree}");
        }
        for bad in ["", "a[", "a]", "a[b", "a{x}", "a,,b", "[a]"] {
            assert_eq!(Tree::parse(bad), None, "{bad}");
        }
    }
}
