"""What happens to the SQLite file: crashes, several processes, full disks, damage, foreign files, forks and exits."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from stepgraph.core.checkpoint import Extend
from stepgraph.core.errors import CheckpointError
from stepgraph.persist import SqliteCheckpointer
from stepgraph.persist.file import APPLICATION, SCHEMA, File
from tests.contract.checkpointer import RUN, Story

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "runs.db"


@pytest.fixture
def checkpointer(path: Path) -> Iterator[SqliteCheckpointer]:
    opened = SqliteCheckpointer(path)
    yield opened
    opened.close()


def child(code: str, path: Path, *, user: str | None = None) -> subprocess.Popen[str]:
    """A Python process that runs `code` with `path`, `Story` and the usual names at hand."""
    head = """
        import os, sys, time
        from pathlib import Path
        from stepgraph.core.checkpoint import Extend
        from stepgraph.core.errors import CheckpointError
        from stepgraph.persist import SqliteCheckpointer
        from tests.contract.checkpointer import Story
        path = Path(sys.argv[1])
        def say(*words):
            print(*words, flush=True)
    """
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(head) + textwrap.dedent(code), str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
        user=user,
    )


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def output_of(process: subprocess.Popen[str]) -> str:
    text, _ = process.communicate(timeout=60)
    return text


class TestDurability:
    def test_a_killed_process_loses_nothing_that_was_flushed(self, path: Path) -> None:
        with child(
            """
            story = Story(SqliteCheckpointer(path))
            for n in range(500):
                story.save({"n": n, "log": Extend((n,)) if n else []})
            story.record(story.ids[-1], "a", "interrupt", ("?",))
            story.checkpointer.flush()
            say("flushed")
            while True:
                story.save({"n": -1})
            """,
            path,
        ) as writer:
            assert line_of(writer) == "flushed"
            writer.send_signal(signal.SIGKILL)
        opened = SqliteCheckpointer(path)
        story = Story(opened)
        found = story.load(f"{RUN}-{500:012x}")
        assert (found.values["n"], len(found.values["log"])) == (499, 499)
        assert [each.payload for each in found.records] == [("?",)]
        assert len(story.history()) >= 500
        story.ids = [story.load().id]
        story.counter = iter(range(1_000_000, 2_000_000))  # type: ignore[assignment]  # a later run's
        story.save({"n": "goes on"})
        assert story.values()["n"] == "goes on"
        opened.close()

    def test_a_node_that_never_pauses_does_not_hold_its_checkpoint_back(
        self, path: Path, checkpointer: SqliteCheckpointer
    ) -> None:
        with child(
            """
            Story(SqliteCheckpointer(path)).save({"n": 1})
            say("computing")
            while True:
                pass
            """,
            path,
        ) as busy:
            assert line_of(busy) == "computing"
            while checkpointer.load("t", "") is None:
                assert busy.poll() is None
            busy.kill()
        assert Story(checkpointer).values() == {"n": 1}

    def test_leaving_the_interpreter_flushes(self, path: Path) -> None:
        assert output_of(child('Story(SqliteCheckpointer(path)).save({"n": 1})', path)) == ""
        opened = SqliteCheckpointer(path)
        assert Story(opened).values() == {"n": 1}
        opened.close()

    def test_an_exception_at_the_top_flushes(self, path: Path) -> None:
        text = output_of(child('c = SqliteCheckpointer(path); Story(c).save({"n": 1}); raise SystemExit("end")', path))
        assert text == "end\n"
        opened = SqliteCheckpointer(path)
        assert Story(opened).values() == {"n": 1}
        opened.close()

    def test_a_dropped_checkpointer_flushes_and_ends_its_thread(self, path: Path) -> None:
        before = threading.enumerate()
        dropped = SqliteCheckpointer(path)
        Story(dropped).save({"n": 1})
        (writer,) = (t for t in threading.enumerate() if t not in before and t.name == "stepgraph-commit")
        del dropped
        gc.collect()
        assert not writer.is_alive()
        opened = SqliteCheckpointer(path)
        assert Story(opened).values() == {"n": 1}
        opened.close()

    def test_closing_leaves_one_file(self, path: Path) -> None:
        opened = SqliteCheckpointer(path)
        Story(opened).save({"n": 1})
        opened.close()
        assert list(path.parent.iterdir()) == [path]

    def test_a_closed_checkpointer_says_so(self, path: Path) -> None:
        opened = SqliteCheckpointer(path)
        story = Story(opened)
        story.save({"n": 1})
        opened.close()
        for call in (lambda: story.save({"n": 2}), story.load, lambda: story.record(story.ids[0], "a", "error", "x")):
            with pytest.raises(CheckpointError, match=r"runs\.db' is closed\. Open a new SqliteCheckpointer\."):
                call()

    def test_saving_does_not_wait_for_the_file(self, checkpointer: SqliteCheckpointer) -> None:
        story = Story(checkpointer)
        story.save({"n": 0})
        checkpointer.flush()
        with checkpointer._file.lock:  # as if the disk hung in the middle of a commit
            worker = threading.Thread(target=lambda: [story.save({"n": n}) for n in range(1, 200)])
            worker.start()
            worker.join(30)
            assert not worker.is_alive()
        assert story.values() == {"n": 199}


class TestProcesses:
    def test_another_process_reads_what_was_flushed(self, checkpointer: SqliteCheckpointer, path: Path) -> None:
        story = Story(checkpointer)
        for n in range(10):
            story.save({"n": n})
        checkpointer.flush()
        reader = child(
            """
            story = Story(SqliteCheckpointer(path))
            say(story.values()["n"], len(story.history()))
            sys.stdin.readline()
            say(story.values()["n"], len(story.history()))
            """,
            path,
        )
        assert line_of(reader) == "9 10"
        story.save({"n": 10})
        checkpointer.flush()
        assert output_of_after(reader, "go on\n") == "10 11\n"

    def test_processes_write_threads_of_their_own_to_one_file(self, path: Path) -> None:
        code = """
            story = Story(SqliteCheckpointer(path), thread=str(os.getpid()))
            for n in range(400):
                story.save({"n": n, "log": Extend((n,)) if n else []})
                if n % 50 == 0:
                    story.checkpointer.flush()
            story.checkpointer.close()
            say("done")
        """
        writers = [child(code, path) for _ in range(4)]
        assert [output_of(each) for each in writers] == ["done\n"] * 4
        opened = SqliteCheckpointer(path)
        assert sorted(each.thread for each in opened.threads()) == sorted(str(each.pid) for each in writers)
        for each in writers:
            assert len(Story(opened, str(each.pid)).values()["log"]) == 399
        opened.close()

    def test_another_process_makes_the_tables_while_this_one_looks_for_them(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        connect = sqlite3.connect
        seen: list[str] = []

        def race(statement: str) -> None:
            seen.append(statement)
            if "sqlite_master" not in statement or len(seen) > 9:
                return
            busy = suppress(sqlite3.OperationalError)  # it has to wait, if it comes too late to be seen whole
            with busy, closing(connect(path, isolation_level=None, timeout=0)) as other:
                other.executescript(made)

        def traced(*args: Any, **options: Any) -> sqlite3.Connection:
            connection: sqlite3.Connection = connect(*args, **options)
            connection.set_trace_callback(race)
            return connection

        SqliteCheckpointer(path).close()
        sample = connect(path)
        made = "".join(line + "\n" for line in sample.iterdump())
        made += f"PRAGMA application_id={APPLICATION}; PRAGMA user_version={SCHEMA};"
        sample.close()
        path.unlink()
        monkeypatch.setattr(sqlite3, "connect", traced)
        story = Story(SqliteCheckpointer(path))
        assert any("sqlite_master" in statement for statement in seen)
        story.save({"n": 1})
        assert story.values() == {"n": 1}
        story.checkpointer.close()

    def test_two_that_go_on_with_one_thread_get_two_branches(self, path: Path) -> None:
        one, two = SqliteCheckpointer(path), SqliteCheckpointer(path)
        first, second = Story(one), Story(two, run="1f0c8d2e-77a0-6b1c-9999")
        first.save({"log": ["root"]})
        one.flush()
        second.save({"log": Extend(("two",))}, parent=first.ids[0])
        for n in range(20):
            first.save({"log": Extend((f"one {n}",))})
            first.record(first.ids[-1], "a", "error", f"one {n}")
            one.flush()
            second.save({"log": Extend((f"two {n}",))})
            second.record(second.ids[-1], "a", "error", f"two {n}")
            two.flush()
        for story in (first, second, Story(SqliteCheckpointer(path))):
            assert story.load(first.ids[-1]).values["log"] == ["root", *(f"one {n}" for n in range(20))]
            assert story.load(second.ids[-1]).values["log"] == ["root", "two", *(f"two {n}" for n in range(20))]
            found = story.history()
            assert sorted(each.id for each in found) == sorted(first.ids + second.ids)
            for each in found:
                assert each == story.load(each.id)
                if len(each.values["log"]) > 2:
                    assert [record.payload for record in each.records] == [each.values["log"][-1]]
        one.close()
        two.close()

    def test_two_that_begin_one_thread_at_once(self, path: Path) -> None:
        one, two = SqliteCheckpointer(path), SqliteCheckpointer(path)
        first, second = Story(one), Story(two, run="1f0c8d2e-77a0-6b1c-9999")
        for story in (first, second):
            story.save({"n": story.run})
            story.save({"m": 1})
        two.flush()
        one.flush()
        assert first.load(second.ids[1]).values == {"n": second.run, "m": 1}
        assert second.load(first.ids[1]).values == {"n": first.run, "m": 1}
        assert second.load() == first.load()  # whichever was committed last
        one.close()
        two.close()

    def test_a_thread_deleted_by_another_process_is_not_written_to(self, path: Path) -> None:
        one, two = SqliteCheckpointer(path), SqliteCheckpointer(path)
        story, other = Story(one), Story(one, "other")
        story.save({"n": 1})
        one.flush()
        two.delete("t")
        story.save({"n": 2})
        other.save({"n": 3})
        with pytest.raises(CheckpointError, match="Thread 't' was deleted by another process"):
            one.flush()
        assert other.values() == {"n": 3}
        assert two.load("t", "") is None
        assert two._file.rows("SELECT count(*) FROM block") == [(1,)]
        one.close()
        two.close()

    def test_a_thread_deleted_by_another_process_can_be_begun_again(self, path: Path) -> None:
        one, two = SqliteCheckpointer(path), SqliteCheckpointer(path)
        Story(one).save({"n": 1})
        one.flush()
        two.delete("t")
        assert one.load("t", "") is None

        again = Story(one, run="1f0c8d2e-77a0-6b1c-9999")
        again.save({"n": 2})
        assert again.values() == {"n": 2}
        assert len(again.history()) == 1
        one.close()
        two.close()

    @pytest.mark.parametrize("at", range(1, 8))
    def test_reading_what_another_process_deletes_meanwhile_says_so(
        self, path: Path, monkeypatch: pytest.MonkeyPatch, at: int
    ) -> None:
        one, two = SqliteCheckpointer(path), SqliteCheckpointer(path)
        story = Story(one)
        for n in range(3):
            story.save({"n": n})
        story.save({"n": 9}, parent=story.ids[0], source="fork")
        one.flush()
        rows, calls = File.rows, iter(range(1, 1000))

        def deleting(file: File, *query: Any) -> Any:
            if file is one._file and next(calls) == at:
                two.delete("t")
            return rows(file, *query)

        monkeypatch.setattr(File, "rows", deleting)
        for read in (story.history, lambda: one.load("t", "", story.ids[1])):
            told = ""
            try:
                read()
            except CheckpointError as error:
                told = str(error)
            assert told in ("", "Thread 't' was deleted while it was read.")
        monkeypatch.undo()
        assert one.load("t", "") is None
        one.close()
        two.close()

    def test_who_stores_only_a_record_reads_what_another_process_has_saved_meanwhile(self, path: Path) -> None:
        one, two = SqliteCheckpointer(path), SqliteCheckpointer(path)
        story = Story(one)
        story.save({"n": 1})
        one.flush()
        story.checkpointer = two
        story.save({"n": 2})
        two.flush()
        story.checkpointer = one
        story.record(story.ids[-1], "task", "outcome", ((("n", 3),), (), ()))
        one.flush()

        assert story.load().id == story.ids[-1]
        assert story.values() == {"n": 2}
        one.close()
        two.close()

    def test_a_thread_that_another_process_deleted_and_began_again_is_read(self, path: Path) -> None:
        one, two = SqliteCheckpointer(path), SqliteCheckpointer(path)
        Story(one).save({"n": 1})
        one.flush()
        two.delete("t")
        theirs = Story(two, run="1f0c8d2e-77a0-6b1c-9999")
        theirs.save({"n": 2})
        two.flush()

        assert [each.values for each in one.history("t", "")] == [{"n": 2}]
        theirs.checkpointer = one
        theirs.save({"m": 3})
        assert theirs.values() == {"n": 2, "m": 3}
        one.close()
        two.close()

    def test_what_waits_when_its_thread_is_deleted_troubles_nobody(self, path: Path, monkeypatch: Any) -> None:
        opened = SqliteCheckpointer(path)
        story, other = Story(opened), Story(opened, "other")
        story.save({"n": 1})
        flush = opened.flush

        def flush_and_go_on() -> None:
            flush()
            story.save({"n": 2})

        monkeypatch.setattr(opened, "flush", flush_and_go_on)
        opened.delete("t")
        monkeypatch.undo()

        other.save({"n": 3})
        opened.flush()
        assert other.values() == {"n": 3}
        assert opened.load("t", "") is None
        with pytest.raises(CheckpointError, match=r"Thread 't', step 1: the parent checkpoint .* was deleted"):
            story.save({"n": 3})
        opened.close()

    def test_a_busy_file_is_waited_for_and_then_reported(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("stepgraph.persist.file.BUSY", 0.01)
        opened = SqliteCheckpointer(path)
        story = Story(opened)
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        story.save({"n": 1})
        with pytest.raises(CheckpointError, match=r"database is locked\. Another process has been writing for"):
            opened.flush()
        other.execute("COMMIT")
        other.close()
        opened.flush()
        assert story.values() == {"n": 1}
        opened.close()

    @pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # Python warns of what is tested here
    def test_a_forked_child_has_a_connection_of_its_own(self, checkpointer: SqliteCheckpointer) -> None:
        story = Story(checkpointer)
        story.save({"n": 0})
        checkpointer.flush()
        story.save({"n": 1})

        def in_child() -> None:
            assert Story(checkpointer).values()["n"] in (0, 1)
            mine = Story(checkpointer, "child")
            mine.save({"who": "child"})
            checkpointer.close()

        process = multiprocessing.get_context("fork").Process(target=in_child)
        process.start()
        process.join(30)
        assert process.exitcode == 0
        story.save({"n": 2})
        assert story.values() == {"n": 2}
        assert len(story.history()) == 3
        assert Story(checkpointer, "child").values() == {"who": "child"}
        assert checkpointer._file.rows("PRAGMA integrity_check") == [("ok",)]


def output_of_after(process: subprocess.Popen[str], text: str) -> str:
    return process.communicate(text, timeout=60)[0]


class TestFailures:
    def test_a_full_disk_is_reported_and_nothing_is_lost(self, checkpointer: SqliteCheckpointer) -> None:
        story = Story(checkpointer)
        story.save({"n": 0})
        checkpointer.flush()
        (pages,) = checkpointer._file.rows("PRAGMA page_count")[0]
        checkpointer._file.rows(f"PRAGMA max_page_count = {pages}")
        story.save({"big": "x" * 100_000})
        with pytest.raises(
            CheckpointError, match=r"Cannot write '.*runs\.db': database or disk is full\. .*Free some space"
        ):
            checkpointer.flush()
        with pytest.raises(CheckpointError, match="disk is full"):
            story.load()
        checkpointer._file.rows("PRAGMA max_page_count = 100000")
        checkpointer.flush()
        story.save({"n": 1})
        assert story.values() == {"n": 1, "big": "x" * 100_000}

    def test_a_write_that_fails_in_the_background_is_raised_by_the_next_save(
        self, checkpointer: SqliteCheckpointer, caplog: pytest.LogCaptureFixture
    ) -> None:
        story = Story(checkpointer)
        story.save({"n": 0})
        checkpointer.flush()
        checkpointer._file.rows("PRAGMA query_only = 1")
        story.save({"n": 1})
        while checkpointer._trouble.error is None:
            threading.Event().wait(0.001)
        with pytest.raises(CheckpointError, match=r"attempt to write a readonly database\. The file is read-only"):
            story.save({"n": 2})
        assert "1 checkpoints and records wait" in caplog.text
        checkpointer._file.rows("PRAGMA query_only = 0")
        checkpointer.flush()
        assert story.values() == {"n": 1}

    def test_closing_says_what_is_lost(self, path: Path) -> None:
        opened = SqliteCheckpointer(path)
        story = Story(opened)
        story.save({"n": 0})
        opened.flush()
        opened._file.rows("PRAGMA query_only = 1")
        story.save({"n": 1})
        with pytest.raises(CheckpointError, match="1 checkpoints and records are lost by closing"):
            opened.close()

    def test_a_value_too_large_for_sqlite_is_refused_at_flush(self, checkpointer: SqliteCheckpointer) -> None:
        story = Story(checkpointer)
        story.save({"n": 0})
        checkpointer.flush()
        connection = checkpointer._file._connection
        assert connection is not None
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 10_000)
        story.save({"text": "x" * 20_000})
        with pytest.raises(CheckpointError, match="too big"):
            checkpointer.flush()
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 1_000_000)

    def test_what_is_written_before_a_failure_is_written_once(
        self, checkpointer: SqliteCheckpointer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("stepgraph.persist.commit.DELAY", 60.0)
        stories = {thread: Story(checkpointer, thread) for thread in ("one", "two", "large")}
        insert, calls = File.insert, []

        def full(file: File, rows: Any) -> None:
            if any("large" in str(row[4]) for row in rows):
                raise sqlite3.DataError("string or blob too big")
            calls.append(rows)
            if len(calls) == 2:
                raise sqlite3.OperationalError("database or disk is full")
            insert(file, rows)

        monkeypatch.setattr(File, "insert", full)
        for thread, story in stories.items():
            story.save({"text": thread})
        with pytest.raises(CheckpointError, match="disk is full"):
            checkpointer.flush()
        with pytest.raises(CheckpointError, match=r"Thread 'large': .* too big"):
            checkpointer.flush()
        assert [len(story.history()) for story in stories.values()] == [1, 1, 0]

    def test_a_damaged_file_is_reported(self, path: Path) -> None:
        opened = SqliteCheckpointer(path)
        story = Story(opened)
        for n in range(300):
            story.save({f"k{n}": os.urandom(100).hex()})
        opened.close()
        with path.open("r+b") as file:
            for page in range(5, path.stat().st_size // 4096):
                file.seek(4096 * page)
                file.write(b"\xff" * 200)
        opened = SqliteCheckpointer(path)
        with pytest.raises(CheckpointError, match=r"Cannot read '.*runs\.db': .*malformed.*Restore a backup"):
            Story(opened).load()
        opened.close()

    @pytest.mark.parametrize("damage", [b"[0,1", b"\xff\xfe", b"[]", b'{"id":1}', b"[7,0,{}]", b"null", b""])
    def test_damaged_lines_are_reported(self, checkpointer: SqliteCheckpointer, damage: bytes) -> None:
        story = Story(checkpointer)
        for n in range(3):
            story.save({"n": n})
            checkpointer.flush()
        checkpointer._file.rows("UPDATE block SET data = ? WHERE key = (SELECT max(key) FROM block)", (damage,))
        for call in (lambda: story.load(story.ids[-1]), story.history):
            with pytest.raises(CheckpointError, match="Thread 't': what is stored is damaged"):
                call()

    def test_a_file_that_is_no_database(self, path: Path) -> None:
        path.write_text("these are notes, not a database\n" * 100)
        with pytest.raises(
            CheckpointError, match=r"file is not a database\. It is not a database\. Choose another file"
        ):
            SqliteCheckpointer(path)
        assert path.read_text().startswith("these are notes")

    def test_a_database_of_another_program_is_left_alone(self, path: Path) -> None:
        other = sqlite3.connect(path)
        other.execute("CREATE TABLE checkpoints (x)")
        other.close()
        before = path.read_bytes()
        with pytest.raises(CheckpointError, match=r"database of another program \(tables: checkpoints\)"):
            SqliteCheckpointer(path)
        assert path.read_bytes() == before

    def test_a_file_of_a_newer_version(self, path: Path) -> None:
        SqliteCheckpointer(path).close()
        other = sqlite3.connect(path)
        other.execute(f"PRAGMA user_version = {SCHEMA + 1}")
        other.close()
        with pytest.raises(
            CheckpointError, match=rf"newer stepgraph \(tables of version {SCHEMA + 1}; this one knows {SCHEMA}\)"
        ):
            SqliteCheckpointer(path)

    def test_a_directory_or_a_missing_one(self, tmp_path: Path) -> None:
        with pytest.raises(CheckpointError, match="is a directory"):
            SqliteCheckpointer(tmp_path)
        with pytest.raises(CheckpointError, match="there is no directory"):
            SqliteCheckpointer(tmp_path / "no" / "runs.db")

    @pytest.mark.skipif(os.getuid() != 0, reason="needs root, to become a user who may not write")
    def test_a_file_that_may_not_be_written_can_be_read(self, path: Path) -> None:
        opened = SqliteCheckpointer(path)
        Story(opened).save({"n": 1})
        opened.close()
        for folder in (path.parent, *path.parent.parents):
            if folder.stat().st_mode & 0o055 != 0o055 and "pytest" in str(folder):
                folder.chmod(0o755)
        path.chmod(0o444)
        reader = child(
            """
            os.setuid(65534)
            story = Story(SqliteCheckpointer(path))
            say(story.values())
            story.ids = [story.load().id]
            story.save({"n": 2})
            try:
                story.checkpointer.flush()
            except CheckpointError as error:
                say(error)
            os._exit(0)
            """,
            path,
        )
        text = output_of(reader)
        assert "{'n': 1}\n" in text
        assert "attempt to write a readonly database. The file is read-only. Make it writable, or copy it." in text

    def test_the_file_is_marked_as_ours(self, checkpointer: SqliteCheckpointer) -> None:
        assert checkpointer._file.rows("PRAGMA application_id") == [(APPLICATION,)]
        assert checkpointer._file.rows("PRAGMA journal_mode") == [("wal",)]
        assert checkpointer._file.rows("PRAGMA synchronous") == [(1,)]
