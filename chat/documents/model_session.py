"""How much the configured model is given at once, how it is asked, and the asking."""

from dataclasses import dataclass
from functools import cached_property
from types import ModuleType
from typing import Self

from django.conf import settings

from chat.prompting.persona import DEMO_CONTEXT_TOKENS
from chat.prompting.token_budget import TURN_OVERHEAD, Turn, estimate_tokens
from chat.replies.model_calls import Payer, call
from chat.upstream import ModelReply
from queueing.api import Permanent

from . import prompts, prompts_small_model
from .prompts import Part
from .splitting import Span, sentences, split

#: Tokens of text in one part. A larger window holds more, but what is in the middle of much is overlooked.
PART_TOKENS = 5_000
#: Tokens of one answer.
OUTPUT_TOKENS, DEMO_OUTPUT_TOKENS = 800, 160
DEMO_REMARK = "Read by the demo model, which is small and often wrong: go by the quotes"
#: The least that must be left for text.
_LEAST = 300
#: Of the window, what the question may take.
_QUESTION = 6


@dataclass(frozen=True, kw_only=True)
class Asking:
    """One document's questions to the model. Sizes in tokens."""

    way: ModuleType
    """`prompts` or `plain`."""
    question: str
    name: str
    context_tokens: int
    output_tokens: int
    remark: str = ""
    """What readers of a report should know of the model."""

    @classmethod
    def of(cls, question: str, name: str) -> Self:
        """As the settings say. Raises `Permanent` when the window is too small to read anything."""
        demo = settings.DEMO_MODEL
        context = DEMO_CONTEXT_TOKENS if demo else settings.OPENAI_CONTEXT_TOKENS
        asking = cls(
            way=prompts_small_model if demo else prompts,
            question=prompts.shortened(question, context // _QUESTION),
            name=prompts.shortened(name, context // _QUESTION // 4),
            context_tokens=context,
            remark=DEMO_REMARK if demo else "",
            output_tokens=min(DEMO_OUTPUT_TOKENS if demo else OUTPUT_TOKENS, context // 4),
        )
        if asking.room < _LEAST:
            raise Permanent(
                "The model is set up with too little room to read documents. "
                "Please tell whoever runs this site.",
                code="not_configured",
            )
        return asking

    @cached_property
    def room(self) -> int:
        """What is left for a part, or for notes."""
        empty = Part(
            text="", sentences=[], number=999, of=999, name=self.name, place="x" * 150, columns="| x" * 100
        )
        frame = max(
            estimate_tokens(self.way.about_part(empty, self.question)),
            estimate_tokens(self.way.about_notes([], self.question, self.name)),
        )
        frame += estimate_tokens(self.way.instructions(self.question)) + 3 * TURN_OVERHEAD
        return self.context_tokens - self.output_tokens - frame

    def split(self, text: str, kind: str) -> list[Span]:
        """The parts of a document. Takes a second for a long one."""
        most = min(self.room, PART_TOKENS)

        def fits(some: str) -> bool:
            count = sum(1 for _ in sentences(some, by_line=kind == "csv"))
            return estimate_tokens(some) + count * _NUMBER_TOKENS <= most

        return split(text, fits, most=most, headings=kind in ("md", "docx"))

    async def ask(self, prompt: str, payer: Payer) -> ModelReply:
        """The model's answer to one prompt. Raises `JobError`."""
        return await call(
            payer,
            instructions=self.way.instructions(self.question),
            turns=[Turn("user", prompt)],
            max_output_tokens=self.output_tokens,
        )


#: Of the number that is put before a sentence or note, and the line's end.
_NUMBER_TOKENS = 7


def note_tokens(note: str) -> int:
    """Tokens of a note in a list."""
    return estimate_tokens(note) + _NUMBER_TOKENS
