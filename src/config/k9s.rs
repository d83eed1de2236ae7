//! The aliases of k9s, for hands that know them: `$K9S_CONFIG_DIR/aliases.yaml`, else that of the XDG folder.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;

use serde::Deserialize;

use super::error::Error;
use super::layers::{Env, absolute, home};

#[derive(Deserialize, Default)]
#[serde(default)]
struct Aliases {
    #[serde(alias = "alias")]
    aliases: BTreeMap<String, String>,
}

/// Alias -> command of ours. None when there is no such file.
///
/// # Errors
/// The file is there and cannot be read.
pub fn aliases(env: Env<'_>) -> Result<BTreeMap<String, String>, Error> {
    let Some(path) = path(env) else {
        return Ok(BTreeMap::new());
    };
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(why) => return Err(Error::unreadable(&path, &why)),
    };
    let read: Aliases = serde_yaml::from_str(&text).map_err(|why| Error::yaml(&path, &why))?;
    let named = read.aliases.into_iter();
    Ok(named.map(|(alias, gvr)| (alias, command(&gvr))).collect())
}

fn path(env: Env<'_>) -> Option<PathBuf> {
    let folder = absolute(env, "K9S_CONFIG_DIR").or_else(|| {
        let config = absolute(env, "XDG_CONFIG_HOME");
        let config = config.or_else(|| Some(home(env)?.join(".config")))?;
        Some(config.join("k9s"))
    })?;
    Some(folder.join("aliases.yaml"))
}

/// `apps/v1/deployments` is `deployments.apps` here, `v1/pods` is `pods`; anything else stays what it is, like the
/// name of another alias.
fn command(gvr: &str) -> String {
    let pieces: Vec<_> = gvr.split('/').collect();
    match pieces.as_slice() {
        [group, _, resource] => format!("{resource}.{group}"),
        [_, resource] => (*resource).to_owned(),
        _ => gvr.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_become_commands_and_a_broken_file_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().display().to_string();
        let env = |name: &str| (name == "K9S_CONFIG_DIR").then(|| place.clone());
        assert_eq!(aliases(&env).unwrap(), BTreeMap::new());
        let file = folder.path().join("aliases.yaml");
        fs::write(
            &file,
            "aliases:\n  dp: apps/v1/deployments\n  po: v1/pods\n  pp: po\n",
        )
        .unwrap();
        let read = aliases(&env).unwrap();
        let read: Vec<_> = read.iter().map(|(a, b)| (&**a, &**b)).collect();
        assert_eq!(
            read,
            [("dp", "deployments.apps"), ("po", "pods"), ("pp", "po")]
        );
        fs::write(&file, "aliases: [").unwrap();
        let error = aliases(&env).unwrap_err().to_string();
        assert!(error.contains("aliases.yaml, line 1"), "{error}");
    }
}
