"""XML from strangers: decoded and refused here, before any XML parser sees it.

Cameras and whoever answers a multicast probe are foreign computers. Their bytes are decoded by
us, by a short list of encodings, so that no encoding hides a DOCTYPE; documents with a DOCTYPE
or an entity are refused (SOAP 1.2 part 1 §5 forbids them anyway), and so are documents with more
markup than any camera sends.
"""

import re
from typing import NoReturn
from xml.etree import ElementTree as ET

from hub.domain.errors import ProtocolViolation

MAX_DOCUMENT_BYTES = 4 * 1024 * 1024  # GetProfiles of a 128-channel NVR is about 0.7 MB
MAX_TAGS = 60_000  # the same reply holds about 25,000; zeep takes 2 s for this many
MAX_ATTRIBUTES = 20_000  # it holds about 2,000; zeep takes quadratic time in one element

# Supersets of ASCII, so that a "<" is a "<". Chinese cameras declare the GB ones.
_ENCODINGS = frozenset(
    {"utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "gb2312", "gbk", "gb18030"}
)
_DECLARATION = re.compile(rb"\A\s*<\?xml[^>]{0,200}\?>")
_ENCODING = re.compile(rb"""encoding\s*=\s*["']([A-Za-z0-9._\-]{1,40})["']""")
_FORBIDDEN = re.compile(r"<!\s*(DOCTYPE|ENTITY|ELEMENT|ATTLIST|NOTATION)", re.IGNORECASE)
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_ENTITY = re.compile(r"&(?!(?:lt|gt|amp|quot|apos|#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6});)")


def decode_document(content: bytes) -> str:
    """Decode one XML document, without its declaration, or refuse it.

    Bytes that the encoding does not know become U+FFFD, a stray "&" becomes "&amp;" and control
    characters vanish: cameras send names in the wrong encoding, and the rest of the document
    is still good.

    Raises:
        ProtocolViolation: it is too large, not XML, in another encoding, or has a DOCTYPE.
    """
    if len(content) > MAX_DOCUMENT_BYTES:
        _refuse("is larger than 4 MiB", content)
    content = content.removeprefix(b"\xef\xbb\xbf")
    declaration = _DECLARATION.match(content)
    encoding = "utf-8"
    if declaration:
        named = _ENCODING.search(declaration.group())
        encoding = named.group(1).decode("ascii").lower() if named else encoding
        content = content[declaration.end() :]
    if encoding not in _ENCODINGS:
        _refuse("is in an encoding that is not accepted", content)
    if b"\x00" in content or not content.lstrip().startswith(b"<"):
        _refuse("is not XML", content)
    # GB 2312 in name is GBK in fact on many cameras; GB 18030 reads all three.
    text = content.decode("gb18030" if encoding.startswith("gb") else encoding, "replace")
    if _FORBIDDEN.search(text):
        _refuse("has a DOCTYPE or an entity", content)
    _refuse_excess(text, content)
    return _ENTITY.sub("&amp;", _ILLEGAL.sub("", text)).strip()


def parse_tree(text: str) -> ET.Element:
    """Parse what :func:`decode_document` returned; raises ProtocolViolation."""
    try:
        return ET.fromstring(text)  # noqa: S314 - no DOCTYPE or entity is left in it
    except (ET.ParseError, ValueError) as error:
        msg = f"the answer is not well-formed XML ({error})"
        raise ProtocolViolation(msg, evidence=text[:2048].encode()) from error


def local_name(tag: str) -> str:
    """Return an element's name without its namespace, or without a prefix never declared."""
    return tag.rpartition("}")[2].rpartition(":")[2]


def find_local(element: ET.Element, name: str) -> ET.Element | None:
    """Return the first descendant of that name in any namespace (cameras mix versions)."""
    return next((one for one in element.iter() if local_name(one.tag) == name), None)


def text_of(element: ET.Element | None) -> str:
    """Return the text of an element, stripped; empty when it is missing."""
    return (element.text or "").strip() if element is not None else ""


def _refuse_excess(text: str, content: bytes) -> None:
    """Refuse documents whose tree would cost much more than their bytes."""
    if text.count("<") > MAX_TAGS or text.count("=") > MAX_ATTRIBUTES:
        _refuse("has more elements than a camera sends", content)


def _refuse(why: str, content: bytes) -> NoReturn:
    msg = f"the answer {why}"
    raise ProtocolViolation(msg, evidence=content[:2048])
