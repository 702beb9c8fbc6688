"""Measuring inside a run: what a recommender foretells of listening to come, and what makes listeners leave.

At a split day every listener of a frozen, keyed sample is given a ranking of all works that can be heard, by the very
score that fills its slates; the run goes on, and at its end the rankings are held against what was then listened to.
From the same listeners' sessions, noted one by one, hazards of abandonment are estimated. All sessions are synthetic:
they come out of this model, and stand for no person's.

Rows of the sample come out of the shards and are joined in the order of listeners; every figure is computed once, from
the whole: so it is the same for any number of shards (law 3). The sample is bounded by `economy.session_sample`.
"""

from heritage_sim.evaluation.config import EvaluationConfig
from heritage_sim.evaluation.evaluating import Evaluation, Findings, evaluation_names

__all__ = ["Evaluation", "EvaluationConfig", "Findings", "evaluation_names"]
