"""What the companions do: the model, limits, analytics, care."""

from .environment import env

# --- the model ------------------------------------------------------------------------------------
OPENAI_API_KEY = env.str("OPENAI_API_KEY", default="")
OPENAI_BASE_URL = env.str("OPENAI_BASE_URL", default="")
OPENAI_MODEL = env.str("OPENAI_MODEL", default="")
#: auto | responses | chat; auto is Responses on OpenAI itself and chat completions elsewhere.
OPENAI_API = env.str("OPENAI_API", default="auto")
#: Tokens of instructions, conversation and answer together that the model is sent at most.
OPENAI_CONTEXT_TOKENS = env.int("OPENAI_CONTEXT_TOKENS", default=32_000)
#: The model that writes down voice messages; without one there are none. Where it answers is the same
#: place as for chat, unless an address of its own is named (with a key, if it wants one).
OPENAI_TRANSCRIPTION_MODEL = env.str("OPENAI_TRANSCRIPTION_MODEL", default="")
OPENAI_TRANSCRIPTION_BASE_URL = env.str("OPENAI_TRANSCRIPTION_BASE_URL", default="")
OPENAI_TRANSCRIPTION_API_KEY = env.str("OPENAI_TRANSCRIPTION_API_KEY", default="")
#: True when `make run` started the small local ear, which knows English only; the page says so.
DEMO_SPEECH = env.bool("BUDDY_DEMO_SPEECH", default=False)
#: Answers when the model above cannot (docs/usage.md); elsewhere, when it has an address of its own.
OPENAI_FALLBACK_MODEL = env.str("OPENAI_FALLBACK_MODEL", default="")
OPENAI_FALLBACK_BASE_URL = env.str("OPENAI_FALLBACK_BASE_URL", default="")
OPENAI_FALLBACK_API_KEY = env.str("OPENAI_FALLBACK_API_KEY", default="")
#: True when `make run` started the small local model; the page says so.
DEMO_MODEL = env.bool("BUDDY_DEMO_MODEL", default=False)
#: Whether the model finds titles for threads, after their first answer. The demo model's are bad.
THREAD_TITLES = env.bool("THREAD_TITLES", default=not DEMO_MODEL)
#: JSON: model -> what a million tokens (input, cached, output) and a minute of audio cost.
OPENAI_PRICES = env.str("OPENAI_PRICES", default="")
PRICE_CURRENCY = env.str("PRICE_CURRENCY", default="USD")
#: What one owner may use a day, in tokens and in money; 0 is no limit. Visitors who are not signed in
#: have the same, unless they have their own.
BUDGET_TOKENS_PER_DAY = env.int("BUDGET_TOKENS_PER_DAY", default=0)
BUDGET_COST_PER_DAY = env.float("BUDGET_COST_PER_DAY", default=0.0)
BUDGET_TOKENS_PER_DAY_ANONYMOUS = env.int("BUDGET_TOKENS_PER_DAY_ANONYMOUS", default=BUDGET_TOKENS_PER_DAY)
BUDGET_COST_PER_DAY_ANONYMOUS = env.float("BUDGET_COST_PER_DAY_ANONYMOUS", default=BUDGET_COST_PER_DAY)
#: The reference design's Assistants ended in August 2026; a system check explains what to do.
OPENAI_ASSISTANT_IDS = {
    companion: env.str(f"OPENAI_{companion.upper()}_ASSISTANT_ID", default="")
    for companion in ("corporate", "travel", "emotional", "culture")
}

# --- limits -----------------------------------------------------------------------------------------
#: How many messages one visitor, one user and one address may send, and how often an address may come
#: and try to sign in. Empty is no limit.
LIMITS = {
    "anonymous": env.str("LIMIT_ANONYMOUS", default="20/minute;200/hour"),
    "user": env.str("LIMIT_USER", default="40/minute;600/hour"),
    "address": env.str("LIMIT_ADDRESS", default="120/minute;2000/hour"),
    "requests": env.str("LIMIT_REQUESTS", default="1200/minute"),
    "login": env.str("LIMIT_LOGIN", default="10/minute;60/hour"),
}
#: Seconds that a message over its limit is held; one that would have to wait longer is refused.
LIMIT_MAX_WAIT = env.int("LIMIT_MAX_WAIT", default=60)
#: Seconds for which an answer may be given again to the same question; 0 is never.
ANSWER_CACHE_SECONDS = env.int("ANSWER_CACHE_SECONDS", default=60 * 60 * 24)

# --- analytics --------------------------------------------------------------------------------------
#: Days that events and their sums are kept; 0 turns analytics off.
ANALYTICS_DAYS = max(0, env.int("ANALYTICS_DAYS", default=90))

# --- care -------------------------------------------------------------------------------------------
#: Your own person for somebody in a crisis, as `Name <address>`; the address is https:, mailto: or tel:.
CARE_CONTACT = env.str("CARE_CONTACT", default="")
#: Messages, or minutes without a break, after which the page reminds that this is an AI; 0: never.
CARE_REMIND_MESSAGES = env.int("CARE_REMIND_MESSAGES", default=40)
CARE_REMIND_MINUTES = env.int("CARE_REMIND_MINUTES", default=60)
