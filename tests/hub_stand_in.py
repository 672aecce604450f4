"""A hub on this machine: as much of the Hugging Face hub's HTTP API as models need, over http.server."""

import base64
import hashlib
import json
import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

TOKEN = "hf_stand_in"


class Hub:
    """Repositories as lists of commits, each a dictionary of files."""

    def __init__(self):
        self.commits, self.branches, self.private, self.blobs = {}, {}, set(), {}
        self.asked, self.endpoint = [], ""

    def make(self, repo, private=False):
        if repo not in self.branches:
            self.branches[repo] = {}
            self.commit(repo, {".gitattributes": b""})
        if private:
            self.private.add(repo)

    def commit(self, repo, files, removed=(), branch="main"):
        before = self.files(repo, branch) if branch in self.branches[repo] else {}
        after = {name: data for name, data in {**before, **files}.items() if name not in removed}
        sha = hashlib.sha1(repr((len(self.commits), repo)).encode()).hexdigest()
        self.commits[repo, sha] = after
        self.branches[repo][branch] = sha
        return sha

    def files(self, repo, revision="main"):
        return self.commits[repo, self.branches[repo].get(revision, revision)]


def git_hash(data):
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def is_large(name):
    return name.endswith((".safetensors", ".bin", ".png"))


class Refused(Exception):
    """An answer that is no success: status, and the word that the client reads."""


class Door(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_GET(self):
        self._answer()

    do_HEAD = do_POST = do_PUT = do_GET

    def _answer(self):
        hub, path = self.server.hub, unquote(self.path.partition("?")[0])
        body = self._body()
        hub.asked.append(f"{self.command} {path}")
        try:
            for pattern, do in ROUTES:
                found = re.fullmatch(pattern, f"{self.command} {path}")
                if found:
                    return do(self, hub, body, *found.groups())
            self._say(404, b"no such address")
        except Refused as refused:
            status, code = refused.args
            self._say(status, json.dumps({"error": code}).encode(), {"X-Error-Code": code, "X-Error-Message": code})

    def _body(self):
        if self.headers.get("Transfer-Encoding") == "chunked":
            parts = []
            while size := int(self.rfile.readline(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _say(self, status, data, headers=None):
        self.send_response(status)
        for key, value in {"Content-Length": str(len(data)), **(headers or {})}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def tell(self, value):
        self._say(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def known(self, repo, revision="main", write=False):
        """The commit that is asked for, where the asker may see it."""
        hub, token = self.server.hub, self.headers.get("Authorization", "")
        if write and not token.endswith(TOKEN):
            raise Refused(403 if token else 401, "Forbidden")
        if repo not in hub.branches or (repo in hub.private and not token.endswith(TOKEN)):
            raise Refused(404 if token else 401, "RepoNotFound")
        sha = hub.branches[repo].get(revision, revision)
        if (repo, sha) not in hub.commits:
            raise Refused(404, "RevisionNotFound")
        return sha


def info(door, hub, body, repo, revision=None):
    sha = door.known(repo, revision or "main")
    names = [{"rfilename": name} for name in hub.files(repo, sha)]
    door.tell({"id": repo, "modelId": repo, "sha": sha, "siblings": names, "private": repo in hub.private, "tags": []})


def tree(door, hub, body, repo, revision):
    rows = []
    for name, data in hub.files(repo, door.known(repo, revision)).items():
        row = {"type": "file", "path": name, "size": len(data), "oid": git_hash(data)}
        if is_large(name):
            row["lfs"] = {"oid": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 130}
        rows.append(row)
    door.tell(rows)


def resolve(door, hub, body, repo, revision, name):
    sha = door.known(repo, revision)
    data = hub.files(repo, sha).get(name)
    if data is None:
        raise Refused(404, "EntryNotFound")
    etag = hashlib.sha256(data).hexdigest() if is_large(name) else git_hash(data)
    door._say(200, data, {"ETag": f'"{etag}"', "X-Repo-Commit": sha, "Accept-Ranges": "none"})


def create(door, hub, body):
    asked = json.loads(body)
    repo = f"{asked['organization']}/{asked['name']}"
    if not door.headers.get("Authorization", "").endswith(TOKEN):
        raise Refused(401, "Unauthorized")
    if repo in hub.branches:
        return door._say(409, json.dumps({"url": f"{hub.endpoint}/{repo}", "error": "Conflict"}).encode())
    hub.make(repo, asked.get("private") or asked.get("visibility") == "private")
    return door.tell({"url": f"{hub.endpoint}/{repo}", "name": repo, "id": repo})


def branch(door, hub, body, repo, name):
    sha = door.known(repo, write=True)
    if name in hub.branches[repo]:
        raise Refused(409, "Conflict")
    hub.branches[repo][name] = sha
    door.tell({})


def preupload(door, hub, body, repo, revision):
    door.known(repo, revision, write=True)
    names = [file["path"] for file in json.loads(body)["files"]]
    modes = [("lfs" if is_large(name) else "regular") for name in names]
    door.tell({"files": [{"path": n, "uploadMode": m, "shouldIgnore": False} for n, m in zip(names, modes)]})


def batch(door, hub, body, repo):
    door.known(repo, write=True)
    wanted = json.loads(body)["objects"]
    upload = [{**one, "actions": {"upload": {"href": f"{hub.endpoint}/put/{one['oid']}"}}} for one in wanted]
    door.tell({"transfer": "basic", "objects": upload})


def put(door, hub, body, oid):
    assert hashlib.sha256(body).hexdigest() == oid
    hub.blobs[oid] = body
    door._say(200, b"")


def commit(door, hub, body, repo, revision):
    door.known(repo, revision, write=True)
    files, removed = {}, []
    for line in body.decode().splitlines():
        one = json.loads(line)
        if one["key"] == "file":
            files[one["value"]["path"]] = base64.b64decode(one["value"]["content"])
        elif one["key"] == "lfsFile":
            files[one["value"]["path"]] = hub.blobs[one["value"]["oid"]]
        elif one["key"] == "deletedFile":
            removed.append(one["value"]["path"])
    sha = hub.commit(repo, files, removed, revision)
    door.tell({"success": True, "commitOid": sha, "commitUrl": f"{hub.endpoint}/{repo}/commit/{sha}"})


NAME = r"([^/]+/[^/]+)"
ROUTES = [
    (rf"GET /api/models/{NAME}", info),
    (rf"GET /api/models/{NAME}/revision/(.+)", info),
    (rf"GET /api/models/{NAME}/tree/([^/]+)", tree),
    (rf"(?:GET|HEAD) /{NAME}/resolve/([^/]+)/(.+)", resolve),
    (r"POST /api/repos/create", create),
    (rf"POST /api/models/{NAME}/branch/(.+)", branch),
    (rf"POST /api/models/{NAME}/preupload/(.+)", preupload),
    (rf"POST /{NAME}\.git/info/lfs/objects/batch", batch),
    (r"PUT /put/(\w+)", put),
    (rf"POST /api/models/{NAME}/commit/(.+)", commit),
    (r"POST /api/validate-yaml", lambda door, hub, body: door.tell({"errors": [], "warnings": []})),
]


@contextmanager
def standing_in():
    """A hub without repositories, until the block ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    server.daemon_threads = True
    server.hub = Hub()
    server.hub.endpoint = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server.hub
    finally:
        server.shutdown()
        server.server_close()
