//! Which namespace of the file goes into which of the cluster.

use crate::config::Config;
use crate::domain::snapshot::{Place, Snapshot};
use crate::domain::{Environment, Failure, FailureKind};
use crate::engine::doctor;
use crate::sources::kube::Cluster;

use crate::cli::args::Restore;

pub struct Target<'a> {
    pub place: &'a Place,
    pub namespace: String,
}

impl Target<'_> {
    /// The one of the settings that it lies in.
    pub fn environment<'a>(
        &self,
        config: &'a Config,
        cluster: &Cluster,
    ) -> Option<&'a Environment> {
        let mut all = config.environments.iter();
        all.find(|environment| environment.covers(cluster.id(), &self.namespace))
    }
}

/// # Errors
/// The scope is not one cluster, a service is not in the file, or it is open what goes where.
pub fn targets<'a>(
    config: &Config,
    clusters: &[Cluster],
    snapshot: &'a Snapshot,
    args: &Restore,
) -> Result<Vec<Target<'a>>, Failure> {
    let [cluster] = clusters else {
        let failure = usage("a restore goes into one cluster".into());
        return Err(failure.hint("--env NAME or --context NAME picks it"));
    };
    let places = chosen(snapshot, args)?;
    pair(&places, &doctor::namespaces(config, cluster))
}

/// The places that are asked for, with every service that is.
fn chosen<'a>(snapshot: &'a Snapshot, args: &Restore) -> Result<Vec<&'a Place>, Failure> {
    let from = args.from.as_deref();
    let is_from = |place: &Place| {
        let whole = format!("{}/{}", place.cluster, place.namespace);
        from.is_none_or(|from| from == &*place.namespace || from == whole)
    };
    let names = |place: &Place, word: &String| {
        let mut all = place.workloads.iter();
        all.any(|w| *word == *w.name || *word == w.to_string())
    };
    let mut places: Vec<_> = snapshot
        .places
        .iter()
        .filter(|place| is_from(place))
        .collect();
    let missing = |word: &&String| !places.iter().any(|place| names(place, word));
    if let Some(word) = args.services.iter().find(missing) {
        return Err(usage(format!(
            "{} holds no service named {word}",
            args.file.display()
        )));
    }
    if !args.services.is_empty() {
        places.retain(|place| args.services.iter().any(|word| names(place, word)));
    }
    if places.is_empty() {
        let words = from.unwrap_or("any namespace");
        return Err(usage(format!(
            "{} holds nothing of {words}",
            args.file.display()
        )));
    }
    Ok(places)
}

/// One goes into the one; several go where they have the same name.
fn pair<'a>(places: &[&'a Place], scope: &[Option<String>]) -> Result<Vec<Target<'a>>, Failure> {
    let target = |place: &&'a Place, namespace: &str| Target {
        place,
        namespace: namespace.to_owned(),
    };
    if let ([place], [Some(name)]) = (places, scope) {
        return Ok(vec![target(place, name)]);
    }
    let in_scope = |place: &Place| {
        let fits = |name: &Option<String>| name.as_deref().is_none_or(|n| *n == *place.namespace);
        scope.iter().any(fits)
    };
    let hint = "--from NAMESPACE takes one of the file, -n NAMESPACE says where it goes";
    if let Some(place) = places.iter().find(|place| !in_scope(place)) {
        let sentence = format!(
            "where {} of {} goes is open",
            place.namespace, place.cluster
        );
        return Err(usage(sentence).hint(hint));
    }
    let twice = |(at, place): (usize, &&Place)| {
        let mut before = places[..at].iter();
        before
            .any(|other| other.namespace == place.namespace)
            .then(|| place.namespace.clone())
    };
    if let Some(name) = places.iter().enumerate().find_map(twice) {
        let sentence = format!("the file holds {name} of two clusters");
        return Err(usage(sentence).hint("--from CLUSTER/NAMESPACE takes one"));
    }
    Ok(places
        .iter()
        .map(|place| target(place, &place.namespace))
        .collect())
}

fn usage(sentence: String) -> Failure {
    Failure::new(FailureKind::Usage, sentence)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(cluster: &str, namespace: &str) -> Place {
        Place {
            cluster: cluster.into(),
            environment: None,
            namespace: namespace.into(),
            outside: Vec::new(),
            unfinished: Vec::new(),
            workloads: Vec::new(),
            beside: Vec::new(),
        }
    }

    #[test]
    fn one_goes_into_the_one_and_several_go_by_name() {
        let (shop, pay, twin) = (place("eu", "shop"), place("eu", "pay"), place("us", "shop"));
        let names = |places: &[&Place], scope: &[Option<&str>]| {
            let scope: Vec<_> = scope.iter().map(|name| name.map(str::to_owned)).collect();
            let paired = pair(places, &scope).map_err(|why| why.sentence)?;
            Ok::<_, String>(paired.into_iter().map(|t| t.namespace).collect::<Vec<_>>())
        };
        assert_eq!(names(&[&shop], &[Some("dr")]).unwrap(), ["dr"]);
        assert_eq!(names(&[&shop, &pay], &[None]).unwrap(), ["shop", "pay"]);
        assert_eq!(
            names(&[&shop, &pay], &[Some("dr")]).unwrap_err(),
            "where shop of eu goes is open"
        );
        assert_eq!(
            names(&[&shop, &twin], &[None]).unwrap_err(),
            "the file holds shop of two clusters"
        );
    }
}
