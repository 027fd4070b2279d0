"""The environment variables that settings read, each with its type, default and range.

A wrong value is collected, and the default is used until `refuse_wrong_values` names all of them at once.
"""

import builtins
import math
from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

_YES, _NO = ("1", "true", "yes", "on"), ("0", "false", "no", "off")
_DATABASES = ("postgres", "postgresql", "pgsql", "psql", "sqlite")
_Value = TypeVar("_Value")


@dataclass(frozen=True)
class Variable:
    """A variable that the settings read."""

    name: builtins.str
    default: Any
    accepts: builtins.str
    """What values it can have, such as `1 to 100`; empty for any text."""


class Variables(environ.Env):
    """The environment. Each method returns the value of a variable, or the default if it is not set.

    An empty value is a text, and otherwise means that the variable is not set.
    """

    def __init__(self, environment: MutableMapping[builtins.str, builtins.str]) -> None:
        super().__init__()
        self.environment = environment
        self.variables: dict[builtins.str, Variable] = {}
        self.wrong: dict[builtins.str, builtins.str] = {}

    def str(self, var: builtins.str, default: builtins.str = "", one_of: Sequence[builtins.str] = ()) -> Any:
        """Return a text, which must be one of `one_of` if that is given."""

        def parse(text: builtins.str) -> builtins.str:
            if one_of and text not in one_of:
                raise ValueError
            return text

        self._add(var, default, ", ".join(one_of))
        if one_of:
            return self._read(var, default, parse)
        return self.environment.get(var, default)

    def bool(self, var: builtins.str, default: builtins.bool = False) -> builtins.bool:
        """Return True or False."""

        def parse(text: builtins.str) -> builtins.bool:
            if text.lower() not in _YES + _NO:
                raise ValueError
            return text.lower() in _YES

        self._add(var, default, "1 or 0")
        return self._read(var, default, parse)

    def int(
        self,
        var: builtins.str,
        default: builtins.int = 0,
        at_least: builtins.int = 0,
        at_most: builtins.int | None = None,
    ) -> builtins.int:
        """Return a whole number in a range."""

        def parse(text: builtins.str) -> builtins.int:
            return _in_range(builtins.int(text), at_least, at_most)

        self._add(var, default, f"a whole number, {_range(at_least, at_most)}")
        return self._read(var, default, parse)

    def float(
        self,
        var: builtins.str,
        default: builtins.float = 0.0,
        at_least: builtins.float = 0,
        at_most: builtins.float | None = None,
    ) -> builtins.float:
        """Return a number in a range."""

        def parse(text: builtins.str) -> builtins.float:
            return _in_range(builtins.float(text), at_least, at_most)

        self._add(var, default, f"a number, {_range(at_least, at_most)}")
        return self._read(var, default, parse)

    def list(self, var: builtins.str, default: Sequence[builtins.str] = ()) -> builtins.list[builtins.str]:
        """Return texts that are separated by commas."""
        self._add(var, list(default), "texts, separated by commas")
        parts = self.environment.get(var, ",".join(default)).split(",")
        return [part.strip() for part in parts if part.strip()]

    def db(self, var: builtins.str, default: builtins.str = "") -> dict[builtins.str, Any]:
        """Return the settings of a database from its address, which is never quoted: it has a password."""
        accepts = "an address that begins with postgres:// or sqlite:///"
        self._add(var, default, accepts)
        address = self.environment.get(var) or default
        try:
            if urlsplit(address).scheme not in _DATABASES:
                raise ValueError
            return dict(self.db_url_config(address))
        except ValueError:
            self.wrong[var] = f"{var} cannot be read: use {accepts}, and percent-encode its password."
            return dict(self.db_url_config(default))

    def refuse_wrong_values(self) -> None:
        """Raise `ImproperlyConfigured` with a line for each wrong value, if there is one."""
        if self.wrong:
            raise ImproperlyConfigured("\n".join(self.wrong.values()))

    def _add(self, name: builtins.str, default: Any, accepts: builtins.str) -> None:
        self.variables[name] = Variable(name, default, accepts)

    def _read(self, name: builtins.str, default: _Value, parse: Callable[[builtins.str], _Value]) -> _Value:
        text = self.environment.get(name, "").strip()
        if not text:
            return default
        try:
            return parse(text)
        except ValueError:
            self.wrong[name] = f"{name}={text}: use {self.variables[name].accepts}."
            return default


_Number = TypeVar("_Number", int, float)


def _in_range(number: _Number, at_least: float, at_most: float | None) -> _Number:
    if not (at_least <= number <= (math.inf if at_most is None else at_most)) or math.isinf(number):
        raise ValueError
    return number


def _range(at_least: float, at_most: float | None) -> str:
    return f"{at_least:g} or more" if at_most is None else f"{at_least:g} to {at_most:g}"
