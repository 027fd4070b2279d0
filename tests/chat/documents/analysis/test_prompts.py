"""Prompts, and the parsing of good and unusable answers."""

from hypothesis import given
from hypothesis import strategies as st

from chat.documents.analysis import prompts, prompts_small_model
from chat.documents.analysis.prompts import Digest, Findings, Part
from chat.documents.analysis.splitting import sentences

TEXT = (
    "The mole was raised by two metres. It cost 4,000 crowns.\nNobody knows who will pay for the lighthouse."
)
NOTES = ["The mole is higher now", "It cost 4,000 crowns", "Who pays is open"]


def part(text: str = TEXT, **more) -> Part:
    about = {"number": 2, "total": 3, "name": "harbour.pdf", "location": "page 5"} | more
    return Part(text=text, sentences=list(sentences(text, by_line=False)), **about)


def quoted(found: Findings) -> list[str]:
    return [TEXT[slice(*span)] for span in found.quotes]


def test_part_prompt_has_question_location_and_numbered_sentences():
    shown = prompts.part_prompt(part(columns="Item | Price"), "What did it cost?")
    assert shown.startswith("Question: What did it cost?\n\nPart 2 of 3 of “harbour.pdf”, page 5,")
    assert (
        "Columns: Item | Price\n[1] The mole was raised by two metres.\n[2] It cost 4,000 crowns.\n[3] Nobody"
        in shown
    )


def test_answer_in_form_is_parsed():
    answer = "NOTES:\n- Two metres more\n- 4,000 crowns\nQUOTES: 2, 3\nOPEN: Who will pay?"
    found = prompts.parse_part(answer, part())
    assert found.notes == ["Two metres more", "4,000 crowns"]
    assert quoted(found) == ["It cost 4,000 crowns.", "Nobody knows who will pay for the lighthouse."]
    assert found.open == ["Who will pay?"]


def test_answer_in_loose_form_is_parsed():
    answer = (
        "Here you are:\n\n**Notes:**\n1. *Two metres more*\n2) Two metres more\n• 4,000 crowns\n\n"
        "## Quotes\n[2]\n\n**OPEN** Who pays?"
    )
    found = prompts.parse_part(answer, part())
    assert found.notes == ["Here you are:", "*Two metres more*", "4,000 crowns"]
    assert quoted(found) == ["It cost 4,000 crowns."]
    assert found.open == ["Who pays?"]


def test_typed_quote_not_in_text_is_dropped():
    answer = 'NOTES:\n- Money\nQUOTES: "Nobody knows  who will pay" and "Everybody knows who paid"'
    assert quoted(prompts.parse_part(answer, part())) == ["Nobody knows who will pay"]


def test_quote_numbers_out_of_range_are_ignored():
    found = prompts.parse_part(
        "NOTES:\n- The lighthouse is unpaid\nQUOTES: 0, 4, 999999999999999999999", part()
    )
    assert quoted(found) == ["Nobody knows who will pay for the lighthouse."], (
        "the sentence most similar to the notes"
    )


def test_answer_without_findings_is_empty():
    for nothing in ("NOTES:\n- none\nQUOTES: none\nOPEN: none", "NOTES: Nothing relevant.", "none"):
        assert prompts.parse_part(nothing, part()) == Findings()


def test_note_that_begins_with_nothing_is_kept():
    found = prompts.parse_part(
        "NOTES:\n- Nothing is known of who will pay\n- None of the ships came back", part()
    )
    assert found.notes == ["Nothing is known of who will pay", "None of the ships came back"]


def test_unusable_answer_is_replaced_by_sentences_of_the_text():
    found = prompts.parse_part("1. 1.\n2. 2.\n3. 3.", part())
    assert found.notes
    assert all(note in TEXT for note in found.notes)


def test_notes_answer_is_parsed_into_digest():
    answer = "SUMMARY: The mole is higher.\nIt cost much.\nKEY: 3, 1, 17\nOPEN:\n- Who pays?\n- Nothing more."
    assert prompts.parse_notes(answer, NOTES) == Digest(
        summary="The mole is higher.\n\nIt cost much.", keep=[0, 2], open=["Who pays?"]
    )


def test_clean_paragraphs_drops_headings_and_repetitions():
    text = "# Summary\nIt rained. It rained. It rained.\n> - It rained. Then it stopped."
    assert prompts.clean_paragraphs(text, 100) == "Summary\n\nIt rained.\n\nThen it stopped."


def test_shortened_text_is_cut_after_a_word():
    assert prompts.shortened("one two three four", 12) == "one two…"
    assert prompts.shortened("字" * 30, 10) == "字" * 9 + "…"


def test_small_model_answer_keeps_supported_sentences_only():
    answer = (
        "Penguins live in the Antarctic region. The mole and the mole and the mole and the mole. "
        "The mole was raised by two metres. It is a nice"
    )
    found = prompts_small_model.parse_part(answer, part())
    assert found.notes == [
        "The mole was raised by two metres.",
        "Nobody knows who will pay for the lighthouse.",
    ]
    assert quoted(found) == ["The mole was raised by two metres."]
    known = [*NOTES, "The mole was raised by metres"]
    assert prompts_small_model.parse_notes(answer, known).summary == "The mole was raised by two metres."


@given(
    st.text(max_size=400)
    | st.lists(st.sampled_from(["NOTES:", "QUOTES: 2", "KEY: 1", "- ", "> ", "OPEN?", "# x", "\n", '"'])).map(
        " ".join
    )
)
def test_any_answer_is_parsed_within_limits(answer):
    for module in (prompts, prompts_small_model):
        found = module.parse_part(answer, part())
        assert len(found.notes) <= prompts.MAX_NOTES
        assert all(
            0 < len(note) <= prompts.NOTE_LENGTH and "\n" not in note for note in found.notes + found.open
        )
        assert all(TEXT[slice(*span)] for span in found.quotes)
        assert Findings.from_json(found.as_json()) == found
        digest = module.parse_notes(answer, NOTES)
        assert len(digest.summary) <= prompts.SUMMARY_LENGTH
        assert all(0 <= number < len(NOTES) for number in digest.keep)
