//! What the terminal can be handed to at an object: the programs in force, with the object's names in their arguments.

use crate::config::handover::{On, Program, named};
use crate::domain::ClusterId;

/// What is handed over at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    pub on: On,
    pub cluster: ClusterId,
    /// `None` for what is in none.
    pub namespace: Option<Box<str>>,
    /// The word that kubectl knows its kind by.
    pub kind: Box<str>,
    pub name: Box<str>,
    /// Of a pod, as far as they are known, the one in trouble first.
    pub containers: Vec<Box<str>>,
}

/// One program, ready but for what the person is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    pub name: String,
    pub key: Option<char>,
    pub arguments: Vec<String>,
    /// What is asked for, without braces.
    pub asks: Option<String>,
    pub writes: bool,
    pub wait: bool,
    /// It cannot be called for this object: why.
    pub refused: Option<String>,
}

impl Subject {
    pub fn object(&self) -> String {
        format!("{}/{}", self.kind, self.name)
    }
}

/// Everything that can be called for the subject. What names a container is offered for each; the first has the key.
pub fn offers(programs: &[Program], kubeconfig: Option<&str>, subject: &Subject) -> Vec<Offer> {
    let fit = programs
        .iter()
        .filter(|program| program.on == On::Any || program.on == subject.on);
    let mut offers = Vec::new();
    for program in fit {
        let by_container = program
            .command
            .iter()
            .any(|word| word.contains("{container}"));
        let mut containers: Vec<Option<&str>> =
            subject.containers.iter().map(|c| Some(&**c)).collect();
        if containers.is_empty() || !by_container {
            containers.truncate(1);
            containers.resize(1, None);
        }
        let several = containers.len() > 1;
        for (at, container) in containers.into_iter().enumerate() {
            let mut offer = offer(program, kubeconfig, subject, container);
            if let (Some(container), true) = (container, several) {
                offer.name = format!("{} in {container}", program.name);
            }
            offer.key = offer.key.filter(|_| at == 0);
            offers.push(offer);
        }
    }
    offers
}

fn offer(
    program: &Program,
    kubeconfig: Option<&str>,
    subject: &Subject,
    container: Option<&str>,
) -> Offer {
    let context = Some(&*subject.cluster.0).filter(|name| !matches!(*name, "" | "in-cluster"));
    let value = |name: &str| match name {
        "context" => context,
        "kubeconfig" => kubeconfig,
        "namespace" => subject.namespace.as_deref(),
        "kind" => Some(&*subject.kind),
        "name" => Some(&*subject.name),
        "pod" => Some(&*subject.name).filter(|_| subject.on == On::Pod),
        "container" => container,
        _ => None,
    };
    let flags = [
        ("--kubeconfig", kubeconfig),
        ("--context", context),
        ("-n", subject.namespace.as_deref()),
    ];
    let (mut arguments, mut asks, mut refused) = (Vec::new(), None, None);
    for word in &program.command {
        if word == "{flags}" {
            let flags = flags
                .iter()
                .filter_map(|(flag, value)| Some([*flag, (*value)?]));
            arguments.extend(flags.flatten().map(str::to_owned));
            continue;
        }
        let mut argument = word.clone();
        let mut known = true;
        for name in named(word) {
            match name.strip_prefix('?') {
                Some(asked) => asks = asks.or_else(|| Some(asked.to_owned())),
                None => match value(name) {
                    Some(value) => argument = argument.replace(&format!("{{{name}}}"), value),
                    // Nothing stands for it here: the argument is left out.
                    None => known = false,
                },
            }
        }
        if argument.starts_with('-') && !word.starts_with('-') {
            refused = Some(format!(
                "{argument} would be an option of {}",
                program.command[0]
            ));
        }
        if known {
            arguments.push(argument);
        }
    }
    Offer {
        name: program.name.clone(),
        key: program.key,
        arguments,
        asks,
        writes: program.writes,
        wait: program.wait,
        refused,
    }
}

impl Offer {
    /// The program and what it is told to do: `kubectl exec`.
    pub fn title(&self) -> String {
        let mut words = self.arguments.iter();
        let program = words.next().map_or("", String::as_str);
        let program = program.rsplit('/').next().unwrap_or(program);
        let mut flagged = false;
        let told = words.find(|word| {
            let value =
                std::mem::replace(&mut flagged, word.starts_with('-') && !word.contains('='));
            !value && !word.starts_with('-')
        });
        match (program, told) {
            ("kubectl", Some(told)) => format!("kubectl {told}"),
            _ => program.to_owned(),
        }
    }

    /// As it is shown before the person said anything: `PORTS` for what is asked for.
    pub fn shown(&self) -> Vec<String> {
        let asked = self.asks.as_deref().unwrap_or_default();
        let place = asked.to_uppercase();
        let shown = |word: &String| word.replace(&format!("{{?{asked}}}"), &place);
        self.arguments.iter().map(shown).collect()
    }

    /// With what the person said. A word that stands alone becomes as many arguments as were said.
    pub fn answered(&self, answer: &str) -> Vec<String> {
        let Some(asked) = self.asks.as_ref().map(|asked| format!("{{?{asked}}}")) else {
            return self.arguments.clone();
        };
        let mut arguments = Vec::new();
        for argument in &self.arguments {
            if *argument == asked {
                arguments.extend(answer.split_whitespace().map(str::to_owned));
            } else {
                arguments.push(argument.replace(&asked, answer.trim()));
            }
        }
        arguments
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::handover::merged;
    use std::path::Path;

    fn subject(on: On, name: &str, containers: &[&str]) -> Subject {
        Subject {
            on,
            cluster: "prod eu".into(),
            namespace: Some("shop".into()),
            kind: if on == On::Pod { "pod" } else { "deploy" }.into(),
            name: name.into(),
            containers: containers.iter().map(|name| (*name).into()).collect(),
        }
    }

    fn lines(subject: &Subject) -> Vec<String> {
        let programs = merged(&[], Path::new("")).unwrap();
        let offers = offers(&programs, Some("/k"), subject);
        let line = |offer: &Offer| {
            let key = offer.key.map_or("-".to_owned(), |key| key.to_string());
            format!("{key} {}: {}", offer.name, offer.arguments.join(" "))
        };
        offers.iter().map(line).collect()
    }

    #[test]
    fn each_container_of_a_pod_has_its_shell_and_the_first_has_the_key() {
        let lines = lines(&subject(On::Pod, "web-1", &["web", "proxy"]));
        let flags = "kubectl --kubeconfig /k --context prod eu -n shop";
        assert_eq!(
            lines[1],
            format!(
                "- shell in proxy: {flags} exec -it pod/web-1 --container=proxy -- sh -c command -v bash >/dev/null && exec bash || exec sh"
            )
        );
        assert!(lines[0].starts_with("s shell in web: "));
        assert!(lines.contains(&format!(
            "p port-forward: {flags} port-forward -- pod/web-1 {{?ports}}"
        )));
        assert!(lines.contains(&format!("e edit: {flags} edit -- pod/web-1")));
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        let unknown = lines(&subject(On::Pod, "web-1", &[]));
        assert!(
            unknown[0].contains("exec -it pod/web-1 -- sh"),
            "{}",
            unknown[0]
        );
        let mut node = subject(On::Any, "node-1", &[]);
        (node.namespace, node.cluster, node.kind) = (None, "in-cluster".into(), "nodes".into());
        assert_eq!(
            lines(&node)[0],
            "e edit: kubectl --kubeconfig /k edit -- nodes/node-1"
        );
    }

    #[test]
    fn a_name_of_the_cluster_never_becomes_an_option() {
        let own = "[{name: x, command: [tool, '{name}', 'a={name}']}]";
        let own: Vec<Program> = serde_yaml::from_str(own).unwrap();
        let refused = |name: &str| {
            let offers = offers(&own, None, &subject(On::Service, name, &[]));
            offers[0].refused.clone()
        };
        assert_eq!(refused("web"), None);
        assert_eq!(
            refused("--web").as_deref(),
            Some("--web would be an option of tool")
        );
    }

    #[test]
    fn an_answer_becomes_its_words() {
        let offer = |command: &str| {
            let own: Vec<Program> =
                serde_yaml::from_str(&format!("[{{name: x, command: {command}}}]")).unwrap();
            offers(&own, None, &subject(On::Service, "web", &[])).remove(0)
        };
        let one = offer("[kubectl, exec, '{name}', --, '{?command}']");
        assert_eq!(one.asks.as_deref(), Some("command"));
        assert_eq!(
            one.answered(" ls  -l /tmp "),
            ["kubectl", "exec", "web", "--", "ls", "-l", "/tmp"]
        );
        let part = offer("[stern, '--since={?since}', '{name}']");
        assert_eq!(part.answered("1h; rm"), ["stern", "--since=1h; rm", "web"]);
    }

    #[test]
    fn titles() {
        for (command, want) in [
            ("[kubectl, '{flags}', exec, -it, '{name}']", "kubectl exec"),
            ("[kubectl, --context=a, edit, b]", "kubectl edit"),
            ("[/usr/bin/k9s, '{flags}', --command, deploy]", "k9s"),
            ("[kubectl]", "kubectl"),
        ] {
            let own: Vec<Program> =
                serde_yaml::from_str(&format!("[{{name: x, command: {command}}}]")).unwrap();
            let offers = offers(&own, Some("/k"), &subject(On::Service, "web", &[]));
            assert_eq!(offers[0].title(), want);
        }
    }
}
