//! The emulator's own service account: a generated RSA key, and the key file that clients sign in with.

use std::fmt;

use ring::digest::SHA256_OUTPUT_LEN;
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rsa::RsaPrivateKey;
use rsa::pkcs1::EncodeRsaPublicKey;
use rsa::pkcs8::{DecodePrivateKey, EncodePrivateKey, LineEnding};
use rsa::rand_core::{OsRng, RngCore};
use serde_json::{Value, json};

use super::EmulatorError;
use super::project;

const KEY_BITS: usize = 2048;
const EMAIL: &str = "tenure@tenure-emulator.iam.gserviceaccount.com";

/// A service account with its private key. `Debug` shows no secret.
#[derive(Clone)]
pub struct ServiceAccountKey {
    private_pem: String,
    /// PKCS #8 DER, as ring signs with.
    private_der: Vec<u8>,
    /// PKCS #1 DER, as ring verifies with.
    public_der: Vec<u8>,
    id: String,
    client_email: String,
    client_id: String,
}

impl ServiceAccountKey {
    /// Makes a new key. Takes some tenths of a second of computing: not for an async thread.
    ///
    /// # Errors
    /// When no key can be made.
    pub fn generate() -> Result<Self, EmulatorError> {
        let private = RsaPrivateKey::new(&mut OsRng, KEY_BITS)
            .map_err(|error| EmulatorError::Key(format!("cannot make a key: {error}")))?;
        let mut random = [0; 20];
        OsRng.fill_bytes(&mut random);
        let id = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let client_id = format!("1{:020}", OsRng.next_u64());
        ServiceAccountKey::of(&private, id, EMAIL.to_owned(), client_id)
    }

    /// Reads the text of a key file, so that a restarted emulator knows the clients of the one before.
    ///
    /// # Errors
    /// When it is not a service account's key file.
    pub fn from_json(text: &str) -> Result<Self, EmulatorError> {
        // The parser's own messages may quote the text, and the text holds the key.
        let file: Value =
            serde_json::from_str(text).map_err(|_| EmulatorError::Key("it is not JSON".to_owned()))?;
        let field = |name: &str| {
            file[name]
                .as_str()
                .map(str::to_owned)
                .ok_or_else(|| EmulatorError::Key(format!("it has no {name}")))
        };
        let private = RsaPrivateKey::from_pkcs8_pem(&field("private_key")?)
            .map_err(|_| EmulatorError::Key("its private_key is no PKCS #8 RSA key".to_owned()))?;
        ServiceAccountKey::of(&private, field("private_key_id")?, field("client_email")?, field("client_id")?)
    }

    fn of(
        private: &RsaPrivateKey,
        id: String,
        client_email: String,
        client_id: String,
    ) -> Result<Self, EmulatorError> {
        let wrong = |error: String| EmulatorError::Key(format!("cannot write the key: {error}"));
        Ok(ServiceAccountKey {
            private_pem: private
                .to_pkcs8_pem(LineEnding::LF)
                .map_err(|error| wrong(error.to_string()))?
                .as_str()
                .to_owned(),
            private_der: private
                .to_pkcs8_der()
                .map_err(|error| wrong(error.to_string()))?
                .as_bytes()
                .to_vec(),
            public_der: private
                .to_public_key()
                .to_pkcs1_der()
                .map_err(|error| wrong(error.to_string()))?
                .as_bytes()
                .to_vec(),
            id,
            client_email,
            client_id,
        })
    }

    /// `private_key_id`: what a JWT's `kid` names.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// `client_email`: what a JWT's `iss` names.
    pub fn client_email(&self) -> &str {
        &self.client_email
    }

    /// `client_id`, the number that a delegation is entered for.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    pub(super) fn public_der(&self) -> &[u8] {
        &self.public_der
    }

    /// An RS256 signature; `None` when ring does not take the key.
    pub(super) fn sign(&self, text: &[u8]) -> Option<Vec<u8>> {
        let pair = RsaKeyPair::from_pkcs8(&self.private_der).ok()?;
        let mut signature = vec![0; pair.public().modulus_len()];
        // The signature is the same each time: randomness only hides how it is computed.
        pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text, &mut signature).ok()?;
        Some(signature)
    }

    /// A secret for some purpose that follows from this key, the same each time.
    pub(super) fn derive(&self, purpose: &str) -> [u8; SHA256_OUTPUT_LEN] {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.private_der);
        let mut secret = [0; SHA256_OUTPUT_LEN];
        secret.copy_from_slice(hmac::sign(&key, purpose.as_bytes()).as_ref());
        secret
    }

    /// The text of a key file in Google's format, for the token endpoint at `token_uri`.
    pub fn to_json(&self, token_uri: &str) -> String {
        let file = json!({
            "type": "service_account",
            "project_id": project::ID,
            "private_key_id": self.id,
            "private_key": self.private_pem,
            "client_email": self.client_email,
            "client_id": self.client_id,
            "auth_uri": "https://accounts.google.com/o/oauth2/auth",
            "token_uri": token_uri,
            "auth_provider_x509_cert_url": "https://www.googleapis.com/oauth2/v1/certs",
            "client_x509_cert_url": format!(
                "https://www.googleapis.com/robot/v1/metadata/x509/{}",
                self.client_email.replace('@', "%40")
            ),
            "universe_domain": "googleapis.com",
        });
        format!("{file:#}\n")
    }
}

impl fmt::Debug for ServiceAccountKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceAccountKey")
            .field("id", &self.id)
            .field("client_email", &self.client_email)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_file_reads_back_and_keeps_its_secret() {
        let key = ServiceAccountKey::generate().unwrap();
        let text = key.to_json("http://127.0.0.1:1/token");
        let again = ServiceAccountKey::from_json(&text).unwrap();
        assert_eq!(again.to_json("http://127.0.0.1:1/token"), text);
        assert_eq!(again.public_der, key.public_der);
        assert!(!format!("{key:?}").contains("PRIVATE"));
        assert_eq!(key.client_id().len(), 21);
        assert!(ring::signature::RsaKeyPair::from_pkcs8(&der(&text)).is_ok());
        assert_eq!(again.derive("x"), key.derive("x"));
        assert_ne!(key.derive("x"), key.derive("y"));
    }

    #[test]
    fn what_is_no_key() {
        for (text, problem) in
            [("x", "not JSON"), ("{}", "no private_key"), (r#"{"private_key":"x"}"#, "PKCS #8")]
        {
            let error = ServiceAccountKey::from_json(text).unwrap_err().to_string();
            assert!(error.contains(problem), "{error}");
        }
    }

    fn der(text: &str) -> Vec<u8> {
        super::super::testing::private_der(text)
    }
}
