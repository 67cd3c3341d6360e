#!/usr/bin/env bash
# fasteners: a lock between processes that is taken twice in one process is free after the first release, and the outer holder still says "acquired".
#
# The README says that InterProcessLock is not reentrant. On Linux the second acquire() of the same file succeeds, by another object and by the same one,
# since fcntl's locks belong to the process and nothing is counted beside them. So threads do not exclude each other; and a function that is decorated
# with `interprocess_locked` and called inside of `with lock:` gives the lock away when it returns: another process is let in, while
# `lock.acquired` is True for the code that goes on in the block.
#
# Seen with fasteners 0.20 (PyPI) on Python 3.11, Linux, 2026-11-30.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check fasteners==0.20

cat >nest.py <<'PY'
import subprocess
import sys

from fasteners import InterProcessLock, interprocess_locked

if len(sys.argv) > 1:
    print(InterProcessLock("lock").acquire(blocking=False))
    sys.exit()


def show(when, lock):
    other = subprocess.run([sys.executable, __file__, "other"], capture_output=True, text=True, check=True).stdout.strip()
    print(f"{when}: acquired {lock.acquired}, another process acquires: {other}")


@interprocess_locked("lock")
def inner():
    show("inside of both", lock)


lock = InterProcessLock("lock")
with lock:
    show("inside of the outer", lock)
    inner()
    show("inside of the outer, after the inner", lock)

print("the same object twice:", lock.acquire(), lock.acquire())
lock.release()
show("after one release", lock)
PY
venv/bin/python nest.py | tee seen.txt
diff seen.txt - <<'SEEN'
inside of the outer: acquired True, another process acquires: False
inside of both: acquired True, another process acquires: False
inside of the outer, after the inner: acquired True, another process acquires: True
the same object twice: True True
after one release: acquired False, another process acquires: True
SEEN
