#!/usr/bin/env bash
# s3fs: open(key, "xb"), which is to create and never to replace, replaces where nothing is written, and is late with its refusal elsewhere.
#
# Mode "x" is how a lock file is made. An empty one is written by s3fs without a condition: two clients create it, neither gets an error, and what stood
# there before is gone. One with something in it is sent with `If-None-Match: *`, but not before it is closed: two are inside of
# `with fs.open(key, "xb"):` at once, and one is told behind its last line, by OSError EINVAL instead of FileExistsError. Its
# docs name a late check for uploads in several parts only. pipe_file(..., mode="create") fails at once, with the same EINVAL.
# Python's own open(path, "xb") raises FileExistsError when it opens.
#
# Seen with s3fs 2026.9.0 (PyPI), on localbucket 1.2.1 (PyPI), which is safe for creation, on Python 3.11, 2026-11-30.
set -euo pipefail
dir=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --no-compile --quiet --disable-pip-version-check s3fs==2026.9.0 localbucket==1.2.1
port=$(node -e 'const s=require("net").createServer().listen(0,"127.0.0.1",()=>{console.log(s.address().port);s.close()})')
mkdir data
venv/bin/localbucket --port "$port" data >server.log 2>&1 &
server=$!
for _ in $(seq 100); do (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break; sleep 0.1; done

cat >create.py <<'PY'
import sys
from errno import errorcode

from s3fs import S3FileSystem


def name(error):
    return f"{type(error).__name__} {errorcode.get(error.errno, error.errno)}"


fs = S3FileSystem(
    endpoint_url=f"http://127.0.0.1:{sys.argv[1]}", key="test", secret="test", client_kwargs={"region_name": "us-east-1"}
)
fs.mkdir("bucket")


def create_twice(what, key, text, open_file):
    try:
        with open_file(key, "xb") as first:
            first.write(text)
            print(f"{what}: the first is inside")
            with open_file(key, "xb") as second:
                second.write(text)
                print(f"{what}: the second is inside")
            print(f"{what}: the second has ended")
        print(f"{what}: the first has ended")
    except OSError as error:
        print(f"{what}: {name(error)}")


create_twice("s3fs, empty", "bucket/empty", b"", fs.open)
create_twice("s3fs, with text", "bucket/text", b"text", fs.open)
create_twice("a file", "lock", b"", open)

for key in "empty", "text":
    fs.pipe_file(f"bucket/{key}", b"of another client")
    try:
        with fs.open(f"bucket/{key}", "xb") as file:
            file.write(b"" if key == "empty" else b"text")
    except OSError as error:
        print(f"over an object, {key}: {name(error)}")
    print(f"over an object, {key}: it says {fs.cat_file(f'bucket/{key}')}")
try:
    fs.pipe_file("bucket/text", b"text", mode="create")
except OSError as error:
    print("pipe_file() to create:", name(error))
PY
venv/bin/python create.py "$port" | tee seen.txt
diff seen.txt - <<'SEEN'
s3fs, empty: the first is inside
s3fs, empty: the second is inside
s3fs, empty: the second has ended
s3fs, empty: the first has ended
s3fs, with text: the first is inside
s3fs, with text: the second is inside
s3fs, with text: the second has ended
s3fs, with text: OSError EINVAL
a file: the first is inside
a file: FileExistsError EEXIST
over an object, empty: it says b''
over an object, text: OSError EINVAL
over an object, text: it says b'of another client'
pipe_file() to create: OSError EINVAL
SEEN
