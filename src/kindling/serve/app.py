"""The web application: the page, /health, /schema, /openapi.json and POST /predict.

One thread predicts; at most Limits.waiting requests are read or wait for it in the event loop.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.responses import Response

from kindling.bundle.predictor import Predictor
from kindling.serve.answer import (
    CSV_TYPE,
    JSON_TYPE,
    Errors,
    Predictions,
    csv_response,
    error_response,
    json_response,
    refuse,
    to_json,
)
from kindling.serve.fields import body_schema, describe_model
from kindling.serve.middleware import Limits, RequestMiddleware, check_names
from kindling.serve.service import CSV, IMAGE, JSON, PredictionService, Upload
from kindling.version import __version__

PAGE = Path(__file__).parent / "page"
MEDIA_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"model": Predictions, "content": {CSV_TYPE: {}}},
    **{
        status: {"model": Errors, "description": reason}
        for status, reason in {
            403: "Asked by another page",
            408: "Not sent within the time",
            413: "Too large",
            415: "Another type of content",
            422: "Not what it must be",
            503: "Too many requests, or too slow",
        }.items()
    },
}
DEFAULTS = Limits()
BINARY_TYPE = "application/octet-stream"  # any file, as in a form: its content tells what it is
FORM_TYPE = "multipart/form-data"
CONTENT_TYPES = {JSON_TYPE: JSON, CSV_TYPE: CSV}


def make_app(model: Predictor, limits: Limits = DEFAULTS, names: Collection[str] = ()) -> FastAPI:
    """Make the application.

    Args:
        model: answers all requests, one at a time.
        limits: bounds on a request.
        names: hosts by whose name it may be asked, beside localhost and addresses.

    Raises:
        ConfigError: one of the names is no name of a host.
    """
    check_names(names)
    service = PredictionService(model, limits)
    target = model.spec.target
    # No docs_url: that page would load its scripts from elsewhere.
    app = FastAPI(title=f"Predict {target}", version=__version__, docs_url=None, redoc_url=None)
    app.add_middleware(RequestMiddleware, limits=limits, names=names)
    app.add_exception_handler(HTTPException, show_error)
    for file in sorted(PAGE.iterdir()):
        show = show_content(file.read_bytes(), MEDIA_TYPES[file.suffix])
        path = "/" if file.name == "index.html" else f"/{file.name}"
        app.add_api_route(path, show, include_in_schema=False)
    about = to_json(describe_model(model.spec, model.schema, limits))
    app.add_api_route("/health", health, summary="Whether it answers")
    app.add_api_route("/schema", show_content(about, JSON_TYPE), summary="What it takes")
    app.add_api_route(
        "/predict",
        PredictEndpoint(service).answer,
        methods=["POST"],
        summary=f"Predict {target}",
        response_class=Response,
        responses=RESPONSES,
        openapi_extra={"requestBody": {"required": True, "content": body_contents(service)}},
    )
    return app


class PredictEndpoint:
    """Answers POST /predict: one thread works, and the others wait for their turn."""

    def __init__(self, service: PredictionService) -> None:
        self.service = service
        self.limits = service.limits
        self.worker = ThreadPoolExecutor(1, "predict")
        self.num_waiting = 0

    async def answer(self, request: Request) -> Response:
        """Predict what the body asks for; as CSV where the client asks for that."""
        if self.num_waiting >= self.limits.waiting:
            raise refuse(503, "too many requests at one time")
        self.num_waiting += 1
        try:
            deadline = time.monotonic() + self.limits.seconds
            try:
                async with asyncio.timeout(self.limits.seconds):
                    uploads = await read_uploads(request, self.service)
            except TimeoutError as error:
                raise refuse(408, "the request did not arrive in time") from error
            as_csv = CSV_TYPE in request.headers.get("accept", "")
            write = csv_response if as_csv else json_response
            # All that takes long runs in the worker: the event loop reads other requests meanwhile.
            return await asyncio.get_running_loop().run_in_executor(
                self.worker, lambda: write(self.service.predict(uploads, deadline))
            )
        finally:
            self.num_waiting -= 1


async def read_uploads(request: Request, service: PredictionService) -> list[Upload]:
    """Return the body as one upload, or each file of a form."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != FORM_TYPE:
        content_type = CONTENT_TYPES.get(media_type, media_type)
        if media_type.startswith("image/"):
            content_type = IMAGE
        elif media_type == BINARY_TYPE:
            content_type = service.file_type
        return [Upload(content_type, "image", await request.body())]
    most = service.limits.images
    async with request.form(max_fields=most, max_files=most) as form:
        files = [file for _, file in form.multi_items() if isinstance(file, UploadFile)]
        # What browsers say of a file's type depends on the machine: it is not looked at.
        return [
            Upload(service.file_type, file.filename or "file", await file.read()) for file in files
        ]


def body_contents(service: PredictionService) -> dict[str, Any]:
    """Return OpenAPI's description of the bodies that this model takes."""
    file = {"type": "string", "format": "binary"}
    form = {"type": "object", "properties": {"file": file}, "required": ["file"]}
    if service.body is None:
        form["properties"] = {"file": {"type": "array", "items": file}}
        bodies = {BINARY_TYPE: {"schema": file}, FORM_TYPE: {"schema": form}}
        return {"image/*": {"schema": file}, **bodies} if service.takes_image_files else bodies
    return {
        JSON_TYPE: {"schema": body_schema(service.body)},
        CSV_TYPE: {"schema": {"type": "string"}},
        BINARY_TYPE: {"schema": file},
        FORM_TYPE: {"schema": form},
    }


def show_content(content: bytes, media_type: str) -> Callable[[], Awaitable[Response]]:
    """Make a route that always shows the same."""

    async def show() -> Response:
        return Response(content, media_type=media_type)

    return show


async def health() -> dict[str, str]:
    """Answer as long as the server does."""
    return {"status": "ok"}


async def show_error(_: Request, error: Exception) -> Response:
    """Show what Starlette refuses by itself, such as an unknown path, as all else is shown."""
    assert isinstance(error, HTTPException)
    return error_response(refuse(error.status_code, error.detail))
