"""List the forms of dates that are known, find those that a cell may have, and guess others."""

import re
from collections.abc import Iterator

ISO = "ISO8601"
TIME = r"\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?: ?[AaPp]\.? ?[Mm]\.?)?"
_DAY, _NAME = r"\d{1,2}", r"[A-Za-z]{3,9}"
# Expression of what stands beside the time -> its forms. Of 1/2/2024 and 1-2-2024 two are tried.
_FORMS: dict[str, tuple[str, ...]] = {
    rf"\d{{4}}-{_DAY}-{_DAY}": ("%Y-%m-%d",),
    rf"\d{{4}}/{_DAY}/{_DAY}": ("%Y/%m/%d",),
    rf"\d{{4}}\.{_DAY}\.{_DAY}": ("%Y.%m.%d",),
    rf"{_DAY}\.{_DAY}\.\d{{4}}": ("%d.%m.%Y",),
    rf"{_DAY}\. {_DAY}\. \d{{4}}": ("%d. %m. %Y",),
    rf"{_DAY}/{_DAY}/\d{{4}}": ("%m/%d/%Y", "%d/%m/%Y"),
    rf"{_DAY}-{_DAY}-\d{{4}}": ("%d-%m-%Y", "%m-%d-%Y"),
    rf"{_DAY}\.{_DAY}\.\d{{2}}": ("%d.%m.%y",),
    rf"{_DAY}/{_DAY}/\d{{2}}": ("%m/%d/%y", "%d/%m/%y", "%y/%m/%d"),
    rf"{_DAY}-{_DAY}-\d{{2}}": ("%d-%m-%y", "%m-%d-%y", "%y-%m-%d"),
    r"\d{8}": ("%Y%m%d",),
    r"\d{14}": ("%Y%m%d%H%M%S",),
    r"\d{4}-W\d{2}-\d": ("%G-W%V-%u",),
    r"\d{4}-W\d{2}": ("%G-W%V",),
    r"\d{4}-\d{2}": ("%Y-%m",),
    r"\d{2}/\d{4}": ("%m/%Y",),
    rf"{_NAME}[ -]\d{{4}}": ("%b %Y", "%B %Y", "%b-%Y"),
    rf"{_NAME}-\d{{2}}": ("%b-%y",),
    **{
        rf"{_DAY}{dot}{sign}{_NAME}{sign}\d{{{width}}}": tuple(
            f"%d{dot.strip(chr(92))}{sign}{name}{sign}%{year}" for name in ("%b", "%B")
        )
        for sign in " -/"
        for dot in ("", r"\.")
        for width, year in ((4, "Y"), (2, "y"))
    },
    **{
        rf"{_NAME} {_DAY}{comma} \d{{4}}": (f"%b %d{comma} %Y", f"%B %d{comma} %Y")
        for comma in ("", ",")
    },
}


def forms_of(cell: str) -> Iterator[str]:
    """Give the forms that a cell without a zone may have, the usual one first."""
    time = re.search(rf"(?P<before>[ T:,]*)(?P<time>{TIME})$", cell)
    date, form = (cell[: time.start()], _time_form(time)) if time else (cell, "")
    day = re.match(r"((?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*)(,? )", date)
    weekday = ("%a" if len(day[1]) == 3 else "%A") + day[2] if day else ""
    date = date[day.end() :] if day else date
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", date) and not weekday and "%I" not in form:
        yield ISO
    for expression, patterns in _FORMS.items():
        if re.fullmatch(expression, date):
            yield from (f"{weekday}{pattern}{form}" for pattern in patterns)


def _time_form(time: re.Match[str]) -> str:
    is_half = time["time"][-1] in "mM"
    parts = time["time"].split(" ")[0].split(":")
    seconds = "" if len(parts) < 3 else ":%S.%f" if "." in parts[2] else ":%S"
    return time["before"] + ("%I:%M" if is_half else "%H:%M") + seconds + (" %p" if is_half else "")


DATE_LIKE = (
    r"^(?:\pL{2,12}[.,]?\s+)?\d{1,4}[-/. ]{1,2}(?:\d{1,2}|\pL{3,12}\.?)[-/. ,]{1,2}\d{2,4}"
    r"(?:$|[ T,:-]+\d{1,2}[:.h]\d{2})|^\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?: ?[AaPp]\.?[Mm]\.?)?$"
)


def guess_form(cell: str) -> str:
    """Guess a pattern for a cell that looks like a date or a time, for a person to correct."""
    time = re.search(TIME, cell)
    date = cell[: time.start()] if time else cell
    names = iter(("%d", "%m", "%y") if re.match(r"\D*\d{1,2}\D", date) else ("", "%m", "%d"))

    def form(part: re.Match[str]) -> str:
        if part[0].isdigit():
            name = next(names, "%y")
            return "%Y" if len(part[0]) == 4 else name
        next(names, "")
        return "%B" if len(part[0]) > 3 else "%b"

    text = re.sub(r"\d+|[^\W\d_]{3,}", form, date)
    return text + (_time_form(re.match(rf"(?P<before>)(?P<time>{TIME})", time[0])) if time else "")  # type: ignore[arg-type]
