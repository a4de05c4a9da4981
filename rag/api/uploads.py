"""The operations that change the documents: upload, what became of it, delete."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Annotated, Any

import anyio
from fastapi import FastAPI, Path, Query, Request, Response
from pydantic import Field
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from index.errors import DocumentKept, IntakeFull
from index.intake import Intake
from rag.api import problems
from rag.api.declared import declares
from rag.api.document_schemas import JobOut, JobsOut
from rag.api.documents import DocumentIdIn, unknown_document
from rag.api.limits import caller_of
from rag.settings import RagSettings

PATH = "/v1/documents"

_FIELD = "files"
_TYPE = "multipart/form-data"
# Fields beside the files: there are none, so a few are enough to say what is wrong.
_MOST_FIELDS = 20
# What the form adds around the files: boundaries, names, types.
_FORM_BYTES = 1_000_000
# Requests whose bodies are received at once, of all and of one caller: each may fill `max_upload_mb` of the temporary
# folder, and one caller's slow ones must leave room for the others'.
_RECEIVED_AT_ONCE = 8
_RECEIVED_OF_ONE = 4
_RETRY_SECONDS = "10"
_HOW = f"send the files as {_TYPE} in the field `{_FIELD}`"
_BODY = {
    "required": True,
    "content": {
        _TYPE: {
            "schema": {
                "type": "object",
                "required": [_FIELD],
                "additionalProperties": False,
                "properties": {
                    _FIELD: {
                        "type": "array",
                        "minItems": 1,
                        "items": {"type": "string", "format": "binary"},
                        "description": "Documents in any format that is read; the content decides which.",
                    }
                },
            }
        }
    },
}

JobIdIn = Annotated[str, Path(max_length=64, description="The id of the upload.")]
FilesIn = Annotated[
    list[Annotated[int, Field(ge=0, le=2**31)]] | None,
    Query(
        max_length=1000, description="Only the files at these places, from 0; without it all.", examples=[[0]]
    ),
]


def most_bytes(settings: RagSettings) -> int:
    """Bytes of the body of an upload."""
    return int(settings.max_upload_mb * 1_000_000) + _FORM_BYTES


def add_uploads(app: FastAPI, intake: Intake | None, settings: RagSettings) -> None:
    """Add the operations to an application; without an intake they say that no documents are taken."""
    receiving = _Receiving()
    _add_upload(app, intake, settings, receiving)
    _add_jobs(app, intake)
    _add_cancelling(app, intake)
    _add_deletion(app, intake)


class _Receiving:
    """Who sends uploads just now. Used in the event loop's thread alone."""

    def __init__(self) -> None:
        self._by_caller: Counter[str] = Counter()

    def enter(self, caller: str) -> bool:
        """Take a place, if there is one."""
        if self._by_caller.total() >= _RECEIVED_AT_ONCE or self._by_caller[caller] >= _RECEIVED_OF_ONE:
            return False
        self._by_caller[caller] += 1
        return True

    def leave(self, caller: str) -> None:
        """Give it back."""
        self._by_caller[caller] -= 1
        if not self._by_caller[caller]:
            del self._by_caller[caller]


def _add_upload(app: FastAPI, intake: Intake | None, settings: RagSettings, receiving: _Receiving) -> None:
    @app.post(
        PATH,
        tags=["documents"],
        summary="Upload documents",
        status_code=202,
        response_model=JobOut,
        responses=problems.responses(400, 413, 415, 422, 503),
        openapi_extra={"requestBody": _BODY},
    )
    @declares("write")
    async def upload(request: Request, response: Response) -> Any:
        """Take files in and index them in their order; the job tells what becomes of each.

        A file that cannot be a document is refused with its reason, and the others go on. Once this is answered,
        nothing is lost, whatever ends the server. The names of files are kept as far as they are plain.
        """
        if intake is None:
            return _off()
        caller = caller_of(request.scope)
        if not receiving.enter(caller):
            return _full("many uploads are being received: try again later")
        try:
            form = await _form(request, most_files=settings.max_upload_files)
            try:
                given = [(file.filename or "", file.file) for file in _files(form)]
                job = await anyio.to_thread.run_sync(intake.submit, given)
            finally:
                await form.close()
        except IntakeFull as error:
            return _full(str(error))
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it
        finally:
            receiving.leave(caller)
        response.headers["Location"] = f"{PATH}/jobs/{job.id}"
        return JobOut.of(job)


def _add_jobs(app: FastAPI, intake: Intake | None) -> None:
    @app.get(
        f"{PATH}/jobs",
        tags=["documents"],
        summary="List the uploads",
        response_model=JobsOut,
        responses=problems.responses(422, 503),
    )
    @declares("read")
    def jobs(
        limit: Annotated[int, Query(ge=1, le=200, description="At most so many.")] = 20,
    ) -> Any:
        """Return the latest uploads, the newest first."""
        if intake is None:
            return _off()
        return JobsOut(jobs=[JobOut.of(job) for job in intake.jobs(limit=limit)], waiting=intake.waiting())

    @app.get(
        f"{PATH}/jobs/{{job_id}}",
        tags=["documents"],
        summary="What became of an upload?",
        response_model=JobOut,
        responses=problems.responses(404, 422, 503),
    )
    @declares("read")
    def job(job_id: JobIdIn) -> Any:
        """Return how far an upload is, file by file."""
        if intake is None:
            return _off()
        found = intake.job(job_id)
        return _unknown_job(job_id) if found is None else JobOut.of(found)


def _add_cancelling(app: FastAPI, intake: Intake | None) -> None:
    @app.delete(
        f"{PATH}/jobs/{{job_id}}",
        tags=["documents"],
        summary="Cancel an upload",
        response_model=JobOut,
        responses=problems.responses(404, 422, 503),
    )
    @declares("write")
    def cancel(job_id: JobIdIn, file: FilesIn = None) -> Any:
        """Give up the files of an upload that are no documents yet, the one that is being read too.

        Once this is answered, nothing becomes a document of them: they are `refused` with the reason `cancelled`. What
        is indexed already stays; delete it as a document.
        """
        if intake is None:
            return _off()
        found = intake.cancel(job_id, files=file)
        return _unknown_job(job_id) if found is None else JobOut.of(found)


def _add_deletion(app: FastAPI, intake: Intake | None) -> None:
    @app.delete(
        f"{PATH}/{{document_id}}",
        tags=["documents"],
        summary="Delete an uploaded document",
        status_code=204,
        responses=problems.responses(404, 409, 422, 503),
    )
    @declares("write")
    def delete(document_id: DocumentIdIn) -> Response:
        """Delete a document that was uploaded: from now on no answer rests on it.

        Documents of other folders are refused with 409: their files belong to whoever keeps the folder.
        """
        if intake is None:
            return _off()
        try:
            found = intake.delete(document_id)
        except DocumentKept as error:
            return problems.of_status(409, str(error), name="document-kept")
        return Response(status_code=204) if found else unknown_document(document_id)


def _unknown_job(job_id: str) -> Response:
    detail = f"there is no upload {job_id!r}, or it was long ago: GET {PATH}/jobs lists them"
    return problems.of_status(404, detail, name="job-unknown")


def _off() -> Response:
    return problems.of_status(
        503,
        "this process does not change the documents: start it with `rag serve`, and with RAG_SHARED_DIR where "
        "RAG_DATABASE_URL is set",
        name="uploads-off",
    )


def _full(detail: str) -> Response:
    return problems.of_status(503, detail, name="uploads-full", headers={"Retry-After": _RETRY_SECONDS})


class _WholeForm(MultiPartParser):
    """Refuses a form without its closing boundary, which the library takes for a whole one."""

    def __init__(self, request: Request, *, most_files: int) -> None:
        pieces = self._to_the_end(request.stream())
        super().__init__(request.headers, pieces, max_files=most_files, max_fields=_MOST_FIELDS)
        self._ended = False

    def on_end(self) -> None:
        self._ended = True

    async def _to_the_end(self, pieces: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
        async for piece in pieces:
            yield piece
        if not self._ended:
            raise MultiPartException("The form ends before its last boundary.")


async def _form(request: Request, *, most_files: int) -> FormData:
    """The form of a request, its files on the disk.

    Raises:
        HTTPException: 415 and 400 for what is no form or a broken one.
    """
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != _TYPE:
        raise HTTPException(415, f"the body is not {_TYPE}: {_HOW}")
    try:
        return await _WholeForm(request, most_files=most_files).parse()
    except MultiPartException as error:
        raise HTTPException(400, f"{error.message.rstrip('.')}: {_HOW}, at most {most_files}") from error


def _files(form: FormData) -> list[UploadFile]:
    """The files of a form; a field of a page in which none was chosen has neither name nor content.

    Raises:
        HTTPException: there is another field, or text where a file should be.
    """
    found = []
    for field, value in form.multi_items():
        if field != _FIELD:
            raise HTTPException(422, f"the field {field[:100]!r} is not known: {_HOW}")
        if not isinstance(value, UploadFile):
            raise HTTPException(422, f"the field `{_FIELD}` holds text: give each file a file name")
        if value.filename or value.size:
            found.append(value)
    return found
