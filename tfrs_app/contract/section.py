"""What every section of the configuration is: typed, frozen and strict."""

from __future__ import annotations

from typing import Annotated, Any, get_args

from pydantic import BaseModel, ConfigDict, Field

Fraction = Annotated[float, Field(ge=0, le=1, strict=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False, strict=False)]
HalfLife = Annotated[float, Field(gt=0, strict=False)]
"""Days after which something counts half; infinity: never."""
Count = Annotated[int, Field(ge=1)]


class Section(BaseModel):
    """Refuses unknown keys, values of another type, and changes."""

    # JSON knows no infinity, which a half-life may be.
    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, ser_json_inf_nan="strings"
    )


def section_inside(annotation: Any) -> type[BaseModel] | None:
    """Returns the section that a key holds, alone or in a list, or None."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (section_inside(argument) for argument in get_args(annotation))
    return next((model for model in inner if model), None)
