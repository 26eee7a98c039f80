"""A judge on loopback that speaks the chat-completions protocol, and misbehaves on demand."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

GRADES = '{"grammar": 8, "creativity": 7, "consistency": 6}'
USAGE = {"prompt_tokens": 300, "completion_tokens": 20, "total_tokens": 320}


class JudgeServer:
    """`plan` holds what the next requests get, in order; behind its end all get GRADES.

    An entry is a reply's text, or (status, headers, body), or "hang" or "cut". Replies take `delay`
    seconds, error statuses none.
    """

    def __init__(self, key=None):
        self.key, self.plan, self.hung = key, [], threading.Event()
        self.requests = []  # (time, body) of each
        self.lock, self.busy, self.most_busy = threading.Lock(), 0, 0
        self.delay = 0.0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                outer.answer(self)

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/v1"

    def __enter__(self):
        threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.hung.set()
        self.http.shutdown()
        self.http.server_close()

    def answer(self, handler):
        body = json.loads(handler.rfile.read(int(handler.headers["Content-Length"])))
        with self.lock:
            self.requests.append((time.monotonic(), body))
            self.busy += 1
            self.most_busy = max(self.most_busy, self.busy)
            step = self.plan.pop(0) if self.plan else GRADES
        try:
            if isinstance(step, str):
                time.sleep(self.delay)
            self._answer(handler, step, body)
        finally:
            with self.lock:
                self.busy -= 1

    def _answer(self, handler, step, body):
        given = handler.headers.get("Authorization", "")
        if handler.path != "/v1/chat/completions":
            step = (404, {}, error(f"no {handler.path}"))
        elif self.key is not None and given != f"Bearer {self.key}":
            # as servers do that have not thought of it, with the key in the message
            step = (401, {}, error(f"Incorrect API key provided: {given}"))
        if step == "hang":
            self.hung.wait(30)
        if step in ("hang", "cut"):
            handler.close_connection = True
            handler.connection.close()
            return
        status, headers, text = step if isinstance(step, tuple) else (200, {}, reply(step, body))
        text = text.replace("{given}", given).encode()
        handler.send_response(status)
        for name, value in {
            "Content-Type": "application/json", "Content-Length": len(text), **headers
        }.items():  # fmt: skip
            handler.send_header(name, str(value))
        handler.end_headers()
        handler.wfile.write(text)


def reply(content, body, usage=USAGE, finish="stop", **message):
    """The body of a good answer."""
    message = {"role": "assistant", "content": content, **message}
    choice = {"index": 0, "message": message, "finish_reason": finish}
    answer = {
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1,
        "model": f"{body.get('model')}-0125", "choices": [choice], "usage": usage,
    }  # fmt: skip
    return json.dumps(answer)


def error(message, code=None):
    """The body of an answer with an error status."""
    return json.dumps({"error": {"message": message, "type": "error", "code": code}})
