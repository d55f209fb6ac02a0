"""Creates memberships one after the other with Google's own client: google_client.py ENDPOINT COUNT"""

import sys

from google.oauth2.credentials import Credentials
from googleapiclient import discovery

endpoint, count = sys.argv[1], int(sys.argv[2])
chat = discovery.build(
    "chat",
    "v1",
    credentials=Credentials(token="token"),
    static_discovery=True,
    client_options={"api_endpoint": endpoint},
)
members = chat.spaces().members()
for number in range(count):
    members.create(
        parent=f"spaces/AAAA{number % 500:05}",
        body={
            "member": {"name": f"users/person{number:07}@example.com", "type": "HUMAN"},
            "createTime": "2020-01-01T00:00:00Z",
            "deleteTime": "2021-01-01T00:00:00Z",
        },
    ).execute()
