//! Which method of the API a request means, from its HTTP method and path.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// A method of the Chat API, as far as it is played here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Api {
    /// `POST v1/spaces/{space}/members`
    MembersCreate,
    /// `GET v1/spaces/{space}/members`
    MembersList,
    /// `GET v1/spaces/{space}/members/{member}`
    MembersGet,
    /// `DELETE v1/spaces/{space}/members/{member}`
    MembersDelete,
    /// `PATCH v1/spaces/{space}/members/{member}`
    MembersPatch,
    /// `POST v1/spaces`
    SpacesCreate,
    /// `GET v1/spaces`
    SpacesList,
    /// `GET v1/spaces/{space}`
    SpacesGet,
    /// `PATCH v1/spaces/{space}`
    SpacesPatch,
    /// `DELETE v1/spaces/{space}`
    SpacesDelete,
    /// `POST v1/spaces/{space}:completeImport`
    CompleteImport,
}

impl Api {
    /// The gRPC method, which error details name.
    pub(crate) fn rpc(self) -> &'static str {
        match self {
            Api::MembersCreate => "google.chat.v1.ChatService.CreateMembership",
            Api::MembersList => "google.chat.v1.ChatService.ListMemberships",
            Api::MembersGet => "google.chat.v1.ChatService.GetMembership",
            Api::MembersDelete => "google.chat.v1.ChatService.DeleteMembership",
            Api::MembersPatch => "google.chat.v1.ChatService.UpdateMembership",
            Api::SpacesCreate => "google.chat.v1.ChatService.CreateSpace",
            Api::SpacesList => "google.chat.v1.ChatService.ListSpaces",
            Api::SpacesGet => "google.chat.v1.ChatService.GetSpace",
            Api::SpacesPatch => "google.chat.v1.ChatService.UpdateSpace",
            Api::SpacesDelete => "google.chat.v1.ChatService.DeleteSpace",
            Api::CompleteImport => "google.chat.v1.ChatService.CompleteImportSpace",
        }
    }
}

/// A method together with the resource it is called on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call<'a> {
    /// The method.
    pub api: Api,
    /// `spaces/{space}`; empty for the collection itself.
    pub space: &'a str,
    /// The last part of `spaces/{space}/members/{member}`, unescaped; empty when there is none.
    pub member: Cow<'a, str>,
}

impl<'a> Call<'a> {
    /// Reads `method` (`GET`, `POST`, ...) and `path` (`/v1/...`, no query). `None` when the API has no such method.
    pub fn parse(method: &str, path: &'a str) -> Option<Self> {
        let name = path.strip_prefix("/v1/")?;
        let rest = name.strip_prefix("spaces")?;
        let whole = |api| Some(Call { api, space: "", member: Cow::Borrowed("") });
        if rest.is_empty() {
            return match method {
                "POST" => whole(Api::SpacesCreate),
                "GET" => whole(Api::SpacesList),
                _ => None,
            };
        }
        let mut parts = rest.strip_prefix('/')?.split('/');
        let id = parts.next().filter(|id| !id.is_empty())?;
        let space = name.get(.."spaces/".len() + id.len())?;
        match (parts.next(), parts.next(), parts.next()) {
            (None, ..) => {
                if let Some(space) = space.strip_suffix(":completeImport") {
                    return (method == "POST").then_some(Call {
                        api: Api::CompleteImport,
                        space,
                        member: Cow::Borrowed(""),
                    });
                }
                let api = match method {
                    "GET" => Api::SpacesGet,
                    "PATCH" => Api::SpacesPatch,
                    "DELETE" => Api::SpacesDelete,
                    _ => return None,
                };
                Some(Call { api, space, member: Cow::Borrowed("") })
            }
            (Some("members"), None, _) => {
                let api = match method {
                    "POST" => Api::MembersCreate,
                    "GET" => Api::MembersList,
                    _ => return None,
                };
                Some(Call { api, space, member: Cow::Borrowed("") })
            }
            (Some("members"), Some(member), None) if !member.is_empty() => {
                let api = match method {
                    "GET" => Api::MembersGet,
                    "PATCH" => Api::MembersPatch,
                    "DELETE" => Api::MembersDelete,
                    _ => return None,
                };
                Some(Call { api, space, member: percent_decode_str(member).decode_utf8().ok()? })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        for (method, path, expected) in [
            ("POST", "/v1/spaces", Some((Api::SpacesCreate, "", ""))),
            ("GET", "/v1/spaces", Some((Api::SpacesList, "", ""))),
            ("GET", "/v1/spaces/A-1", Some((Api::SpacesGet, "spaces/A-1", ""))),
            ("PATCH", "/v1/spaces/A", Some((Api::SpacesPatch, "spaces/A", ""))),
            ("DELETE", "/v1/spaces/A", Some((Api::SpacesDelete, "spaces/A", ""))),
            ("POST", "/v1/spaces/A:completeImport", Some((Api::CompleteImport, "spaces/A", ""))),
            ("POST", "/v1/spaces/A/members", Some((Api::MembersCreate, "spaces/A", ""))),
            ("GET", "/v1/spaces/A/members", Some((Api::MembersList, "spaces/A", ""))),
            ("GET", "/v1/spaces/A/members/1", Some((Api::MembersGet, "spaces/A", "1"))),
            ("DELETE", "/v1/spaces/A/members/a%40b.c", Some((Api::MembersDelete, "spaces/A", "a@b.c"))),
            ("PATCH", "/v1/spaces/A/members/a@b.c", Some((Api::MembersPatch, "spaces/A", "a@b.c"))),
            ("PUT", "/v1/spaces/A/members/1", None),
            ("GET", "/v1/spaces/A:completeImport", None),
            ("POST", "/v1/spaces/A", None),
            ("GET", "/v1/spaces/", None),
            ("GET", "/v1/spaces//members", None),
            ("GET", "/v1/spaces/A/members/", None),
            ("GET", "/v1/spaces/A/members/1/x", None),
            ("GET", "/v1/spaces/A/messages", None),
            ("GET", "/v1/spacesA", None),
            ("GET", "/v2/spaces", None),
            ("GET", "/v1/spaces/A/members/%ff", None),
        ] {
            let call = Call::parse(method, path);
            let parts = call.as_ref().map(|call| (call.api, call.space, call.member.as_ref()));
            assert_eq!(parts, expected, "{method} {path}");
        }
    }
}
