"""Pages of a list that may change between two calls."""

from collections.abc import Callable, Iterable
from typing import TypeVar

Item = TypeVar("Item")


def page(
    items: Iterable[Item], key: Callable[[Item], str], token: str | None, size: int | None
) -> tuple[list[Item], str | None]:
    """One page, and the token of the next if there is one. A token is the last key shown, so that what comes or goes
    between two pages neither hides nor repeats anything else."""
    rest = sorted((item for item in items if key(item) > (token or "")), key=key)
    if size is None or len(rest) <= size:
        return rest, None
    return rest[:size], key(rest[size - 1])
