"""Danish and English. The English text is the message id; `locale/da.po` holds the Danish one, read once at start.

A person's language is their choice (the cookie `language`, set by `?lang=da` on any page), else what their browser prefers, else English.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from starlette.requests import Request

LANGUAGES: Mapping[str, str] = {"da": "Dansk", "en": "English"}
COOKIE = "language"
_HERE = Path(__file__).parent
_ZONE = ZoneInfo("Europe/Copenhagen")
_UNITS = ("B", "kB", "MB", "GB", "TB")


def marked(text: str) -> str:
    """The text itself: marks a message that is translated later, where it is shown."""
    return text


def load(path: Path = _HERE / "locale" / "da.po") -> dict[str, str]:
    """Message id to Danish text."""
    with path.open("rb") as source:
        catalogue = read_po(source, locale="da")
    return {
        message.id: message.string
        for message in catalogue
        if isinstance(message.id, str) and message.id and isinstance(message.string, str)
    }


@dataclass(frozen=True)
class Language:
    """One language, with its texts. English has none: there the message id is the text."""

    code: str
    texts: Mapping[str, str]

    def text(self, message: str, /, **values: object) -> str:
        """The message in this language, `%(name)s` filled in."""
        found = self.texts.get(message) or message
        return found % values if values else found

    def count(self, number: int) -> str:
        """A whole number with the language's separators."""
        return format_decimal(number, locale=self.code)

    def size(self, number: float) -> str:
        """Bytes in the nearest decimal unit."""
        unit = 0
        while number >= 1000 and unit < len(_UNITS) - 1:
            number /= 1000
            unit += 1
        return f"{format_decimal(round(number, 1 if unit and number < 100 else 0), locale=self.code)} {_UNITS[unit]}"

    def moment(self, value: datetime | None) -> str:
        """A point in time, by Danish clocks."""
        return "" if value is None else format_datetime(value.astimezone(_ZONE), "d MMM y HH:mm", locale=self.code)

    def clock(self, value: datetime | None) -> str:
        """The time of day, by Danish clocks."""
        return "" if value is None else format_datetime(value.astimezone(_ZONE), "HH:mm", locale=self.code)

    def day(self, value: date | None) -> str:
        """A day."""
        return "" if value is None else format_date(value, "d MMM y", locale=self.code)


def day_begin(moment: datetime) -> datetime:
    """Midnight before `moment`, by Danish clocks."""
    return moment.astimezone(_ZONE).replace(hour=0, minute=0, second=0, microsecond=0)


class Languages:
    """Both languages, and which one a request gets."""

    def __init__(self) -> None:
        self.known = {"da": Language("da", load()), "en": Language("en", {})}

    def of(self, request: Request) -> Language:
        """The language of a request."""
        chosen = request.cookies.get(COOKIE, "")
        return self.known.get(chosen) or self.known[preferred(request.headers.get("accept-language", ""))]


def preferred(header: str) -> str:
    """`da` or `en` from an Accept-Language header; Norwegian and Swedish readers get Danish."""
    weighed: list[tuple[float, str]] = []
    for part in header.split(","):
        tag, _, rest = part.strip().partition(";")
        try:
            weight = float(rest.partition("q=")[2] or 1)
        except ValueError:
            weight = 0.0
        primary = tag.split("-")[0].lower()
        code = "da" if primary in ("da", "nb", "nn", "no", "sv") else primary
        if code in LANGUAGES:
            weighed.append((weight, code))
    return max(weighed, key=lambda pair: pair[0])[1] if weighed else "en"
