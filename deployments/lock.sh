#!/bin/sh
# Resolves the locks from pyproject.toml: exact versions and hashes, no path and no address of an index.
set -eu
uv=$1
unset UV_FIND_LINKS UV_EXTRA_INDEX_URL UV_INDEX_URL UV_DEFAULT_INDEX
compile() { "$uv" pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-annotate --no-header "$@"; }

printf 'uv>=0.11\n' | compile --python-version 3.11 - -o locks/uv.txt
compile --python-version 3.11 pyproject.toml -o locks/runtime.txt
compile --python-version 3.11 pyproject.toml --extra local --group dev -c locks/runtime.txt -o locks/dev.txt
