//! The emulator against the facts of the discovery document. tests/python holds those against the document itself.

use super::call::{Api, Call};
use super::query::allowed;
use super::scope::{Scopes, accepted};

const FACTS: &str = include_str!("../../../tests/facts/chat-methods.tsv");

fn api_of(method: &str) -> Api {
    match method {
        "spaces.members.create" => Api::MembersCreate,
        "spaces.members.list" => Api::MembersList,
        "spaces.members.get" => Api::MembersGet,
        "spaces.members.patch" => Api::MembersPatch,
        "spaces.members.delete" => Api::MembersDelete,
        "spaces.create" => Api::SpacesCreate,
        "spaces.list" => Api::SpacesList,
        "spaces.get" => Api::SpacesGet,
        "spaces.patch" => Api::SpacesPatch,
        "spaces.delete" => Api::SpacesDelete,
        "spaces.completeImport" => Api::CompleteImport,
        other => panic!("the emulator has no {other}"),
    }
}

#[test]
fn methods_paths_parameters_and_scopes_are_those_of_the_document() {
    let lines: Vec<&str> = FACTS.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(lines.len(), 11);
    for line in lines {
        let [method, verb, path, query, scopes] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("{line}");
        };
        let api = api_of(method);
        let path = format!("/{}", path.replace("{spacesId}", "A").replace("{membersId}", "1"));
        assert_eq!(Call::parse(verb, &path).map(|call| call.api), Some(api), "{line}");
        let query: Vec<&str> = query.split(',').filter(|name| *name != "-").collect();
        assert_eq!(allowed(api), query, "{line}");
        let scopes = scopes.split(',').map(|name| name.parse::<Scopes>().unwrap());
        assert_eq!(accepted(api), scopes.fold(Scopes::NONE, Scopes::and), "{line}");
    }
}
