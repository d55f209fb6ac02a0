//! Looking at how things are: calls that change nothing.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::examine::{Seen, SpaceSeen};
use crate::caller::Caller;
use crate::chat::{Access, Answer, Call, Chat, Listing};
use crate::model::SpaceName;
use crate::network::{Client, Endpoint};

/// How long a server may take to say anything.
const TIMEOUT: Duration = Duration::from_secs(20);
/// Spaces looked at at once.
const AT_ONCE: usize = 8;

/// Whether a server answers at all, and how far this machine's clock is ahead of its, in seconds, where it tells.
///
/// # Errors
/// Why it cannot be reached, in words.
pub async fn reach(server: &Endpoint) -> Result<Option<i64>, String> {
    let client = Client::new(TIMEOUT).map_err(|error| error.to_string())?;
    let reply = client.look(server.as_str()).await.map_err(|unanswered| unanswered.story().to_owned())?;
    Ok(reply.clock_ahead_s())
}

/// Looks at each space: whether it can be listed and, with the app's own token, what mode it is in. `pause` is how long
/// to wait between two spaces, for the quota's sake; `progress` is told how many were looked at.
pub async fn look_at_spaces<C: Chat>(
    caller: &Arc<Caller<C>>,
    as_app: bool,
    spaces: Vec<SpaceName>,
    pause: Duration,
    mut progress: impl FnMut(usize),
) -> Vec<SpaceSeen> {
    let mut looks = JoinSet::new();
    let mut seen = Vec::with_capacity(spaces.len());
    let mut take = |seen: &mut Vec<(usize, SpaceSeen)>, looked| {
        if let Ok(looked) = looked {
            seen.push(looked);
            progress(seen.len());
        }
    };
    for (place, space) in spaces.into_iter().enumerate() {
        if looks.len() >= AT_ONCE
            && let Some(looked) = looks.join_next().await
        {
            take(&mut seen, looked);
        }
        let caller = Arc::clone(caller);
        looks.spawn(async move {
            let seen = look_at(&caller, as_app, &space).await;
            (place, SpaceSeen { space, seen })
        });
        tokio::time::sleep(pause).await;
    }
    while let Some(looked) = looks.join_next().await {
        take(&mut seen, looked);
    }
    seen.sort_unstable_by_key(|(place, _)| *place);
    seen.into_iter().map(|(_, seen)| seen).collect()
}

async fn look_at<C: Chat>(caller: &Caller<C>, as_app: bool, space: &SpaceName) -> Seen {
    let listing = Listing { page_size: 1, ..Listing::whole() };
    let list = Call::ListMembers { space: space.clone(), listing, page_token: None };
    let listed = caller.call(list).await;
    let shown = if as_app { caller.call(Call::GetSpace(space.clone())).await.ok() } else { None };
    match (listed, shown) {
        // A completed space is refused to an import, and this says why.
        (Err(_), Some(Answer::Space(space))) if caller.access() == Access::Import && !space.import_mode => {
            Seen::Mode { import_mode: false, expires: None }
        }
        (Err(failure), _) => Seen::Refused(failure),
        (Ok(_), Some(Answer::Space(space))) => {
            Seen::Mode { import_mode: space.import_mode, expires: space.import_mode_expire_time }
        }
        (Ok(_), _) => Seen::Listed,
    }
}
