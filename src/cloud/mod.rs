//! The clouds that game servers run on.

pub mod keeper;
pub mod local;
