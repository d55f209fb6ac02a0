//! What nobody may see: gathered from the files that hold it, and looked for in everything that is said and written.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::support::{Room, Run};

/// Fields that hold one, in key files, client secrets, sign-ins and Application Default Credentials.
const FIELDS: [&str; 3] = ["private_key", "client_secret", "refresh_token"];

/// What one begins with: a JWT with {", the emulator's tokens like Google's.
const SIGNS: [&str; 6] = ["PRIVATE KEY", "eyJ", "ya29.", "GOCSPX-", "1//", "Bearer "];

/// Secrets, and the files that may hold them.
pub(crate) struct Secrets {
    texts: Vec<String>,
    holders: Vec<PathBuf>,
}

impl Secrets {
    /// Those of a room's files.
    pub(crate) fn of(room: &Room, files: &[&str]) -> Secrets {
        let mut texts = SIGNS.map(str::to_owned).to_vec();
        for name in files {
            match serde_json::from_str(&room.read(name)) {
                Ok(file) => gather(&file, &mut texts),
                // A bare token.
                Err(_) => texts.push(room.read(name).trim().to_owned()),
            }
        }
        Secrets { texts, holders: files.iter().map(|name| room.file(name)).collect() }
    }

    /// None is in what these runs said, nor in any other file of the room.
    #[track_caller]
    pub(crate) fn are_not_shown(&self, room: &Room, runs: &[&Run]) {
        let mut shown: Vec<(String, Vec<u8>)> =
            runs.iter().map(|run| ("what it said".to_owned(), run.said().into_bytes())).collect();
        let others = room.files().into_iter().filter(|name| !self.holders.contains(&room.file(name)));
        for name in others.filter(|name| room.file(name).is_file()) {
            shown.push((name.clone(), fs::read(room.file(&name)).unwrap()));
        }
        for secret in &self.texts {
            for (place, bytes) in &shown {
                let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
                assert!(!found, "{secret} is in {place}: {}", String::from_utf8_lossy(bytes));
            }
        }
    }
}

fn gather(value: &Value, texts: &mut Vec<String>) {
    let Some(object) = value.as_object() else { return };
    for (name, value) in object {
        match value.as_str() {
            // A key has lines, and any of them is enough.
            Some(text) if FIELDS.contains(&name.as_str()) => {
                texts.extend(text.lines().filter(|line| !line.starts_with("-----")).map(str::to_owned));
            }
            _ => gather(value, texts),
        }
    }
}
