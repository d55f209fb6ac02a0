//! How far the reading of an export is, told now and then.

use std::sync::Arc;

use super::export::Export;

/// Messages between two calls that tell how far it is.
const MESSAGES_BETWEEN: u64 = 4096;

/// How far the reading of exports is, for whoever shows it.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// The export, as problems call it.
    pub export: &'a str,
    /// Bytes of text read of it.
    pub bytes: u64,
    /// Bytes of text in it.
    pub bytes_total: u64,
    /// Messages read so far.
    pub messages: u64,
}

/// Counts the messages of an export.
pub(super) struct Meter<'a> {
    export: Arc<str>,
    bytes: u64,
    bytes_total: u64,
    messages: u64,
    watch: &'a mut dyn FnMut(Seen<'_>),
}

impl<'a> Meter<'a> {
    /// Before the first message.
    pub(super) fn new(export: &Export, watch: &'a mut dyn FnMut(Seen<'_>)) -> Self {
        let (bytes, bytes_total) = (export.bytes_read(), export.bytes_total());
        Meter { export: Arc::clone(export.name()), bytes, bytes_total, messages: 0, watch }
    }

    /// One more message was read.
    pub(super) fn message(&mut self) {
        self.messages += 1;
        if self.messages.is_multiple_of(MESSAGES_BETWEEN) {
            self.tell();
        }
    }

    /// A file was read to its end.
    pub(super) fn file(&mut self, export: &Export) {
        self.bytes = export.bytes_read();
        self.tell();
    }

    fn tell(&mut self) {
        let Meter { export, bytes, bytes_total, messages, watch } = self;
        watch(Seen { export, bytes: *bytes, bytes_total: *bytes_total, messages: *messages });
    }
}
