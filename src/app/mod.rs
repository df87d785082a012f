//! The commands, and how the rooms are put together into a running program.
