//! Finding out what Google does not document, in a throwaway space in import mode that is created and deleted again.

use std::time::Duration;

use jiff::Zoned;

use super::findings::{Findings, Repeat, Second};
use crate::caller::Caller;
use crate::chat::{Answer, Call, Cause, Chat, Failure, Listing, Membership, NewSpace};
use crate::model::{MemberName, NameError, SpaceName, Span, Timestamp};

/// How long after a call a list is taken to show what it did; nobody documents it.
const LOOK_AFTER: Duration = Duration::from_secs(2);
/// How often the space is deleted before it is said to be left behind.
const DELETIONS_MAX: u32 = 3;

/// What a probe is going to do.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The Chat API that is asked.
    pub endpoint: String,
    /// Whose memberships are made: the acting person's own.
    pub subject: MemberName,
    /// What the space is called for its short life.
    pub display_name: String,
    /// The same id makes the space only once.
    pub request_id: String,
    /// When.
    pub now: Timestamp,
}

impl Plan {
    /// Plans a probe.
    ///
    /// # Errors
    /// When the acting person's address is none.
    pub fn new(endpoint: &str, subject: &str, request_id: String, now: &Zoned) -> Result<Plan, NameError> {
        Ok(Plan {
            endpoint: endpoint.to_owned(),
            subject: MemberName::parse(subject)?,
            display_name: format!("tenure probe {}", now.strftime("%Y-%m-%d %H:%M:%S")),
            request_id,
            now: Timestamp::from_micros(now.timestamp().as_microsecond()),
        })
    }

    /// What it is going to do, for somebody who has to agree.
    pub fn text(&self) -> String {
        let subject = self.subject.address().unwrap_or(self.subject.as_str());
        format!(
            "The probe finds out what Google does not document. At {}, as {subject}, it will\n\
             \x20 1. create a space in import mode, called \"{}\": nobody is in it, nobody sees it\n\
             \x20 2. create two historical memberships of {subject} in it (in January and in March 2020), one of them twice\n\
             \x20 3. list its members\n\
             \x20 4. delete the space\n\
             Nothing else is touched; it takes eight calls.\n",
            self.endpoint, self.display_name
        )
    }
}

/// Why a probe has found out nothing.
#[derive(Debug)]
pub enum ProbeError {
    /// There is no space to probe in.
    NotCreated(Failure),
    /// A call that has to work did not. The space is deleted.
    Failed {
        /// What it was to do.
        what: &'static str,
        /// What happened.
        failure: Failure,
    },
    /// The space is still there, whatever else happened.
    LeftBehind {
        /// Which.
        space: SpaceName,
        /// Why it could not be deleted.
        failure: Failure,
    },
    /// Chat answered with something that makes no sense.
    Senseless(&'static str),
}

/// Carries out the plan. `said` is told each step. The space is deleted whatever happens in between.
///
/// # Errors
/// When the space cannot be created or deleted, or a call fails that has to work.
pub async fn probe<C: Chat>(
    caller: &Caller<C>,
    plan: &Plan,
    mut said: impl FnMut(&str),
) -> Result<Findings, ProbeError> {
    let new = NewSpace {
        request_id: plan.request_id.clone(),
        display_name: plan.display_name.clone(),
        space_type: "SPACE".to_owned(),
        import_mode: true,
        create_time: Some(day(0)),
        external_user_allowed: false,
        description: None,
    };
    let created = match caller.call(Call::CreateSpace(Box::new(new))).await {
        Ok(Answer::Space(space)) => space,
        Ok(_) => {
            return Err(ProbeError::Senseless("spaces.create answered with something else than a space"));
        }
        Err(failure) => return Err(ProbeError::NotCreated(failure)),
    };
    let space = SpaceName::parse(&created.name)
        .map_err(|_| ProbeError::Senseless("spaces.create answered without a name"))?;
    said(&format!("created {space}"));
    let found = ask(caller, plan, &space, created.import_mode_expire_time.is_some(), &mut said).await;
    match delete(caller, &space).await {
        Ok(()) => said(&format!("deleted {space}")),
        Err(failure) => return Err(ProbeError::LeftBehind { space, failure }),
    }
    found
}

/// Deletes the space. Where the answer does not tell, a list does: what is gone cannot be listed.
async fn delete<C: Chat>(caller: &Caller<C>, space: &SpaceName) -> Result<(), Failure> {
    let mut deletions = 0;
    loop {
        let Err(failure) = caller.call(Call::DeleteSpace(space.clone())).await else { return Ok(()) };
        deletions += 1;
        match list(caller, space).await {
            Err(ProbeError::Failed { failure: Failure::Refused(refusal), .. })
                if matches!(refusal.cause(), Cause::Denied | Cause::NotFound) =>
            {
                return Ok(());
            }
            Ok(_) if deletions < DELETIONS_MAX => {}
            _ => return Err(failure),
        }
    }
}

/// Days after 2020-01-01.
fn day(days: i64) -> Timestamp {
    Timestamp::from_micros((1_577_836_800 + days * 86_400) * 1_000_000)
}

async fn ask<C: Chat>(
    caller: &Caller<C>,
    plan: &Plan,
    space: &SpaceName,
    expire_time_told: bool,
    said: &mut impl FnMut(&str),
) -> Result<Findings, ProbeError> {
    let stint = |from: i64| Span { create_time: Some(day(from)), delete_time: Some(day(from + 20)) };
    let (first, second) = (stint(1), stint(60));
    let create = |span| Call::CreateMember { space: space.clone(), member: plan.subject.clone(), span };

    let made = match caller.call(create(first)).await {
        Ok(Answer::Member(membership)) => membership,
        Ok(_) => return Err(ProbeError::Senseless("members.create answered with something else")),
        Err(failure) => return Err(ProbeError::Failed { what: "create a historical membership", failure }),
    };
    let own = |listed: &[Membership]| -> Vec<Span> {
        let same = |other: &&Membership| match (&made.user, &other.user) {
            (Some(made), Some(other)) => made == other,
            _ => made.name == other.name,
        };
        listed.iter().filter(same).map(|membership| membership.span).collect()
    };
    let after_first = own(&list_later(caller, space).await?);
    said("created a membership, and looked");

    let repeated = decided(caller.call(create(first)).await, "repeat a create")?;
    let after_repeat = own(&list_later(caller, space).await?);
    said("created it again, and looked");
    let repeated_create = match &repeated {
        Some(_) => Repeat::Refused,
        None if after_first.is_empty() => Repeat::Untold,
        None if after_repeat.len() > after_first.len() => Repeat::Doubled,
        None => Repeat::Same,
    };

    let other = decided(caller.call(create(second)).await, "create a second stint")?;
    let after_second = own(&list_later(caller, space).await?);
    said("created a second stint, and looked");
    let second_stint = match &other {
        Some(_) => Second::Refused,
        None if after_first.is_empty() => Second::Untold,
        None if after_second.len() > after_repeat.len() => Second::Kept,
        None if after_second.contains(&second) => Second::ReplacesTheFirst,
        // Without times, what replaces the first looks just like it.
        None if !after_first.contains(&first) => Second::Untold,
        None => Second::Lost,
    };

    Ok(Findings {
        endpoint: plan.endpoint.clone(),
        probed_at: plan.now.to_whole_seconds().to_string(),
        second_stint,
        second_stint_answer: other,
        repeated_create,
        repeated_create_answer: repeated,
        list_shows_history: !after_first.is_empty(),
        list_echoes_times: after_first.contains(&first),
        create_echoes_times: made.span == first,
        expire_time_told,
    })
}

/// `None` when it was accepted; the refusal in Chat's words when it was refused for good.
fn decided(result: Result<Answer, Failure>, what: &'static str) -> Result<Option<String>, ProbeError> {
    match result {
        Ok(_) => Ok(None),
        Err(Failure::Refused(refusal)) if is_final(refusal.cause()) => Ok(Some(refusal.to_string())),
        Err(failure) => Err(ProbeError::Failed { what, failure }),
    }
}

/// Whether a refusal is about what was asked, and not about the quota, the set-up or bad weather.
fn is_final(cause: Cause) -> bool {
    matches!(cause, Cause::Exists | Cause::Invalid | Cause::Precondition | Cause::Denied | Cause::NotFound)
}

async fn list_later<C: Chat>(caller: &Caller<C>, space: &SpaceName) -> Result<Vec<Membership>, ProbeError> {
    tokio::time::sleep(LOOK_AFTER).await;
    list(caller, space).await
}

async fn list<C: Chat>(caller: &Caller<C>, space: &SpaceName) -> Result<Vec<Membership>, ProbeError> {
    let call = Call::ListMembers { space: space.clone(), listing: Listing::whole(), page_token: None };
    match caller.call(call).await {
        Ok(Answer::Members(page)) => Ok(page.memberships),
        Ok(_) => Err(ProbeError::Senseless("members.list answered with something else")),
        Err(failure) => Err(ProbeError::Failed { what: "list the members", failure }),
    }
}
