"""An HTTP server of one's own for a test: what the tested server calls, and what it is answered."""

import socket
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from deployment import free_port


def outbound(*ports):
    """Lets a server call receivers on this machine."""
    return f"outbound:\n  ranges: [127.0.0.0/8]\n  plain-http: true\n  ports: {list(ports)}\n"


@dataclass
class Call:
    path: str
    headers: dict
    body: bytes
    at: float


class Receiver:
    """Remembers its calls in order; `answer` gives (status, headers, body) for each, and may take its time."""

    def __init__(self, answer=lambda call: (204, {}, b"")):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.answer = answer
        self.calls = []
        self.came = threading.Condition()
        self.server = None
        self.connections = set()

    def start(self):
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                super().setup()
                receiver.connections.add(self.connection)

            def finish(self):
                receiver.connections.discard(self.connection)
                super().finish()

            def take(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                call = Call(self.path, headers, body, time.time())
                with receiver.came:
                    receiver.calls.append(call)
                    receiver.came.notify_all()
                status, fields, content = receiver.answer(call)
                self.send_response(status)
                for name, value in fields.items():
                    self.send_header(name, value)
                if status != 204:
                    self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = take

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        # A caller that is killed is no news.
        self.server.handle_error = lambda *_: None
        threading.Thread(target=self.server.serve_forever, args=[0.05], daemon=True).start()
        return self

    def stop(self):
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None
            for connection in list(self.connections):
                connection.shutdown(socket.SHUT_RDWR)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def to(self, path):
        return [call for call in self.calls if call.path == path]

    def wait(self, path, count, seconds=20):
        """The calls to a path, as soon as there are so many."""
        with self.came:
            assert self.came.wait_for(lambda: len(self.to(path)) >= count, seconds), (
                f"{len(self.to(path))} instead of {count} calls to {path} in {seconds} s"
            )
            return self.to(path)
