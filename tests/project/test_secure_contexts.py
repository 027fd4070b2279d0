"""P3: what browsers offer only with HTTPS is used at the named places, which have another way without it."""

import re

from tests.support.cluster import ROOT

#: https://developer.mozilla.org/docs/Web/Security/Secure_Contexts/features_restricted_to_secure_contexts
NEEDS_HTTPS = re.compile(
    r"randomUUID|crypto\.subtle|CryptoKey"
    r"|navigator\.(clipboard|mediaDevices|locks|storage|serviceWorker|credentials|share|canShare|wakeLock"
    r"|geolocation|userAgentData|permissions|setAppBadge|bluetooth|usb|serial|hid|requestMIDIAccess)\b"
    r"|\bcaches\.|\bcookieStore|\bNotification\b|PushManager|PaymentRequest|isSecureContext"
    r"|show(Open|Save)FilePicker|showDirectoryPicker|queryLocalFonts|IdleDetector|getScreenDetails"
)
#: File -> what it uses, after it has asked whether it is there.
HAS_ANOTHER_WAY = {
    "chat/accounts/static/accounts/passkeys.js": {"isSecureContext", "navigator.credentials"},
    "chat/static/chat/js/shortcuts.js": {"navigator.userAgentData"},
    "chat/static/chat/js/views/dom.js": {"navigator.clipboard"},
    "chat/static/chat/js/views/voice/recorder.js": {"isSecureContext", "navigator.mediaDevices"},
}
COMMENT = re.compile(r"//.*|/\*[\s\S]*?\*/")


def test_scripts_use_functions_of_secure_contexts_only_where_there_is_another_way() -> None:
    found = {}
    for folder in ("chat/accounts/static", "chat/static", "queueing/static"):
        for path in sorted(ROOT.glob(f"{folder}/**/*.js")):
            used = {match[0] for match in NEEDS_HTTPS.finditer(COMMENT.sub("", path.read_text()))}
            if used:
                found[str(path.relative_to(ROOT))] = used
    assert found == HAS_ANOTHER_WAY
