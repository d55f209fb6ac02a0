//! Google Chat as far as memberships go: a pure state machine. No I/O, no clock, no randomness.
//!
//! [`World::handle`] takes the time and a request and gives the answer, plus the changes that have to be kept.
//! A handler decides, says what changes, and `State::apply` makes the change; a store's log is replayed through
//! the same door, so that a world read back is the world that was written.

mod call;
mod change;
#[cfg(test)]
mod facts;
mod ids;
mod listing;
mod members;
mod payload;
mod query;
mod refusal;
mod rules;
mod scope;
mod spaces;
mod state;
#[cfg(test)]
mod tests;

use serde_json::Value;

pub use call::{Api, Call};
pub use change::{Change, MembershipRecord, RoleRecord, SpaceRecord};
pub use refusal::Refusal;
pub(crate) use refusal::SERVICE;
pub use rules::{RepeatedCreate, Rules, SecondStint};
pub use scope::{Principal, Scopes, UnknownScope};
pub use state::ChangeError;

use crate::model::{EARLIEST, Role, SpaceName, Timestamp};
use query::Query;
use state::{Space, State};

/// A request to the API, as it comes off the wire.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// `GET`, `POST`, ...
    pub method: &'a str,
    /// The path, e.g. `/v1/spaces/AAAA/members`, still escaped.
    pub path: &'a str,
    /// What follows the `?`, still escaped; empty for nothing.
    pub query: &'a str,
    /// What the access token stands for. `None`: there is no token, or it is not valid.
    pub principal: Option<&'a Principal>,
    /// The body; empty for none.
    pub body: &'a [u8],
}

/// The answer to a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// The resource, or Google's error envelope.
    pub body: Value,
    /// What the request changed, already made here: to be kept before the answer leaves.
    pub changes: Vec<Change>,
}

/// A membership that the world holds, for those who look from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held<'a> {
    /// `spaces/{space}`.
    pub space: &'a str,
    /// `users/{id}`, `users/app` or `groups/{id}`.
    pub member: &'a str,
    /// The address it was created with, in lower case.
    pub address: Option<&'a str>,
    /// When it began.
    pub create_time: Timestamp,
    /// When it ended; `None` for a member of now.
    pub delete_time: Option<Timestamp>,
    /// The role; groups have none.
    pub role: Option<Role>,
}

/// The state of Chat, and the rules it follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct World {
    rules: Rules,
    state: State,
}

/// What the handlers of one call share.
struct Context<'a> {
    now: Timestamp,
    call: &'a Call<'a>,
    principal: &'a Principal,
    /// The token's scopes that may serve this call.
    grant: Scopes,
    query: Query,
    body: &'a [u8],
    changes: &'a mut Vec<Change>,
}

impl World {
    /// An empty world.
    pub fn new(rules: Rules) -> Self {
        World { rules, state: State::default() }
    }

    /// The rules in force.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Other rules from now on.
    pub fn set_rules(&mut self, rules: Rules) {
        self.rules = rules;
    }

    /// Answers a request. The same world, time and request give the same answer.
    pub fn handle(&mut self, now: Timestamp, request: &Request<'_>) -> Response {
        let mut changes = Vec::new();
        match self.answer(now, request, &mut changes) {
            Ok(body) => Response { status: 200, body, changes },
            Err(refusal) => Response { status: refusal.code, body: refusal.to_json(), changes },
        }
    }

    fn answer(
        &mut self,
        now: Timestamp,
        request: &Request<'_>,
        changes: &mut Vec<Change>,
    ) -> Result<Value, Refusal> {
        let call = Call::parse(request.method, request.path)
            .ok_or_else(|| Refusal::not_found("The API has no such method."))?;
        let principal = request.principal.ok_or_else(|| Refusal::unauthenticated(SERVICE))?;
        let query = Query::parse(call.api, request.query)?;
        let grant = principal.authorise(call.api, query.admin_access)?;
        self.rules.admit(principal)?;
        let mut context = Context { now, call: &call, principal, grant, query, body: request.body, changes };
        match call.api {
            Api::MembersCreate => self.members_create(&mut context),
            Api::MembersList => self.members_list(&mut context),
            Api::MembersGet => self.members_get(&mut context),
            Api::MembersDelete => self.members_delete(&mut context),
            Api::MembersPatch => self.members_patch(&mut context),
            Api::SpacesCreate => self.spaces_create(&mut context),
            Api::SpacesList => self.spaces_list(&context),
            Api::SpacesGet => self.spaces_get(&mut context),
            Api::SpacesPatch => self.spaces_patch(&mut context),
            Api::SpacesDelete => self.spaces_delete(&mut context),
            Api::CompleteImport => self.complete_import(&mut context),
        }
    }

    /// Puts a space into the world, in import mode since `now` with a `createTime` of 2000-01-01T00:00:00Z, unless
    /// there is or was one of that name. The change has to be kept like that of a request.
    pub fn ensure_space(&mut self, name: &SpaceName, now: Timestamp) -> Option<Change> {
        if self.state.spaces.contains_key(name.as_str()) {
            return None;
        }
        let change = Change::Space(SpaceRecord {
            name: name.as_str().to_owned(),
            display_name: name.id().to_owned(),
            space_type: "SPACE".to_owned(),
            import_mode: true,
            create_time: EARLIEST,
            created: now,
            request_id: None,
            creator: None,
            external_user_allowed: false,
            description: None,
        });
        self.state.apply(&change).ok()?;
        Some(change)
    }

    /// Puts an ordinary space into the world, managed by this person, unless there is or was one of that name. The
    /// changes have to be kept like those of a request.
    pub fn ensure_standard_space(&mut self, name: &SpaceName, manager: &str, now: Timestamp) -> Vec<Change> {
        let Some(space) = self.ensure_space(name, now) else { return Vec::new() };
        let manager = Principal::new(Scopes::NONE, Some(manager));
        let Some(person) = manager.person() else { return vec![space] };
        let member = Change::Membership(MembershipRecord {
            name: members::membership_name(name.as_str(), &person.id),
            member: person.id.clone(),
            address: Some(person.address.clone()),
            role: Some(Role::Manager),
            create_time: now,
            delete_time: None,
            invited: false,
        });
        let completed = Change::CompletedSpace(name.as_str().to_owned());
        let made = [completed, member].into_iter().filter(|change| self.state.apply(change).is_ok());
        std::iter::once(space).chain(made.collect::<Vec<_>>()).collect()
    }

    /// Makes a change that an earlier world reported.
    ///
    /// # Errors
    /// When it does not follow from the changes before it.
    pub fn replay(&mut self, change: &Change) -> Result<(), ChangeError> {
        self.state.apply(change)
    }

    /// Every membership held, historical ones of completed spaces included, those of deleted spaces not.
    pub fn memberships(&self) -> impl Iterator<Item = Held<'_>> {
        self.state.spaces.values().flat_map(|space| {
            space.history.iter().chain(&space.current).flat_map(move |(key, member)| {
                member.stints.iter().map(move |stint| Held {
                    space: &space.record.name,
                    member: &key.id,
                    address: member.address.as_deref(),
                    create_time: stint.create_time,
                    delete_time: stint.delete_time,
                    role: stint.role,
                })
            })
        })
    }

    /// Whether there is a space of this name, and if so, whether it is still in import mode.
    pub fn import_mode_of(&self, space: &str, now: Timestamp) -> Option<bool> {
        let space = self.state.spaces.get(space)?;
        (!space.is_gone(now)).then_some(space.in_import_mode)
    }

    /// The space that the call is about.
    fn space(&mut self, context: &mut Context<'_>) -> Result<&Space, Refusal> {
        let name = context.call.space;
        if self.rules.any_space && !self.state.spaces.contains_key(name) {
            let name = SpaceName::parse(name)
                .map_err(|_| Refusal::invalid("Missing or malformed space resource name in the request."))?;
            context.changes.extend(self.ensure_space(&name, context.now));
        }
        let space = self.state.spaces.get(name).ok_or_else(Refusal::no_such_space)?;
        if space.is_gone(context.now) { Err(Refusal::no_such_space()) } else { Ok(space) }
    }

    /// Makes a change that a handler has decided on.
    fn commit(&mut self, context: &mut Context<'_>, change: Change) -> Result<(), Refusal> {
        self.state.apply(&change).map_err(|_| Refusal::internal())?;
        context.changes.push(change);
        Ok(())
    }
}

impl Context<'_> {
    /// Only `chat.import`, in somebody's name, reaches into a space in import mode.
    fn may_import(&self) -> Result<(), Refusal> {
        if self.grant.any(Scopes::IMPORT) { Ok(()) } else { Err(Refusal::no_such_space()) }
    }

    /// The impersonated person's `users/{id}`; empty, so nobody, for the app itself.
    fn person(&self) -> &str {
        self.principal.person().map_or("", |person| &person.id)
    }
}
