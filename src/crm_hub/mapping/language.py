"""The mapping language as types: what a section may say, and how the short forms are written out.

Comes after document.py (plain data with marks) and before check.py (names that must exist) and
plan.py (closures). Short forms are normalised before they are typed, so that each key has one type
and an error can name its exact place.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from crm_hub.mapping.paths import parse_path
from crm_hub.mapping.shortforms import (
    StepCall,
    listed,
    near,
    parse_win,
    path_value,
    paths,
    paths_value,
    step_calls,
    without_nulls,
    word_value,
    words,
)
from crm_hub.model.routes import DeletePolicy
from crm_hub.model.rules import Win

Scope = Literal["connection", "hub"]
MatchField = Literal["email", "phone", "domain"]
Role = Literal[
    "from", "to", "cc", "organizer", "attendee", "caller", "callee", "customer", "contact",
    "owner", "author",
]  # fmt: skip
Steps = Annotated[tuple[StepCall, ...], BeforeValidator(step_calls)]
Paths = Annotated[tuple[str, ...], BeforeValidator(paths)]
Words = Annotated[tuple[str, ...], BeforeValidator(words)]


class _Closed(BaseModel):
    """A part of the language: frozen, with no keys but its own."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, data: Any) -> Any:
        names = [info.alias or name for name, info in cls.model_fields.items()]
        if not isinstance(data, Mapping):
            raise PydanticCustomError(
                "shape", "expected keys and values: {names}", {"names": ", ".join(names)}
            )
        for key in data:
            if key not in names:
                hint = near(str(key), names)
                raise PydanticCustomError(
                    "unknown_key", "unknown key '{key}'; {hint}", {"key": str(key), "hint": hint}
                )
        return data


class Condition(_Closed):
    """One thing that must hold; everything given in it must."""

    at: Paths
    steps: Steps = Field((), alias="as")
    is_: Words | None = Field(None, alias="is")
    not_: Words | None = Field(None, alias="not")
    present: bool | None = None

    @model_validator(mode="after")
    def _asks(self) -> Self:
        if self.is_ is None and self.not_ is None and self.present is None:
            raise ValueError("a condition needs `is`, `not` or `present`")
        return self


Conditions = Annotated[tuple[Condition, ...], BeforeValidator(listed)]


class Value(_Closed):
    """Where a value comes from: exactly one of at, const, of, join."""

    at: Paths = ()
    const: Any = None
    of: dict[str, PathValue] = Field(default_factory=dict)
    join: tuple[WordValue, ...] = ()
    with_: str = Field("", alias="with")
    steps: Steps = Field((), alias="as")
    default: Any = None
    when: Conditions = ()

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        given = [bool(self.at), self.const is not None, bool(self.of), bool(self.join)]
        if sum(given) != 1:
            raise ValueError("a value needs exactly one of `at`, `const`, `of`, `join`")
        if self.with_ and not self.join:
            raise ValueError("`with` belongs to `join`")
        return self


PathValue = Annotated[Value, BeforeValidator(path_value)]
WordValue = Annotated[Value, BeforeValidator(word_value)]
Value.model_rebuild()


def value_at(paths: tuple[str, ...], steps: tuple[StepCall, ...]) -> Value:
    """Return the value that stands at `paths`, through `steps`."""
    return Value.model_validate({"at": paths, "as": steps})


class FieldRule(Value):
    """One canonical field: its value, and who owns it. longest: characters the target takes."""

    dir: Literal["pull", "push", "both"] = "pull"
    win: Annotated[Win | None, BeforeValidator(parse_win)] = None
    blank: Literal["never", "clears"] = "never"
    longest: int | None = Field(None, gt=0)


class Identity(_Closed):
    """One claim: a strong id at a path, or every value of a field."""

    strong: str = ""
    match: MatchField | None = None
    at: Paths = ()
    steps: Steps = Field((), alias="as")
    scope: Scope = "connection"
    exclusive: bool = False

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if bool(self.strong) == bool(self.match):
            raise ValueError("an identity needs either `strong` or `match`")
        if bool(self.strong) != bool(self.at):
            raise ValueError("`strong` needs `at`; `match` takes the values of its field")
        return self


class LinkRule(_Closed):
    """References to other records by their strong id, from some time on and up to another."""

    entity: str
    strong: str = Field(min_length=1)
    at: Paths
    steps: Steps = Field((), alias="as")
    scope: Scope = "connection"
    many: bool = True
    from_: Annotated[Value | None, BeforeValidator(path_value)] = Field(None, alias="from")
    to: Annotated[Value | None, BeforeValidator(path_value)] = None


class Near(_Closed):
    """How events without a key are recognised as one."""

    by: tuple[WordValue, ...] = Field(min_length=1)
    within_s: float = Field(gt=0, le=31_622_400)


class Participant(_Closed):
    """Somebody who took part: by a strong id, an address, or a name alone."""

    role: Role
    strong: str = ""
    match: MatchField | None = None
    scope: Scope = "connection"
    each: str = ""
    at: Paths = ()
    steps: Steps = Field((), alias="as")
    name: Annotated[Value | None, BeforeValidator(path_value)] = None
    when: Conditions = ()

    @model_validator(mode="after")
    def _keyed_once(self) -> Self:
        if self.strong and self.match:
            raise ValueError("a participant has either `strong` or `match`")
        if bool(self.strong or self.match) != bool(self.at):
            raise ValueError("`strong` and `match` need `at`, and `at` needs one of them")
        if not self.at and self.name is None:
            raise ValueError("a participant needs `strong`, `match` or `name`")
        return self


Word = Annotated[Value | None, BeforeValidator(word_value)]
AnyPaths = Annotated[Value | None, BeforeValidator(paths_value)]


class Conversation(_Closed):
    """What tells which conversation an event belongs to."""

    id: Word = None
    ids: AnyPaths = None
    replies_to: AnyPaths = None
    by_subject: Conditions = ()
    list: Word = None

    @model_validator(mode="after")
    def _tells_something(self) -> Self:
        if self.id is None and self.ids is None and self.replies_to is None:
            raise ValueError("a conversation needs `id`, `ids` or `replies_to`")
        return self


def _conversation(value: Any) -> Any:
    """A value by itself is short for the provider's id."""
    is_long = isinstance(value, Mapping) and not value.keys() & Value.model_fields.keys()
    return value if value is None or is_long else {"id": value}


class Event(_Closed):
    """One timeline event that a record may give, or one for each item of a list."""

    each: str = ""
    type: WordValue
    when: Conditions = ()
    occurred_at: PathValue
    key: Annotated[tuple[WordValue, ...], BeforeValidator(listed)] = ()
    near: Near | None = None
    scope: Scope = "connection"
    seq: Word = None
    direction: Word = None
    status: Word = None
    subject: Word = None
    snippet: Word = None
    body: Word = None
    visibility: Word = None
    conversation: Annotated[Conversation | None, BeforeValidator(_conversation)] = None
    zone: Word = None
    attributes: dict[str, WordValue] = Field(default_factory=dict)
    participants: tuple[Participant, ...] = ()


class EntityRule(_Closed):
    """What entity a record is; `at` lets the record say it, `default` otherwise."""

    at: Paths = ()
    steps: Steps = Field((), alias="as")
    default: str

    def possible(self) -> list[str]:
        """Return the entities that may come out, the default first."""
        tables = [call.params for call in self.steps if call.name == "enum"]
        named = tables[-1].values() if tables else ()
        return list(dict.fromkeys([self.default, *map(str, named)]))


def _entity_rule(value: Any) -> Any:
    return {"default": value} if isinstance(value, str) else value


class Create(_Closed):
    """When a record may be created in this system."""

    when: Words = ()
    never_when: dict[str, str] = Field(default_factory=dict)


class GoldenTest(_Closed):
    """A payload and what must come out of it."""

    remote: dict[str, Any]
    canonical: dict[str, Any] | None = None
    events: list[dict[str, Any]] | None = None
    drifts: list[str] = Field(default_factory=list)
    zone: str = "UTC"
    region: str = "US"
    roundtrip: bool = False


class Section(_Closed):
    """Everything about the records of one shape."""

    entity: Annotated[EntityRule | None, BeforeValidator(_entity_rule)] = None
    flat: bool = False
    changed_at: Annotated[Value | None, BeforeValidator(path_value)] = None
    identity: tuple[Identity, ...] = ()
    fields: Annotated[
        dict[str, Annotated[FieldRule, BeforeValidator(path_value)]],
        BeforeValidator(without_nulls),
    ] = Field(default_factory=dict)
    links: Annotated[dict[str, LinkRule], BeforeValidator(without_nulls)] = Field(
        default_factory=dict
    )
    events: Annotated[dict[str, Event], BeforeValidator(without_nulls)] = Field(
        default_factory=dict
    )
    create: Create | None = None
    delete: DeletePolicy = "unlink"
    archive: dict[str, str | int | float | bool | None] = Field(default_factory=dict)
    unknown: Literal["keep", "drop", "fail"] = "keep"
    hook: str = Field("", pattern=r"^(?:[A-Za-z_][\w.]*:[A-Za-z_]\w*)?$")
    tests: tuple[GoldenTest, ...] = ()

    @model_validator(mode="after")
    def _paths_parse(self) -> Self:
        if (self.delete == "archive") != bool(self.archive):
            raise ValueError("`delete: archive` and `archive: {path: value}` belong together")
        for path in (*all_paths(self), *self.archive):
            try:
                parse_path(path, flat=self.flat)
            except ValueError as error:
                raise PydanticCustomError(
                    "path", "{reason}", {"reason": str(error), "path": path}
                ) from error
        return self


class Sections(_Closed):
    """The top of a mapping file."""

    version: Literal[1]
    connector: str = Field(min_length=1)
    streams: Annotated[dict[str, Section], BeforeValidator(without_nulls)] = Field(
        default_factory=dict
    )


def all_paths(part: Any) -> list[str]:
    """Return every path that a part of the language reads, in the order of the file."""
    found: list[str] = []
    if isinstance(part, BaseModel):
        if isinstance(part, GoldenTest):
            return []
        if isinstance(part, Participant) and part.each:
            inner = [*part.at, *all_paths(part.name)]
            return [part.each, *(f"{part.each}.{path}" for path in inner if path != ".")]
        if isinstance(part, Event) and part.each:
            # A path starts in the item, or beside the list where the item does not have it.
            outer = all_paths(part.model_copy(update={"each": ""}))
            return [part.each, *outer, *(f"{part.each}.{path}" for path in outer if path != ".")]
        for name in type(part).model_fields:
            value = getattr(part, name)
            if name == "at":
                found += value
            elif name == "steps":
                found += [path for call in value if (path := _path_in_step(call))]
            else:
                found += all_paths(value)
    elif isinstance(part, dict):
        for value in part.values():
            found += all_paths(value)
    elif isinstance(part, tuple) and not isinstance(part, Win):
        for value in part:
            found += all_paths(value)
    return found


def _path_in_step(call: StepCall) -> str:
    is_money = call.name == "money" and isinstance(call.params, dict)
    return str(call.params.get("currency_at", "")) if is_money else ""
