"""How the number of epochs was found, in words for people."""

import pytest

from ouroboros.training.epochs import epochs_in_words


@pytest.mark.parametrize(
    "losses, epochs, settings, said",
    [
        (
            [5.0, 4.0, 4.5], 2, {},
            "2 epochs, found by early stopping: of the 3 epochs that generation 1 tried, the held-out "
            "loss was lowest after epoch 2.",
        ),
        (
            [5.0, 4.0, 3.0, 2.5], 4, {},
            "4 epochs, which early stopping did not find: generation 1 stopped at max_epochs = 4 "
            "while the held-out loss still fell. Raise max_epochs in training.",
        ),
        (
            [5.0, 4.0, 4.5], 2, {"patience": 2},
            "2 epochs, which early stopping did not find: generation 1 stopped at max_epochs = 3, "
            "before 2 epochs in a row had brought no lower held-out loss. Raise max_epochs in training.",
        ),
        (
            [5.0], 1, {},
            "1 epoch, which early stopping did not find: generation 1 stopped at max_epochs = 1, the "
            "first, so that no loss could be compared. Raise max_epochs in training.",
        ),
        ([5.0, 6.0], 2, {"epochs": 2}, "2 epochs, as configured."),
    ],
)  # fmt: skip
@pytest.mark.parametrize("written", ["early stopping", "max_epochs"])
def test_the_number_and_how_it_was_found(losses, epochs, settings, said, written):
    """Whatever `found_by` says: once that was "early stopping" where max_epochs ended it."""
    training = {"epochs": "auto", "patience": 1, "max_epochs": len(losses), **settings}
    found = {
        "epochs": epochs, "held_out_losses": losses, "found_by": written,
        "provenance": {"training": training},
    }  # fmt: skip
    assert epochs_in_words(found) == f"Each generation is trained for {said}"
