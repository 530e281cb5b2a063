"""bench.markers: text between two markers of a Markdown file."""

import pytest

import caffe
from bench.markers import replace_between

BEGIN, END = "<!-- speed: written by make bench -->", "<!-- end of speed -->"


@pytest.fixture
def page(tmp_path):
    return tmp_path / "page.md"


def test_replaces_what_stands_between_and_nothing_else(page):
    page.write_text(f"# Größe\n\n{BEGIN}\nold\n\nolder\n{END}\nafter\n", encoding="utf-8")
    replace_between(page, "speed", "\n| new × 2 |\n")
    wanted = f"# Größe\n\n{BEGIN}\n| new × 2 |\n{END}\nafter\n"
    assert page.read_text(encoding="utf-8") == wanted
    replace_between(page, "speed", "| new × 2 |")
    assert page.read_text(encoding="utf-8") == wanted


def test_other_sections_stay(page):
    other = "<!-- memory: written by make bench -->\n1\n<!-- end of memory -->\n"
    page.write_text(f"{other}{BEGIN}{END}\n")
    replace_between(page, "speed", "2")
    assert page.read_text() == f"{other}{BEGIN}\n2\n{END}\n"


@pytest.mark.parametrize(
    ("content", "missing"),
    [("", BEGIN), (BEGIN, END), (END, BEGIN), (f"{END}\n{BEGIN}", END), (BEGIN * 2 + END, BEGIN)],
)
def test_a_page_without_both_markers_once_is_left_alone(page, content, missing):
    page.write_text(content)
    with pytest.raises(caffe.CaffeError) as info:
        replace_between(page, "speed", "new")
    assert str(page) in str(info.value)
    assert missing in str(info.value)
    assert page.read_text() == content


def test_a_page_that_is_not_there(page):
    with pytest.raises(caffe.CaffeError, match=r"page\.md: cannot write the section 'speed'"):
        replace_between(page, "speed", "new")
