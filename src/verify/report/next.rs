//! What is typed after a look at Chat's lists has found them as they should be.

use crate::wording::quoted;

/// The command line that comes then, for a journal; `needs` is what has to be typed again. `completed` says whether no
/// space of it is in import mode any more: what was refused can be mended and sent only until then.
pub fn next_command(completed: bool, rejected: u64, journal: &str, needs: &str) -> String {
    let journal = quoted(journal);
    match (completed, rejected) {
        (true, _) => format!("tenure report {journal} -o report.html"),
        (false, 0) => format!("tenure complete {journal}{needs}"),
        (false, _) => format!("tenure rejects {journal} --reasons"),
    }
}
