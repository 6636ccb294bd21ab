"""How much video one client's network carries, judged by how old the newest is that the client has.

A network that carries less than is sent holds it up, and what is shown gets older and older. At once, frames are left
out until what waits has gone through; then the bitrate is lower, and rises again when nothing has been late for long.
"""

from collections import deque

LATE_S = 0.2  # s that the newest which a client has may be old
USUAL_S = 0.15  # s that it may be older than what is usual for it: a distant one's always is, by the journey
USUAL_OVER_S = 30.0  # s over which the least is what is usual
WORSE_S = 0.3  # s beyond that, from which only every `WORST` frame is sent
WORST = 5
STEP = 0.7  # share of the bitrate that is kept at each step down
LEAST = 0.2  # share of the bitrate below which it never falls
EFFECT_S = 2.5  # s after a step until its effect is seen: a keyframe has to come first
CALM_S = 10.0  # s without lateness after which the bitrate rises by a step
CALMEST_S = 80.0  # s at most, where rising made it late again


class Thrift:
    """One client's. ``share``: of the bitrate that may be used, in [`LEAST`, 1]. ``every``: which frames are sent: 1 is
    each, 2 every second one."""

    def __init__(self) -> None:
        self.share = 1.0
        self.every = 1
        self._behind: deque[tuple[float, float]] = deque()  # when it was said, and how far behind it was
        self._stepped = -EFFECT_S
        self._late = 0.0  # when it was late for the last time
        self._calm = CALM_S
        self._rose = False  # the last step was one up

    def report(self, behind: float, now: float) -> None:
        """The newest that the client has was sent ``behind`` s ago. ``now``: s."""
        self._behind.append((now, behind))
        while now - self._behind[0][0] > USUAL_OVER_S:
            self._behind.popleft()
        limit = max(LATE_S, min(was for _, was in self._behind) + USUAL_S)
        self.every = 1 if behind <= limit else 2 if behind <= limit + WORSE_S else WORST
        if behind > limit:
            self._fall(now)
        elif self.share < 1 and now - max(self._late, self._stepped) > self._calm:
            self.share, self._stepped, self._rose = min(1.0, self.share / STEP), now, True

    def _fall(self, now: float) -> None:
        self._late = now
        if now - self._stepped < EFFECT_S:
            return
        if self._rose:
            self._calm = min(CALMEST_S, 2 * self._calm)
        self.share, self._stepped, self._rose = max(LEAST, self.share * STEP), now, False

    def sends(self, frame: int, drawn: int = 1) -> bool:
        """Whether the frame of this number is sent, of which only the first of each ``drawn`` are drawn."""
        return frame % max(drawn, self.every) < drawn
