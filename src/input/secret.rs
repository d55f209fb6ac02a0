//! Stops a text that holds a secret before anybody has read it: a key file that was named for an input would end up, line by
//! line, in messages, in the journal and among the rejects.

use std::io::{self, Read};

use memchr::memchr_iter;
use memchr::memmem::find;

use super::fault::Fault;
use super::problem::ProblemKind;

/// What shows a secret, before the secret itself has come: PEM's labels (RFC 7468), and the fields of Google's key files,
/// client secrets and sign-ins.
const SIGNS: [(&str, &str); 5] = [
    ("PRIVATE KEY-----", "a private key"),
    ("PRIVATE KEY BLOCK-----", "a private key"),
    ("\"private_key\"", "a private key"),
    ("\"client_secret\"", "a client's secret"),
    ("\"refresh_token\"", "a sign-in"),
];

/// Bytes of the longest of them.
const SIGN_BYTES_MAX: usize = {
    let (mut longest, mut index) = (0, 0);
    while index < SIGNS.len() {
        let length = SIGNS[index].0.len();
        longest = if length > longest { length } else { longest };
        index += 1;
    }
    longest
};

/// Passes a text through up to the piece that shows a secret, and nothing from there on.
pub(super) struct Discreet<R> {
    inner: R,
    /// The end of what has passed, where a sign may have begun.
    tail: Vec<u8>,
    /// Line ends that have passed.
    lines: u64,
    found: Option<Fault>,
}

impl<R: Read> Discreet<R> {
    pub(super) fn new(inner: R) -> Self {
        Discreet { inner, tail: Vec::new(), lines: 0, found: None }
    }

    /// Looks through the piece that comes next.
    fn look(&mut self, piece: &[u8]) -> Result<(), Fault> {
        let seam = SIGN_BYTES_MAX - 1;
        let before = self.tail.len();
        self.tail.extend_from_slice(&piece[..piece.len().min(seam)]);
        for (sign, what) in SIGNS {
            let across = find(&self.tail, sign.as_bytes()).map(|at| at.saturating_sub(before));
            if let Some(at) = across.or_else(|| find(piece, sign.as_bytes())) {
                let line = self.lines + 1 + memchr_iter(b'\n', &piece[..at]).count() as u64;
                return Err(Fault::whole_file(
                    ProblemKind::HoldsSecret,
                    format!(
                        "line {line} holds {what}; it is not read any further, and nothing of it was kept"
                    ),
                    "if it is a key file, it is named with --credentials, and here go the rows; if a row holds the key, remove it \
                     there, and have the key replaced if others have seen the file",
                ));
            }
        }
        self.lines += memchr_iter(b'\n', piece).count() as u64;
        if piece.len() > seam {
            self.tail.clear();
            self.tail.extend_from_slice(&piece[piece.len() - seam..]);
        } else {
            self.tail.drain(..self.tail.len().saturating_sub(seam));
        }
        Ok(())
    }
}

impl<R: Read> Read for Discreet<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(fault) = &self.found {
            return Err(fault.clone().into_io());
        }
        let count = self.inner.read(buffer)?;
        self.look(&buffer[..count]).map_err(|fault| {
            buffer[..count].fill(0);
            self.found = Some(fault.clone());
            fault.into_io()
        })?;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A text that comes so many bytes at a time: what has passed, and why no more.
    fn read(text: &str, step: usize) -> (String, String) {
        struct Slow<'a>(&'a [u8], usize);
        impl Read for Slow<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                let count = self.1.min(buffer.len());
                Read::by_ref(&mut self.0).take(count as u64).read(buffer)
            }
        }
        let mut passed = Vec::new();
        let mut reader = Discreet::new(Slow(text.as_bytes(), step));
        let ended = reader.read_to_end(&mut passed);
        if ended.is_err() {
            assert!(reader.read(&mut [0; 9]).is_err(), "it stays so");
        }
        (String::from_utf8(passed).unwrap(), ended.map_or_else(|error| error.to_string(), |_| String::new()))
    }

    #[test]
    fn nothing_passes_from_the_sign_on_however_it_comes() {
        let key = "space,member\nspaces/A,x\nspaces/A,-----BEGIN RSA PRIVATE KEY-----\nMIIEsecret\n";
        for step in [1, 2, 7, 15, 16, 23, 40, 1000] {
            for (text, what) in [
                (key, "line 3 holds a private key"),
                ("{\n\"type\": \"x\",\n\"private_key\": \"MIIEsecret\"}", "line 3 holds a private key"),
                ("{\"client_secret\":\"MIIEsecret\"}", "line 1 holds a client's secret"),
                ("\n\n\n{\"a\":1,\"refresh_token\":\"MIIEsecret\"}", "line 4 holds a sign-in"),
            ] {
                let (passed, why) = read(text, step);
                assert!(!passed.contains("MIIE") && text.starts_with(&passed), "{step}: {passed}");
                assert!(why.starts_with(what) && !why.contains("MIIE"), "{step}: {why}");
            }
            let sound = "space,member,private_key_id\nPRIVATE KEY-,\"private_key\\\"\n".repeat(9);
            assert_eq!(read(&sound, step), (sound, String::new()));
        }
    }
}
