"""The listener-step in plain Python, one listener at a time, written from its description and without the kernel.

Numbers come from `Stream` of the base, sums of scores in the stated lane order; all else is ordinary Python floats.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

LANES = 16


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
    work: int
    dwell_s: float
    counted: bool


class PlainCohort:
    def __init__(self, config, keys, listeners):
        self.config, self.who = config, listeners
        self.taste = listeners.taste.astype(np.float32).copy()
        self.history = np.zeros_like(self.taste)
        self.num_plays = np.zeros(listeners.ids.size, int)
        self.streams = {
            name: keys.stream("listener", name) for name in ("session", "choice", "outside", "dwell", "leave")
        }
        self.plays: list[Play] = []
        self.sessions = self.slates = self.abandonments = 0
        self.exposures: dict[int, int] = {}

    def run_day(self, world):
        active = self.streams["session"].uniform(self.who.ids, world.day) < self.who.session_probability
        rows = np.flatnonzero(active)
        offered = world.recommender_state.candidates(self.who.ids[rows], self.history[rows].copy(), world.day)
        for row, candidates in zip(rows, offered, strict=True):
            self._session(int(row), [int(w) for w in candidates], world)

    def _session(self, row, candidates, world):
        c, works, state, day = self.config, world.works, world.recommender_state, world.day
        listener = int(self.who.ids[row])
        left = [w for w in candidates if w >= 0 and works.available[w]]
        score = {
            w: np.float32(state.affinity) * lane_dot(self.history[row], works.vectors[w]) + state.bias[w] for w in left
        }
        self.sessions += 1
        seen = 0
        while seen < c.max_slates and left:
            shown = sorted(left, key=lambda w: -score[w])[: c.slate_size]  # stable: ties to the earlier candidate
            left = [w for w in left if w not in shown]
            self.slates += 1
            for w in shown:
                self.exposures[w] = self.exposures.get(w, 0) + 1
            appeal = {
                w: c.kappa * float(lane_dot(self.taste[row], works.vectors[w]))
                + self.who.consistency_taste[row] * float(works.consistency[w])
                for w in shown
            }
            value = {-1: c.outside_utility + self._gumbel("outside", listener, day, seen)}
            for w in shown:
                value[w] = (
                    appeal[w]
                    + c.popularity_weight * math.log1p(world.visible_plays[w])
                    - c.fatigue * seen
                    + self._gumbel("choice", listener, day, w)
                )
            chosen = max(value, key=value.__getitem__)
            odds = c.leave_base + c.leave_fatigue * seen
            odds += (
                c.leave_idle if chosen < 0 else c.leave_skipped * self._play(row, chosen, appeal[chosen], seen, world)
            )
            last = seen + 1 == c.max_slates or not left
            if not last and self._uniform("leave", listener, day, seen) < 1.0 / (1.0 + math.exp(-odds)):
                self.abandonments += 1
                return
            seen += 1

    def _play(self, row, work, appeal, seen, world):
        """Return the share of the work that was not heard."""
        c, vector = self.config, world.works.vectors[work]
        listener, duration = int(self.who.ids[row]), float(world.works.duration_s[work])
        log_rate = (
            math.log(c.skip_rate_per_minute / 60.0)
            - c.skip_appeal * appeal
            + c.skip_novelty * (1.0 - float(lane_dot(self.history[row], vector)))
            + c.skip_fatigue * seen
            - c.skip_experience * math.log1p(self.num_plays[row])
        )
        dwell = min(duration, -math.log(self._uniform("dwell", listener, world.day, work)) / math.exp(log_rate))
        counted = dwell >= c.counted_play_s or dwell == duration
        self.plays.append(Play(listener, world.day, work, dwell, counted))
        self.num_plays[row] += 1
        if counted:
            self.taste[row] = slerp(self.taste[row], vector, c.drift)
        self.history[row] = (1.0 - c.history_weight) * self.history[row] + c.history_weight * vector
        return 1.0 - dwell / duration

    def _uniform(self, stream, listener, day, draw):
        return float(self.streams[stream].uniform(listener, day, draw)[0])

    def _gumbel(self, stream, listener, day, draw):
        return -math.log(-math.log(self._uniform(stream, listener, day, draw)))


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
