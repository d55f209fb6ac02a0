//! Lines of an emulator's store, written by hand: what Chat holds before anybody calls.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// Whom the tests' service account acts for, and the id that the emulator knows them by.
pub(crate) const ADMIN: &str = "users/167356197587797192740";

/// A space in import mode that was created so many days ago.
pub(crate) fn space(name: &str, days: i64) -> String {
    let created = Timestamp::now() - SignedDuration::from_hours(24 * days);
    line(json!({"space": {
        "name": name, "displayName": name, "spaceType": "SPACE", "importMode": true,
        "createTime": "2000-01-01T00:00:00Z", "created": created.to_string(),
    }}))
}

/// The same, completed, with the administrator as its only manager.
pub(crate) fn completed(name: &str) -> String {
    space(name, 1) + &line(json!({ "completedSpace": name })) + &member(name, ADMIN, "ROLE_MANAGER")
}

/// A member of today; groups have no role.
pub(crate) fn member(space: &str, member: &str, role: &str) -> String {
    line(json!({ "membership": membership(space, member, role) }))
}

/// Somebody who has not come yet.
pub(crate) fn invited(space: &str, member: &str) -> String {
    let mut membership = membership(space, member, "");
    membership["invited"] = true.into();
    line(json!({ "membership": membership }))
}

fn membership(space: &str, member: &str, role: &str) -> Value {
    let (_, id) = member.split_once('/').unwrap();
    let mut membership = json!({
        "name": format!("{space}/members/{id}"), "member": member, "createTime": "2026-01-01T00:00:00Z",
    });
    if !role.is_empty() {
        membership["role"] = role.into();
    }
    membership
}

fn line(change: Value) -> String {
    format!("{change}\n")
}
