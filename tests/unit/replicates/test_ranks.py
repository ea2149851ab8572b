"""Which rank a worker is, and what another rank's end means."""

from analyzer.replicates.ranks import count, first_rank

LAUNCHED = {"RANK": "3", "LOCAL_RANK": "1", "WORLD_SIZE": "4", "MASTER_ADDR": "pod-0", "TORCHELASTIC_RUN_ID": "x"}


def test_a_worker_of_one_device_is_no_rank_of_whatever_started_the_command():
    assert first_rank("0", {"PATH": "/bin", **LAUNCHED}) == {"PATH": "/bin"}
    assert first_rank("cpu", {"PATH": "/bin"}) == {"PATH": "/bin"}


def test_the_first_of_several_ranks_is_that_of_its_own_job():
    made = first_rank("2,3", {"PATH": "/bin", **LAUNCHED})
    own = {k: made[k] for k in ("RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR")}
    assert own == {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1"}
    assert made["OMP_NUM_THREADS"] == "1"  # as torchrun says it
    assert "TORCHELASTIC_RUN_ID" not in made  # the ranks would look for the store of that launcher
    assert first_rank("0,1", {"OMP_NUM_THREADS": "4"})["OMP_NUM_THREADS"] == "4"


def test_a_comma_stands_between_two_devices():
    assert [count(d) for d in ("cpu", "0", "0,1", "4,5,6")] == [1, 1, 2, 3]
