"""The files through which questions, rivals and the judge speak to each other."""

from __future__ import annotations

EVENTS = "events.npz"
"""Everybody's purchases before the test window: user, item, timestamp."""
ITEMS = "items.npz"
"""A code of each categorical feature of every item."""
VALIDATION = "validation.npz"
"""Who is asked on the validation window, and what they bought in it."""
TEST_USERS = "test_users.npz"
"""Who is asked on the test window."""
ANSWERS = "test_answers.npz"
"""What they bought in it; only the judge opens this file."""
META = "meta.json"

TARGETS = ("first_purchase", "all")
LIST_LENGTH = 100
TUNED_AT = 20
"""Of the NDCG that chooses settings."""

TUNED = "tuned.json"
"""What a rival tried on the validation window."""
LISTS = "lists_{target}.npz"
"""A rival's lists, `[users, LIST_LENGTH]`, in the order of TEST_USERS."""
MEASURED = "measured_{target}.json"
"""What making them took."""
TRAINED = "ours_{part}.json"
"""What training a part of ours took."""
