"""Servers and clients that break one promise each: what a checker that can fail must find.

Each is the real one but for one method, for as long as its block lasts, and breaks its promise now and
then, by lots that are drawn from the seed.
"""

import random
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Final

from tests.simulation import client_mutants as client
from tests.simulation import journal_mutants as journal
from tests.simulation import server_mutants as server

Mutant = Callable[[random.Random], AbstractContextManager[None]]

MUTANTS: Final[dict[str, tuple[Mutant, str]]] = {
    mutant.__name__: (mutant, checker)
    for mutant, checker in (
        (server.loses_one, "no_holes"),
        (server.repeats_one, "one_order"),
        (server.swaps_two, "one_order"),
        (journal.acknowledges_early, "kept_once"),
        (journal.forgets_tags, "kept_once"),
        (server.forgets_a_member, "presence"),
        (journal.goes_on_one_too_late, "no_holes"),
        (server.tells_nobody_who_has_gone, "nothing_left"),
        (server.gives_a_name_twice, "presence"),
        (server.keeps_it_to_itself, "private_arrives"),
        (journal.loses_what_is_not_in_the_database, "kept_once"),
        (client.forgets_what_it_had_to_say, "resent"),
        (server.answers_nobody, "everything_ended"),
        (server.waits_for_the_slowest, "within_bounds"),
        (server.tells_a_person_less, "all_at_netcat"),
        (server.repeats_for_a_person, "once_at_netcat"),
        (server.mishears, "typed_is_kept"),
        (server.drops_what_is_too_much, "everything_ended"),
        (client.forgets_how_far_it_had_come, "one_order"),
        (client.tells_nobody_who_came_meanwhile, "said_by_witnesses"),
        (client.tells_too_early_who_came, "said_by_witnesses"),
        (client.says_once_who_is_there, "said_by_witnesses"),
        (client.forgets_the_topic, "said_by_witnesses"),
        (journal.turns_over_two_pages, "answers_are_whole"),
        (journal.finds_nothing, "answers_are_whole"),
        (server.tells_somebody_else, "private"),
        (journal.has_holes, "ids_in_a_row"),
        (server.can_not_say_everything, "no_complaints"),
        (server.does_not_know_its_members, "said_by_witnesses"),
        (server.holds_nobody, "held"),
        (server.inherits_what_was_said, "private"),
        (server.closes_without_a_word, "said_by_witnesses"),
        (client.fights_for_its_place, "everything_ended"),
    )
}
"""By name, and the checker that is meant to find it."""
