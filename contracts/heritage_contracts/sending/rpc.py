"""The wire: JSON-RPC over a web3.py provider, without web3.py's formatting.

What goes out and comes back is plain JSON. An answer is one of three things: a result, a refusal (the node answered
with an error), or silence (`UnreachableError`: nobody answered, or not in time, so whether the request took effect is
unknown). The three are kept apart because they are recovered from differently.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from http.client import HTTPConnection, HTTPException
from typing import Any, Protocol, cast

from heritage_sim.base import InputError, LedgerError

BATCH_REQUESTS = 250
"""Most requests in one batch; Anvil leaves transactions of larger ones queued for ever."""
TIMEOUT_S = 20.0
"""How long an answer may take."""


class Provider(Protocol):
    """The part of web3.py's providers that is used."""

    def make_request(self, method: Any, params: Any) -> Any:
        """Return the JSON-RPC response to one request."""
        ...


class UnreachableError(LedgerError):
    """Nobody answered; whether the request took effect is not known."""


class RefusedError(LedgerError):
    """The node answered with an error.

    Parameters
    ----------
    refusal : Refusal
        What it said.
    where : str
        Method and node.
    """

    def __init__(self, refusal: Refusal, where: str) -> None:
        super().__init__(f"the node refused: {refusal.message}", where)
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class Refusal:
    """A node's error answer.

    Parameters
    ----------
    code : int
        JSON-RPC error code.
    message : str
        What the node says.
    data : str
        Revert data in hexadecimal, or empty.
    """

    code: int
    message: str
    data: str = ""


class Rpc:
    """A node, asked through a provider.

    Parameters
    ----------
    provider : Provider
        ``make_request``, and ``make_batch_request`` where it has batches.
    name : str
        How the node is called in messages, such as its URL without what may be secret in it.
    """

    def __init__(self, provider: Provider, name: str) -> None:
        self.name = name
        self.use(provider)

    def use(self, provider: Provider) -> None:
        """Ask through another provider from now on: a node that was started again has another address."""
        self._provider = provider
        self._batch: Any = getattr(provider, "make_batch_request", None) if _has_batches(provider) else None

    def ask(self, method: str, *params: Any) -> Any:
        """Return a method's result.

        Parameters
        ----------
        method : str
            JSON-RPC method.
        *params : Any
            Its parameters.

        Returns
        -------
        Any
            Plain JSON.

        Raises
        ------
        RefusedError
            If the node answered with an error.
        UnreachableError
            If nobody answered.
        """
        answer = self._answered(method, partial(self._provider.make_request, method, list(params)))
        result = _result(answer)
        if isinstance(result, Refusal):
            raise RefusedError(result, f"{method} on {self.name}")
        return result

    def ask_many(self, method: str, params: Sequence[Sequence[Any]]) -> list[Any]:
        """Return a method's results for several parameter lists, a `Refusal` where the node answered with an error.

        Parameters
        ----------
        method : str
            JSON-RPC method.
        params : sequence
            Parameters of each request; sent in batches of `BATCH_REQUESTS` where the provider has batches.

        Returns
        -------
        list
            In the order of ``params``.

        Raises
        ------
        UnreachableError
            If nobody answered one of the batches, or answered to fewer requests than were in it.
        """
        if self._batch is None or len(params) == 1:
            ask = self._provider.make_request
            return [_result(self._answered(method, partial(ask, method, list(each)))) for each in params]
        results: list[Any] = []
        for first in range(0, len(params), BATCH_REQUESTS):
            part = [(method, list(each)) for each in params[first : first + BATCH_REQUESTS]]
            answers = self._answered(method, partial(self._batch, part))
            # A node that takes the batch as a whole for an error gives one answer.
            listed = cast("list[Any]", answers) if isinstance(answers, list) else [answers] * len(part)
            if len(listed) != len(part):
                raise UnreachableError(f"{len(listed)} of {len(part)} requests were answered", f"{method}, {self.name}")
            results += [_result(answer) for answer in listed]
        return results

    def _answered(self, method: str, request: Callable[[], Any]) -> Any:
        import requests

        try:
            return request()
        except (requests.RequestException, HTTPException, OSError, ValueError) as error:
            # ValueError: half an answer is not JSON. The request itself is left out: it may hold what is signed.
            raise UnreachableError(
                f"the node does not answer ({type(error).__name__})",
                f"{method}, {self.name}",
                "Check that it runs and that its address is right.",
            ) from None


def http_rpc(url: str, timeout_s: float = TIMEOUT_S) -> Rpc:
    """Return the node behind a URL; its name in messages is the URL without user, path and query.

    Parameters
    ----------
    url : str
        Such as ``http://127.0.0.1:8545``.
    timeout_s : float
        How long an answer may take, seconds.

    Returns
    -------
    Rpc

    Raises
    ------
    InputError
        If that is no address of a node.
    """
    name = public_name(url)
    return Rpc(http_provider(url, timeout_s), name)


def http_provider(url: str, timeout_s: float = TIMEOUT_S) -> Provider:
    """Return web3.py's HTTP provider without retries of its own: what is sent again is decided in one place."""
    from web3 import HTTPProvider

    return HTTPProvider(url, request_kwargs={"timeout": timeout_s}, exception_retry_configuration=None)


class LoopbackProvider:
    """JSON-RPC over one kept connection to a node on this machine: a third of the CPU of a general HTTP client.

    Parameters
    ----------
    port : int
        Where it listens on 127.0.0.1.
    timeout_s : float
        How long an answer may take, seconds.
    """

    has_batches = True

    def __init__(self, port: int, timeout_s: float = TIMEOUT_S) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=timeout_s)

    def make_request(self, method: Any, params: Any) -> Any:
        """Return the response to one request."""
        return self._exchange({"jsonrpc": "2.0", "id": 0, "method": method, "params": params})

    def make_batch_request(self, requests: Sequence[tuple[Any, Any]]) -> Any:
        """Return the responses to a batch, in the order of its requests."""
        answers = self._exchange(
            [{"jsonrpc": "2.0", "id": i, "method": m, "params": p} for i, (m, p) in enumerate(requests)]
        )
        if not isinstance(answers, list):
            return answers
        return sorted(cast("list[dict[str, Any]]", answers), key=lambda answer: int(answer["id"]))

    def _exchange(self, request: Any) -> Any:
        try:
            body = json.dumps(request, separators=(",", ":")).encode()
            self._connection.request("POST", "/", body, {"Content-Type": "application/json"})
            return json.loads(self._connection.getresponse().read())
        except BaseException:
            # Whatever is still on its way belongs to nobody; the next request takes a new connection.
            self._connection.close()
            raise


def public_name(url: str) -> str:
    """Return a URL's scheme, host and port: hosted nodes carry their access key in the path.

    Parameters
    ----------
    url : str
        Such as ``https://node.example/access-key``.

    Returns
    -------
    str

    Raises
    ------
    InputError
        If that is no address of a node. It is not repeated: a mistyped one may hold a key as well.
    """
    from urllib.parse import urlsplit

    parts, port = None, ""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        parts = None
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        raise InputError("this is no address of a node", "rpc", "Give one such as http://127.0.0.1:8545.")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}{port}"


def _has_batches(provider: Provider) -> bool:
    """Return whether a provider sends batches: web3.py's base class has the method and no way to answer it."""
    from web3.providers.base import JSONBaseProvider

    return isinstance(provider, JSONBaseProvider) or bool(getattr(provider, "has_batches", False))


def _result(answer: Any) -> Any:
    if not isinstance(answer, dict):
        raise UnreachableError("the answer is no JSON-RPC response", "node")
    fields = cast("dict[str, Any]", answer)
    error: Any = fields.get("error")
    if error is None:
        return fields.get("result")
    if not isinstance(error, dict):
        return Refusal(0, str(error))
    known = cast("dict[str, Any]", error)
    data = known.get("data")
    return Refusal(int(known.get("code", 0)), str(known.get("message", "")), data if isinstance(data, str) else "")
