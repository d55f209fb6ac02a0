"""A whole migration through Google's own client, and what it is refused."""

import unittest
import uuid

from google.auth.exceptions import RefreshError

from emulator import chat, impersonating, refusal

ADMIN = "admin@example.com"
PEOPLE = ["maria", "jonas", "aylin", "piotr", "chidi"]


def importer():
    return chat(impersonating(ADMIN, "chat.import"))


def manager():
    return chat(impersonating(ADMIN, "chat.memberships"))


def new_space(client, request_id=None):
    """A space in import mode, as old as the history that it is to hold."""
    body = {
        "spaceType": "SPACE",
        "displayName": f"Space {request_id or uuid.uuid4()}",
        "importMode": True,
        "createTime": "2015-01-01T00:00:00Z",
    }
    return client.spaces().create(body=body, requestId=request_id or str(uuid.uuid4())).execute()


def tenure(name, year):
    """Somebody's year in a space."""
    return {
        "member": {"name": f"users/{name}@example.com", "type": "HUMAN"},
        "createTime": f"{year}-03-05T09:30:00.123456Z",
        "deleteTime": f"{year + 1}-03-05T09:30:00Z",
    }


def listed(members, **query):
    """Every membership, page by page, and how many pages there were."""
    found, pages = [], 0
    request = members.list(**query)
    while request is not None:
        page = request.execute()
        found += page.get("memberships", [])
        pages += 1
        request = members.list_next(request, page)
    return found, pages


class Migration(unittest.TestCase):
    def test_from_an_empty_space_to_its_manager(self):
        client = importer()
        members = client.spaces().members()
        request_id = str(uuid.uuid4())
        space = new_space(client, request_id)
        self.assertTrue(space["importMode"])
        self.assertEqual(new_space(client, request_id)["name"], space["name"], "a repeated requestId")
        name = space["name"]

        created = [
            members.create(parent=name, body=tenure(person, 2016 + number)).execute()
            for number, person in enumerate(PEOPLE)
        ]
        for number, membership in enumerate(created):
            sent = tenure(PEOPLE[number], 2016 + number)
            self.assertEqual(membership["createTime"], sent["createTime"])
            self.assertEqual(membership["deleteTime"], sent["deleteTime"])
            self.assertRegex(membership["member"]["name"], r"^users/\d+$")

        found, pages = listed(members, parent=name, pageSize=2)
        self.assertEqual(pages, 3)
        self.assertCountEqual(found, created)

        gone = created.pop(0)
        deleted = members.delete(name=gone["name"]).execute()
        self.assertEqual(deleted.get("state", "NOT_A_MEMBER"), "NOT_A_MEMBER")
        self.assertCountEqual(listed(members, parent=name, pageSize=3)[0], created)

        completed = client.spaces().completeImport(name=name, body={}).execute()["space"]
        self.assertEqual((completed["name"], completed.get("importMode", False)), (name, False))

        members = manager().spaces().members()
        body = {"member": {"name": "users/maria@example.com", "type": "HUMAN"}}
        joined = members.create(parent=name, body=body).execute()
        self.assertEqual((joined["state"], joined["role"]), ("JOINED", "ROLE_MEMBER"))
        promoted = members.patch(name=joined["name"], updateMask="role", body={"role": "ROLE_MANAGER"}).execute()
        self.assertEqual(promoted["role"], "ROLE_MANAGER")
        self.assertEqual(members.get(name=f"{name}/members/maria@example.com").execute(), promoted)
        found, _ = listed(members, parent=name, filter='member.type = "HUMAN"')
        self.assertEqual([member["role"] for member in found], ["ROLE_MANAGER", "ROLE_MANAGER"])
        self.assertIn(promoted, found)


class Refusals(unittest.TestCase):
    def test_somebody_who_has_not_left(self):
        client = importer()
        body = {"member": {"name": "users/maria@example.com", "type": "HUMAN"}}
        request = client.spaces().members().create(parent=new_space(client)["name"], body=body)
        error, status = refusal(request)
        self.assertEqual((error.status_code, status), (400, "INVALID_ARGUMENT"))
        self.assertIn("Adding normal memberships isn't supported", error.reason)

    def test_the_same_tenure_twice(self):
        client = importer()
        name = new_space(client)["name"]
        request = client.spaces().members().create(parent=name, body=tenure("maria", 2016))
        request.execute()
        error, status = refusal(request)
        self.assertEqual((error.status_code, status), (409, "ALREADY_EXISTS"))

    def test_a_token_of_another_scope(self):
        name = new_space(importer())["name"]
        error, status = refusal(manager().spaces().completeImport(name=name, body={}))
        self.assertEqual((error.status_code, status), (403, "PERMISSION_DENIED"))
        self.assertEqual(error.reason, "Request had insufficient authentication scopes.")
        self.assertEqual(error.error_details[0]["reason"], "ACCESS_TOKEN_SCOPE_INSUFFICIENT")

    def test_a_space_that_is_not_there(self):
        error, status = refusal(importer().spaces().members().list(parent="spaces/AAQAnowhere"))
        self.assertEqual((error.status_code, status), (403, "PERMISSION_DENIED"))

    def test_a_scope_that_was_not_delegated(self):
        client = chat(impersonating(ADMIN, "chat.import", "chat.spaces"))
        with self.assertRaises(RefreshError) as raised:
            new_space(client)
        self.assertEqual(raised.exception.args[1]["error"], "unauthorized_client")

    def test_somebody_whom_nobody_knows(self):
        client = chat(impersonating("nobody@example.invalid", "chat.import"))
        with self.assertRaises(RefreshError) as raised:
            new_space(client)
        self.assertEqual(raised.exception.args[1]["error_description"], "Invalid email or User ID")
