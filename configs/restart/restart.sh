#!/bin/sh
# Keeps a training going on a machine without a scheduler: starts it again until it is finished,
# and stops where a new start could change nothing.
#
# call:   sh restart.sh RUN_FOLDER COMMAND...
#         sh configs/restart/restart.sh runs/paper \
#             rrnn fit --config configs/autoencoder.yaml --run.folder runs/paper \
#             --run.if_exists resume
#
# COMMAND must go on by itself with what is in RUN_FOLDER: `--run.if_exists resume` does. Exit codes
# of rrnn and what follows:
#   0                finished: stop
#   75               stopped by a signal and saved: start again at once
#   74               cannot write (full disk): wait, twice as long each time, and start again
#   76               another process of the run has died or hangs: start again
#   above 128        killed by a signal, not by Ctrl-C (130): start again
#   anything else    a new start would end the same way (64, 65, 71, 73, 79, 80, ...): stop with it
# After 74, 76 or a kill it gives up, with the last code, at the MAX_DEATHS-th in a row between which no
# checkpoint was written. SIGTERM or Ctrl-C to this script ends the training, saved, and the script.
#
# environment:  MAX_DEATHS (3), WAIT (30 seconds, first wait after 74), MAX_WAIT (3600)
set -u
if [ $# -lt 2 ]; then
    echo "usage: sh restart.sh RUN_FOLDER COMMAND..." >&2
    exit 64
fi
run=$1
shift
deaths=0
wait_s=${WAIT:-30}
mark=$(mktemp) || exit 74
asked=
child=
code=143  # of a stop before the first start
trap 'rm -f "$mark"' EXIT
trap 'asked=yes; [ -z "$child" ] || kill -TERM "$child" 2>/dev/null' TERM INT HUP

# whether a checkpoint has been written since the last start
moved_on() {
    [ -n "$(find "$run/checkpoints" -name "*.ckpt" -newer "$mark" 2>/dev/null | head -n 1)" ]
}

while :; do
    touch "$mark"
    [ -z "$asked" ] || exit "$code"
    "$@" &
    child=$!
    # asked between the two lines above: the trap did not know the child yet
    [ -z "$asked" ] || kill -TERM "$child" 2>/dev/null
    code=
    # `wait` returns early, with another code, when a trap has run
    while [ -z "$code" ] || kill -0 "$child" 2>/dev/null; do
        wait "$child"
        code=$?
    done
    child=
    [ -z "$asked" ] || exit "$code"
    case $code in
    75) deaths=0 && continue ;;
    130) exit "$code" ;;
    74 | 76) ;;
    *) [ "$code" -gt 128 ] || exit "$code" ;;
    esac
    if moved_on; then
        deaths=0
        wait_s=${WAIT:-30}
    fi
    deaths=$((deaths + 1))
    if [ "$deaths" -ge "${MAX_DEATHS:-3}" ]; then
        echo "restart.sh: exit code $code, $deaths deaths without a newer checkpoint" >&2
        exit "$code"
    fi
    echo "restart.sh: exit code $code; starting again" >&2
    if [ "$code" = 74 ]; then
        # in the background, so that a signal need not wait for its end
        sleep "$wait_s" &
        sleeper=$!
        wait "$sleeper"
        if [ -n "$asked" ]; then
            kill "$sleeper" 2>/dev/null
            exit "$code"
        fi
        wait_s=$((wait_s * 2))
        [ "$wait_s" -le "${MAX_WAIT:-3600}" ] || wait_s=${MAX_WAIT:-3600}
    fi
done
