"""Published figures to compare with, as data with their source."""

SOURCE = "figures to beat (signals.md, section 7): SUMO 1.28, teleport -1, mean of seeds 1-3"

_PEERS = (
    "fixed",
    "SUMO Webster",
    "SUMO actuated",
    "SUMO delay-based",
    "max pressure 10 s, stop-line lanes",
    "RESCO max pressure",
    "RESCO greedy",
    "prototype, fast",
    "prototype, safe",
)
_DELAY_S = {
    "cologne1": (42.9, 89.3, 66.4, 79.3, 25.2, 23.1, 19.6, 14.1, 19.9),
    "cologne8": (49.0, 88.0, 43.6, 55.6, 585.0, 29.3, 18.3, 14.5, 18.7),
    "ingolstadt1": (29.3, 41.0, 19.4, 24.7, 14.7, 14.6, 14.2, 12.6, 15.0),
    "ingolstadt7": (85.8, 119.0, 32.9, 67.1, 217.0, 40.6, 61.3, 24.9, 28.4),
}

PUBLISHED_DELAY_S = {name: dict(zip(_PEERS, values, strict=True)) for name, values in _DELAY_S.items()}
"""Delay per scheduled vehicle (s) by map and peer. The fast prototype decides every second with a minimum green of 5 s,
3 s yellow and no all-red; the safe one has 7 s, 4 s and 2 s."""

MATCHED_POINTS_PER_S = 1_200
"""Points a second that LeuvenMapMatching matched (transit.md, section 5: one core of a noisy two-core machine)."""
