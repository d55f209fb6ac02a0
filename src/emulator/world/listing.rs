//! `spaces.members.list`: pages in no useful order, tokens that are bound to their query, filters.

use std::ops::Bound;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::ids::scramble;
use super::members::{as_administrator, may_look, membership};
use super::query::Query;
use super::refusal::Refusal;
use super::scope::Scopes;
use super::state::{Key, Roster, Stint};
use super::{Context, World};
use crate::model::Role;

/// Memberships a page without `pageSize`, and at most (API reference).
const PAGE_DEFAULT: usize = 100;
const PAGE_MAX: usize = 1000;

impl World {
    /// In import mode the historical memberships; afterwards the members of now, and the history no longer.
    pub(super) fn members_list(&mut self, context: &mut Context<'_>) -> Result<Value, Refusal> {
        let times_echoed = self.rules.times_echoed;
        let import_scope = self.rules.import_scope_after_completion;
        let size = page_size(&context.query)?;
        let filter = Filter::parse(context.query.filter.as_deref().unwrap_or(""))?;
        if as_administrator(context) && !filter.only_people() {
            return Err(Refusal::invalid(
                "With useAdminAccess the filter must hold member.type = \"HUMAN\" or member.type != \"BOT\".",
            ));
        }
        let binding = binding(context.call.space, &context.query);
        let position = match &context.query.page_token {
            Some(token) => Some(Position::read(token, binding)?),
            None => None,
        };
        let space = self.space(context)?;
        let roster = if space.in_import_mode {
            context.may_import()?;
            &space.history
        } else {
            let other_scope = !context.grant.without(Scopes::IMPORT).is_empty();
            if !other_scope && !import_scope {
                return Err(Refusal::no_such_space());
            }
            may_look(context, space)?;
            &space.current
        };
        let shown = |key: &Key, stint: &Stint| {
            (context.query.show_groups || !key.id.starts_with("groups/"))
                && (context.query.show_invited || !stint.invited)
                && filter.admits(&key.id, stint)
        };
        let mut page = Vec::new();
        let mut last: Option<(&Key, usize)> = None;
        let mut more = false;
        for (key, index, stint) in
            after(roster, position.as_ref()).filter(|(key, _, stint)| shown(key, stint))
        {
            if page.len() == size {
                more = true;
                break;
            }
            page.push(membership(context.call.space, &key.id, stint, stint.state(), times_echoed));
            last = Some((key, index));
        }
        let mut answer = serde_json::Map::new();
        if !page.is_empty() {
            answer.insert("memberships".to_owned(), Value::Array(page));
        }
        if let (true, Some((key, index))) = (more, last) {
            answer.insert("nextPageToken".to_owned(), json!(Position::token(binding, key, index)));
        }
        Ok(Value::Object(answer))
    }
}

/// Every stint behind a position, in the roster's order.
fn after<'a>(
    roster: &'a Roster,
    position: Option<&Position>,
) -> impl Iterator<Item = (&'a Key, usize, &'a Stint)> {
    let start = position.map(|position| (position.key.clone(), position.index));
    let from = match &start {
        Some((key, _)) => Bound::Included(key.clone()),
        None => Bound::Unbounded,
    };
    roster
        .range((from, Bound::Unbounded))
        .flat_map(|(key, member)| {
            member.stints.iter().enumerate().map(move |(index, stint)| (key, index, stint))
        })
        .skip_while(move |(key, index, _)| {
            start.as_ref().is_some_and(|(at, passed)| *key == at && index <= passed)
        })
}

/// Reads `pageSize`: 0 is none, too many are cut.
pub(super) fn page_size(query: &Query) -> Result<usize, Refusal> {
    match query.page_size {
        None | Some(0) => Ok(PAGE_DEFAULT),
        Some(size) => match usize::try_from(size) {
            Ok(size) => Ok(size.min(PAGE_MAX)),
            Err(_) => Err(Refusal::invalid("page_size can't be negative.")),
        },
    }
}

/// A token is good only for the query that gave it; the page size alone may change.
fn binding(space: &str, query: &Query) -> u64 {
    let filter = query.filter.as_deref().unwrap_or("");
    let flags = (query.show_groups, query.show_invited, query.admin_access);
    scramble(&format!("{space}\n{flags:?}\n{filter}"))
}

/// The last stint that a page showed.
#[derive(Debug, PartialEq, Eq)]
struct Position {
    key: Key,
    index: usize,
}

impl Position {
    fn token(binding: u64, key: &Key, index: usize) -> String {
        URL_SAFE_NO_PAD.encode(format!("{binding:016x}.{index}.{}", key.id))
    }

    fn read(token: &str, binding: u64) -> Result<Position, Refusal> {
        let wrong = || Refusal::invalid("The page token is not one of this request.");
        let text = URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let text = text.ok_or_else(wrong)?;
        let mut parts = text.splitn(3, '.');
        let (Some(bound), Some(index), Some(id)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(wrong());
        };
        if u64::from_str_radix(bound, 16) != Ok(binding) {
            return Err(wrong());
        }
        Ok(Position { key: Key::new(id), index: index.parse().map_err(|_| wrong())? })
    }
}

/// A filter: terms on `role` and `member.type`, joined by AND; alternatives of one field by OR.
#[derive(Debug, Default, PartialEq, Eq)]
struct Filter {
    roles: Option<Vec<Role>>,
    /// `Some(true)`: people only; `Some(false)`: apps only.
    people: Option<bool>,
    /// A choice between people and apps by OR: everybody.
    anybody: bool,
}

impl Filter {
    /// Reads a filter; an empty one admits everything.
    fn parse(text: &str) -> Result<Filter, Refusal> {
        let wrong = || Refusal::invalid(format!("Invalid filter: {text}"));
        let mut filter = Filter::default();
        if text.trim().is_empty() {
            return Ok(filter);
        }
        for part in text.split(" AND ") {
            let part = part.trim();
            let part = part.strip_prefix('(').and_then(|part| part.strip_suffix(')')).unwrap_or(part);
            let mut roles = Vec::new();
            let mut types = Vec::new();
            for term in part.split(" OR ") {
                let (field, value, equal) = match (term.split_once("!="), term.split_once('=')) {
                    (Some((field, value)), _) => (field, value, false),
                    (None, Some((field, value))) => (field, value, true),
                    (None, None) => return Err(wrong()),
                };
                let value = value.trim().strip_prefix('"').and_then(|value| value.strip_suffix('"'));
                match (field.trim(), value.ok_or_else(wrong)?, equal) {
                    ("role", role, true) => roles.push(role.parse().map_err(|()| wrong())?),
                    ("member.type" | "member_type", "HUMAN", equal) => types.push(equal),
                    ("member.type" | "member_type", "BOT", equal) => types.push(!equal),
                    _ => return Err(wrong()),
                }
            }
            // Two demands on one field cannot both hold, and an OR across fields is not offered.
            match (roles.is_empty(), types.is_empty()) {
                (false, true) if filter.roles.is_none() => filter.roles = Some(roles),
                (true, false) if filter.people.is_none() && !filter.anybody => {
                    filter.anybody = types.contains(&true) && types.contains(&false);
                    filter.people = types.first().copied().filter(|_| !filter.anybody);
                }
                _ => return Err(wrong()),
            }
        }
        Ok(filter)
    }

    fn only_people(&self) -> bool {
        self.people == Some(true)
    }

    fn admits(&self, id: &str, stint: &Stint) -> bool {
        let type_fits = match self.people {
            Some(people) => people != (id == "users/app"),
            None => true,
        };
        let role_fits = match &self.roles {
            Some(roles) => stint.role.is_some_and(|role| roles.contains(&role)),
            None => true,
        };
        type_fits && role_fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters() {
        for (text, good) in [
            ("", true),
            ("member.type = \"HUMAN\"", true),
            ("member.type != \"BOT\"", true),
            ("role = \"ROLE_MANAGER\" OR role = \"ROLE_MEMBER\"", true),
            ("member.type = \"HUMAN\" AND role = \"ROLE_MANAGER\"", true),
            ("(role = \"ROLE_MANAGER\" OR role = \"ROLE_MEMBER\") AND member.type=\"HUMAN\"", true),
            ("member.type = \"HUMAN\" AND member.type = \"BOT\"", false),
            ("role = \"ROLE_MANAGER\" AND role = \"ROLE_MEMBER\"", false),
            ("role != \"ROLE_MANAGER\"", false),
            ("role = ROLE_MANAGER", false),
            ("name = \"x\"", false),
            ("nonsense", false),
        ] {
            assert_eq!(Filter::parse(text).is_ok(), good, "{text}");
        }
        assert!(Filter::parse("member.type != \"BOT\"").unwrap().only_people());
        assert!(!Filter::parse("member.type = \"HUMAN\" OR member.type = \"BOT\"").unwrap().only_people());
    }
}
