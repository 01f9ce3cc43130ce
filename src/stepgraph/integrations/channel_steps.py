"""Runnables that read and write the state of the graph whose node runs them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from langchain_core.runnables import RunnableConfig

from stepgraph.core.errors import InvalidUpdateError
from stepgraph.core.types import Send
from stepgraph.graph.pregel_node import PASSTHROUGH, TASKS, ChannelWriteEntry, ChannelWriteTupleEntry, Entry, pairs_of
from stepgraph.integrations.runnables import RunnableCallable

R = TypeVar("R")


class ChannelRead(RunnableCallable):
    """Gives the values of one or several state keys, with `fresh` those with the node's own writes."""

    fresh: bool = False
    mapper: Callable[[Any], Any] | None = None

    def __init__(
        self,
        channel: str | list[str],
        *,
        fresh: bool = False,
        mapper: Callable[[Any], Any] | None = None,
        tags: list[str] | None = None,
    ) -> None:
        super().__init__(self._read, self._aread, tags=tags, trace=False)
        self.channel, self.fresh, self.mapper = channel, fresh, mapper

    def get_name(self, suffix: str | None = None, *, name: str | None = None) -> str:
        keys = [self.channel] if isinstance(self.channel, str) else self.channel
        return super().get_name(suffix, name=name or f"ChannelRead<{','.join(keys)}>")

    def _read(self, _: Any, config: RunnableConfig) -> Any:
        return self.do_read(config, select=self.channel, fresh=self.fresh, mapper=self.mapper)

    async def _aread(self, _: Any, config: RunnableConfig) -> Any:
        return self._read(_, config)

    @staticmethod
    def do_read(
        config: Mapping[str, Any],
        *,
        select: str | list[str],
        fresh: bool = False,
        mapper: Callable[[Any], Any] | None = None,
    ) -> Any:
        """Read with a node's config. Raises RuntimeError for another one."""
        read = (config.get("configurable") or {}).get("__pregel_read")
        if read is None:
            raise RuntimeError(
                "Not configured with a read function: state is read in a node, with the config that it is given."
            )
        found = read(select, fresh)
        return found if mapper is None else mapper(found)


class ChannelWrite(RunnableCallable):
    """Writes to state keys and passes its input on."""

    def __init__(self, writes: Sequence[Entry], *, tags: Sequence[str] | None = None) -> None:
        super().__init__(self._write, self._awrite, tags=tags, trace=False)
        self.writes = list(writes)

    def get_name(self, suffix: str | None = None, *, name: str | None = None) -> str:
        return super().get_name(suffix, name=name or f"ChannelWrite<{','.join(map(_shown, self.writes))}>")

    def _write(self, input: Any, config: RunnableConfig) -> Any:
        self.do_write(config, [_given(write, input) for write in self.writes])
        return input

    async def _awrite(self, input: Any, config: RunnableConfig) -> Any:
        return self._write(input, config)

    @staticmethod
    def do_write(config: Mapping[str, Any], writes: Sequence[Entry], allow_passthrough: bool = True) -> None:
        """Write with a node's config. Raises InvalidUpdateError for what can't be written so."""
        found: list[tuple[str, Any]] = []
        for write in writes:
            if isinstance(write, Send):
                found.append((TASKS, write))
                continue
            if isinstance(write, ChannelWriteEntry) and write.channel == TASKS:
                raise InvalidUpdateError("Cannot write to the reserved channel TASKS")
            if write.value is PASSTHROUGH and not allow_passthrough:
                raise InvalidUpdateError("PASSTHROUGH value must be replaced")
            found.extend(pairs_of(write, PASSTHROUGH))
        config["configurable"]["__pregel_send"](found)

    @staticmethod
    def is_writer(runnable: Any) -> bool:
        """Whether it is one of these, or was registered as one."""
        return isinstance(runnable, ChannelWrite) or hasattr(runnable, _REGISTERED)

    @staticmethod
    def register_writer(runnable: R, static: Sequence[tuple[Entry, str | None]] | None = None) -> R:
        """Let a Runnable count as a writer; `static` says what it may write, with labels for drawings."""
        object.__setattr__(runnable, _REGISTERED, static)  # models refuse new attributes
        return runnable

    @staticmethod
    def get_static_writes(runnable: Any) -> Sequence[tuple[str, Any, str | None]] | None:
        """The (key, value, label) writes that a writer may make, as it says itself; None for none."""
        if isinstance(runnable, ChannelWrite):
            entries = (each for each in runnable.writes if isinstance(each, ChannelWriteTupleEntry))
            return [write for each in entries for write in each.static or ()] or None
        declared = getattr(runnable, _REGISTERED, None)
        return (
            [(*pair, label) for entry, label in declared for pair in pairs_of(entry, PASSTHROUGH)] if declared else None
        )


_REGISTERED = "_is_channel_writer"


def _shown(write: Entry) -> str:
    if isinstance(write, ChannelWriteEntry):
        return write.channel
    return write.node if isinstance(write, Send) else "..."


def _given(write: Entry, value: Any) -> Entry:
    """The write of `value`, where it passes on what it gets."""
    if not isinstance(write, Send) and write.value is PASSTHROUGH:
        return write._replace(value=value)
    return write
