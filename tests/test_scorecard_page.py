"""Pages of scorecards in three languages, on made-up cities: what a city hall reads there."""

import re
from html.parser import HTMLParser

import pytest

from scenarios.edition import Band, Rule, find_edition, score
from scenarios.indicators import INDICATORS, Finding, Scorecard
from scenarios.language import LANGUAGES, language
from scenarios.message import Message
from scenarios.scorecard import Assessment
from scenarios.scorecard_page import comparison_page, scorecard_page
from scenarios.scorecard_views import Step, next_step, readings
from tests.made_cities import EFFECTS, empty_card, full_card, made_card, made_ranking, made_score
from tests.message_texts import texts

HOW = Message("There is nothing to count in the data")
FIFTHS = tuple(Band(number / 5, float(number)) for number in range(1, 6))
KEPT_ENGLISH = {
    *("Bagdar", "bagdar", "replay", "academic", "template", "Wi", "Fi", "csv", "json", "scorecard", "ranking", "lacks"),
    *("transit", "gtfs", "traces", "files", "fares", "payments", "stops", "charging", "effects"),
    *("max", "pressure", "static", "cash", "Empty", "Full"),
    *(f"{indicator.indicator_id[0]}" for indicator in INDICATORS),
}
"""Names, ids, files and keys that stand in every language."""


class _Words(HTMLParser):
    """The words that a page shows or reads aloud, and its tags as far as they must close."""

    def __init__(self, page):
        super().__init__()
        self.words, self.open, self.hidden, self.language = [], [], False, ""
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.words += [found[key] for key in ("title", "aria-label") if key in found]
        self.language = found["lang"] if tag == "html" else self.language
        if tag not in {"meta", "rect", "path"}:
            self.open.append(tag)

    def handle_startendtag(self, tag, _attrs):
        assert tag in {"rect", "path"}

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


def _page(card, code="en", edition="academic", effects=EFFECTS):
    return _Words(scorecard_page(Assessment(card, (), effects), made_score(card, edition), language(code))).text


@pytest.mark.parametrize("code", ["ru", "kk"])
@pytest.mark.parametrize("edition", ["academic", "template"])
def test_no_english_is_left_on_a_page(code, edition):
    pages = [
        scorecard_page(Assessment(made_card(), (), EFFECTS), made_score(made_card(), edition), language(code)),
        scorecard_page(Assessment(full_card("Full"), ()), made_score(full_card("Full"), edition), language(code)),
        comparison_page(made_ranking(edition), language(code)),
    ]
    for page in pages:
        found = _Words(page)
        assert found.language == code
        assert set(re.findall(r"[A-Za-z]+", found.text)) <= KEPT_ENGLISH


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_page_says_each_indicator_and_what_is_unknown(code):
    tongue, text = language(code), _page(made_card(), code)
    assert all(tongue.say(indicator.title) in text for indicator in INDICATORS)
    assert tongue.say(Message("Needs payments made electronically and all payments ([fares] payments)")) in text
    assert tongue.say(Message("Synthetic data.")) in text
    assert "96 / 120" in text


def test_points_stand_beside_what_they_are_of():
    text = _page(made_card())
    # D1 10, D2 10, D3 8, F1 6, T1 4, S1 2, E1 10; F2 8 to 10 and F3 2 to 10 are unknown
    assert "50 of 70 points" in text
    assert "in all between 60 and 70 of 90" in text


def test_an_edition_without_maxima_gives_no_points():
    text = _page(made_card(), edition="template")
    assert "no points: this edition has no maximum" in text
    assert not re.search(r"of \d+ points", text)


def test_a_real_city_is_not_called_synthetic():
    assert "Synthetic" not in _page(made_card(is_synthetic=False), effects={})


def test_a_measured_effect_stands_with_its_interval_and_the_others_say_how_to_measure():
    text = _page(made_card())
    assert "delay per vehicle −21.4 s ( 95% interval −25 to −17.8)" in text.replace("(95", "( 95")  # noqa: RUF001
    assert "calls on time +2.1 pp" in text
    assert "not distinguishable from chance" in text
    assert "a scenario with [charging] would tell" in text
    assert "a scenario that compares smart lights" not in text


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_city_that_gave_nothing_has_a_page(code):
    text = _page(empty_card("Empty"), code, effects={})
    assert language(code).say(Message("unknown")) in text
    assert "0%" not in text


def test_foreign_names_are_escaped():
    card = made_card("<script>alert(1)</script>")
    page = scorecard_page(Assessment(card, ()), made_score(card), language("kk"))
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_how_much_the_choice_matters_is_said_of_t1():
    (group, *_) = readings(made_card(), made_score(made_card()))
    assert group.indicator.indicator_id == "T1"
    # 2 of 10 is 20 %, 2 points; 2 of 3 is 66.7 %, 8 points
    assert language("en").say(group.spread) == "By the way of reading it is 20% to 66.7%, or 2 to 8 points"


def _finding(numerator, denominator):
    return Finding("D2", numerator / denominator, HOW, numerator, denominator)


@pytest.mark.parametrize(
    ("numerator", "denominator", "more", "gain"),
    [
        (4, 20, 1, 2.0),  # 20 % earns one point twice, 5 of 20 two
        (0, 20, 5, 2.0),
        (16, 20, 1, 2.0),  # 80 % earns four, 17 of 20 five
        (1, 3, 1, 4.0),  # 33 % earns two, 67 % four
        (0, 1, 1, 8.0),
    ],
)
def test_a_next_step_reaches_the_next_band(numerator, denominator, more, gain):
    step = next_step(_finding(numerator, denominator), Rule("D2", 5.0, 2.0, FIFTHS))
    assert step == Step(Message("{more} more {more:route|routes}", {"more": more}), gain)


def test_where_all_points_are_earned_there_is_no_step():
    assert next_step(_finding(17, 20), Rule("D2", 5.0, 2.0, FIFTHS)) is None
    assert next_step(_finding(20, 20), Rule("D2", 5.0, 2.0, ())) is None


def test_without_bands_a_step_is_a_tenth():
    step = next_step(_finding(5, 40), Rule("D2", 8.0, 1.0, ()))
    assert step.how.values == {"more": 4}
    assert step.gain == pytest.approx(0.8)


def test_what_is_unknown_has_no_step():
    assert next_step(Finding("D2", None, HOW, 3, 20, low=0.15, high=0.9), Rule("D2", 5.0, 2.0, FIFTHS)) is None


def test_what_is_not_there_would_earn_all_by_being_there():
    assert next_step(Finding("E1", 0.0, HOW), Rule("E1", 5.0, 2.0, FIFTHS)).gain == 8.0


def test_cities_stand_side_by_side_with_the_ranks_they_may_have():
    text = _Words(comparison_page(made_ranking(), language("en"))).text
    assert "3 cities side by side" in text
    assert "2–3 Үлгітау *" in text  # noqa: RUF001
    assert "4 points to gain" in text


def test_pages_ask_nothing_of_elsewhere():
    page = scorecard_page(Assessment(made_card(), (), EFFECTS), made_score(made_card()), language("ru"))
    assert "default-src 'none'" in page
    assert not re.search(r"(src|href)=|https?:|@import|url\((?!#)", page)


def test_a_page_is_the_same_each_time():
    card = Scorecard("A", False, made_card().findings, made_card().readings)  # noqa: FBT003
    pages = {scorecard_page(Assessment(card, ()), score(card, find_edition("academic")), language("kk")) for _ in "ab"}
    assert len(pages) == 1


def test_every_text_of_the_made_up_cities_is_one_that_is_said():
    said = texts()
    assert all(finding.reading.text in said for finding in made_card().readings)
