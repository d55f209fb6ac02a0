//! `tenure man`: manual pages.

use std::fs;
use std::path::Path;

use super::{Usage, note, print};
use crate::cli::{self, ManArgs};
use crate::exit::Exit;
use crate::wording::{many, trouble};

pub(super) fn run(args: &ManArgs) -> anyhow::Result<Exit> {
    let pages = cli::pages()?;
    if let Some(folder) = &args.output {
        let at = |path: &Path, error| anyhow::anyhow!("{}: {}", path.display(), trouble(&error));
        fs::create_dir_all(folder).map_err(|error| at(folder, error))?;
        for page in &pages {
            let path = folder.join(page.file_name());
            fs::write(&path, &page.text).map_err(|error| at(&path, error))?;
        }
        note(&format!("{} written to {}", many(pages.len() as u64, "page"), folder.display()));
        return Ok(Exit::Done);
    }
    let Some(page) = pages.iter().find(|page| page.command == args.command) else {
        let words = args.command.join(" ");
        return Err(Usage(format!("there is no command `tenure {words}`; `tenure --help` lists them")).into());
    };
    print(&String::from_utf8_lossy(&page.text))?;
    Ok(Exit::Done)
}
