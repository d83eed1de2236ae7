//! The embedded registry, asked as a real one is.

use rolldeck::demo::images::{Behaviour, Image};
use rolldeck::demo::registry::Documents;
use rolldeck::demo::scenario::Scenario;
use rolldeck::demo::{self, Options};

use crate::contract::registry::keeps_its_promises;
use crate::support::api::RUNTIME;

#[test]
fn it_answers_as_a_real_one_does() {
    let options = Options {
        scenario: Scenario::find("tour").unwrap(),
        seed: 1,
        speed: 1,
        services: None,
    };
    let world = RUNTIME.block_on(demo::start(options)).unwrap();
    let host = world.endpoints.registry.strip_prefix("http://").unwrap();
    let repository = format!("{host}/contract/web");
    for (tag, commit) in [("1.0.0", "c0ffee"), ("1.1.0", "decade")] {
        let created = jiff::Timestamp::UNIX_EPOCH;
        let image = Image {
            digest: Documents::of("contract/web", tag, commit, created).digest(),
            created,
            commit: commit.into(),
            behaviour: Behaviour::default(),
        };
        world.cluster.images.push(&repository, tag, image);
    }
    keeps_its_promises(&repository);
}
