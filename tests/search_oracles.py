"""Slow, plain twins of the kernels that keep trips in rows, give trips to vehicles which name none, and keep runs.

Whole histories, ping by ping, every trip of every day tried; nothing shared with the code.
"""

import math
from typing import NamedTuple

from tests.guess_oracles import Course, courses, first_near_m, fit
from tests.trace_oracles import MATCHED, NAN, Matcher, apart_m, lateness_s

NOTHING = (-1, -1, -1)
BY_BLOCK, BY_GEOMETRY = 4, 5


def performed(pings, end_s):
    """Twin of ``find_rows`` over pings (vehicle, trip, day, time), where days count from 1000 s times their number.

    The number of each ping's trip in order of appearance, -1 for none, and numbers of trips as they were over.
    """
    known, count, numbers, overs, last = {}, 0, [], [], {}
    for vehicle, trip, day, time_s in pings:
        key = (vehicle, trip, day)
        if trip >= 0 and last.get(vehicle) != key:
            own = [other for other in known if other[0] == vehicle and other != key]
            overs += [known.pop(other) for other in own if 1000 * other[2] + end_s[other[1]] < time_s]
            if key not in known:
                known[key] = count
                count += 1
        numbers.append(known[key] if trip >= 0 else -1)
        last[vehicle] = key
    return numbers, overs


class Row(NamedTuple):
    """A ping (performed is 0, without trip and clock) and what its vehicle says; None where it does not say."""

    vehicle: int
    ping: NamedTuple
    claim: int
    route: int | None
    named_day: int | None
    serves: tuple[int, int] | None


class Town(NamedTuple):
    """Lines and trips as :class:`tests.trace_oracles.Matcher` takes them; of each trip its route, block and days."""

    lines: list
    trips: list
    routes: list
    blocks: list
    days: list
    origin_s: dict


class Seeker:
    """Twin of ``go_over`` for one vehicle."""

    def __init__(self, rows, town, rules, is_taken):
        self.rows, self.town, self.rules, self.is_taken = rows, town, rules, is_taken
        self.found = [NOTHING] * len(rows)
        self.course, self.matcher, self.on_s = Course(), None, NAN
        self.given, self.past, self.is_done, self.is_named = None, None, False, False
        self.waiting = []

    def go_over(self):
        """Trip, day and evidence of each ping."""
        for k, row in enumerate(self.rows):
            before = self.rows[self.waiting[-1]] if self.waiting else row
            if row.serves is not None:
                self._hear(k, row)
                continue
            if (before.claim, before.named_day) != (row.claim, row.named_day):
                self.waiting = []
            if self.given and row.route is not None and row.route != self.town.routes[self.given[0]]:
                self._leave()
            if not (self.given and self._goes_on(k)):
                self._wait(k)
        return self.found

    def _hear(self, k, row):
        if self.is_named and self.past == row.serves:
            for one in self.waiting:
                self.found[one] = (*row.serves, -1)
        self.found[k] = (*row.serves, -1)
        self.course, self.waiting, self.given, self.past = Course(), [], None, row.serves
        self.is_done, self.is_named = False, True

    def _leave(self):
        self.past, self.given, self.is_done, self.is_named = self.given, None, True, False
        self.course.run_m = 0.0

    def _goes_on(self, k):
        """Whether a ping belongs to the trip that the vehicle was given."""
        (trip, day), rules, course = self.given, self.rules, self.course
        ping, end_m = self._on(self.rows[k].ping, trip, day), self.town.trips[trip][1][-1][0]
        silent_s = ping.time_s - course.last_s
        is_on = self.matcher.match_only(ping)[0] == MATCHED
        self.on_s = ping.time_s if is_on else self.on_s
        course.note(ping, rules.still_m)
        stood_s, left_m = ping.time_s - course.since_s, end_m - self.matcher.been[0].way_m
        if ping.time_s - self.on_s > rules.lost_s or silent_s > rules.bridge_s or stood_s > rules.search_s:
            self._leave()
            return False
        may_end = not is_on or stood_s >= rules.layover_s
        is_over = left_m <= rules.zone_m or (left_m <= rules.end_m and may_end)
        if is_on or not is_over:
            self.found[k] = (trip, day, -1)
        if is_over:
            self._leave()
        return is_on or not is_over

    def _wait(self, k):
        rules, ping = self.rules, self.rows[k].ping
        if self.course.last_s is None or ping.time_s - self.course.last_s > rules.lost_s:
            self.course.anchor, self.course.run_m, self.waiting = None, 0.0, []
        self.waiting.append(k)
        moves = self.course.note(ping, rules.still_m)
        if not moves and self.rows[self.waiting[0]].ping.time_s >= self.course.since_s:
            self.waiting = [k]
        self.waiting = [j for j in self.waiting if ping.time_s - self.rows[j].ping.time_s <= rules.search_s]
        if moves and self.course.run_m >= rules.look_m:
            self.course.run_m = 0.0
            self._look()

    def _look(self):
        pings, rules = [self.rows[k].ping for k in self.waiting], self.rules
        steps_m = _steps_m(pings)
        if len(steps_m) < rules.guess_pings - 1 or sum(steps_m) < 0.75 * rules.guess_m:
            return
        tried = [one for one in map(self._tried, self._under_way()) if one is not None]
        best = self._clear(tried)
        if best is None or self.is_taken((best.trip, best.day), self.rows[0].vehicle, pings[-1].time_s):
            return
        evidence = BY_BLOCK if self._is_of_block(best) else BY_GEOMETRY
        for k in self.waiting[best.counts[0] :]:
            self.found[k] = (best.trip, best.day, evidence)
        self.waiting, self.given, self.matcher = [], (best.trip, best.day), best.matcher
        self.on_s = pings[-1].time_s
        if best.matcher.been[0].way_m >= self.town.trips[best.trip][1][-1][0] - rules.zone_m:
            self._leave()

    def _under_way(self):
        last = self.rows[self.waiting[-1]]
        for trip, (_, calls) in enumerate(self.town.trips):
            for day, origin_s in self.town.origin_s.items():
                clock_s, slack_s = last.ping.time_s - origin_s, self.rules.rival_s
                is_day = abs(day - last.ping.time_s // 86_400) <= 1 if last.named_day is None else day == last.named_day
                is_route = last.route in {None, self.town.routes[trip]}
                in_time = calls[0][2] - slack_s <= clock_s <= calls[-1][1] + slack_s
                if is_day and is_route and in_time and day in self.town.days[trip]:
                    yield trip, day

    def _tried(self, one):
        """A trip held against the pings that wait, None where its line is not near the last two."""
        (trip, day), pings = one, [self.rows[k].ping for k in self.waiting]
        pattern, calls = self.town.trips[trip]
        course = courses([(ping.lon, ping.lat) for ping in pings], self.rules.still_m)
        line, most_m = self.town.lines[pattern], self.rules.off_route_m
        near_m = [first_near_m((p.lon, p.lat), c, line, most_m) for p, c in zip(pings, course, strict=True)]
        if not any(map(math.isfinite, near_m[-2:])):
            return None
        made = []

        def anew():
            made.append(Matcher(self.town.lines, self.town.trips, self.rules.limits))
            return made[-1]

        served = [self._on(ping, trip, day) for ping in pings]
        return Tried(trip, day, pattern, *fit(anew, calls, served, near_m, self.rules.limits), made[-1])

    def _clear(self, tried):
        """The one that fits where no other does as well, else None."""
        sound = [one for one in tried if self._is_sound(one)]
        best = min(sound, key=self._cost, default=None)
        for one in tried if best else []:
            if one is best or not (one in sound or self._is_rival(one, best)):
                continue
            is_as_likely = self._cost(one) < self._cost(best) + self.rules.rival_odds
            branches = one.pattern != best.pattern and abs(one.late_s) <= self.rules.block_late_s
            if is_as_likely or (branches and not (self.is_named and self._is_of_block(best))):
                return None
        return best

    def _cost(self, one):
        scale_s = self.rules.late_scale_s if one.late_s > 0 else self.rules.early_scale_s
        odds = self.rules.block_odds if self.is_named else self.rules.block_odds / 2
        return abs(one.late_s) / scale_s - (odds if self._is_of_block(one) else 0.0)

    def _is_of_block(self, one):
        if self.past is None or self.past[1] != one.day:
            return False
        if self.past[0] == one.trip:
            return not self.is_done
        block, leaves_s = self.town.blocks[one.trip], self.town.trips[one.trip][1][0][2]
        is_same = block is not None and block == self.town.blocks[self.past[0]]
        return is_same and leaves_s > self.town.trips[self.past[0]][1][0][2]

    def _is_sound(self, one):
        rules, (_, count, on, moves), (gained_m, travelled_m, late_s, _) = self.rules, one.counts, one.measures
        most_s = rules.block_late_s if self._is_of_block(one) else rules.guess_late_s
        return (
            moves >= rules.guess_pings - 1
            and on >= rules.guess_share * count
            and gained_m >= rules.guess_m
            and abs(gained_m - travelled_m) <= 0.25 * max(gained_m, travelled_m)
            and -rules.guess_early_s <= late_s <= most_s
        )

    def _is_rival(self, one, best):
        gained_m, _, _, from_m = one.measures
        as_far = gained_m >= best.measures[0] - self.rules.branch_m and one.counts[2] >= 0.8 * best.counts[2]
        return as_far or (from_m <= self.rules.slack_m and gained_m >= self.rules.begun_m)

    def _on(self, ping, trip, day):
        return ping._replace(trip=trip, clock_s=ping.time_s - self.town.origin_s[day])


class Tried(NamedTuple):
    """A trip held against pings; counts and measures of :func:`tests.guess_oracles.fit`."""

    trip: int
    day: int
    pattern: int
    counts: list
    measures: list
    matcher: Matcher

    @property
    def late_s(self):
        """How late the vehicle would be."""
        return self.measures[2]


def _steps_m(pings):
    since, found = pings[0], []
    for ping in pings[1:]:
        step_m = apart_m((since.lon, since.lat), (ping.lon, ping.lat))
        if step_m > 25:
            found.append(step_m)
            since = ping
    return found


def go_over(rows, town, rules):
    """Twin of ``go_over``: trip, day and evidence of each of the rows, which are in order of time."""
    namings = [(row.serves, row.vehicle, row.ping.time_s) for row in rows if row.serves is not None]

    def is_taken(serves, vehicle, now_s):
        return any(one == serves and who != vehicle and when <= now_s for one, who, when in namings)

    found = [NOTHING] * len(rows)
    for vehicle in {row.vehicle for row in rows}:
        own = [k for k, row in enumerate(rows) if row.vehicle == vehicle]
        for k, one in zip(own, Seeker([rows[k] for k in own], town, rules, is_taken).go_over(), strict=True):
            found[k] = one
    return found


class Rider:
    """Twin of ``keep_runs`` for one vehicle; ``runs_of`` are the runs of each claim that is of a repeated trip."""

    def __init__(self, town, runs_of, first_lonlat, limits):
        self.town, self.runs_of, self.first_lonlat, self.limits = town, runs_of, first_lonlat, limits
        self.says, self.run, self.is_on, self.is_over = None, None, False, False
        self.last_s, self.from_m, self.matcher = None, NAN, None

    def serves(self, row):
        """Trip and day of the vehicle's next ping, None where there is none."""
        if row.claim not in self.runs_of:
            self.run = None if row.serves else self.run
            return row.serves
        if self.run is None or self.says != (row.claim, row.named_day) or self._is_gone(row.ping.time_s):
            self.says, self.run, self.is_on, self.is_over = (row.claim, row.named_day), row.serves, False, False
        if self.is_on:
            self._go_on(row.ping)
        else:
            self._begin(row)
        self.last_s = row.ping.time_s
        return self.run

    def _is_gone(self, now_s):
        trip, day = self.run
        since_s = now_s - self.town.origin_s[day] - self.town.trips[trip][1][-1][1]
        return since_s > 12 * 3600 or now_s - self.last_s > self.limits.bridge_s

    def _go_on(self, ping):
        trip, day = self.run
        pattern, calls = self.town.trips[trip]
        self.matcher.match_only(ping._replace(trip=trip, clock_s=ping.time_s - self.town.origin_s[day]))
        if self.matcher.been[0].way_m >= calls[-1][0] - self.limits.zone_m:
            self.is_on, self.is_over = False, True
            is_loop = apart_m(self.first_lonlat[pattern], (ping.lon, ping.lat)) <= self.limits.zone_m
            self.from_m = calls[0][0] if is_loop else NAN

    def _begin(self, row):
        tried = []
        for trip in self.runs_of[row.claim]:
            for day in self.town.origin_s:
                is_day = day in self.town.days[trip] if row.named_day is None else day == row.named_day
                if is_day and not (self.is_over and self.run == (trip, day)):
                    tried += self._due(row.ping, trip, day)
        best = min(tried, key=lambda one: one[0], default=None)
        if best is None:
            return
        before_m, (_, self.from_m, run, matcher) = self.from_m, best
        is_first = self.from_m <= self.town.trips[run[0]][1][0][0] + self.limits.zone_m
        if not self.is_over or is_first or self.from_m > before_m + self.limits.zone_m:
            self.run, self.matcher, self.is_on, self.is_over = run, matcher, True, False

    def _due(self, ping, trip, day):
        """How far in time a run is from being due here, where, itself, and its matcher; nothing where it is not."""
        if math.isnan(ping.lon + ping.lat):
            return []
        _, calls = self.town.trips[trip]
        clock_s, limits = ping.time_s - self.town.origin_s[day], self.limits
        matcher = Matcher(self.town.lines, self.town.trips, limits)
        found, way_m, _ = matcher.match_only(ping._replace(trip=trip, clock_s=clock_s))
        in_time = calls[0][2] - limits.bridge_s <= clock_s <= calls[-1][1] + limits.bridge_s
        if found != MATCHED or not in_time or way_m >= calls[-1][0] - limits.zone_m:
            return []
        is_first = way_m <= calls[0][0] + limits.zone_m
        away_s = abs(clock_s - calls[0][2] if is_first else lateness_s(calls, way_m, clock_s))
        return [(away_s, way_m, (trip, day), matcher)]


def keep_runs(rows, town, runs_of, first_lonlat, limits):
    """Twin of ``keep_runs``: trip and day of each of the rows, which are in order of time."""
    riders = {row.vehicle: Rider(town, runs_of, first_lonlat, limits) for row in rows}
    return [riders[row.vehicle].serves(row) for row in rows]
