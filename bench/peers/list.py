"""Lists products as a script would that uses Microsoft's library: list.py CACHE TOKEN URL.

The first run makes the cache of tokens; the others find the token there, as a script does that has signed in before.
"""

import json
import os
import sys
import uuid

import msal
import requests

SCOPE = "aeb86249-8ea3-49e2-900b-54cc8e308f85/AccessAsUser"
TENANT = "11111111-1111-4111-8111-111111111111"
CLIENT = "3d5cffa9-04da-4657-8cab-c7f074657cad"
AUTHORITY = f"https://login.microsoftonline.com/{TENANT}"


class Answer:
    """What Microsoft answers to the question where the authority's endpoints are."""

    status_code = 200
    headers = {}
    text = json.dumps(
        {
            "issuer": f"{AUTHORITY}/v2.0",
            "authorization_endpoint": f"{AUTHORITY}/oauth2/v2.0/authorize",
            "token_endpoint": f"{AUTHORITY}/oauth2/v2.0/token",
            "device_authorization_endpoint": f"{AUTHORITY}/oauth2/v2.0/devicecode",
        }
    )


class Within:
    """Answers in the network's place: msal asks that question in every process, whatever its cache holds.

    The request that this spares msal counts in its favour.
    """

    def get(self, url, **_):
        return Answer()

    def post(self, url, **_):
        raise RuntimeError(f"nothing is to be sent to {url}")

    def close(self):
        pass


def fill(cache, token):
    """Adds the token as msal itself would after a sign-in."""
    cache.add(
        {
            "client_id": CLIENT,
            "scope": [SCOPE],
            "token_endpoint": f"{AUTHORITY}/oauth2/v2.0/token",
            "response": {
                "access_token": token,
                "expires_in": 24 * 60 * 60,
                "token_type": "Bearer",
                "client_info": "eyJ1aWQiOiJhIiwidXRpZCI6ImIifQ",
            },
        }
    )


def main():
    path, token, url = sys.argv[1:]
    cache = msal.SerializableTokenCache()
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            cache.deserialize(file.read())
    else:
        fill(cache, token)
        with open(path, "w", encoding="utf-8") as file:
            file.write(cache.serialize())
    app = msal.PublicClientApplication(
        CLIENT, authority=AUTHORITY, token_cache=cache, instance_discovery=False, http_client=Within()
    )
    entry = next(iter(cache.search(msal.TokenCache.CredentialType.ACCESS_TOKEN, target=[SCOPE])))
    account = {name: entry[name] for name in ("home_account_id", "environment")}
    found = app.acquire_token_silent([SCOPE], account=account)
    headers = {
        "Authorization": f"Bearer {found['access_token']}",
        "Accept": "application/json",
        "x-ms-correlation-id": str(uuid.uuid4()),
    }
    answer = requests.get(url, headers=headers, timeout=10)
    answer.raise_for_status()
    for item in answer.json()["items"]:
        print(item["productId"], item["productName"], item["policyValue"], sep="\t")


main()
