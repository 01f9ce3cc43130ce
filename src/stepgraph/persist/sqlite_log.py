"""The lines of one namespace of one thread in a SQLite file: what waits for it, and blocks of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from stepgraph.core.checkpoint import Row
from stepgraph.core.errors import CheckpointError
from stepgraph.persist.blocks import ids, unpacked_id
from stepgraph.persist.commit import Committer, after
from stepgraph.persist.file import BITS, LAST
from stepgraph.persist.lines import RESULTS, checkpoint_of, is_record, last_checkpoint, until_checkpoint
from stepgraph.persist.log import Log, Tail, where
from stepgraph.persist.recent import RecentLog
from stepgraph.persist.tip import Tip


class SqliteLog(RecentLog):
    """Lines in blocks of the file. `end` is the number of the next line to write, 0 when that is not known yet."""

    __slots__ = ("base", "committer", "end", "number")

    def __init__(self, committer: Committer, thread: str, ns: str) -> None:
        super().__init__(thread, ns)
        self.committer = committer
        self.number = self.end = self.base = 0

    def append(self, line: bytes, tip: Tip, source: Log | None = None) -> None:
        """Hand the line of a checkpoint over."""
        self.committer.take((self, [line], [tip.id], tip.parent, False, source))

    def start(self, rows: Sequence[Row]) -> bool:
        """Let the first checkpoints of a new thread wait. False, and nothing has happened, if it has some by now."""
        with self.lock:
            if self.gone or self.latest is not None or self.recent or self.tip is not None or self.number:
                return False
            self.recent += rows
            self._waits(rows[-1])
        return True

    def take(self, row: Row) -> bool:
        """Let a superstep wait that follows the latest; true if it can't. Raises what is wrong with writing."""
        trouble = self.committer.trouble
        if trouble.exists:
            trouble.check(self.thread)
        with self.lock:
            if self.gone or row[1] != self.latest:
                return True
            self.recent.append(row)
            self._waits(row)
        return False

    def _waits(self, row: Row) -> None:
        """A row waits. The caller holds the lock."""
        self.latest = row[0]
        if not self.noted:
            self.noted = True
            self.committer.note(self)

    def append_all(self, lines: list[bytes], ids: list[str | None], owner: str | None) -> None:
        """Hand over consecutive lines, of which only the first may be a mark; `owner` is what that follows tacitly."""
        self.committer.take((self, lines, ids, owner, False, None))

    def append_record(self, line: bytes, checkpoint: str, *, named: bool) -> None:
        """Hand the line of a record over. Raises CheckpointError where what it is of is gone."""
        if not self.number and self.tip is None and line.startswith(RESULTS) and not self.known():
            raise CheckpointError(
                f"{where(self)}: the checkpoint {checkpoint} is not stored. Its thread was deleted while a run was "
                "writing to it: what the run has saved since is dropped. Start it again."
            )
        self.committer.take((self, [line], [None], checkpoint, named, None))

    def stands(self) -> bool:
        """False when the thread has been deleted since it was found or made in the file, by whichever process."""
        query = "SELECT 1 FROM log WHERE number = ?"
        return not self.number or bool(self.committer.file.rows(query, (self.number,)))

    def known(self) -> bool:
        """Whether the file has this log."""
        if self.number:
            return True
        self.committer.write()
        return self.found()

    def found(self) -> bool:
        """The same when nothing that was handed over waits for it."""
        query = "SELECT number FROM log WHERE thread = ? AND ns = ?"
        for (number,) in self.committer.file.rows(query, (self.thread, self.ns)):
            self.number = number
        return self.number > 0

    def _blocks(self, columns: str, first: int, last: int, rest: str = "") -> list[Any]:
        """Blocks whose first line lies between two, in order, once all that was handed over is in the file."""
        if not self.known():
            return []
        self.committer.write()
        query = f"SELECT {columns} FROM block WHERE key BETWEEN ? AND ? {rest}"  # no user's text is in it
        start = self.number << BITS
        return self.committer.file.rows(query, (start | first, start | last))

    def _block_before(self, columns: str, last: int, rest: str = "") -> Any:
        found = self._blocks(columns, 1, last, f"{rest} ORDER BY key DESC LIMIT 1")
        return found[0] if found else None

    def newest(self) -> int | None:
        """The number of the last checkpoint's line."""
        tail = self.tail()
        return None if tail is None else tail.number

    def tail(self) -> Tail | None:
        """The last checkpoint's line, and what came after it."""
        with self.committer.file.lock:
            last = self._block_before("key, base, data", LAST)
            if last is None:
                return None
            key, base, data = last
            if not self.end:
                self.end, self.base = after(key, data), base
            own = self.end == after(key, data)
        lines = data.split(b"\n")
        place = last_checkpoint(lines)
        if place is not None:
            return Tail((key & LAST) + place, lines[place + 1 :], own)
        found = self._block_before("key, data", LAST, "AND id IS NOT NULL")
        if found is None:
            return None
        key, data = found
        place = last_checkpoint(data.split(b"\n"))
        assert place is not None
        number = int(key & LAST) + place
        return Tail(number, self.following(number), own)

    def find(self, id: str) -> int | None:
        """The number of a checkpoint's line: by bisection, because ids grow with time, else by looking at all."""
        low, high, best = 1, LAST, None
        last = self._block_before("key", LAST)
        if last is None:
            return None
        high = last[0] & LAST
        while low <= high:
            middle = (low + high) // 2
            found = self._block_before("key, id", middle, f"AND key >= {self.number << BITS | low} AND id IS NOT NULL")
            if found is None:
                low = middle + 1
                continue
            key, packed = found
            if unpacked_id(packed) > id:
                high = (key & LAST) - 1
            else:
                best, low = key, middle + 1
        number = None if best is None else self._find_in(best, id)
        if number is not None:
            return number
        for (key,) in self._blocks("key", 1, LAST, "AND id IS NOT NULL ORDER BY key DESC"):
            number = self._find_in(key, id)
            if number is not None:
                return number
        return None

    def _find_in(self, key: int, id: str) -> int | None:
        for packed, data in self.committer.file.rows("SELECT id, data FROM block WHERE key = ?", (key,)):
            for place, each in ids(unpacked_id(packed), data.split(b"\n")):
                if each == id:
                    return (key & LAST) + place
        return None

    def stretch(self, number: int) -> list[bytes]:
        """The lines from the nearest mark up to this one."""
        found = self._block_before("key, base, data", number)
        if found is None:
            raise CheckpointError(f"Thread {self.thread!r} was deleted while it was read.")
        key, base, data = found
        lines: list[bytes] = data.split(b"\n")[: number - (key & LAST) + 1]
        if base == key & LAST:
            return lines
        before = self._blocks("data", base, (key & LAST) - 1, "ORDER BY key")
        return [line for (each,) in before for line in each.split(b"\n")] + lines

    def following(self, number: int) -> list[bytes]:
        """The records between this checkpoint's line and the next one's."""
        key, data = self._block_before("key, data", number)
        lines = data.split(b"\n")[number - (key & LAST) + 1 :]
        if any(not is_record(line) for line in lines):
            return until_checkpoint(lines)
        beyond = self._blocks("min(key)", (key & LAST) + 1, LAST, "AND id IS NOT NULL")
        last = beyond[0][0] if beyond and beyond[0][0] is not None else self.number << BITS | LAST
        more = self._blocks("data", (key & LAST) + 1, last & LAST, "ORDER BY key")
        return until_checkpoint([*lines, *(line for (each,) in more for line in each.split(b"\n"))])

    def child(self, number: int, wanted: Callable[[bytes], bool]) -> int | None:
        """The number of the checkpoint's line that follows this one's, if it is `wanted`; else the first such mark."""
        key, data = self._block_before("key, data", number)
        first = key & LAST
        for place, line in enumerate(data.split(b"\n")):
            if first + place > number and not is_record(line):
                return first + place if wanted(line) else self._marked(first + place + 1, wanted)
        block = self._blocks("key, data", first + 1, LAST, "AND id IS NOT NULL ORDER BY key LIMIT 1")
        for key, data in block:
            for place, line in enumerate(data.split(b"\n")):
                if not is_record(line):
                    following = (key & LAST) + place
                    return following if wanted(line) else self._marked(following + 1, wanted)
        return None

    def _marked(self, number: int, wanted: Callable[[bytes], bool]) -> int | None:
        """The first mark from a line on that is `wanted`."""
        for key, data in self._blocks("key, data", number, LAST, f"AND base = key & {LAST} ORDER BY key"):
            if wanted(data.partition(b"\n")[0]):
                return int(key & LAST)
        return None

    def late(self) -> dict[str, list[bytes]]:
        """By checkpoint: records that came after the line of a later one."""
        found: dict[str, list[bytes]] = {}
        for (data,) in self._blocks("data", 1, LAST, "AND late ORDER BY key"):
            for line in data.split(b"\n"):
                named = checkpoint_of(line)
                if named is not None:
                    found.setdefault(named, []).append(line)
        return found

    def stretches(self, before: int | None) -> Iterator[list[bytes]]:
        """All lines in runs that begin with a mark, the newest run first; those from `before` on are left out."""
        last = LAST if before is None else before - 1
        while last > 0:
            found = self._block_before("key, base", last)
            if found is None or not found[1]:  # before the first mark there is nothing but records of nobody's
                return
            base = found[1]
            rows = self._blocks("data", base, last, "ORDER BY key")
            lines = [line for (data,) in rows for line in data.split(b"\n")]
            yield lines[: last - base + 1]
            last = base - 1
