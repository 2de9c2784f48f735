"""What the page may ask: bodies of requests, checked before anything is done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from serving.client import Shopper

LONGEST_HISTORY = 1000
LONGEST_LIST = 100
_SHOWN_OF_A_VALUE = 40

Id = Annotated[str, Field(min_length=1, max_length=200)]
Word = Annotated[str, Field(max_length=200)]
Name = Annotated[str, Field(min_length=1, max_length=100)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Moment = Annotated[int, Field(ge=0, lt=2**53)]
Choices = Annotated[list[Word], Field(max_length=200)]
Filters = Annotated[dict[Name, Choices | Finite], Field(max_length=100)]


class BadBody(Exception):  # noqa: N818 - named by what came
    """Reports a body that cannot be answered, in one sentence."""


class Body(BaseModel):
    """Takes what it declares and nothing else."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Done(Body):
    """Says what a shopper did."""

    item_id: Id
    event_type: Annotated[str, Field(max_length=100)] = ""
    timestamp: Moment


class Visitor(Body):
    """Describes whom a list is for."""

    events: Annotated[list[Done], Field(max_length=LONGEST_HISTORY)] = []
    moment: Moment | None = None
    features: Annotated[dict[Name, Word | Finite], Field(max_length=100)] = {}

    def shopper(self, *, new_only: bool = False) -> Shopper:
        """Returns the visitor as the client takes one."""
        history = [event.item_id for event in self.events]
        types = [event.event_type for event in self.events]
        return Shopper(
            history=history,
            event_types=types if all(types) else (),
            timestamps=[event.timestamp for event in self.events],
            timestamp=self.moment,
            features=self.features,
            exclude=sorted(set(history)) if new_only else (),
        )


class Choice(Body):
    """Says which model is asked: a server, and a version of it or the latest."""

    server: Annotated[str, Field(pattern="^(first|second)$")] = "first"
    version: Annotated[int, Field(ge=0, lt=2**53)] | None = None


class Question(Body):
    """Holds what every list has to be told."""

    model: Choice = Choice()
    k: Annotated[int, Field(ge=1, le=LONGEST_LIST)] = 12
    filters: Filters = {}


class ForVisitor(Question):
    """Asks for a list for somebody."""

    visitor: Visitor = Visitor()
    diversity: Annotated[Finite, Field(ge=0, le=1)] = 0.0
    new_only: bool = False


class ForItem(Question):
    """Asks for what is like an item."""

    item_id: Id


class ForBasket(Question):
    """Asks for what goes with items."""

    item_ids: Annotated[list[Id], Field(min_length=1, max_length=LONGEST_LIST)]


class ForWords(ForVisitor):
    """Asks for what words stand for."""

    text: Annotated[str, Field(min_length=1, max_length=500)]
    personal: Annotated[Finite, Field(ge=0, le=100)] | None = None


class ForReasons(ForVisitor):
    """Asks why items are, or are not, recommended."""

    item_ids: Annotated[list[Id], Field(min_length=1, max_length=10)]


AnyBody = TypeVar("AnyBody", bound=Body)


def read_body(kind: type[AnyBody], body: bytes) -> AnyBody:
    """Returns a body as its declaration has it.

    Raises:
        BadBody: it is no JSON, or something is missing, unknown, of a wrong type or
            too long.
    """
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        raise BadBody(_sentence(first["loc"], first["msg"], first["input"])) from error


def _sentence(place: Sequence[int | str], rule: str, received: Any) -> str:
    where = ".".join(map(str, place)) or "the body"
    if isinstance(received, list | dict):
        shown = f"{type(received).__name__} of {len(received)}"
    else:
        shown = repr(received)[:_SHOWN_OF_A_VALUE]
    return f"{where}: {rule[:1].lower()}{rule[1:]}; received {shown}"
