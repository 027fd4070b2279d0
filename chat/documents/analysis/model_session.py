"""The configured model as a reader of one document: its prompts, the sizes of its calls, and the calls."""

from dataclasses import dataclass
from functools import cached_property
from types import ModuleType
from typing import Self

from django.conf import settings

from chat.documents import texts
from chat.prompting.persona import context_tokens, thinking_tokens
from chat.prompting.prompt import ModelRequest
from chat.prompting.token_budget import MESSAGE_OVERHEAD, PromptMessage, estimate_tokens
from chat.replies.model_calls import Payer, call_model
from chat.upstream import ModelReply
from queueing.api import Permanent

from . import prompts, prompts_small_model
from .prompts import Part
from .splitting import Span, max_passages, passages, split

#: Maximum tokens of text in one part, also in a larger window: models overlook the middle of long texts.
PART_TOKENS = 5_000
#: Maximum tokens of one answer.
OUTPUT_TOKENS, DEMO_OUTPUT_TOKENS = 800, 160
#: Minimum tokens of text in a call.
_MIN_TEXT_TOKENS = 300
#: The question may use this fraction (one sixth) of the window.
_QUESTION_SHARE = 6
#: Tokens of the number before a sentence or note, and of the line's end.
_NUMBER_TOKENS = 7


@dataclass(frozen=True, kw_only=True)
class ModelSession:
    """The prompts and sizes (in tokens) for the calls about one document."""

    prompts: ModuleType
    """`prompts` or `prompts_small_model`."""
    question: str
    name: str
    context_tokens: int
    output_tokens: int
    thinking_tokens: int
    remark: str = ""
    """A line about the model for readers of the report; may be empty."""

    @classmethod
    def configured(cls, question: str, name: str, companion: str) -> Self:
        """Return a session for the model in the settings. Raises `Permanent` when its window is too small."""
        demo = settings.DEMO_MODEL
        context = context_tokens()
        session = cls(
            prompts=prompts_small_model if demo else prompts,
            question=prompts.shortened(question, context // _QUESTION_SHARE),
            name=prompts.shortened(name, context // _QUESTION_SHARE // 4),
            context_tokens=context,
            remark=texts.DEMO_REMARK if demo else "",
            thinking_tokens=thinking_tokens(companion),
            output_tokens=min(DEMO_OUTPUT_TOKENS if demo else OUTPUT_TOKENS, context // 4),
        )
        if session.text_tokens < _MIN_TEXT_TOKENS:
            raise Permanent(texts.SMALL_WINDOW, code="not_configured")
        return session

    @property
    def part_tokens(self) -> int:
        """Maximum tokens of the text of one part."""
        return min(self.text_tokens, PART_TOKENS)

    @property
    def text_tokens(self) -> int:
        """Tokens left in the window for the text of a part, or for notes."""
        return self.context_tokens - self.thinking_tokens - self.output_tokens - self.frame_tokens

    @cached_property
    def frame_tokens(self) -> int:
        """Tokens of a call besides the text, the thoughts and the answer."""
        empty = Part(
            text="",
            sentences=[],
            number=999,
            total=999,
            name=self.name,
            location="x" * 150,
            columns="| x" * 100,
        )
        frame = max(
            estimate_tokens(self.prompts.part_prompt(empty, self.question)),
            estimate_tokens(self.prompts.notes_prompt([], self.question, self.name)),
        )
        return frame + estimate_tokens(self.prompts.instructions(self.question)) + 3 * MESSAGE_OVERHEAD

    def split(self, text: str, kind: str) -> list[Span]:
        """Return the parts of a document. Takes a second for a long one."""
        limit = self.part_tokens

        def fits(part: str) -> bool:
            tokens = estimate_tokens(part)
            if tokens + max_passages(part) * _NUMBER_TOKENS <= limit:
                return True
            return tokens <= limit and tokens_of_text(part, kind) <= limit

        return split(text, fits, max_tokens=limit, headings=kind in ("md", "docx"))

    async def complete(self, prompt: str, payer: Payer) -> ModelReply:
        """Return the model's answer to one prompt. Raises `JobError`."""
        request = ModelRequest(
            instructions=self.prompts.instructions(self.question),
            messages=[PromptMessage("user", prompt)],
            max_output_tokens=self.output_tokens,
        )
        return await call_model(request, payer)


def tokens_of_text(text: str, kind: str) -> int:
    """Return the tokens of a part of a document of this kind, with the numbers of its passages."""
    count = sum(1 for _ in passages(text, by_line=kind == "csv"))
    return estimate_tokens(text) + count * _NUMBER_TOKENS


def note_tokens(note: str) -> int:
    """Return the tokens of a note in a numbered list."""
    return estimate_tokens(note) + _NUMBER_TOKENS
