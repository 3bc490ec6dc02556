# Sourced by the scripts beside it: finds the checkout and makes its .venv ready.
# Gives: $root, $venv, setup [EXTRA...], say TEXT, fail TEXT. Assumes sh and Python 3.11 or newer.

set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
venv=$root/.venv

say() {
    printf '%s\n' "$*" >&2
}

fail() {
    say "$@"
    exit 1
}

find_python() {
    for candidate in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11; do
        if command -v "$candidate" >/dev/null 2>&1 &&
            "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    fail "Python 3.11 or newer is needed and was not found. Install it, or name it: PYTHON=/path/to/python3 $0"
}

can_apt() {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1
}

apt_install() {
    say "Installing with apt-get: $*"
    apt-get update -qq >&2 &&
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
            -o Dpkg::Options::=--force-confold "$@" >&2
}

make_venv() {
    # A .venv that was copied, or whose Python is gone, is made anew.
    if [ "$("$venv/bin/python" -c 'import sys; print(sys.prefix)' 2>/dev/null)" = "$venv" ] &&
        "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
        return
    fi
    python=$(find_python)
    # Debian and Ubuntu ship Python without what makes virtual environments.
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        if can_apt; then
            apt_install python3-venv || fail "apt-get could not install python3-venv."
        else
            fail "Python cannot make virtual environments here. As root: apt-get install python3-venv"
        fi
    fi
    say "Making $venv"
    "$python" -m venv --clear "$venv"
}

# setup [EXTRA...]: the hub in .venv, editable, with these extras at the pinned versions.
# What was installed is remembered, so that a second run costs nothing.
setup() {
    make_venv
    state=$({
        cat "$root/pyproject.toml" "$root/constraints.txt"
        printf '%s\n' "$root"
        "$venv/bin/python" --version
    } | cksum)
    extras=
    missing=
    for extra in base "$@"; do
        [ "$extra" = base ] || extras=${extras:+$extras,}$extra
        [ "$(cat "$venv/.ready-$extra" 2>/dev/null)" = "$state" ] || missing=yes
    done
    [ -n "$missing" ] || return 0
    say "Installing crm-hub${extras:+ with $extras} into $venv (the first time takes a minute or two)"
    "$venv/bin/python" -m pip install --quiet --no-input --disable-pip-version-check \
        -c "$root/constraints.txt" -e "$root${extras:+[$extras]}" ||
        fail "pip could not install it; the reason stands above. Nothing outside $venv was changed."
    for extra in base "$@"; do
        printf '%s\n' "$state" >"$venv/.ready-$extra"
    done
}

# tools NAME FILE: the programs that FILE lists, in a virtual environment of their own, .venv-NAME,
# so that what they depend on stays out of the hub's. Gives $tools_bin.
tools() {
    tools_bin=$root/.venv-$1/bin
    tools_state=$(cat "$root/$2" "$venv/pyvenv.cfg" | cksum)
    [ "$(cat "$root/.venv-$1/.ready" 2>/dev/null)" != "$tools_state" ] || return 0
    say "Installing what $2 lists into $root/.venv-$1"
    "$venv/bin/python" -m venv --clear "$root/.venv-$1" &&
        "$tools_bin/python" -m pip install --quiet --no-input --disable-pip-version-check \
            -r "$root/$2" || return 1
    printf '%s\n' "$tools_state" >"$root/.venv-$1/.ready"
}
