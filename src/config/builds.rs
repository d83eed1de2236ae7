//! What is built from folders of this machine, without a server that builds.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::repositories::{SERVICE, is_about};
use crate::domain::{Arguments, ImageRef, Recipe};

/// Where the Docker engine is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DockerEngine {
    /// `DOCKER_HOST`: `unix://…` or `tcp://…`. Absent: the socket of this machine.
    pub host: Option<String>,
    /// `DOCKER_CERT_PATH`, when `DOCKER_TLS_VERIFY` is set: the folder of `ca.pem`, `cert.pem` and `key.pem`.
    pub certificates: Option<PathBuf>,
}

/// One folder, or one for each service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FolderRule {
    /// By name, in which `*` stands for any letters. Default: all.
    #[serde(default)]
    pub services: Vec<String>,
    /// What goes to the engine; `{service}` may stand in it.
    pub folder: String,
    /// Within the folder.
    #[serde(default)]
    pub dockerfile: Option<String>,
    /// The repository that it is pushed to; `{service}` may stand in it.
    #[serde(default)]
    pub image: Option<String>,
    #[serde(default)]
    pub arguments: Arguments,
    /// Of the steps: `none`, `host`.
    #[serde(default)]
    pub network: Option<String>,
}

/// How a service is built, by the first rule that is about it.
pub fn recipe(rules: &[FolderRule], service: &str) -> Option<Recipe> {
    let mut rules = rules.iter();
    let rule = rules.find(|rule| is_about(&rule.services, service))?;
    let filled = |text: &str| text.replace(SERVICE, service);
    Some(Recipe {
        folder: filled(&rule.folder).into(),
        dockerfile: filled(rule.dockerfile.as_deref().unwrap_or("Dockerfile")),
        image: rule.image.as_deref().map(filled),
        arguments: rule.arguments.clone(),
        network: rule.network.clone(),
    })
}

impl FolderRule {
    /// What is wrong with it, with the fix.
    ///
    /// # Errors
    /// One sentence.
    pub fn check(&self) -> Result<(), String> {
        if !Path::new(&self.folder).is_absolute() {
            return Err("folder: has to begin with /, as in /src/shop/{service}".into());
        }
        let file = self.dockerfile.as_deref().unwrap_or("Dockerfile");
        let odd = |piece: &str| ["", ".", ".."].contains(&piece);
        if file.split('/').any(odd) {
            return Err("dockerfile: has to lie within the folder, as in build/Dockerfile".into());
        }
        let image = self.image.as_deref().map(ImageRef::parse);
        if image.is_some_and(|image| image.tag.is_some() || image.digest.is_some()) {
            return Err("image: is the repository alone: the tag is the commit's".into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> FolderRule {
        serde_yaml::from_str(text).unwrap()
    }

    #[test]
    fn the_first_rule_that_is_about_a_service_counts() {
        let rules = [
            rule(
                "{services: ['cart-*'], folder: '/src/{service}', dockerfile: build/Dockerfile, image: 'r.example/shop/{service}', arguments: {A: b}}",
            ),
            rule("{folder: /src/shop}"),
        ];
        for rule in &rules {
            assert_eq!(rule.check(), Ok(()));
        }
        let cart = recipe(&rules, "cart-api").unwrap();
        assert_eq!(cart.folder, Path::new("/src/cart-api"));
        assert_eq!(cart.dockerfile, "build/Dockerfile");
        assert_eq!(cart.image.as_deref(), Some("r.example/shop/cart-api"));
        assert_eq!(cart.arguments.names().as_deref(), Some("A"));
        let web = recipe(&rules, "web").unwrap();
        assert_eq!((&*web.dockerfile, web.image), ("Dockerfile", None));
        assert_eq!(recipe(&rules[..1], "web"), None);
    }

    #[test]
    fn mistakes_are_named() {
        for (text, want) in [
            ("{folder: src}", "folder: has to begin with /"),
            (
                "{folder: /s, dockerfile: ../x}",
                "dockerfile: has to lie within",
            ),
            (
                "{folder: /s, image: 'r:5000/a:1'}",
                "image: is the repository alone",
            ),
        ] {
            let why = rule(text).check().unwrap_err();
            assert!(why.starts_with(want), "{why}");
        }
    }
}
