//! From what the engine sends to what we keep.

use bollard::models::{BuildInfo, CreateImageInfo, ImageSummary, ProgressDetail, PushImageInfo};
use jiff::Timestamp;

use crate::domain::image_work::{ImageWork, LocalImage};

/// One piece of a build's answer is a step, some lines, or the end.
pub fn build(info: BuildInfo) -> Vec<ImageWork> {
    let id = info.aux.and_then(|aux| aux.id);
    let lines = info.stream.unwrap_or_default();
    let lines = lines
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.is_empty());
    let said = lines.map(|line| step(line).unwrap_or_else(|| ImageWork::Output(line.into())));
    let pulled = info
        .status
        .map(|doing| layer(info.id, doing, info.progress_detail));
    let done = id.map(|id| ImageWork::Done(id.into()));
    said.chain(pulled).chain(done).collect()
}

/// bollard drops the ids of layers here; by their sizes they are told apart all the same.
pub fn push(info: PushImageInfo) -> Option<ImageWork> {
    let doing = info.status?;
    let progress = info.progress_detail;
    let size = progress.as_ref().and_then(|progress| progress.total);
    let id = size.map(|size| format!("layer of {size} bytes:"));
    Some(done(&doing).unwrap_or_else(|| layer(id, doing, progress)))
}

pub fn pull(info: CreateImageInfo) -> Option<ImageWork> {
    let doing = info.status?;
    Some(done(&doing).unwrap_or_else(|| layer(info.id, doing, info.progress_detail)))
}

/// An engine lists what has no name under one that says so.
pub fn image(found: ImageSummary) -> LocalImage {
    let named = |names: Vec<String>| {
        let named = names.into_iter().filter(|name| !name.contains("<none>"));
        named.map(Into::into).collect()
    };
    let labels = found.labels.into_iter();
    LocalImage {
        id: found.id.into(),
        tags: named(found.repo_tags),
        digests: named(found.repo_digests),
        created: Timestamp::from_second(found.created).ok(),
        labels: labels
            .map(|(key, value)| (key.into(), value.into()))
            .collect(),
        size: found.size.try_into().unwrap_or_default(),
    }
}

fn layer(id: Option<String>, doing: String, progress: Option<ProgressDetail>) -> ImageWork {
    let counted = |count: Option<i64>| count.and_then(|count| u64::try_from(count).ok());
    let bytes = progress.and_then(|p| Some((counted(p.current)?, counted(p.total)?)));
    ImageWork::Layer {
        id: id.unwrap_or_default().into(),
        doing: doing.into(),
        bytes,
    }
}

/// `Step 1/8 : FROM scratch`.
fn step(line: &str) -> Option<ImageWork> {
    let (count, text) = line.strip_prefix("Step ")?.split_once(" : ")?;
    let (number, of) = count.split_once('/')?;
    Some(ImageWork::Step {
        number: number.parse().ok()?,
        of: of.parse().ok()?,
        text: text.into(),
    })
}

/// `1.0: digest: sha256:… size: 528`, `Digest: sha256:…`.
fn done(line: &str) -> Option<ImageWork> {
    let at = line.find("sha256:")?;
    let told = line[..at].to_ascii_lowercase().ends_with("digest: ");
    let digest = line[at..].split_whitespace().next()?;
    told.then(|| ImageWork::Done(digest.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_build_says() {
        let text = |stream: &str| BuildInfo {
            stream: Some(stream.into()),
            ..BuildInfo::default()
        };
        let output = |line: &str| ImageWork::Output(line.into());
        for (said, want) in [
            (
                "Step 3/8 : RUN make\n",
                vec![ImageWork::Step {
                    number: 3,
                    of: 8,
                    text: "RUN make".into(),
                }],
            ),
            ("\n", vec![]),
            ("a\nb\r\n", vec![output("a"), output("b")]),
            ("Step x/8 : RUN\n", vec![output("Step x/8 : RUN")]),
        ] {
            assert_eq!(build(text(said)), want, "{said:?}");
        }
    }

    #[test]
    fn the_end_of_a_push() {
        let said = |status: &str| {
            push(PushImageInfo {
                status: Some(status.into()),
                ..PushImageInfo::default()
            })
        };
        assert_eq!(
            said("1.0: digest: sha256:ab size: 528"),
            Some(ImageWork::Done("sha256:ab".into()))
        );
        let layer = |doing: &str| ImageWork::Layer {
            id: "".into(),
            doing: doing.into(),
            bytes: None,
        };
        assert_eq!(said("Pushed"), Some(layer("Pushed")));
        assert_eq!(said("about sha256:ab"), Some(layer("about sha256:ab")));
        let moved = push(PushImageInfo {
            status: Some("Pushing".into()),
            progress_detail: Some(ProgressDetail {
                current: Some(512),
                total: Some(2_048),
            }),
            ..PushImageInfo::default()
        });
        let of_size = ImageWork::Layer {
            id: "layer of 2048 bytes:".into(),
            doing: "Pushing".into(),
            bytes: Some((512, 2_048)),
        };
        assert_eq!(moved, Some(of_size));
        assert_eq!(push(PushImageInfo::default()), None);
    }
}
