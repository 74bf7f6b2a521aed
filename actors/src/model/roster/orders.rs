//! What the cloud is to be asked for, and what came of it. Level-triggered: an order follows from how things stand,
//! so a lost one is given again, and a restarted manager gives the same ones.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{Note, Roster};
use crate::model::id::{InstanceId, Revision, ServerId};
use crate::model::launches::VISIBILITY;
use crate::model::life::{Event, Phase};
use crate::model::observation::Role;
use crate::model::order::{Doomed, LaunchOrder, Order, Outcome, PlaceOrder};
use crate::model::server::{Host, Server};
use crate::model::time::Timestamp;
use crate::ports::CloudError;

/// The longest pause before what failed for one server is asked for again. Longer, and a fault that is over would go on
/// costing; shorter, and a fleet whose calls are all refused would use up what AWS allows (20 and then one a second of
/// `TagResource`).
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Servers ended by one order: as many as the cloud describes in one call.
const CLOSE_BATCH: usize = 100;

impl Roster {
    /// What the cloud is to be asked for now. Each order is given once, and again only if its outcome, or the time
    /// for one, says so.
    pub fn orders(&mut self, now: Timestamp) -> Vec<Order> {
        // What else runs on an instance is not known before.
        if !self.is_ready() {
            return Vec::new();
        }
        // An outcome is sure to arrive within a call's time limit; the rest is for waiting in line.
        let patience = self.policy.call_timeout * 2;
        let launch = self.ledger.take_order(now, patience).map(Order::Launch);
        let mut orders: Vec<Order> = launch.into_iter().chain(self.rollout.take_order(now, patience)).collect();
        let target = self.rollout.target().map(|target| target.revision.clone());
        let is_of_target =
            |server: &Server| server.phase.is_launching() && server.revision.is_some() && server.revision == target;
        let mut starting = count(self.servers.iter().filter(|server| is_of_target(server)));
        let spared = self.instances_in_use();
        let mut doomed = Vec::new();
        let mut nothing_left = Vec::new();
        for server in self.servers.iter_mut().filter(|server| now >= server.no_order_before) {
            // One that was refused is placed again as if it had not been.
            let others = starting - u32::from(is_of_target(server));
            if let Phase::Closing(_) = server.phase {
                let end = doom(server, &spared);
                if end.task.is_none() && end.instance.is_none() {
                    // An instance of the fleet that somebody else uses still costs: it counts until it is free to go.
                    let waits = server.host.as_ref().is_some_and(|host| host.owned && !spared.contains(&host.id));
                    if !waits {
                        nothing_left.push(server.id);
                    }
                } else {
                    doomed.push(end);
                }
            } else if let Some(order) = errand(server, self.rollout.next(others, self.policy.rollout_surge)) {
                // The others' turn comes with one of the next orders.
                if matches!(order, Order::Record { .. }) {
                    if !self.records.take(now) {
                        continue;
                    }
                    server.role_unasked = false;
                }
                if let Order::Place(place) = &order {
                    server.unanswered_placements += 1;
                    server.revision = Some(place.revision.clone());
                    starting = others + u32::from(is_of_target(server));
                }
                orders.push(order);
            } else {
                continue;
            }
            server.no_order_before = now + patience;
        }
        for id in nothing_left {
            self.happen(id, Event::Vanished, now, now);
        }
        orders.extend(doomed.chunks(CLOSE_BATCH).map(|batch| Order::Close(batch.to_vec())));
        orders
    }

    /// Takes in what came of an order.
    pub fn outcome(&mut self, outcome: Outcome, now: Timestamp) {
        match outcome {
            Outcome::Launched { order, result: Ok(instances) } => self.launched(order, &instances, now),
            Outcome::Launched { order, result: Err(error) } => {
                let exhausted = self.ledger.not_launched(order, &error, &self.policy, now);
                self.notes.extend(exhausted.map(Note::NoCapacity));
            }
            Outcome::Placed { order, result: Ok(task) } => {
                if let Some(server) = self.servers.get_mut(order.server) {
                    server.task = Some(task);
                    server.milestones.placed_at.get_or_insert(now);
                    server.may_lag_until = now + VISIBILITY;
                    let since = server.phase_since;
                    self.happen(order.server, Event::Placed, since, now);
                }
            }
            Outcome::Placed { order, result: Err(error) } => self.not_placed(&order, &error, now),
            Outcome::Recorded { server, role, result } => self.recorded(server, role, result.is_ok(), now),
            Outcome::RolloutRecorded { revision, result, .. } => {
                self.roll_out(|rollout| rollout.recorded(&revision, &result, now));
            }
            Outcome::Closed { servers, result } => {
                for id in servers {
                    match &result {
                        // What is closing takes a while to go.
                        Ok(()) => self.no_order_before(id, VISIBILITY, now),
                        Err(_) => self.ask_again_later(id, now),
                    }
                }
            }
        }
    }

    fn launched(&mut self, order: LaunchOrder, instances: &[InstanceId], now: Timestamp) {
        let requested_at = self.ledger.begun_at(order.ordinal);
        self.ledger.launched(order, instances, now);
        let known: BTreeSet<&InstanceId> = self.servers.iter().filter_map(Server::instance).collect();
        let new: Vec<InstanceId> = instances.iter().filter(|instance| !known.contains(instance)).cloned().collect();
        for instance in new {
            let host = Host::just_launched(instance);
            let server = self.add(Phase::Booting, Some(host), Some(order.ordinal), now, now);
            server.milestones.requested_at = requested_at;
            server.may_lag_until = now + VISIBILITY;
        }
    }

    fn not_placed(&mut self, order: &PlaceOrder, error: &CloudError, now: Timestamp) {
        let Some(server) = self.servers.get_mut(order.server) else {
            return;
        };
        if !matches!(error, CloudError::Unanswered(_)) {
            server.unanswered_placements = server.unanswered_placements.saturating_sub(1);
        }
        match error {
            // Perhaps it was done: only the same attempt again tells.
            CloudError::Unanswered(_) | CloudError::Throttled(_) => {}
            // It was done by an earlier self: the next look at the cloud shows the task.
            CloudError::Conflict(_) => {
                server.refused_placements = order.attempt + 1;
                return self.no_order_before(order.server, VISIBILITY, now);
            }
            // An earlier request that was not answered may yet have placed a task under this attempt.
            _ if server.unanswered_placements > 0 => {}
            _ => server.refused_placements = order.attempt + 1,
        }
        self.ask_again_later(order.server, now);
    }

    fn recorded(&mut self, id: ServerId, role: Role, succeeded: bool, now: Timestamp) {
        let Some(server) = self.servers.get_mut(id) else {
            return;
        };
        if succeeded && server.role() == Some(role) {
            server.role_unrecorded = false;
            server.role_settled_at = now;
        }
        if succeeded {
            self.no_order_before(id, Duration::ZERO, now);
        } else {
            self.ask_again_later(id, now);
        }
    }

    fn no_order_before(&mut self, id: ServerId, pause: Duration, now: Timestamp) {
        if let Some(server) = self.servers.get_mut(id) {
            server.no_order_before = now + pause;
            server.failed_orders = 0;
        }
    }

    /// After a pause that is doubled with each failure in a row.
    fn ask_again_later(&mut self, id: ServerId, now: Timestamp) {
        if let Some(server) = self.servers.get_mut(id) {
            server.failed_orders = server.failed_orders.saturating_add(1);
            server.no_order_before = now + self.policy.backoff_after(server.failed_orders).min(LONGEST_PAUSE);
        }
    }

    /// Instances on which a server of the fleet lives on.
    fn instances_in_use(&self) -> BTreeSet<InstanceId> {
        let stays = |server: &&Server| !matches!(server.phase, Phase::Closing(_));
        self.servers.iter().filter(stays).filter_map(Server::instance).cloned().collect()
    }
}

fn count<T>(items: impl Iterator<Item = T>) -> u32 {
    u32::try_from(items.count()).unwrap_or(u32::MAX)
}

/// What is to be done in the cloud for a server that lives; one that is not placed yet is started with `next`.
fn errand(server: &Server, next: Option<&Revision>) -> Option<Order> {
    match server.phase {
        Phase::Joined if server.task.is_none() => {
            let host = server.host.as_ref().filter(|host| host.may_terminate() && host.connected && !host.leaving)?;
            let attempt = server.refused_placements;
            // A request that was not answered may have placed a task: the same one is made again.
            let asked_for = server.revision.as_ref().filter(|_| server.unanswered_placements > 0);
            let revision = asked_for.or(next)?.clone();
            Some(Order::Place(PlaceOrder { server: server.id, instance: host.id.clone(), attempt, revision }))
        }
        Phase::Available | Phase::Standby if server.role_unrecorded => {
            Some(Order::Record { server: server.id, task: server.task.clone()?, role: server.role()? })
        }
        _ => None,
    }
}

/// What is to end of a server: its task, and its instance if that is the fleet's and nobody else lives there.
fn doom(server: &Server, spared: &BTreeSet<InstanceId>) -> Doomed {
    let host = server.host.as_ref().filter(|host| host.may_terminate() && !spared.contains(&host.id));
    Doomed { server: server.id, task: server.task.clone(), instance: host.map(|host| host.id.clone()) }
}
