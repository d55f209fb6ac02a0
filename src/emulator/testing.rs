//! A client's side of the token exchange, for the tests of this room.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};

/// The PKCS #8 DER in a key file.
pub(super) fn private_der(key_file: &str) -> Vec<u8> {
    let file: Value = serde_json::from_str(key_file).unwrap();
    let pem = file["private_key"].as_str().unwrap();
    STANDARD.decode(pem.lines().filter(|line| !line.starts_with('-')).collect::<String>()).unwrap()
}

/// A JWT with these claims, signed with the key of a key file.
pub(super) fn sign(key_file: &str, claims: &Value, padded: bool) -> String {
    let base64 = if padded { &URL_SAFE } else { &URL_SAFE_NO_PAD };
    let file: Value = serde_json::from_str(key_file).unwrap();
    let head = json!({"alg": "RS256", "typ": "JWT", "kid": file["private_key_id"]});
    let text = format!("{}.{}", base64.encode(head.to_string()), base64.encode(claims.to_string()));
    let pair = RsaKeyPair::from_pkcs8(&private_der(key_file)).unwrap();
    let mut signature = vec![0; pair.public().modulus_len()];
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).unwrap();
    format!("{text}.{}", base64.encode(signature))
}

/// The form that carries an assertion.
pub(super) fn form(assertion: &str) -> String {
    form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer")
        .append_pair("assertion", assertion)
        .finish()
}
