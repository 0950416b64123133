"""Made-up scorecards: what pages are tried on."""

from scenarios.edition import find_edition, score
from scenarios.indicators import INDICATORS, Finding, Project, Scorecard
from scenarios.message import Message, Percent
from scenarios.scorecard import Assessment
from scenarios.scorecard_effects import MEASURES, Effect
from scenarios.scorecard_ranking import rank_cities

ROUTES = Message("{yes} of {all} routes take electronic payment", {"yes": 12, "all": 20})
BOUNDED = Message(
    "{yes} of {all} vehicles take electronic payment and of {unknown} it is not known, so that the share lies "
    "from {low} to {high}",
    {"yes": 90, "all": 120, "unknown": 21, "low": Percent(0.75), "high": Percent(0.925)},
)
NEEDS = Message("Needs payments made electronically and all payments ([fares] payments)")
LIGHTS = Message(
    "{yes} of {all} sections have a smart light; {dark} have no light at all. The ways of reading give {least} to "
    "{most}",
    {"yes": 3, "all": 12, "dark": 2, "least": Percent(0.2), "most": Percent(2 / 3)},
)
SEEN = Message(
    "Computed from {positions} positions on {trips} trips: {timed} have a deviation from the timetable, {off} were "
    "off the route",
    {"positions": 184233, "trips": 1021, "timed": Percent(0.874), "off": Percent(0.021)},
)
IN_SERVICE = Message(
    "{yes} of {all} routes in service: a vehicle's positions arrived on a trip of theirs", {"yes": 19, "all": 20}
)
LISTED = Message("{yes} of the {all} vehicles on the city's list were heard of", {"yes": 96, "all": 120})
STOPS = Message(
    "{yes} of {all} stops are: {features}",
    {"yes": 31, "all": 410, "features": (Message("enclosed"), Message("with an information board"))},
)
CHARGERS = Message("The city's table has {chargers} chargers", {"chargers": 21})
T1_READINGS = (
    ("Sections with a smart light, of those that a national rule calls places of accidents", 3, 12),
    ("Smart lights, of those at places of accidents by a national rule", 4, 10),
    ("Sections with a smart light, of those surely worse than sections like them", 2, 3),
    ("Smart lights, of those at sections surely worse than sections like them", 2, 3),
    ("Sections with a smart light, of those with most accidents", 2, 10),
    ("Smart lights, of those at the sections with most accidents", 3, 9),
)
S1_READINGS = (("air-conditioned", 12), ("enclosed", 140), ("with Wi-Fi", 60), ("with an information board", 98))
E1_READINGS = (("Stops within reach of a charger", 180, 410), ("Depots within reach of a charger", 1, 2))
EFFECTS = {
    Project.TRAFFIC_MANAGEMENT: (
        Effect(
            measure=MEASURES["network", "delay_per_scheduled_s"],
            unit="s",
            baseline="static",
            variant="max-pressure",
            difference=-21.4,
            low=-25.0,
            high=-17.8,
            pairs=10,
            is_better=True,
            is_indicative=False,
            is_synthetic=True,
        ),
    ),
    Project.FARE_PAYMENT: (
        Effect(
            measure=MEASURES["transit", "on_time_share"],
            unit="share",
            baseline="cash",
            variant="60 %",
            difference=0.021,
            low=-0.004,
            high=0.046,
            pairs=5,
            is_better=None,
            is_indicative=True,
            is_synthetic=False,
        ),
    ),
}


def made_card(name: str = "Үлгітау", *, is_synthetic: bool = True) -> Scorecard:
    """A city with shares, presences, an unknown with bounds and one without."""
    findings = (
        Finding("D1", 1.0, SEEN, source="feed.zip"),
        Finding("D2", 0.95, IN_SERVICE, 19, 20),
        Finding("D3", 0.8, LISTED, 96, 120, source="fleet.csv"),
        Finding("F1", 0.6, ROUTES, 12, 20),
        Finding("F2", None, BOUNDED, 90, 120, low=0.75, high=0.925),
        Finding("F3", None, NEEDS),
        Finding("T1", 0.25, LIGHTS, 3, 12),
        Finding("S1", 31 / 410, STOPS, 31, 410),
        Finding("E1", 1.0, CHARGERS),
    )
    return Scorecard(name, is_synthetic, findings, _readings())


def _readings() -> tuple[Finding, ...]:
    t1 = (
        Finding("T1", yes / every, LIGHTS, yes, every, Message(f"{text}"))  # the texts stand in the code
        for text, yes, every in T1_READINGS
    )
    s1 = (Finding("S1", yes / 410, STOPS, yes, 410, Message(f"{text}")) for text, yes in S1_READINGS)
    e1 = (Finding("E1", yes / every, CHARGERS, yes, every, Message(f"{text}")) for text, yes, every in E1_READINGS)
    return (*t1, *s1, *e1)


def empty_card(name: str) -> Scorecard:
    """A city that has given nothing."""
    return Scorecard(name, False, tuple(Finding(one.indicator_id, None, NEEDS) for one in INDICATORS))  # noqa: FBT003


def full_card(name: str) -> Scorecard:
    """A city that has everything."""
    return Scorecard(name, False, tuple(Finding(one.indicator_id, 1.0, ROUTES, 20, 20) for one in INDICATORS))  # noqa: FBT003


def made_score(card: Scorecard, edition: str = "academic"):
    return score(card, find_edition(edition))


def made_ranking(edition: str = "academic"):
    cards = (made_card(), empty_card("Empty"), full_card("Full"))
    return rank_cities([Assessment(card, ()) for card in cards], find_edition(edition))
