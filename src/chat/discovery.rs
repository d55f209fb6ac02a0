//! The client held against the discovery document: facts of it stand in `tests/facts/chat-methods.tsv`.

use std::collections::BTreeSet;

use super::{Access, Call, Listing, Method, NewSpace};
use crate::model::{MemberName, MembershipName, Role, SpaceName, Span};

const FACTS: &str = include_str!("../../tests/facts/chat-methods.tsv");

struct Fact {
    method: &'static str,
    http: &'static str,
    path: &'static str,
    query: BTreeSet<&'static str>,
    scopes: BTreeSet<&'static str>,
}

fn facts() -> Vec<Fact> {
    let set = |text: &'static str| text.split(',').filter(|item| *item != "-").collect();
    FACTS
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let fields: Vec<_> = line.split('\t').collect();
            let [method, http, path, query, scopes] = fields[..] else { panic!("{line}") };
            Fact { method, http, path, query: set(query), scopes: set(scopes) }
        })
        .collect()
}

/// Every call with everything that it can carry.
fn calls() -> Vec<Call> {
    let space = || SpaceName::parse("spaces/AAA").unwrap();
    let token = || Some("t".to_owned());
    let mut calls = vec![
        Call::ListMembers {
            space: space(),
            listing: Listing {
                page_size: 7,
                filter: Some("role = \"ROLE_MANAGER\"".to_owned()),
                groups: true,
                invited: true,
            },
            page_token: token(),
        },
        Call::CreateSpace(Box::new(NewSpace {
            request_id: "r".to_owned(),
            display_name: "n".to_owned(),
            space_type: "SPACE".to_owned(),
            import_mode: true,
            create_time: None,
            external_user_allowed: true,
            description: Some("d".to_owned()),
        })),
        Call::GetSpace(space()),
        Call::ListSpaces { page_size: 7, page_token: token() },
        Call::PatchSpace { space: space(), display_name: "n".to_owned() },
        Call::DeleteSpace(space()),
        Call::CompleteImport(space()),
    ];
    for member in ["users/a@example.com", "users/123", "users/app", "groups/g"] {
        let member = MemberName::parse(member).unwrap();
        let name = MembershipName::of(space(), &member);
        calls.extend([
            Call::CreateMember { space: space(), member, span: Span::default() },
            Call::GetMember(name.clone()),
            Call::PatchMember(name.clone(), Role::Manager),
            Call::DeleteMember(name),
        ]);
    }
    calls
}

/// Whether a path is of a form such as `v1/spaces/{spacesId}/members`.
fn is_of_form(path: &str, form: &str) -> bool {
    let (path, form): (Vec<_>, Vec<_>) = (path.split('/').collect(), form.split('/').collect());
    path.len() == form.len()
        && path.iter().zip(form).all(|(part, form)| match form.strip_prefix('{') {
            Some(rest) => {
                let (_, verb) = rest.split_once('}').unwrap();
                part.strip_suffix(verb).is_some_and(|id| !id.is_empty() && !id.contains(':'))
            }
            None => *part == form,
        })
}

#[test]
fn the_client_does_not_stray() {
    let facts = facts();
    let mut called = BTreeSet::new();
    for call in calls() {
        let fact = facts.iter().find(|fact| fact.method == call.name()).unwrap();
        for access in [Access::Import, Access::User, Access::Admin, Access::App] {
            let story = format!("{call:?} as {access:?}");
            let Ok(request) = call.request(access) else {
                // What cannot be called in some capacity has no scope for it, or cannot take the switch.
                let offered = fact.scopes.iter().any(|scope| is_of(scope, access));
                let switched = access == Access::Admin && !fact.query.contains("useAdminAccess");
                assert!(!offered || switched, "{story} is offered");
                continue;
            };
            called.insert(call.name());
            assert_eq!(request.method, fact.http, "{story}");
            assert!(is_of_form(&request.path, fact.path), "{story}: {}", request.path);
            let query: BTreeSet<_> = request.query.iter().map(|(name, _)| *name).collect();
            assert!(query.is_subset(&fact.query), "{story}: {query:?}");
            assert!(fact.scopes.contains(request.need.scope.name()), "{story}: {}", request.need.scope);
            assert_eq!(query.contains("useAdminAccess"), access == Access::Admin, "{story}");
            // As much as the client can say, it has said here.
            let unsaid: Vec<_> = fact.query.difference(&query).collect();
            let expected: &[&str] = match call {
                Call::ListSpaces { .. } => &["filter"],
                _ => &[],
            };
            let unsaid: Vec<_> = unsaid.into_iter().filter(|name| **name != "useAdminAccess").collect();
            assert!(unsaid.iter().all(|name| expected.contains(*name)), "{story} never says {unsaid:?}");
        }
    }
    let every: BTreeSet<_> = Method::ALL.iter().map(|method| method.as_str()).collect();
    assert_eq!(called, every);
    assert_eq!(facts.iter().map(|fact| fact.method).collect::<BTreeSet<_>>(), every);
}

/// Whether a scope is one of those that a capacity has.
fn is_of(scope: &str, access: Access) -> bool {
    match access {
        Access::Import => scope == "chat.import",
        Access::Admin => scope.starts_with("chat.admin."),
        Access::App => scope.starts_with("chat.app.") || scope == "chat.bot",
        Access::User => {
            !is_of(scope, Access::Import) && !is_of(scope, Access::Admin) && !is_of(scope, Access::App)
        }
    }
}

#[test]
fn facts_are_told_apart() {
    assert!(is_of_form("v1/spaces/A:completeImport", "v1/spaces/{spacesId}:completeImport"));
    assert!(!is_of_form("v1/spaces/A:completeImport", "v1/spaces/{spacesId}"));
    assert!(!is_of_form("v1/spaces/A", "v1/spaces/{spacesId}/members"));
}
