"""Lists products with Microsoft's library for Python: list.py CACHE TOKEN URL.

The first run creates the token cache. Later runs find the token there, like a script after its first sign-in.
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


class DiscoveryResponse:
    """The OpenID configuration of the authority."""

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


class OfflineClient:
    """HTTP client without a network. msal requests the OpenID configuration in every process, even with a filled cache.

    Leaving out that request makes msal look faster than it is.
    """

    def get(self, url, **_):
        return DiscoveryResponse()

    def post(self, url, **_):
        raise RuntimeError(f"unexpected request to {url}")

    def close(self):
        pass


def add_token(cache, token):
    """Adds the token like msal after a sign-in."""
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
        add_token(cache, token)
        with open(path, "w", encoding="utf-8") as file:
            file.write(cache.serialize())
    app = msal.PublicClientApplication(
        CLIENT, authority=AUTHORITY, token_cache=cache, instance_discovery=False, http_client=OfflineClient()
    )
    entry = next(iter(cache.search(msal.TokenCache.CredentialType.ACCESS_TOKEN, target=[SCOPE])))
    account = {name: entry[name] for name in ("home_account_id", "environment")}
    result = app.acquire_token_silent([SCOPE], account=account)
    headers = {
        "Authorization": f"Bearer {result['access_token']}",
        "Accept": "application/json",
        "x-ms-correlation-id": str(uuid.uuid4()),
    }
    response = requests.get(url, headers=headers, timeout=10)
    response.raise_for_status()
    for item in response.json()["items"]:
        print(item["productId"], item["productName"], item["policyValue"], sep="\t")


main()
