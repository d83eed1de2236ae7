//! `rolldeck set-image SERVICE [CONTAINER=]IMAGE`: another image, followed until every pod runs it.

use crate::config::Config;
use crate::plan::{Target, Verb};

use super::Outcome;
use super::args::SetImage;
use super::release::{self, Asked};

pub async fn run(config: &Config, args: SetImage) -> Outcome {
    let (container, image) = match args.image.split_once('=') {
        Some((container, image)) => (Some(container.into()), image.to_owned()),
        None => (None, args.image),
    };
    let asked = Asked::new(Verb::SetImage, Target::Image { container, image }).by(args.git);
    release::run(config, asked, args.release).await
}
