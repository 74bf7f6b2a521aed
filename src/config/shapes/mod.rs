//! What text must look like, and in words what it may be. Each check tells what is wrong.

pub(super) mod address;
pub(super) mod command;
pub(super) mod ecs;
pub(super) mod name;
pub(super) mod networks;
pub(super) mod path;
pub(super) mod pools;
pub(super) mod region;
pub(super) mod schedule;
pub(super) mod template;
pub(super) mod token;
