"""Which words of a command line are targets; Snakemake's own parser says what its options take."""

import getpass
import os
import pwd

import pytest
import snakemake_command
from snakemake.cli import get_argument_parser

PPL = "results/33m/gen40/ppl.json"


@pytest.fixture(scope="module")
def parser():
    return get_argument_parser()


@pytest.mark.parametrize(
    ("line", "targets"),
    [
        (f"--cores all --resources gpu=1 {PPL}", [PPL]),
        (f"--cores all --resources gpu=1 {PPL} results/1m/gen2/ppl.json demo",
         [PPL, "results/1m/gen2/ppl.json", "demo"]),
        (f"--cores all --resources=gpu=1 {PPL}", [PPL]),
        (f"--cores all --res gpu=1 judge=2 {PPL}", [PPL]),
        (f"--cores all --resou gpu=1 {PPL}", [PPL]),
        (f"--cores all --resources gpu=1 -- {PPL}", [PPL]),
        ("--resources gpu=1 demo -n --rerun-incomplete paper", ["demo", "paper"]),
        ("demo --resources gpu=1 paper --cores 2 33m", ["demo", "paper", "33m"]),
        ("--resources demo gpu=1", ["demo"]),
        ("--set-resources train:mem_mb=9000 demo", ["demo"]),
        ("--set-threads train=2 demo -n", ["demo"]),
        ("--default-resources demo", ["demo"]),
        ("--default-resources slurm_account=us mem_mb=1 demo", ["demo"]),
        ("--groups train=a demo", ["demo"]),
        ("-C state_minutes=1 demo", ["demo"]),
        ("--configfile mine.yaml demo", ["demo"]),
        ("--configfile mine.yaml more.yml other.json demo", ["demo"]),
        (f"--configfile mine.yaml {PPL}", [PPL]),
        (f"--configfile mine.yaml ./{PPL}", [f"./{PPL}"]),
        ("--configfiles mine.yaml demo --resources gpu=1 paper", ["demo", "paper"]),
        ("--rerun-triggers mtime demo", ["demo"]),
        ("-q progress demo", ["demo"]),
        ("-nq demo", ["demo"]),
        ("-j4 demo", ["demo"]),
        ("-nj 4 demo", ["demo"]),
        ("-np -c 1 demo", ["demo"]),
        ("--report out.html demo", ["demo"]),
        ("--until ppl text -n", []),
        ("--forcerun ppl -- demo", ["demo"]),
        ("-n", []),
    ],
)  # fmt: skip
def test_targets_may_stand_anywhere(parser, line, targets):
    words = snakemake_command.sort_words(line.split(), parser)
    found, unknown = parser.parse_known_args(words)
    assert (sorted(found.targets or []), unknown) == (sorted(targets), [])
    assert sorted(set(words) - {"--"}) == sorted(set(line.split()) - {"--"})  # none is lost


def test_what_options_get(parser):
    line = "--cores 3 --resources gpu=1 judge=2 demo --configfile a.yaml b.json demo -nj 4"
    found = parser.parse_args(snakemake_command.sort_words(line.split(), parser))
    assert (found.cores, found.jobs, found.dryrun) == (3, 4, True)
    assert {name: resource.value for name, resource in found.resources.items()} == {
        "gpu": 1,
        "judge": 2,
    }
    assert [file.name for file in found.configfile] == ["a.yaml", "b.json"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--resources gpu demo", "--resources/--res: expected NAME=INT, which 'gpu' is not"),
        ("--resources", "--resources/--res: expected NAME=INT"),
        ("demo --set-threads train", "--set-threads: expected RULE=THREADS, which 'train' is not"),
        ("--configfile demo", "expected a file that ends in .yaml, .yml or .json, which 'demo' is"),
        (f"--configfile {PPL}", "expected a file that ends in .yaml, .yml or .json, which"),
        ("--configfile none.yaml demo", "--configfile: there is no file 'none.yaml'"),
        ("--configfile=none.yaml demo", "--configfile: there is no file 'none.yaml'"),
        ("--rerun-triggers mtimes", "expected one or more of code, input, mtime, params, software"),
        ("--set-resource-scopes gpu=near demo", "SCOPE is either 'local' or 'global'"),
    ],
)
def test_mistakes_are_refused_in_words(parser, line, message, capsys):
    with pytest.raises(SystemExit) as ended:
        snakemake_command.check(snakemake_command.sort_words(line.split(), parser), parser)
    assert ended.value.code == 2 and message in capsys.readouterr().err


def test_a_user_without_a_name_gets_one(monkeypatch):
    """A container that is run with a number as its user; Snakemake's header asks for the name."""

    def getpwuid(number):
        raise KeyError(f"getpwuid(): uid not found: {number}")

    for key in ("LOGNAME", "USER", "LNAME", "USERNAME", "HOME"):
        monkeypatch.setenv(key, "")  # so that it is put back, set or not
        monkeypatch.delenv(key)
    monkeypatch.setattr(pwd, "getpwuid", getpwuid)
    snakemake_command.name_the_user()
    assert getpass.getuser() == str(os.getuid())
    get_argument_parser()  # which looks for profiles in the user's home


def test_a_cache_that_cannot_be_written_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    snakemake_command.check_cache()
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(
        SystemExit, match="file/snakemake cannot be written .*XDG_CACHE_HOME=FOLDER"
    ):
        snakemake_command.check_cache()
