//! Proof that whoever redeems a code is whoever asked for it (RFC 7636), by SHA-256 only.

use base64::Engine;
use ring::digest::{SHA256, digest};

use super::BASE64;

/// Characters of a verifier (RFC 7636, 4.1).
const VERIFIER_CHARS: std::ops::RangeInclusive<usize> = 43..=128;

/// Whether a text can be the challenge of some verifier: 32 bytes in base64url without padding.
pub(super) fn is_challenge(text: &str) -> bool {
    text.len() == 43 && BASE64.decode(text).is_ok_and(|hash| hash.len() == SHA256.output_len())
}

/// Whether a verifier is well formed and the one that was promised.
pub(super) fn fits(challenge: &str, verifier: &str) -> bool {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    VERIFIER_CHARS.contains(&verifier.len())
        && verifier.bytes().all(unreserved)
        && BASE64.encode(digest(&SHA256, verifier.as_bytes())) == challenge
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_standard() {
        // RFC 7636, appendix B.
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        assert!(is_challenge(challenge) && fits(challenge, verifier));
        assert!(!fits(challenge, &verifier.replace('d', "e")));
        assert!(!fits(verifier, verifier), "the plain method is none");
    }

    #[test]
    fn what_is_no_verifier_and_no_challenge() {
        let challenge_of = |verifier: &str| BASE64.encode(digest(&SHA256, verifier.as_bytes()));
        for (verifier, good) in [
            ("a".repeat(42), false),
            ("a".repeat(43), true),
            ("~".repeat(128), true),
            ("a".repeat(129), false),
            ("a b".repeat(20), false),
        ] {
            assert_eq!(fits(&challenge_of(&verifier), &verifier), good, "{verifier}");
        }
        for text in ["", "abc", &"a".repeat(44), &"=".repeat(43), &format!("{}+", "a".repeat(42))] {
            assert!(!is_challenge(text), "{text}");
        }
    }
}
