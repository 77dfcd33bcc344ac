"""Where does it belong? Continuity, hand-off, policy, and the timeline that an agent reads."""
