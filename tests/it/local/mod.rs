//! A manager of real processes on this machine.

mod faults;
mod growth;
mod life;
mod other_game;
