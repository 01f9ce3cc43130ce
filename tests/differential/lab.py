"""Where a program runs: it builds its graph with one engine's words, and whatever that engine shows is written down."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tests.differential.deviations import DEVIATIONS
from tests.differential.engines import AsyncSqlite, Calls, Engine, Saver, as_async
from tests.differential.plain import ANSWER_ID, OUR_OWN, Labels, debug, namespace, once, plain, snapshot

MODES = ["values", "updates", "debug", "custom"]
STEP = object()
"""Stands among updates where a values chunk came."""


class Lab:
    """One program on one engine, called in one way, with one checkpointer.

    `record` is what was seen, in a form that can be compared: a list of (what, details).
    """

    def __init__(self, engine: Engine, calls: Calls, saver: Any, *, quiet: bool = False) -> None:
        self.engine = engine
        self.calls = calls
        self.checkpointer = saver
        self.record: list[tuple[str, Any]] = []
        self.app: Any = None
        self.labels = Labels()
        self.quiet = quiet
        """Nobody listens: runs give their result only, and take the engine's short ways."""
        self.pending: tuple[Any, ...] = ()
        """The interrupts of the last run."""
        self.error: BaseException | None = None
        """What the last run raised."""
        self.waits = False
        """Whether the thread had something to run when its state was last read."""
        self.only_results = False
        """Compare nothing but results and error classes: what else happens beside a failure depends on timing."""
        self.racy: tuple[str, ...] = ()
        """Classes of errors that may cancel a sibling: where it was then depends on timing."""
        self.thread = "t"
        self.durability: str | None = None
        """How stepgraph stores where a call does not say it."""
        self.without_history: str | None = None
        """Why LangGraph's history is not compared: a key of DEVIATIONS."""
        self._loop = asyncio.new_event_loop() if calls != "sync" else None

    def close(self) -> None:
        if self._loop is not None:
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            self._loop.close()

    def wait(self, awaitable: Any) -> Any:
        """What an awaitable gives, on the loop that the lab's calls run on."""
        assert self._loop is not None
        return self._loop.run_until_complete(awaitable)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.engine, name)

    @property
    def saved(self) -> bool:
        return self.checkpointer is not None

    def graph(self, *args: Any, **kwargs: Any) -> Any:
        """A StateGraph whose nodes become coroutine functions when the lab asks for that."""
        builder = self.engine.StateGraph(*args, **kwargs)
        if self.calls == "async nodes":
            add = builder.add_node

            def add_node(node: Any, action: Any = None, **options: Any) -> Any:
                if action is None:
                    node, action = getattr(node, "__name__", None) or node, node
                add(node, as_async(action), **options)
                return builder

            builder.add_node = add_node
        return builder

    def compile(self, builder: Any, **options: Any) -> Any:
        """Compile the program's outermost graph."""
        self.app = builder.compile(checkpointer=self.checkpointer, **options)
        return self.app

    def note(self, what: str, details: Any) -> None:
        """Write down something that the program itself observed."""
        self.record.append((what, plain(details)))

    # Running

    @property
    def config(self) -> dict[str, Any]:
        return {"configurable": {"thread_id": self.thread}}

    def run(
        self, input: Any, config: Mapping[str, Any] | None = None, *, deviates: str | None = None, **options: Any
    ) -> None:
        """Run to the end, a pause or an error, and write down every chunk, the error and the state afterwards.

        `deviates` names the reason (a key of DEVIATIONS) why only the error's class is compared.
        """
        settings = {**self.config, **(config or {})}
        if self.quiet:
            self._finish_quietly(f"run {plain(input)!r}", input, settings, options)
            return
        chunks, error = self._drain(input, settings, options)
        found = self._sorted(chunks)
        if options.get("durability") == "exit":
            _drop_parents(found)
        if self.only_results or type(error).__name__ in self.racy:
            self.error = error
            values = None if error is not None else found.get("values", [[None]])[0][-1]
            self.record.append((f"run {plain(input)!r}", type(error).__name__ if error is not None else values))
            self.state()
            return
        if deviates is not None:
            assert DEVIATIONS[deviates]
            self.record.append((f"run {plain(input)!r}", type(error).__name__))
            return
        found["error"] = None if error is None else type(error).__name__
        self.record.append((f"run {plain(input)!r}", found))
        self.error = error
        self.state()

    def _finish_quietly(self, what: str, input: Any, config: Any, options: Any) -> None:
        result, error = self._result(input, config, options)
        self.error = error
        if error is None:
            asked = result.get("__interrupt__", ()) if isinstance(result, dict) else ()
            self.pending = tuple(sorted(once(asked), key=repr))
            if asked:
                result["__interrupt__"] = sorted(once(asked), key=lambda each: repr(each.value))
        self.record.append((what, plain(result) if error is None else ("raised", type(error).__name__)))
        if not isinstance(error, ValidationError):
            self.state()

    def _result(self, input: Any, config: Any, options: Any) -> tuple[Any, BaseException | None]:
        options = {**self._durable(), **options}
        try:
            if self._loop is None:
                return self.app.invoke(input, config, **options), None
            return self._loop.run_until_complete(self.app.ainvoke(input, config, **options)), None
        except Exception as error:  # whatever a program's run raises is what is compared
            return None, error

    def _durable(self) -> dict[str, Any]:
        """LangGraph encodes half-filled joins in the background, while the next superstep fills them; not so here."""
        if not self.saved or (self.engine.name != "langgraph" and self.durability is None):
            return {}
        return {"durability": "sync" if self.engine.name == "langgraph" else self.durability}

    def _drain(self, input: Any, config: Any, options: Any) -> tuple[list[Any], BaseException | None]:
        chunks: list[Any] = []
        options = {"stream_mode": MODES, "subgraphs": True, **self._durable(), **options}
        try:
            if self._loop is None:
                for chunk in self.app.stream(input, config, **options):
                    chunks.append(chunk)
            else:
                self._loop.run_until_complete(self._adrain(chunks, input, config, options))
        except Exception as error:  # whatever a program's run raises is what is compared
            return chunks, error
        return chunks, None

    async def _adrain(self, chunks: list[Any], input: Any, config: Any, options: Any) -> None:
        async for chunk in self.app.astream(input, config, **options):
            chunks.append(chunk)

    def _sorted(self, chunks: list[Any]) -> dict[str, Any]:
        """Streams by mode and namespace; parallel tasks' chunks in no order, so that finishing order does not count."""
        streams: dict[tuple[str, tuple[str, ...]], list[Any]] = {}
        for ns, mode, payload in chunks:
            stream = streams.setdefault((mode, ns), [])
            match mode:
                case "values" if isinstance(payload, dict) and "__interrupt__" in payload:
                    _insert(stream, plain(payload))
                case "values":
                    stream.append(plain(payload))
                    for told in ("updates", "custom"):
                        streams.setdefault((told, ns), []).append(STEP)
                case "debug":
                    stream.append(debug(payload, self.labels))
                case _:
                    stream.append(plain(payload))
        self.pending = self.pending if not chunks else once(
            asked for ns, mode, payload in chunks if mode == "updates" and not ns and isinstance(payload, dict)
            for asked in payload.get("__interrupt__", ())
        )  # fmt: skip
        for ns in {ns for mode, ns in streams if mode == "updates" and self.engine.name == "langgraph"}:
            streams["updates", ns] = _without_failed(streams["updates", ns], streams.get(("debug", ns), []))
        found: dict[str, Any] = {}
        for (mode, ns), stream in streams.items():
            grouped = mode in ("updates", "custom")
            ordered = _by_step(stream) if mode == "debug" else _between_steps(stream) if grouped else stream
            found.setdefault(f"{mode} {namespace(ns)}".strip(), []).append(ordered)
        return {where: sorted(each, key=repr) for where, each in found.items() if any(each)}

    def chunks(self, input: Any, config: Mapping[str, Any] | None = None, **options: Any) -> None:
        """Run and write down every chunk as it came, in its order: for graphs whose tasks run one at a time."""
        self.pending = ()
        found, self.error = self._drain(input, {**self.config, **(config or {})}, {"subgraphs": False, **options})
        shown = str(options.get("stream_mode")), options.get("subgraphs", False), options.get("version", "v1")
        self.record.append((f"chunks {plain(input)!r} {shown}", [_timeless(plain(each)) for each in found]))
        if self.error is not None:
            self.record.append(("error", type(self.error).__name__))

    def events(self, input: Any, config: Any, what: str = "events", **options: Any) -> Any:
        """What version 3's stream tells: its events, values, lifecycle or subgraphs; its output and questions.

        The class of its error, where it raises one.
        """
        options = {**self._durable(), **options, "version": "v3"}
        try:
            if self._loop is None:
                run = self.app.stream_events(input, config, **options)
                found = self._told(run, what), run.output, run.interrupted, [each.value for each in run.interrupts]
            else:
                found = self._loop.run_until_complete(self._aevents(input, config, what, options))
        except Exception as error:  # whatever a program's run raises is what is compared
            self.error = error
            return type(error).__name__
        self.error = None
        return found

    def _told(self, run: Any, what: str) -> list[Any]:
        match what:
            case "events":
                return [_told(each) for each in run]
            case "subgraphs":
                return [(namespace(each.path), list(each.values), each.output) for each in run.subgraphs]
            case _:
                return [_timeless(plain(each)) for each in getattr(run, what)]

    async def _aevents(self, input: Any, config: Any, what: str, options: Any) -> Any:
        run = await self.app.astream_events(input, config, **options)
        told: list[Any] = []
        match what:
            case "events":
                told += [_told(each) async for each in run]
            case "subgraphs":
                async for each in run.subgraphs:
                    told.append((namespace(each.path), [value async for value in each.values], await each.output()))
            case _:
                told += [_timeless(plain(each)) async for each in getattr(run, what)]
        return told, await run.output(), await run.interrupted(), [each.value for each in await run.interrupts()]

    def invoke(self, input: Any, config: Mapping[str, Any] | None = None, **options: Any) -> Any:
        """Run for the result only, and write it down."""
        result, self.error = self._result(input, {**self.config, **(config or {})}, options)
        shown = plain(result) if self.error is None else ("raised", type(self.error).__name__)
        self.record.append((f"invoke {plain(input)!r}", shown))
        return result

    def resume(self, answer: Any = None, **options: Any) -> None:
        """Answer the one pending interrupt."""
        self.run(self.engine.Command(resume=answer), **options)

    def answer(
        self, choose: Callable[[Any], Any], count: int | None = None, config: Mapping[str, Any] | None = None
    ) -> None:
        """Answer the first `count` pending interrupts by their ids: `choose(value)` gives each answer."""
        asked = sorted(self.pending, key=lambda each: repr(each.value))[:count]
        ids = [each.id for each in asked]
        assert len(set(ids)) == len(ids), f"interrupt ids are not unique: {self.pending}"
        answers = {each.id: choose(each.value) for each in asked}
        self.run(self.engine.Command(resume=answers), config)

    # State

    def state(self, config: Mapping[str, Any] | None = None, **options: Any) -> Any:
        """Write down what get_state shows."""
        if not self.saved or type(self.error).__name__ in ("InvalidUpdateError", *self.racy):
            return None  # the former: DEVIATIONS["defects"]
        shown = self._call("get_state", dict(config or self.config), **options)
        self.waits = bool(shown.next)
        if config is None:
            self.pending = once(shown.interrupts)  # in the order of tasks, which chunks do not have
        if self.only_results:
            return shown
        self.record.append(("state", snapshot(shown, self.labels)))
        return shown

    def states(self, config: Mapping[str, Any] | None = None, **options: Any) -> list[Any]:
        """What get_state_history shows, newest first."""
        if not self.saved:
            return []
        if self._loop is None:
            return list(self.app.get_state_history(dict(config or self.config), **options))
        return self._loop.run_until_complete(self._history(dict(config or self.config), options))

    async def _history(self, config: Any, options: Any) -> list[Any]:
        return [shown async for shown in self.app.aget_state_history(config, **options)]

    def history(self, config: Mapping[str, Any] | None = None, **options: Any) -> None:
        """Write down what get_state_history shows, oldest first."""
        if self.saved:
            found = self.states(config, **options)
            self.record.append(("history", [snapshot(shown, self.labels) for shown in reversed(found)]))

    def at(self, step: int, source: str | None = None) -> dict[str, Any]:
        """The config of the newest checkpoint of that step."""
        for shown in self.states():
            if shown.metadata["step"] == step and source in (None, shown.metadata["source"]):
                return dict(shown.config)
        raise LookupError(f"no checkpoint of step {step} on {self.engine.name}: {self.record[-1]}")

    def update(self, values: Any, as_node: str | None = None, config: Mapping[str, Any] | None = None) -> Any:
        """update_state, written down with the state afterwards; returns the new config."""
        if not self.saved:
            return None
        try:
            made = self._call("update_state", dict(config or self.config), values, as_node)
        except Exception as error:  # whatever it raises is what is compared
            self.error = error
            self.record.append(("update", ("raised", type(error).__name__, "Ambiguous" in str(error))))
            return None
        self.error = None
        self.record.append(("update", plain(values)))
        self.state()
        return made

    def bulk(self, supersteps: Any, config: Mapping[str, Any] | None = None) -> None:
        """bulk_update_state of lists of (values, as_node), written down with the state afterwards."""
        given = [[self.engine.StateUpdate(*update) for update in updates] for updates in supersteps]
        try:
            self._call("bulk_update_state", dict(config or self.config), given)
        except Exception as error:  # whatever it raises is what is compared
            self.error = error
            self.record.append(("bulk", ("raised", type(error).__name__)))
            return
        self.error = None
        self.record.append(("bulk", plain(supersteps)))
        self.state()

    def _call(self, method: str, *args: Any, **options: Any) -> Any:
        if self._loop is None:
            return getattr(self.app, method)(*args, **options)
        return self._loop.run_until_complete(getattr(self.app, f"a{method}")(*args, **options))

    def finish(self) -> None:
        """The last word: the whole history."""
        if self.only_results and self.without_history is None:
            shown = self._call("get_state", self.config) if self.saved else None
            self.record.append(("final", shown and (plain(shown.values), list(shown.next))))
        elif self.without_history is None:
            self.history()
        else:
            assert DEVIATIONS[self.without_history]


TIMES = ("timestamp", "counters_since_delta_snapshot")
"""What chunks have and is not compared."""


def _told(event: Mapping[str, Any]) -> Any:
    """An event of version 3 without its time."""
    body = event["params"]
    asked = [each.value for each in body.get("interrupts", ())]
    return event["seq"], event["method"], namespace(body["namespace"]), _timeless(plain(body["data"])), asked


def _timeless(shown: Any) -> Any:
    """Without the times at which debug chunks were made, and without the ids of questions."""
    if isinstance(shown, str) and ANSWER_ID.fullmatch(shown):
        return "<id>"
    if isinstance(shown, tuple) and shown[0] in OUR_OWN:
        return shown[0]  # see DEVIATIONS["better messages"]
    if isinstance(shown, dict):
        return {_timeless(plain(key)): _timeless(value) for key, value in shown.items() if key not in TIMES}
    return [_timeless(each) for each in shown] if isinstance(shown, list) else shown


def _drop_parents(found: dict[str, Any]) -> None:
    """See DEVIATIONS["parents at exit"]."""
    for where, streams in found.items():
        for step in (step for stream in streams for step in stream if where.startswith("debug")):
            for _, _, (_, content) in step:
                content.pop("parent", None)


def _insert(stream: list[Any], chunk: Any) -> None:
    """Parallel questions come in finishing order: keep those of one superstep sorted."""
    first = len(stream)
    while first and isinstance(stream[first - 1], dict) and "__interrupt__" in stream[first - 1]:
        first -= 1
    stream[first:] = sorted([*stream[first:], chunk], key=repr)


def _without_failed(updates: list[Any], debugged: list[tuple[int, int, Any]]) -> list[Any]:
    """See DEVIATIONS["failed after an answer"]."""
    failed = [{content["name"]: None} for _, rank, (_, content) in debugged if rank == 2 and content["error"]]
    return [each for each in updates if each not in failed]


def _between_steps(chunks: list[Any]) -> list[Any]:
    """Chunks of tasks in groups, one between two values chunks, each sorted."""
    groups: list[list[Any]] = [[]]
    for chunk in chunks:
        if chunk is STEP:
            groups.append([])
        else:
            groups[-1].append(chunk)
    return [sorted(group, key=repr) for group in groups if group]


def _by_step(chunks: list[tuple[int, int, Any]]) -> list[Any]:
    """Debug chunks with those of one superstep in a fixed order: checkpoint, starts, results."""
    groups: list[list[tuple[int, int, Any]]] = []
    previous: tuple[int, int] | None = None
    for step, rank, content in chunks:
        superstep = step + (rank == 0)
        if previous is None or previous[0] != superstep or (rank == 0):
            groups.append([])
        groups[-1].append((step, rank, content))
        previous = (superstep, rank)
    return [sorted(group, key=lambda each: (each[1], repr(each[2]))) for group in groups]


@contextmanager
def lab(engine: Engine, calls: Calls, saver: Saver, directory: Path, *, quiet: bool = False) -> Iterator[Lab]:
    """A lab that is closed afterwards."""
    with engine.saver(saver, directory) as made:
        opened = Lab(engine, calls, made, quiet=quiet)
        later = isinstance(made, AsyncSqlite)
        try:
            if later:
                opened.checkpointer = opened.wait(made.opened())
            yield opened
        finally:
            if later:
                opened.wait(opened.checkpointer.conn.close())
            opened.close()
