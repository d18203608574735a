#!/bin/sh
# What the Supervisor starts, and what it runs in the container before and after a backup.
#
# A backup is taken while the server writes, so for as long as it lasts there is a consistent copy of the history. After a
# restore the copy replaces the files that were packed while they changed. How to know a restore: the mark is never in a
# backup (config.yaml). With the mark, a copy is left over from a backup that was cut off, and older than the history.
set -eu
history=/data/iskra.sqlite
copy=/data/backup.sqlite
mark=/data/not-in-backups

use_restored_copy() {
    if iskra-server restore --config /dev/null "$copy"; then
        rm -f "$history".replaced*
    else
        mv "$copy" "$copy.unusable"
    fi
}

case "${1-}" in
serve)
    if [ -e "$copy" ] && [ ! -e "$mark" ]; then
        use_restored_copy
    fi
    : >"$mark"
    rm -f "$copy"
    exec iskra-server serve
    ;;
before-backup)
    # none yet, or it is in PostgreSQL
    if [ -e "$history" ]; then
        exec iskra-server backup --quiet --config /dev/null "$copy"
    fi
    ;;
after-backup)
    rm -f "$copy"
    ;;
*)
    echo "app.sh: serve, before-backup or after-backup is expected, not '${1-}'." >&2
    exit 2
    ;;
esac
