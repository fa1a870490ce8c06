"""Is every page valid HTML? The Nu HTML checker judges."""

import pytest
from sample_reports import ALL


@pytest.mark.parametrize("name", ALL)
def test_the_nu_checker_finds_no_error(faults_of_pages, name):
    assert faults_of_pages[name] == []


def test_the_nu_checker_finds_the_error_of_a_broken_page(faults_of_pages):
    assert faults_of_pages["broken"]
