"""What every AWS call goes through on its way to moto: it is noted down, meets its fault, and has moto to itself."""

import json
import socket
import traceback
from io import BytesIO
from xml.sax.saxutils import escape

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.wrappers import Request, Response

from calls import Call
from faults import Fault, Faults
from world import World


class Gateway:
    def __init__(self, world: World, faults: Faults) -> None:
        self.calls: list[Call] = []
        # Seconds by which the clock of AWS is ahead of this machine's, as its answers tell it.
        self.clock_ahead: float = 0
        self._world = world
        self._faults = faults
        self._moto = DomainDispatcherApplication(create_backend_app)

    def answer(self, environ: dict) -> Response:
        body = Request(environ).get_data()
        environ |= {"wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        call = Call.of(Request(environ))
        self.calls.append(call)
        fault = self._faults.meet(call)
        environ["wsgi.input"].seek(0)
        response = self._fail(environ, fault) if fault else self._carry_out(environ)
        call.answered(response)
        return response

    def _fail(self, environ: dict, fault: Fault) -> Response:
        response = self._carry_out(environ) if fault.after else None
        if fault.hold:
            fault.released.wait()
            # A call that was held on its way to AWS has not come there, if its caller is gone by now.
            if is_gone(environ["werkzeug.socket"]):
                raise ConnectionResetError("the caller is gone")
        if fault.code:
            return error(fault, is_json="HTTP_X_AMZ_TARGET" in environ)
        if fault.hold:
            return response or self._carry_out(environ)
        environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        raise ConnectionResetError("the test wants no answer")

    def _carry_out(self, environ: dict) -> Response:
        with self._world.lock:
            try:
                return Response.from_app(self._moto, environ, buffered=True)
            except Exception:
                traceback.print_exc()
                return Response("moto failed; the reason is in the launcher's stderr", 500)


def is_gone(connection: socket.socket) -> bool:
    try:
        return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def error(fault: Fault, is_json: bool) -> Response:
    if is_json:
        body = json.dumps({"__type": fault.code, "message": fault.message})
        return Response(body, fault.status, content_type="application/x-amz-json-1.1")
    code, message = escape(fault.code), escape(fault.message)
    body = (
        f"<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>"
        "<RequestID>fault</RequestID></Response>"
    )
    return Response(body, fault.status, content_type="text/xml")
