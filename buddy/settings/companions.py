"""Settings of the chat: the model, limits, analytics, care."""

from urllib.parse import urlsplit

from .environment import env

COMPANION_IDS = ("corporate", "travel", "emotional", "culture")

# --- the model ------------------------------------------------------------------------------------
OPENAI_API_KEY = env.str("OPENAI_API_KEY", default="")
OPENAI_BASE_URL = env.str("OPENAI_BASE_URL", default="")
_host = urlsplit(OPENAI_BASE_URL or "https://api.openai.com").hostname or ""
_is_openai = bool(OPENAI_API_KEY) and f".{_host}".endswith(".openai.com")
#: Without it, a small model of OpenAI's own. Other servers have other names.
OPENAI_MODEL = env.str("OPENAI_MODEL", default="") or ("gpt-5.4-mini" if _is_openai else "")
#: auto, responses or chat. auto means Responses for OpenAI and chat completions for other servers.
OPENAI_API = env.str("OPENAI_API", default="auto")
#: Maximum number of tokens of one call: instructions, conversation and answer together.
OPENAI_CONTEXT_TOKENS = env.int("OPENAI_CONTEXT_TOKENS", default=32_000, at_least=1_000)
#: Tokens that the model may use for thoughts besides those of the answer, by companion.
THINKING_TOKENS = {
    companion: env.int(
        f"OPENAI_{companion.upper()}_THINKING_TOKENS", default=env.int("OPENAI_THINKING_TOKENS", default=0)
    )
    for companion in COMPANION_IDS
}
#: How much the model thinks, in the provider's words, by companion. Empty: the provider's default.
REASONING_EFFORT = {
    companion: env.str(
        f"OPENAI_{companion.upper()}_REASONING_EFFORT", default=env.str("OPENAI_REASONING_EFFORT", default="")
    )
    for companion in COMPANION_IDS
}
#: The model that transcribes voice messages. If empty, voice messages are turned off. Its address and key
#: are those of the chat model, unless they are set.
OPENAI_TRANSCRIPTION_MODEL = env.str("OPENAI_TRANSCRIPTION_MODEL", default="")
OPENAI_TRANSCRIPTION_BASE_URL = env.str("OPENAI_TRANSCRIPTION_BASE_URL", default="")
OPENAI_TRANSCRIPTION_API_KEY = env.str("OPENAI_TRANSCRIPTION_API_KEY", default="")
#: True when `make run` started the demo speech-to-text model (English only). The page shows a note.
DEMO_SPEECH = env.bool("BUDDY_DEMO_SPEECH", default=False)
#: The model that answers when the first one cannot (docs/usage.md), with its address and key if they differ.
OPENAI_FALLBACK_MODEL = env.str("OPENAI_FALLBACK_MODEL", default="")
OPENAI_FALLBACK_BASE_URL = env.str("OPENAI_FALLBACK_BASE_URL", default="")
OPENAI_FALLBACK_API_KEY = env.str("OPENAI_FALLBACK_API_KEY", default="")
#: True when `make run` started the demo model. The page shows a note.
DEMO_MODEL = env.bool("BUDDY_DEMO_MODEL", default=False)
#: True: the model writes the title of a thread after its first answer. The titles of the demo model are bad.
THREAD_TITLES = env.bool("THREAD_TITLES", default=not DEMO_MODEL)
#: JSON: model -> price of a million tokens (input, cached, output) and of a minute of audio.
OPENAI_PRICES = env.str("OPENAI_PRICES", default="")
PRICE_CURRENCY = env.str("PRICE_CURRENCY", default="USD")
#: Daily budget of one owner in tokens and in money. 0 means no limit. Visitors without an account have the
#: same budget, unless theirs is set.
BUDGET_TOKENS_PER_DAY = env.int("BUDGET_TOKENS_PER_DAY", default=0)
BUDGET_COST_PER_DAY = env.float("BUDGET_COST_PER_DAY", default=0.0)
BUDGET_TOKENS_PER_DAY_ANONYMOUS = env.int("BUDGET_TOKENS_PER_DAY_ANONYMOUS", default=BUDGET_TOKENS_PER_DAY)
BUDGET_COST_PER_DAY_ANONYMOUS = env.float("BUDGET_COST_PER_DAY_ANONYMOUS", default=BUDGET_COST_PER_DAY)
#: Maximum calls of the model for one document. 0 means no limit.
DOCUMENT_MAX_CALLS = env.int("DOCUMENT_MAX_CALLS", default=250)
#: Assistants of an earlier installation. OpenAI ended them in August 2026. A system check says what to do.
OPENAI_ASSISTANT_IDS = {
    companion: env.str(f"OPENAI_{companion.upper()}_ASSISTANT_ID", default="") for companion in COMPANION_IDS
}

# --- limits -----------------------------------------------------------------------------------------
#: Maximum number of messages of a visitor, a user and an address, of requests and sign-in attempts of an
#: address, and of sign-in attempts for an account. An empty value means no limit.
LIMITS = {
    "anonymous": env.str("LIMIT_ANONYMOUS", default="20/minute;200/hour"),
    "user": env.str("LIMIT_USER", default="40/minute;600/hour"),
    "address": env.str("LIMIT_ADDRESS", default="120/minute;2000/hour"),
    "requests": env.str("LIMIT_REQUESTS", default="1200/minute"),
    "megabytes": env.str("LIMIT_MEGABYTES", default="500/hour;2000/day"),
    "events": env.str("LIMIT_EVENTS", default="5000/hour;20000/day"),
    "visitors": env.str("LIMIT_VISITORS", default="200/hour;1000/day"),
    "login": env.str("LIMIT_LOGIN", default="10/minute;60/hour"),
    "account": env.str("LIMIT_ACCOUNT", default="10/minute;30/hour"),
    "mail": env.str("LIMIT_MAIL", default="3 per 10 minutes;10/day"),
}
#: What clients send is refused while a disk has less free space (in MB).
MIN_FREE_MB = env.int("MIN_FREE_MB", default=300)
#: Maximum megabytes of all uploaded files that wait, events that are kept, and visitors for whom anything is.
MAX_UPLOADS_MB = env.int("MAX_UPLOADS_MB", default=2_000)
MAX_EVENTS = env.int("MAX_EVENTS", default=2_000_000)
MAX_VISITORS = env.int("MAX_VISITORS", default=200_000)
#: Maximum requests, event streams and sockets that one address has open in a web process. 0 means no limit.
LIMIT_OPEN = env.int("LIMIT_OPEN", default=500)
#: Maximum seconds that a message over its limit is held. A message that must wait longer is refused.
LIMIT_MAX_WAIT = env.int("LIMIT_MAX_WAIT", default=60, at_most=3_600)
#: Seconds for which the same question gets the stored answer. 0 turns the answer cache off.
ANSWER_CACHE_SECONDS = env.int("ANSWER_CACHE_SECONDS", default=60 * 60 * 24)

# --- analytics --------------------------------------------------------------------------------------
#: Days for which events and their totals are kept. 0 turns analytics off.
ANALYTICS_DAYS = env.int("ANALYTICS_DAYS", default=90)

# --- care -------------------------------------------------------------------------------------------
#: A contact person for people in a crisis, as `Name <address>`. The address is https:, mailto: or tel:.
CARE_CONTACT = env.str("CARE_CONTACT", default="")
#: Messages, or minutes without a break, after which the page says again that this is an AI. 0 means never.
CARE_REMIND_MESSAGES = env.int("CARE_REMIND_MESSAGES", default=40)
CARE_REMIND_MINUTES = env.int("CARE_REMIND_MINUTES", default=60)
