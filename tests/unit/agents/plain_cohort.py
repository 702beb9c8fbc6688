"""The listeners in plain Mesa, one object each, written from the stated rules and without the kernel.

Numbers come from `Stream` of the base, sums of scores in the stated lane order; all else is ordinary Python floats.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import mesa
import numpy as np

LANES = 16
STREAMS = ("session", "start", "choice", "outside", "dwell", "leave", "churn", "return")


def lane_dot(a, b):
    """Return the float32 dot product in the order that `heritage_agents.kernel.lanes` states."""
    wide = -(-a.size // LANES) * LANES
    x, y = np.zeros(wide, np.float32), np.zeros(wide, np.float32)
    x[: a.size], y[: b.size] = a, b
    lanes = np.zeros(LANES, np.float32)
    for k in range(0, wide, LANES):
        lanes = lanes + x[k : k + LANES] * y[k : k + LANES]
    while lanes.size > 1:
        lanes = lanes[: lanes.size // 2] + lanes[lanes.size // 2 :]
    return lanes[0]


@dataclass
class Play:
    listener: int
    day: int
    session: int
    slate: int
    place: int
    work: int
    score: float
    dwell_s: float
    duration_s: float
    counted: bool
    first_time: bool


@dataclass
class Session:
    listener: int
    day: int
    session: int
    start_s: int
    prior_sessions: int
    prior_mean_s: float
    slates: int = 0
    plays: int = 0
    seconds: float = 0.0
    abandoned: bool = False
    surplus: list[float] = field(default_factory=list)


class PlainCohort(mesa.Model):
    """Listeners as Mesa agents; rows of sessions and plays are kept of everybody."""

    def __init__(self, config, keys, who):
        super().__init__(rng=1)
        self.config, self.who = config, who
        self.streams = {name: keys.stream("listener", name) for name in STREAMS}
        self.plays: list[Play] = []
        self.sessions: list[Session] = []
        self.exposures: dict[int, int] = {}
        self.left_service = self.came_back = self.paid_days = 0
        for row in range(who.ids.size):
            PlainListener(self, row)

    def run_day(self, world, num_archive):
        self.world = world
        works, c = world.works, self.config
        new = [w for w in range(num_archive, works.num_works) if works.day[w] == world.day and works.available[w]]
        mean = sum(c.weekly_profile) / 7
        self.rate_factor = [
            c.weekly_profile[world.day % 7]
            / mean
            * (1 + c.release_pull * math.log1p(sum(int(works.community[w]) == home for w in new)))
            for home in range(self.who.num_communities)
        ]
        self.paid_days += sum(listener.subscribed for listener in self.agents)
        self.agents.do("live")
        self.agents.do("renew")

    def column(self, name):
        return np.array([getattr(listener, name) for listener in self.agents])


class PlainListener(mesa.Agent):
    def __init__(self, model, row):
        super().__init__(model)
        who, c = model.who, model.config
        self.listener, self.row, self.home = int(who.ids[row]), row, int(who.home[row])
        self.taste = who.taste[row].astype(np.float32).copy()
        self.history = np.zeros_like(self.taste)
        self.theta, self.phi = float(who.consistency_taste[row]), float(who.familiarity[row])
        self.device = c.devices[int(who.device[row])]
        self.subscribed = bool(who.subscribed[row])
        self.satisfaction = c.satisfaction_start
        self.lengths: list[float] = []
        self.played: list[int] = []

    def draw(self, stream, step, draw=0):
        return float(self.model.streams[stream].uniform(self.listener, step, draw)[0])

    def live(self):
        c, day = self.model.config, self.model.world.day
        if not self.subscribed:
            return
        mean = float(self.model.who.session_rate[self.row]) * self.model.rate_factor[self.home]
        u, num, reached = self.draw("session", day), 0, math.exp(-mean)
        while u >= reached and num < c.max_sessions_per_day:
            num += 1
            reached += math.exp(-mean) * mean**num / math.factorial(num)
        if not num:
            return
        candidates, scores = self.candidates()
        starts = sorted(self.start_s(self.draw("start", day * 16, k)) for k in range(num))
        for number in range(num):
            self.live_session(number, starts[number], candidates, scores)

    def start_s(self, u):
        """Return the second at which a share u of the day's rate has passed."""
        profile = self.model.config.daily_profile
        left = u * sum(profile)
        for hour, rate in enumerate(profile):
            if left < rate:
                return int(3600 * (hour + left / rate))
            left -= rate
        return 24 * 3600 - 1

    def candidates(self):
        """Return the day's candidates, and their scores in order where the recommender ranks them all."""
        world, ids = self.model.world, np.array([self.listener])
        state = world.recommender_state
        if not hasattr(state, "factors"):
            return [int(w) for w in state.candidates(ids, self.history[None].copy(), world.day)[0]], None
        recent = (self.played[::-1] + [-1] * 16)[:16]
        query = state.queries(ids, np.array([recent], dtype=np.int32), world.day)[0].astype(float)
        score = {
            w: float(query @ state.factors[w].astype(float)) + float(state.bias[w]) for w in range(state.bias.size)
        }
        best = sorted((w for w in score if world.works.available[w]), key=lambda w: (-score[w], w))
        return best[: state.num_candidates], score

    def live_session(self, number, start_s, candidates, ranked):
        model, c, world = self.model, self.model.config, self.model.world
        works, state, step = world.works, world.recommender_state, world.day * 16 + number
        prior = sum(self.lengths) / len(self.lengths) if self.lengths else 0.0
        entry = Session(self.listener, world.day, number, start_s, len(self.lengths), prior)
        left = [w for w in candidates if w >= 0 and works.available[w]]
        if ranked is None:
            score = {
                w: np.float32(state.affinity) * lane_dot(self.history, works.vectors[w]) + state.bias[w] for w in left
            }
            left.sort(key=lambda w: -score[w])  # stable: ties to the earlier candidate
        else:
            score = ranked
        while entry.slates < c.max_slates and left:
            shown, left = left[: c.slate_size], left[c.slate_size :]
            seen, entry.slates = entry.slates, entry.slates + 1
            for w in shown:
                model.exposures[w] = model.exposures.get(w, 0) + 1
            appeal = {
                w: c.kappa * float(lane_dot(self.taste, works.vectors[w])) + self.theta * float(works.consistency[w])
                for w in shown
            }
            utility = {-1: c.outside_utility} | {
                w: appeal[w] + c.popularity_weight * math.log1p(world.visible_plays[w]) - c.fatigue * seen
                for w in shown
            }
            entry.surplus.append(math.log(sum(math.exp(v - c.outside_utility) for v in utility.values())))
            value = {
                w: v - math.log(-math.log(self.draw("outside", step, seen) if w < 0 else self.draw("choice", step, w)))
                for w, v in utility.items()
            }
            chosen = max(value, key=value.__getitem__)
            odds = c.leave_base + self.device.leave - c.leave_familiarity * self.phi
            odds += c.leave_fatigue * seen - c.leave_prior * math.log1p(prior / 60)
            if chosen < 0:
                odds += c.leave_idle
            else:
                heard = self.play(number, seen, shown.index(chosen), chosen, score[chosen], appeal[chosen])
                odds += c.leave_skipped * (1.0 - heard.dwell_s / heard.duration_s)
                entry.plays += 1
                entry.seconds += heard.dwell_s
            last = entry.slates == c.max_slates or not left
            if not last and self.draw("leave", step, seen) < 1.0 / (1.0 + math.exp(-odds)):
                entry.abandoned = True
                break
        entry.seconds += c.browse_s * entry.slates
        self.lengths.append(entry.seconds)
        mean = sum(entry.surplus) / len(entry.surplus) if entry.surplus else 0.0
        self.satisfaction = (1 - c.satisfaction_weight) * self.satisfaction + c.satisfaction_weight * mean
        model.sessions.append(entry)

    def play(self, number, seen, place, work, score, appeal):
        model, c, day = self.model, self.model.config, self.model.world.day
        vector, duration = model.world.works.vectors[work], float(model.world.works.duration_s[work])
        log_rate = (
            math.log(c.skip_rate_per_minute / 60.0)
            - c.skip_appeal * appeal
            + c.skip_novelty * (1.0 - float(lane_dot(self.history, vector)))
            + c.skip_fatigue * seen
            - c.skip_experience * math.log1p(len(self.played))
            + self.device.skip
            - c.skip_familiarity * self.phi
        )
        dwell = min(duration, -math.log(self.draw("dwell", day * 16 + number, work)) / math.exp(log_rate))
        counted = dwell >= c.counted_play_s or dwell == duration
        first = work not in self.played
        made = Play(self.listener, day, number, seen, place, work, score, dwell, duration, counted, first)
        model.plays.append(made)
        self.played.append(work)
        if counted:
            self.taste = slerp(self.taste, vector, c.drift)
        self.history = (1.0 - c.history_weight) * self.history + c.history_weight * vector
        return made

    def renew(self):
        model, c, day = self.model, self.model.config, self.model.world.day
        if self.subscribed:
            odds = c.churn_base - c.churn_satisfaction * self.satisfaction
            if (day + 1 + self.listener) % c.renewal_days == 0 and self.draw("churn", day) < 1 / (1 + math.exp(-odds)):
                self.subscribed = False
                model.left_service += 1
        elif self.draw("return", day) < c.return_rate + c.word_of_mouth * float(
            model.world.subscribed_share[self.home]
        ):
            self.subscribed = True
            model.came_back += 1


def slerp(u, v, share):
    """Return the unit vector at ``share`` of the angle from u to v, by an orthonormal basis of their plane."""
    u, v = u.astype(float), v.astype(float)
    across = v - (u @ v) / (u @ u) * u
    if np.linalg.norm(across) < 1e-6:
        return u.astype(np.float32)
    across /= np.linalg.norm(across)
    angle = math.acos(max(-1.0, min(1.0, float(u @ v))))
    turned = math.cos(share * angle) * u / np.linalg.norm(u) + math.sin(share * angle) * across
    return turned.astype(np.float32)
