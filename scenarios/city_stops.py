"""Smart stops (S1): which stops have what a smart stop needs, by a table of amenities."""

from dataclasses import replace

from gtfs.amenities import FEATURES, read_amenities
from gtfs.feed import Feed
from scenarios.city import City
from scenarios.city_counts import Found, count, names_of, share
from scenarios.indicators import Finding
from scenarios.message import Message

READINGS = {
    "air_conditioned": Message("air-conditioned"),
    "enclosed": Message("enclosed"),
    "wifi": Message("with Wi-Fi"),
    "charging_point": Message("with a point to charge devices"),
    "information_board": Message("with an information board"),
}
KNOWN = Message("{yes} of {all} stops are: {features}")
PARTLY = Message(
    "{yes} of {all} stops are: {features}; of {unknown} it is not known, so that the share lies from {low} to {high}"
)


def smart_stops(city: City, feed: Feed | None) -> Found:
    """S1 of a city, and each feature on its own. Stops are those of the feed where there is one, else of the table.

    Raises
    ------
    InputError
        As :func:`gtfs.amenities.read_amenities`.
    """
    if city.stops is None:
        return Found((Finding("S1", None, Message("Needs a table of stops with their amenities ([stops] amenities)")),))
    table = read_amenities(city.stops.amenities)
    stops = list(table.stops) if feed is None else sorted(set(feed.gtfs.stop_times["stop_id"].tolist()))
    source = names_of(city.stops.amenities, None if feed is None else feed.path)

    def finding(features: tuple[str, ...], reading: Message | None) -> Finding:
        words = {"features": tuple(READINGS[name] for name in features)}
        known, partly = Message(KNOWN.text, words), Message(PARTLY.text, words)
        states = count(table.of(stop).has_all(features) for stop in stops)
        return share("S1", states, known, partly, source=source, reading=reading)

    counted = finding(city.stops.needs, None)
    readings = (
        replace(counted, reading=Message("What a smart stop needs here")),
        *(finding((feature,), READINGS[feature]) for feature in FEATURES),
    )
    strangers = () if feed is None else table.strangers(set(stops))
    return Found((counted,), readings, (*table.notices, *strangers))
