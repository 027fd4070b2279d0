"""Sentences that visitors read when a prompt cannot be built."""

NOT_CONFIGURED = (
    "The companion's model is configured with too little room for a conversation. "
    "Please contact the operator of this site."
)


def too_long(characters: int) -> str:
    return (
        "This message is too long for the companion to read at once. "
        f"Please shorten it to about {characters:,} characters."
    )


#: What the demo model reads before a conversation.
WHAT_IS_YOUR_NAME = "What is your name?"


def your_name_is(name: str) -> str:
    return f"Your name is {name}."


def my_name_is(name: str) -> str:
    return f"My name is {name}. I am an AI."
