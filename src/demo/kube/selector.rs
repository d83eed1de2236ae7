//! Label and field selectors: their grammar, and whether an object is chosen.

use serde_json::Value;

use super::kind::{EVENTS, Kind, NAMESPACES, NODES, PODS, REPLICA_SETS, SECRETS};
use super::object::{Object, items_at, text_at};
use super::query::Query;
use super::refusal::Refusal;

/// Which objects of a kind; all by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selector {
    labels: Vec<Label>,
    fields: Vec<Field>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Label {
    key: String,
    test: Test,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Test {
    In(Vec<String>),
    NotIn(Vec<String>),
    Exists,
    Absent,
    Above(i64),
    Below(i64),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Field {
    path: Place,
    value: String,
    equal: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Name,
    Namespace,
    /// JSON pointers: the first that holds something.
    At(Vec<String>),
}

impl Selector {
    pub fn of(kind: &'static Kind, query: &Query) -> Result<Self, Refusal> {
        let fields = query.get("fieldSelector").split(',');
        Ok(Self {
            labels: Parser::new(query.get("labelSelector")).labels()?,
            fields: fields
                .filter(|part| !part.is_empty())
                .map(|part| field(kind, part))
                .collect::<Result<_, _>>()?,
        })
    }

    pub fn is_everything(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }

    pub fn chooses(&self, object: &Object) -> bool {
        self.labels.iter().all(|label| {
            let value = object.labels.get(&*label.key);
            label.test.holds(value.map(|value| &**value))
        }) && self.has_fields(object)
    }

    fn has_fields(&self, object: &Object) -> bool {
        let mut parsed: Option<Value> = None;
        self.fields.iter().all(|field| {
            let holds = match &field.path {
                Place::Name => *object.key.name == *field.value,
                Place::Namespace => *object.key.namespace == *field.value,
                Place::At(pointers) => {
                    let value = parsed.get_or_insert_with(|| object.value());
                    text_of(value, pointers) == field.value
                }
            };
            holds == field.equal
        })
    }
}

impl Test {
    fn holds(&self, value: Option<&str>) -> bool {
        let number = || value.and_then(|value| value.parse::<i64>().ok());
        let among = |values: &[String]| value.is_some_and(|v| values.iter().any(|one| one == v));
        match self {
            Self::In(values) => among(values),
            Self::NotIn(values) => !among(values),
            Self::Exists => value.is_some(),
            Self::Absent => value.is_none(),
            Self::Above(bound) => number().is_some_and(|n| n > *bound),
            Self::Below(bound) => number().is_some_and(|n| n < *bound),
        }
    }
}

fn text_of(value: &Value, pointers: &[String]) -> String {
    let found = pointers.iter().find_map(|pointer| value.pointer(pointer));
    match found {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    }
}

/// What can be selected by, beside name and namespace.
fn known(kind: &'static Kind) -> &'static [&'static str] {
    if kind == &PODS {
        &[
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.podIPs",
            "status.nominatedNodeName",
        ]
    } else if kind == &EVENTS {
        &[
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "source",
            "type",
        ]
    } else if kind == &NAMESPACES {
        &["status.phase"]
    } else if kind == &NODES {
        &["spec.unschedulable"]
    } else if kind == &SECRETS {
        &["type"]
    } else if kind == &REPLICA_SETS {
        &["status.replicas"]
    } else {
        &[]
    }
}

fn field(kind: &'static Kind, part: &str) -> Result<Field, Refusal> {
    let operators = [("!=", false), ("==", true), ("=", true)];
    let cut = operators.iter().find_map(|(sign, equal)| {
        part.split_once(sign)
            .map(|(key, value)| (key, value, *equal))
    });
    let Some((key, value, equal)) = cut else {
        let why = format!("invalid selector: '{part}'; can't understand '{part}'");
        return Err(Refusal::BadRequest(why));
    };
    let pointer = |path: &str| format!("/{}", path.replace('.', "/"));
    let path = match key {
        "metadata.name" => Place::Name,
        "metadata.namespace" => Place::Namespace,
        "source" if kind == &EVENTS => Place::At(vec![
            pointer("source.component"),
            pointer("reportingComponent"),
        ]),
        _ if known(kind).contains(&key) => Place::At(vec![pointer(key)]),
        _ if known(kind).is_empty() => {
            let names = r#"only "metadata.name", "metadata.namespace""#;
            let why = format!("{key:?} is not a known field selector: {names}");
            return Err(Refusal::BadRequest(why));
        }
        _ => {
            let why = format!("field label not supported: {key}");
            return Err(Refusal::BadRequest(why));
        }
    };
    Ok(Field {
        path,
        value: value.to_owned(),
        equal,
    })
}

/// The `selector` of a workload as one line: `app=web,tier in (a,b)`.
pub fn text(selector: &Value) -> String {
    let mut parts: Vec<_> = selector["matchLabels"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
        .collect();
    for one in items_at(selector, "/matchExpressions") {
        let key = text_at(one, "/key");
        let values = items_at(one, "/values").iter().filter_map(Value::as_str);
        let values = values.collect::<Vec<_>>().join(",");
        parts.push(match text_at(one, "/operator") {
            "In" => format!("{key} in ({values})"),
            "NotIn" => format!("{key} notin ({values})"),
            "DoesNotExist" => format!("!{key}"),
            _ => key.to_owned(),
        });
    }
    parts.join(",")
}

/// Whether a workload's `selector` chooses these labels.
pub fn matches(selector: &Value, labels: &Value) -> bool {
    let tests = Parser::new(&text(selector)).labels();
    tests.is_ok_and(|tests| {
        tests.iter().all(|label| {
            let value = labels.get(&label.key);
            label.test.holds(value.and_then(Value::as_str))
        })
    })
}

/// The grammar of label selectors, with the server's words for what is wrong.
struct Parser {
    tokens: Vec<String>,
    at: usize,
}

const SIGNS: [&str; 10] = ["==", "!=", "=", "!", ",", "(", ")", ">", "<", ""];

impl Parser {
    fn new(text: &str) -> Self {
        let mut tokens = Vec::new();
        let mut rest = text.trim_start();
        while !rest.is_empty() {
            let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign));
            let end = match sign {
                Some(&"") | None => rest
                    .find(|c: char| c.is_whitespace() || "=!,()<>".contains(c))
                    .unwrap_or(rest.len()),
                Some(sign) => sign.len(),
            };
            let (token, tail) = rest.split_at(end);
            tokens.push(token.to_owned());
            rest = tail.trim_start();
        }
        Self { tokens, at: 0 }
    }

    fn next(&mut self) -> String {
        self.at += 1;
        self.tokens.get(self.at - 1).cloned().unwrap_or_default()
    }

    fn peek(&self) -> &str {
        self.tokens.get(self.at).map_or("", String::as_str)
    }

    fn labels(mut self) -> Result<Vec<Label>, Refusal> {
        let mut labels = Vec::new();
        while !self.peek().is_empty() {
            labels.push(self.label()?);
            match &*self.next() {
                "" => break,
                "," if is_word(self.peek()) || self.peek() == "!" => {}
                "," => return Err(found(self.peek(), "identifier after ','")),
                other => return Err(found(other, "',' or 'end of string'")),
            }
        }
        Ok(labels)
    }

    fn label(&mut self) -> Result<Label, Refusal> {
        if self.peek() == "!" {
            self.next();
            let key = self.word()?;
            let test = Test::Absent;
            return Ok(Label { key, test });
        }
        let key = self.word()?;
        let test = match self.peek() {
            "" | "," => Test::Exists,
            "=" | "==" => Test::In(vec![self.value()?]),
            "!=" => Test::NotIn(vec![self.value()?]),
            ">" => Test::Above(self.bound()?),
            "<" => Test::Below(self.bound()?),
            "in" => Test::In(self.values()?),
            "notin" => Test::NotIn(self.values()?),
            other => return Err(wrong(other, "in, notin, =, ==, !=, gt, lt")),
        };
        Ok(Label { key, test })
    }

    fn word(&mut self) -> Result<String, Refusal> {
        let word = self.next();
        if is_word(&word) {
            Ok(word)
        } else {
            Err(found(&word, "!, identifier, or 'end of string'"))
        }
    }

    /// After its sign; may be empty.
    fn value(&mut self) -> Result<String, Refusal> {
        self.next();
        match self.peek() {
            "" | "," => Ok(String::new()),
            word if is_word(word) => Ok(self.next()),
            other => Err(wrong(other, "identifier")),
        }
    }

    fn bound(&mut self) -> Result<i64, Refusal> {
        let text = self.value()?;
        text.parse().map_err(|_| {
            Refusal::BadRequest(format!(
                "unable to parse requirement: values[0]: Invalid value: {text:?}: for 'Gt', 'Lt' operators, the value must be an integer"
            ))
        })
    }

    fn values(&mut self) -> Result<Vec<String>, Refusal> {
        self.next();
        let open = self.next();
        if open != "(" {
            let why = format!("unable to parse requirement: found '{open}' expected: '('");
            return Err(Refusal::BadRequest(why));
        }
        let mut values = Vec::new();
        loop {
            match &*self.next() {
                ")" => return Ok(values),
                "," => {}
                word if is_word(word) => values.push(word.to_owned()),
                other => return Err(wrong(other, "',' or ')'")),
            }
        }
    }
}

fn is_word(token: &str) -> bool {
    !token.is_empty() && !SIGNS.contains(&token)
}

/// Between two requirements.
fn found(token: &str, expected: &str) -> Refusal {
    Refusal::BadRequest(format!("found '{token}', expected: {expected}"))
}

/// Within one.
fn wrong(token: &str, expected: &str) -> Refusal {
    Refusal::BadRequest(format!(
        "unable to parse requirement: found '{token}', expected: {expected}"
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::kind::DEPLOYMENTS;
    use super::*;

    fn selector(kind: &'static Kind, query: &str) -> Result<Selector, Refusal> {
        Selector::of(kind, &Query::parse(query))
    }

    #[test]
    fn labels_choose() {
        let web = json!({"metadata": {"name": "web", "labels": {"app": "web", "tier": "1"}}});
        let web = Object::new(&DEPLOYMENTS, web, 1);
        for (text, want) in [
            ("", true),
            ("app=web", true),
            ("app==web, tier", true),
            ("app!=web", false),
            ("app in (api, web),tier notin (2)", true),
            ("app notin (web)", false),
            ("none!=x", true),
            ("!app", false),
            ("!none,tier>0", true),
            ("tier<1", false),
            ("app=", false),
        ] {
            let chosen = selector(&DEPLOYMENTS, &format!("labelSelector={text}")).unwrap();
            assert_eq!(chosen.chooses(&web), want, "{text}");
        }
    }

    #[test]
    fn fields_choose() {
        let event = json!({"metadata": {"name": "e", "namespace": "shop"}, "type": "Warning",
            "involvedObject": {"kind": "Pod"}, "reportingComponent": "kubelet"});
        let event = Object::new(&EVENTS, event, 1);
        for (text, want) in [
            ("type=Warning", true),
            ("type!=Warning", false),
            ("involvedObject.kind=Pod,metadata.namespace=shop", true),
            ("metadata.name=other", false),
            ("source=kubelet", true),
            ("involvedObject.uid=", true),
        ] {
            let chosen = selector(&EVENTS, &format!("fieldSelector={text}")).unwrap();
            assert_eq!(chosen.chooses(&event), want, "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_as_the_server_says_it() {
        let why = |kind, query: &str| match selector(kind, query) {
            Err(Refusal::BadRequest(why)) => why,
            other => panic!("{other:?}"),
        };
        assert_eq!(
            why(&PODS, "labelSelector=a in "),
            "unable to parse requirement: found '' expected: '('"
        );
        assert_eq!(
            why(&PODS, "labelSelector=a%3D%3D%3D"),
            "unable to parse requirement: found '=', expected: identifier"
        );
        assert_eq!(
            why(&PODS, "fieldSelector=a"),
            "invalid selector: 'a'; can't understand 'a'"
        );
        assert_eq!(
            why(&PODS, "fieldSelector=foo=x"),
            "field label not supported: foo"
        );
        assert_eq!(
            why(&DEPLOYMENTS, "fieldSelector=status.phase=x"),
            r#""status.phase" is not a known field selector: only "metadata.name", "metadata.namespace""#
        );
    }
}
