"""Reports in three languages: numbers, plural forms, and catalogues that translate every text and nothing else."""

from datetime import date
from string import Formatter

import pytest
from babel.messages.pofile import read_po

from scenarios.indicators import INDICATORS
from scenarios.language import CATALOGUES, FORMS, LANGUAGES, Language, language
from scenarios.message import Message, Percent
from tests.message_texts import texts
from tests.refresh_catalogues import TRANSLATED, catalogue_text

NBSP, NARROW = "\N{NO-BREAK SPACE}", "\N{NARROW NO-BREAK SPACE}"
LETTERS = {
    "ru": set("АБВГДЕЁЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯ"),
    "kk": set("АӘБВГҒДЕЁЖЗИЙКҚЛМНҢОӨПРСТУҰҮФХҺЦЧШЩЪЫІЬЭЮЯ"),
}


def _entries(code):
    with (CATALOGUES / f"{code}.po").open("rb") as stream:
        catalogue = read_po(stream, abort_invalid=True)
    return catalogue, {entry.id: entry for entry in catalogue if entry.id}


def _places(text):
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def _forms(text):
    return [forms.split("|") for _, _, forms, _ in Formatter().parse(text) if forms]


@pytest.mark.parametrize(
    ("code", "written"),
    [
        ("en", ["1,234,567", "2.5", "−3", "34.5%", "0.4%", "99.6%", "100%", "November 24, 2026"]),  # noqa: RUF001 - a true minus
        ("ru", ["1 234 567", "2,5", "−3", "34,5 %", "0,4 %", "99,6 %", "100 %", "24 ноября 2026 г."]),  # noqa: RUF001
        ("kk", ["1 234 567", "2,5", "−3", "34,5%", "0,4%", "99,6%", "100%", "2026 ж. 24 қараша"]),  # noqa: RUF001
    ],
)
def test_numbers_shares_and_dates_go_by_locale(code, written):
    values = [1234567, 2.5, -3, Percent(0.345), Percent(0.004), Percent(0.996), Percent(1.0), date(2026, 11, 24)]
    said = [language(code).write(value) for value in values]
    assert [text.replace(NBSP, " ").replace(NARROW, " ") for text in said] == written


def test_a_number_chooses_the_form_of_a_russian_word():
    text = "{n} {n:маршрут|маршрута|маршрутов}"
    russian = Language("ru", {text: text})
    said = {n: russian.say(Message(text, {"n": n})) for n in (0, 1, 2, 5, 11, 12, 21, 22, 25, 101, 111, 1.5)}
    assert said == {
        0: "0 маршрутов",
        1: "1 маршрут",
        2: "2 маршрута",
        5: "5 маршрутов",
        11: "11 маршрутов",
        12: "12 маршрутов",
        21: "21 маршрут",
        22: "22 маршрута",
        25: "25 маршрутов",
        101: "101 маршрут",
        111: "111 маршрутов",
        1.5: "1,5 маршрута",
    }


def test_each_number_of_a_sentence_has_its_own_forms():
    text = "{a} {a:bus|buses} on {b} {b:route|routes}"
    assert Language("en").say(Message(text, {"a": 1, "b": 2})) == "1 bus on 2 routes"
    assert Language("en").say(Message(text, {"a": 2, "b": 1})) == "2 buses on 1 route"


def test_braces_in_a_foreign_name_are_left_alone():
    assert Language("en").say(Message("In {city}", {"city": "{0.__class__} {city}"})) == "In {0.__class__} {city}"


def test_messages_stand_in_messages():
    inner = (Message("one"), Message("two {n}", {"n": 1000}))
    assert Language("ru", {"one": "раз", "two {n}": "два {n}"}).say(Message("All: {parts}", {"parts": inner})) == (
        f"All: раз, два 1{NBSP}000"
    )


def test_an_unknown_text_stays_english():
    assert Language("kk").say(Message("No such text")) == "No such text"


@pytest.mark.parametrize("code", TRANSLATED)
def test_catalogues_translate_every_text_and_nothing_else(code):
    _, entries = _entries(code)
    said = texts()
    missing = {text: said[text] for text in said if text not in entries or not entries[text].string}
    assert missing == {}, f"{len(missing)} texts without a translation in {code}.po"
    assert set(entries) - set(said) == set(), "said no more: python -m tests.refresh_catalogues"


@pytest.mark.parametrize("code", TRANSLATED)
def test_catalogues_have_the_places_of_the_english_text_and_all_forms_of_words(code):
    catalogue, entries = _entries(code)
    assert not catalogue.obsolete
    for text, entry in entries.items():
        assert not entry.fuzzy, text
        assert _places(entry.string) == _places(text), text
        assert {len(forms) for forms in _forms(entry.string)} <= {len(FORMS[code])}, text
        assert {len(forms) for forms in _forms(text)} <= {len(FORMS["en"])}, text


@pytest.mark.parametrize("code", TRANSLATED)
def test_catalogues_are_written_in_the_letters_of_their_language(code):
    _, entries = _entries(code)
    for text, entry in entries.items():
        words = "".join(literal for literal, _, _, _ in Formatter().parse(entry.string))
        cyrillic = {letter for letter in words.upper() if "\N{CYRILLIC CAPITAL LETTER IE WITH GRAVE}" <= letter <= "ӿ"}
        assert cyrillic <= LETTERS[code], (text, cyrillic - LETTERS[code])
        assert cyrillic or not any(letter.isalpha() for letter in words), text


@pytest.mark.parametrize("code", TRANSLATED)
def test_refreshing_a_fresh_catalogue_changes_nothing(code):
    _, entries = _entries(code)
    text = catalogue_text(code, {str(key): str(entry.string) for key, entry in entries.items()})
    assert (CATALOGUES / f"{code}.po").read_text(encoding="utf-8") == text


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_nine_indicators_have_titles_of_their_own_in_each_language(code):
    titles = [language(code).say(indicator.title) for indicator in INDICATORS]
    assert len(set(titles)) == 9
    assert code == "en" or not {indicator.title.text for indicator in INDICATORS} & set(titles)
