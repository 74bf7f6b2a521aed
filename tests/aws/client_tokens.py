"""What was made under which client token, so that asking again makes nothing twice."""

from typing import Any


class OtherParameters(Exception):
    """The token was used before, with other parameters; `made` is what came of that."""

    def __init__(self, made: Any) -> None:
        super().__init__("this client token was used with other parameters")
        self.made = made


class ClientTokens:
    """The tokens of one action, each within its scope: a region, or a zone. AWS forgets them after a day or more, which
    no test waits for."""

    def __init__(self, parameter: str) -> None:
        self._parameter = parameter
        self._used: dict[tuple[str, str], tuple[dict, Any]] = {}

    def recall(self, scope: str, request: dict) -> Any | None:
        """What the same request made before, if it did."""
        token, parameters = self._split(request)
        if (scope, token) not in self._used:
            return None
        before, made = self._used[scope, token]
        if before != parameters:
            raise OtherParameters(made)
        return made

    def remember(self, scope: str, request: dict, made: Any) -> None:
        token, parameters = self._split(request)
        if token:
            self._used[scope, token] = (parameters, made)

    def _split(self, request: dict) -> tuple[str | None, dict]:
        parameters = {name: value for name, value in request.items() if name != self._parameter}
        return request.get(self._parameter), parameters
