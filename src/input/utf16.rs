//! UTF-16 to UTF-8, as a stream.

use std::io::{self, Read};

/// How much is read at a time.
const STEP_BYTES: usize = 64 * 1024;

/// Reads UTF-16 as UTF-8. Lone surrogates and a last half unit become U+FFFD, which the checks of names then find.
///
/// The byte order mark is decoded like any other character: whoever reads on takes it off.
pub(crate) struct Utf16Reader<R> {
    inner: R,
    big_endian: bool,
    /// Bytes read but not decoded: half a unit, or half a pair of surrogates.
    left: Vec<u8>,
    text: String,
    taken: usize,
    ended: bool,
}

impl<R: Read> Utf16Reader<R> {
    /// Begins to decode.
    pub(crate) fn new(inner: R, big_endian: bool) -> Self {
        Utf16Reader { inner, big_endian, left: Vec::new(), text: String::new(), taken: 0, ended: false }
    }

    /// Decodes the next piece of the input.
    fn refill(&mut self) -> io::Result<()> {
        self.text.clear();
        self.taken = 0;
        let unit = if self.big_endian { u16::from_be_bytes } else { u16::from_le_bytes };
        let before = self.left.len();
        self.left.resize(before + STEP_BYTES, 0);
        let read = self.inner.read(&mut self.left[before..]);
        self.left.truncate(before + *read.as_ref().unwrap_or(&0));
        self.ended = read? == 0;

        let mut complete = self.left.len() / 2 * 2;
        if !self.ended && complete >= 2 {
            let last = unit([self.left[complete - 2], self.left[complete - 1]]);
            if matches!(last, 0xd800..=0xdbff) {
                complete -= 2;
            }
        }
        let units = self.left[..complete].chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
        let text = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER));
        self.text.extend(text);
        self.left.drain(..complete);
        if self.ended && !self.left.is_empty() {
            self.left.clear();
            self.text.push(char::REPLACEMENT_CHARACTER);
        }
        Ok(())
    }
}

impl<R: Read> Read for Utf16Reader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.taken == self.text.len() && !self.ended {
            self.refill()?;
        }
        let count = (&self.text.as_bytes()[self.taken..]).read(buffer)?;
        self.taken += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Hands out a few bytes at a time.
    struct Slow<'a>(&'a [u8], usize);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(buffer.len());
            self.0.read(&mut buffer[..count])
        }
    }

    proptest! {
        #[test]
        fn decodes_as_the_standard_library_does(
            units in prop::collection::vec(prop_oneof![any::<u16>(), 0xd7f0u16..0xe010, 0u16..0x80], 0..40),
            half in any::<bool>(),
            big_endian in any::<bool>(),
            size in 1usize..9,
        ) {
            let mut bytes: Vec<u8> =
                units.iter().flat_map(|unit| if big_endian { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect();
            let mut expected = String::from_utf16_lossy(&units);
            if half {
                bytes.push(b'a');
                expected.push('\u{fffd}');
            }
            let mut text = String::new();
            Utf16Reader::new(Slow(&bytes, size), big_endian).read_to_string(&mut text).unwrap();
            prop_assert_eq!(text, expected);
        }
    }
}
