"""Known results: listening by popularity alone is Polya's urn; with new works coming in, Simon's process.

Each day one listener sees all works on one slate and plays one, by utility log(1 + plays shown): the works' chances are
proportional to 1 + plays shown.

References
----------
Eggenberger, Polya, "Ueber die Statistik verketteter Vorgaenge", 1923: shares tend to a Dirichlet(a) law.
Gini of the gamma law, hence of symmetric Dirichlet shares: Gamma(a + 1/2) / (sqrt(pi) Gamma(a + 1)).
Simon, "On a class of skew distribution functions", Biometrika 42, 1955: tail exponent 1 + 1 / (1 - p).
"""

import math

import numpy as np
import pytest
from plain_listening import directions, listeners_config, lived, offers, shard, works_of
from scipy import special

from heritage_sim.base import Keys
from heritage_sim.metrics import gini

BY_POPULARITY = listeners_config(
    num_listeners=1, slate_size=100, kappa=0.0, popularity_weight=1.0, outside_utility=-1e6
)


def polya_counts(num_works, num_days, world, shown):
    """Return plays by work after so many days in which listeners were shown ``shown(plays)``."""
    keys = Keys(102, world)
    works = works_of(directions(keys, num_works, 4))
    cohort, state = shard(BY_POPULARITY, keys, works), offers(np.arange(num_works), num_works)
    plays = np.zeros(num_works, dtype=np.int64)
    for day in range(num_days):
        plays += lived(cohort, works, state, shown(plays), day)
    assert plays.sum() == num_days
    return plays


def limit_gini(a):
    return math.gamma(a + 0.5) / (math.sqrt(math.pi) * math.gamma(a + 1))


def urn_gini(a, num_works, num_days):
    """Return the expected Gini of the plays, exactly: of two works' plays under the Dirichlet-multinomial law."""
    n = np.arange(num_days + 1)
    log_weight = special.gammaln(n + a) - special.gammaln(a) - special.gammaln(n + 1)
    others = (num_works - 2) * a
    log_rest = special.gammaln(n + others) - special.gammaln(others) - special.gammaln(n + 1)
    total = num_works * a
    log_all = special.gammaln(num_days + total) - special.gammaln(total) - special.gammaln(num_days + 1)
    i, j = np.meshgrid(n, n, indexing="ij")
    inside = i + j <= num_days
    log_p = log_weight[i[inside]] + log_weight[j[inside]] + log_rest[num_days - i[inside] - j[inside]] - log_all
    apart = (np.exp(log_p) * np.abs(i - j)[inside]).sum()
    return (num_works - 1) / num_works * apart / (2 * num_days / num_works)


PRIORS = {0.1: (lambda plays: 10 * plays), 1.0: (lambda plays: plays), 10.0: (lambda plays: plays + 9)}
"""What is shown so that a work's chance is proportional to its plays + a: chances go by 1 + what is shown."""


@pytest.mark.parametrize(("a", "limit"), [(0.1, 0.883), (1.0, 0.5), (10.0, 0.176)])
def test_the_urns_own_law_tends_to_the_stated_limits(a, limit):
    assert limit_gini(a) == pytest.approx(limit, abs=5e-4)
    far, near = (urn_gini(a, 25, num_days) - 24 / 25 * limit_gini(a) for num_days in (1_600, 400))
    assert abs(far) < 0.015
    assert near == pytest.approx(4 * far, rel=0.3)  # what is left falls as one over plays


@pytest.mark.parametrize("a", PRIORS)
def test_popularity_alone_makes_the_shares_of_polyas_urn(a):
    num_works, num_days, num_worlds = 25, 600, 16
    counts = np.array([polya_counts(num_works, num_days, world, PRIORS[a]) for world in range(num_worlds)])
    found = np.array([gini(row) for row in counts])
    error = max(found.std(ddof=1), 0.01) / math.sqrt(num_worlds)
    assert found.mean() == pytest.approx(urn_gini(a, num_works, num_days), abs=3.5 * error)
    # every work is as likely to win as any other, and shares vary over worlds as Dirichlet shares do
    share = counts / num_days
    spread = num_works * share.var(axis=0).mean() * num_works
    binomial_and_prior = (num_works - 1) * (num_days + num_works * a) / (num_days * (num_works * a + 1))
    assert spread == pytest.approx(binomial_and_prior, rel=0.35)
    others = [abs(found.mean() - urn_gini(b, num_works, num_days)) for b in PRIORS if b != a]
    assert min(others) > 10 * error  # the test could tell the priors apart


def simon_expectation(p, num_days, largest):
    """Return the expected number of works with 1, 2, ... plays, by Simon's recursion from one work with one play."""
    works = np.zeros(largest + 1)
    works[1] = 1.0
    k = np.arange(largest + 1)
    for plays in range(1, num_days):
        moved = (1 - p) / plays * k * works
        works[2:] += moved[1:-1]
        works[1:] -= moved[1:]
        works[1] += p
    return works[1:]


def simon_counts(p, num_days, world):
    """Return plays by work where each day brings a new work with probability p, else a play by popularity."""
    keys = Keys(103, world)
    is_new = keys.stream("test", "new").uniform(np.arange(num_days), 0) < p
    is_new[0] = True
    num_works = int(is_new.sum())
    assert num_works <= 100  # all of them fit on a slate
    works = works_of(directions(keys, num_works, 4))
    cohort = shard(BY_POPULARITY, keys, works)
    plays, known = np.zeros(num_works, dtype=np.int64), 0
    for day in range(num_days):
        offered = [known] if is_new[day] else np.arange(known)
        known += int(is_new[day])
        plays += lived(cohort, works, offers(offered, num_works), np.maximum(plays - 1, 0), day)
    return plays


def test_new_works_and_copying_make_simons_counts():
    """The kernel's plays in 12 worlds against the exact recursion, in bins of works with 1, 2, 3-4, 5-9, 10+ plays."""
    p, num_days, num_worlds = 0.3, 260, 12
    counts = np.concatenate([simon_counts(p, num_days, world) for world in range(num_worlds)])
    edges = np.array([1, 2, 3, 5, 10, num_days + 1])
    observed = np.histogram(counts, edges)[0]
    works = num_worlds * simon_expectation(p, num_days, num_days)
    expected = np.add.reduceat(works, edges[:-1] - 1)
    assert observed.sum() == pytest.approx(expected.sum(), abs=4 * math.sqrt(num_worlds * num_days * p * (1 - p)))
    assert (np.abs(observed - expected) < 4 * np.sqrt(expected)).all()
    uniform = expected.sum() * np.diff(edges.clip(max=6)) / 5  # nothing like equal plays
    assert np.abs(observed - uniform).max() > 10 * np.sqrt(expected.max())


@pytest.mark.parametrize("p", [0.1, 0.3, 0.5])
def test_the_recursions_tail_has_simons_exponent(p):
    """Share of works with k plays falls as k^-(1 + 1/(1-p)); local slopes of the limit law rho B(k, rho + 1)."""
    rho = 1 / (1 - p)
    works = simon_expectation(p, 20_000, 400)
    k = np.arange(1, 13)
    limit = rho * special.beta(k, rho + 1)
    np.testing.assert_allclose(works[:12] / (20_000 * p), limit, rtol=0.02)
    k = np.array([1e4, 2e4])
    slope = np.diff(special.betaln(k, rho + 1)) / np.diff(np.log(k))
    assert -slope[0] == pytest.approx(1 + rho, rel=1e-3)
