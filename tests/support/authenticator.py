"""An authenticator in software: it creates passkeys and answers questions as browsers do."""

import base64
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2.cose import ES256
from fido2.webauthn import Aaguid, AttestationObject, AttestedCredentialData, AuthenticatorData

_FLAG = AuthenticatorData.FLAG


def encoded(data: bytes) -> str:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass
class Authenticator:
    """One passkey, and what its browser says about the page."""

    origin: str = "https://testserver"
    rp_id: str = "testserver"
    verifies: bool = True
    """Whether it asks for a PIN."""
    is_framed: bool = False
    id: bytes = b"a passkey of 32 characters......"
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    user_handle: str = ""
    counter: int = 0
    """What it has signed. Passkeys that are copied to other devices of their owner stay at zero."""

    def create(self, options: dict[str, Any]) -> str:
        """Return the JSON of a new passkey."""
        question = options["publicKey"]
        self.user_handle = question["user"]["id"]
        credential = AttestedCredentialData.create(
            Aaguid.NONE, self.id, ES256.from_cryptography_key(self.key.public_key())
        )
        data = self._data(_FLAG.AT, credential)
        attestation = AttestationObject.create("none", data, {})
        client = self._client("webauthn.create", question)
        return self._answer(clientDataJSON=client, attestationObject=attestation)

    def get(self, options: dict[str, Any]) -> str:
        """Return the JSON of the answer to a question."""
        client, data = self._client("webauthn.get", options["publicKey"]), self._data()
        signed = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._answer(clientDataJSON=client, authenticatorData=data, signature=signed)

    def _data(self, flags: int = 0, credential: bytes = b"") -> bytes:
        flags |= _FLAG.UP | (_FLAG.UV if self.verifies else 0)
        host = hashlib.sha256(self.rp_id.encode()).digest()
        return AuthenticatorData.create(host, flags, self.counter, credential)

    def _client(self, kind: str, question: dict[str, Any]) -> bytes:
        said = {"type": kind, "challenge": question["challenge"], "origin": self.origin}
        return json.dumps(said | {"crossOrigin": self.is_framed}).encode()

    def _answer(self, **response: bytes) -> str:
        fields: dict[str, Any] = {name: encoded(value) for name, value in response.items()}
        if "signature" in response:
            fields["userHandle"] = self.user_handle
        name = encoded(self.id)
        return json.dumps(
            {
                "id": name,
                "rawId": name,
                "type": "public-key",
                "clientExtensionResults": {},
                "response": fields,
            }
        )
