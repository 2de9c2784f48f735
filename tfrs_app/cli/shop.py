"""What the commands that ask a server know of the shop behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from serving.client import Shopper
from tfrs_app.cli.published import Published
from tfrs_app.cli.shoppers import shopper_of
from tfrs_app.cli.stages import Stages
from tfrs_app.contract.errors import ConfigError
from tfrs_app.contract.features import ITEM_ID, Kind, Role
from tfrs_app.contract.privacy import UserKey

if TYPE_CHECKING:
    from tfrs_app.data.dataset import Dataset


@dataclass(frozen=True)
class Shop:
    """Knows texts and users of the dataset that the newest model was trained on."""

    dataset: Dataset
    history_length: int
    user_key: UserKey | None

    @classmethod
    def behind(cls, stages: Stages) -> Shop:
        """Follows the manifests from the newest model to its dataset.

        Raises:
            ArtifactError: no model is published, or its run or dataset is gone.
        """
        published = Published(stages.config, stages.console)
        return cls(
            published.current_dataset,
            published.history_length,
            UserKey.of(stages.config.data.hash_users),
        )

    @cached_property
    def _row(self) -> dict[str, int]:
        ids = self.dataset.catalogue[ITEM_ID]
        return {item.decode(): row for row, item in enumerate(ids)}

    def text(self, item_id: str) -> str:
        """Returns an item's texts, else its categories; a dash for an unknown item."""
        if item_id not in self._row:
            return "-"
        row, spec = self._row[item_id], self.dataset.spec
        features = spec.of(Role.CANDIDATE, Kind.TEXT) or spec.of(
            Role.CANDIDATE, Kind.CATEGORICAL
        )
        values = (self.dataset.catalogue[f.name][row].decode() for f in features)
        return " | ".join(value for value in values if value)

    def shopper(self, history: Sequence[str] | None, user: str | None) -> Shopper:
        """Returns whom to ask for: somebody new, a history, or a user.

        Raises:
            ConfigError: both are given, or the dataset has no such user.
        """
        if history is not None and user is not None:
            raise ConfigError("--history and --user exclude each other; give one")
        if user is not None:
            return self._user(user)
        return Shopper(history or ())

    def _user(self, user_id: str) -> Shopper:
        hashed = [self.user_key.pseudonym(user_id)] if self.user_key else []
        encoded = [name.encode() for name in (user_id, *hashed)]
        users = np.flatnonzero(np.isin(self.dataset.events.user_id, encoded))
        if not len(users):
            raise ConfigError(f"--user {user_id!r}: no such user in the dataset")
        return shopper_of(self.dataset, int(users[0]), self.history_length)
