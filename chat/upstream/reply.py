"""Understanding what comes: the events of either API, put together into one reply."""

from dataclasses import dataclass, field

from openai.types.chat import ChatCompletionChunk
from openai.types.responses import Response, ResponseStreamEvent

from chat.upstream import errors


@dataclass(frozen=True)
class Reply:
    """A finished answer. Token counts are 0 when the provider does not say."""

    text: str
    model: str
    """The model that answered, as the provider names it."""
    input_tokens: int
    output_tokens: int
    truncated: bool
    """The answer reached its length limit; `text` is what there is of it."""


@dataclass
class Draft:
    """An answer as it comes in. `ended` once the provider has said that it is over."""

    model: str
    pieces: list[str] = field(default_factory=list)
    refusal: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    ended: bool = False
    truncated: bool = False
    filtered: bool = False

    def add(self, text: str | None) -> str:
        """Take in a piece and return it fit for storing: neither NUL nor half a surrogate pair."""
        if not text:
            return ""
        piece = text.replace("\0", "").encode("utf-8", "replace").decode()
        self.pieces.append(piece)
        return piece

    def finished(self) -> Reply:
        """The reply, or the `JobError` that says why there is none."""
        if not self.ended:
            raise errors.cut_off()
        if self.refusal:
            raise errors.refused(self.refusal)
        if self.filtered:
            raise errors.filtered()
        text = "".join(self.pieces)
        if not text.strip():
            raise errors.no_room() if self.truncated else errors.empty_answer()
        return Reply(text, self.model, self.input_tokens, self.output_tokens, self.truncated)


def read_chunk(draft: Draft, chunk: ChatCompletionChunk) -> str:
    """Take in one chunk of a chat completion; returns the text in it."""
    draft.model = chunk.model or draft.model
    if chunk.usage:
        draft.input_tokens = chunk.usage.prompt_tokens or 0
        draft.output_tokens = chunk.usage.completion_tokens or 0
    if not chunk.choices:
        return ""
    choice = chunk.choices[0]
    if choice.finish_reason:
        draft.ended = True
        draft.truncated = choice.finish_reason == "length"
        draft.filtered = choice.finish_reason == "content_filter"
    if not choice.delta:
        return ""
    draft.refusal += choice.delta.refusal or ""
    return draft.add(choice.delta.content)


def read_event(draft: Draft, event: ResponseStreamEvent) -> str:
    """Take in one event of the Responses API; returns the text in it.

    Raises `JobError` for the events that report a failure: the SDK raises nothing for them.
    """
    match event.type:
        case "response.output_text.delta":
            return draft.add(event.delta)
        case "response.refusal.delta":
            draft.refusal += event.delta
        case "response.completed" | "response.incomplete":
            return _finish(draft, event.response)
        case "response.failed":
            error = event.response.error
            raise errors.reported(error.code, error.message) if error else errors.provider_error()
        case "error":
            raise errors.reported(event.code, event.message)
    return ""


def _finish(draft: Draft, response: Response) -> str:
    draft.ended = True
    draft.model = response.model or draft.model
    if response.usage:
        draft.input_tokens = response.usage.input_tokens or 0
        draft.output_tokens = response.usage.output_tokens or 0
    if response.incomplete_details:
        draft.filtered = response.incomplete_details.reason == "content_filter"
        draft.truncated = not draft.filtered
    # A server may send the whole answer at the end and no deltas before it.
    return "" if draft.pieces or draft.refusal else draft.add(response.output_text)
