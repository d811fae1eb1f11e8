"""Every check of the data: its stable code, how grave it is, and what is done about it.

python -m kindling.codes > docs/data-checks.md
"""

import sys
from typing import Literal, NamedTuple

Severity = Literal["error", "warning", "info"]


class Check(NamedTuple):
    """One thing that can be wrong with data.

    Args:
        severity: an error ends the run (exit code 3), a warning is shown in the plan, an info
            in the report and by `kindling inspect`.
        what: what was found.
        then: what Kindling does with it, and what a person can do.
        always: whether the plan shows it however many other warnings there are: something was
            left out, or one of two readings was taken.
    """

    severity: Severity
    what: str
    then: str
    always: bool = False


GROUPS = {
    "D0": "Files",
    "D1": "Columns and cells",
    "D2": "Target and labels",
    "D3": "Rows and their split",
    "D4": "Images",
}
CODES: dict[str, Check] = {
    "D001": Check("error", "A file is not there", "Correct the path; the nearest name is said."),
    "D002": Check("error", "A file is empty", "Give a table with a header and rows."),
    "D003": Check(
        "error",
        "A file is no table",
        "Save it as CSV or Parquet; its content decides the format, not its name.",
    ),
    "D004": Check(
        "error",
        "Text is in another encoding than its start",
        "Save it as UTF-8, or set data.csv.encoding.",
    ),
    "D005": Check(
        "error",
        "Rows have more or fewer cells than the header",
        "Correct them, or set data.csv.separator, skip or comment.",
    ),
    "D006": Check("error", "A quote is never closed", "Close it, or set data.csv.quote."),
    "D007": Check("error", "Two columns have one name", "Rename them."),
    "D008": Check("error", "A table has a header only", "Give rows."),
    "D009": Check(
        "error",
        "The file with the val or test rows is the training file",
        "Leave the second path out: rows are split off.",
    ),
    "D010": Check(
        "warning",
        "The first line looks like a row, not like a header",
        "It is taken for the header; data.csv.header=false takes it for a row.",
        always=True,
    ),
    "D011": Check(
        "warning",
        "Text is neither UTF-8 nor marked as UTF-16",
        "Read as Windows-1252, or Latin-1; set data.csv.encoding if letters look odd.",
        always=True,
    ),
    "D012": Check(
        "info",
        "A column has no name",
        "It is called by its number; one without values is left out.",
    ),
    "D013": Check(
        "info",
        "Columns differ in case or spaces only",
        "They are different columns; rename them if not.",
    ),
    "D014": Check("error", "A file may not be read", "Permit it."),
    "D015": Check(
        "error", "A row is longer than a megabyte", "Close a quote, shorten it, or give Parquet."
    ),
    "D016": Check(
        "warning",
        "Lines of a CSV file are neither its header nor rows: above it, comments, units",
        "Left out; data.csv.skip, comment and units say it otherwise.",
        always=True,
    ),
    "D017": Check(
        "warning",
        "A CSV file has no header",
        "Its columns are called column_1, column_2; data.csv.header=true takes the first line.",
        always=True,
    ),
    "D018": Check(
        "warning",
        "A Parquet file holds an index without a name",
        "Left out; give it a name if it tells something.",
        always=True,
    ),
    "D019": Check(
        "warning",
        "A header has one name fewer than its rows have cells, as R writes it",
        "The first column is the one without a name.",
        always=True,
    ),
    "D020": Check(
        "error",
        "The files of one table have different columns or types",
        "Write them alike; nothing is filled in, and nothing is cast.",
    ),
    "D021": Check(
        "error",
        "A folder is more than its files: partitions, a Delta table, tables in folders",
        "Write the rows as Parquet files in one folder.",
    ),
    "D022": Check(
        "error",
        "A URL cannot be read: not there, not permitted, not reached, or cut off",
        "Correct the URL, the network or what the store knows you by.",
    ),
    "D101": Check(
        "error", "A column that is needed is absent", "Correct the name; the nearest one is said."
    ),
    "D102": Check(
        "error", "No column is left to learn from", "Shorten data.ignore, or check the separator."
    ),
    "D103": Check(
        "error",
        "Cells do not fit the type of their column",
        "Correct or empty them, or set data.kinds.",
    ),
    "D104": Check(
        "error", "data.kinds names no column type", "Choose number, boolean, category or date."
    ),
    "D105": Check(
        "info",
        "A column says nothing of other rows: id, constant, free text",
        "Left out by name; data.kinds takes it in.",
    ),
    "D106": Check("warning", "A column has no value in the train rows", "Left out."),
    "D107": Check("info", "A column is nearly constant", "Kept."),
    "D108": Check("warning", "Cells hold infinity", "Counted as missing, and imputed."),
    "D109": Check("error", "A number is too large for float32", "Correct it, or scale the column."),
    "D110": Check(
        "info", "Cells hold a marker of missing values, such as ? or NA", "Counted as missing."
    ),
    "D111": Check(
        "info",
        "A word such as NA, None or ? stands in a column of words",
        "A category as any other; data.csv.missing names words that mean that nothing is known.",
    ),
    "D112": Check(
        "info",
        "Words and numbers stand in one column",
        "Taken as categories, each number one of them.",
    ),
    "D113": Check(
        "info",
        "Numbers are written with a decimal comma, groups, a currency or a percent sign",
        "Read so; set data.kinds if they are codes.",
    ),
    "D114": Check(
        "warning",
        "Dates can be read in two ways: day or month first, or a year of two digits",
        "Read as other columns let suppose, or month first; data.dates tells the form.",
        always=True,
    ),
    "D115": Check("info", "Codes have leading zeros", "Taken as categories, no zero is lost."),
    "D116": Check(
        "warning",
        "Whole numbers beyond 2^53 lose digits",
        "Read as far as float64 goes; set data.kinds to category if they are codes.",
    ),
    "D117": Check(
        "info", "Categories occur in val or test, but not in train", "Taken for unknown."
    ),
    "D118": Check(
        "warning",
        "A column has values in train, but none in val or test",
        "Imputed there; is it known when it matters?",
    ),
    "D119": Check("info", "Durations and times of the day", "Read as seconds."),
    "D120": Check("info", "Cells hold lists, structures or bytes", "Left out."),
    "D121": Check(
        "warning",
        "Cells look like numbers with a unit, such as 12.5% or $5",
        "Read as text; write the numbers alone.",
        always=True,
    ),
    "D122": Check(
        "info",
        "Cells are missing",
        "A number becomes the median, with a column that tells of it where more than two are "
        "missing; a category has a code for it.",
    ),
    "D123": Check(
        "error",
        "A preprocessing step leaves missing cells missing",
        "Put SimpleImputer() before it in make_transformer, or fill them in.",
    ),
    "D124": Check(
        "warning",
        "Numbers can be read in two ways, such as 138.185 and 1,234",
        "Read as other columns, or the separator, let suppose; set data.csv.decimal.",
        always=True,
    ),
    "D125": Check(
        "warning",
        "Cells look like dates or times of a form that is not known",
        "Not read as dates; data.dates={column: '%d-%b-%y'} tells the form.",
        always=True,
    ),
    "D126": Check("error", "data.dates names no pattern of dates", "Type one such as %d.%m.%Y."),
    "D127": Check(
        "warning",
        "Dates lie far from all others, such as 9999-12-31",
        "What programs write for no date counts as missing; others are kept.",
        always=True,
    ),
    "D128": Check(
        "warning",
        "No category of a column occurs in more than two train rows",
        "All are one to the network; data.kinds takes numbers as numbers.",
        always=True,
    ),
    "D129": Check(
        "warning",
        "A column that is mostly numbers holds words, too",
        "Taken as categories; data.csv.missing names words that mean that nothing is known.",
        always=True,
    ),
    "D130": Check(
        "warning",
        "Some times of a column have a time zone, others have none",
        "Each is read by the clock that it was written by.",
        always=True,
    ),
    "D201": Check(
        "error",
        "The target is missing in some rows",
        "Fill it in, or data.drop_missing_target=true.",
    ),
    "D202": Check(
        "error",
        "The target is text, but a quantity was asked for",
        "Correct the cells, or data.task=classification.",
    ),
    "D203": Check(
        "error", "The target is infinite, or beyond float32, in some rows", "Correct these rows."
    ),
    "D204": Check(
        "error",
        "Nearly every row has a class of its own",
        "Choose another target, or data.task=regression.",
    ),
    "D205": Check(
        "error",
        "The target has a single value in the train rows",
        "Choose another target, or give rows of a second class.",
    ),
    "D206": Check(
        "error",
        "A class occurs in val or test only",
        "Correct the label, or give train rows of it.",
    ),
    "D207": Check(
        "warning",
        "A class has a single train row",
        "It can hardly be learnt; give more rows, or join classes.",
    ),
    "D208": Check(
        "warning",
        "Labels differ in case or spaces only",
        "They are different classes; correct them if not.",
    ),
    "D209": Check(
        "warning",
        "One column tells the target nearly perfectly",
        "Is it known before the target is? If not: data.ignore.",
    ),
    "D210": Check("error", "The target is to be left out", "Take it out of data.ignore."),
    "D211": Check("info", "Labels have spaces around them", "Taken without."),
    "D212": Check(
        "error", "Cells of the target hold lists, structures or bytes", "Choose another target."
    ),
    "D213": Check(
        "error",
        "A logarithm was asked for of values that have none",
        "data.target_transform=none.",
    ),
    "D214": Check(
        "warning",
        "A class is called NA, None or the like",
        "Learnt as a class; data.csv.missing names words that mean that nothing is known.",
        always=True,
    ),
    "D301": Check("error", "A split has no rows", "Give more rows, or other fractions."),
    "D302": Check("error", "Two ways to split exclude each other", "Leave one of them out."),
    "D303": Check(
        "error", "A group has rows in a given set and elsewhere", "Give files that share no group."
    ),
    "D304": Check("error", "A row has no time", "Fill data.time in, or take another column."),
    "D305": Check(
        "warning",
        "Rows of val or test are also in train, cell by cell",
        "Scores flatter; take them out, or data.group.",
    ),
    "D306": Check("info", "Rows occur more than once", "Kept."),
    "D307": Check(
        "error", "Cells of data.group hold lists, structures or bytes", "Take another column."
    ),
    "D308": Check(
        "error",
        "The data are not those that a run was made of",
        "Bring them back as they were, or start a new run.",
    ),
    "D309": Check(
        "error",
        "A row lies in two splits, or in none",
        "Let val and test sets share no row, with each other or with train.",
    ),
    "D310": Check(
        "warning",
        "Rows of val or test were train rows of the run that init_from names",
        "Scores flatter; take its seed and split, or start anew.",
        always=True,
    ),
    "D401": Check(
        "error",
        "A file with the name of an image is none, or may not be read",
        "Replace it, or remove it.",
    ),
    "D402": Check(
        "error",
        "An image is damaged, as far as its format tells: a PNG has checksums, a JPEG has none",
        "Replace it, or remove it.",
    ),
    "D403": Check(
        "error",
        "An image has more pixels than data.max_pixels",
        "Shrink it, or raise the limit if you trust it.",
    ),
    "D404": Check(
        "error",
        "The numbers of an image cannot be brought to 8 bits, or are not finite",
        "data.scale, or save it with 8 or 16 bits.",
    ),
    "D405": Check(
        "error",
        "A link leads out of data.path, a folder may not be read, a name is not UTF-8",
        "Copy, permit or rename it.",
    ),
    "D406": Check(
        "error", "Images lie beside the class folders", "Move them, or give data.labels."
    ),
    "D407": Check(
        "error",
        "There are no two class folders with images",
        "data.path/CLASS/*.png, or data.labels.",
    ),
    "D408": Check(
        "error", "data.labels does not fit the images", "Correct the table of files and labels."
    ),
    "D409": Check(
        "error",
        "An image given as an array has another shape or data type, or a number that is not finite",
        "Convert the array; it is neither resized nor scaled.",
    ),
    "D411": Check(
        "warning",
        "The same image is in several splits, or has several labels",
        "Kept; take it out of one of them.",
    ),
    "D412": Check("info", "The same image occurs more than once", "Kept."),
    "D413": Check(
        "info",
        "Images have another size than the network takes",
        "Padded, cropped or stretched (data.fit); data.size chooses another.",
    ),
    "D414": Check(
        "warning",
        "Images hold several frames or pages",
        "The first is taken, or the one that data.pages says.",
        always=True,
    ),
    "D415": Check(
        "info", "Images hold another format than their name says", "Read by their content."
    ),
    "D416": Check(
        "warning",
        "Images have next to no pixels, or keep next to none when they are resized",
        "Kept; do they show anything? data.size takes more of them.",
    ),
    "D417": Check(
        "warning",
        "Files, folders, or columns of data.labels are left out",
        "Said which, and why, with the count of each ending.",
        always=True,
    ),
    "D418": Check(
        "error",
        "Folders below data.path may be classes, or splits, or hold the classes",
        "data.folders, or data.path of the folder that holds the classes.",
    ),
    "D419": Check(
        "warning",
        "Files look like masks of other images, or copies under another ending",
        "Learnt as images of their class; data.ignore leaves them out.",
    ),
    "D420": Check("error", "A pattern of data.ignore fits nothing", "Correct it."),
    "D421": Check(
        "error",
        "Several columns of data.labels may be the label, the file or the split",
        "data.target names the label.",
    ),
    "D422": Check(
        "error",
        "An image has several labels, or none of the one-hot classes",
        "Give it one; data.target learns one column.",
    ),
    "D423": Check(
        "warning",
        "Class folders hold folders of images",
        "All are of the class; data.group=folder keeps each in one split.",
        always=True,
    ),
    "D440": Check(
        "error",
        "An image has another bit depth than the train images",
        "Give it as they were; nothing is guessed.",
    ),
    "D441": Check(
        "error",
        "An image has other bands or pages than are asked for, or needs a package to be read whole",
        "data.channels, data.pages, or install what is named.",
    ),
    "D442": Check(
        "error",
        "A TIFF calls a band transparency that leaves no pixel opaque",
        "data.channels says whether it is a band like the others.",
    ),
    "D443": Check(
        "warning",
        "More than 8 bits are brought to 8, since bit depths differ or data.scale says so",
        "Said how many steps are left; data.scale keeps them.",
        always=True,
    ),
    "D444": Check(
        "warning",
        "Bands of images are left out",
        "data.channels takes others, or all.",
        always=True,
    ),
    "D445": Check(
        "info",
        "A JPEG holds further images, such as a preview or a map of depth",
        "The photo itself is taken.",
    ),
}


def as_markdown() -> str:
    """Write the page of all checks."""
    lines = [
        "# Checks of the data",
        "",
        "Made by `python -m kindling.codes`. One pass before the training finds all of them; the",
        "same pass without training is `kindling inspect FILE --target COLUMN`. An **error** ends",
        "the run with exit code 3, a **warning** is shown in the plan, an **info** in the report",
        "and by `inspect`. Rows count from 0. Of large tables 100,000 train rows and 50,000 of val",
        "and of test are looked at, all rows for what makes reading impossible, and a million of",
        "each for rows that repeat.",
    ]
    for prefix, title in GROUPS.items():
        lines += [
            "",
            f"## {title}",
            "",
            "| code | | what was found | what then |",
            "|---|---|---|---|",
        ]
        lines += [
            f"| {code} | {check.severity} | {check.what} | {check.then} |"
            for code, check in CODES.items()
            if code.startswith(prefix)
        ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(as_markdown())
