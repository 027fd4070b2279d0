"""A small OpenID provider: it signs in at once the person whom a test names."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from tests.support.valkey import free_port

CLIENT_ID = "buddy"
#: The keys of the provider, by their names: as of Keycloak, and as of providers with elliptic curves.
KEYS = {"rsa": rsa.generate_private_key(65537, 2048), "ec": ec.generate_private_key(ec.SECP256R1())}
#: A key that the provider does not publish.
STRANGE_KEY = rsa.generate_private_key(65537, 2048)


def published_keys() -> list[dict[str, Any]]:
    """Return the public keys, as the provider publishes them. Some providers name no algorithm."""
    rsa_key = RSAAlgorithm.to_jwk(KEYS["rsa"].public_key(), as_dict=True)
    ec_key = ECAlgorithm.to_jwk(KEYS["ec"].public_key(), as_dict=True)
    return [rsa_key | {"kid": "rsa"}, ec_key | {"kid": "ec", "alg": "ES256"}]


class OpenIDProvider:
    """The provider; `person` are the claims of who is signed in there."""

    def __init__(self) -> None:
        self.person: dict[str, Any] = {}
        #: What the provider says instead, by the path of the answer; `id_token` for claims of the token.
        self.lies: dict[str, Any] = {}
        #: How it signs: the key, the algorithm, and the name of the key in the header.
        self.signs = (KEYS["rsa"], "RS256", {"kid": "rsa"})
        self.nonce = ""
        self.server = ThreadingHTTPServer(("127.0.0.1", free_port()), self._handler())
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, path: str, form: dict[str, list[str]]) -> Any:
        if path in self.lies:
            return self.lies[path]
        if path == "/.well-known/openid-configuration":
            return {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "userinfo_endpoint": f"{self.url}/userinfo",
                "jwks_uri": f"{self.url}/keys",
                "token_endpoint_auth_methods_supported": ["client_secret_post"],
            }
        if path == "/token":
            assert form["code_verifier"], "PKCE"
            now = int(time.time())
            claims = {"iss": self.url, "aud": CLIENT_ID, "iat": now, "exp": now + 60} | self.person
            claims |= {"nonce": self.nonce} | self.lies.get("id_token", {})
            key, algorithm, header = self.signs
            token = jwt.encode(claims, key, algorithm, header)
            return {"access_token": "a", "token_type": "Bearer", "id_token": token}
        if path == "/keys":
            return {"keys": published_keys()}
        return self.person

    def stop(self) -> None:
        """End the server."""
        self.server.shutdown()
        self.server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                query = {name: values[0] for name, values in parse_qs(parts.query).items()}
                if parts.path != "/authorize":
                    self._send(provider.answer(parts.path, {}))
                    return
                provider.nonce = query["nonce"]
                back = {"code": "c", "state": query["state"]}
                self.send_response(302)
                self.send_header("Location", f"{query['redirect_uri']}?{urlencode(back)}")
                self.end_headers()

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                self._send(provider.answer(self.path, parse_qs(body)))

            def _send(self, answer: dict[str, Any]) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(json.dumps(answer).encode())

            def log_message(self, *args: object) -> None:
                """Say nothing."""

        return Handler


@pytest.fixture
def openid_provider(settings: Any) -> Iterator[OpenIDProvider]:
    """A site whose users can sign in with a provider."""
    from buddy.settings.accounts import by_provider

    provider = OpenIDProvider()
    settings.OIDC_URL, settings.OIDC_CLIENT_ID = provider.url, CLIENT_ID
    settings.SOCIALACCOUNT_PROVIDERS = by_provider(provider.url, CLIENT_ID, "secret", "Example")
    yield provider
    provider.stop()
