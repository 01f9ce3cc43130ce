"""A PostgreSQL server of the tests' own: behind a socket in a folder of its own, ended by its pid."""

from __future__ import annotations

import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests import services

SETTINGS = {
    "listen_addresses": "",  # its socket alone: no port that another process could take
    "fsync": "off",  # no test pulls the plug
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
}


@contextmanager
def postgres() -> Iterator[str]:
    """The address of an empty database. Skips the calling test, with what to install, where there is no PostgreSQL.

    PostgreSQL refuses to run as root: there it runs as a user without rights, whose folder root's tests can read.
    """
    program = services.require("postgres")
    # A short path that others may enter, unlike pytest's and many a TMPDIR: a socket's has at most 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="stepgraph-", dir="/tmp"))
    try:
        as_user = _as_other_user(folder)
        data = folder / "data"
        form = ("--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
        services.run([*as_user, program.with_name("initdb"), "-D", data, *form], cwd=folder)
        settings = [f"--{name}={value}" for name, value in SETTINGS.items()]
        started = services.Server(
            [*as_user, program, "-D", data, "-k", folder, *settings], folder=folder, name="postgres"
        )
        try:
            url = f"postgresql://postgres@/postgres?host={folder}"
            started.wait_until(lambda: _answers(url), url)
            yield url
        finally:
            started.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _as_other_user(folder: Path) -> list[str]:
    """What begins a command of root's that another user is to run, whose the folder is then. Nothing for others."""
    if os.geteuid() != 0:
        return []
    user = "postgres" if "postgres" in {each.pw_name for each in pwd.getpwall()} else "nobody"
    folder.chmod(0o755)
    shutil.chown(folder, user)
    return ["setpriv", f"--reuid={user}", "--clear-groups", "--"]


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True
