//! Query parameters. A parameter that the method does not have is refused, as Google does.

use super::call::Api;
use super::refusal::Refusal;

/// The parameters of a call, read. Absent is `None` or `false`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Query {
    pub(crate) admin_access: bool,
    pub(crate) show_groups: bool,
    pub(crate) show_invited: bool,
    pub(crate) page_size: Option<i64>,
    pub(crate) page_token: Option<String>,
    pub(crate) filter: Option<String>,
    pub(crate) update_mask: Option<String>,
    pub(crate) request_id: Option<String>,
}

/// What every method takes (discovery document, `parameters`); they change the form of an answer at most.
const EVERYWHERE: [&str; 11] = [
    "$.xgafv",
    "access_token",
    "alt",
    "callback",
    "fields",
    "key",
    "oauth_token",
    "prettyPrint",
    "quotaUser",
    "uploadType",
    "upload_protocol",
];

pub(super) fn allowed(api: Api) -> &'static [&'static str] {
    match api {
        Api::MembersList => {
            &["filter", "pageSize", "pageToken", "showGroups", "showInvited", "useAdminAccess"]
        }
        Api::MembersPatch | Api::SpacesPatch => &["updateMask", "useAdminAccess"],
        Api::MembersCreate | Api::MembersGet | Api::MembersDelete | Api::SpacesGet | Api::SpacesDelete => {
            &["useAdminAccess"]
        }
        Api::SpacesCreate => &["requestId"],
        Api::SpacesList => &["filter", "pageSize", "pageToken"],
        Api::CompleteImport => &[],
    }
}

impl Query {
    /// Reads the text after the `?` (empty when there is none).
    ///
    /// # Errors
    /// 400 for a parameter that the method does not have, or whose value is not of its type.
    pub(crate) fn parse(api: Api, text: &str) -> Result<Query, Refusal> {
        let mut query = Query::default();
        if text.is_empty() {
            return Ok(query);
        }
        let mut violations = Vec::new();
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            if EVERYWHERE.contains(&name.as_ref()) {
                continue;
            }
            let Some(known) = allowed(api).iter().find(|known| **known == name || snake(known) == name)
            else {
                violations.push((
                    String::new(),
                    format!(
                        "Invalid JSON payload received. Unknown name \"{name}\": Cannot bind query parameter. \
                         Field '{name}' could not be found in request message."
                    ),
                ));
                continue;
            };
            let mut wrong = |kind: &str| {
                let field = snake(known);
                violations.push((field.clone(), format!("Invalid value at '{field}' ({kind}), \"{value}\"")));
            };
            match *known {
                "pageSize" => match value.parse::<i32>() {
                    Ok(size) => query.page_size = Some(size.into()),
                    Err(_) => wrong("TYPE_INT32"),
                },
                "pageToken" => query.page_token = some(value.into_owned()),
                "filter" => query.filter = some(value.into_owned()),
                "updateMask" => query.update_mask = some(value.into_owned()),
                "requestId" => query.request_id = some(value.into_owned()),
                flag => {
                    let on = match value.as_ref() {
                        "true" | "1" => true,
                        "false" | "0" => false,
                        _ => {
                            wrong("TYPE_BOOL");
                            continue;
                        }
                    };
                    match flag {
                        "useAdminAccess" => query.admin_access = on,
                        "showGroups" => query.show_groups = on,
                        _ => query.show_invited = on,
                    }
                }
            }
        }
        if violations.is_empty() { Ok(query) } else { Err(Refusal::bad_payload(violations)) }
    }
}

/// An empty text is protobuf's default, so the same as none.
fn some(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

/// `pageSize` as `page_size`: the name of the field in the protobuf, which JSON may use as well.
pub(crate) fn snake(camel: &str) -> String {
    let mut out = String::with_capacity(camel.len() + 4);
    for c in camel.chars() {
        if c.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_method_has() {
        let query = Query::parse(
            Api::MembersList,
            "pageSize=7&page_token=abc&filter=member.type+%3D+%22HUMAN%22&showGroups=true&alt=json&useAdminAccess=false",
        );
        let expected = Query {
            page_size: Some(7),
            page_token: Some("abc".into()),
            filter: Some("member.type = \"HUMAN\"".into()),
            show_groups: true,
            ..Query::default()
        };
        assert_eq!(query, Ok(expected));
    }

    #[test]
    fn refuses_the_rest() {
        for (api, text, message) in [
            (Api::MembersCreate, "pageSize=7", "Unknown name \"pageSize\": Cannot bind query parameter"),
            (Api::CompleteImport, "useAdminAccess=true", "Unknown name \"useAdminAccess\""),
            (Api::MembersList, "pageSize=many", "Invalid value at 'page_size' (TYPE_INT32), \"many\""),
            (Api::MembersList, "showGroups=yes", "Invalid value at 'show_groups' (TYPE_BOOL), \"yes\""),
        ] {
            let refusal = Query::parse(api, text).unwrap_err();
            assert_eq!(refusal.code, 400);
            assert!(refusal.message.contains(message), "{}", refusal.message);
        }
    }
}
