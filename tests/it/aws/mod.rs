//! What only a manager of a fleet on ECS and EC2 does. AWS is an API server on this machine; its mends and its agent
//! are in `tests/aws`.

mod adoption;
pub(crate) mod api;
mod api_faults;
mod by_hand;
mod crashes;
mod doctor;
mod environment;
mod fault_proxy;
mod launches;
mod policy;
mod rollout;
mod scarcity;
mod selfcheck;
mod shutdown;
mod stack;
mod template;
