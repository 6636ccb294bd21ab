"""Turn-taking from the user's side: when a turn is over, and whether one that begins over the face takes the floor.

It does not know how a reply is made or stopped; that is the session's, behind `Floor`. Start with
`companion.hearing.turn_taking.user_turns`, then endpointing (the end of a turn) and barge_in (interruptions).
"""
