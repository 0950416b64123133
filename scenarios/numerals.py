"""Numbers as people read them: rounded to what they mean, with a true minus sign and grouped thousands."""

import math

MINUS = "\N{MINUS SIGN}"
NARROW = "\N{NARROW NO-BREAK SPACE}"
UNKNOWN = "\N{EN DASH}"
MAX_DECIMALS = 3


def number(value: float, decimals: int | None = None, *, signed: bool = False) -> str:
    """Round a number and group its thousands; an en dash stands for what is not known.

    Without ``decimals`` two digits are kept, whole numbers stay whole, and nothing is finer than a hundredth.
    """
    if not math.isfinite(value):
        return UNKNOWN
    places = _usual_decimals(value) if decimals is None else decimals
    rounded = round(value, places)
    text = f"{abs(rounded):,.{places}f}".replace(",", NARROW)
    sign = MINUS if rounded < 0 else "+" if signed and rounded > 0 else ""
    return sign + text


def seconds(value_s: float, decimals: int | None = None) -> str:
    """Give a time in seconds with its unit, which no line break parts."""
    return f"{number(value_s, decimals)}{NARROW}s"


def percent(share: float) -> str:
    """Signed percentage of a relative difference (minus 34 %), with one decimal below one per cent."""
    if not math.isfinite(share):
        return UNKNOWN
    decimals = 0 if round(abs(100 * share)) or not share else 1
    return f"{number(100 * share, decimals, signed=True)}{NARROW}%"


def interval(low: float, high: float, decimals: int) -> str:
    """Write the interval of a difference with the sign of each bound; an en dash where there is none."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return UNKNOWN
    return f"{number(low, decimals, signed=True)} to {number(high, decimals, signed=True)}"


def shared_decimals(difference: float, low: float, high: float) -> int:
    """Decimals that suit a difference and its interval: half the margin still shows.

    Where the interval excludes zero no bound is rounded to zero, since the side on which it lies is the result.
    """
    margin = (high - low) / 2
    sizes = [margin / 2 if margin > 0 else abs(difference)]
    if low > 0 or high < 0:
        sizes += [abs(low), abs(high)]
    return max(_decimals_to_show(size) for size in sizes)


def _decimals_to_show(size: float) -> int:
    """Fewest decimals in which a size does not vanish."""
    return next((places for places in range(MAX_DECIMALS) if round(size, places) or not size), MAX_DECIMALS)


def _usual_decimals(value: float) -> int:
    if float(value).is_integer():
        return 0
    return max(0, min(2, 1 - math.floor(math.log10(abs(value)))))
