//! What only a manager of processes on this machine does.

mod life;
mod other_game;
mod overdue;
