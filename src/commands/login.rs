//! `tenure login` and `tenure logout`: a person signs in, and out again.

use std::io::IsTerminal as _;
use std::path::PathBuf;

use anyhow::Context as _;
use rand::SeedableRng as _;
use rand::rngs::{StdRng, SysRng};

use super::{Usage, note, print};
use crate::cli::{LoginArgs, LogoutArgs};
use crate::credentials::Scope;
use crate::credentials::login::{ClientSecrets, SignIn, SignedOut, default_path, sign_out};
use crate::exit::Exit;
use crate::signals::Signals;
use crate::wording::quoted;

pub(super) async fn login(args: LoginArgs) -> anyhow::Result<Exit> {
    let secrets = ClientSecrets::read(&args.client_secrets)?;
    let path = place(args.output.clone())?;
    let mut scopes = vec![Scope::MEMBERSHIPS, Scope::MEMBERSHIPS_APP];
    if args.admin_access {
        scopes.push(Scope::ADMIN_MEMBERSHIPS);
    }
    let (signals, mut stops) = Signals::listen()?;
    let mut random = StdRng::try_from_rng(&mut SysRng).context("no randomness")?;
    let sign_in = SignIn::begin(secrets, scopes, args.port, args.login_hint, &mut random).await?;
    let url = sign_in.url();
    note("Open this in a browser on this machine, and sign in (Ctrl-C gives up):");
    print(&format!("{url}\n"))?;
    if !args.no_browser && std::io::stdout().is_terminal() {
        // Where there is none, the line above does.
        let _ = open::that_detached(&url);
    }
    let granted = tokio::select! {
        granted = sign_in.finish(&path) => granted?,
        _ = stops.recv() => return Ok(Exit::Signal(signals.received().unwrap_or(2))),
    };
    let names: Vec<&str> = granted.iter().map(|scope| scope.name()).collect();
    note(&format!("Signed in for {}; kept in {} (readable by you alone).", names.join(", "), path.display()));
    let credentials = match args.output {
        Some(path) => format!(" --credentials {}", quoted(&path.display().to_string())),
        None => String::new(),
    };
    let switch = if args.admin_access { "--admin-access" } else { "--standard-spaces" };
    note(&format!("Try it: tenure members list SPACE {switch}{credentials}"));
    Ok(Exit::Done)
}

pub(super) async fn logout(args: LogoutArgs) -> anyhow::Result<Exit> {
    let path = place(args.file)?;
    if !path.exists() {
        note(&format!("Nobody is signed in: there is no {}.", path.display()));
        return Ok(Exit::Done);
    }
    match sign_out(&path).await? {
        SignedOut::Revoked => {
            note(&format!("Signed out: the access is revoked, {} removed.", path.display()))
        }
        SignedOut::NotReached(story) => anyhow::bail!(
            "Google was not reached ({story}), so the access is not revoked and {} is still there: try again, or revoke it \
             at https://myaccount.google.com/permissions and remove the file yourself",
            path.display()
        ),
        SignedOut::FileOnly(story) => note(&format!(
            "{} is removed, but Google did not confirm that the access is revoked ({story}); make sure at \
             https://myaccount.google.com/permissions.",
            path.display()
        )),
    }
    Ok(Exit::Done)
}

fn place(given: Option<PathBuf>) -> Result<PathBuf, Usage> {
    given
        .or_else(default_path)
        .ok_or_else(|| Usage("there is no home folder to keep the sign-in in: name a file".to_owned()))
}
