"""What baskets, pairs and repurchase intervals must be, by plain loops over events."""

import itertools
import statistics
from collections import Counter, defaultdict


def loop_baskets(purchases, hours=24.0, sessions=True):
    """Sets of items bought together; a purchase is (user, item, second, session)."""
    by_session, rest = defaultdict(set), defaultdict(list)
    for user, item, second, session in purchases:
        if sessions and session is not None:
            by_session[user, session].add(item)
        else:
            rest[user].append((second, item))
    baskets = list(by_session.values())
    for events in rest.values():
        opened = None
        for second, item in sorted(events):
            if opened is None or second - opened > hours * 3600:
                opened = second
                baskets.append(set())
            baskets[-1].add(item)
    return baskets


def loop_co_purchases(baskets, shrinkage=5, least=2, top=50, largest=200):
    """[(item, other, joint baskets, lift)], by item, then best first."""
    baskets = [basket for basket in baskets if len(basket) <= largest]
    single, joint = Counter(), Counter()
    for basket in baskets:
        single.update(basket)
        for a, b in itertools.combinations(basket, 2):
            joint[a, b] += 1
            joint[b, a] += 1
    partners = defaultdict(list)
    for (a, b), n in joint.items():
        if n >= least:
            expected = single[a] * single[b] / len(baskets)
            lift = (n + shrinkage) / (expected + shrinkage)
            partners[a].append((-lift, -n, b))
    return [
        (item, b, -n, -lift)
        for item in sorted(partners)
        for lift, n, b in sorted(partners[item])[:top]
    ]


def loop_repurchases(purchases):
    """Item -> (number of intervals, their median in days)."""
    days = defaultdict(set)
    for user, item, second, _ in purchases:
        days[user, item].add(second // 86400)
    gaps = defaultdict(list)
    for (_, item), seen in days.items():
        gaps[item] += [b - a for a, b in itertools.pairwise(sorted(seen))]
    return {i: (len(g), statistics.median(g)) for i, g in gaps.items() if g}
