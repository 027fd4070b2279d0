"""The proof of identity in a session: `force_login` gives none, and signing in one that grows old."""

import time
from typing import Any


def prove(client: Any, *, ago: float = 0.0) -> None:
    """Let the user of a test client have shown the password so many seconds ago. Blocks."""
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": time.time() - ago}]
    session["account_authentication_methods_user"] = session["_auth_user_id"]
    session.save()
