"""The shortest driver: runs lone lean tasks right here, for calls that nobody looks at."""

from __future__ import annotations

from contextvars import copy_context
from typing import Any

from stepgraph.core.effects import Flow, Load, Save
from stepgraph.core.engine import Engine
from stepgraph.core.entry import open_thread
from stepgraph.core.sprint import begin, begin_stored, sprint
from stepgraph.core.task import Task
from stepgraph.run.context import call_body
from stepgraph.run.sync import failure, perform


def straight(engine: Engine) -> bool:
    """Run a plan that is `straight` as far as this goes; whether the run is over, and well.

    Else SyncDriver goes on with `engine.run()`: to a superstep of another kind, or with what a task raised.
    """
    scope, flow = engine.scope, sprint(engine)
    try:
        if not engine.saving:
            begin(engine)
        elif not begin_stored(engine):
            scope.engine, engine.begun = engine, True
            _drive(open_thread(engine))
            scope.values = engine.state.values
            if engine.pending:
                return False
        for effect in flow:
            kind = type(effect)
            if kind is Task:
                try:
                    copy_context().run(call_body, effect)
                except BaseException as error:
                    flow.close()
                    engine.failed = effect, failure(effect, error)
                    return False
            elif kind is Save:
                effect.checkpointer.save(effect.thread, effect.ns, effect.checkpoint)
            else:  # it waits for what node code called, or stores a record
                perform(effect)
    except BaseException:
        flow.close()
        _drive(engine.join(cancel=True))
        raise
    finally:
        flow.close()
        scope.engine = None
    state = engine.state
    return not (state.next or state.sends or state.step > scope.stop)


def _drive(flow: Flow) -> None:
    """Perform a flow in which no user's code runs."""
    argument: Any = None
    while True:
        try:
            effect = flow.send(argument)
        except StopIteration:
            return
        kind = type(effect)
        if kind is Save:
            argument = effect.checkpointer.save(effect.thread, effect.ns, effect.checkpoint)
        elif kind is Load:
            argument = effect.checkpointer.load(effect.thread, effect.ns, effect.checkpoint)
        else:
            argument = perform(effect)
