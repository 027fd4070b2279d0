"""Sentences of this package that users and operators read."""

from collections.abc import Mapping

_CONTACT = "Please contact the operator of this site."

NOT_CONFIGURED = f"The companion's model account is not set up correctly. {_CONTACT}"
NO_MODEL = f"The companion's model is not available under its configured name. {_CONTACT}"
NO_QUOTA = f"The companion's model account has no credit left. {_CONTACT}"
RATE_LIMITED = "The companion's model is receiving too many requests. Your request continues shortly."
PAUSED = "The companion's model is paused after a failure. Your request continues shortly."
BAD_REQUEST = "The companion's model could not accept this message."
TOO_LONG = "This text is too long for the companion's model. Please send less, or start a new conversation."
FILTERED = "The content filter blocked the answer. Please rephrase your message."
PROVIDER_DOWN = "The companion's model does not answer at the moment."
PROVIDER_ERROR = "The companion's model had an internal error."
PROVIDER_TIMEOUT = "The companion's model took too long to answer."
PROVIDER_UNREACHABLE = "The companion's model could not be reached."
CUT_OFF = "The answer was cut off before its end."
GARBLED = "The companion's model sent an unreadable answer."
EMPTY_ANSWER = "The companion's model sent an empty answer."
NO_ROOM = "The companion used up its limit for an answer while it was still thinking."

RECORDING_UNREADABLE = "This recording could not be read. Please record it again."
RECORDING_TOO_LONG = "This recording is too long to transcribe. Please send a shorter one."


def refused(explanation: str) -> str:
    """Return the sentence for a refusal, which the model has explained."""
    return f"The companion declined to answer: {explanation}"


def failing(failures: Mapping[str, int], minutes: int) -> str:
    """Return the health warning about `failures` (count by code) in the last `minutes`."""
    codes = ", ".join(f"{code} {count}" for code, count in failures.items())
    return f"Calls to the model provider fail: {codes} in the last {minutes} minutes."


def fallback_active(seconds: float) -> str:
    """Return the health warning for a first model that is not tried for `seconds` more."""
    return f"The first model fails and is tried again in {seconds:.0f} s; the fallback answers."
