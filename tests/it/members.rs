//! `tenure members`: the five methods, in import mode and in standard spaces, as a person, an administrator and the app.

use serde_json::{Value, json};

use crate::script::Script;
use crate::store::{ADMIN, completed, invited, member, space};
use crate::support::{Emulator, Room, Run, STORE, args};

/// Capacities in standard spaces.
const PERSON: &str = "--standard-spaces";
const ADMINISTRATOR: &str = "--admin-access";
const APP: &str = "--as-app";

/// A room whose Chat has `spaces/I` in import mode, and `spaces/S` with its manager, somebody (101), somebody invited
/// (102), a group and the app.
fn room() -> (Room, Emulator) {
    let room = Room::new();
    let mut store = space("spaces/I", 1) + &completed("spaces/S");
    store += &member("spaces/S", "users/101", "ROLE_MEMBER");
    store += &invited("spaces/S", "users/102");
    store += &member("spaces/S", "groups/g1", "");
    store += &member("spaces/S", "users/app", "ROLE_MEMBER");
    room.write(STORE, store);
    let emulator = Emulator::start_without_spaces(&room, &[]);
    (room, emulator)
}

fn members(room: &Room, connection: &[String], pieces: &[&str]) -> Run {
    room.tenure(&args(&[&["members"], pieces], connection))
}

/// The resources that were printed, one a line.
fn resources(run: &Run) -> Vec<Value> {
    run.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Who is in a list, sorted.
fn holders(run: &Run) -> Vec<String> {
    let holder = |membership: Value| {
        let names = ["/member/name", "/groupMember/name"].map(|pointer| membership.pointer(pointer).cloned());
        names.into_iter().flatten().next().unwrap().as_str().unwrap().to_owned()
    };
    let mut names: Vec<String> = resources(run).into_iter().map(holder).collect();
    names.sort();
    names
}

#[test]
fn a_life_in_import_mode() {
    let (room, emulator) = room();
    let here = emulator.connection();
    let stint = ["--create-time", "2019-01-01T00:00:00Z", "--delete-time", "2020-01-01T00:00:00Z"];
    let create = [&["create", "I", "anna@example.com"], &stint[..]].concat();
    let run = members(&room, &here, &create).expect(0);
    assert!(run.out.starts_with("created\nname        spaces/I/members/1"), "{}", run.out);
    assert!(
        run.out.ends_with("createTime  2019-01-01T00:00:00Z\ndeleteTime  2020-01-01T00:00:00Z\n"),
        "{}",
        run.out
    );
    members(&room, &here, &create).expect(1).says(&[
        "users/anna@example.com was not added to spaces/I: 409 ALREADY_EXISTS",
        "this very one, or another stint",
    ]);
    // Without a beginning, Chat makes it begin just before its end.
    let brief = ["create", "spaces/I", "bob@example.com", "--delete-time", "2020-01-01T00:00:00Z", "--json"];
    let run = members(&room, &here, &brief).expect(0);
    assert_eq!(resources(&run)[0]["createTime"], "2019-12-31T23:59:59.999999Z");
    let run = members(&room, &here, &["list", "I"]).expect(0);
    assert_eq!(run.out.lines().count(), 3, "{}", run.out);
    assert!(run.out.starts_with("MEMBER "), "{}", run.out);
    assert_eq!(run.err, "2 memberships in spaces/I\n");
    members(&room, &here, &["get", "I", "anna@example.com"]).expect(1).says(&[
        "spaces.members.get does not accept chat.import",
        "once the space is completed, add --standard-spaces; in import mode, list its members instead",
    ]);
    members(&room, &here, &["patch", "I", "anna@example.com", "--role", "ROLE_MANAGER"])
        .expect(1)
        .says(&["a membership that has ended has no role to change"]);
    // One name stands for every stint, and an address cannot be looked for.
    members(&room, &here, &["delete", "I", "anna@example.com"]).expect(1).says(&[
        "was not deleted: in import mode a name stands for every stint",
        "give the id, or say --all-stints",
    ]);
    let again = ["create", "I", "bob@example.com", "--delete-time", "2015-01-01T00:00:00Z", "--json"];
    let bob = resources(&members(&room, &here, &again).expect(0))[0]["name"].as_str().unwrap().to_owned();
    members(&room, &here, &["delete", &bob]).expect(1).says(&["it stands for 2 stints, and all may go"]);
    members(&room, &here, &["delete", &bob, "--all-stints"]).expect(0);
    let bob = ["create", "I", "bob@example.com", "--delete-time", "2015-01-01T00:00:00Z", "--json"];
    members(&room, &here, &bob).expect(0);
    let listed = resources(&members(&room, &here, &["list", "I", "--json"]).expect(0));
    let anna = listed.iter().find(|held| held["deleteTime"] == "2020-01-01T00:00:00Z").unwrap();
    let name = anna["name"].as_str().unwrap().to_owned();
    let run = members(&room, &here, &["delete", &name]).expect(0);
    assert!(
        run.out.starts_with("deleted\nname ") && run.out.contains("state       NOT_A_MEMBER\n"),
        "{}",
        run.out
    );
    assert_eq!(members(&room, &here, &["list", "I"]).expect(0).err, "1 membership in spaces/I\n");
}

#[test]
fn a_life_in_a_standard_space() {
    for (capacity, who) in [(PERSON, "anna"), (ADMINISTRATOR, "bob"), (APP, "carla")] {
        let (room, emulator) = room();
        let here = args(&[&[capacity]], &emulator.connection());
        let address = format!("{who}@example.com");
        let run = members(&room, &here, &["create", "S", &address]).expect(0);
        assert!(run.out.starts_with("created\nname        spaces/S/members/1"), "{}", run.out);
        assert!(
            run.out.contains("state       JOINED\nrole        ROLE_MEMBER\ncreateTime  20"),
            "{}",
            run.out
        );
        let name = run.out.lines().nth(1).unwrap().split_whitespace().last().unwrap();
        members(&room, &here, &["create", "S", &address])
            .expect(1)
            .says(&["409 ALREADY_EXISTS", "they are a member already, perhaps through a Google Group"]);
        // Both spellings of the name, an id and an address.
        let shown = members(&room, &here, &["get", name]).expect(0).out;
        let id = name.rsplit('/').next().unwrap();
        for spelling in
            [&[&format!("spaces/S/members/{address}")[..]][..], &["S", &address], &["spaces/S", id]]
        {
            assert_eq!(members(&room, &here, &[&["get"], spelling].concat()).expect(0).out, shown);
        }
        let run = members(&room, &here, &["patch", "S", id, "--role", "ROLE_ASSISTANT_MANAGER"]).expect(0);
        assert!(
            run.out.starts_with("changed\n") && run.out.contains("role        ROLE_ASSISTANT_MANAGER\n"),
            "{}",
            run.out
        );
        let run = members(&room, &here, &["delete", name, "--json"]).expect(0);
        assert_eq!(
            (&resources(&run)[0]["name"], &resources(&run)[0]["state"]),
            (&name.into(), &"NOT_A_MEMBER".into())
        );
        members(&room, &here, &["get", name])
            .expect(1)
            .says(&["404 NOT_FOUND", &format!("who is a member: tenure members list spaces/S {capacity}")]);
    }
}

#[test]
fn a_list_for_people() {
    let (room, emulator) = room();
    let here = args(&[&[PERSON]], &emulator.connection());
    let run = members(&room, &here, &["list", "S", "--show-groups", "--show-invited"]).expect(0);
    insta::assert_snapshot!("list", run.out);
    assert_eq!(run.err, "5 memberships in spaces/S\n");
}

#[test]
fn who_is_shown() {
    let (room, emulator) = room();
    let usual = [ADMIN, "users/app"];
    let managers = "role = \"ROLE_MANAGER\"";
    for (capacity, more, expected) in [
        (PERSON, &[][..], &["users/101", usual[0], usual[1]][..]),
        (PERSON, &["--show-groups"], &["groups/g1", "users/101", usual[0], usual[1]]),
        (PERSON, &["--show-invited"], &["users/101", "users/102", usual[0], usual[1]]),
        (PERSON, &["--show-groups", "--page-size", "1"], &["groups/g1", "users/101", usual[0], usual[1]]),
        (PERSON, &["--filter", managers], &[ADMIN]),
        (PERSON, &["--filter", "member.type = \"BOT\""], &["users/app"]),
        (ADMINISTRATOR, &[], &["users/101", ADMIN]),
        (ADMINISTRATOR, &["--filter", managers], &[ADMIN]),
        (APP, &[], &["users/101", usual[0], usual[1]]),
    ] {
        let run = room
            .tenure(&args(
                &[&["members", "list", "spaces/S", "--json", capacity], more],
                &emulator.connection(),
            ))
            .expect(0);
        assert_eq!(holders(&run), expected, "{capacity} {more:?}");
        assert!(run.err.starts_with(&format!("{} membership", expected.len())), "{}", run.err);
    }
    let here = args(&[&[PERSON]], &emulator.connection());
    members(&room, &here, &["list", "S", "--filter", "nonsense"])
        .expect(1)
        .says(&["400 INVALID_ARGUMENT: Invalid filter"]);
}

#[test]
fn resources_come_as_the_api_has_them() {
    let room = Room::new();
    let one = r#"{"name":"spaces/S/members/1","state":"ON_LEAVE","member":{"name":"users/1","type":"ANDROID"},"mood":{"today":["fine"]},"role":"ROLE_JESTER"}"#;
    let two = r#"{"name":"spaces/S/members/2"}"#;
    let page = |memberships: &str, next: &str| {
        format!(r#"{{"memberships":[{memberships}],"nextPageToken":"{next}"}}"#)
    };
    let (first, second, last) = (page(one, "a&b"), page("", "c"), page(two, ""));
    let script = Script::start(&[(200, &first), (200, &second), (200, &last), (200, one), (200, one)]);
    let here = args(&[&[PERSON]], &script.connection());
    let run = members(&room, &here, &["list", "S", "--json"]).expect(0);
    assert_eq!(run.out, format!("{one}\n{two}\n"));
    assert_eq!(members(&room, &here, &["get", "S", "1", "--json"]).expect(0).out, format!("{one}\n"));
    members(&room, &here, &["get", "S", "1"]).expect(0).says(&["state ON_LEAVE", "role ROLE_JESTER"]);
    let asked = script.asked();
    assert!(
        asked[1].starts_with("GET /v1/spaces/S/members?") && asked[1].contains("pageToken=a%26b"),
        "{asked:?}"
    );
    assert!(asked[2].contains("pageToken=c"), "an empty page is not the last one: {asked:?}");
}

#[test]
fn people_who_have_to_accept() {
    let (room, emulator) = room();
    let here = args(&[&[PERSON]], &emulator.connection());
    let told = ["state INVITED", "They are invited, and become a member when they accept."];
    members(&room, &here, &["get", "S", "102"]).expect(0).says(&told);
    let script = Script::start(&[(
        200,
        r#"{"name":"spaces/S/members/3","state":"INVITED","member":{"name":"users/3"}}"#,
    )]);
    let here = args(&[&[PERSON]], &script.connection());
    members(&room, &here, &["create", "S", "out@elsewhere.org"]).expect(0).says(&told);
    let body = json!({ "member": { "name": "users/out@elsewhere.org", "type": "HUMAN" } });
    assert_eq!(script.asked(), [format!("POST /v1/spaces/S/members {body}")]);
}

#[test]
fn groups_and_the_app_itself() {
    let (room, emulator) = room();
    let here = args(&[&[PERSON]], &emulator.connection());
    let run = members(&room, &here, &["create", "S", "groups/g2", "--json"]).expect(0);
    assert_eq!(resources(&run)[0]["groupMember"]["name"], "groups/g2");
    members(&room, &here, &["get", "S", "groups/g2"]).expect(0).says(&["member groups/g2"]);
    members(&room, &here, &["delete", "spaces/S/members/g2"]).expect(0).says(&["NOT_A_MEMBER"]);
    members(&room, &here, &["delete", "spaces/S/members/app"])
        .expect(0)
        .says(&["member users/app", "NOT_A_MEMBER"]);
    members(&room, &here, &["create", "S", "users/app"]).expect(0).says(&["member users/app"]);
    members(&room, &here, &["get", "S", "users/app"]).expect(0).says(&["name spaces/S/members/app"]);
}

#[test]
fn deletion_that_answers_with_nothing() {
    let room = Room::new();
    let script = Script::start(&[(200, ""), (200, "{}")]);
    let here = args(&[&[PERSON]], &script.connection());
    assert_eq!(members(&room, &here, &["delete", "S", "7"]).expect(0).out, "deleted   spaces/S/members/7\n");
    assert_eq!(members(&room, &here, &["delete", "S", "7", "--json"]).expect(0).out, "{}\n");
    assert_eq!(script.asked()[0], "DELETE /v1/spaces/S/members/7");
}

#[test]
fn the_only_manager_stays() {
    let (room, emulator) = room();
    let admin = "admin@example.com";
    let demote = ["patch", "S", admin, "--role", "ROLE_MEMBER"];
    for capacity in [PERSON, ADMINISTRATOR, APP] {
        let here = args(&[&[capacity]], &emulator.connection());
        let how = format!(
            "promote somebody first (tenure members patch spaces/S MEMBER --role ROLE_MANAGER {capacity})"
        );
        members(&room, &here, &["delete", "S", admin])
            .expect(1)
            .says(&["was not deleted: 400 FAILED_PRECONDITION", &how]);
        members(&room, &here, &demote).expect(1).says(&["was not changed: 400 FAILED_PRECONDITION", &how]);
        // Somebody who was only invited is another matter.
        let run = members(&room, &here, &["patch", "S", "102", "--role", "ROLE_MANAGER"]).expect(1);
        assert!(!run.words().contains("only manager"), "{}", run.said());
    }
    let here = args(&[&[PERSON]], &emulator.connection());
    members(&room, &here, &["patch", "S", "101", "--role", "ROLE_MANAGER"]).expect(0);
    members(&room, &here, &["delete", "S", admin]).expect(0).says(&["NOT_A_MEMBER"]);
}

#[test]
fn what_is_refused_before_a_call_is_spent() {
    let (room, emulator) = room();
    // Nobody answers there, so whatever were sent would fail in another way.
    let connection = emulator.connection();
    emulator.kill();
    let end = ["--delete-time", "2020-01-01T00:00:00Z"];
    let cases = [
        (1, &["create", "S", "groups/g", APP][..], "an app cannot add groups (--as-app); a person can"),
        (1, &["create", "S", "users/app", APP], "an app cannot add itself (--as-app); a person can"),
        (
            1,
            &["create", "S", "users/app", ADMINISTRATOR],
            "administrator's access cannot add apps (--admin-access)",
        ),
        (1, &["create", "S", "a@b.org", APP, "--domain", "c.org"], "a@b.org is outside c.org"),
        (1, &["create", "S", "a@b.org", ADMINISTRATOR, "--domain", "c.org"], "a@b.org is outside c.org"),
        (1, &["get", "I", "5"], "spaces.members.get does not accept chat.import"),
        (2, &["create", "I", "a@b.org"], "give --delete-time; once it is completed, add --standard-spaces"),
        (2, &["create", "S", "a@b.org", PERSON, end[0], end[1]], "are for spaces in import mode"),
        (2, &["create", "S", "a@b.org", APP, end[0], end[1]], "are for spaces in import mode"),
        (2, &["create", "I", "a@b.org", "--delete-time", "yesterday"], "it is not an RFC 3339 time"),
        (
            2,
            &["create", "a b", "a@b.org", end[0], end[1]],
            "\"a b\": it is neither spaces/{id} nor a bare id",
        ),
        (2, &["create", "S", "somebody", PERSON], "\"somebody\": "),
        (2, &["get", "S", PERSON], "write spaces/S/members/M, or the space and the member"),
        (
            2,
            &["delete", "spaces/S/members/1/2", PERSON],
            "write spaces/S/members/M, or the space and the member",
        ),
        (
            2,
            &["patch", "S", "1", PERSON, "--role", "OWNER"],
            "ROLE_MEMBER, ROLE_MANAGER, ROLE_ASSISTANT_MANAGER",
        ),
        (2, &["patch", "S", "1", PERSON], "--role"),
        (2, &["list", "S", PERSON, "--page-size", "1001"], "1001 is not in 1..=1000"),
        (2, &["list", "S", APP, ADMINISTRATOR], "cannot be used with"),
    ];
    for (code, pieces, story) in cases {
        let run = members(&room, &connection, pieces).expect(code).says(&[story]);
        assert_eq!(run.out, "", "{pieces:?}");
    }
}

#[test]
fn a_space_that_cannot_be_seen() {
    let (room, emulator) = room();
    for (capacity, space, next) in [
        (PERSON, "I", "an administrator adds --admin-access"),
        (ADMINISTRATOR, "nowhere", "an administrator with the right to manage Chat"),
        (APP, "nowhere", "check that the Chat app is in the space"),
    ] {
        let here = args(&[&[capacity]], &emulator.connection());
        members(&room, &here, &["list", space])
            .expect(1)
            .says(&["cannot be listed: 403 PERMISSION_DENIED", next]);
    }
    members(&room, &emulator.connection(), &["list", "S"]).expect(1).says(&["still in import mode"]);
    let unknown = ["create", "I", "gone@example.invalid", "--delete-time", "2020-01-01T00:00:00Z"];
    members(&room, &emulator.connection(), &unknown)
        .expect(1)
        .says(&["400 INVALID_ARGUMENT: Missing or malformed user"]);
}
