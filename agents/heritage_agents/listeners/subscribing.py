"""Who ends the subscription, and who takes it up again: two hazards a day, each with a keyed draw of its own.

A subscriber decides every ``renewal_days``, on a day of the listener's own (offset by id):

    log odds of ending = churn_base - churn_satisfaction x satisfaction

One who does not subscribe takes it up again on a day with probability
``return_rate + word_of_mouth x (share of the home community's listeners who subscribe)``, the share as last made known.
Both take effect from the next day on; nobody does both on one day.
"""

from __future__ import annotations

from heritage_agents.kernel.arithmetic import exponential
from heritage_agents.kernel.compiling import compiled
from heritage_agents.kernel.philox import uniform
from heritage_agents.kernel.sheets import CAME_BACK, LEFT_SERVICE


@compiled
def renew(
    ids, home, satisfaction, subscribed, churn_base, churn_satisfaction, renewal_days, hazard_of_return, day,
    churn_key, return_key, counts, subscribers,
):  # fmt: skip
    """Let the day's decisions be made in place; ``subscribers`` by community and ``counts`` follow.

    A listener renews at the end of the days with ``(day + 1 + id) mod renewal_days = 0``; ``hazard_of_return`` is by
    home community.
    """
    for row in range(ids.size):
        if subscribed[row]:
            if (day + 1 + ids[row]) % renewal_days:
                continue
            log_odds = churn_base - churn_satisfaction * satisfaction[row]
            if uniform(ids[row], day, 0, churn_key[0], churn_key[1]) * (1.0 + exponential(-log_odds)) < 1.0:
                subscribed[row] = False
                subscribers[home[row]] -= 1
                counts[LEFT_SERVICE] += 1
        elif uniform(ids[row], day, 0, return_key[0], return_key[1]) < hazard_of_return[home[row]]:
            subscribed[row] = True
            subscribers[home[row]] += 1
            counts[CAME_BACK] += 1
