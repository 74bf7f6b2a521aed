//! Which loopback addresses the local game servers get.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use super::LocalSettings;

/// What tells two local game servers apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Spread {
    /// One address, following ports.
    Ports,
    /// Following addresses, one port.
    Addresses,
}

/// Addresses that nobody has, first to last.
pub(super) struct Addresses {
    candidates: Box<dyn Iterator<Item = SocketAddr> + Send>,
    taken: BTreeSet<SocketAddr>,
}

impl Addresses {
    pub(super) fn new(settings: &LocalSettings, taken: BTreeSet<SocketAddr>) -> Self {
        let (address, port) = (settings.first_address, settings.first_port);
        let candidates: Box<dyn Iterator<Item = SocketAddr> + Send> = match settings.spread {
            Spread::Ports => Box::new((port..=u16::MAX).map(move |port| SocketAddr::from((address, port)))),
            Spread::Addresses => Box::new(loopback_from(address).map(move |address| SocketAddr::from((address, port)))),
        };
        Self { candidates, taken }
    }

    /// The next address that no game server has and nobody else listens on.
    pub(super) fn next_free(&mut self) -> Option<SocketAddr> {
        let taken = &self.taken;
        self.candidates.find(|candidate| !taken.contains(candidate) && TcpListener::bind(candidate).is_ok())
    }
}

/// The addresses from `first` to the end of 127.0.0.0/8.
fn loopback_from(first: Ipv4Addr) -> impl Iterator<Item = Ipv4Addr> {
    (u32::from(first)..u32::from(Ipv4Addr::new(127, 255, 255, 255))).map(Ipv4Addr::from)
}
