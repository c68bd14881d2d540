"""One application for all of Python's servers, by WSGI and by ASGI."""

TEXT = b"hello from python\n"
HEADERS = [("Content-Type", "text/plain"), ("Content-Length", str(len(TEXT)))]


def application(_environ, start_response):
    start_response("200 OK", HEADERS)
    return [TEXT]


async def asgi(scope, _receive, send):
    assert scope["type"] == "http"
    headers = [(name.encode(), value.encode()) for name, value in HEADERS]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": TEXT})
