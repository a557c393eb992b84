#!/bin/sh
# set_up.sh [LOCK] [VENV] [NEWEST]: make VENV (.venv) and install the packages of LOCK (requirements/dev.txt) and
# maskdet itself into it, unless already done. Python 3.NEWEST (3.12) is the newest that LOCK has packages for.
# PYTHON names the interpreter to use; by default the first one that works is used.
set -eu

cd "$(dirname "$0")/.."
lock=${1:-requirements/dev.txt}
venv=${2:-.venv}
newest=${3:-12}
stamp=$venv/.installed

fits() {
    # It must really run: a version manager's shim exists for versions that are not active.
    "$1" -c "import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, $newest))" >/dev/null 2>&1
}

has_venv() {
    "$1" -c 'import venv, ensurepip' >/dev/null 2>&1
}

find_python() {
    found=
    for candidate in ${PYTHON:-python3.12 python3.11 python3.10 python3 python}; do
        fits "$candidate" || continue
        has_venv "$candidate" && echo "$candidate" && return
        found=$candidate
    done
    if [ -n "$found" ]; then
        echo "set-up: $found has no venv module" >&2
        echo "  next: install it (Debian, Ubuntu: apt install python3-venv)" >&2
    elif [ -n "${PYTHON:-}" ]; then
        echo "set-up: PYTHON=$PYTHON is not a working Python 3.10 to 3.$newest" >&2
        echo "  next: set it to one, or unset it to search for one" >&2
    else
        echo "set-up: no Python 3.10 to 3.$newest found" >&2
        echo "  next: install one (Debian, Ubuntu: apt install python3 python3-venv) or set PYTHON=/path/to/python" >&2
    fi
    return 1
}

make_venv() {
    python=$(find_python)
    echo "set-up: making $venv with $("$python" --version)"
    "$python" -m venv --clear "$venv"
}

# Inputs of an installation: a change of lock, project file or interpreter reinstalls.
wanted() {
    "$venv/bin/python" -c 'import hashlib, pathlib, sys
files = [pathlib.Path(name).read_bytes() for name in sys.argv[1:]]
print(hashlib.sha256(b"\0".join(files)).hexdigest(), sys.version.split()[0], pathlib.Path.cwd())' \
        "$lock" pyproject.toml
}

usable() {
    # A venv whose making was cut short has no pip; one made with another version than PYTHON's is not wanted.
    fits "$venv/bin/python" && "$venv/bin/python" -c 'import pip' 2>/dev/null || return 1
    [ -z "${PYTHON:-}" ] || [ "$("$PYTHON" --version 2>&1)" = "$("$venv/bin/python" --version)" ]
}

if ! usable; then
    make_venv
fi
if [ "$(cat "$stamp" 2>/dev/null)" = "$(wanted)" ]; then
    exit 0
fi
echo "set-up: installing the packages of $lock (up to 500 MB to download, some minutes)"
# Python compiles a module when it is first imported; three in four never are.
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-compile --no-deps -r "$lock"
# The build backend is in the lock, so nothing is downloaded for the project itself.
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
wanted >"$stamp"
