"""The emulator that `run` has started, and Google's own client for it."""

import json
import os
from pathlib import Path

from google.oauth2 import service_account
from googleapiclient import discovery
from googleapiclient.errors import HttpError

ENDPOINT = os.environ["TENURE_ENDPOINT"]
ROOM = Path(os.environ["TENURE_ROOM"])
KEY = ROOM / "key.json"


def scope(name):
    """The full URL of a scope."""
    return f"https://www.googleapis.com/auth/{name}"


def read(name):
    """What the emulator has written for clients."""
    return json.loads((ROOM / name).read_text())


def chat(credentials):
    """Google's client of the Chat API, unmodified but for its endpoint."""
    return discovery.build(
        "chat",
        "v1",
        credentials=credentials,
        static_discovery=True,
        client_options={"api_endpoint": ENDPOINT},
    )


def impersonating(person, *scopes):
    """The service account with domain-wide delegation."""
    return service_account.Credentials.from_service_account_file(
        KEY, scopes=[scope(name) for name in scopes], subject=person
    )


def refusal(request):
    """The HttpError that a request ends with, and the status in its body."""
    try:
        answer = request.execute()
    except HttpError as error:
        return error, json.loads(error.content)["error"]["status"]
    raise AssertionError(f"it was not refused but answered: {answer}")
