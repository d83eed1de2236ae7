//! What goes on whether anybody listens or not, told to whoever does.

use futures::stream::{self, BoxStream, StreamExt};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

/// Who started it, as long as there is one.
pub struct Listener<T>(UnboundedSender<T>);

impl<T> Listener<T> {
    /// Nobody may listen any more, and that stops nothing.
    pub fn tell(&self, news: T) {
        let _ = self.0.send(news);
    }
}

/// Begins the work at once, and ends with it; dropping the stream does not stop the work. Needs a tokio runtime.
pub fn told<T, F>(work: impl FnOnce(Listener<T>) -> F) -> BoxStream<'static, T>
where
    T: Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let (sender, receiver) = unbounded_channel();
    tokio::spawn(work(Listener(sender)));
    stream::unfold(receiver, |mut receiver| async move {
        Some((receiver.recv().await?, receiver))
    })
    .boxed()
}
