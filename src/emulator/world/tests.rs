use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const NOW: &str = "2026-11-22T09:00:00Z";
const ADMIN: &str = "admin@example.com";

fn time(text: &str) -> Timestamp {
    Timestamp::parse(text, None).unwrap()
}

fn days_later(days: i64) -> Timestamp {
    Timestamp::from_micros(time(NOW).as_micros() + days * 86_400_000_000)
}

fn person(scopes: Scopes) -> Principal {
    Principal::new(scopes, Some(ADMIN))
}

/// A world, somebody with a token, and the time: what a call needs besides itself.
struct Desk {
    world: World,
    principal: Principal,
    now: Timestamp,
    log: Vec<Change>,
}

impl Desk {
    fn new(rules: Rules) -> Desk {
        Desk { world: World::new(rules), principal: person(Scopes::IMPORT), now: time(NOW), log: Vec::new() }
    }

    /// With one space in import mode, `spaces/A`, from 2000 on.
    fn importing() -> Desk {
        let mut desk = Desk::new(Rules::default());
        desk.ensure("spaces/A");
        desk
    }

    fn ensure(&mut self, name: &str) {
        self.log.extend(self.world.ensure_space(&SpaceName::parse(name).unwrap(), self.now));
    }

    fn call(&mut self, method: &str, target: &str, body: Value) -> (u16, Value) {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let request = Request {
            method,
            path: &format!("/v1/{path}"),
            query,
            principal: Some(&self.principal),
            body: &body,
        };
        let response = self.world.handle(self.now, &request);
        self.log.extend(response.changes);
        (response.status, response.body)
    }

    fn join(&mut self, member: &str, from: &str, to: &str) -> (u16, Value) {
        self.call("POST", "spaces/A/members", historical(member, from, to))
    }

    fn complete(&mut self) {
        assert_eq!(self.call("POST", "spaces/A:completeImport", json!({})).0, 200);
        self.principal = person(Scopes::MEMBERSHIPS);
    }

    fn listed(&mut self, query: &str) -> Vec<String> {
        let (status, page) = self.call("GET", &format!("spaces/A/members?{query}"), Value::Null);
        assert_eq!(status, 200, "{page}");
        let memberships = page["memberships"].as_array().cloned().unwrap_or_default();
        memberships.iter().map(|m| m["name"].as_str().unwrap().to_owned()).collect()
    }
}

fn historical(member: &str, from: &str, to: &str) -> Value {
    json!({"member": {"name": member, "type": "HUMAN"}, "createTime": from, "deleteTime": to})
}

fn id_of(address: &str) -> String {
    ids::user_of_address(address).strip_prefix("users/").unwrap().to_owned()
}

fn expect((status, body): (u16, Value), code: u16, reason: &str, part: &str) {
    let error = &body["error"];
    assert_eq!((status, error["code"].as_u64()), (code, Some(code.into())), "{body}");
    assert_eq!(error["status"], reason, "{body}");
    assert!(body.to_string().contains(part), "no {part:?} in {body}");
}

#[test]
fn a_historical_membership() {
    let mut desk = Desk::importing();
    let (status, body) = desk.join("users/Maria@example.com", "2020-01-01T00:00:00Z", "2021-01-01T00:00:00Z");
    let id = id_of("maria@example.com");
    assert_eq!(status, 200, "{body}");
    assert_eq!(
        body,
        json!({
            "name": format!("spaces/A/members/{id}"),
            "state": "JOINED",
            "member": {"name": format!("users/{id}"), "type": "HUMAN"},
            "role": "ROLE_MEMBER",
            "createTime": "2020-01-01T00:00:00Z",
            "deleteTime": "2021-01-01T00:00:00Z",
        })
    );
    let (_, page) = desk.call("GET", "spaces/A/members", Value::Null);
    assert_eq!(page, json!({"memberships": [body]}));
    assert!(!page.to_string().contains('@'));
    let held: Vec<_> = desk.world.memberships().collect();
    assert_eq!((held.len(), held[0].address), (1, Some("maria@example.com")));
}

#[test]
fn rules_of_historical_times() {
    for (from, to, problem) in [
        (json!(null), json!(null), Some("Adding normal memberships isn't supported")),
        (json!("2020-01-01T00:00:00Z"), json!(null), Some("Adding normal memberships isn't supported")),
        (json!(null), json!("2026-11-22T09:00:00.000001Z"), Some("in the future")),
        (json!(null), json!(NOW), None),
        (json!(null), json!("2000-01-01T00:00:00Z"), Some("after the space's create_time")),
        (json!(null), json!("2000-01-01T00:00:00.000001Z"), None),
        (json!("1999-12-31T23:59:59Z"), json!(NOW), Some("before the space's create_time")),
        (json!("2000-01-01T00:00:00Z"), json!(NOW), None),
        (json!(NOW), json!(NOW), Some("before membership.delete_time")),
        (json!("2026-11-22T09:59:59+01:00"), json!(NOW), None),
    ] {
        let mut desk = Desk::importing();
        let body = json!({"member": {"name": "users/7"}, "createTime": from, "deleteTime": to});
        let answer = desk.call("POST", "spaces/A/members", body);
        match problem {
            Some(problem) => expect(answer, 400, "INVALID_ARGUMENT", problem),
            None => assert_eq!(answer.0, 200, "{from} {to}: {}", answer.1),
        }
    }
    let mut desk = Desk::importing();
    let body = json!({"member": {"name": "users/7"}, "deleteTime": "2020-01-01T00:00:00Z"});
    assert_eq!(desk.call("POST", "spaces/A/members", body).1["createTime"], "2019-12-31T23:59:59.999999Z");
}

#[test]
fn who_cannot_have_a_history() {
    let times = |member: Value| {
        let mut body = json!({"deleteTime": "2020-01-01T00:00:00Z"});
        body.as_object_mut().unwrap().extend(member.as_object().unwrap().clone());
        body
    };
    for (member, part) in [
        (json!({"groupMember": {"name": "groups/1"}}), "Google Group"),
        (json!({"member": {"name": "users/app", "type": "BOT"}}), "Chat app"),
        (
            json!({"member": {"name": "users/a@gone.invalid"}}),
            "Missing or malformed user resource name in the request.",
        ),
        (json!({"member": {"name": "maria"}}), "Missing or malformed user resource name in the request."),
        (json!({}), "Missing or malformed user resource name in the request."),
        (json!({"member": {"name": "users/1"}, "groupMember": {"name": "groups/1"}}), "can't both be set"),
        (json!({"member": {"name": "users/1"}, "joined": true}), "Unknown name \\\"joined\\\""),
    ] {
        expect(
            Desk::importing().call("POST", "spaces/A/members", times(member)),
            400,
            "INVALID_ARGUMENT",
            part,
        );
    }
    let mut desk = Desk::new(Rules { home_domains: vec!["example.com".into()], ..Rules::default() });
    desk.ensure("spaces/A");
    assert_eq!(desk.join("users/a@example.com", "2020-01-01T00:00:00Z", NOW).0, 200);
    expect(
        desk.join("users/a@other.com", "2020-01-01T00:00:00Z", NOW),
        400,
        "INVALID_ARGUMENT",
        "same Workspace",
    );
}

#[test]
fn stints_and_repeats_follow_the_rules() {
    let first = ("2020-01-01T00:00:00Z", "2020-02-01T00:00:00Z");
    let second = ("2021-01-01T00:00:00Z", "2021-02-01T00:00:00Z");
    for (second_stint, repeated_create, statuses, held) in [
        (SecondStint::Accept, RepeatedCreate::Refuse, [200, 200, 409], 2),
        (SecondStint::Refuse, RepeatedCreate::Refuse, [200, 409, 409], 1),
        (SecondStint::Accept, RepeatedCreate::Double, [200, 200, 200], 3),
        (SecondStint::Refuse, RepeatedCreate::Double, [200, 409, 200], 2),
    ] {
        let mut desk = Desk::new(Rules { second_stint, repeated_create, ..Rules::default() });
        desk.ensure("spaces/A");
        let got = [first, second, first].map(|(from, to)| desk.join("users/7", from, to).0);
        assert_eq!(got, statuses, "{second_stint:?} {repeated_create:?}");
        assert_eq!(desk.world.memberships().count(), held);
        assert_eq!(desk.listed("").len(), held);
        assert_eq!(desk.call("DELETE", "spaces/A/members/7", Value::Null).1["state"], "NOT_A_MEMBER");
        assert_eq!(desk.world.memberships().count(), 0);
        expect(desk.call("DELETE", "spaces/A/members/7", Value::Null), 404, "NOT_FOUND", "");
    }
}

#[test]
fn a_membership_is_deleted_by_address_too() {
    let mut desk = Desk::importing();
    desk.join("users/jürgen@example.com", "2020-01-01T00:00:00Z", NOW);
    assert_eq!(desk.call("DELETE", "spaces/A/members/J%C3%BCrgen%40example.com", Value::Null).0, 200);
    assert!(desk.listed("").is_empty());
}

#[test]
fn scopes_and_tokens() {
    let body = historical("users/7", "2020-01-01T00:00:00Z", NOW);
    let insufficient = "ACCESS_TOKEN_SCOPE_INSUFFICIENT";
    for (principal, method, target, part) in [
        (person(Scopes::SPACES), "POST", "spaces/A/members", insufficient),
        (person(Scopes::IMPORT), "GET", "spaces/A/members/7", insufficient),
        (person(Scopes::IMPORT), "GET", "spaces/A", insufficient),
        (person(Scopes::MEMBERSHIPS), "POST", "spaces/A:completeImport", insufficient),
        (person(Scopes::MEMBERSHIPS), "POST", "spaces/A/members", ""),
        (person(Scopes::MEMBERSHIPS), "GET", "spaces/A/members", ""),
        (Principal::new(Scopes::IMPORT, None), "POST", "spaces/A/members", "impersonate"),
        (person(Scopes::SPACES), "GET", "spaces/A", ""),
        (person(Scopes::IMPORT), "POST", "spaces/B/members", ""),
    ] {
        let mut desk = Desk::importing();
        desk.principal = principal;
        let body = if method == "POST" && target.ends_with("members") { body.clone() } else { Value::Null };
        expect(desk.call(method, target, body), 403, "PERMISSION_DENIED", part);
    }
    let request = Request { method: "GET", path: "/v1/spaces", query: "", principal: None, body: b"" };
    assert_eq!(World::new(Rules::default()).handle(time(NOW), &request).status, 401);
    let mut desk = Desk::importing();
    desk.principal = Principal::new(Scopes::BOT, None);
    let (status, space) = desk.call("GET", "spaces/A", Value::Null);
    assert_eq!((status, &space["importMode"]), (200, &json!(true)));
    assert_eq!(space["importModeExpireTime"], "2027-02-20T09:00:00Z");
}

#[test]
fn the_api_is_off_in_the_project_or_chat_for_the_person() {
    let mut desk = Desk::new(Rules { chat_api_enabled: false, ..Rules::default() });
    let (status, body) = desk.join("users/1", "2020-01-01T00:00:00Z", NOW);
    let info = &body["error"]["details"][0];
    assert_eq!((status, &info["reason"]), (403, &json!("SERVICE_DISABLED")), "{body}");
    assert_eq!(info["metadata"]["service"], "chat.googleapis.com");
    assert!(info["metadata"]["consumer"].as_str().unwrap().starts_with("projects/"), "{body}");
    let message = body["error"]["message"].as_str().unwrap();
    assert!(message.contains(info["metadata"]["activationUrl"].as_str().unwrap()), "{message}");

    let mut desk = Desk::new(Rules { chat_off_for: vec![ADMIN.to_owned()], ..Rules::default() });
    desk.ensure("spaces/A");
    expect(desk.join("users/1", "2020-01-01T00:00:00Z", NOW), 400, "FAILED_PRECONDITION", "turned off");
    desk.principal = Principal::new(Scopes::IMPORT, Some("other@example.com"));
    assert_eq!(desk.join("users/1", "2020-01-01T00:00:00Z", NOW).0, 200);
}

#[test]
fn the_wrong_project_or_call() {
    let mut desk = Desk::new(Rules { chat_app_configured: false, ..Rules::default() });
    expect(
        desk.join("users/1", "2020-01-01T00:00:00Z", NOW),
        404,
        "NOT_FOUND",
        "Google Chat app not found. ",
    );
    let mut desk = Desk::importing();
    expect(desk.call("GET", "spaces/A/messages", Value::Null), 404, "NOT_FOUND", "");
    expect(desk.call("GET", "spaces/A/members?size=1", Value::Null), 400, "INVALID_ARGUMENT", "Unknown name");
}

#[test]
fn spaces_vanish_after_90_days_or_by_hand() {
    let mut desk = Desk::importing();
    desk.now = days_later(89);
    assert_eq!(desk.join("users/1", "2020-01-01T00:00:00Z", NOW).0, 200);
    desk.now = days_later(90);
    expect(desk.join("users/2", "2020-01-01T00:00:00Z", NOW), 403, "PERMISSION_DENIED", "");
    assert_eq!(desk.world.import_mode_of("spaces/A", desk.now), None);
    let mut desk = Desk::new(Rules { any_space: true, ..Rules::default() });
    assert_eq!(desk.join("users/1", "2020-01-01T00:00:00Z", NOW).0, 200, "first touch");
    assert_eq!(desk.call("DELETE", "spaces/A", Value::Null), (200, json!({})));
    expect(desk.join("users/1", "2020-01-01T00:00:00Z", NOW), 403, "PERMISSION_DENIED", "");
    expect(
        desk.call("GET", "spaces/b%20c/members", Value::Null),
        400,
        "INVALID_ARGUMENT",
        "space resource name",
    );
    assert_eq!(desk.world.memberships().count(), 0);
}

#[test]
fn completion() {
    let mut desk = Desk::importing();
    desk.join("users/7", "2020-01-01T00:00:00Z", NOW);
    let (status, body) = desk.call("POST", "spaces/A:completeImport", Value::Null);
    assert_eq!((status, &body["space"]["name"]), (200, &json!("spaces/A")));
    assert!(body["space"].get("importMode").is_none());
    expect(desk.call("POST", "spaces/A:completeImport", json!({})), 400, "FAILED_PRECONDITION", "");
    // chat.import adds the members of now for as long as import mode could have lasted, and only adds.
    expect(desk.join("users/8", "2020-01-01T00:00:00Z", NOW), 400, "INVALID_ARGUMENT", "import mode");
    assert_eq!(desk.call("POST", "spaces/A/members", json!({"member": {"name": "users/8"}})).0, 200);
    expect(desk.call("GET", "spaces/A/members", Value::Null), 403, "PERMISSION_DENIED", "");
    desk.now = days_later(90);
    let body = json!({"member": {"name": "users/9"}});
    expect(desk.call("POST", "spaces/A/members", body.clone()), 403, "PERMISSION_DENIED", "");
    desk.principal = person(Scopes::MEMBERSHIPS);
    assert_eq!(desk.call("POST", "spaces/A/members", body.clone()).0, 200);
    expect(desk.call("POST", "spaces/A/members", body), 409, "ALREADY_EXISTS", "");
    let mut names = desk.listed("");
    names.sort();
    let mut expected = [id_of(ADMIN), "8".into(), "9".into()].map(|id| format!("spaces/A/members/{id}"));
    expected.sort();
    assert_eq!(names, expected);
    assert_eq!(
        desk.listed("filter=role%3D%22ROLE_MANAGER%22"),
        [format!("spaces/A/members/{}", id_of(ADMIN))]
    );
    assert_eq!(desk.world.memberships().count(), 4, "history is kept, though not listed");
}

#[test]
fn roles() {
    let mut desk = Desk::importing();
    expect(
        desk.call("PATCH", "spaces/A/members/7?updateMask=role", json!({"role": "ROLE_MANAGER"})),
        400,
        "FAILED_PRECONDITION",
        "Historical",
    );
    desk.complete();
    let me = format!("spaces/A/members/{ADMIN}");
    assert_eq!(desk.call("POST", "spaces/A/members", json!({"member": {"name": "users/7"}})).0, 200);
    assert_eq!(desk.call("POST", "spaces/A/members", json!({"groupMember": {"name": "groups/9"}})).0, 200);
    let manager = json!({"role": "ROLE_MANAGER"});
    for (target, body, code, reason, part) in [
        (
            format!("{me}?updateMask=role"),
            json!({"role": "ROLE_MEMBER"}),
            400,
            "FAILED_PRECONDITION",
            "only space manager",
        ),
        ("spaces/A/members/7".into(), manager.clone(), 400, "INVALID_ARGUMENT", "update_mask is required"),
        (
            "spaces/A/members/7?updateMask=state".into(),
            manager.clone(),
            400,
            "INVALID_ARGUMENT",
            "supports only role",
        ),
        ("spaces/A/members/7?updateMask=role".into(), json!({}), 400, "INVALID_ARGUMENT", "membership.role"),
        ("spaces/A/members/8?updateMask=role".into(), manager.clone(), 404, "NOT_FOUND", ""),
        ("spaces/A/members/9?updateMask=role".into(), manager.clone(), 404, "NOT_FOUND", ""),
    ] {
        expect(desk.call("PATCH", &target, body), code, reason, part);
    }
    expect(desk.call("DELETE", &me, Value::Null), 400, "FAILED_PRECONDITION", "manager first");
    let (status, body) = desk.call("PATCH", "spaces/A/members/7?updateMask=role", manager);
    assert_eq!((status, &body["role"]), (200, &json!("ROLE_MANAGER")));
    assert_eq!(desk.call("DELETE", &me, Value::Null).1["state"], "NOT_A_MEMBER");
    assert_eq!(desk.world.memberships().filter(|held| held.delete_time.is_none()).count(), 2);
}

#[test]
fn administrators_apps_and_strangers() {
    let mut desk = Desk::importing();
    desk.complete();
    let add = json!({"member": {"name": "users/7"}});
    desk.principal = Principal::new(Scopes::MEMBERSHIPS, Some("stranger@example.com"));
    expect(desk.call("POST", "spaces/A/members", add.clone()), 403, "PERMISSION_DENIED", "");
    desk.principal = Principal::new(Scopes::ADMIN_MEMBERSHIPS, Some("stranger@example.com"));
    assert_eq!(desk.call("POST", "spaces/A/members?useAdminAccess=true", add).0, 200);
    let list = "spaces/A/members?useAdminAccess=true";
    expect(desk.call("GET", list, Value::Null), 400, "INVALID_ARGUMENT", "filter");
    assert_eq!(desk.listed("useAdminAccess=true&filter=member.type+%21%3D+%22BOT%22").len(), 2);
    desk.principal = Principal::new(Scopes::APP_MEMBERSHIPS, None);
    assert_eq!(desk.call("GET", "spaces/A/members/7", Value::Null).0, 200);
    let group = json!({"groupMember": {"name": "groups/9"}});
    expect(desk.call("POST", "spaces/A/members", group), 403, "PERMISSION_DENIED", "groups");
    let app = json!({"member": {"name": "users/app", "type": "BOT"}});
    desk.principal = person(Scopes::MEMBERSHIPS);
    expect(
        desk.call("POST", "spaces/A/members", app.clone()),
        403,
        "PERMISSION_DENIED",
        "chat.memberships.app",
    );
    desk.principal = person(Scopes::MEMBERSHIPS_APP);
    let (_, body) = desk.call("POST", "spaces/A/members", app);
    assert_eq!((&body["name"], &body["member"]["type"]), (&json!("spaces/A/members/app"), &json!("BOT")));
    assert_eq!(desk.call("DELETE", "spaces/A/members/app", Value::Null).0, 200);
}

#[test]
fn the_invited_are_shown_on_request_only() {
    let rules =
        Rules { invited_domains: vec!["shy.example".into()], deleted_echoed: false, ..Rules::default() };
    let mut desk = Desk::new(rules);
    desk.ensure("spaces/A");
    desk.complete();
    let add = json!({"member": {"name": "users/bo@shy.example"}});
    let (status, body) = desk.call("POST", "spaces/A/members", add.clone());
    assert_eq!((status, &body["state"], body.get("role")), (200, &json!("INVITED"), None));
    expect(desk.call("POST", "spaces/A/members", add), 409, "ALREADY_EXISTS", "");
    assert_eq!((desk.listed("").len(), desk.listed("showInvited=true").len()), (1, 2));
    let bo = "spaces/A/members/bo@shy.example";
    let patch = desk.call("PATCH", &format!("{bo}?updateMask=role"), json!({"role": "ROLE_MANAGER"}));
    expect(patch, 400, "FAILED_PRECONDITION", "invited");
    assert_eq!(desk.call("DELETE", bo, Value::Null), (200, json!({})));
}

#[test]
fn spaces_are_created_once() {
    let mut desk = Desk::new(Rules::default());
    let body = json!({"importMode": true, "spaceType": "SPACE", "displayName": "Büro", "createTime": "2015-05-05T05:05:05Z"});
    let (status, space) = desk.call("POST", "spaces?requestId=r-1", body.clone());
    assert_eq!((status, &space["createTime"]), (200, &json!("2015-05-05T05:05:05Z")), "{space}");
    assert_eq!(space["importModeExpireTime"], "2027-02-20T09:00:00Z");
    assert_eq!(desk.call("POST", "spaces?requestId=r-1", body.clone()), (200, space.clone()));
    expect(desk.call("POST", "spaces?requestId=r-2", body.clone()), 409, "ALREADY_EXISTS", "display_name");
    let path = space["name"].as_str().unwrap().to_owned();
    assert!(SpaceName::parse(&path).is_ok());
    let early = historical("users/1", "2015-05-05T05:05:04Z", NOW);
    expect(desk.call("POST", &format!("{path}/members"), early), 400, "INVALID_ARGUMENT", "create_time");
    assert_eq!(
        desk.call("PATCH", &format!("{path}?updateMask=displayName"), json!({"displayName": "Neu"})).0,
        200
    );
    assert_eq!(desk.call("POST", "spaces", body.clone()).0, 200, "the old name is free again");
    desk.principal = Principal::new(Scopes::IMPORT, Some("other@example.com"));
    expect(desk.call("POST", "spaces?requestId=r-1", body), 409, "ALREADY_EXISTS", "another user");
    desk.world.set_rules(Rules { expire_time_echoed: false, ..Rules::default() });
    let group = json!({"importMode": true, "spaceType": "GROUP_CHAT"});
    assert!(desk.call("POST", "spaces", group).1.get("importModeExpireTime").is_none());
}

#[test]
fn spaces_that_cannot_be() {
    for (body, part) in [
        (json!({"importMode": true, "spaceType": "DIRECT_MESSAGE"}), "space_type"),
        (json!({"importMode": true, "displayName": "a"}), "space_type"),
        (json!({"importMode": true, "spaceType": "SPACE", "displayName": " "}), "display_name is required"),
        (json!({"importMode": true, "spaceType": "SPACE", "displayName": "ü".repeat(129)}), "128"),
        (
            json!({"importMode": true, "spaceType": "SPACE", "displayName": "a", "createTime": "1999-12-31T23:59:59Z"}),
            "create_time",
        ),
        (
            json!({"importMode": true, "spaceType": "SPACE", "displayName": "a", "createTime": "2026-11-22T09:00:01Z"}),
            "create_time",
        ),
        (
            json!({"importMode": true, "spaceType": "SPACE", "title": "a"}),
            "Unknown name \\\"title\\\" at 'space'",
        ),
    ] {
        expect(Desk::new(Rules::default()).call("POST", "spaces", body), 400, "INVALID_ARGUMENT", part);
    }
    let mut desk = Desk::new(Rules::default());
    let ordinary = json!({"spaceType": "SPACE", "displayName": "a"});
    expect(desk.call("POST", "spaces", ordinary.clone()), 403, "PERMISSION_DENIED", "SCOPE_INSUFFICIENT");
    desk.principal = person(Scopes::SPACES);
    assert_eq!(desk.call("POST", "spaces", ordinary).0, 200);
    let (_, page) = desk.call("GET", "spaces?filter=spaceType+%3D+%22SPACE%22", Value::Null);
    assert_eq!(page["spaces"].as_array().map(Vec::len), Some(1));
}

#[test]
fn page_tokens_are_bound_to_their_query() {
    let mut desk = Desk::importing();
    desk.ensure("spaces/B");
    for id in 0..5 {
        desk.join(&format!("users/{id}"), "2020-01-01T00:00:00Z", NOW);
    }
    let (_, page) = desk.call("GET", "spaces/A/members?pageSize=2", Value::Null);
    let token = page["nextPageToken"].as_str().unwrap().to_owned();
    assert_eq!(desk.listed(&format!("pageSize=3&pageToken={token}")).len(), 3, "another size will do");
    for target in [
        format!("spaces/B/members?pageToken={token}"),
        format!("spaces/A/members?pageToken={token}&showGroups=true"),
        format!("spaces/A/members?pageToken={token}&filter=member.type+%3D+%22HUMAN%22"),
        "spaces/A/members?pageToken=nonsense".to_owned(),
        "spaces/A/members?pageSize=-1".to_owned(),
    ] {
        assert_eq!(desk.call("GET", &target, Value::Null).0, 400, "{target}");
    }
    let order: Vec<_> = desk.listed("");
    let mut sorted = order.clone();
    sorted.sort();
    assert_ne!(order, sorted, "nobody should come to rely on an order");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn paging_shows_each_membership_once(stints in prop::collection::vec((0u8..12, 0u8..6), 0..60), size in 1usize..9) {
        let mut desk = Desk::importing();
        let mut expected = BTreeMap::new();
        for (member, year) in stints {
            let (from, to) = (format!("20{:02}-01-01T00:00:00Z", year), format!("20{:02}-06-01T00:00:00Z", year));
            let status = desk.join(&format!("users/{member}"), &from, &to).0;
            let fresh = expected.insert((format!("users/{member}"), to), 1).is_none();
            prop_assert_eq!(status, if fresh { 200 } else { 409 });
        }
        let mut seen = BTreeMap::new();
        let mut token = String::new();
        loop {
            let target = format!("spaces/A/members?pageSize={size}&pageToken={token}");
            let (status, page) = desk.call("GET", &target, Value::Null);
            prop_assert_eq!(status, 200);
            let memberships = page["memberships"].as_array().cloned().unwrap_or_default();
            prop_assert!(memberships.len() <= size);
            for membership in memberships {
                let key = |value: &Value| value.as_str().unwrap().to_owned();
                *seen.entry((key(&membership["member"]["name"]), key(&membership["deleteTime"]))).or_insert(0) += 1;
            }
            match page["nextPageToken"].as_str() {
                Some(next) => token = next.to_owned(),
                None => break,
            }
        }
        prop_assert_eq!(seen, expected);
    }

    #[test]
    fn replaying_the_changes_gives_the_same_world(calls in prop::collection::vec((0u8..9, 0u8..3, 0u8..5), 0..60)) {
        let rules = Rules { any_space: true, ..Rules::default() };
        let mut desk = Desk::new(rules.clone());
        desk.principal = person(Scopes::ALL.without(Scopes::OF_APPS));
        for (what, space, member) in calls {
            let (space, member) = (format!("spaces/S{space}"), format!("users/{member}@example.com"));
            let part = member.trim_start_matches("users/").to_owned();
            let path = format!("{space}/members");
            match what {
                0..=2 => desk.call("POST", &path, historical(&member, "2020-01-01T00:00:00Z", &format!("202{what}-03-01T00:00:00Z"))),
                3 => desk.call("POST", &path, json!({"member": {"name": member}})),
                4 => desk.call("DELETE", &format!("{path}/{part}"), Value::Null),
                5 => desk.call("PATCH", &format!("{path}/{part}?updateMask=role"), json!({"role": "ROLE_MANAGER"})),
                6 => desk.call("POST", &format!("{space}:completeImport"), json!({})),
                7 => desk.call("POST", "spaces?requestId=r", json!({"importMode": true, "spaceType": "SPACE", "displayName": "n"})),
                _ => desk.call("PATCH", &format!("{space}?updateMask=displayName"), json!({"displayName": part})),
            };
        }
        let mut copy = World::new(rules);
        for change in &desk.log {
            let line = serde_json::to_string(change).unwrap();
            copy.replay(&serde_json::from_str(&line).unwrap()).unwrap();
        }
        prop_assert_eq!(copy, desk.world);
    }

    #[test]
    fn no_request_makes_it_panic(method in "GET|POST|PATCH|DELETE", path in "/v1/spaces(/[A-Z%.:]{0,4}(/members(/[a-z0-9@%.]{0,8})?)?)?", query in "([a-zA-Z]{0,12}=[a-z0-9%]{0,6}&?){0,3}", body in prop::collection::vec(any::<u8>(), 0..40)) {
        let mut world = World::new(Rules { any_space: true, ..Rules::default() });
        let principal = person(Scopes::ALL);
        let request = Request { method: &method, path: &path, query: &query, principal: Some(&principal), body: &body };
        let response = world.handle(time(NOW), &request);
        prop_assert!((200..500).contains(&response.status));
    }
}
