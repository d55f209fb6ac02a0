//! `tenure man`: manual pages.

use std::fs;
use std::path::Path;

use super::{Usage, note, print};
use crate::cli::{self, ManArgs};
use crate::exit::Exit;
use crate::input::suggest::is_near;
use crate::wording::{many, trouble_making};

pub(super) fn run(args: &ManArgs) -> anyhow::Result<Exit> {
    let pages = cli::pages()?;
    if let Some(folder) = &args.output {
        let at = |path: &Path, error| anyhow::anyhow!("{}: {}", path.display(), trouble_making(&error));
        if folder.exists() && !folder.is_dir() {
            anyhow::bail!("{}: it is a file, and pages are written to a folder", folder.display());
        }
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
        let near = pages.iter().map(|page| page.command.join(" ")).find(|known| is_near(&words, known));
        let meant = near.map(|near| format!(" did you mean `{near}`?")).unwrap_or_default();
        return Err(Usage(format!("there is no command `{words}`;{meant} `tenure --help` lists them")).into());
    };
    print(&String::from_utf8_lossy(&page.text))?;
    Ok(Exit::Done)
}
