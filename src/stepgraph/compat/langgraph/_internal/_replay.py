"""From which checkpoint a graph inside goes on when the graph around it runs again from an older one."""

from __future__ import annotations

from typing import Any

__all__ = ("ReplayState",)


class ReplayState:
    """Gives each graph inside its last checkpoint from before the replayed one, the first time that it is asked for."""

    __slots__ = ("_visited_ns", "checkpoint_id")

    def __init__(self, checkpoint_id: str) -> None:
        self.checkpoint_id = checkpoint_id
        self._visited_ns: set[str] = set()

    def _is_first_visit(self, checkpoint_ns: str) -> bool:
        """Whether nothing has asked for a graph at this place before; the ids of tasks make no difference."""
        place = checkpoint_ns.rpartition(":")[0] if ":" in checkpoint_ns else checkpoint_ns
        if place in self._visited_ns:
            return False
        self._visited_ns.add(place)
        return True

    def _before(self) -> dict[str, Any]:
        return {"before": {"configurable": {"checkpoint_id": self.checkpoint_id}}, "limit": 1}

    def get_checkpoint(self, checkpoint_ns: str, checkpointer: Any, checkpoint_config: Any) -> Any:
        """The checkpoint to go on from; None for a graph that begins."""
        if not self._is_first_visit(checkpoint_ns):
            return checkpointer.get_tuple(checkpoint_config)
        return next(iter(checkpointer.list(checkpoint_config, **self._before())), None)

    async def aget_checkpoint(self, checkpoint_ns: str, checkpointer: Any, checkpoint_config: Any) -> Any:
        """The same with a saver's async methods."""
        if not self._is_first_visit(checkpoint_ns):
            return await checkpointer.aget_tuple(checkpoint_config)
        async for saved in checkpointer.alist(checkpoint_config, **self._before()):
            return saved
        return None
