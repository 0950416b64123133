"""The report: true for any outcome, safe with any name, whole without a network connection."""

import math
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from networks.faults import Notice
from networks.netxml import read_network
from scenarios.caveats import caveats
from scenarios.compare import compare
from scenarios.figures import draw_figures
from scenarios.report import render_report, write_report
from scenarios.wording import findings, question
from tests.made_up import failed_run, run_row, study, typed

HOSTILE = "</style><script>alert(1)</script><img src=x onerror=alert(2)> \"'&{{ 7 * 7 }} $\\frac{1$ \u202eabc\x07 路"


class Page(HTMLParser):
    """Tags with their attributes, and the text, of a page."""

    def __init__(self, text):
        """Parse at once."""
        super().__init__()
        self.tags, self.words = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        """Keep a tag."""
        self.tags.append((tag, dict(attrs)))
        if tag in {"td", "th", "p", "dt", "dd", "li", "caption"}:
            self.words.append(" ")

    def handle_data(self, data):
        """Keep text."""
        self.words.append(data)

    @property
    def text(self):
        """All text with single blanks."""
        return " ".join(typed("".join(self.words)).split())


@pytest.fixture(scope="module")
def network(adlershof):
    return read_network(adlershof)


def two_variants(network, before, after, **changes):
    """A study of two variants with given delays, None for a failed run."""

    def run(name, seed, delay_s):
        return failed_run(name, seed) if delay_s is None else run_row(name, seed, delay_s)

    runs = tuple(
        run(name, seed, delay_s)
        for name, delays_s in (("as shipped", before), ("smart", after))
        for seed, delay_s in enumerate(delays_s, start=1)
    )
    changes = {"junctions": (), "hotspots": (), "crashes": None, "chosen_by": "all"} | changes
    pair = (("as shipped", 1.0), ("smart", 1.0))
    return study(network, delays_s=pair, seeds=range(1, len(before) + 1), runs=runs, **changes)


def page_of(content):
    return Page(render_report(content, ()))


def titles(content):
    return {caveat.title: caveat for caveat in caveats(content)}


def test_the_answer_of_a_study_worked_by_hand(network):
    # Differences -30, -27, -28: mean -28.33, standard deviation 1.528, t(2; 0.975) = 4.303, margin 3.79.
    content = two_variants(network, (80, 82, 81), (50, 55, 53))
    (finding,) = findings(content)
    assert finding.headline == "less delay"
    assert typed(finding.text) == (
        "The mean delay of a vehicle, over the whole network, went from 81 s to 53 s (-35 %); the 95 % interval of the "
        "difference is -32 to -25 s (3 paired runs, indicative)."
    )
    assert finding.tone == "better"


@pytest.mark.parametrize(
    ("before", "after", "headline", "told", "tone"),
    [
        ((50, 55, 53), (80, 82, 81), "more delay", "went from 53 s to 81 s (+54 %)", "worse"),
        ((50, 55, 53), (51, 54, 53), "no difference in delay", "includes zero, so this may be chance", "unclear"),
        (
            (50,),
            (25,),
            "one pair of runs",
            "from 50 s to 25 s (-50 %) in one pair of runs; an interval needs two",
            "unclear",
        ),
        ((50, None), (None, 40), "no result", "nothing can be said", "unclear"),
        ((0, 0, 0), (3, 4, 5), "more delay", "went from 0 s to 4 s; the 95 % interval", "worse"),
    ],
)
def test_the_answer_for_each_outcome(network, before, after, headline, told, tone):
    (finding,) = findings(two_variants(network, before, after))
    assert finding.headline.startswith(headline)
    assert told in typed(finding.text)
    assert finding.tone == tone


def test_ten_pairs_are_no_longer_called_indicative(network):
    content = two_variants(network, range(80, 90), [50 + seed * 1.1 for seed in range(10)])
    assert "indicative" not in findings(content)[0].text
    assert "Few runs" not in titles(content)


def test_a_single_variant_is_told_as_such(network):
    content = study(network, delays_s=(("as shipped", 81.0),), seeds=(4,), chosen_by="list")
    assert question(content).startswith("At 10 junctions in Berlin-Adlershof, one way to run the traffic lights")
    assert findings(content)[0].headline == "nothing to compare it with"
    assert "there is no difference to give" in page_of(content).text


def test_junctions_are_counted_by_verdict(network):
    content = study(network)
    text = findings(content)[1].text
    lower = [row for row in content.comparisons if row.variant == "max-pressure" and row.metric == "delay_s"]
    assert {row.verdict for row in lower} == {"lower"}
    assert text.endswith("Delay per vehicle that passed was lower at all 10 junctions compared.")
    assert "lower at 6 and higher at 4." in findings(content)[0].text


def test_a_study_in_which_every_run_failed_says_so(network):
    content = two_variants(network, (None, None), (None, None))
    text = page_of(content).text
    assert "smart: no result." in text
    assert "2 of 2 runs of “as shipped” failed" in text
    assert "No run finished, so there is nothing to report of the monitor." in text
    assert "nan" not in text.lower().replace("finance", "")


def test_gridlock_and_failures_are_counted_in_bold_places(network):
    content = two_variants(network, (80, 82, 81), (50, None, 53))
    runs = tuple(replace(run, gridlocked=run.variant == "smart" and run.seed == 1) for run in content.runs)
    content = replace(content, runs=runs)
    warning = titles(content)["Runs that failed or stood still"]
    assert warning.is_strong
    assert "1 of 3 runs of “smart” failed" in warning.text
    assert "1 of 2 finished runs of “smart” ended in gridlock" in warning.text
    assert "2 of 3 finished, 1 failed, 1 gridlocked" in page_of(content).text


def test_caveats_follow_the_inputs(network):
    plain = two_variants(network, (80, 82), (50, 55))
    real = replace(plain, demand=replace(plain.demand, is_synthetic=False), clearance="ite")
    assert not any(caveat.is_strong for caveat in caveats(real))
    assert {"Less delay is not more safety", "Simulated drivers obey", "Few runs"} <= titles(real).keys()
    assert "Regression to the mean" not in titles(real)
    assert "Simulated drivers obey" not in titles(replace(real, drivers_run_red=True))
    made_up = study(network, clearance="as-shipped", teleport_s=300.0)
    strong = {caveat.title for caveat in caveats(made_up) if caveat.is_strong}
    assert strong == {"Synthetic demand", "Synthetic accident records", "Clearance times as shipped"}
    assert {"Regression to the mean", "Many comparisons", "Removed vehicles"} <= titles(made_up).keys()
    assert "would overstate" in titles(made_up)["Regression to the mean"].text
    by_bayes = titles(replace(made_up, hotspot_method="empirical-bayes"))["Regression to the mean"].text
    assert "would overstate" not in by_bayes
    assert "Hold later accidents against what it expected" in by_bayes
    assert [caveat.is_strong for caveat in caveats(made_up)] == sorted(
        (caveat.is_strong for caveat in caveats(made_up)), reverse=True
    )


def test_what_was_made_up_and_unsafe_clearance_stand_in_bold(network):
    text = render_report(study(network, clearance="as-shipped"), ())
    assert "<strong>Synthetic demand.</strong>" in text
    assert "<strong>Synthetic records.</strong>" in text
    assert "<strong>Clearance times as shipped.</strong>" in text
    assert "<strong>Yellow and all-red times are those of the programs as shipped." in text


def test_vehicles_left_outside_conflicts_and_teleports_are_told(network):
    content = two_variants(network, (80, 82), (50, 55), teleport_s=300.0)
    runs = tuple(replace(run, never_inserted=400, monitor_violations=1, teleports=3) for run in content.runs)
    found = titles(replace(content, runs=runs))
    assert "10 % of the vehicles" in found["Vehicles that never entered"].text
    assert "4 conflicts" in found["Conflicting greens"].text
    assert found["Conflicting greens"].is_strong
    assert "300 s" in found["Removed vehicles"].text
    assert "12 times" in found["Removed vehicles"].text


def test_the_report_fetches_nothing_and_runs_nothing(network, tmp_path):
    content = study(network)
    path = write_report(tmp_path, content, draw_figures(tmp_path, content))
    text = path.read_text(encoding="utf-8")
    page = Page(text)
    assert path.name == "report.html"
    assert "http://" not in text
    assert "https://" not in text
    assert "@import" not in text
    assert "url(" not in text
    assert not {tag for tag, _ in page.tags} & {"script", "link", "iframe", "object", "embed", "base", "form", "a"}
    sources = [attributes["src"] for _, attributes in page.tags if "src" in attributes]
    assert len(sources) == 5
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on") or name == "href"]
    policy = next(attributes["content"] for _, attributes in page.tags if "http-equiv" in attributes)
    assert policy.startswith("default-src 'none'")
    alternatives = [attributes["alt"] for tag, attributes in page.tags if tag == "img"]
    assert all(alternatives)


def hostile_study(network):
    content = study(
        network,
        delays_s=((HOSTILE, 80.0), (HOSTILE + "2", 50.0)),
        scenario=HOSTILE,
        network_name=HOSTILE,
        command=HOSTILE,
        versions={HOSTILE: HOSTILE},
        notices=(Notice("CODE", "warning", HOSTILE, 3, HOSTILE, HOSTILE, HOSTILE, 2),),
    )
    variants = tuple(
        replace(variant, parameters={HOSTILE: HOSTILE}, controller=HOSTILE) for variant in content.variants
    )
    hotspots = tuple(replace(site, street_names=(HOSTILE,)) for site in content.hotspots)
    junctions = tuple(replace(row, name=HOSTILE) for row in content.junctions)
    failed = failed_run(HOSTILE, 9, HOSTILE)
    return replace(content, variants=variants, hotspots=hotspots, junctions=junctions, runs=(*content.runs, failed))


def test_names_from_hostile_files_stay_text(network, tmp_path):
    content = hostile_study(network)
    drawings = draw_figures(tmp_path, content)
    text = render_report(content, drawings)
    page = Page(text)
    ordinary = Page(render_report(study(network), drawings))
    assert {tag for tag, _ in page.tags} == {tag for tag, _ in ordinary.tags}
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    assert "{{ 7 * 7 }}" in page.text
    assert "49" not in question(content)
    assert "\u202e" not in text
    assert "\x07" not in text


def test_numbers_in_the_tables_are_those_of_the_study(network):
    content = two_variants(network, (80, 82, 81), (50, 55, 53))
    text = page_of(content).text
    assert "smart against as shipped: 3 paired runs" in text
    assert "delay per scheduled vehicle (s) 81 53 -28 -32 to -25 -35 % lower: better" in text.replace("\n", " ")
    assert "vehicles that arrived 3 740 3 740 0 0 to 0 0 % the same" in text


def test_missing_pairs_stand_in_the_heading_of_the_table(network):
    text = page_of(two_variants(network, (80, 82, 81), (50, None, 53))).text
    assert "smart against as shipped: 2 paired runs, 1 pair missing" in text


def test_a_site_with_two_signals_shows_both_numbers(network):
    content = study(network)
    first, second, *rest = content.hotspots
    merged = replace(first, signals=(*first.signals, *second.signals))
    text = page_of(replace(content, hotspots=(merged, *rest))).text
    assert "52.43000, 13.53000 1, 2" in text
    apart = replace(first, signals=("elsewhere",))
    assert "13.53000 not compared" in page_of(replace(content, hotspots=(apart, second, *rest))).text


def test_the_report_of_many_junctions_and_runs_is_cut_and_says_so(network):
    content = study(network, seeds=range(1, 31))
    assert "The first 60 of 90; all of them are in runs.csv." in page_of(content).text


def test_the_same_study_gives_the_same_report(network, tmp_path):
    texts = []
    for name in ("a", "b"):
        content = study(network)
        write_report(tmp_path / name, content, draw_figures(tmp_path / name, content))
        texts.append((tmp_path / name / "report.html").read_bytes())
    assert texts[0] == texts[1]


def test_comparing_again_after_a_failure_keeps_the_report_whole(network):
    content = study(network)
    runs = tuple(run if run.variant != "actuated" else failed_run("actuated", run.seed) for run in content.runs)
    comparisons = compare(runs, content.junctions, [variant.name for variant in content.variants])
    content = replace(content, runs=runs, comparisons=comparisons)
    assert [finding.headline for finding in findings(content)] == ["no result", "less delay"]
    assert math.isnan(content.junction_mean("actuated", content.places[0].junction, "delay_s"))
    assert "nan" not in page_of(content).text.split()
