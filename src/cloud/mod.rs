//! The clouds that game servers run on.

pub mod address_template;
#[cfg(feature = "ecs")]
pub mod ecs;
pub mod keeper;
pub mod launch_pool;
pub mod local;
