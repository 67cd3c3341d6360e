#!/usr/bin/env bash
# s3-locks (Python) takes a lock, does not know it, and waits for its own lease to end.
#
# A store does the conditional PUT and answers 500, as it may. boto3 sends it again by itself, and the second is refused because of the first.
# s3-locks takes the refusal for another holder's lock: without `retries`, acquire() raises MaxAttemptsReachedError, and the lock stays in the
# bucket for its whole ttl without a holder; with them, it tries on until its own ttl is over, and then replaces its own record. The record
# has only the time at which it ends, so that its writer cannot be told from it. With `total_max_attempts: 1` the 500 comes
# through to the caller, and the lock is left behind as well.
#
# Seen with s3-locks 0.1.0 (its README's `from s3_locks import S3Lock` fails: it is in s3_locks.main) and boto3 1.44.8 (PyPI) on Python 3.11,
# 2026-11-30.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --no-compile --quiet --disable-pip-version-check s3-locks==0.1.0 boto3==1.44.8 loguru==0.7.3

cat >acquire.py <<'PY'
import hashlib
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import boto3
from botocore.config import Config
from loguru import logger
from s3_locks.main import S3Lock

logger.remove()
TTL = 3


class Store(ThreadingHTTPServer):
    """One object; the first write is done, and answered 500."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Requests)
        self.body = b""
        self.writes = []
        Thread(target=self.serve_forever, daemon=True).start()

    def etag(self):
        return f'"{hashlib.md5(self.body).hexdigest()}"'

    def write(self, condition, etag, body):
        holds = etag == (self.etag() if self.body else "*")
        if holds:
            self.body = body
        status = 412 if not holds else 500 if not self.writes else 200
        self.writes.append(f"{condition} {status}")
        return status


class Requests(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_PUT(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        condition = "If-Match" if "If-Match" in self.headers else "If-None-Match"
        self.answer(self.server.write(condition, self.headers[condition], body))

    def do_GET(self):
        self.answer(200 if self.server.body else 404, self.server.body)

    def answer(self, status, body=b""):
        codes = {404: "NoSuchKey", 412: "PreconditionFailed", 500: "InternalError"}
        if status in codes:
            body = f"<Error><Code>{codes[status]}</Code></Error>".encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if status == 200:
            self.send_header("ETag", self.server.etag())
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def acquire(what, attempts=5, **options):
    store = Store()
    client = boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{store.server_port}",
        region_name="us-east-1",
        aws_access_key_id="key",
        aws_secret_access_key="secret",
        config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": attempts}),
    )
    began = time.monotonic()
    try:
        S3Lock(bucket="bucket", key="lock", ttl=TTL, s3_client=client, **options).acquire()
        result = f"acquired, after the ttl: {time.monotonic() - began >= TTL}"
    except Exception as error:
        result = type(error).__name__
    print(f"{what}: {result}; writes: {', '.join(store.writes)}; a lock is in the bucket: {bool(store.body)}")


acquire("without retries")
acquire("with retries", retries=50, retry_interval=0.5)
acquire("one attempt of boto3", attempts=1)
PY
venv/bin/python acquire.py | tee seen.txt
diff seen.txt - <<'SEEN'
without retries: MaxAttemptsReachedError; writes: If-None-Match 500, If-None-Match 412; a lock is in the bucket: True
with retries: acquired, after the ttl: True; writes: If-None-Match 500, If-None-Match 412, If-Match 200; a lock is in the bucket: True
one attempt of boto3: ClientError; writes: If-None-Match 500; a lock is in the bucket: True
SEEN
