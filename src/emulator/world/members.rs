//! `spaces.members`: create, get, delete, patch.

use serde_json::{Map, Value, json};

use super::change::{Change, MembershipRecord, RoleRecord};
use super::ids::Who;
use super::payload::Body;
use super::refusal::Refusal;
use super::state::{Key, Space, Stint};
use super::{Context, RepeatedCreate, Rules, Scopes, SecondStint, World};
use crate::model::{Role, Timestamp};

/// Most people in a GROUP_CHAT and in a SPACE (limits guide).
const GROUP_CHAT_MEMBERS_MAX: usize = 400;
const SPACE_MEMBERS_MAX: usize = 500_000;

impl World {
    pub(super) fn members_create(&mut self, context: &mut Context<'_>) -> Result<Value, Refusal> {
        let body = Body::membership(context.body)?;
        self.space(context)?;
        let rules = &self.rules;
        let space = self.state.spaces.get(context.call.space).ok_or_else(Refusal::internal)?;
        if space.in_import_mode {
            context.may_import()?;
        }
        let who = named(&body)?;
        let record = if space.in_import_mode {
            historical(rules, context, space, &body, who)?
        } else {
            of_now(rules, context, space, &body, who)?
        };
        let stint = Stint {
            create_time: record.create_time,
            delete_time: record.delete_time,
            role: record.role,
            invited: record.invited,
        };
        let answer =
            membership(context.call.space, &record.member, &stint, stint.state(), rules.times_echoed);
        self.commit(context, Change::Membership(record))?;
        Ok(answer)
    }

    pub(super) fn members_get(&mut self, context: &mut Context<'_>) -> Result<Value, Refusal> {
        let times_echoed = self.rules.times_echoed;
        let space = self.space(context)?;
        // No scope that get accepts reaches into import mode.
        if space.in_import_mode {
            return Err(Refusal::no_such_space());
        }
        may_look(context, space)?;
        let who = Who::member(&context.call.member).ok_or_else(Refusal::malformed_user)?;
        let member = space.current.get(&Key::new(&who.id)).ok_or_else(no_membership)?;
        let stint = member.stints.first().ok_or_else(Refusal::internal)?;
        Ok(membership(context.call.space, &who.id, stint, stint.state(), times_echoed))
    }

    /// In import mode a name stands for every stint of that member, and all of them go.
    pub(super) fn members_delete(&mut self, context: &mut Context<'_>) -> Result<Value, Refusal> {
        Body::nothing(context.body)?;
        let times_echoed = self.rules.times_echoed;
        let import_scope = self.rules.import_scope_after_completion;
        let deleted_echoed = self.rules.deleted_echoed;
        let space = self.space(context)?;
        if space.in_import_mode {
            context.may_import()?;
        }
        let who = Who::member(&context.call.member).ok_or_else(Refusal::malformed_user)?;
        let roster = if space.in_import_mode { &space.history } else { &space.current };
        let member = roster.get(&Key::new(&who.id));
        if !space.in_import_mode {
            may_remove(context, space, &who, import_scope)?;
        }
        let stint = member.and_then(|member| member.stints.last()).ok_or_else(no_membership)?;
        if !space.in_import_mode && stint.role == Some(Role::Manager) && space.managers == 1 {
            return Err(sole_manager());
        }
        let answer = membership(context.call.space, &who.id, stint, "NOT_A_MEMBER", times_echoed);
        let name = membership_name(context.call.space, &who.id);
        self.commit(context, Change::DeletedMembership(name))?;
        Ok(if deleted_echoed { answer } else { json!({}) })
    }

    pub(super) fn members_patch(&mut self, context: &mut Context<'_>) -> Result<Value, Refusal> {
        let body = Body::membership(context.body)?;
        let times_echoed = self.rules.times_echoed;
        let import_scope = self.rules.import_scope_after_completion;
        match context.query.update_mask.as_deref() {
            None => return Err(Refusal::invalid("update_mask is required.")),
            Some("role" | "*") => {}
            Some(other) => {
                return Err(Refusal::invalid(format!("update_mask supports only role, not {other:?}.")));
            }
        }
        let role: Role = body
            .text(&["role"])
            .and_then(|role| role.parse().ok())
            .ok_or_else(|| Refusal::invalid("membership.role must be a role that a member can have."))?;
        let space = self.space(context)?;
        if space.in_import_mode {
            context.may_import()?;
            return Err(Refusal::precondition("Historical memberships can't be updated."));
        }
        let who = Who::member(&context.call.member).ok_or_else(Refusal::malformed_user)?;
        let old = space.current.get(&Key::new(&who.id)).and_then(|member| member.stints.first());
        let (touches_managers, manages) = (
            role == Role::Manager || old.is_some_and(|stint| stint.role == Some(Role::Manager)),
            space.role_of(context.person()),
        );
        let allowed = as_administrator(context)
            || as_app(context)
            || by_scope(context, import_scope)
                && match manages {
                    Some(Role::Manager) => true,
                    Some(Role::AssistantManager) => !touches_managers,
                    _ => false,
                };
        if !allowed {
            return Err(Refusal::denied("Only a space manager can change this role."));
        }
        let mut stint = old.ok_or_else(no_membership)?.clone();
        if space.record.space_type != "SPACE" {
            return Err(Refusal::invalid("Only members of a space of type SPACE have roles."));
        }
        if stint.invited {
            return Err(Refusal::precondition("Somebody who is only invited has no role yet."));
        }
        if who.is_group() || who.is_app() {
            return Err(Refusal::invalid("Only a person's role can be changed."));
        }
        if stint.role == Some(Role::Manager) && role != Role::Manager && space.managers == 1 {
            return Err(sole_manager());
        }
        stint.role = Some(role);
        let name = membership_name(context.call.space, &who.id);
        self.commit(context, Change::Role(RoleRecord { name, role: Some(role) }))?;
        Ok(membership(context.call.space, &who.id, &stint, stint.state(), times_echoed))
    }
}

/// The member that a body names.
fn named(body: &Body) -> Result<Who, Refusal> {
    let bot = body.text(&["member", "type"]) == Some("BOT");
    match (body.has("member"), body.has("groupMember")) {
        (true, true) => Err(Refusal::invalid("member and groupMember can't both be set.")),
        (false, true) => body
            .text(&["groupMember", "name"])
            .and_then(Who::group)
            .ok_or_else(|| Refusal::invalid("Missing or malformed group resource name in the request.")),
        _ => {
            let who =
                body.text(&["member", "name"]).and_then(Who::user).ok_or_else(Refusal::malformed_user)?;
            if bot && !who.is_app() {
                return Err(Refusal::invalid(
                    "The only app that can be added is the calling one, users/app.",
                ));
            }
            Ok(who)
        }
    }
}

/// A membership that has ended, for a space in import mode.
fn historical(
    rules: &Rules,
    context: &Context<'_>,
    space: &Space,
    body: &Body,
    who: Who,
) -> Result<MembershipRecord, Refusal> {
    let (create_time, delete_time) = historical_times(body, space, context.now)?;
    if who.is_group() {
        return Err(Refusal::invalid("A Google Group can't have a historical membership."));
    }
    if who.is_app() {
        return Err(Refusal::invalid("A Chat app can't have a historical membership."));
    }
    if !rules.home_domains.is_empty() && who.address.is_some() && !who.is_in(&rules.home_domains) {
        return Err(Refusal::invalid(
            "Historical memberships are for users of the same Workspace organization.",
        ));
    }
    if let Some(member) = space.history.get(&Key::new(&who.id)) {
        let same = |stint: &Stint| stint.create_time == create_time && stint.delete_time == Some(delete_time);
        let refused = match member.stints.iter().any(same) {
            true => rules.repeated_create == RepeatedCreate::Refuse,
            false => rules.second_stint == SecondStint::Refuse,
        };
        if refused {
            return Err(already_a_member());
        }
    }
    Ok(MembershipRecord {
        name: membership_name(context.call.space, &who.id),
        member: who.id,
        address: who.address,
        role: Some(Role::Member),
        create_time,
        delete_time: Some(delete_time),
        invited: false,
    })
}

/// A membership of now, for a space that is not in import mode.
fn of_now(
    rules: &Rules,
    context: &Context<'_>,
    space: &Space,
    body: &Body,
    who: Who,
) -> Result<MembershipRecord, Refusal> {
    may_add(context, space, &who)?;
    if body.has("createTime") || body.has("deleteTime") {
        return Err(Refusal::invalid(
            "createTime and deleteTime can only be set while the space is in import mode.",
        ));
    }
    if space.current.contains_key(&Key::new(&who.id)) {
        return Err(already_a_member());
    }
    let most = if space.record.space_type == "SPACE" { SPACE_MEMBERS_MAX } else { GROUP_CHAT_MEMBERS_MAX };
    if space.current.len() >= most {
        return Err(Refusal::precondition("The space has as many members as it can have."));
    }
    let invited = who.is_in(&rules.invited_domains);
    Ok(MembershipRecord {
        name: membership_name(context.call.space, &who.id),
        role: (!who.is_group() && !invited).then_some(Role::Member),
        member: who.id,
        address: who.address,
        create_time: context.now,
        delete_time: None,
        invited,
    })
}

/// Both ends of a historical membership, held against the rules of the import-data guide:
/// space's createTime <= createTime < deleteTime <= now.
fn historical_times(body: &Body, space: &Space, now: Timestamp) -> Result<(Timestamp, Timestamp), Refusal> {
    let Some(delete_time) = body.time("deleteTime") else {
        return Err(Refusal::invalid(
            "Adding normal memberships isn't supported for spaces in import mode. Set deleteTime to add a \
             historical one.",
        ));
    };
    if delete_time > now {
        return Err(Refusal::invalid("membership.delete_time can't be in the future."));
    }
    if delete_time <= space.record.create_time {
        return Err(Refusal::invalid("membership.delete_time must be after the space's create_time."));
    }
    let create_time = body.time("createTime").unwrap_or(delete_time.just_before());
    if create_time < space.record.create_time {
        return Err(Refusal::invalid("membership.create_time can't be before the space's create_time."));
    }
    if create_time >= delete_time {
        return Err(Refusal::invalid("membership.create_time must be before membership.delete_time."));
    }
    Ok((create_time, delete_time))
}

pub(super) fn as_administrator(context: &Context<'_>) -> bool {
    context.query.admin_access
}

fn as_app(context: &Context<'_>) -> bool {
    context.grant.any(Scopes::APP_MEMBERSHIPS)
}

/// A person's own scope for memberships, and `chat.import` where the rules let it count.
fn by_scope(context: &Context<'_>, import_counts: bool) -> bool {
    context.grant.any(Scopes::MEMBERSHIPS) || import_counts && context.grant.any(Scopes::IMPORT)
}

/// Who may look at the members of a completed or ordinary space.
pub(super) fn may_look(context: &Context<'_>, space: &Space) -> Result<(), Refusal> {
    let allowed =
        as_administrator(context) || context.grant.any(Scopes::OF_APPS) || space.is_member(context.person());
    if allowed { Ok(()) } else { Err(Refusal::no_such_space()) }
}

fn may_add(context: &Context<'_>, space: &Space, who: &Who) -> Result<(), Refusal> {
    let person = context.person();
    if who.is_app() {
        let own = context.grant.any(Scopes::MEMBERSHIPS_APP) && space.is_member(person);
        return if own { Ok(()) } else { Err(Refusal::denied("Adding the app needs chat.memberships.app.")) };
    }
    if as_administrator(context) {
        return Ok(());
    }
    if as_app(context) {
        let group = who.is_group();
        return if group { Err(Refusal::denied("An app can't add groups.")) } else { Ok(()) };
    }
    if context.grant.any(Scopes::MEMBERSHIPS) && space.is_member(person) {
        return Ok(());
    }
    // For the members of now that an import leaves to be added (import-data guide).
    let in_time = context.now < space.import_mode_expire_time();
    let manages = space.role_of(person) == Some(Role::Manager) || space.record.space_type != "SPACE";
    if context.grant.any(Scopes::IMPORT) && in_time && manages && space.is_member(person) {
        return Ok(());
    }
    Err(Refusal::no_such_space())
}

fn may_remove(context: &Context<'_>, space: &Space, who: &Who, import_counts: bool) -> Result<(), Refusal> {
    let person = context.person();
    if who.is_app() {
        let own = context.grant.any(Scopes::MEMBERSHIPS_APP) && space.is_member(person)
            || context.grant.any(Scopes::APP_MEMBERSHIPS);
        return if own {
            Ok(())
        } else {
            Err(Refusal::denied("Removing the app needs chat.memberships.app."))
        };
    }
    if as_administrator(context) || as_app(context) {
        return Ok(());
    }
    if !by_scope(context, import_counts) || !space.is_member(person) {
        return Err(Refusal::no_such_space());
    }
    let allowed = match space.role_of(person) {
        Some(Role::Manager) => true,
        Some(Role::AssistantManager) => space.role_of(&who.id) != Some(Role::Manager),
        _ => who.id == person || space.record.space_type != "SPACE",
    };
    if allowed { Ok(()) } else { Err(Refusal::denied("Only a space manager can remove this member.")) }
}

fn already_a_member() -> Refusal {
    Refusal::already_exists("The membership already exists.")
}

fn no_membership() -> Refusal {
    Refusal::not_found("The membership doesn't exist.")
}

fn sole_manager() -> Refusal {
    Refusal::precondition(
        "The only space manager can't leave or step down. Make somebody else a manager first.",
    )
}

/// `spaces/{space}/members/{member}`: the member's id without its collection.
pub(super) fn membership_name(space: &str, member: &str) -> String {
    let part = member.split_once('/').map_or(member, |(_, part)| part);
    format!("{space}/members/{part}")
}

/// A Membership resource. Never with an address: Chat shows canonical ids only.
pub(super) fn membership(space: &str, member: &str, stint: &Stint, state: &str, times: bool) -> Value {
    let mut out = Map::with_capacity(6);
    out.insert("name".to_owned(), Value::String(membership_name(space, member)));
    out.insert("state".to_owned(), Value::String(state.to_owned()));
    if member.starts_with("groups/") {
        out.insert("groupMember".to_owned(), json!({ "name": member }));
    } else {
        let kind = if member == "users/app" { "BOT" } else { "HUMAN" };
        out.insert("member".to_owned(), json!({ "name": member, "type": kind }));
    }
    if let Some(role) = stint.role {
        out.insert("role".to_owned(), Value::String(role.as_str().to_owned()));
    }
    if times {
        out.insert("createTime".to_owned(), Value::String(stint.create_time.to_string()));
        if let Some(time) = stint.delete_time {
            out.insert("deleteTime".to_owned(), Value::String(time.to_string()));
        }
    }
    Value::Object(out)
}
