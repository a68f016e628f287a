#!/bin/sh
# Makes the virtual environment named by the first argument from the locks, every file checked by its hash.
set -eu
venv=$1
python=${PYTHON:-python3}

fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
  fail "Python 3.11 or newer is needed; name one with PYTHON=/path/to/python3.11 make setup"
command -v git >/dev/null || fail "git is needed; on Debian and Ubuntu: apt-get install git"

# Debian and Ubuntu ship Python without ensurepip, which venv needs.
if ! "$python" -c 'import ensurepip' 2>/dev/null; then
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null ||
    fail "Python's venv module is missing; on Debian and Ubuntu: apt-get install python3-venv"
  apt-get -qq update && apt-get -qq install -y --no-install-recommends python3-venv >/dev/null
fi

printf 'making %s from the locks: about half a minute, longer where packages have to be downloaded\n' "$venv"
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
[ -x "$venv/bin/uv" ] ||
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r locks/uv.txt
export VIRTUAL_ENV="$PWD/$venv"
"$venv/bin/uv" pip sync --quiet --require-hashes --compile-bytecode locks/uv.txt locks/dev.txt
"$venv/bin/uv" pip install --quiet --no-deps --no-build-isolation --editable .
