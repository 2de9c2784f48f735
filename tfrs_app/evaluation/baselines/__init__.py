"""The recommenders that a neural model must beat, each tuned on validation."""

from __future__ import annotations

from tfrs_app.evaluation.baselines.ease import fit_ease
from tfrs_app.evaluation.baselines.family import Family
from tfrs_app.evaluation.baselines.ials import fit_ials
from tfrs_app.evaluation.baselines.item_knn import fit_item_knn
from tfrs_app.evaluation.baselines.personal_frequency import fit_personal_frequency
from tfrs_app.evaluation.baselines.popular import Counted, fit_popular
from tfrs_app.evaluation.baselines.tfidf_profile import fit_tfidf_profile

BLEND = "blend"
"""Runs after its parts, whose tuned parameters it takes."""

FAMILIES = (
    Family("popular", fit_popular),
    Family(
        "recently_popular",
        fit_popular,
        {
            "counted": tuple(counted.value for counted in Counted),
            "window_days": (28, 3, 7, 14, 21, 42, 56, 112),
        },
    ),
    Family(
        "personal_frequency",
        fit_personal_frequency,
        {"half_life_days": (112, 28, 224)},
    ),
    Family(
        "item_knn",
        fit_item_knn,
        {
            "half_life_days": (56, None),
            "shrinkage": (20, 5),
            "neighbours": (10, 5, 50),
            "query_half_life_days": (28, 7),
        },
    ),
    Family(
        "ease",
        fit_ease,
        {"half_life_days": (56, 112, None), "regularization": (300, 100)},
    ),
    Family(
        "ials",
        fit_ials,
        {
            "half_life_days": (56, None),
            "factors": (64, 32),
            "regularization": (10, 100),
            "alpha": (1, 10),
        },
    ),
    Family(
        "tfidf_profile",
        fit_tfidf_profile,
        {"half_life_days": (112, 28, None)},
        needs_content=True,
    ),
)
