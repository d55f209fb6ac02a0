//! Lines of a text without end: one is held at a time, and none that would fill the memory.

use std::io::{self, BufRead, BufReader, Read};

/// Bytes of a line, at most: a post comes with all replies to it on one line.
pub(super) const LINE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Bytes of the buffer in front of the lines.
const BUFFER_BYTES: usize = 256 * 1024;

/// Reads lines.
pub(super) struct Lines<R> {
    inner: BufReader<R>,
    line: Vec<u8>,
    number: u64,
    bytes_max: usize,
}

impl<R: Read> Lines<R> {
    pub(super) fn new(inner: R, bytes_max: usize) -> Self {
        let inner = BufReader::with_capacity(BUFFER_BYTES, inner);
        Lines { inner, line: Vec::new(), number: 0, bytes_max }
    }

    /// The next line, without its end, and its number from 1; `None` in the place of one that is too long.
    ///
    /// # Errors
    /// When it cannot be read.
    #[expect(clippy::type_complexity, reason = "a number, and a line if there is one")]
    pub(super) fn next(&mut self) -> io::Result<Option<(u64, Option<&[u8]>)>> {
        self.line.clear();
        let limit = self.bytes_max as u64 + 1;
        if self.inner.by_ref().take(limit).read_until(b'\n', &mut self.line)? == 0 {
            return Ok(None);
        }
        self.number += 1;
        if self.line.len() > self.bytes_max && self.line.last() != Some(&b'\n') {
            self.line.truncate(0);
            self.inner.skip_until(b'\n')?;
            return Ok(Some((self.number, None)));
        }
        // A mark at the beginning is none of the text's.
        let line = self.line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&self.line);
        Ok(Some((self.number, Some(line.trim_ascii()))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_are_too_long_are_passed_over() {
        let text = "\u{feff}one\r\n12345678\n\n12345\nlast";
        let mut lines = Lines::new(text.as_bytes(), 7);
        let mut seen = Vec::new();
        while let Some((number, line)) = lines.next().unwrap() {
            seen.push((number, line.map(|line| String::from_utf8_lossy(line).into_owned())));
        }
        let line = |number, text: &str| (number, Some(text.to_owned()));
        assert_eq!(seen, [line(1, "one"), (2, None), line(3, ""), line(4, "12345"), line(5, "last")]);
    }
}
