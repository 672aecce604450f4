"""Serves files as static hosts and S3-compatible stores do, whole or in ranges, and with faults on demand."""

import re
import threading
import time
from collections import Counter
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit


class ShardServer:
    """Serves `root`; `faults[name]` is a list of what happens to the next requests for that file.

    A fault is a status, `cut` (the connection ends halfway), `stall` (it hangs) or bytes to send instead.
    """

    def __init__(self, root: Path, *, ranges: bool = True) -> None:
        self.root, self.ranges = root, ranges
        self.faults: dict[str, list] = {}
        self.asked: Counter[str] = Counter()
        self.whole: Counter[str] = Counter()
        self.signed = 0
        self.done = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_HEAD(self):
                outer.answer(self, body=False)

            def do_GET(self):
                outer.answer(self, body=True)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def close(self) -> None:
        self.done.set()
        self.server.shutdown()
        self.server.server_close()

    def answer(self, request: BaseHTTPRequestHandler, body: bool) -> None:
        path = self.root / unquote(urlsplit(request.path).path).lstrip("/")
        self.asked[path.name] += 1
        self.signed += request.headers.get("Authorization", "").startswith("AWS4-HMAC-SHA256")
        fault = self.faults.get(path.name, [])
        fault = fault.pop(0) if fault else None
        if fault == "stall":
            self.done.wait(20)
            return
        if isinstance(fault, int) or not path.is_file():
            self.send(request, fault or 404, b"no\n", body)
            return
        content = fault if isinstance(fault, bytes) else path.read_bytes()
        found = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("Range", ""))
        if found and self.ranges:
            start, stop = int(found[1]), int(found[2] or len(content) - 1) + 1
            extra = {"Content-Range": f"bytes {start}-{min(stop, len(content)) - 1}/{len(content)}"}
            self.send(request, 206, content[start:stop], body, extra)
        else:
            self.whole[path.name] += body
            self.send(request, 200, content, body, cut=fault == "cut")

    def send(self, request, status, content, body, extra=None, cut=False) -> None:
        request.send_response(status)
        request.send_header("Content-Length", str(len(content)))
        request.send_header("ETag", '"1"')
        request.send_header("Last-Modified", formatdate(time.time(), usegmt=True))
        for name, value in (extra or {}).items():
            request.send_header(name, value)
        request.end_headers()
        if body:
            request.wfile.write(content[: len(content) // 2] if cut else content)
        if cut:
            request.close_connection = True
