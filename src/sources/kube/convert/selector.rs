//! A label selector in the form that list requests take.

use serde::de::Error as _;
use serde_json::Error;

use crate::sources::kube::wire::Selector;

/// `app=web,tier in (a,b),!legacy`.
///
/// # Errors
/// For an operator this version does not know: leaving it out would select too much.
pub fn selector(wire: &Selector<'_>) -> Result<Box<str>, Error> {
    let labels = wire.match_labels.iter();
    let mut parts: Vec<String> = labels
        .map(|(key, value)| format!("{}={}", &**key, &**value))
        .collect();
    for expression in &wire.match_expressions {
        let key = &*expression.key;
        let values: Vec<&str> = expression.values.iter().map(|value| &**value).collect();
        let values = values.join(",");
        parts.push(match &*expression.operator {
            "In" => format!("{key} in ({values})"),
            "NotIn" => format!("{key} notin ({values})"),
            "Exists" => key.to_owned(),
            "DoesNotExist" => format!("!{key}"),
            other => {
                return Err(Error::custom(format!(
                    "spec.selector has the unknown operator {other:?}"
                )));
            }
        });
    }
    Ok(parts.join(",").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table() {
        for (wire, want) in [
            ("{}", Some("")),
            (r#"{"matchLabels":null}"#, Some("")),
            (r#"{"matchLabels":{"b":"2","a":"1"}}"#, Some("a=1,b=2")),
            (
                r#"{"matchLabels":{"app":"x"},"matchExpressions":[
                {"key":"t","operator":"In","values":["a","b"]},{"key":"u","operator":"NotIn","values":["c"]},
                {"key":"v","operator":"Exists"},{"key":"w","operator":"DoesNotExist","values":null}]}"#,
                Some("app=x,t in (a,b),u notin (c),v,!w"),
            ),
            (
                r#"{"matchExpressions":[{"key":"t","operator":"Near"}]}"#,
                None,
            ),
        ] {
            let parsed: Selector<'_> = serde_json::from_str(wire).unwrap();
            assert_eq!(selector(&parsed).ok().as_deref(), want, "{wire}");
        }
    }
}
