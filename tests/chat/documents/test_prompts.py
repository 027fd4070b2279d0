"""What is made of the model's answers, good ones and all others."""

from hypothesis import given
from hypothesis import strategies as st

from chat.documents import prompts, prompts_small_model
from chat.documents.prompts import Digest, Findings, Part
from chat.documents.splitting import sentences

TEXT = (
    "The mole was raised by two metres. It cost 4,000 crowns.\nNobody knows who will pay for the lighthouse."
)
NOTES = ["The mole is higher now", "It cost 4,000 crowns", "Who pays is open"]


def part(text: str = TEXT, **more) -> Part:
    about = {"number": 2, "of": 3, "name": "harbour.pdf", "place": "page 5"} | more
    return Part(text=text, sentences=list(sentences(text, by_line=False)), **about)


def quoted(found: Findings) -> list[str]:
    return [TEXT[slice(*span)] for span in found.quotes]


def test_a_part_is_shown_with_numbered_sentences_its_place_and_the_question():
    shown = prompts.about_part(part(columns="Item | Price"), "What did it cost?")
    assert shown.startswith("Question: What did it cost?\n\nPart 2 of 3 of “harbour.pdf”, page 5,")
    assert (
        "Columns: Item | Price\n[1] The mole was raised by two metres.\n[2] It cost 4,000 crowns.\n[3] Nobody"
        in shown
    )


def test_notes_quotes_and_an_open_question_are_found_in_the_form():
    answer = "NOTES:\n- Two metres more\n- 4,000 crowns\nQUOTES: 2, 3\nOPEN: Who will pay?"
    found = prompts.from_part(answer, part())
    assert found.notes == ["Two metres more", "4,000 crowns"]
    assert quoted(found) == ["It cost 4,000 crowns.", "Nobody knows who will pay for the lighthouse."]
    assert found.open == ["Who will pay?"]


def test_the_form_is_understood_as_models_bend_it():
    answer = (
        "Here you are:\n\n**Notes:**\n1. *Two metres more*\n2) Two metres more\n• 4,000 crowns\n\n"
        "## Quotes\n[2]\n\n**OPEN** Who pays?"
    )
    found = prompts.from_part(answer, part())
    assert found.notes == ["Here you are:", "*Two metres more*", "4,000 crowns"]
    assert quoted(found) == ["It cost 4,000 crowns."]
    assert found.open == ["Who pays?"]


def test_a_quote_that_is_typed_out_counts_only_when_it_is_in_the_text():
    answer = 'NOTES:\n- Money\nQUOTES: "Nobody knows  who will pay" and "Everybody knows who paid"'
    assert quoted(prompts.from_part(answer, part())) == ["Nobody knows who will pay"]


def test_numbers_of_sentences_that_are_not_there_are_no_quotes():
    found = prompts.from_part(
        "NOTES:\n- The lighthouse is unpaid\nQUOTES: 0, 4, 999999999999999999999", part()
    )
    assert quoted(found) == ["Nobody knows who will pay for the lighthouse."], "the one closest to the notes"


def test_nothing_about_the_question_is_an_answer():
    for nothing in ("NOTES:\n- none\nQUOTES: none\nOPEN: none", "NOTES: Nothing relevant.", "none"):
        assert prompts.from_part(nothing, part()) == Findings()


def test_a_note_that_begins_with_nothing_is_still_a_note():
    found = prompts.from_part(
        "NOTES:\n- Nothing is known of who will pay\n- None of the ships came back", part()
    )
    assert found.notes == ["Nothing is known of who will pay", "None of the ships came back"]


def test_what_is_no_answer_is_made_up_for_with_the_texts_own_words():
    found = prompts.from_part("1. 1.\n2. 2.\n3. 3.", part())
    assert found.notes
    assert all(note in TEXT for note in found.notes)


def test_many_notes_come_to_a_summary_and_the_numbers_of_the_best():
    answer = "SUMMARY: The mole is higher.\nIt cost much.\nKEY: 3, 1, 17\nOPEN:\n- Who pays?\n- Nothing more."
    assert prompts.from_notes(answer, NOTES) == Digest(
        summary="The mole is higher.\n\nIt cost much.", keep=[0, 2], open=["Who pays?"]
    )


def test_a_summary_says_nothing_twice_and_holds_no_headings():
    said = "# Summary\nIt rained. It rained. It rained.\n> - It rained. Then it stopped."
    assert prompts.tidy(said, 100) == "Summary\n\nIt rained.\n\nThen it stopped."


def test_what_is_long_is_cut_after_a_word():
    assert prompts.shortened("one two three four", 12) == "one two…"
    assert prompts.shortened("字" * 30, 10) == "字" * 9 + "…"


def test_the_plain_way_takes_what_rests_on_the_text_and_goes_round_in_no_circles():
    answer = (
        "Penguins live in the Antarctic region. The mole and the mole and the mole and the mole. "
        "The mole was raised by two metres. It is a nice"
    )
    found = prompts_small_model.from_part(answer, part())
    assert found.notes == [
        "The mole was raised by two metres.",
        "Nobody knows who will pay for the lighthouse.",
    ]
    assert quoted(found) == ["The mole was raised by two metres."]
    known = [*NOTES, "The mole was raised by metres"]
    assert prompts_small_model.from_notes(answer, known).summary == "The mole was raised by two metres."


@given(
    st.text(max_size=400)
    | st.lists(st.sampled_from(["NOTES:", "QUOTES: 2", "KEY: 1", "- ", "> ", "OPEN?", "# x", "\n", '"'])).map(
        " ".join
    )
)
def test_whatever_is_answered_small_things_come_of_it(answer):
    for way in (prompts, prompts_small_model):
        found = way.from_part(answer, part())
        assert len(found.notes) <= prompts.NOTES
        assert all(0 < len(note) <= prompts.NOTE and "\n" not in note for note in found.notes + found.open)
        assert all(TEXT[slice(*span)] for span in found.quotes)
        assert Findings.from_json(found.as_json()) == found
        digest = way.from_notes(answer, NOTES)
        assert len(digest.summary) <= prompts.SUMMARY
        assert all(0 <= number < len(NOTES) for number in digest.keep)
