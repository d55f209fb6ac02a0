//! `spaces`: create, get, list, patch, delete, completeImport.

use std::ops::Bound;

use serde_json::{Map, Value, json};

use super::change::{Change, MembershipRecord, SpaceRecord};
use super::ids::scramble;
use super::listing::page_size;
use super::members::{as_administrator, membership_name};
use super::payload::Body;
use super::refusal::{Refusal, SERVICE};
use super::scope::Scopes;
use super::state::Space;
use super::{Context, World};
use crate::model::{EARLIEST, Role};

/// Longest `displayName`, in characters (API reference).
const DISPLAY_NAME_CHARS_MAX: usize = 128;

impl World {
    pub(super) fn spaces_create(&mut self, context: &mut Context<'_>) -> Result<Value, Refusal> {
        let body = Body::space(context.body)?;
        let import_mode = body.flag("importMode");
        let fits = if import_mode { Scopes::IMPORT } else { Scopes::ALL.without(Scopes::IMPORT) };
        if !context.grant.any(fits) {
            return Err(Refusal::scope_insufficient(SERVICE, context.call.api.rpc()));
        }
        let creator = context.principal.subject().map(str::to_owned);
        let request_id = context.query.request_id.clone();
        if let Some(name) = request_id.as_ref().and_then(|id| self.state.by_request_id.get(id)) {
            let space = self.state.spaces.get(name).ok_or_else(Refusal::internal)?;
            if space.record.creator != creator {
                return Err(Refusal::already_exists("The request ID was used by another user."));
            }
            if space.is_gone(context.now) {
                return Err(Refusal::no_such_space());
            }
            return Ok(self.show(space, self.rules.expire_time_echoed));
        }
        let space_type = match (body.text(&["spaceType"]), import_mode) {
            (Some(kind @ ("SPACE" | "GROUP_CHAT")), true) | (Some(kind @ "SPACE"), false) => kind,
            (_, true) => {
                return Err(Refusal::invalid("space_type must be SPACE or GROUP_CHAT in import mode."));
            }
            (_, false) => return Err(Refusal::invalid("space_type must be SPACE.")),
        };
        let display_name = body.text(&["displayName"]).unwrap_or("").trim();
        self.may_be_called(display_name, space_type, context)?;
        let create_time = match body.time("createTime").filter(|_| import_mode) {
            Some(time) if time < EARLIEST || time > context.now => {
                return Err(Refusal::invalid("space.create_time must be between January 1, 2000 and now."));
            }
            Some(time) => time,
            None => context.now,
        };
        let record = SpaceRecord {
            name: self.new_name(),
            display_name: display_name.to_owned(),
            space_type: space_type.to_owned(),
            import_mode,
            create_time,
            created: context.now,
            request_id,
            creator,
            external_user_allowed: body.flag("externalUserAllowed"),
            description: body.text(&["spaceDetails", "description"]).map(str::to_owned),
        };
        let name = record.name.clone();
        self.commit(context, Change::Space(record))?;
        // An ordinary space begins with its creator; nobody is in an imported one before it is completed.
        if !import_mode {
            self.add_manager(context, &name, Role::Manager)?;
        }
        let space = self.state.spaces.get(&name).ok_or_else(Refusal::internal)?;
        Ok(self.show(space, self.rules.expire_time_echoed))
    }

    pub(super) fn spaces_get(&mut self, context: &mut Context<'_>) -> Result<Value, Refusal> {
        self.space(context)?;
        let space = self.state.spaces.get(context.call.space).ok_or_else(Refusal::internal)?;
        let allowed = if space.in_import_mode {
            context.grant.any(Scopes::BOT)
        } else {
            as_administrator(context)
                || context.grant.any(Scopes::OF_APPS)
                || space.is_member(context.person())
        };
        if allowed { Ok(self.show(space, true)) } else { Err(Refusal::no_such_space()) }
    }

    /// The completed and ordinary spaces that the caller is in, by name; all of them for the app.
    pub(super) fn spaces_list(&self, context: &Context<'_>) -> Result<Value, Refusal> {
        let size = page_size(&context.query)?;
        let types = space_types(context.query.filter.as_deref().unwrap_or(""))?;
        let from = match &context.query.page_token {
            Some(token) if self.state.spaces.contains_key(token) => Bound::Excluded(token.as_str()),
            Some(_) => return Err(Refusal::invalid("The page token is not one of this request.")),
            None => Bound::Unbounded,
        };
        let app = context.grant.any(Scopes::BOT);
        let mut spaces = Vec::new();
        let mut last = None;
        let seen =
            self.state.spaces.range::<str, _>((from, Bound::Unbounded)).map(|(_, space)| space).filter(
                |space| {
                    !space.is_gone(context.now)
                        && !space.in_import_mode
                        && (types.is_empty() || types.contains(&space.record.space_type))
                        && (app || space.is_member(context.person()))
                },
            );
        let mut answer = Map::new();
        for space in seen {
            if spaces.len() == size {
                answer.insert("nextPageToken".to_owned(), json!(last));
                break;
            }
            spaces.push(self.show(space, true));
            last = Some(&space.record.name);
        }
        if !spaces.is_empty() {
            answer.insert("spaces".to_owned(), Value::Array(spaces));
        }
        Ok(Value::Object(answer))
    }

    pub(super) fn spaces_patch(&mut self, context: &mut Context<'_>) -> Result<Value, Refusal> {
        let body = Body::space(context.body)?;
        let mask =
            context.query.update_mask.clone().ok_or_else(|| Refusal::invalid("update_mask is required."))?;
        let space = self.space(context)?;
        may_change(context, space, Scopes::SPACES)?;
        let mut record = space.record.clone();
        for field in mask.split(',').map(str::trim) {
            match field {
                "displayName" | "display_name" => {
                    record.display_name = body.text(&["displayName"]).unwrap_or("").trim().to_owned();
                }
                "spaceDetails" | "space_details" => {
                    record.description = body.text(&["spaceDetails", "description"]).map(str::to_owned);
                }
                other => return Err(Refusal::invalid(format!("update_mask can't hold {other:?} here."))),
            }
        }
        if record.display_name != space.record.display_name {
            self.may_be_called(&record.display_name, &record.space_type, context)?;
        }
        self.commit(context, Change::Space(record))?;
        let space = self.state.spaces.get(context.call.space).ok_or_else(Refusal::internal)?;
        Ok(self.show(space, true))
    }

    pub(super) fn spaces_delete(&mut self, context: &mut Context<'_>) -> Result<Value, Refusal> {
        Body::nothing(context.body)?;
        let space = self.space(context)?;
        may_change(context, space, Scopes::DELETE)?;
        self.commit(context, Change::DeletedSpace(context.call.space.to_owned()))?;
        Ok(json!({}))
    }

    /// Ends import mode. The impersonated person becomes a manager and need not have created the space.
    pub(super) fn complete_import(&mut self, context: &mut Context<'_>) -> Result<Value, Refusal> {
        Body::nothing(context.body)?;
        let space = self.space(context)?;
        if !space.in_import_mode {
            return Err(Refusal::precondition("The space is not in import mode."));
        }
        // Everybody in a GROUP_CHAT is ROLE_MEMBER (API reference).
        let role = if space.record.space_type == "SPACE" { Role::Manager } else { Role::Member };
        self.commit(context, Change::CompletedSpace(context.call.space.to_owned()))?;
        self.add_manager(context, context.call.space, role)?;
        let space = self.state.spaces.get(context.call.space).ok_or_else(Refusal::internal)?;
        Ok(json!({"space": self.show(space, true)}))
    }

    fn add_manager(&mut self, context: &mut Context<'_>, space: &str, role: Role) -> Result<(), Refusal> {
        let Some(person) = context.principal.person() else {
            return Ok(());
        };
        let record = MembershipRecord {
            name: membership_name(space, &person.id),
            member: person.id.clone(),
            address: Some(person.address.clone()),
            role: Some(role),
            create_time: context.now,
            delete_time: None,
            invited: false,
        };
        self.commit(context, Change::Membership(record))
    }

    /// Whether a space of this type may have that name.
    fn may_be_called(&self, name: &str, space_type: &str, context: &Context<'_>) -> Result<(), Refusal> {
        if name.is_empty() && space_type == "SPACE" {
            return Err(Refusal::invalid("space.display_name is required for a space of type SPACE."));
        }
        if name.chars().count() > DISPLAY_NAME_CHARS_MAX {
            return Err(Refusal::invalid("space.display_name can have 128 characters at most."));
        }
        let holder = self.state.by_display_name.get(name).and_then(|holder| self.state.spaces.get(holder));
        if holder.is_some_and(|holder| !holder.is_gone(context.now) && !name.is_empty()) {
            return Err(Refusal::already_exists("A space of this display_name already exists."));
        }
        Ok(())
    }

    /// A name like Google's: eleven characters after `spaces/`. The same in every world with the same past.
    fn new_name(&self) -> String {
        const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let mut serial = self.state.spaces.len();
        loop {
            let mut bits = scramble(&format!("space {serial}"));
            let mut name = String::from("spaces/AAQA");
            for _ in 0..7 {
                name.push(char::from(LETTERS[(bits % 64) as usize]));
                bits /= 64;
            }
            if !self.state.spaces.contains_key(&name) {
                return name;
            }
            serial += 1;
        }
    }

    /// A Space resource.
    fn show(&self, space: &Space, expire_time: bool) -> Value {
        let record = &space.record;
        let mut out = Map::new();
        out.insert("name".to_owned(), json!(record.name));
        out.insert("type".to_owned(), json!("ROOM"));
        out.insert("spaceType".to_owned(), json!(record.space_type));
        if !record.display_name.is_empty() {
            out.insert("displayName".to_owned(), json!(record.display_name));
        }
        out.insert("spaceThreadingState".to_owned(), json!("THREADED_MESSAGES"));
        out.insert("spaceHistoryState".to_owned(), json!("HISTORY_ON"));
        if let Some(description) = &record.description {
            out.insert("spaceDetails".to_owned(), json!({ "description": description }));
        }
        if record.external_user_allowed {
            out.insert("externalUserAllowed".to_owned(), json!(true));
        }
        out.insert("createTime".to_owned(), json!(record.create_time.to_string()));
        if space.in_import_mode {
            out.insert("importMode".to_owned(), json!(true));
            if expire_time {
                let time = space.import_mode_expire_time().to_string();
                out.insert("importModeExpireTime".to_owned(), json!(time));
            }
        }
        Value::Object(out)
    }
}

/// Who may rename or delete a space: the import while it lasts, then managers, administrators and the app.
fn may_change(context: &Context<'_>, space: &Space, scope: Scopes) -> Result<(), Refusal> {
    if space.in_import_mode {
        return context.may_import();
    }
    let manages = space.role_of(context.person()) == Some(Role::Manager);
    let allowed = as_administrator(context)
        || context.grant.any(Scopes::OF_APPS)
        || context.grant.any(scope) && manages;
    if allowed { Ok(()) } else { Err(Refusal::no_such_space()) }
}

/// Reads `spaceType = "SPACE" OR spaceType = "GROUP_CHAT"`; empty admits all.
fn space_types(filter: &str) -> Result<Vec<String>, Refusal> {
    if filter.trim().is_empty() {
        return Ok(Vec::new());
    }
    let wrong = || Refusal::invalid(format!("Invalid filter: {filter}"));
    filter
        .split(" OR ")
        .map(|term| match term.split_once('=').map(|(field, value)| (field.trim(), value.trim())) {
            Some(("spaceType" | "space_type", value)) => {
                let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
                value.map(str::to_owned).ok_or_else(wrong)
            }
            _ => Err(wrong()),
        })
        .collect()
}
