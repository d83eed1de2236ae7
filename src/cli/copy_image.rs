//! `rolldeck copy-image SERVICE TO`: the image that it runs, in another repository, byte for byte.

use crate::config::Config;
use crate::engine::release;
use crate::plan::ImageAsk;

use super::Outcome;
use super::args::{CopyImage, READS};
use super::image;
use super::session::Session;

pub async fn run(config: &Config, args: CopyImage) -> Outcome {
    let mut session = Session::connect(config, READS).await?;
    session.workloads(config).await?;
    let workload = session.find(&args.service)?;
    let level = release::context(config, &workload.id).level;
    let ask = ImageAsk::copy(&workload, level, (args.from, args.to));
    image::run(config, &session, ask, &args.how).await
}
