"""Mail: EML by the standard library, Outlook's MSG by python-oxmsg. Headers, text, attachments."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage

import regex

from index.errors import ReadError
from index.readers.archive import broken, undamaged
from index.readers.blocks import Block, Extract
from index.readers.html import read_page
from index.readers.plain import read_plain
from index.readers.tables import record

ReadPart = Callable[[bytes, str], Extract]
"""Reads an attachment: its bytes and its name."""

_EML = "message/rfc822"
_MSG = "application/vnd.ms-outlook"
_HEADERS = ("From", "To", "Cc", "Date", "Subject")
_MAIL_HEADER = regex.compile(
    r"^(?:From|To|Cc|Date|Subject|Received|Return-Path|Message-ID|MIME-Version|Reply-To):", regex.I
)
_HEADER_LINE = regex.compile(r"^[!-9;-~]{1,60}:[ \t]|^[ \t]+\S|^[!-9;-~]{1,60}:$")
# A file that begins as a mail has at least so many header fields that every mail has.
_FEWEST_HEADERS = 2
# A draft was sent when Windows' clock began, in 1601.
_FIRST_YEAR = 1970
# What a mail program puts before the lines that a reply quotes.
_QUOTED = regex.compile(r"^>+ ?")


def is_mail(text: str) -> bool:
    """Whether a text is a mail by its first lines: header fields only, several of those that mails have."""
    head = text.lstrip().partition("\n\n")[0].split("\n")[:100]
    return len(
        {line.partition(":")[0].lower() for line in head if _MAIL_HEADER.match(line)}
    ) >= _FEWEST_HEADERS and all(_HEADER_LINE.match(line) for line in head if line.strip())


def read_mail(data: bytes, *, read_part: ReadPart) -> Extract:
    """The headers, text and attachments of an EML file; each attachment under its name as a heading.

    An attachment that is no document is left out.

    Raises:
        ReadError: `broken` when it is damaged.
    """
    return undamaged(lambda: _read_mail(data, read_part), "the mail")


def _read_mail(data: bytes, read_part: ReadPart) -> Extract:
    message = message_from_bytes(data, policy=policy.default)
    if not isinstance(message, EmailMessage):
        raise broken("the mail")
    headers = [(name, str(message[name] or "")) for name in _HEADERS]
    body = message.get_body(preferencelist=("plain", "html"))
    text: list[Block] = []
    if body is not None:
        content = str(body.get_content())
        text = read_page(content) if body.get_content_subtype() == "html" else _plain(content)
    attached = [
        (part.get_filename() or "attachment", part.get_payload(decode=True))
        for part in message.iter_attachments()
    ]
    files = [(name, content) for name, content in attached if isinstance(content, bytes)]
    return _mail(headers, text, files, read_part, _EML)


def read_outlook(data: bytes, *, read_part: ReadPart) -> Extract:
    """The headers, text and attachments of an MSG file, as `read_mail`.

    Raises:
        ReadError: `broken` when it is damaged.
    """
    return undamaged(lambda: _read_outlook(data, read_part), "the Outlook mail")


def _read_outlook(data: bytes, read_part: ReadPart) -> Extract:
    # Imported here because it is needed for Outlook's mails alone.
    from oxmsg import Message

    message = Message.load(io.BytesIO(data))
    fields = {name.lower(): value for name, value in message.message_headers.items()}
    to = ", ".join(f"{each.name} <{each.email_address}>" for each in message.recipients)
    day = message.sent_date
    sent = "" if day is None or day.year < _FIRST_YEAR else day.isoformat(sep=" ", timespec="minutes")
    headers = [
        ("From", message.sender or fields.get("from", "")),
        ("To", to or fields.get("to", "")),
        ("Cc", fields.get("cc", "")),
        ("Date", sent or fields.get("date", "")),
        ("Subject", message.subject or ""),
    ]
    text = _plain(message.body) if message.body else read_page(message.html_body or "<p></p>")
    files = [
        (each.file_name or "attachment", each.file_bytes) for each in message.attachments if each.file_bytes
    ]
    return _mail(headers, text, files, read_part, _MSG)


def _plain(text: str) -> list[Block]:
    """The paragraphs of a mail's text, quoted ones too, without the marks before their lines."""
    lines = text.replace("\r\n", "\n").split("\n")
    blocks = read_plain("\n".join(_QUOTED.sub("", line) for line in lines)).blocks
    return [
        replace(block, kind="body") for block in blocks
    ]  # a mail begins with a greeting, not with a headline


def _mail(
    headers: list[tuple[str, str]],
    text: list[Block],
    files: list[tuple[str, bytes]],
    read_part: ReadPart,
    media_type: str,
) -> Extract:
    subject = headers[-1][1].strip()
    blocks = [Block(record([each]), kind="row", tight=i > 0) for i, each in enumerate(headers) if each[1]]
    blocks += [block for block in text if block.text.strip()]
    for name, content in files:
        blocks += _attachment(name, content, read_part)
    return Extract(tuple(blocks), media_type, title=subject or None)


def _attachment(name: str, content: bytes, read_part: ReadPart) -> Iterator[Block]:
    try:
        extract = read_part(content, name)
    except ReadError:
        return
    yield Block(name, kind="heading", level=0)
    yield from extract.blocks
