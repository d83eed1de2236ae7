//! What the embedded registry promises to do as a real one does: asked by rolldeck, in both binaries.

use rolldeck::config;
use rolldeck::domain::Presence;
use rolldeck::engine::clock;
use rolldeck::sources::registry::Registries;

use crate::support::api::RUNTIME;

/// `repository` has the tags 1.0.0 and 1.1.0, with the labels of the commits c0ffee and decade.
pub fn keeps_its_promises(repository: &str) {
    let registries = Registries::new(&config::Registries::default(), clock::now);
    let image = |tag: &str| format!("{repository}:{tag}");
    RUNTIME.block_on(async {
        let tags = registries.tags(repository, &[]).await.unwrap();
        let mut names: Vec<_> = tags.names.iter().map(|name| &**name).collect();
        names.sort_unstable();
        assert_eq!((names, tags.whole), (vec!["1.0.0", "1.1.0"], true));
        for (tag, commit) in [("1.0.0", "c0ffee"), ("1.1.0", "decade")] {
            let digest = registries.digest(&image(tag), &[]).await.unwrap();
            let manifest = registries.manifest(&image(tag), &[]).await.unwrap();
            assert_eq!(manifest.digest, digest);
            assert_eq!(manifest.commit(), Some(commit));
            assert!(manifest.created.is_some());
            assert_eq!(&*manifest.platforms[0].name, "linux/amd64");
            let pinned = format!("{repository}@{digest}");
            for name in [&image(tag), &pinned] {
                let found = registries.presence(name, &[]).await;
                let same =
                    matches!(&found, Presence::Present { digest: found, .. } if *found == digest);
                assert!(same, "{name}: {found:?}");
            }
        }
        let gone = registries.presence(&image("9.9.9"), &[]).await;
        assert_eq!(gone, Presence::Missing);
        let no_digest = format!("{repository}@sha256:{}", "0".repeat(64));
        let gone = registries.presence(&no_digest, &[]).await;
        assert_eq!(gone, Presence::Missing);
        let (host, path) = repository.split_once('/').unwrap();
        let stranger = registries
            .presence(&format!("{host}/no/{path}:1"), &[])
            .await;
        let words = format!("{host} does not show no/{path}:1, nor another tag of it");
        assert_eq!(stranger, Presence::Unverified(words));
    });
}
