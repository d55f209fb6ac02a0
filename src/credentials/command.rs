//! A bearer token from any program: whatever else an organisation has to prove who somebody is.

use std::io;
use std::process::Stdio;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Command;

use super::{Actor, Identity, Need, TIMEOUT, Token, TokenFailure};
use crate::wording::shorten;

/// The largest output that can be a token.
const TOKEN_CHARS_MAX: usize = 16 << 10;
/// How much of what the program complains of is shown.
const STORY_CHARS_MAX: usize = 200;
/// Words of this length in what it complains of may be secrets.
const WORD_CHARS_MAX: usize = 40;

/// A shell command that prints a token.
pub(super) struct TokenCommand {
    command: String,
    subject: Option<String>,
}

impl TokenCommand {
    /// `story` is how it is called where its command line must not be shown.
    pub(super) fn new(command: &str, story: String, subject: Option<&str>) -> (Self, Identity) {
        let identity = Identity { story, subject: subject.map(str::to_owned), ..Identity::default() };
        (TokenCommand { command: command.to_owned(), subject: subject.map(str::to_owned) }, identity)
    }

    /// Runs it. It finds the scope's full name in `TENURE_SCOPE`, and whom to act for in `TENURE_IMPERSONATE`: empty
    /// for the app itself.
    pub(super) async fn fetch(&self, need: Need) -> Result<Token, TokenFailure> {
        let subject = match need.actor {
            Actor::Person => self.subject.as_deref().unwrap_or_default(),
            Actor::App => "",
        };
        let child = Command::new("sh")
            .args(["-c", &self.command])
            .env("TENURE_SCOPE", need.scope.url())
            .env("TENURE_IMPERSONATE", subject)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn();
        let run = async {
            let mut child = child?;
            let (mut out, mut err) = (Vec::new(), Vec::new());
            // What is longer than that is no token; the program finds its pipe closed.
            tokio::try_join!(read(child.stdout.take(), &mut out), read(child.stderr.take(), &mut err))?;
            io::Result::Ok((child.wait().await?, out, err))
        };
        let (status, out, err) = match tokio::time::timeout(TIMEOUT, run).await {
            Err(_) => return Err(passing(format!("takes longer than {} s", TIMEOUT.as_secs()))),
            Ok(Err(error)) => return Err(unavailable(format!("cannot be run: {error}"))),
            Ok(Ok(output)) => output,
        };
        if !status.success() && out.len() <= TOKEN_CHARS_MAX {
            let last = complaint(&String::from_utf8_lossy(&err));
            return Err(unavailable(format!("fails ({status}){last}")));
        }
        let text = String::from_utf8_lossy(&out);
        let token = text.trim();
        if token.is_empty() || token.len() > TOKEN_CHARS_MAX || !token.chars().all(|c| c.is_ascii_graphic()) {
            return Err(unavailable("prints something else than a token".to_owned()));
        }
        Ok(Token { text: Arc::from(token), expires: None })
    }
}

/// Reads as much as can be a token, and a little more.
async fn read(pipe: Option<impl AsyncRead + Unpin>, into: &mut Vec<u8>) -> io::Result<()> {
    let Some(pipe) = pipe else { return Ok(()) };
    pipe.take(TOKEN_CHARS_MAX as u64 + 1).read_to_end(into).await.map(drop)
}

fn passing(story: String) -> TokenFailure {
    TokenFailure::Passing(format!("the --token-command {story}"))
}

fn unavailable(story: String) -> TokenFailure {
    TokenFailure::Unavailable(format!("the --token-command {story}"))
}

/// The last line of a complaint, without what looks like a secret.
fn complaint(stderr: &str) -> String {
    let Some(line) = stderr.lines().rev().find(|line| !line.trim().is_empty()) else {
        return String::new();
    };
    let words = line.split_whitespace().map(|word| if word.len() > WORD_CHARS_MAX { "…" } else { word });
    format!(": {}", shorten(&words.collect::<Vec<_>>().join(" "), STORY_CHARS_MAX))
}

#[cfg(test)]
mod tests {
    use super::super::{Proof, Scope};
    use super::*;

    async fn fetch(command: &str, actor: Actor) -> Result<String, String> {
        let (command, _) = TokenCommand::new(command, String::new(), Some("a@example.com"));
        let need = Need { scope: Scope::IMPORT, actor };
        command.fetch(need).await.map(|token| token.text.to_string()).map_err(|failure| failure.to_string())
    }

    #[tokio::test]
    async fn what_it_prints_and_what_it_is_told() {
        let told = "echo $TENURE_SCOPE,$TENURE_IMPERSONATE";
        let scope = Scope::IMPORT.url();
        assert_eq!(fetch(told, Actor::Person).await, Ok(format!("{scope},a@example.com")));
        assert_eq!(fetch(told, Actor::App).await, Ok(format!("{scope},")));
        for (command, story) in [
            ("echo", "prints something else than a token"),
            ("echo a b", "prints something else than a token"),
            ("yes", "prints something else than a token"),
            ("echo Please sign in first >&2; exit 3", "fails (exit status: 3): Please sign in first"),
            ("echo no $(printf x%.0s $(seq 50)) >&2; exit 1", "fails (exit status: 1): no …"),
        ] {
            let failure = fetch(command, Actor::Person).await.unwrap_err();
            assert_eq!(failure, format!("no access token: the --token-command {story}"));
        }
    }

    #[test]
    fn the_command_line_is_not_shown() {
        let proof = Proof::token_command("PASSWORD=secret get-token --password secret");
        assert_eq!(proof.to_string(), "the tokens that get-token prints");
        let kept = serde_json::to_string(&proof).unwrap();
        assert!(!format!("{proof:?}{kept}").contains("secret"));
        let read: Proof = serde_json::from_str(&kept).unwrap();
        assert_eq!(read, Proof::TokenCommand { program: "get-token".to_owned(), command: String::new() });
    }
}
