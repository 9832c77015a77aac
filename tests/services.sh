#!/bin/sh
# Programs that some tests of sweeps need: a PostgreSQL server and the browser Chromium.
# Installs with apt-get what is missing, as root. Never fails: tests skip what is not there.
# With `expected` it installs nothing and tells by its exit status whether they should be there
# by now: they are, or apt-get could have fetched them.

has_postgres() {
    for folder in "$(pg_config --bindir 2>/dev/null)" /usr/lib/postgresql/*/bin; do
        [ -x "$folder/initdb" ] && [ -x "$folder/pg_ctl" ] && return 0
    done
    command -v initdb >/dev/null && command -v pg_ctl >/dev/null
}

has_chromium() {
    command -v chromium >/dev/null || command -v google-chrome >/dev/null
}

can_install() {
    command -v apt-get >/dev/null && [ "$(id -u)" = 0 ] &&
        apt-get -qq -o Acquire::Retries=2 -o Acquire::http::Timeout=30 \
            -o APT::Update::Error-Mode=any update >/dev/null 2>&1 &&
        [ -n "$(apt-cache --quiet=2 search --names-only '^postgresql$')" ] &&
        [ -n "$(apt-cache --quiet=2 search --names-only '^chromium$')" ]
}

if [ "$1" = expected ]; then
    { has_postgres && has_chromium; } || can_install
    exit
fi

install() {
    if ! command -v apt-get >/dev/null; then
        echo "services: no apt-get here; install $1 in your system's way" >&2
    elif [ "$(id -u)" != 0 ]; then
        echo "services: not root; sudo apt-get install $1" >&2
    else
        echo "services: installing $1"
        apt-get -qq -o Acquire::Retries=2 -o Acquire::http::Timeout=30 update || true
        DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install "$1" \
            >/dev/null || echo "services: apt-get could not install $1" >&2
    fi
}

has_postgres || install postgresql
has_chromium || install chromium
has_postgres || echo "services: no PostgreSQL server; tests that need one will skip" >&2
has_chromium || echo "services: no Chromium; tests that need a browser will skip" >&2
exit 0
