#!/bin/sh
# Renews the locks from pyproject.toml: `make lock` keeps pinned versions where it can, `make lock UPGRADE=--upgrade` takes the newest.
# The locks hold versions and hashes, and no address: the same files work with any index.
set -eu
cd "$(dirname "$0")/.."
uv=.venv/bin/uv
common="pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url"
$uv $common ${UPGRADE:-} --all-extras pyproject.toml -o requirements.lock
# The notebooks' environment is a part of the full one, at the same versions.
$uv $common --extra lab --extra notebooks --constraints requirements.lock pyproject.toml -o binder/requirements.txt
version=$($uv --version | cut -d' ' -f2)
echo "uv==$version" | $uv pip compile --quiet --generate-hashes --no-header --no-annotate --no-emit-index-url - -o tools/uv.txt
