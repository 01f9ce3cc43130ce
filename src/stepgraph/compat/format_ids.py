"""Ids as LangGraph makes them: of tasks and questions (hashes, the same in every process) and of checkpoints."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha1
from importlib.metadata import PackageNotFoundError, version
from typing import Any
from uuid import UUID, uuid5

from stepgraph.compat.format import INTERRUPT, VERSION
from stepgraph.core.checkpoint import PULL, PUSH
from stepgraph.core.task import digest
from stepgraph.run.ids import own_prefix

try:
    from xxhash import xxh3_128_hexdigest
except ImportError as error:
    with suppress(PackageNotFoundError):
        version("langgraph-checkpoint")
        raise ImportError(
            "Threads in LangGraph's format need the package xxhash: pip install 'stepgraph[compat]'."
        ) from error
    xxh3_128_hexdigest = digest  # type: ignore[assignment]  # nothing of LangGraph's is here, so nobody compares


def first_version(checkpoint: Mapping[str, Any]) -> bool:
    """Whether a checkpoint is of the first version of the format: `old`, which had another hash."""
    return bool(checkpoint.get("v", VERSION) < 2)


def task_id(
    checkpoint: str, ns: str, step: int, name: str, triggers: tuple[str, ...], key: int, old: bool = False
) -> str:
    """The id of a task planned from a checkpoint: `key` is -1 for one that edges made, else the place of its Send."""
    what = (PULL, *sorted(triggers)) if key < 0 else (PUSH, str(key))
    return _hashed(checkpoint, ns, step, name, *what, old=old)


def call_id(checkpoint: str, around: str, step: int, name: str, caller: Any, count: int, old: bool = False) -> str:
    """The id of a function that a task calls: `around` is that task's namespace, `caller` its path."""
    return _hashed(checkpoint, around, step, name, PUSH, path_text(caller), str(count), old=old)


def edit_id(checkpoint: str, place: int) -> str:
    """The id of an edit that stands for no planned task."""
    return str(uuid5(UUID(checkpoint), f"{INTERRUPT}:{place}" if place else INTERRUPT))


def handler_id(checkpoint: str, ns: str, step: int, name: str, failed: str, old: bool = False) -> str:
    """The id of an error handler that runs in place of a failed task."""
    return _hashed(checkpoint, ns, step, name, PUSH, "node_error_handler", failed, old=old)


def _hashed(checkpoint: str, ns: str, step: int, name: str, *what: str, old: bool) -> str:
    text = "".join((f"{ns}|{name}" if ns else name, str(step), name, *what))
    content = bytes.fromhex(checkpoint.replace("-", "")) + text.encode()
    digits = sha1(content, usedforsecurity=False).hexdigest() if old else xxh3_128_hexdigest(content)
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:32]}"


def interrupt_id(ns: str, slot: int) -> str:
    """The id of the `slot`-th question (from 0) of the task whose namespace is `ns`."""
    return digits_of((f"{ns}|{slot}" if slot else ns).encode())


def digits_of(content: bytes) -> str:
    """What stands for a cached input, and for a question."""
    digits: str = xxh3_128_hexdigest(content)
    return digits


def path_text(path: Any) -> str:
    """A task path as savers sort by it."""
    if isinstance(path, (tuple, list)):
        return "~" + ", ".join(path_text(each) for each in path)
    return f"{path:010d}" if isinstance(path, int) else str(path)


def checkpoint_id() -> str:
    """A version 6 UUID: sorts after all that were made before in this process, and by time among all."""
    return f"{own_prefix()}{secrets.randbits(48):012x}"
