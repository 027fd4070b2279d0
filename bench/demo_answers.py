"""How the demo model answers: `python -m bench.demo_answers`.

Each companion is asked its suggested messages as the chat asks them, those of the demo first. Printed are
the length of the answers, how many reached the length limit, and the share of their sequences of eight words
that were there before. `--show` prints the answers too, `--url` asks a server that already runs.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import django

from deploy.local import model_server, services

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "buddy.settings")
django.setup()

from chat.companions.registry import COMPANIONS, Companion  # noqa: E402
from chat.prompting.persona import (  # noqa: E402
    DEMO_OUTPUT_TOKENS,
    demo_instructions,
    demo_introduction,
)

WORDS = 8


@dataclass(frozen=True)
class Answer:
    """One answer, and what was asked."""

    companion: str
    question: str
    text: str
    tokens: int
    cut: bool
    """True when it reached the length limit."""

    @property
    def repeated(self) -> float:
        """The share of its sequences of eight words that it had said before."""
        words = self.text.lower().split()
        sequences = [tuple(words[i : i + WORDS]) for i in range(len(words) - WORDS + 1)]
        return 1 - len(set(sequences)) / len(sequences) if sequences else 0.0


@contextmanager
def serving() -> Iterator[str]:
    """Run the demo model and yield its address."""
    service = services.model_service()
    process = subprocess.Popen(service.command)
    try:
        while service.missing():
            if process.poll() is not None:
                sys.exit("The demo model ended.")
        yield service.publishes["OPENAI_BASE_URL"]
    finally:
        process.terminate()
        process.wait()


def ask(url: str, companion: Companion, question: str, max_tokens: int) -> Answer:
    """Return the answer of the model at `url`."""
    body = {
        "model": model_server.model_name(),
        "max_tokens": max_tokens,
        "messages": [
            {"role": "system", "content": demo_instructions(companion)},
            *({"role": said.role, "content": said.content} for said in demo_introduction(companion)),
            {"role": "user", "content": question},
        ],
    }
    request = urllib.request.Request(
        f"{url}/chat/completions", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=600) as answer:
        read = json.load(answer)
    choice = read["choices"][0]
    tokens, cut = read["usage"]["completion_tokens"], choice["finish_reason"] == "length"
    return Answer(companion.id, question, choice["message"]["content"], tokens, cut)


def measure(url: str, each: int, max_tokens: int) -> list[Answer]:
    """Return the answers to `each` questions of each companion."""
    asked = [(one, text) for one in COMPANIONS.values() for text in (*one.demo_prompts, *one.prompts)[:each]]
    with ThreadPoolExecutor(model_server.SLOTS) as pool:
        return list(pool.map(lambda pair: ask(url, *pair, max_tokens), asked))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.demo_answers", description=__doc__)
    parser.add_argument("--each", type=int, default=8, help="number of questions for each companion")
    parser.add_argument("--max-tokens", type=int, default=DEMO_OUTPUT_TOKENS)
    parser.add_argument("--url", help="the server to ask, for example http://127.0.0.1:11434/v1")
    parser.add_argument("--show", action="store_true", help="print the answers")
    given = parser.parse_args()
    if given.url:
        answers = measure(given.url, given.each, given.max_tokens)
    else:
        with serving() as url:
            answers = measure(url, given.each, given.max_tokens)
    for one in answers if given.show else ():
        print(f"\n[{one.companion}] {one.question}\n({one.tokens} tokens, {one.repeated:.0%})\n{one.text}")
    tokens = sorted(one.tokens for one in answers)
    print(
        f"{len(answers)} answers: tokens, median {statistics.median(tokens):.0f}, longest {tokens[-1]};"
        f" reached the limit {sum(one.cut for one in answers)};"
        f" sequences of {WORDS} words repeated {statistics.mean(one.repeated for one in answers):.1%},"
        f" worst answer {max(one.repeated for one in answers):.0%}"
    )


if __name__ == "__main__":
    main()
