"""Responses to errors, each in the format of the path that was asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus

from fastapi import Request, Response
from starlette.exceptions import HTTPException
from starlette.types import Scope

from maskdet.errors import MaskdetError
from maskdet.serving.http.access import note_error, request_id
from maskdet.serving.http.problems import problem_response
from maskdet.serving.refusals import MalformedBody, UnknownRoute, WrongMethod

ErrorForm = Callable[[Exception], Response]


class ErrorAnswers:
    """Answers what no route's own class of errors does."""

    def __init__(self, forms: Mapping[str, ErrorForm]) -> None:
        """`forms`: by the start of their paths, those that have a format of their own."""
        self._forms = dict(forms)

    def answer(self, scope: Scope, error: Exception) -> Response:
        """The response; the error is noted in the access log."""
        note_error(scope, error)
        for start, form in self._forms.items():
            if f"{scope['path']}/".startswith(f"{start}/"):
                return form(error)
        return problem_response(error, request_id(scope))

    async def on_error(self, request: Request, error: Exception) -> Response:
        """For FastAPI."""
        return self.answer(request.scope, error)

    async def on_http_error(self, request: Request, error: Exception) -> Response:
        """Starlette's own refusals, in our format."""
        status = error.status_code if isinstance(error, HTTPException) else HTTPStatus.INTERNAL_SERVER_ERROR
        refusal: MaskdetError
        if status == HTTPStatus.NOT_FOUND:
            refusal = UnknownRoute("there is nothing at this path", "see /docs for the routes")
        elif status == HTTPStatus.METHOD_NOT_ALLOWED:
            refusal = WrongMethod(f"this path does not support {request.method}", "see /docs for the routes")
        else:
            refusal = MalformedBody("the request cannot be understood", "see /docs for the routes")
        response = self.answer(request.scope, refusal)
        if isinstance(error, HTTPException) and error.headers:
            response.headers.update(error.headers)
        return response
