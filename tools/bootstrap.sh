#!/bin/sh
# Makes .venv hold what requirements.txt says, and glmref itself. Does nothing while neither
# requirements.txt nor pyproject.toml has changed. When it cannot go on, it says so in one line.
set -eu
cd "$(dirname "$0")/.."
log=.venv-install.log
stamp=.venv/installed-for
wanted="$(cat requirements.txt pyproject.toml | cksum) in $PWD"

stop() { printf '%s\n' "$*" >&2; exit 1; }
recent_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

venv_works() { [ -x .venv/bin/python ] && recent_enough .venv/bin/python && .venv/bin/python -m pip --version >/dev/null 2>&1; }

if venv_works && [ "$(cat "$stamp" 2>/dev/null || true)" = "$wanted" ]; then exit 0; fi

if ! venv_works; then
    python=
    for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
        if recent_enough "$candidate"; then python=$candidate; break; fi
    done
    [ -n "$python" ] || [ -z "${PYTHON:-}" ] || stop "PYTHON=$PYTHON is not a Python 3.11 or newer: name one that is, or leave PYTHON out."
    [ -n "$python" ] || stop "Python 3.11 or newer is needed and was not found: install it, or say where it is, as in: make book PYTHON=/path/to/python3.12"
    echo "Making .venv with $("$python" --version 2>&1) ..."
    rm -rf .venv
    "$python" -m venv .venv >"$log" 2>&1 && venv_works || {
        rm -rf .venv
        stop "Python's venv module does not work ($log says why): on Debian or Ubuntu run 'apt-get install python3-venv', then run make again."
    }
fi

rm -f "$stamp"
total=$(grep -c '==' requirements.txt)
echo "Installing the $total pinned packages of requirements.txt into .venv: a few minutes the first time."
pip() { .venv/bin/python -m pip --disable-pip-version-check --no-input "$@"; }
{ pip install -r requirements.txt && pip install --no-deps --no-build-isolation -e .; } >"$log" 2>&1 &
installer=$!
trap 'kill $installer 2>/dev/null; stop "Interrupted; run make again to go on."' INT TERM
before=-1 waited=0
while kill -0 $installer 2>/dev/null; do
    sleep 1
    waited=$((waited + 1))
    [ $((waited % 10)) -eq 0 ] || continue
    found=$(grep -cE '^(Collecting|Requirement already satisfied)' "$log" || true)
    if grep -q '^Installing collected packages' "$log"; then echo "  ${waited} s: all found, unpacking"
    elif [ "$found" -ne "$before" ]; then echo "  ${waited} s: $found packages looked up or fetched"; before=$found
    else echo "  ${waited} s: waiting for the network"; fi
done
wait $installer || {
    reason=$(grep -E '^ *(ERROR|error)' "$log" | tail -n 1 | cut -c1-160)
    if grep -qE 'NewConnectionError|NameResolution|Temporary failure|ConnectTimeout|ReadTimeout|ProxyError|ConnectionReset|Connection refused' "$log"; then
        stop "The packages could not be fetched: no network, or no package index within reach. Connect and run make again. (pip's words: $log)"
    fi
    stop "pip could not install the packages: ${reason:-see the log}. All of its words: $log. Mend that and run make again."
}
echo "$wanted" >"$stamp"
echo "Installed."
