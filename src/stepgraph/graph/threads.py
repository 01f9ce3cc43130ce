"""The threads of a compiled graph: reading and changing their states, going back in them, forgetting cached results."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from typing import Any

from stepgraph.core.caching import words_of
from stepgraph.core.engine import Engine
from stepgraph.core.errors import EmptyInputError
from stepgraph.core.types import MISSING, Command, StateSnapshot, StateUpdate
from stepgraph.graph.described import Described
from stepgraph.graph.snapshots import config_for, empty, snapshot, snapshots, successor
from stepgraph.graph.updates import COPY, update_flow
from stepgraph.run.config import check, merged
from stepgraph.run.sync import SyncDriver

ROOT_ONLY_LENT = "checkpointer=True cannot be used for root graphs: it is for subgraphs with their own history."


class Threads(Described):
    """The part of a compiled graph that reads and changes what its runs have stored."""

    checkpointer: Any
    saver: Any
    cache: Any
    engine: Callable[..., Engine]
    invoke: Callable[..., Any]
    ainvoke: Callable[..., Any]

    def get_state(
        self, config: Mapping[str, Any] | None = None, *, thread: str | None = None, subgraphs: bool = False
    ) -> StateSnapshot:
        """The thread's state: live, or with a checkpoint_id in `config` the record of that step."""
        settings = self._merged(config, thread)
        engine = self.engine(None, settings, reading=True)
        saver = self._saver(engine)
        explicit = "checkpoint_id" in (settings.get("configurable") or {})
        stored = saver.load(engine.request.thread, engine.scope.ns_text, engine.request.checkpoint)
        if stored is None:
            return empty(settings)
        after = successor(saver, stored) if explicit and engine.keeper is None else None
        return snapshot(engine, stored, live=not explicit, after=after, saver=saver if subgraphs else None)

    async def aget_state(self, config: Mapping[str, Any] | None = None, **options: Any) -> StateSnapshot:
        """As `get_state`. None of the async forms calls a sync one that was replaced, which may call it in its turn."""
        shown: StateSnapshot = await self._read(lambda: Threads.get_state(self, config, **options))
        return shown

    def get_state_history(
        self,
        config: Mapping[str, Any] | None = None,
        *,
        thread: str | None = None,
        filter: Mapping[str, Any] | None = None,
        before: Mapping[str, Any] | None = None,
        limit: int | None = None,
        values: bool = True,
        subgraphs: bool = False,
    ) -> Iterator[StateSnapshot]:
        """The thread's snapshots, newest first.

        `filter` compares metadata, `before` is a config with a checkpoint_id. Without `values` no state is loaded and
        all are shown empty, so long histories are listed quickly. With `subgraphs` each task has the state of the graph
        that it ran, also of one that has ended.
        """
        settings = self._merged(config, thread)
        engine = self.engine(None, settings, reading=True)
        saver = self._saver(engine)
        first = _checked(filter, before)
        if limit is not None and limit <= 0:
            return
        if engine.request.checkpoint is not None:
            shown = Threads.get_state(self, settings, subgraphs=subgraphs)
            known = shown.metadata
            if known is None or (first is not None and engine.request.checkpoint >= first):
                return
            if all(known.get(key) == value for key, value in (filter or {}).items()):
                yield shown
            return
        yield from snapshots(engine, saver, first, limit, wanted=filter or {}, values=values, subgraphs=subgraphs)

    async def aget_state_history(
        self, config: Mapping[str, Any] | None = None, **options: Any
    ) -> AsyncIterator[StateSnapshot]:
        """As `get_state_history`."""
        for shown in await self._read(lambda: list(Threads.get_state_history(self, config, **options))):
            yield shown

    def update_state(
        self,
        config: Mapping[str, Any],
        values: Any,
        as_node: str | None = None,
        task_id: str | None = None,
        *,
        thread: str | None = None,
    ) -> dict[str, Any]:
        """Write `values` as if `as_node` (default: the last to run) had returned them; returns the new config."""
        return self.bulk_update_state(config, [[StateUpdate(values, as_node, task_id)]], thread=thread)

    async def aupdate_state(
        self,
        config: Mapping[str, Any],
        values: Any,
        as_node: str | None = None,
        task_id: str | None = None,
        **options: Any,
    ) -> dict[str, Any]:
        """As `update_state`."""
        return await self.abulk_update_state(config, [[StateUpdate(values, as_node, task_id)]], **options)

    def bulk_update_state(
        self, config: Mapping[str, Any], supersteps: Sequence[Sequence[StateUpdate]], *, thread: str | None = None
    ) -> dict[str, Any]:
        """Apply several updates, one list a superstep, each a checkpoint; returns the last one's config."""
        if not supersteps:
            raise ValueError("No supersteps provided")
        if any(not updates for updates in supersteps):
            raise ValueError("No updates provided")
        engine = self.engine(None, self._merged(config, thread), reading=True, strict=True)
        self._saver(engine)
        flow = update_flow(engine, supersteps)
        checkpoint = _loops().run_here(flow) if self.has_async else SyncDriver().run(flow)
        parents = engine.request.metadata.get("parents")
        return config_for(engine.request.thread or "", engine.scope.ns_text, checkpoint, parents)

    async def abulk_update_state(
        self, config: Mapping[str, Any], supersteps: Sequence[Sequence[StateUpdate]], **options: Any
    ) -> dict[str, Any]:
        """As `bulk_update_state`."""
        updated: dict[str, Any] = await _loops().to_thread(
            lambda: Threads.bulk_update_state(self, config, supersteps, **options)
        )
        return updated

    def resume(self, answer: Any = MISSING, config: Mapping[str, Any] | None = None, **options: Any) -> Any:
        """Go on where the thread waits: with `answer` to its question, or after a breakpoint without one.

        `answer` is one value, or a mapping from interrupt ids to answers. `options` are those of `invoke`. Raises
        EmptyInputError for an answer to a thread that has ended, or that there is none of.
        """
        if answer is MISSING:
            return self.invoke(None, config, **options)
        _check_waits(self.get_state(config, thread=options.get("thread")))
        return self.invoke(Command(resume=answer), config, **options)

    async def aresume(self, answer: Any = MISSING, config: Mapping[str, Any] | None = None, **options: Any) -> Any:
        """As `resume`."""
        if answer is MISSING:
            return await self.ainvoke(None, config, **options)
        _check_waits(await self.aget_state(config, thread=options.get("thread")))
        return await self.ainvoke(Command(resume=answer), config, **options)

    def replay(self, config: Mapping[str, Any], **options: Any) -> Any:
        """Run again what came after a checkpoint, as a new branch of its thread; `config` is a snapshot's.

        A checkpoint inside a subgraph is taken up there: only what came after it runs.
        """
        return self.invoke(None, _addressed(config, "replay"), **options)

    async def areplay(self, config: Mapping[str, Any], **options: Any) -> Any:
        """As `replay`."""
        return await self.ainvoke(None, _addressed(config, "replay"), **options)

    def fork(self, config: Mapping[str, Any], values: Any = None, as_node: str | None = None) -> dict[str, Any]:
        """Begin a branch at a checkpoint: a copy of it, or what an update of it makes. Nothing runs.

        Returns the config to go on with: `invoke(None, config)`.
        """
        config = _addressed(config, "fork")
        if values is None and as_node is None:
            return self.update_state(config, None, COPY)
        return self.update_state(config, values, as_node)

    async def afork(self, config: Mapping[str, Any], values: Any = None, as_node: str | None = None) -> dict[str, Any]:
        """As `fork`."""
        made: dict[str, Any] = await _loops().to_thread(lambda: self.fork(config, values, as_node))
        return made

    def clear_cache(self, nodes: Sequence[str] | None = None) -> None:
        """Forget the cached results of these nodes, or of all. Raises ValueError without a cache."""
        self._cache().clear(self._cache_namespaces(nodes))

    async def aclear_cache(self, nodes: Sequence[str] | None = None) -> None:
        """As `clear_cache`."""
        await self._cache().aclear(self._cache_namespaces(nodes))

    def _cache(self) -> Any:
        if not self.cache:
            raise ValueError("No cache is set for this graph. Cannot clear cache.")
        return self.cache

    def _cache_namespaces(self, nodes: Sequence[str] | None) -> list[tuple[str, ...]]:
        asked = [node for name, node in self.plan.nodes.items() if not nodes or name in nodes]
        words = words_of(self.cache)
        return [words.namespace(node) for node in asked if node.cache is not None]

    def _merged(self, config: Mapping[str, Any] | None, thread: str | None) -> dict[str, Any]:
        try:
            settings = merged(self.config, config or {}) if self.config or config else {}
        except (AttributeError, TypeError) as error:
            if isinstance(config, Mapping):
                check(config)
                raise
            raise AttributeError(
                f'A config is a dict, e.g. {{"configurable": {{"thread_id": "t1"}}}}, and not {config!r}; '
                "for a thread alone, write `thread=`."
            ) from error
        if thread is not None:
            settings["configurable"] = {**(settings.get("configurable") or {}), "thread_id": thread}
        return settings

    async def _read(self, read: Callable[[], Any]) -> Any:
        """What it gives: at once where the checkpointer has all in memory, so that a running run gets no further."""
        if getattr(self.saver, "in_memory", False) or getattr(self.saver, "at_once", False):
            return _loops().on_this_thread(read)
        return await _loops().to_thread(read)

    def _saver(self, engine: Engine) -> Any:
        saver = engine.request.checkpointer
        if saver is None and self.checkpointer is True:
            raise RuntimeError(ROOT_ONLY_LENT)
        if saver is None:
            raise ValueError(
                'No checkpointer set: compile the graph with one, e.g. compile(checkpointer="sqlite:///runs.db").'
            )
        return saver


def _checked(filter: Any, before: Any) -> Any:
    """The checkpoint id of `before`. Raises AttributeError and TypeError, as LangGraph does, for what are no dicts."""
    if filter is not None and not isinstance(filter, Mapping):
        raise AttributeError(f'`filter` is a dict of metadata, e.g. {{"source": "loop"}}, and not {filter!r}.')
    if before is not None and not isinstance(before, Mapping):
        raise TypeError(f"`before` is the config of a snapshot, and not {before!r}.")
    return ((before or {}).get("configurable") or {}).get("checkpoint_id")


def _check_waits(state: StateSnapshot) -> None:
    if not state.next and not state.interrupts:
        thread = state.config["configurable"]["thread_id"]
        how = "there is no such thread" if state.metadata is None else "it has ended"
        raise EmptyInputError(
            f"Nothing waits for an answer on thread {thread!r}: {how}. `get_state` tells what waits; "
            "`invoke` takes new input."
        )


def _addressed(config: Mapping[str, Any], verb: str) -> Mapping[str, Any]:
    if not (config.get("configurable") or {}).get("checkpoint_id"):
        raise ValueError(
            f"{verb}() needs the config of a checkpoint, with a checkpoint_id: take it from a snapshot, e.g. "
            "`next(graph.get_state_history(thread=...)).config`."
        )
    return config


def _loops() -> Any:
    """`stepgraph.graph.loops`, imported on first use: asyncio takes a quarter of the import time."""
    from stepgraph.graph import loops

    return loops
