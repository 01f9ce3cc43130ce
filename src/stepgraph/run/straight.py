"""The shortest driver: runs lone lean tasks right here, for calls that nobody looks at and nothing stores."""

from __future__ import annotations

from contextvars import copy_context

from stepgraph.core.engine import Engine
from stepgraph.core.sprint import begin, sprint
from stepgraph.core.task import Task
from stepgraph.run.context import call_body
from stepgraph.run.sync import failure, joined


def straight(engine: Engine) -> bool:
    """Run a plan that is `straight` as far as this goes; whether the run is over, and well.

    Else SyncDriver goes on with `engine.run()`: to a superstep of another kind, or with what a task raised.
    """
    begin(engine)
    state, scope = engine.state, engine.scope
    flow = sprint(engine)
    try:
        for effect in flow:
            if type(effect) is Task:
                try:
                    copy_context().run(call_body, effect)
                except BaseException as error:
                    flow.close()
                    engine.failed = effect, failure(effect, error)
                    return False
            else:  # Join: what node code called and did not wait for
                joined(effect.futures, effect.cancel)
    finally:
        scope.engine = None
    return not (state.next or state.sends or state.step > scope.stop)
