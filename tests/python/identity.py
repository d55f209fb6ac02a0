"""People, machines and signed claims, through Google's own authentication library."""

import base64
import hashlib
import json
import secrets
import time
import unittest
import uuid
from urllib.parse import parse_qs, urlsplit

import requests
from google.auth import compute_engine
from google.auth.exceptions import RefreshError
from google.auth.transport.requests import AuthorizedSession, Request
from google.oauth2.credentials import Credentials

from emulator import ENDPOINT, chat, read, scope

CLIENT = read("client_secrets.json")["installed"]
REDIRECT = "http://127.0.0.1:49152/"


def sign_in(person, *scopes):
    """Tokens of a person: authorization code with PKCE, as an installed app goes about it."""
    verifier, state = secrets.token_urlsafe(48), secrets.token_urlsafe(16)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")
    asked = {
        "client_id": CLIENT["client_id"],
        "redirect_uri": REDIRECT,
        "response_type": "code",
        "scope": " ".join(scope(name) for name in scopes),
        "state": state,
        "login_hint": person,
        "access_type": "offline",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    page = requests.get(CLIENT["auth_uri"], params=asked, allow_redirects=False, timeout=10)
    back = parse_qs(urlsplit(page.headers["Location"]).query)
    assert back["state"] == [state], back
    form = {
        "grant_type": "authorization_code",
        "client_id": CLIENT["client_id"],
        "client_secret": CLIENT["client_secret"],
        "code": back["code"][0],
        "redirect_uri": REDIRECT,
        "code_verifier": verifier,
    }
    answer = requests.post(CLIENT["token_uri"], data=form, timeout=10)
    answer.raise_for_status()
    return answer.json()


def credentials(refresh_token, *scopes):
    """Google's credentials of a person, without an access token so far."""
    return Credentials(
        None,
        refresh_token=refresh_token,
        token_uri=CLIENT["token_uri"],
        client_id=CLIENT["client_id"],
        client_secret=CLIENT["client_secret"],
        scopes=[scope(name) for name in scopes],
    )


class Identity(unittest.TestCase):
    def test_a_person_signs_in_works_and_leaves(self):
        tokens = sign_in("maria@example.com", "chat.spaces", "chat.memberships")
        client = chat(credentials(tokens["refresh_token"], "chat.spaces", "chat.memberships"))
        body = {"spaceType": "SPACE", "displayName": f"Space {uuid.uuid4()}"}
        space = client.spaces().create(body=body).execute()
        found = client.spaces().members().list(parent=space["name"]).execute()["memberships"]
        self.assertEqual([member["role"] for member in found], ["ROLE_MANAGER"])

        revoked = requests.post(f"{ENDPOINT}revoke", data={"token": tokens["access_token"]}, timeout=10)
        self.assertEqual(revoked.status_code, 200)
        with self.assertRaises(RefreshError) as raised:
            credentials(tokens["refresh_token"]).refresh(Request())
        self.assertEqual(raised.exception.args[1]["error"], "invalid_grant")

    def test_no_more_than_was_consented_to(self):
        tokens = sign_in("maria@example.com", "chat.spaces", "chat.memberships")
        less = credentials(tokens["refresh_token"], "chat.spaces")
        less.refresh(Request())
        self.assertEqual(less.granted_scopes, [scope("chat.spaces")])
        with self.assertRaises(RefreshError) as raised:
            credentials(tokens["refresh_token"], "chat.import").refresh(Request())
        self.assertEqual(raised.exception.args[1]["error"], "invalid_scope")

    def test_claims_are_signed_for_a_person_and_for_a_machine(self):
        person = credentials(read("adc.json")["refresh_token"], "cloud-platform")
        machine = compute_engine.Credentials()
        machine.refresh(Request())
        email = machine.service_account_email
        self.assertEqual(email, read("key.json")["client_email"])
        for caller in [person, machine]:
            signed = sign(caller, email, int(time.time()))
            self.assertEqual(signed.status_code, 200, signed.text)
            form = {
                "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
                "assertion": signed.json()["signedJwt"],
            }
            token = requests.post(CLIENT["token_uri"], data=form, timeout=10).json()["access_token"]
            body = {"spaceType": "SPACE", "displayName": f"Space {uuid.uuid4()}", "importMode": True}
            space = chat(Credentials(token)).spaces().create(body=body).execute()
            self.assertTrue(space["importMode"])
            old = sign(caller, email, int(time.time()) - 7200)
            self.assertEqual((old.status_code, old.json()["error"]["status"]), (400, "INVALID_ARGUMENT"))


def sign(caller, email, now):
    """Asks IAM Credentials to sign what a key file would be needed for."""
    claims = {
        "iss": email,
        "sub": "admin@example.com",
        "scope": scope("chat.import"),
        "aud": CLIENT["token_uri"],
        "iat": now,
        "exp": now + 3600,
    }
    url = f"{ENDPOINT}v1/projects/-/serviceAccounts/{email}:signJwt"
    return AuthorizedSession(caller).post(url, json={"payload": json.dumps(claims)}, timeout=10)
