//! YAML that every reader reads as the same: strings are quoted, so that none of them takes `y`, `0123` or `1e3` for
//! something else.

use std::fmt::Write as _;

use serde_json::Value;

/// A document, ending in a line end.
pub fn of(value: &Value) -> String {
    let mut text = String::new();
    lines(value, 0, &mut text);
    text
}

/// At the beginning of a line that is already indented; ends the last line.
fn lines(value: &Value, indent: usize, text: &mut String) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (n, (key, value)) in map.iter().enumerate() {
                if n > 0 {
                    text.push_str(&" ".repeat(indent));
                }
                text.push_str(&name(key));
                text.push(':');
                below(value, indent + 2, text);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (n, item) in items.iter().enumerate() {
                if n > 0 {
                    text.push_str(&" ".repeat(indent));
                }
                text.push_str("- ");
                lines(item, indent + 2, text);
            }
        }
        // JSON is YAML.
        scalar => {
            text.push_str(&quoted(scalar));
            text.push('\n');
        }
    }
}

/// After a key: on the same line what has no lines of its own.
fn below(value: &Value, indent: usize, text: &mut String) {
    let nested = match value {
        Value::Object(map) => !map.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    };
    if nested {
        text.push('\n');
        text.push_str(&" ".repeat(indent));
    } else {
        text.push(' ');
    }
    lines(value, indent, text);
}

/// Bare where it cannot be read as anything else.
fn name(key: &str) -> String {
    let plain = key.len() > 1 && key.bytes().all(|b| b.is_ascii_alphabetic());
    let word = ["true", "false", "yes", "no", "on", "off", "null"];
    if plain && !word.contains(&key.to_ascii_lowercase().as_str()) {
        key.to_owned()
    } else {
        quoted(&Value::from(key))
    }
}

/// As JSON, which is YAML but for a few characters that it wants escaped.
fn quoted(scalar: &Value) -> String {
    let mut text = String::new();
    for c in scalar.to_string().chars() {
        match c {
            '\u{7f}'..='\u{9f}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{feff}'
            | '\u{fffe}'
            | '\u{ffff}' => {
                let _ = write!(text, "\\u{:04x}", u32::from(c));
            }
            plain => text.push(plain),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn what_older_readers_take_for_something_else_is_quoted() {
        let value = json!({"env": [{"name": "GOES", "value": "y"}, {"on": null, "$patch": "delete"}], "args": [], "n": [[1, "0x1"]]});
        assert_eq!(
            of(&value),
            "args: []\nenv:\n  - name: \"GOES\"\n    value: \"y\"\n  - \"$patch\": \"delete\"\n    \"on\": null\n\"n\":\n  - - 1\n    - \"0x1\"\n"
        );
    }

    fn anything() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map(".{0,6}", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn it_reads_back_as_it_was(value in anything()) {
            let back: Value = serde_yaml::from_str(&of(&value)).unwrap();
            prop_assert_eq!(back, value);
        }
    }
}
