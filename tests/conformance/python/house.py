"""The sandbox as a merchant's engineer has it: credentials, the customer's hand, and a place for notifications."""

import json
import pathlib
import queue
import sys
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FOLDER = pathlib.Path(sys.argv[1])
CREDENTIALS = json.loads((FOLDER / "credentials.json").read_text())
BASE = CREDENTIALS["base_url"]
PATIENCE = 60


def file(name):
    """The text of a file that credentials.json names."""
    return (FOLDER / name).read_text()


def number(what):
    """A merchant's number that was never used before."""
    number.count += 1
    return f"PY{what}{int(time.time() * 1000)}{number.count:03}"


number.count = 0


def control(path, body=None):
    """A control call of the sandbox's."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(BASE + path, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        return json.loads(answer.read() or b"null")


def payment_code(wallet):
    """A fresh payment code of a wallet's."""
    return control(f"/sandbox/wallets/{wallet}/code", {})["auth_code"]


def scan(wallet, payload, confirm=True):
    """The customer scans a shown code."""
    return control(f"/sandbox/wallets/{wallet}/scan", {"payload": payload, "confirm": confirm})


def same(got, wanted, what):
    """Ends the story where two things differ."""
    if got != wanted:
        raise SystemExit(f"{what}: {got!r} where {wanted!r} was expected")


class Receiver:
    """Takes notifications: `check` says whether one is taken; refused ones come again."""

    def __init__(self, check, answer):
        self.taken = queue.Queue()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                good = check(self.headers, body)
                status, kind, text = answer(good)
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)
                receiver.taken.put((good, body))

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/notified"

    def next(self):
        """The next notification's verdict and body."""
        return self.taken.get(timeout=PATIENCE)
