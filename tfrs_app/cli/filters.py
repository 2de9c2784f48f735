"""The option `--filter NAME=VALUE` as filters of a request."""

from __future__ import annotations

from collections.abc import Sequence

from tfrs_app.contract.errors import ConfigError
from tfrs_app.contract.features import FeatureSpec, Kind, Role

Filters = dict[str, list[str] | float]


def filters_of(given: Sequence[str], spec: FeatureSpec) -> Filters:
    """Returns what to pass by, as the client takes it.

    Args:
        given: `allow_NAME=VALUE,VALUE`, `block_NAME=...`, `min_NAME=NUMBER`, ...
        spec: names what can be filtered by.

    Raises:
        ConfigError: names the option and what would do.
    """
    columns = {name: f for f in spec.of(Role.CANDIDATE) for name in f.filters}
    filters: Filters = {}
    for option in given:
        name, sign, value = option.partition("=")
        if name not in columns or not sign:
            known = ", ".join(sorted(columns)) or "none, for no item column is declared"
            raise ConfigError(
                f"--filter {option}: is no filter of this shop; write NAME=VALUE with "
                f"one of {known}"
            )
        if name in filters:
            raise ConfigError(f"--filter {option}: {name} is given twice; keep one")
        if columns[name].kind is Kind.CATEGORICAL:
            filters[name] = [part.strip() for part in value.split(",")]
            continue
        try:
            filters[name] = float(value)
        except ValueError as error:
            raise ConfigError(
                f"--filter {option}: {value!r} is not a number; write for example "
                f"{name}=9.5"
            ) from error
    return filters
