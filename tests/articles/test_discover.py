"""How arguments become sources: order, ids, what is skipped, and what is refused before anything is read."""

import os
import sys
from pathlib import Path

import pytest

from extractor.articles import discover as discover_module
from extractor.articles.discover import discover
from extractor.articles.read import read
from extractor.articles.walk import describe_skipped
from extractor.errors import UsageError


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """A function that makes files below a fresh working folder."""
    monkeypatch.chdir(tmp_path)

    def make(*names):
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"Words of {name!r}.", encoding="utf-8", errors="surrogateescape")

    return make


def ids(*paths):
    """The ids of the sources, in order."""
    return [source.id for source in discover(paths)]


def skips(*paths):
    """What was skipped: path and reason."""
    found = discover(paths)
    list(found)
    return {(row.path.as_posix(), row.reason) for row in found.skipped}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["data"], ["a.txt", "b/c.txt", "b/d.md", "b/e/f.txt"]),
        (["data/"], ["a.txt", "b/c.txt", "b/d.md", "b/e/f.txt"]),
        (["."], ["data/a.txt", "data/b/c.txt", "data/b/d.md", "data/b/e/f.txt"]),
        (["data/b/c.txt"], ["c.txt"]),
        (["data/b/c.txt", "data/b/c.txt"], ["c.txt"]),
        (["data/**/*.txt"], ["a.txt", "b/c.txt", "b/e/f.txt"]),
        (["**/*.txt"], ["data/a.txt", "data/b/c.txt", "data/b/e/f.txt"]),
        (["./data/*.txt"], ["a.txt"]),
        (["data/*/c.txt"], ["b/c.txt"]),
        (["data/b/[cd].*"], ["c.txt", "d.md"]),
        (["data/?.txt"], ["a.txt"]),
        (["data/**"], ["a.txt", "b/c.txt", "b/d.md", "b/e/f.txt"]),
        (["data/*"], ["a.txt", "b/c.txt", "b/d.md", "b/e/f.txt"]),
        (["data/b/e", "data/a.txt"], ["f.txt", "a.txt"]),
        (["-"], ["stdin"]),
        (["-", "data/a.txt", "-"], ["stdin", "a.txt"]),
    ],
)
def test_ids_are_paths_below_the_argument(tree, arguments, expected):
    """An id is the POSIX path below the argument it was found under, and arguments keep their order."""
    tree("data/a.txt", "data/b/c.txt", "data/b/d.md", "data/b/e/f.txt")
    assert ids(*arguments) == expected


def test_order_within_a_folder_is_that_of_the_ids(tree):
    """Files and folders are given in the order of their ids as strings, whatever the file system says."""
    tree("n/a/z.txt", "n/a.txt", "n/a-b.txt", "n/a0/x.txt", "n/a b.txt", "n/A.txt", "n/é.txt")
    found = ids("n")
    assert found == sorted(found)
    assert len(found) == 7


def test_each_path_opens_the_file_of_its_id(tree):
    """A source's path leads to the file that its id names."""
    tree("n/a.txt", "n/b/c.txt")
    assert [next(read(source)).text for source in discover(["n"])] == ["Words of 'n/a.txt'.", "Words of 'n/b/c.txt'."]


def test_same_id_under_two_arguments_is_lengthened_by_the_folders_above(tree):
    """The first source keeps its id; a later one gets as many folders before it as it needs."""
    tree("a/news/x.txt", "b/news/x.txt", "c/news/x.txt", "c/news/y.txt")
    assert ids("a/news", "b/news", "c/news") == ["x.txt", "news/x.txt", "c/news/x.txt", "y.txt"]
    assert ids("a/news/x.txt", "b/news/x.txt") == ["x.txt", "news/x.txt"]


def test_two_files_that_no_folder_tells_apart_are_refused_by_name(tree, monkeypatch):
    """Where no folder is left to put before an id, the error names both files."""
    tree("a/x.txt", "b/x.txt")
    monkeypatch.setattr(discover_module, "_absolute", lambda path: Path("/"))
    with pytest.raises(UsageError, match=r"'a/x.txt' and 'b/x.txt' would both be article 'x.txt'"):
        ids("a/x.txt", "b/x.txt")


def test_standard_input_keeps_its_id_beside_a_file_of_that_name(tree):
    """A file called stdin is told apart by its folder, whichever comes first."""
    tree("in/stdin")
    assert ids("in/stdin", "-") == ["in/stdin", "stdin"]


def test_the_same_file_reached_twice_is_one_source(tree):
    """Overlapping arguments, symbolic links and hard links lead to one source; only other names are reported."""
    tree("data/a.txt", "data/b/c.txt")
    Path("data/link.txt").symlink_to("a.txt")
    Path("data/twin.txt").hardlink_to("data/a.txt")
    assert ids("data", "data/b", "data/a.txt", "data/**/*.txt", Path("data").absolute()) == ["a.txt", "b/c.txt"]
    assert skips("data", "data/b") == {("data/link.txt", "read already"), ("data/twin.txt", "read already")}


def test_link_loops_end(tree):
    """A folder that links to one above it, and a link to itself, end and are reported."""
    tree("data/a.txt", "data/b/c.txt")
    Path("data/b/up").symlink_to("..")
    Path("data/self.txt").symlink_to("self.txt")
    Path("data/a-way").symlink_to("b")
    assert ids("data") == ["a-way/c.txt", "a.txt"]
    assert skips("data") == {("data/a-way/up", "read already"), ("data/b", "read already"), ("data/self.txt", "broken link")}


def test_many_mutual_links_do_not_multiply(tree):
    """Twenty folders that link to each other are each read once: paths among them would be 20 factorial."""
    for number in range(20):
        tree(f"data/{number:02}/x.txt")
        for other in range(20):
            if other != number:
                Path(f"data/{number:02}/to{other:02}").symlink_to(f"../{other:02}")
    assert len(ids("data/**/*.txt")) == len(ids("data")) == 20


def test_a_very_deep_tree_is_read(tree):
    """Depth is bounded by the system's path length, not by Python's recursion limit."""
    depth = sys.getrecursionlimit() + 200
    folders = ["d" + "/x" * number for number in range(depth + 1)]
    for folder in folders:
        Path(folder).mkdir()
    path = Path(folders[-1], "a.txt")
    path.write_text("Deep.")
    try:
        (found,) = discover(["d"])
        assert found.id.count("/") == depth
    finally:
        path.unlink()
        for folder in reversed(folders):
            Path(folder).rmdir()


def test_what_is_passed_over_in_a_folder_is_reported(tree):
    """Hidden names, suffixes without a format, broken links and pipes are skipped, each with its reason."""
    tree("data/a.txt", "data/.hidden.txt", "data/.git/x.txt", "data/p.jpg", "data/q.JPG", "data/README", "data/UPPER.TXT")
    Path("data/gone.txt").symlink_to("nowhere")
    os.mkfifo("data/pipe.txt")
    found = discover(["data"])
    assert [source.id for source in found] == ["UPPER.TXT", "a.txt"]
    assert {(row.path.name, row.reason, row.detail) for row in found.skipped} == {
        (".hidden.txt", "hidden", ""),
        (".git", "hidden", ""),
        ("p.jpg", "unsupported", ".jpg"),
        ("q.JPG", "unsupported", ".jpg"),
        ("README", "unsupported", "no suffix"),
        ("gone.txt", "broken link", "No such file or directory"),
        ("pipe.txt", "not a file", ""),
    }
    assert describe_skipped(found.skipped) == "7 skipped: 3 unsupported (.jpg 2, no suffix 1), 2 hidden, 1 broken link, 1 not a file"


def test_each_skipped_path_counts_once_under_overlapping_arguments(tree):
    """The same folder named twice does not double what was skipped."""
    tree("data/a.txt", "data/b.jpg")
    found = discover(["data", "data"])
    list(found)
    assert len(found.skipped) == 1
    assert describe_skipped([]) == "nothing skipped"


def test_named_outright_beats_suffix_and_dot(tree):
    """A file that is named, and a glob that spells out a suffix or a dot, is never skipped."""
    tree("data/notes", "data/a.log", "data/.drafts/b.txt", "data/.c.txt")
    assert ids("data/notes") == ["notes"]
    assert ids("data/*.log") == ["a.log"]
    assert ids("**/notes") == ["data/notes"]
    assert ids("data/.drafts") == ["b.txt"]
    assert ids("data/.d*/*.txt") == [".drafts/b.txt"]
    assert ids("data/.*.txt") == [".c.txt"]


def test_a_glob_reports_only_what_it_means(tree):
    """What a glob does not match is no skipped file; what it matches but may not read is."""
    tree("data/a.txt", "data/b.jpg", "data/.c.txt", "data/.d.jpg", "data/.git/e.txt")
    assert skips("data/*.txt") == {("data/.c.txt", "hidden")}
    assert skips("data/*") == {("data/b.jpg", "unsupported"), ("data/.c.txt", "hidden"), ("data/.d.jpg", "hidden"), ("data/.git", "hidden")}


def test_a_path_with_wildcards_that_exists_is_that_path(tree):
    """Brackets in a real file name are no glob."""
    tree("data/[draft].txt", "data/d.txt")
    assert ids("data/[draft].txt") == ["[draft].txt"]


def test_a_folder_with_a_text_suffix_is_a_folder(tree):
    """A directory named x.txt is gone into, as an argument and inside another."""
    tree("data/x.txt/y.txt")
    assert ids("data") == ["x.txt/y.txt"]
    assert ids("data/x.txt") == ["y.txt"]
    assert ids("data/*.txt") == ["x.txt/y.txt"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (b"two words.txt", "two words.txt"),
        ("🚀 d'été.txt".encode(), "🚀 d'été.txt"),
        (b"a#1.txt", "a#1.txt"),
        (b"100%.txt", "100%.txt"),
        (b"line\nbreak 5%.txt", "line%0Abreak 5%25.txt"),
        (b"caf\xe9.txt", "caf%E9.txt"),
        ("a\u2028b.txt".encode(), "a%E2%80%A8b.txt"),
        (b"back\\slash.txt", "back\\slash.txt"),
    ],
)
def test_any_file_name_gives_a_one_line_utf8_id(tree, name, expected):
    """Names that are no line of UTF-8 are percent-encoded; the file can be read all the same."""
    Path("data").mkdir()
    path = Path("data", os.fsdecode(name))
    path.write_bytes(b"Words.")
    for argument in ("data", "data/*.txt", path):
        (source,) = discover([argument])
        assert source.id == expected
        (article,) = read(source)
        assert article.id.encode("utf-8") == expected.encode("utf-8")


def test_names_that_encode_alike_stay_apart(tree):
    """A name that looks percent-encoded and one that is encoded get different ids."""
    Path("data").mkdir()
    for name in (b"caf\xe9.txt", b"caf%E9.txt"):
        Path("data", os.fsdecode(name)).write_bytes(b"Words.")
    assert ids("data") == ["caf%E9.txt", "data/caf%E9.txt"]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("dta/one.txt", r"No such file or folder: 'dta/one.txt' \(there is no 'dta' in '.'\); did you mean 'data/one.txt'\?"),
        ("data/on.txt", r"did you mean 'data/one.txt'\?"),
        ("data/ONE.TXT", r"did you mean 'data/one.txt'\?"),
        ("data/one.txt/x", r"'data/one.txt' is a file, not a folder"),
        ("qqqqq", r"No such file or folder: 'qqqqq'. Name a file"),
        ("dta/*.txt", r"No folder 'dta' for the glob 'dta/\*.txt'; did you mean 'data'\?"),
        ("", r"Path '' is empty"),
        ("a\0b", r"can not be looked at"),
        ("\ud800", r"can not be looked at"),
        ("x" * 5000, r"can not be looked at: File name too long"),
        ("broken.txt", r"'broken.txt' is a link to 'nowhere', which does not exist"),
        ("empty", r"Folder 'empty' leads to no article: looked for .*\.md.*\.txt"),
        ("pictures", r"\(2 skipped: 1 hidden, 1 unsupported \(.jpg 1\)\)"),
        ("data/*.html5", r"Glob 'data/\*.html5' leads to no article: looked for"),
    ],
)
def test_an_argument_that_leads_nowhere_is_refused_at_once(tree, path, said):
    """Every argument is checked before the first source is given, and the error says what was near."""
    tree("data/one.txt", "pictures/a.jpg", "pictures/.b.txt")
    Path("empty").mkdir()
    Path("broken.txt").symlink_to("nowhere")
    with pytest.raises(UsageError, match=said):
        discover(["data", path])


def test_all_wrong_arguments_are_named(tree):
    """One error names each path that is not there."""
    tree("data/one.txt")
    with pytest.raises(UsageError, match=r"'first'[^\n]*\n[^\n]*'second'"):
        discover(["first", "data", "second"])


@pytest.mark.parametrize(("paths", "said"), [([], "No path was named"), ("data", r"give a list: \['data'\]")])
def test_paths_must_be_a_list_with_something_in_it(paths, said):
    """A bare string, whose letters would be paths, and an empty list are refused."""
    with pytest.raises(UsageError, match=said):
        discover(paths)


def test_a_folder_that_may_not_be_listed_is_reported(tree, monkeypatch):
    """Permission denied on one folder is a row with the reason, and the rest is read."""
    tree("data/a.txt", "data/locked/b.txt", "data/z.txt")
    scandir = os.scandir

    def refuse(path):
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    found = discover(["data"])
    assert [source.id for source in found] == ["a.txt", "z.txt"]
    assert [(row.path.as_posix(), row.reason, row.detail) for row in found.skipped] == [
        ("data/locked", "unreadable folder", "Permission denied")
    ]
    with pytest.raises(UsageError, match="1 unreadable folder"):
        discover(["data/locked"])


def test_a_missing_path_in_a_folder_that_may_not_be_listed(tree, monkeypatch):
    """Where near names can not be looked up, the error says so and still names the path."""
    tree("data/a.txt")

    def refuse(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(UsageError, match=r"'data/b.txt': 'data' can not be listed \(Permission denied\)"):
        discover(["data/b.txt"])


def test_sources_stream_folder_by_folder(tree, monkeypatch):
    """The first source is given before later folders are listed."""
    tree("data/a/1.txt", "data/b/2.txt", "data/c/3.txt")
    scandir, listed = os.scandir, []

    def note(path):
        listed.append(Path(path).name)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", note)
    found = discover(["data"])
    assert next(found).id == "a/1.txt"
    assert listed == ["data", "a"]


def test_any_tree_gives_unique_ids_and_each_file_once_or_a_reason(tree):
    """Over a mixed tree, sources and skipped rows together account for every file that is not in a hidden folder."""
    names = {f"t/{a}{b}{c}" for a in ("", "x/", "x/y/", "x.txt/") for b in (".", "", "ä") for c in ("n.txt", "n.md", "n.pdfx", "n")}
    tree(*names)
    found = discover(["t"])
    sources = list(found)
    assert len({source.id for source in sources}) == len(sources)
    accounted = [source.path for source in sources] + [row.path for row in found.skipped]
    assert sorted(path.as_posix() for path in accounted) == sorted(names)


def test_what_a_run_wrote_is_no_article(tree):
    """A run folder below a folder of articles is passed over, its facts.jsonl with it; so a second run over `.` reads the same."""
    tree("a.txt", "extractor-run/ledger.sqlite", "extractor-run/facts.jsonl", "extractor-run/more/b.txt", "c/facts.jsonl")
    assert ids(".") == ["a.txt", "c/facts.jsonl"]
    assert ("extractor-run", "run folder") in skips(".")
    with pytest.raises(UsageError, match="1 run folder"):
        discover(["extractor-run"])


_DECIDED = '{"id":"b2:0123456789abcdef","fact_type":"weapons_transfer","verdict":"kept","article_id":"a.txt","decision":"accept"}\n'


@pytest.mark.parametrize(
    ("name", "text", "is_ours"),
    [
        ("review.html", '<!doctype html>\n<html lang="en">\n<head>\n<meta name="generator" content="extractor review">\n', True),
        ("PAGE.HTML", '<!doctype html><head><meta name="generator" content="extractor evaluate">', True),
        ("facts.jsonl", '{"id": "b2:0123456789abcdef", "fact_type": "weapons_transfer", "verdict": "kept"}\n', True),
        ("decisions.jsonl", _DECIDED, True),
        ("labelled.jsonl", '{"article_id":"news/\\"a\\".txt","complete":true}\n', True),
        ("post.html", '<!doctype html><head><meta name="generator" content="WordPress 6.5">', False),
        ("about.html", "<p>Pages of ours carry generator and extractor review.</p>", False),
        ("late.html", f'{" " * 5000}<meta name="generator" content="extractor review">', False),
        ("news.jsonl", '{"id": "b2:0123456789abcdef", "text": "Norway will give 13 tanks."}\n', False),
        ("more.jsonl", '{"article_id": "7", "text": "It is complete."}\n', False),
        ("facts.txt", _DECIDED, False),
        ("empty.jsonl", "", False),
    ],
)
def test_pages_and_rows_of_ours_are_no_articles(tree, name, text, is_ours):
    """What extractor wrote is passed over in a folder and by a glob, by how it begins, and is counted; named outright, it is read."""
    tree("d/a.txt")
    Path("d", name).write_text(text, encoding="utf-8")
    if not is_ours:
        assert ids("d") == sorted([name, "a.txt"])
        return
    for argument in ("d", "d/*"):
        found = discover([argument])
        assert [source.id for source in found] == ["a.txt"]
        assert describe_skipped(found.skipped) == "1 skipped: 1 written by extractor"
    assert ids(f"d/{name}") == [name]


def test_a_file_that_may_not_be_read_is_left_for_reading_to_report(tree, monkeypatch):
    """Looking how a file begins hides none: that it cannot be opened is said where it is read."""
    tree("d/a.html")

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    assert ids("d") == ["a.html"]
