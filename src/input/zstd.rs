//! Zstandard archives: any number of frames, one after the other, checksums checked (RFC 8878).

use std::io::{self, BufRead, Read};

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::fault::Fault;
use super::problem::ProblemKind;

/// The largest window of a frame, in bytes: it is held in memory. `zstd --long` makes one of this size.
const WINDOW_BYTES_MAX: u64 = 128 * 1024 * 1024;

/// Decompresses a sequence of frames; skippable frames are skipped.
pub(super) struct ZstdReader<R> {
    source: R,
    frame: FrameDecoder,
    in_frame: bool,
}

impl<R: BufRead> ZstdReader<R> {
    pub(super) fn new(source: R) -> Self {
        let mut frame = FrameDecoder::new();
        frame.set_max_window_size(WINDOW_BYTES_MAX);
        ZstdReader { source, frame, in_frame: false }
    }

    /// Begins the next frame with content; false when there is none.
    fn next_frame(&mut self) -> io::Result<bool> {
        loop {
            if at_end(&mut self.source)? {
                return Ok(false);
            }
            match self.frame.reset(&mut self.source) {
                Ok(()) => return Ok(true),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => {
                    let mut skipped = Read::by_ref(&mut self.source).take(u64::from(length));
                    if io::copy(&mut skipped, &mut io::sink())? < u64::from(length) {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
                Err(error) => return Err(self.explain(error)),
            }
        }
    }

    /// The decoder wraps what its source said: a source at its end means a cut-off archive, a failing one speaks for
    /// itself.
    fn explain(&mut self, error: FrameDecoderError) -> io::Error {
        if let FrameDecoderError::WindowSizeTooBig { .. } = error {
            return Fault::whole_file(
                ProblemKind::BrokenArchive,
                "the zstd archive takes a window of more than 128 MiB of memory",
                "pack it with --long=27 at most, or give the unpacked text",
            )
            .into_io();
        }
        match at_end(&mut self.source) {
            Ok(true) => io::ErrorKind::UnexpectedEof.into(),
            Ok(false) => io::Error::other(error.to_string()),
            Err(error) => error,
        }
    }
}

impl<R: BufRead> Read for ZstdReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            if !self.in_frame {
                if !self.next_frame()? {
                    return Ok(0);
                }
                self.in_frame = true;
            }
            let count = self.frame.read(buffer)?;
            if count > 0 {
                return Ok(count);
            }
            if self.frame.is_finished() {
                let stored = self.frame.get_checksum_from_data();
                if stored.is_some() && stored != self.frame.get_calculated_checksum() {
                    return Err(io::Error::other("its checksum does not fit"));
                }
                self.in_frame = false;
                continue;
            }
            if let Err(error) =
                self.frame.decode_blocks(&mut self.source, BlockDecodingStrategy::UptoBlocks(1))
            {
                return Err(self.explain(error));
            }
        }
    }
}

/// Whether a buffered reader has reached its end.
pub(super) fn at_end(reader: &mut impl BufRead) -> io::Result<bool> {
    Ok(reader.fill_buf()?.is_empty())
}
